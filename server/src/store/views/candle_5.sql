UNION ALL
-- Those of an earlier version that are not packed yet.
SELECT feed, symbol, interval, time, open, high, low, close, volume, trades, utc FROM candle_5
