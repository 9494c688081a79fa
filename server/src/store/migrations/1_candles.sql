-- Prices and quantities are exact decimals, as text: cast(close AS REAL) makes
-- a number of one where rounding does no harm.
CREATE TABLE candle (
    feed     TEXT    NOT NULL, -- where the prices came from, as in 'sim'
    symbol   TEXT    NOT NULL, -- as in 'BTC-USD'
    interval TEXT    NOT NULL, -- '1s', '5s', '1m', '5m', '15m', '1h' or '1d'
    time     INTEGER NOT NULL, -- the bar's start in microseconds since 1970, UTC
    open     TEXT    NOT NULL, -- the first price
    high     TEXT    NOT NULL,
    low      TEXT    NOT NULL,
    close    TEXT    NOT NULL, -- the last price
    volume   TEXT    NOT NULL, -- the quantity traded
    trades   INTEGER NOT NULL, -- how many trades there were
    utc      TEXT    GENERATED ALWAYS AS
             (strftime('%Y-%m-%d %H:%M:%S', time / 1000000, 'unixepoch')) VIRTUAL,
    PRIMARY KEY (feed, symbol, interval, time)
) STRICT, WITHOUT ROWID;
