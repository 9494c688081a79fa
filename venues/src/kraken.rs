//! Kraken, WebSocket v2. Its numbers are numbers of JSON.
//!
//! Formats: <https://docs.kraken.com/api/docs/websocket-v2/trade>.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use shared::{Candle, Interval, Side, Time};

use super::json::{Dated, Exact, Row, Seconds, read};
use super::{Listed, Malformed, Paging, Said, TradePage, Venue, VenueQuote, VenueTrade, Wanted};

/// A message subscribes at most this many symbols.
const SYMBOLS_PER_MESSAGE: usize = 100;
/// Trades in a page; more are not given.
const PAGE_TRADES: u32 = 1_000;

#[derive(Debug)]
pub(super) struct Kraken;

/// Any frame.
#[derive(Deserialize)]
struct Frame<'a> {
    channel: Option<&'a str>,
    method: Option<&'a str>,
    success: Option<bool>,
    error: Option<String>,
    symbol: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Trade<'a> {
    symbol: String,
    side: &'a str,
    price: Exact,
    qty: Exact,
    trade_id: u64,
    timestamp: Dated,
}

#[derive(Deserialize)]
struct Ticker {
    symbol: String,
    bid: Exact,
    bid_qty: Exact,
    ask: Exact,
    ask_qty: Exact,
    timestamp: Option<Dated>,
}

/// The answer of a call.
#[derive(Deserialize)]
struct Answer<T> {
    error: Vec<String>,
    result: Option<T>,
}

#[derive(Deserialize)]
struct Pair {
    altname: String,
    wsname: Option<String>,
    pair_decimals: u32,
    lot_decimals: u32,
    tick_size: Option<Exact>,
    status: Option<String>,
}

/// The names of two currencies that are older than those of everybody else.
fn currency(name: &str) -> &str {
    match name {
        "XBT" => "BTC",
        "XDG" => "DOGE",
        other => other,
    }
}

fn side(text: &str) -> Result<Side, Malformed> {
    match text {
        "buy" | "b" => Ok(Side::Buy),
        "sell" | "s" => Ok(Side::Sell),
        other => Err(Malformed(format!("{other} is no side"))),
    }
}

/// What a call returned, unless that is an error.
fn result<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, Malformed> {
    let answer: Answer<T> = read(body)?;
    let nothing = || Malformed("it has no result".to_owned());
    match answer.error.first() {
        Some(error) => Err(Malformed(error.clone())),
        None => answer.result.ok_or_else(nothing),
    }
}

/// The value of a call's only series: its name is not the one that was asked for.
fn series<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, Malformed> {
    let all: BTreeMap<String, &'a RawValue> = result(body)?;
    let mut others = all.iter().filter(|(name, _)| *name != "last");
    let (_, rows) = others
        .next()
        .ok_or_else(|| Malformed("it has no rows".to_owned()))?;
    read(rows.get())
}

impl Venue for Kraken {
    fn name(&self) -> &'static str {
        "kraken"
    }

    fn addresses(&self) -> [&'static str; 2] {
        ["wss://ws.kraken.com", "https://api.kraken.com"]
    }

    fn ws_path(&self, _: &[&str]) -> String {
        "/v2".to_owned()
    }

    fn usual_quote(&self) -> &'static str {
        "USD"
    }

    fn idle_max(&self) -> Duration {
        // It says each second that it is there.
        Duration::from_secs(10)
    }

    fn calls_per_second(&self) -> f64 {
        4.0
    }

    fn market_gap(&self) -> Duration {
        // Trades and candles are limited by market and address.
        Duration::from_secs(1)
    }

    fn is_limit(&self, error: &str) -> bool {
        // As in `EGeneral:Too many requests`, with the status of a success.
        error.contains("Too many requests") || error.contains("Rate limit exceeded")
    }

    fn listing(&self) -> &'static str {
        "/0/public/AssetPairs"
    }

    fn parse_listing(&self, body: &str) -> Result<Vec<Listed>, Malformed> {
        let pairs: BTreeMap<String, Pair> = result(body)?;
        let all = pairs.into_values().filter_map(|pair| {
            let is_open = pair.status.is_none_or(|status| status == "online");
            let name = pair.wsname.filter(|_| is_open)?;
            let (base, quote) = name.split_once('/')?;
            let (base, quote) = (currency(base), currency(quote));
            let step = pair.tick_size.map(|step| step.0);
            Some(Listed {
                ws: format!("{base}/{quote}"),
                currencies: [base.to_owned(), quote.to_owned()],
                rest: pair.altname,
                step: step.or_else(|| super::step_of(pair.pair_decimals))?,
                qty_step: super::step_of(pair.lot_decimals)?,
            })
        });
        Ok(all.collect())
    }

    fn subscriptions(&self, symbols: &[&str]) -> Vec<String> {
        let parts = symbols.chunks(SYMBOLS_PER_MESSAGE);
        let messages = parts.flat_map(|symbols| {
            let trades = json!({"channel": "trade", "symbol": symbols, "snapshot": false});
            let quotes = json!({"channel": "ticker", "symbol": symbols, "event_trigger": "bbo"});
            [trades, quotes]
        });
        let messages = messages.zip(1..);
        let messages = messages.map(|(params, number)| {
            json!({"method": "subscribe", "params": params, "req_id": number}).to_string()
        });
        messages.collect()
    }

    fn parse(&self, frame: &str) -> Result<Vec<Said>, Malformed> {
        let frame: Frame<'_> = read(frame)?;
        match (frame.channel, frame.method, frame.data) {
            (Some("trade"), _, Some(data)) => {
                let trades: Vec<Trade<'_>> = read(data.get())?;
                trades.into_iter().map(Trade::said).collect()
            }
            (Some("ticker"), _, Some(data)) => {
                let quotes: Vec<Ticker> = read(data.get())?;
                Ok(quotes.into_iter().map(Ticker::said).collect())
            }
            (Some("heartbeat"), ..) => Ok(vec![Said::Alive]),
            (None, Some("subscribe"), _) => match (frame.success, frame.error) {
                (Some(false), error) => {
                    let why = error.unwrap_or_else(|| "it gave no reason".to_owned());
                    Ok(vec![Said::Refused(frame.symbol, why)])
                }
                _ => Ok(vec![Said::Subscribed]),
            },
            _ => Ok(Vec::new()),
        }
    }

    fn trades(&self, market: &Listed, wanted: &Wanted) -> String {
        let since = match wanted {
            Wanted::After(time) => format!("&since={}999", time.micros().saturating_sub(1)),
            // It knows no others.
            Wanted::Newest | Wanted::UpTo(_) | Wanted::Before(_) => String::new(),
        };
        let pair = &market.rest;
        format!("/0/public/Trades?pair={pair}&count={PAGE_TRADES}{since}")
    }

    fn paging(&self) -> Paging {
        Paging::Forwards
    }

    fn parse_trades(&self, body: &str) -> Result<TradePage, Malformed> {
        let rows: Vec<Row<'_>> = series(body)?;
        // Price, volume, time, side, kind, words, identifier.
        let trades = rows.into_iter().map(|row| {
            let id = row.at(6)?;
            Ok(VenueTrade {
                ids: id..=id,
                time: row.at::<Seconds>(2)?.0,
                price: row.decimal(0)?,
                qty: row.decimal(1)?,
                side: side(row.at(3)?)?,
            })
        });
        Ok(TradePage {
            trades: trades.collect::<Result<_, Malformed>>()?,
            mark: None,
        })
    }

    fn candles(&self, market: &Listed, interval: Interval, _: Option<Time>) -> Option<String> {
        let minutes = interval.span().whole_seconds() / 60;
        // The newest 720, whatever is asked for.
        let pair = &market.rest;
        (minutes > 0).then(|| format!("/0/public/OHLC?pair={pair}&interval={minutes}"))
    }

    fn parse_candles(&self, body: &str) -> Result<Vec<Candle>, Malformed> {
        let rows: Vec<Row<'_>> = series(body)?;
        // Start, open, high, low, close, average, volume, count.
        let bars = rows.into_iter().map(|row| {
            Ok(Candle {
                time: row.at::<Seconds>(0)?.0,
                open: row.decimal(1)?,
                high: row.decimal(2)?,
                low: row.decimal(3)?,
                close: row.decimal(4)?,
                volume: row.decimal(6)?,
                trades: row.at(7)?,
            })
        });
        super::those_with_trades(bars)
    }
}

impl Trade<'_> {
    fn said(self) -> Result<Said, Malformed> {
        let trade = VenueTrade {
            ids: self.trade_id..=self.trade_id,
            time: self.timestamp.0,
            price: self.price.0,
            qty: self.qty.0,
            // The taker's.
            side: side(self.side)?,
        };
        Ok(Said::Trade(self.symbol, trade))
    }
}

impl Ticker {
    fn said(self) -> Said {
        let quote = VenueQuote {
            time: self.timestamp.map(|time| time.0),
            bid: Some(self.bid.0),
            bid_qty: Some(self.bid_qty.0),
            ask: Some(self.ask.0),
            ask_qty: Some(self.ask_qty.0),
        };
        Said::Quote(self.symbol, quote)
    }
}
