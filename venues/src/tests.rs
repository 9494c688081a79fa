//! Frames and answers as the venues document them, and what they mean.

mod oracle;

use proptest::prelude::*;
use shared::Span;

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn venue(name: &str) -> &'static dyn Venue {
    *VENUES.iter().find(|venue| venue.name() == name).unwrap()
}

fn trade(id: u64, micros: i64, price: &str, qty: &str, side: Side) -> VenueTrade {
    VenueTrade {
        ids: id..=id,
        time: Time::from_micros(micros),
        price: decimal(price),
        qty: decimal(qty),
        side,
    }
}

fn quote(micros: Option<i64>, values: [&str; 4]) -> VenueQuote {
    let [bid, bid_qty, ask, ask_qty] = values.map(|value| Some(decimal(value)));
    VenueQuote {
        time: micros.map(Time::from_micros),
        bid,
        bid_qty,
        ask,
        ask_qty,
    }
}

fn check(name: &str, frames: &[(&str, Vec<Said>)]) {
    for (frame, expect) in frames {
        assert_eq!(venue(name).parse(frame).as_ref(), Ok(expect), "{frame}");
    }
}

#[test]
fn kraken_frames() {
    let sold = |id, price, qty| {
        let trade = trade(id, 1_696_613_755_440_295, price, qty, Side::Sell);
        Said::Trade("BTC/USD".to_owned(), trade)
    };
    let frames = [
        (
            r#"{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"sell","price":105944.20,"qty":0.00027625,"ord_type":"limit","trade_id":10218208,"timestamp":"2023-10-06T17:35:55.440295Z"},{"symbol":"BTC/USD","side":"sell","price":1.5e-7,"qty":123456789012.123456,"ord_type":"market","trade_id":10218209,"timestamp":"2023-10-06T17:35:55.440295Z","new":1}]}"#,
            vec![
                sold(10_218_208, "105944.20", "0.00027625"),
                sold(10_218_209, "0.00000015", "123456789012.123456"),
            ],
        ),
        (
            r#"{"channel":"ticker","type":"snapshot","data":[{"symbol":"BTC/USD","bid":105944.20,"bid_qty":2.5,"ask":105944.30,"ask_qty":3.2,"last":105899.40,"volume":163.28908096,"vwap":105904.39279,"low":104711.00,"high":106613.10,"change":250.00,"change_pct":0.24}]}"#,
            vec![Said::Quote(
                "BTC/USD".to_owned(),
                quote(None, ["105944.20", "2.5", "105944.30", "3.2"]),
            )],
        ),
        (r#"{"channel":"heartbeat"}"#, vec![Said::Alive]),
        (
            r#"{"channel":"status","type":"update","data":[{"system":"online","api_version":"v2","connection_id":15564437896659189083}]}"#,
            vec![],
        ),
        (
            r#"{"method":"subscribe","result":{"channel":"trade","symbol":"BTC/USD","snapshot":false,"warnings":["x"]},"success":true,"time_in":"2023-10-06T17:35:55.440295Z","time_out":"2023-10-06T17:35:55.440295Z","req_id":1}"#,
            vec![Said::Subscribed],
        ),
        (
            r#"{"error":"Currency pair not supported XBT/USD","method":"subscribe","success":false,"symbol":"XBT/USD"}"#,
            vec![Said::Refused(
                Some("XBT/USD".to_owned()),
                "Currency pair not supported XBT/USD".to_owned(),
            )],
        ),
        (r#"{"method":"pong","req_id":101}"#, vec![]),
        (r#"{"channel":"something new","data":[{}]}"#, vec![]),
    ];
    check("kraken", &frames);
}

#[test]
fn coinbase_frames() {
    let at = Some(1_666_222_102_061_769);
    let frames = [
        // The maker sold, so the aggressor bought.
        (
            r#"{"type":"match","trade_id":10,"sequence":50,"maker_order_id":"ac928c66","taker_order_id":"132fb6ae","time":"2022-10-19T23:28:22.061769Z","product_id":"BTC-USD","size":"5.23512","price":"400.23","side":"sell"}"#,
            vec![Said::Trade(
                "BTC-USD".to_owned(),
                trade(10, 1_666_222_102_061_769, "400.23", "5.23512", Side::Buy),
            )],
        ),
        (
            r#"{"type":"last_match","trade_id":9,"sequence":49,"time":"2022-10-19T23:28:22.061769Z","product_id":"BTC-USD","size":"1","price":"400","side":"buy"}"#,
            vec![Said::Trade(
                "BTC-USD".to_owned(),
                trade(9, 1_666_222_102_061_769, "400", "1", Side::Sell),
            )],
        ),
        (
            r#"{"type":"ticker","sequence":37475248783,"product_id":"ETH-USD","price":"1285.22","open_24h":"1310.79","best_bid":"1285.04","best_bid_size":"0.46688654","best_ask":"1285.27","best_ask_size":"1.56637040","side":"buy","time":"2022-10-19T23:28:22.061769Z","trade_id":370843401,"last_size":"11.4396987"}"#,
            vec![Said::Quote(
                "ETH-USD".to_owned(),
                quote(at, ["1285.04", "0.46688654", "1285.27", "1.56637040"]),
            )],
        ),
        (
            r#"{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD","time":"2014-11-07T08:19:28.464459Z"}"#,
            vec![Said::Newest("BTC-USD".to_owned(), 20)],
        ),
        (
            r#"{"type":"subscriptions","channels":[{"name":"matches","product_ids":["BTC-USD"]}]}"#,
            vec![Said::Subscribed],
        ),
        (
            r#"{"type":"error","message":"Failed to subscribe","reason":"GIBBERISH-USD is not a valid product"}"#,
            vec![Said::Refused(
                Some("GIBBERISH-USD".to_owned()),
                "GIBBERISH-USD is not a valid product".to_owned(),
            )],
        ),
        (r#"{"type":"received","order_id":"d50ec984"}"#, vec![]),
    ];
    check("coinbase", &frames);
}

#[test]
fn binance_frames() {
    let frames = [
        // The buyer is the maker, so the aggressor sold; µs and ms.
        (
            r#"{"stream":"ethusdt@trade","data":{"e":"trade","E":1649324825173,"s":"ETHUSDT","t":1000000000,"p":"10000.19000000","q":"0.23900000","T":1649324825173001,"m":true,"M":true}}"#,
            vec![Said::Trade(
                "ETHUSDT".to_owned(),
                trade(
                    1_000_000_000,
                    1_649_324_825_173_001,
                    "10000.19",
                    "0.239",
                    Side::Sell,
                ),
            )],
        ),
        (
            r#"{"stream":"ethusdt@trade","data":{"e":"trade","E":1649324825173,"s":"ETHUSDT","t":7,"p":"1","q":"2","T":1649324825173,"m":false,"M":true}}"#,
            vec![Said::Trade(
                "ETHUSDT".to_owned(),
                trade(7, 1_649_324_825_173_000, "1", "2", Side::Buy),
            )],
        ),
        (
            r#"{"stream":"btcusdt@bookTicker","data":{"u":94528182161,"s":"BTCUSDT","b":"73650.51000000","B":"2.95126000","a":"73650.52000000","A":"1.38108000"}}"#,
            vec![Said::Quote(
                "BTCUSDT".to_owned(),
                quote(None, ["73650.51", "2.95126", "73650.52", "1.38108"]),
            )],
        ),
        (r#"{"result":null,"id":1}"#, vec![Said::Subscribed]),
        (
            r#"{"code":2,"msg":"Invalid request","id":1}"#,
            vec![Said::Refused(None, "Invalid request".to_owned())],
        ),
        (
            r#"{"error":{"code":2,"msg":"Invalid request"},"id":1}"#,
            vec![Said::Refused(None, "Invalid request".to_owned())],
        ),
        (
            r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}"#,
            vec![Said::Closing],
        ),
        (r#"{"stream":"btcusdt@kline_1m","data":{}}"#, vec![]),
    ];
    check("binance", &frames);
}

fn page(trades: Vec<VenueTrade>, mark: Option<u64>) -> TradePage {
    TradePage { trades, mark }
}

#[test]
fn trades_that_are_asked_for() {
    let kraken = r#"{"error":[],"result":{"XXBTZUSD":[["30243.40000","0.34507674",1688669597.8277369,"b","m","",61044952],["30243.3","0.1",1688669598.2,"s","l","",61044953]],"last":"1688671969993150842"}}"#;
    let expect = vec![
        trade(
            61_044_952,
            1_688_669_597_827_736,
            "30243.40000",
            "0.34507674",
            Side::Buy,
        ),
        trade(
            61_044_953,
            1_688_669_598_200_000,
            "30243.3",
            "0.1",
            Side::Sell,
        ),
    ];
    assert_eq!(venue("kraken").parse_trades(kraken), Ok(page(expect, None)));
    let limited = r#"{"error":["EGeneral:Too many requests"]}"#;
    let error = venue("kraken").parse_trades(limited).unwrap_err();
    assert!(venue("kraken").is_limit(&error.0));
    let coinbase = r#"[{"trade_id":74,"side":"sell","size":"0.01","price":"10.1","time":"2014-11-07T22:19:28.578544Z"},{"trade_id":73,"side":"buy","size":"0.02","price":"10","time":"2014-11-07T22:19:27Z"}]"#;
    let expect = vec![
        trade(73, 1_415_398_767_000_000, "10", "0.02", Side::Sell),
        trade(74, 1_415_398_768_578_544, "10.1", "0.01", Side::Buy),
    ];
    assert_eq!(
        venue("coinbase").parse_trades(coinbase),
        Ok(page(expect, Some(73)))
    );
    let binance = r#"[{"a":26129,"p":"0.01633102","q":"4.70443515","f":27781,"l":27783,"T":1498793709153,"m":true,"M":true}]"#;
    let mut expect = trade(
        0,
        1_498_793_709_153_000,
        "0.01633102",
        "4.70443515",
        Side::Sell,
    );
    expect.ids = 27_781..=27_783;
    let expect = page(vec![expect], Some(26_129));
    assert_eq!(venue("binance").parse_trades(binance), Ok(expect));
    for ids in ["\"f\":9,\"l\":8", "\"f\":0,\"l\":18446744073709551615"] {
        let bad = binance.replace("\"f\":27781,\"l\":27783", ids);
        assert!(venue("binance").parse_trades(&bad).is_err(), "{ids}");
    }
}

#[test]
fn candles_that_are_asked_for() {
    let candle = |time: i64, [open, high, low, close, volume]: [&str; 5], trades| Candle {
        time: Time::EPOCH + Span::from_seconds(time),
        open: decimal(open),
        high: decimal(high),
        low: decimal(low),
        close: decimal(close),
        volume: decimal(volume),
        trades,
    };
    let kraken = r#"{"error":[],"result":{"XXBTZUSD":[[1762777140,"5","5","5","5","0","0.00000000",0],[1762777200,"30306.1","30306.2","30305.7","30306.0","30306.1","3.39243896",23]],"last":1762777200}}"#;
    let expect = candle(
        1_762_777_200,
        ["30306.1", "30306.2", "30305.7", "30306.0", "3.39243896"],
        23,
    );
    assert_eq!(venue("kraken").parse_candles(kraken), Ok(vec![expect]));
    // Low before high before open, and newest first.
    let coinbase = "[[1415398768,0.32,4.2,0.35,4.1,12.3],[1415398708,1,2,1.5,1.7,3]]";
    let expect = vec![
        candle(1_415_398_708, ["1.5", "2", "1", "1.7", "3"], 1),
        candle(1_415_398_768, ["0.35", "4.2", "0.32", "4.1", "12.3"], 1),
    ];
    assert_eq!(venue("coinbase").parse_candles(coinbase), Ok(expect));
    let binance = r#"[[1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",1499644799999,"2434.19055334",308,"1756.87402397","28.46694368","0"]]"#;
    let prices = [
        "0.0163479",
        "0.8",
        "0.015758",
        "0.015771",
        "148976.11427815",
    ];
    let expect = candle(1_499_040_000, prices, 308);
    assert_eq!(venue("binance").parse_candles(binance), Ok(vec![expect]));
}

fn listed(name: &str, body: &str) -> Vec<(String, String, String, String)> {
    let all = venue(name).parse_listing(body).unwrap().into_iter();
    all.map(|market| {
        let steps = format!("{} {}", market.step, market.qty_step);
        (market.currencies.join("-"), market.ws, market.rest, steps)
    })
    .collect()
}

#[test]
fn markets_that_are_listed() {
    let market = |all: [&str; 4]| {
        let [symbol, ws, rest, steps] = all.map(str::to_owned);
        vec![(symbol, ws, rest, steps)]
    };
    let kraken = r#"{"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT","quote":"ZUSD","pair_decimals":1,"lot_decimals":8,"tick_size":"0.1","status":"online"},"X":{"altname":"X","wsname":"X/USD","pair_decimals":1,"lot_decimals":8,"status":"cancel_only"}}}"#;
    let expect = market(["BTC-USD", "BTC/USD", "XBTUSD", "0.1 0.00000001"]);
    assert_eq!(listed("kraken", kraken), expect);
    let coinbase = r#"[{"id":"BTC-USD","base_currency":"BTC","quote_currency":"USD","quote_increment":"0.01","base_increment":"0.00000001","status":"online","trading_disabled":false},{"id":"OLD-USD","base_currency":"OLD","quote_currency":"USD","quote_increment":"0.01","base_increment":"1","status":"delisted"}]"#;
    let expect = market(["BTC-USD", "BTC-USD", "BTC-USD", "0.01 0.00000001"]);
    assert_eq!(listed("coinbase", coinbase), expect);
    let binance = r#"{"timezone":"UTC","symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","baseAssetPrecision":8,"quoteAsset":"USDT","quotePrecision":8,"filters":[{"filterType":"PRICE_FILTER","minPrice":"0.01000000","tickSize":"0.01000000"},{"filterType":"LOT_SIZE","stepSize":"0.00001000"}]},{"symbol":"OLDUSDT","status":"BREAK","baseAsset":"OLD","baseAssetPrecision":8,"quoteAsset":"USDT","quotePrecision":8,"filters":[]}]}"#;
    let expect = market(["BTC-USDT", "BTCUSDT", "BTCUSDT", "0.01 0.00001"]);
    assert_eq!(listed("binance", binance), expect);
}

/// Texts that resemble frames.
fn frame() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        Just("channel"),
        Just("data"),
        Just("type"),
        Just("side"),
        Just("price"),
        Just("time"),
        Just("stream"),
        Just("result"),
        Just("error"),
        Just("trade_id"),
        Just("f"),
        Just("l"),
    ];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:e}")),
        "[a-z@/.0-9-]{0,12}".prop_map(|text| format!("\"{text}\"")),
        Just("\"trade\"".to_owned()),
        Just("\"match\"".to_owned()),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let row = prop::collection::vec(inner.clone(), 0..8);
        let field = (key.clone(), inner);
        let object = prop::collection::vec(field, 0..8);
        prop_oneof![
            row.prop_map(|row| format!("[{}]", row.join(","))),
            object.prop_map(|fields| {
                let fields = fields
                    .into_iter()
                    .map(|(key, value)| format!("\"{key}\":{value}"));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in prop_oneof![frame(), any::<String>()]) {
        for venue in VENUES {
            let _ = venue.parse(&text);
            let _ = venue.parse_trades(&text);
            let _ = venue.parse_candles(&text);
            let _ = venue.parse_listing(&text);
        }
    }
}
