-- Bars are kept packed, so that little is written: a row for each bar would be
-- ten times as much. The view 'candle' shows them as rows.
ALTER TABLE candle RENAME TO candle_5; -- deleted when all of it is packed

-- What bars belong to. A number is never given twice.
CREATE TABLE series (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    feed     TEXT NOT NULL,
    symbol   TEXT NOT NULL,
    interval TEXT NOT NULL,
    UNIQUE (feed, symbol, interval)
) STRICT;

-- Series that are no more, of which blocks may be left.
CREATE TABLE gone (series INTEGER PRIMARY KEY) STRICT;

-- Closed bars of one series, up to 120 in a row.
CREATE TABLE block (
    id     INTEGER PRIMARY KEY,
    series INTEGER NOT NULL,
    time   INTEGER NOT NULL, -- the start of the first bar in seconds since 1970, UTC
    last   INTEGER NOT NULL, -- the start of the last one
    bars   TEXT    NOT NULL, -- [[seconds after the first, open, high, low, close, volume, trades], …]
    UNIQUE (series, time)
) STRICT;

-- Bars that closed since bars were last packed into blocks: in the order of time,
-- in rows of one page each. Packing begins a new round, in which the rows are
-- overwritten one by one; those of another round than that in 'newest' are over.
CREATE TABLE fresh (
    id    INTEGER PRIMARY KEY, -- from 0 in each round
    round INTEGER NOT NULL,
    -- [[series, seconds since 1970, open, high, low, close, volume, trades], …], and
    -- spaces: a row that keeps its length is overwritten where it is.
    bars  TEXT    NOT NULL
) STRICT;

-- Bars that changed after they had been written, because a trade came late. They
-- replace those in 'block' and 'fresh'.
CREATE TABLE late (
    series INTEGER NOT NULL,
    time   INTEGER NOT NULL, -- in seconds since 1970, UTC
    open   TEXT    NOT NULL,
    high   TEXT    NOT NULL,
    low    TEXT    NOT NULL,
    close  TEXT    NOT NULL,
    volume TEXT    NOT NULL,
    trades INTEGER NOT NULL,
    PRIMARY KEY (series, time)
) STRICT, WITHOUT ROWID;

-- One row: the newest bar of each series at one moment. From this, and the bars
-- of a second that closed later, open bars are made again at the start.
CREATE TABLE newest (
    round INTEGER NOT NULL, -- the round of 'fresh'
    fresh INTEGER NOT NULL, -- how many rows of it there were
    bars  TEXT    NOT NULL  -- as in 'fresh', then 1 for one that is elsewhere as well, 2 for one that is
                          -- there with fewer trades, else 0
) STRICT;
