//! Binance Spot, by the addresses that have market data only.
//!
//! Formats: <https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams>.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use shared::{Candle, Decimal, Interval, Side, Span, Time};

use super::json::{Exact, Row, Since, read};
use super::{Listed, Malformed, Paging, Said, TradePage, Venue, VenueQuote, VenueTrade, Wanted};

/// A message subscribes at most this many symbols, with two streams each.
const SYMBOLS_PER_MESSAGE: usize = 100;
/// No trade stands for more than so many.
const MERGED_MAX: u64 = 10_000;
/// Trades or candles in a page; more are not given.
const PAGE: u32 = 1_000;

#[derive(Debug)]
pub(super) struct Binance;

/// Any frame.
#[derive(Deserialize)]
struct Frame<'a> {
    stream: Option<&'a str>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    id: Option<u64>,
    /// Where it refuses: either beside `id`, or in an object of its own.
    msg: Option<String>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    msg: String,
}

#[derive(Deserialize)]
struct Trade {
    s: String,
    t: u64,
    p: Exact,
    q: Exact,
    #[serde(rename = "T")]
    time: Since,
    /// Whether the buyer is the maker.
    m: bool,
}

#[derive(Deserialize)]
struct BookTicker {
    s: String,
    b: Exact,
    #[serde(rename = "B")]
    bid_qty: Exact,
    a: Exact,
    #[serde(rename = "A")]
    ask_qty: Exact,
}

#[derive(Deserialize)]
struct Listing {
    symbols: Vec<Pair>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pair {
    symbol: String,
    status: String,
    base_asset: String,
    quote_asset: String,
    base_asset_precision: u32,
    quote_precision: u32,
    #[serde(default)]
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    filter_type: String,
    tick_size: Option<Exact>,
    step_size: Option<Exact>,
}

/// A trade that stands for those from `f` to `l`, all of one price.
#[derive(Deserialize)]
struct Merged {
    a: u64,
    f: u64,
    l: u64,
    p: Exact,
    q: Exact,
    #[serde(rename = "T")]
    time: Since,
    m: bool,
}

fn side(is_buyer_maker: bool) -> Side {
    match is_buyer_maker {
        true => Side::Sell,
        false => Side::Buy,
    }
}

/// A number as it is, without the zeros that fill it up to eight decimals.
fn plain(exact: Exact) -> Decimal {
    exact.0.normalize()
}

/// The streams of a symbol.
fn streams(symbol: &str) -> [String; 2] {
    let name = symbol.to_lowercase();
    [format!("{name}@trade"), format!("{name}@bookTicker")]
}

/// A text for the address of a call.
fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

impl Venue for Binance {
    fn name(&self) -> &'static str {
        "binance"
    }

    fn addresses(&self) -> [&'static str; 2] {
        [
            "wss://data-stream.binance.vision",
            "https://data-api.binance.vision",
        ]
    }

    fn ws_path(&self, symbols: &[&str]) -> String {
        let first = symbols.first().map(|symbol| streams(symbol).join("/"));
        let first = first.map_or_else(String::new, |first| format!("streams={first}&"));
        format!("/stream?{first}timeUnit=MICROSECOND")
    }

    fn header(&self) -> Option<(&'static str, &'static str)> {
        Some(("x-mbx-time-unit", "MICROSECOND"))
    }

    fn usual_quote(&self) -> &'static str {
        "USDT"
    }

    fn idle_max(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn is_quiet(&self) -> bool {
        // It sends prices only, and a ping each 20 s.
        true
    }

    fn connection_max(&self) -> Option<Duration> {
        Some(Duration::from_secs(24 * 3_600))
    }

    fn calls_per_second(&self) -> f64 {
        // Each weighs four at most, of 6,000 a minute.
        10.0
    }

    fn listing(&self) -> &'static str {
        "/api/v3/exchangeInfo?permissions=SPOT&showPermissionSets=false"
    }

    fn parse_listing(&self, body: &str) -> Result<Vec<Listed>, Malformed> {
        let listing: Listing = read(body)?;
        let open = listing.symbols.into_iter();
        let open = open.filter(|pair| pair.status == "TRADING");
        let all = open.filter_map(|pair| {
            let of = |kind: &str, step: fn(&Filter) -> Option<Exact>| {
                let mut filters = pair.filters.iter();
                let filter = filters.find(|filter| filter.filter_type == kind);
                filter.and_then(step).map(plain)
            };
            let step = of("PRICE_FILTER", |filter| filter.tick_size);
            let qty_step = of("LOT_SIZE", |filter| filter.step_size);
            Some(Listed {
                step: step.or_else(|| super::step_of(pair.quote_precision))?,
                qty_step: qty_step.or_else(|| super::step_of(pair.base_asset_precision))?,
                currencies: [pair.base_asset, pair.quote_asset],
                ws: pair.symbol.clone(),
                rest: pair.symbol,
            })
        });
        Ok(all.collect())
    }

    fn subscriptions(&self, symbols: &[&str]) -> Vec<String> {
        let messages = symbols.chunks(SYMBOLS_PER_MESSAGE).zip(1..);
        let messages = messages.map(|(symbols, number)| {
            let streams: Vec<_> = symbols.iter().flat_map(|symbol| streams(symbol)).collect();
            json!({"method": "SUBSCRIBE", "params": streams, "id": number}).to_string()
        });
        messages.collect()
    }

    fn parse(&self, frame: &str) -> Result<Vec<Said>, Malformed> {
        let frame: Frame<'_> = read(frame)?;
        let refused = frame.error.map(|error| error.msg).or(frame.msg);
        match (frame.stream, frame.data, refused) {
            (_, _, Some(why)) => Ok(vec![Said::Refused(None, why)]),
            (Some("!serverShutdown"), ..) => Ok(vec![Said::Closing]),
            (Some(stream), Some(data), _) => match stream.split_once('@') {
                Some((_, "trade")) => Ok(vec![read::<Trade>(data.get())?.said()]),
                Some((_, "bookTicker")) => Ok(vec![read::<BookTicker>(data.get())?.said()]),
                _ => Ok(Vec::new()),
            },
            _ if frame.id.is_some() => Ok(vec![Said::Subscribed]),
            _ => Ok(Vec::new()),
        }
    }

    fn trades(&self, market: &Listed, wanted: &Wanted) -> String {
        let since = match wanted {
            Wanted::Newest | Wanted::After(_) | Wanted::UpTo(_) => String::new(),
            // Those that it merged are numbered, too.
            Wanted::Before(merged) => {
                format!("&fromId={}", merged.saturating_sub(u64::from(PAGE)))
            }
        };
        let symbol = escaped(&market.rest);
        format!("/api/v3/aggTrades?symbol={symbol}&limit={PAGE}{since}")
    }

    fn paging(&self) -> Paging {
        Paging::Backwards
    }

    fn parse_trades(&self, body: &str) -> Result<TradePage, Malformed> {
        let rows: Vec<Merged> = read(body)?;
        let mark = rows.first().map(|row| row.a);
        let trades = rows.into_iter().map(|row| {
            let (first, last) = (row.f, row.l);
            if first > last || last - first > MERGED_MAX {
                return Err(Malformed(format!("a trade from {first} to {last}")));
            }
            Ok(VenueTrade {
                ids: first..=last,
                time: row.time.0,
                price: plain(row.p),
                qty: plain(row.q),
                side: side(row.m),
            })
        });
        Ok(TradePage {
            trades: trades.collect::<Result<_, Malformed>>()?,
            mark,
        })
    }

    fn candles(&self, market: &Listed, interval: Interval, before: Option<Time>) -> Option<String> {
        let end = before.map_or_else(String::new, |before| {
            format!(
                "&endTime={}",
                (before - Span::from_micros(1)).micros() / 1_000
            )
        });
        let symbol = escaped(&market.rest);
        // It has bars of a second, and none of five.
        (interval != Interval::S5).then(|| {
            format!("/api/v3/klines?symbol={symbol}&interval={interval}&limit={PAGE}{end}")
        })
    }

    fn parse_candles(&self, body: &str) -> Result<Vec<Candle>, Malformed> {
        let rows: Vec<Row<'_>> = read(body)?;
        // Start, open, high, low, close, volume, end, turnover, count, and more.
        let bars = rows.into_iter().map(|row| {
            Ok(Candle {
                time: row.at::<Since>(0)?.0,
                open: row.at(1).map(plain)?,
                high: row.at(2).map(plain)?,
                low: row.at(3).map(plain)?,
                close: row.at(4).map(plain)?,
                volume: row.at(5).map(plain)?,
                trades: row.at(8)?,
            })
        });
        super::those_with_trades(bars)
    }
}

impl Trade {
    fn said(self) -> Said {
        let trade = VenueTrade {
            ids: self.t..=self.t,
            time: self.time.0,
            price: plain(self.p),
            qty: plain(self.q),
            side: side(self.m),
        };
        Said::Trade(self.s, trade)
    }
}

impl BookTicker {
    fn said(self) -> Said {
        let quote = VenueQuote {
            // It has none.
            time: None,
            bid: Some(plain(self.b)),
            bid_qty: Some(plain(self.bid_qty)),
            ask: Some(plain(self.a)),
            ask_qty: Some(plain(self.ask_qty)),
        };
        Said::Quote(self.s, quote)
    }
}
