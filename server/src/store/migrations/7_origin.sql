-- What a feed has to know to make the same past in each run, in its own words.
CREATE TABLE origin (
    feed TEXT PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- When the server was down: from the end of the newest bar to the next start.
CREATE TABLE down (
    feed  TEXT    NOT NULL,
    since INTEGER NOT NULL, -- in µs since 1970, UTC
    until INTEGER NOT NULL,
    PRIMARY KEY (feed, since)
) STRICT, WITHOUT ROWID;
