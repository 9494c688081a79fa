//! Payloads that others recorded, and read as they say: `cargo xtask oracle` fetches
//! them and names their folder. They are not ours, so they are not here.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;

/// The folder of payloads that this variable names.
fn folder(variable: &str) -> PathBuf {
    let set = std::env::var_os(variable);
    set.unwrap_or_else(|| panic!("{variable} is not set; run cargo xtask oracle"))
        .into()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn value(path: &Path) -> Value {
    serde_json::from_str(&text(path)).unwrap()
}

/// A number of JSON as it is written, which a double would not keep.
fn written(json: &str, key: &str) -> Vec<String> {
    let key = format!("\"{key}\":");
    let after = json.split(&key).skip(1);
    let numbers = after.map(|rest| {
        let end = rest.find([',', '}', '\n']).unwrap_or(rest.len());
        rest[..end].trim().trim_matches('"').to_owned()
    });
    numbers.collect()
}

#[test]
fn kraken_frames_as_nautilus_recorded_them() {
    let folder = folder("ORACLE_KRAKEN");
    let kraken = venue("kraken");
    let json = text(&folder.join("ws_trade_update.json"));
    let said = kraken.parse(&json).unwrap();
    let (prices, sizes) = (written(&json, "price"), written(&json, "qty"));
    assert!(!said.is_empty() && said.len() == prices.len());
    for (said, (price, qty)) in said.iter().zip(prices.iter().zip(&sizes)) {
        let Said::Trade(symbol, trade) = said else {
            panic!("{said:?}");
        };
        assert_eq!(symbol, "BTC/USD");
        assert_eq!(
            (trade.price.to_string(), trade.qty.to_string()),
            (price.clone(), qty.clone())
        );
    }
    let sides: Vec<_> = written(&json, "side");
    let found = said.iter().map(|said| match said {
        Said::Trade(_, trade) if trade.side == Side::Buy => "buy",
        _ => "sell",
    });
    assert!(
        found.eq(sides.iter().map(String::as_str)),
        "the taker's side"
    );
    let json = text(&folder.join("ws_ticker_snapshot.json"));
    let [Said::Quote(_, quote)] = &kraken.parse(&json).unwrap()[..] else {
        panic!("no quote in {json}");
    };
    let found = [quote.bid, quote.bid_qty, quote.ask, quote.ask_qty];
    let expect = ["bid", "bid_qty", "ask", "ask_qty"].map(|key| written(&json, key).remove(0));
    assert_eq!(found.map(|value| value.unwrap().to_string()), expect);
    let answered = kraken.parse(&text(&folder.join("ws_subscribe_response.json")));
    assert_eq!(answered, Ok(vec![Said::Subscribed]));
    assert_eq!(
        kraken.parse(&text(&folder.join("ws_pong.json"))),
        Ok(Vec::new())
    );
    // Whatever else is sent is no fault.
    for name in [
        "ws_ohlc_update.json",
        "ws_book_update.json",
        "ws_book_snapshot.json",
    ] {
        assert_eq!(
            kraken.parse(&text(&folder.join(name))),
            Ok(Vec::new()),
            "{name}"
        );
    }
}

#[test]
fn kraken_calls_as_nautilus_recorded_them() {
    let folder = folder("ORACLE_KRAKEN");
    let kraken = venue("kraken");
    let path = folder.join("http_trades.json");
    let trades = kraken.parse_trades(&text(&path)).unwrap().trades;
    let rows = value(&path)["result"]["XBTUSDT"]
        .as_array()
        .unwrap()
        .clone();
    assert!(!rows.is_empty() && trades.len() == rows.len());
    for (trade, row) in trades.iter().zip(&rows) {
        assert_eq!(Some(trade.price.to_string().as_str()), row[0].as_str());
        assert_eq!(Some(trade.qty.to_string().as_str()), row[1].as_str());
        assert_eq!(Some(*trade.ids.start()), row[6].as_u64());
        assert_eq!(trade.side == Side::Buy, row[3] == "b");
        let seconds = row[2].as_f64().unwrap();
        assert!(
            (trade.time.micros() as f64 / 1e6 - seconds).abs() < 2e-6,
            "{row}"
        );
    }
    let path = folder.join("http_ohlc.json");
    let bars = kraken.parse_candles(&text(&path)).unwrap();
    let rows = value(&path)["result"]["XBTUSDT"]
        .as_array()
        .unwrap()
        .clone();
    let rows: Vec<_> = rows.iter().filter(|row| row[7] != 0).collect();
    assert!(!rows.is_empty() && bars.len() == rows.len());
    for (bar, row) in bars.iter().zip(rows) {
        let found = [bar.open, bar.high, bar.low, bar.close, bar.volume].map(|v| v.to_string());
        let expect = [1, 2, 3, 4, 6].map(|at| row[at].as_str().unwrap().to_owned());
        assert_eq!(found, expect);
    }
    let path = folder.join("http_asset_pairs.json");
    let listed = kraken.parse_listing(&text(&path)).unwrap();
    assert_eq!(
        listed.len(),
        value(&path)["result"].as_object().unwrap().len()
    );
    assert!(
        listed
            .iter()
            .all(|market| !market.currencies.contains(&"XBT".to_owned()))
    );
}

#[test]
fn binance_as_nautilus_recorded_it() {
    let folder = folder("ORACLE_BINANCE").join("spot/http_json");
    let binance = venue("binance");
    let path = folder.join("klines_response.json");
    let bars = binance.parse_candles(&text(&path)).unwrap();
    let rows = value(&path).as_array().unwrap().clone();
    assert!(!rows.is_empty() && bars.len() == rows.len());
    for (bar, row) in bars.iter().zip(&rows) {
        let found = [bar.open, bar.high, bar.low, bar.close, bar.volume];
        let expect = [1, 2, 3, 4, 5].map(|at| decimal(row[at].as_str().unwrap()));
        assert_eq!(found, expect);
        assert_eq!(Some(bar.time.micros() / 1_000), row[0].as_i64());
        assert_eq!(Some(bar.trades), row[8].as_u64());
    }
    let path = folder.join("exchange_info_response.json");
    let listed = binance.parse_listing(&text(&path)).unwrap();
    let symbols = value(&path)["symbols"].as_array().unwrap().clone();
    let open = symbols
        .iter()
        .filter(|symbol| symbol["status"] == "TRADING");
    let names: Vec<_> = open
        .map(|symbol| symbol["symbol"].as_str().unwrap())
        .collect();
    let found: Vec<_> = listed.iter().map(|market| market.rest.as_str()).collect();
    assert_eq!(found, names);
}

/// The values of JSON in the comments of a program in Python.
fn commented(source: &str) -> Vec<Value> {
    let comments = source.lines().map(|line| {
        let comment = line.trim_start().strip_prefix('#').unwrap_or_default();
        // They have comments of their own.
        comment.split(" //").next().unwrap_or_default()
    });
    let lines: Vec<_> = comments.collect();
    let begins = |line: &str| line.trim_start().starts_with('{');
    let mut found = Vec::new();
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| begins(line)) {
        let end = (lines.len()).min(at + 100);
        let text = lines[at..end].join("\n");
        let values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
        found.extend(values.take(1).map_while(Result::ok));
    }
    found
}

fn exact(value: &Value, key: &str) -> Decimal {
    decimal(value[key].as_str().unwrap())
}

#[test]
fn coinbase_as_ccxt_documents_it() {
    let folder = folder("ORACLE_CCXT");
    let objects = |name: &str| commented(&text(&folder.join(name)));
    let coinbase = venue("coinbase");
    let mut counts = [0, 0];
    for object in objects("pro/coinbaseexchange.py") {
        let said = coinbase.parse(&object.to_string());
        match object["type"].as_str() {
            Some("match") => {
                let [Said::Trade(symbol, trade)] = &said.unwrap()[..] else {
                    panic!("{object}");
                };
                counts[0] += 1;
                assert_eq!(Some(symbol.as_str()), object["product_id"].as_str());
                assert_eq!(trade.price, exact(&object, "price"));
                assert_eq!(trade.qty, exact(&object, "size"));
                // The maker's side.
                assert_eq!(trade.side == Side::Buy, object["side"] == "sell");
            }
            Some("ticker") => {
                let [Said::Quote(_, quote)] = &said.unwrap()[..] else {
                    panic!("{object}");
                };
                counts[1] += 1;
                assert_eq!(quote.bid, Some(exact(&object, "best_bid")));
                assert_eq!(quote.ask, Some(exact(&object, "best_ask")));
            }
            _ => {}
        }
    }
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

#[test]
fn binance_as_ccxt_documents_it() {
    let folder = folder("ORACLE_CCXT");
    let objects = |name: &str| commented(&text(&folder.join(name)));
    let binance = venue("binance");
    let mut counts = [0, 0];
    for object in objects("pro/binance.py")
        .into_iter()
        .chain(objects("binance.py"))
    {
        let is_merged = object["f"].is_u64() && object["l"].is_u64();
        if object["e"] == "trade" && object.get("t").is_some() {
            let frame = format!("{{\"stream\":\"x@trade\",\"data\":{object}}}");
            let [Said::Trade(_, trade)] = &binance.parse(&frame).unwrap()[..] else {
                panic!("{object}");
            };
            counts[0] += 1;
            assert_eq!(
                (trade.price, trade.qty),
                (exact(&object, "p"), exact(&object, "q"))
            );
            assert_eq!(trade.side == Side::Sell, object["m"] == true);
        } else if is_merged && object.get("p").is_some() && object.get("e").is_none() {
            let trade = binance
                .parse_trades(&format!("[{object}]"))
                .unwrap()
                .trades
                .remove(0);
            counts[1] += 1;
            assert_eq!(
                (trade.price, trade.qty),
                (exact(&object, "p"), exact(&object, "q"))
            );
            assert_eq!(Some(*trade.ids.end()), object["l"].as_u64());
        }
    }
    assert!(counts[0] > 0, "{counts:?}");
}
