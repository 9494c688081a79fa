//! Coinbase Exchange. Its `matches` are the trades; its `ticker` has the best bid and
//! ask after each of them, and nothing in between.
//!
//! Formats: <https://docs.cdp.coinbase.com/exchange/websocket-feed/channels>.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use shared::{Candle, Interval, Side, Span, Time};

use super::json::{Dated, Exact, Row, Seconds, read};
use super::{Listed, Malformed, Paging, Said, TradePage, Venue, VenueQuote, VenueTrade, Wanted};

/// Trades in a page; more are refused.
const PAGE_TRADES: u32 = 1_000;
/// Candles in an answer; more are refused.
const PAGE_BARS: i64 = 300;

#[derive(Debug)]
pub(super) struct Coinbase;

/// Any frame.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    product_id: Option<String>,
    trade_id: Option<u64>,
    last_trade_id: Option<u64>,
    time: Option<Dated>,
    price: Option<Exact>,
    size: Option<Exact>,
    side: Option<&'a str>,
    best_bid: Option<Exact>,
    best_bid_size: Option<Exact>,
    best_ask: Option<Exact>,
    best_ask_size: Option<Exact>,
    message: Option<String>,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Product {
    id: String,
    base_currency: String,
    quote_currency: String,
    quote_increment: Exact,
    base_increment: Exact,
    status: String,
    #[serde(default)]
    trading_disabled: bool,
}

#[derive(Deserialize)]
struct PastTrade<'a> {
    trade_id: u64,
    side: &'a str,
    size: Exact,
    price: Exact,
    time: Dated,
}

/// The aggressor's side, where the maker's is given.
fn against(maker: &str) -> Result<Side, Malformed> {
    match maker {
        "buy" => Ok(Side::Sell),
        "sell" => Ok(Side::Buy),
        other => Err(Malformed(format!("{other} is no side"))),
    }
}

impl Venue for Coinbase {
    fn name(&self) -> &'static str {
        "coinbase"
    }

    fn addresses(&self) -> [&'static str; 2] {
        [
            "wss://ws-feed.exchange.coinbase.com",
            "https://api.exchange.coinbase.com",
        ]
    }

    fn ws_path(&self, _: &[&str]) -> String {
        "/".to_owned()
    }

    fn usual_quote(&self) -> &'static str {
        "USD"
    }

    fn idle_max(&self) -> Duration {
        // A heartbeat of each symbol comes each second.
        Duration::from_secs(10)
    }

    fn calls_per_second(&self) -> f64 {
        8.0
    }

    fn refuses_together(&self) -> bool {
        true
    }

    fn listing(&self) -> &'static str {
        "/products"
    }

    fn parse_listing(&self, body: &str) -> Result<Vec<Listed>, Malformed> {
        let products: Vec<Product> = read(body)?;
        let open = products
            .into_iter()
            .filter(|product| product.status == "online" && !product.trading_disabled);
        let listed = open.map(|product| Listed {
            currencies: [product.base_currency, product.quote_currency],
            ws: product.id.clone(),
            rest: product.id,
            step: product.quote_increment.0,
            qty_step: product.base_increment.0,
        });
        Ok(listed.collect())
    }

    fn subscriptions(&self, symbols: &[&str]) -> Vec<String> {
        let channels = ["ticker", "matches", "heartbeat"];
        let message = json!({"type": "subscribe", "product_ids": symbols, "channels": channels});
        vec![message.to_string()]
    }

    fn parse(&self, frame: &str) -> Result<Vec<Said>, Malformed> {
        let frame: Frame<'_> = read(frame)?;
        match frame.kind {
            // The last one is of before: whoever knows it already leaves it out.
            "match" | "last_match" => frame.trade().map(|trade| vec![trade]),
            "ticker" => Ok(frame.quote().into_iter().collect()),
            "heartbeat" => match (frame.product_id, frame.last_trade_id) {
                (Some(symbol), Some(id)) => Ok(vec![Said::Newest(symbol, id)]),
                _ => Ok(vec![Said::Alive]),
            },
            "subscriptions" => Ok(vec![Said::Subscribed]),
            "error" => {
                let message = frame.message.unwrap_or_default();
                let why = frame.reason.unwrap_or(message);
                // As in `GIBBERISH-USD is not a valid product`.
                let symbol = why.split(' ').next().filter(|word| word.contains('-'));
                Ok(vec![Said::Refused(symbol.map(str::to_owned), why.clone())])
            }
            _ => Ok(Vec::new()),
        }
    }

    fn trades(&self, market: &Listed, wanted: &Wanted) -> String {
        let before = match wanted {
            Wanted::Newest | Wanted::After(_) => String::new(),
            // What is "after" a page is older than it. One later than was asked for
            // shows that nothing is missing at the end.
            Wanted::UpTo(id) => format!("&after={}", id.saturating_add(2)),
            Wanted::Before(id) => format!("&after={id}"),
        };
        format!(
            "/products/{}/trades?limit={PAGE_TRADES}{before}",
            market.rest
        )
    }

    fn paging(&self) -> Paging {
        Paging::Backwards
    }

    fn parse_trades(&self, body: &str) -> Result<TradePage, Malformed> {
        let rows: Vec<PastTrade<'_>> = read(body)?;
        let newest_first = rows.into_iter().rev().map(|row| {
            Ok(VenueTrade {
                ids: row.trade_id..=row.trade_id,
                time: row.time.0,
                price: row.price.0,
                qty: row.size.0,
                side: against(row.side)?,
            })
        });
        let trades: Vec<VenueTrade> = newest_first.collect::<Result<_, Malformed>>()?;
        let mark = trades.first().map(|first| *first.ids.start());
        Ok(TradePage { trades, mark })
    }

    fn candles(&self, market: &Listed, interval: Interval, before: Option<Time>) -> Option<String> {
        let seconds = interval.span().whole_seconds();
        let range = before.map_or_else(String::new, |before| {
            // Both ends are included.
            let last = interval.start_of(before - Span::from_micros(1));
            let first = last - interval.span() * (PAGE_BARS - 1);
            format!(
                "&start={}&end={}",
                (first - Time::EPOCH).whole_seconds(),
                (last - Time::EPOCH).whole_seconds()
            )
        });
        let product = &market.rest;
        (seconds >= 60).then(|| format!("/products/{product}/candles?granularity={seconds}{range}"))
    }

    fn parse_candles(&self, body: &str) -> Result<Vec<Candle>, Malformed> {
        let rows: Vec<Row<'_>> = read(body)?;
        // Start, low, high, open, close, volume.
        let newest_first = rows.into_iter().rev().map(|row| {
            Ok(Candle {
                time: row.at::<Seconds>(0)?.0,
                open: row.decimal(3)?,
                high: row.decimal(2)?,
                low: row.decimal(1)?,
                close: row.decimal(4)?,
                volume: row.decimal(5)?,
                // It does not say how many.
                trades: 1,
            })
        });
        newest_first.collect()
    }
}

impl Frame<'_> {
    fn trade(self) -> Result<Said, Malformed> {
        let missing = |what: &str| Malformed(format!("a match without {what}"));
        let id = self.trade_id.ok_or_else(|| missing("trade_id"))?;
        let trade = VenueTrade {
            ids: id..=id,
            time: self.time.ok_or_else(|| missing("time"))?.0,
            price: self.price.ok_or_else(|| missing("price"))?.0,
            qty: self.size.ok_or_else(|| missing("size"))?.0,
            side: against(self.side.ok_or_else(|| missing("side"))?)?,
        };
        let symbol = self.product_id.ok_or_else(|| missing("product_id"))?;
        Ok(Said::Trade(symbol, trade))
    }

    /// `None` if it has no symbol.
    fn quote(self) -> Option<Said> {
        let quote = VenueQuote {
            time: self.time.map(|time| time.0),
            bid: self.best_bid.map(|value| value.0),
            bid_qty: self.best_bid_size.map(|value| value.0),
            ask: self.best_ask.map(|value| value.0),
            ask_qty: self.best_ask_size.map(|value| value.0),
        };
        Some(Said::Quote(self.product_id?, quote))
    }
}
