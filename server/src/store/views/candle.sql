-- All bars as rows, each once. Prices and quantities are exact decimals, as
-- text: cast(close AS REAL) makes a number of one where rounding does no harm.
-- Bars that are still open are as of up to a minute ago.
CREATE VIEW candle (
    feed,     -- where the prices came from, as in 'sim'
    symbol,   -- as in 'BTC-USD'
    interval, -- '1s', '5s', '1m', '5m', '15m', '1h' or '1d'
    time,     -- the bar's start in microseconds since 1970, UTC
    open,     -- the first price
    high,
    low,
    close,    -- the last price
    volume,   -- the quantity traded
    trades,   -- how many trades there were
    utc       -- the bar's start, to be read
) AS
SELECT series.feed, series.symbol, series.interval,
    (block.time + json_extract(bar.value, '$[0]')) * 1000000,
    json_extract(bar.value, '$[1]'), json_extract(bar.value, '$[2]'),
    json_extract(bar.value, '$[3]'), json_extract(bar.value, '$[4]'),
    json_extract(bar.value, '$[5]'), json_extract(bar.value, '$[6]'),
    strftime('%Y-%m-%d %H:%M:%S', block.time + json_extract(bar.value, '$[0]'), 'unixepoch')
FROM series JOIN block ON block.series = series.id JOIN json_each(block.bars) AS bar
WHERE NOT EXISTS (
    SELECT 1 FROM late
    WHERE late.series = series.id AND late.time = block.time + json_extract(bar.value, '$[0]'))
UNION ALL
SELECT series.feed, series.symbol, series.interval,
    json_extract(bar.value, '$[1]') * 1000000,
    json_extract(bar.value, '$[2]'), json_extract(bar.value, '$[3]'),
    json_extract(bar.value, '$[4]'), json_extract(bar.value, '$[5]'),
    json_extract(bar.value, '$[6]'), json_extract(bar.value, '$[7]'),
    strftime('%Y-%m-%d %H:%M:%S', json_extract(bar.value, '$[1]'), 'unixepoch')
FROM newest JOIN fresh ON fresh.round = newest.round JOIN json_each(fresh.bars) AS bar
JOIN series ON series.id = json_extract(bar.value, '$[0]')
WHERE NOT EXISTS (
    SELECT 1 FROM late
    WHERE late.series = series.id AND late.time = json_extract(bar.value, '$[1]'))
UNION ALL
SELECT series.feed, series.symbol, series.interval, late.time * 1000000,
    late.open, late.high, late.low, late.close, late.volume, late.trades,
    strftime('%Y-%m-%d %H:%M:%S', late.time, 'unixepoch')
FROM late JOIN series ON series.id = late.series
UNION ALL
SELECT series.feed, series.symbol, series.interval,
    json_extract(bar.value, '$[1]') * 1000000,
    json_extract(bar.value, '$[2]'), json_extract(bar.value, '$[3]'),
    json_extract(bar.value, '$[4]'), json_extract(bar.value, '$[5]'),
    json_extract(bar.value, '$[6]'), json_extract(bar.value, '$[7]'),
    strftime('%Y-%m-%d %H:%M:%S', json_extract(bar.value, '$[1]'), 'unixepoch')
FROM newest JOIN json_each(newest.bars) AS bar
JOIN series ON series.id = json_extract(bar.value, '$[0]')
WHERE json_extract(bar.value, '$[8]') = 0
AND NOT EXISTS (
    SELECT 1 FROM late
    WHERE late.series = series.id AND late.time = json_extract(bar.value, '$[1]'))
-- Closed since.
AND (json_extract(bar.value, '$[0]'), json_extract(bar.value, '$[1]')) NOT IN (
    SELECT json_extract(closed.value, '$[0]'), json_extract(closed.value, '$[1]')
    FROM newest AS written
    JOIN fresh ON fresh.round = written.round AND fresh.id >= written.fresh
    JOIN json_each(fresh.bars) AS closed)
