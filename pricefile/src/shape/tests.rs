use super::*;
use proptest::prelude::*;

fn check(text: &str, source: &str, skip: usize, has_bars: bool) {
    let lines: Vec<_> = text.lines().collect();
    let shape = Shape::of(&lines).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!((shape.source, shape.skip), (source, skip), "{text}");
    assert_eq!(shape.has_bars(), has_bars, "{text}");
}

#[test]
fn tables_without_a_header() {
    for (line, source, has_bars) in [
        (
            "1735689600000000,93576.00,93610.93,93537.50,93610.93,8.21827,1735689659999999,768978.01,2631,3.95157,369757.32,0",
            "binance, bars",
            true,
        ),
        (
            "4358311420,93576.00000000,0.00010000,9.35760000,1735689600010866,True,True",
            "binance, trades",
            false,
        ),
        (
            "3358170621,93576.00000000,0.00010000,4358311420,4358311420,1735689600010866,True,True",
            "binance, aggregated trades",
            false,
        ),
        (
            "1735689600,93548.9,93600.0,93548.8,93600.0,1.20413377,37",
            "kraken, bars",
            true,
        ),
        (
            "1735689601.2817,93549.0,0.05000000",
            "kraken, trades",
            false,
        ),
        (
            "2025.01.02,00:00,1.03520,1.03554,1.03511,1.03549,412",
            "metatrader 4",
            true,
        ),
        (
            "20250102 000000;1.035200;1.035540;1.035110;1.035490;0",
            "histdata, bars of the bid",
            true,
        ),
        (
            "20250102 000003660,1.035200,1.035310,0",
            "histdata, quotes",
            false,
        ),
        (
            "2025-01-02 04:00:00,248.5,248.9,248.2,248.8,12034",
            "bars without a header",
            true,
        ),
    ] {
        check(line, source, 0, has_bars);
    }
}

#[test]
fn tables_with_a_header() {
    let header = "a table";
    check(
        "Date,Open,High,Low,Close,Adj Close,Volume\n2025-01-02,1,2,1,2,2,5",
        "yahoo",
        1,
        true,
    );
    check(
        "\"Date\",\"Price\",\"Open\",\"High\",\"Low\",\"Vol.\",\"Change %\"",
        "investing.com",
        1,
        true,
    );
    check(
        "https://www.CryptoDataDownload.com\nUnix,Date,Symbol,Open,High,Low,Close,Volume BTC",
        "cryptodatadownload",
        2,
        true,
    );
    check(
        "Gmt time,Ask,Bid,AskVolume,BidVolume",
        "dukascopy",
        1,
        false,
    );
    check("time,open,high,low,close,volume", header, 1, true);
    check(
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
        "metatrader 5",
        1,
        true,
    );
    check(
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
        "stooq",
        1,
        true,
    );
    check(
        "Price,Close,High,Low,Open,Volume\nTicker,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,\n2025-01-02,1,2,1,1,5",
        "yfinance",
        3,
        true,
    );
}

#[test]
fn what_is_nothing_like_prices_is_refused() {
    for text in [
        "",
        "hello",
        "name,age\nx,5",
        "{\"a\":1}",
        "<html>",
        "1,2,3",
        "\n\n",
    ] {
        let lines: Vec<_> = text.lines().collect();
        assert!(Shape::of(&lines).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(text in "[a-z0-9,;:. \\n\"<>-]{0,200}|.{0,100}") {
        let lines: Vec<_> = text.lines().collect();
        let _ = Shape::of(&lines);
    }
}
