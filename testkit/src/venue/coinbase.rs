//! Coinbase's texts.

use serde_json::{Value, json};
use shared::{Side, Span};

use super::{Asked, Bar, Call, Deal, Venue, Wire, truth_time};

/// Candles in an answer; more are refused.
const BARS: i64 = 300;

pub(super) struct Coinbase;

/// The maker's side.
fn maker(deal: &Deal) -> &'static str {
    match deal.side {
        Side::Buy => "sell",
        Side::Sell => "buy",
    }
}

fn base(product: &str) -> String {
    product.trim_end_matches("-USD").to_owned()
}

impl Wire for Coinbase {
    fn asked(&self, message: &str) -> Asked {
        let message: Value = serde_json::from_str(message).unwrap_or_default();
        let names = message["product_ids"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let channels = message["channels"].as_array().cloned().unwrap_or_default();
        let has = |name: &str| channels.iter().any(|channel| channel == name);
        Asked {
            bases: names.iter().filter_map(Value::as_str).map(base).collect(),
            trades: has("matches"),
            quotes: has("ticker"),
            number: 0,
        }
    }

    fn acknowledged(&self, asked: &Asked) -> Vec<String> {
        let products: Vec<_> = asked
            .bases
            .iter()
            .map(|base| format!("{base}-USD"))
            .collect();
        let channel = json!({"name": "matches", "product_ids": products});
        vec![json!({"type": "subscriptions", "channels": [channel]}).to_string()]
    }

    fn refused(&self, base: &str) -> String {
        json!({"type": "error", "message": "Failed to subscribe",
            "reason": format!("{base}-USD is not a valid product")})
        .to_string()
    }

    fn trade(&self, base: &str, deal: &Deal) -> String {
        json!({"type": "match", "trade_id": deal.id, "sequence": 5 * deal.id,
            "maker_order_id": "ac928c66", "taker_order_id": "132fb6ae",
            "time": truth_time(deal.time), "product_id": format!("{base}-USD"),
            "size": deal.qty, "price": deal.price, "side": maker(deal)})
        .to_string()
    }

    fn quote(&self, base: &str, deal: &Deal) -> String {
        let [bid, ask] = deal.quotes();
        json!({"type": "ticker", "sequence": 5 * deal.id + 1, "product_id": format!("{base}-USD"),
            "price": deal.price, "best_bid": bid, "best_bid_size": "1.5", "best_ask": ask,
            "best_ask_size": "2.5", "side": "buy", "time": truth_time(deal.time),
            "trade_id": deal.id, "last_size": deal.qty})
        .to_string()
    }

    fn alive(&self, base: &str, newest: u64) -> Option<String> {
        let product = format!("{base}-USD");
        let text = json!({"type": "heartbeat", "sequence": 90, "last_trade_id": newest,
            "product_id": product, "time": "2014-11-07T08:19:28.464459Z"});
        Some(text.to_string())
    }

    fn closing(&self) -> Option<String> {
        None
    }

    fn unknown(&self) -> String {
        json!({"type": "moon", "phase": 0.5}).to_string()
    }

    fn listing(&self, bases: &[String]) -> String {
        let products = bases.iter().map(|base| {
            json!({"id": format!("{base}-USD"), "base_currency": base, "quote_currency": "USD",
                "quote_increment": "0.01", "base_increment": "0.00000001", "status": "online",
                "trading_disabled": false})
        });
        Value::from(products.collect::<Vec<_>>()).to_string()
    }

    fn answer(&self, call: &Call<'_>, venue: &Venue) -> Option<String> {
        if call.path == "/products" {
            return Some(self.listing(&venue.truth.bases()));
        }
        let rest = call.path.strip_prefix("/products/")?;
        let (product, what) = rest.split_once('/')?;
        let base = base(product);
        let rows: Vec<String> = match what {
            "trades" => {
                let limit = usize::try_from(call.number("limit")?).ok()?;
                let before = call
                    .number("after")
                    .map_or(u64::MAX, |id| id.unsigned_abs());
                let deals = venue.truth.deals(&base).iter().rev();
                let deals = deals.filter(|deal| deal.id < before).take(limit);
                deals.map(row).collect()
            }
            "candles" => {
                let seconds = call.number("granularity")?;
                let bars = venue.shown_bars(&base, Span::from_seconds(seconds));
                let start = |bar: &Bar| bar.time.micros() / 1_000_000;
                let end = call.number("end").unwrap_or(i64::MAX);
                let begin = call.number("start").unwrap_or(i64::MIN);
                if begin > i64::MIN && (end - begin) / seconds >= BARS {
                    return None;
                }
                let newest = bars.iter().rev().filter(|bar| start(bar) <= end);
                // One before the start is there, too.
                let newest = newest.take_while(|bar| start(bar) >= begin.saturating_sub(seconds));
                newest.take(BARS as usize).map(bar).collect()
            }
            _ => return None,
        };
        Some(format!("[{}]", rows.join(",")))
    }
}

fn row(deal: &Deal) -> String {
    json!({"trade_id": deal.id, "side": maker(deal), "size": deal.qty, "price": deal.price,
        "time": truth_time(deal.time)})
    .to_string()
}

/// Low before high before open.
fn bar(bar: &Bar) -> String {
    let seconds = bar.time.micros() / 1_000_000;
    let [open, high, low, close] = bar.prices;
    format!("[{seconds},{low},{high},{open},{close},{}]", bar.volume)
}
