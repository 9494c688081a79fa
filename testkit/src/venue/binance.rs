//! Binance's texts, with times in µs.

use serde_json::{Value, json};
use shared::{Decimal, Side, Span};

use super::{Asked, Bar, Call, Deal, Venue, Wire};

pub(super) struct Binance;

fn base(symbol: &str) -> String {
    symbol.to_uppercase().trim_end_matches("USDT").to_owned()
}

/// With zeros up to eight decimals, as the venue writes numbers.
fn eight(number: Decimal) -> String {
    number.rescaled(8).to_string()
}

impl Wire for Binance {
    fn asked(&self, message: &str) -> Asked {
        let message: Value = serde_json::from_str(message).unwrap_or_default();
        let streams = message["params"].as_array().cloned().unwrap_or_default();
        let mut bases = Vec::new();
        for stream in streams.iter().filter_map(Value::as_str) {
            let base = base(stream.split('@').next().unwrap_or_default());
            if !bases.contains(&base) {
                bases.push(base);
            }
        }
        Asked {
            bases,
            trades: true,
            quotes: true,
            number: message["id"].as_u64().unwrap_or_default(),
        }
    }

    fn acknowledged(&self, asked: &Asked) -> Vec<String> {
        vec![json!({"result": null, "id": asked.number}).to_string()]
    }

    fn refused(&self, _: &str) -> String {
        json!({"code": 2, "msg": "Invalid request", "id": 1}).to_string()
    }

    fn trade(&self, base: &str, deal: &Deal) -> String {
        let stream = format!("{}usdt@trade", base.to_lowercase());
        let data = json!({"e": "trade", "E": deal.time.micros(), "s": format!("{base}USDT"),
            "t": deal.id, "p": eight(deal.price), "q": eight(deal.qty), "T": deal.time.micros(),
            "m": deal.side == Side::Sell, "M": true});
        json!({"stream": stream, "data": data}).to_string()
    }

    fn quote(&self, base: &str, deal: &Deal) -> String {
        let stream = format!("{}usdt@bookTicker", base.to_lowercase());
        let [bid, ask] = deal.quotes();
        let data = json!({"u": 9, "s": format!("{base}USDT"), "b": eight(bid), "B": "1.5",
            "a": eight(ask), "A": "2.5"});
        json!({"stream": stream, "data": data}).to_string()
    }

    fn alive(&self, _: &str, _: u64) -> Option<String> {
        None
    }

    fn closing(&self) -> Option<String> {
        let data = json!({"e": "serverShutdown", "E": 1_770_123_456_789_i64});
        Some(json!({"stream": "!serverShutdown", "data": data}).to_string())
    }

    fn unknown(&self) -> String {
        json!({"stream": "moon@phase", "data": {"phase": 0.5}}).to_string()
    }

    fn listing(&self, bases: &[String]) -> String {
        let symbols = bases.iter().map(|base| {
            json!({"symbol": format!("{base}USDT"), "status": "TRADING", "baseAsset": base,
                "baseAssetPrecision": 8, "quotePrecision": 8, "quoteAsset": "USDT", "filters": [
                    {"filterType": "PRICE_FILTER", "minPrice": "0.01", "tickSize": "0.01000000"},
                    {"filterType": "LOT_SIZE", "stepSize": "0.00000001"}]})
        });
        let symbols: Vec<_> = symbols.collect();
        json!({"timezone": "UTC", "symbols": symbols}).to_string()
    }

    fn answer(&self, call: &Call<'_>, venue: &Venue) -> Option<String> {
        if call.path == "/api/v3/exchangeInfo" {
            return Some(self.listing(&venue.truth.bases()));
        }
        let base = base(call.value("symbol")?);
        let limit = usize::try_from(call.number("limit")?).ok()?;
        let rows: Vec<String> = match call.path {
            "/api/v3/aggTrades" => {
                let merged = merged(venue.truth.deals(&base));
                let numbered = (1_u64..).zip(&merged);
                let page: Vec<_> = match call.number("fromId") {
                    Some(from) => {
                        let from = from.unsigned_abs();
                        numbered
                            .filter(|(number, _)| *number >= from)
                            .take(limit)
                            .collect()
                    }
                    None => numbered.skip(merged.len().saturating_sub(limit)).collect(),
                };
                page.into_iter()
                    .map(|(number, deals)| row(number, deals))
                    .collect()
            }
            "/api/v3/klines" => {
                let span: shared::Interval = call.value("interval")?.parse().ok()?;
                let bars = venue.shown_bars(&base, span.span());
                let end = call.number("endTime").unwrap_or(i64::MAX);
                let newest = bars
                    .iter()
                    .rev()
                    .filter(|bar| bar.time.micros() / 1_000 <= end);
                let newest: Vec<_> = newest.take(limit).collect();
                newest
                    .into_iter()
                    .rev()
                    .map(|found| bar(found, span.span()))
                    .collect()
            }
            _ => return None,
        };
        Some(format!("[{}]", rows.join(",")))
    }
}

/// Those of one taker at one price and time are one.
fn merged(deals: &[Deal]) -> Vec<Vec<Deal>> {
    let mut merged: Vec<Vec<Deal>> = Vec::new();
    for deal in deals {
        let is_same =
            |last: &Deal| (last.time, last.price, last.side) == (deal.time, deal.price, deal.side);
        match merged.last_mut() {
            Some(last) if is_same(&last[0]) => last.push(deal.clone()),
            _ => merged.push(vec![deal.clone()]),
        }
    }
    merged
}

fn row(number: u64, deals: &[Deal]) -> String {
    let (first, last) = (&deals[0], &deals[deals.len() - 1]);
    let qty = deals.iter().map(|deal| deal.qty).sum();
    json!({"a": number, "p": eight(first.price), "q": eight(qty), "f": first.id,
        "l": last.id, "T": first.time.micros(), "m": first.side == Side::Sell, "M": true})
    .to_string()
}

fn bar(bar: &Bar, span: Span) -> String {
    let [open, high, low, close] = bar.prices.map(eight);
    let end = (bar.time + span).micros() - 1;
    json!([
        bar.time.micros(),
        open,
        high,
        low,
        close,
        eight(bar.volume),
        end,
        "0",
        bar.trades,
        "0",
        "0",
        "0"
    ])
    .to_string()
}
