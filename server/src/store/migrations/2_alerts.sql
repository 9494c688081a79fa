-- Of level, percent with window_s, and silent_s, an alert has those of its kind.
CREATE TABLE alert (
    id         INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice
    version    INTEGER NOT NULL, -- of what people set
    symbol     TEXT    NOT NULL, -- as in 'BTC-USD'
    kind       TEXT    NOT NULL, -- 'above', 'below', 'crosses', 'moves' or 'silent'
    level      TEXT,             -- the price, an exact decimal
    percent    TEXT,             -- how far it has to move, an exact decimal
    window_s   INTEGER,          -- within how many seconds
    silent_s   INTEGER,          -- for how many seconds there has to be no tick
    repeat     INTEGER NOT NULL, -- 1: stays on after it fired
    cooldown_s INTEGER NOT NULL, -- seconds after it fired in which it does not fire
    enabled    INTEGER NOT NULL, -- 1: is on
    armed      INTEGER NOT NULL, -- 0: fired, and its condition has held ever since
    note       TEXT    NOT NULL,
    created    INTEGER NOT NULL, -- microseconds since 1970, UTC
    fired      INTEGER NOT NULL, -- how often
    last_fired INTEGER           -- microseconds since 1970, UTC
) STRICT;

-- The newest firings, also of alerts that were deleted since.
CREATE TABLE fired (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    alert    INTEGER NOT NULL, -- the alert's id
    count    INTEGER NOT NULL, -- the alert's first, second, third ... firing
    symbol   TEXT    NOT NULL,
    kind     TEXT    NOT NULL, -- what happened, as in the table alert
    level    TEXT,
    percent  TEXT,
    window_s INTEGER,
    silent_s INTEGER,
    price    TEXT,             -- the price that it fired at, an exact decimal
    time     INTEGER NOT NULL, -- of the tick, in microseconds since 1970, UTC
    note     TEXT    NOT NULL,
    utc      TEXT    GENERATED ALWAYS AS
             (strftime('%Y-%m-%d %H:%M:%S', time / 1000000, 'unixepoch')) VIRTUAL,
    UNIQUE (alert, count)
) STRICT;
