//! Files, and what is expected of them.

mod archives;
mod formats;

use shared::Decimal;

use super::*;
use crate::date::DateOrder;
use crate::number::DecimalMark;
use crate::table::{Kind, Row};

/// A file with this text.
fn written(name: &str, text: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn opened(text: &str, options: &Options) -> Result<Vec<PriceFile>, FileError> {
    let (_folder, path) = written("TEST.csv", text.as_bytes());
    open(&path, options, &mut |_, _| {}).map(|opened| opened.files)
}

fn dates(order: DateOrder) -> Options {
    Options {
        dates: Some(order),
        ..Options::default()
    }
}

/// A row as a text: its time in seconds, its symbol, and what is in it.
fn shown(row: &Row) -> String {
    let seconds = row.time.micros() / 1_000_000;
    let symbol = row.symbol.as_deref().unwrap_or("-");
    let shown = |value: &Option<Decimal>| value.map_or("-".to_owned(), |it| it.to_string());
    match &row.kind {
        Kind::Bar {
            open,
            high,
            low,
            close,
            volume,
            trades,
        } => {
            let trades = trades.map_or("-".to_owned(), |count| count.to_string());
            let volume = shown(volume);
            format!("{seconds} {symbol} {open} {high} {low} {close} {volume} {trades}")
        }
        Kind::Trade { price, size } => {
            format!("{seconds} {symbol} trade {price} {}", shown(size))
        }
        Kind::Quote { bid, ask } => {
            format!("{seconds} {symbol} quote {} {}", shown(bid), shown(ask))
        }
    }
}

/// The files that a path leads to.
fn opened_at(path: &Path) -> Vec<PriceFile> {
    let opened = open(path, &Options::default(), &mut |_, _| {});
    opened.unwrap_or_else(|error| panic!("{error}")).files
}

/// The rows of all files.
fn shown_rows(files: &[PriceFile]) -> Vec<String> {
    let all = files.iter().flat_map(|file| file.rows().unwrap());
    all.map(|row| shown(&row.unwrap())).collect()
}

fn rows(text: &str, options: &Options) -> Vec<String> {
    // The file is open as long as the rows are read.
    let (_folder, path) = written("TEST.csv", text.as_bytes());
    let opened = open(&path, options, &mut |_, _| {});
    shown_rows(
        &opened
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .files,
    )
}

#[test]
fn symbols_side_by_side_and_one_below_the_other() {
    let text = "Price,Close,Close,High,High,Low,Low,Open,Open\nTicker,A,B,A,B,A,B,A,B\nDate,,,,,,,,\n\
                2025-01-02,1,5,2,6,1,5,1,5\n2025-01-03,1,,2,,1,,1,\n";
    let expect = [
        "1735776000 A 1 2 1 1 - -",
        "1735776000 B 5 6 5 5 - -",
        "1735862400 A 1 2 1 1 - -",
    ];
    assert_eq!(rows(text, &Options::default()), expect);
    let text = "symbol,date,open,high,low,close\nA,2025-01-02,1,1,1,1\nA,2025-01-03,2,2,2,2\n\
                B,2025-01-02,3,3,3,3\nB,2025-01-03,4,4,4,4\n";
    let expect = [
        "1735776000 A 1 1 1 1 - -",
        "1735776000 B 3 3 3 3 - -",
        "1735862400 A 2 2 2 2 - -",
        "1735862400 B 4 4 4 4 - -",
    ];
    assert_eq!(rows(text, &Options::default()), expect);
}

#[test]
fn newest_first_is_turned_round_and_rows_without_prices_are_left_out() {
    let text = "date,open,high,low,close,volume\n2025-01-03,2,2,2,2,5\n\
                2025-01-02,null,null,null,null,null\n\n2025-01-01,1,1,1,1,\n";
    let (_folder, path) = written("BTC-USD-1d.csv", text.as_bytes());
    let files = opened_at(&path);
    assert_eq!(
        shown_rows(&files),
        [
            "1735689600 BTC-USD 1 1 1 1 - -",
            "1735862400 BTC-USD 2 2 2 2 5 -"
        ]
    );
    let [file] = &files[..] else {
        panic!("one file")
    };
    assert_eq!(file.survey.tally.left_out, 1);
    assert_eq!(
        file.survey.tally.told,
        [Told {
            line: 3,
            what: "left out: it has no prices".to_owned()
        }]
    );
    assert_eq!(
        file.taken_for(),
        "a table, 2 days, BTC-USD, yyyy-mm-dd, UTC, newest first"
    );
}

#[test]
fn one_line_says_what_a_file_is_taken_for() {
    let text = "Gmt time,Open,High,Low,Close,Volume\n\
                13.01.2025 00:00:00.000,1,1,1,1,5\n13.01.2025 01:00:00.000,1,1,1,1,5\n\
                13.01.2025 02:00:00.000,1,1,1,1,5\n";
    let (_folder, path) = written("EURUSD_Candlestick_1_Hour_BID.csv", text.as_bytes());
    let files = opened_at(&path);
    assert_eq!(
        files[0].taken_for(),
        "dukascopy, hourly, EURUSD, dd.mm.yyyy, UTC"
    );
    assert_eq!(files[0].bars(), Some(Interval::H1));
}

#[test]
fn roundings_are_mended_and_contradictions_left_out() {
    let text = "date,open,high,low,close\n2025-01-01,1.0,1.5,0.9,1.51\n2025-01-02,1.00,1.50,1.01,1.2\n\
                2025-01-03,1,2,1,5\n2025-01-04,1,1,2,1\n2025-01-05,1,2,1,2\n";
    let (_folder, path) = written("T.csv", text.as_bytes());
    let files = opened_at(&path);
    let told: Vec<_> = files[0]
        .survey
        .tally
        .told
        .iter()
        .map(|told| format!("{}: {}", told.line, told.what))
        .collect();
    assert_eq!(
        told,
        [
            "2: mended: its high 1.5 was moved to 1.51",
            "3: mended: its low 1.01 was moved to 1.00",
            "4: left out: its open or its close is not between its low and its high",
            "5: left out: its high is below its low",
        ]
    );
    assert_eq!(
        shown_rows(&files)[..2],
        [
            "1735689600 T 1.0 1.51 0.9 1.51 - -",
            "1735776000 T 1.00 1.50 1.00 1.2 - -"
        ]
    );
}

#[test]
fn what_can_be_read_in_two_ways_is_settled_by_the_user_or_refused() {
    let text = "date,open,high,low,close\n01/02/2025,1,2,1,2\n03/02/2025,1,2,1,2";
    let by = |order| rows(text, &dates(order));
    assert_eq!(by(DateOrder::DayFirst)[0], "1738368000 TEST 1 2 1 2 - -");
    assert_eq!(by(DateOrder::MonthFirst)[0], "1735776000 TEST 1 2 1 2 - -");
    let error = opened(text, &Options::default()).unwrap_err().to_string();
    assert!(error.contains("--dates dmy or --dates mdy"), "{error}");
    // A later row settles it, and a header in a language does.
    let longer = format!("{text}\n13/02/2025,1,2,1,2");
    assert_eq!(
        rows(&longer, &Options::default())[0],
        "1738368000 TEST 1 2 1 2 - -"
    );
    let text = "Fecha;Apertura;Máximo;Mínimo;Último\n01/02/2025;1.234;1.234;1.234;1.234";
    assert_eq!(
        rows(text, &Options::default()),
        ["1738368000 TEST 1234 1234 1234 1234 - -"]
    );
}

#[test]
fn times_are_in_the_zone_that_the_user_names_and_days_stay_days() {
    let new_york = Options {
        zone: Some(jiff::tz::TimeZone::get("America/New_York").unwrap()),
        ..Options::default()
    };
    let text = "date,open,high,low,close\n2025-07-01 09:30,1,1,1,1\n2025-12-01 09:30,1,1,1,1\n\
                2025-12-02T09:30:00Z,1,1,1,1\n";
    let times: Vec<_> = rows(text, &new_york)
        .iter()
        .map(|row| row[..10].to_owned())
        .collect();
    // 13:30, 14:30 and 9:30 UTC.
    assert_eq!(times, ["1751376600", "1764599400", "1764667800"]);
    let text = "date,open,high,low,close\n2025-07-01,1,1,1,1";
    assert_eq!(rows(text, &new_york), ["1751328000 TEST 1 1 1 1 - -"]);
}

#[test]
fn two_rows_of_one_bar_are_refused_by_line() {
    let text = "date,open,high,low,close\n2025-01-01 00:00,1,1,1,1\n2025-01-01 01:00,1,1,1,1\n\
                2025-01-01 02:00,1,1,1,1\n2025-01-01 02:30,1,1,1,1\n";
    let error = opened(text, &Options::default()).unwrap_err().to_string();
    assert!(
        error.starts_with("TEST.csv:5: there is a row of this bar"),
        "{error}"
    );
}

#[test]
fn what_cannot_be_read_exactly_is_refused_by_line() {
    for (text, part) in [
        (
            "date,open,high,low,close\n2025-01-02,1,2,1,x",
            "TEST.csv:2: 'x' is no number",
        ),
        (
            "date,open,high,low,close\n2025-01-02,1,2,1,1\n2025-02-30,1,2,1,1",
            "TEST.csv:3: '2025-02-30' is no date",
        ),
        (
            "date,open,high,low,close\nyesterday,1,2,1,2",
            "'yesterday' is no date",
        ),
        ("date,open,high,low,close\n", "no date"),
        (
            "hello",
            "TEST.csv: its first line is 'hello', which is nothing like prices",
        ),
    ] {
        let error = opened(text, &Options::default()).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn the_files_that_people_have() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples");
    let path = folder.join("sp500-daily.csv");
    let files = opened_at(&path);
    assert_eq!(
        files[0].taken_for(),
        "a table, daily, SP500-DAILY, yyyy-mm-dd, UTC"
    );
    assert_eq!(files[0].survey.rows, 500);
}

#[test]
fn rows_of_one_time_keep_their_order() {
    // Newest first, the later of one time is above.
    let newest_first = "time,price,size\n1700000002,3,1\n1700000001,2,1\n1700000001,1,1\n";
    let mixed = "time,price,size\n1700000002,3,1\n1700000001,1,1\n1700000001,2,1\n1700000003,4,1\n";
    for (text, count) in [(newest_first, 3), (mixed, 4)] {
        let rows = rows(text, &Options::default());
        let prices: Vec<_> = (1..=count).map(|n| n.to_string()).collect();
        let found: Vec<_> = rows
            .iter()
            .map(|row| row.split(' ').nth(3).unwrap())
            .collect();
        assert_eq!(found, prices, "{text}");
    }
}

#[test]
fn sums_that_cannot_be_exact_are_told() {
    let header = "date,open,high,low,close,volume\n";
    for (volumes, told) in [
        (["9999999999999999999999999998", "1"], None),
        (["9999999999999999999999999998", "0.5"], Some(3)),
        (["79228162514264337593543950335", "1"], None),
        (["0.000000000000000000000000001", "9"], None),
    ] {
        let rows = format!(
            "2025-01-02,1,1,1,1,{}\n2025-01-03,1,1,1,1,{}\n",
            volumes[0], volumes[1]
        );
        let (_folder, path) = written("T.csv", (header.to_owned() + &rows).as_bytes());
        // A number of 29 digits is refused before.
        let Ok(opened) = open(&path, &Options::default(), &mut |_, _| {}) else {
            assert_eq!(volumes[0].len(), 29);
            continue;
        };
        let tally = &opened.files[0].survey.tally;
        let line = tally.told.first().map(|told| told.line);
        assert_eq!(
            (line, tally.rounded > 0),
            (told, told.is_some()),
            "{volumes:?}"
        );
    }
}

#[test]
fn days_keep_their_dates_whatever_stands_beside_them() {
    let zone = Options {
        zone: Some(jiff::tz::TimeZone::get("Europe/Athens").unwrap()),
        ..Options::default()
    };
    // 2025-01-02 and 03, as MetaTrader 4 and as pandas write them.
    let of_two = ["1735776000 TEST 1 2 1 2 -", "1735862400 TEST 2 3 2 3 -"];
    for (text, options) in [
        (
            "2025.01.02,00:00,1,2,1,2,\n2025.01.03,00:00,2,3,2,3,\n",
            &zone,
        ),
        (
            "Date,Open,High,Low,Close\n2025-01-02 00:00:00+09:00,1,2,1,2\n2025-01-03 00:00:00+09:00,2,3,2,3\n",
            &Options::default(),
        ),
    ] {
        let found = rows(text, options);
        let same = found
            .iter()
            .zip(of_two)
            .all(|(row, expect)| row.starts_with(expect));
        assert!(same && found.len() == 2, "{text}: {found:?}");
    }
    // Hours are moved.
    let hours = "2025.01.02,00:00,1,2,1,2,\n2025.01.02,01:00,2,3,2,3,\n";
    assert!(rows(hours, &zone)[0].starts_with("1735768800 "));
}

#[test]
fn numbers_that_can_be_read_in_two_ways_are_refused() {
    let text = "date;open;high;low;close\n2025-01-02;157,234;157,300;157,100;157,234\n";
    let error = opened(text, &Options::default()).unwrap_err().to_string();
    assert!(
        error.contains("'157,234' can be read in two ways; say --decimals"),
        "{error}"
    );
    for (mark, expect) in [
        (DecimalMark::Comma, "157.234"),
        (DecimalMark::Point, "157234"),
    ] {
        let options = Options {
            mark: Some(mark),
            ..Options::default()
        };
        let row = &rows(text, &options)[0];
        assert!(row.contains(&format!(" {expect} ")), "{row}");
    }
    // Another row settles it.
    let more = text.to_owned() + "2025-01-03;157,2;157,300;157,100;157,234\n";
    assert!(rows(&more, &Options::default())[0].contains(" 157.234 "));
    // In units of 1e-9.
    let units = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n\
        2025-04-30T00:00:00.000000000Z,32,1,4,40653000000000,40653000000000,40647000000000,40647000000000,6,MYMM5\n";
    assert!(rows(units, &Options::default())[0].contains(" MYMM5 40653.000000000 "));
}

#[test]
fn a_row_that_is_mended_twice_is_told_whole() {
    let text = "date,open,high,low,close\n2025-01-02,10.1,10.0,10.0,9.9\n";
    let (_folder, path) = written("T.csv", text.as_bytes());
    let files = opened_at(&path);
    let told = &files[0].survey.tally.told[0].what;
    assert_eq!(
        told,
        "mended: its high 10.0 was moved to 10.1, and its low 10.0 was moved to 9.9"
    );
}

#[test]
fn the_line_of_a_second_row_is_told_in_any_order() {
    let text = "date,open,high,low,close\n2025-01-03,1,2,1,2\n2025-01-02,1,2,1,2\n\
                2025-01-05,1,2,1,2\n2025-01-03,1,2,1,2\n";
    let error = opened(text, &Options::default()).unwrap_err().to_string();
    assert!(
        error.starts_with("TEST.csv:5: there is a row of this bar"),
        "{error}"
    );
}
