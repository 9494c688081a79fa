//! Kraken's texts.

use serde_json::{Value, json};
use shared::{Side, Time};

use super::{Asked, Bar, Call, Deal, Venue, Wire};

/// Candles in an answer.
const BARS: usize = 720;

pub(super) struct Kraken;

fn stamp(time: Time) -> String {
    super::truth_time(time)
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

/// The base of `XBTUSD` or `BTC/USD`.
fn base(name: &str) -> String {
    let base = name.trim_end_matches("USD").trim_end_matches('/');
    if base == "XBT" {
        "BTC".to_owned()
    } else {
        base.to_owned()
    }
}

fn rest(base: &str) -> String {
    let base = if base == "BTC" { "XBT" } else { base };
    format!("{base}USD")
}

impl Wire for Kraken {
    fn asked(&self, message: &str) -> Asked {
        let message: Value = serde_json::from_str(message).unwrap_or_default();
        let params = &message["params"];
        let names = params["symbol"].as_array().cloned().unwrap_or_default();
        Asked {
            bases: names.iter().filter_map(Value::as_str).map(base).collect(),
            trades: params["channel"] == "trade",
            quotes: params["channel"] == "ticker",
            number: message["req_id"].as_u64().unwrap_or_default(),
        }
    }

    fn acknowledged(&self, asked: &Asked) -> Vec<String> {
        let channel = if asked.trades { "trade" } else { "ticker" };
        let all = asked.bases.iter().map(|base| {
            let result = json!({"channel": channel, "symbol": format!("{base}/USD"), "snapshot": false});
            json!({"method": "subscribe", "result": result, "success": true,
                "time_in": stamp(Time::EPOCH), "time_out": stamp(Time::EPOCH), "req_id": asked.number})
            .to_string()
        });
        all.collect()
    }

    fn refused(&self, base: &str) -> String {
        let symbol = format!("{base}/USD");
        json!({"error": format!("Currency pair not supported {symbol}"), "method": "subscribe",
            "success": false, "symbol": symbol})
        .to_string()
    }

    fn trade(&self, base: &str, deal: &Deal) -> String {
        // Numbers, not texts.
        format!(
            r#"{{"channel":"trade","type":"update","data":[{{"symbol":"{base}/USD","side":"{}","price":{},"qty":{},"ord_type":"limit","trade_id":{},"timestamp":"{}"}}]}}"#,
            side(deal.side),
            deal.price,
            deal.qty,
            deal.id,
            stamp(deal.time)
        )
    }

    fn quote(&self, base: &str, deal: &Deal) -> String {
        let [bid, ask] = deal.quotes();
        format!(
            r#"{{"channel":"ticker","type":"update","data":[{{"symbol":"{base}/USD","bid":{bid},"bid_qty":1.5,"ask":{ask},"ask_qty":2.5,"last":{},"timestamp":"{}"}}]}}"#,
            deal.price,
            stamp(deal.time)
        )
    }

    fn alive(&self, _: &str, _: u64) -> Option<String> {
        Some(r#"{"channel":"heartbeat"}"#.to_owned())
    }

    fn closing(&self) -> Option<String> {
        None
    }

    fn unknown(&self) -> String {
        r#"{"channel":"moon","type":"update","data":[{"phase":0.5}]}"#.to_owned()
    }

    fn listing(&self, bases: &[String]) -> String {
        let pairs = bases.iter().map(|base| {
            let name = rest(base);
            let old = if base == "BTC" { "XBT" } else { base };
            let pair = json!({"altname": name, "wsname": format!("{old}/USD"), "pair_decimals": 2,
                "lot_decimals": 8, "tick_size": "0.01", "status": "online"});
            (format!("X{name}"), pair)
        });
        let result: serde_json::Map<String, Value> = pairs.collect();
        json!({"error": [], "result": result}).to_string()
    }

    fn answer(&self, call: &Call<'_>, venue: &Venue) -> Option<String> {
        if call.path == "/0/public/AssetPairs" {
            return Some(self.listing(&venue.truth.bases()));
        }
        let pair = call.value("pair")?;
        let base = base(pair);
        let (rows, last) = match call.path {
            "/0/public/Trades" => {
                let count = usize::try_from(call.number("count")?).ok()?;
                let deals = venue.truth.deals(&base);
                let page: Vec<_> = match call.number("since") {
                    Some(since) => {
                        let after = deals
                            .iter()
                            .filter(|deal| deal.time.micros() * 1_000 > since);
                        after.take(count).collect()
                    }
                    None => deals.iter().rev().take(count).rev().collect(),
                };
                let last = page.last().map_or(0, |deal| deal.time.micros() * 1_000);
                (page.into_iter().map(row).collect::<Vec<_>>(), last)
            }
            "/0/public/OHLC" => {
                let minutes = call.number("interval")?;
                let span = shared::Span::from_seconds(60 * minutes);
                let bars = venue.shown_bars(&base, span);
                let newest = bars.iter().rev().take(BARS).rev();
                (newest.map(bar).collect(), 0)
            }
            _ => return None,
        };
        let rows = rows.join(",");
        Some(format!(
            r#"{{"error":[],"result":{{"X{pair}":[{rows}],"last":"{last}"}}}}"#
        ))
    }
}

fn row(deal: &Deal) -> String {
    let micros = deal.time.micros();
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    let side = &side(deal.side)[..1];
    // The time is a number with seven decimals.
    format!(
        r#"["{}","{}",{seconds}.{rest:06}7,"{side}","l","",{}]"#,
        deal.price, deal.qty, deal.id
    )
}

fn bar(bar: &Bar) -> String {
    let seconds = bar.time.micros() / 1_000_000;
    let [open, high, low, close] = bar.prices;
    let (volume, trades) = (bar.volume, bar.trades);
    format!(r#"[{seconds},"{open}","{high}","{low}","{close}","0","{volume}",{trades}]"#)
}
