-- One that may fire at nearly every tick helps nobody.
UPDATE alert SET cooldown_s = 1 WHERE cooldown_s = 0;

-- When the server took in the tick at whose time an alert fired, in
-- microseconds since 1970, UTC; null where that is the same.
ALTER TABLE fired ADD COLUMN at INTEGER;

-- What receivers (--webhook) have still to be told.
CREATE TABLE delivery (
    receiver TEXT    NOT NULL, -- a hash of its address, which may be a secret
    alert    INTEGER NOT NULL, -- with count, which firing
    count    INTEGER NOT NULL,
    firing   TEXT    NOT NULL, -- JSON, as in the server's messages
    made     INTEGER NOT NULL, -- microseconds since 1970, UTC
    PRIMARY KEY (receiver, alert, count)
) STRICT, WITHOUT ROWID;
