//! Daily bars from a file with a header such as
//! `date,open,high,low,close,adjclose,volume`. The columns are found by name,
//! in any order and any case; others are ignored.

use std::path::{Path, PathBuf};

use shared::{Decimal, Span, Time};

/// Together with the bound on decimals below, this keeps every step of a walk
/// within the 96 bits of a [`Decimal`].
const LARGEST: Decimal = Decimal::whole(1_000_000_000_000_000);
const MAX_DECIMALS: u32 = 12;

/// One day of trading.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Midnight UTC of its day.
    pub time: Time,
    /// The first price.
    pub open: Decimal,
    /// The highest price, at or above all others.
    pub high: Decimal,
    /// The lowest price, at or below all others.
    pub low: Decimal,
    /// The last price.
    pub close: Decimal,
    /// The quantity traded.
    pub volume: Decimal,
}

/// Why a file cannot be replayed, in one line: the file, the line, and what is
/// allowed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file does not exist or cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A line is not valid.
    #[error("{path}:{line}: {fault}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1, the header included.
        line: u64,
        /// What is wrong and what is allowed.
        fault: String,
    },
    /// No symbol can be made from its name.
    #[error("{}: its name makes no symbol; name one with --symbols, as in --symbols SPX", .0.display())]
    NoSymbol(PathBuf),
}

/// All bars of a file.
#[derive(Debug)]
pub(super) struct Bars {
    /// Oldest first; at least one.
    pub(super) bars: Vec<Bar>,
    /// How many decimals the prices need.
    pub(super) decimals: u32,
    /// How many decimals the volumes have.
    pub(super) qty_decimals: u32,
}

pub(super) fn read(path: &Path) -> Result<Bars, ReplayError> {
    let bytes = std::fs::read(path).map_err(|source| ReplayError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    parse(&bytes).map_err(|(line, fault)| ReplayError::Line {
        path: path.to_owned(),
        line,
        fault,
    })
}

/// Parses a file's bytes; the error is a line number and a message.
fn parse(bytes: &[u8]) -> Result<Bars, (u64, String)> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let header = reader.headers().map_err(|error| (1, error.to_string()))?;
    let columns = Columns::find(header).map_err(|fault| (1, fault))?;
    let mut bars: Vec<Bar> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(1, csv::Position::line);
            (line, error.to_string())
        })?;
        let line = record.position().map_or(1, csv::Position::line);
        let bar = columns.bar(&record).map_err(|fault| (line, fault))?;
        if let Some(last) = bars.last()
            && bar.time <= last.time
        {
            let fault = "the date is not after the one before it; oldest first".to_owned();
            return Err((line, fault));
        }
        bars.push(bar);
    }
    if bars.is_empty() {
        return Err((1, "no bars; expected lines below the header".to_owned()));
    }
    let prices = bars.iter().flat_map(|b| [b.open, b.high, b.low, b.close]);
    let decimals = prices.map(|price| price.normalize().scale()).max();
    let qty_decimals = bars.iter().map(|bar| bar.volume.scale()).max();
    Ok(Bars {
        decimals: decimals.unwrap_or(0),
        qty_decimals: qty_decimals.unwrap_or(0),
        bars,
    })
}

struct Columns {
    date: usize,
    prices: [usize; 4],
    volume: usize,
}

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Self, String> {
        let column = |name: &str| {
            header
                .iter()
                .position(|title| title.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
                .ok_or_else(|| {
                    format!("no column '{name}' in the header; needed are date,open,high,low,close,volume")
                })
        };
        Ok(Self {
            date: column("date")?,
            prices: [
                column("open")?,
                column("high")?,
                column("low")?,
                column("close")?,
            ],
            volume: column("volume")?,
        })
    }

    fn bar(&self, record: &csv::StringRecord) -> Result<Bar, String> {
        let text = |column: usize| record.get(column).unwrap_or_default();
        let number = |column: usize| {
            let text = text(column);
            let number: Decimal = text
                .parse()
                .map_err(|_| format!("'{text}' is not a decimal number"))?;
            if number.abs() > LARGEST || number.scale() > MAX_DECIMALS {
                return Err(format!(
                    "'{text}' is out of range; at most {LARGEST} with {MAX_DECIMALS} decimals"
                ));
            }
            Ok(number)
        };
        let [open, high, low, close] = self.prices.map(number);
        let bar = Bar {
            time: day(text(self.date))?,
            open: open?,
            high: high?,
            low: low?,
            close: close?,
            volume: number(self.volume)?,
        };
        if bar.low > bar.open.min(bar.close) || bar.high < bar.open.max(bar.close) {
            return Err(format!(
                "open {} and close {} are not between low {} and high {}",
                bar.open, bar.close, bar.low, bar.high
            ));
        }
        if bar.volume < Decimal::ZERO {
            return Err(format!("a volume of {} is below 0", bar.volume));
        }
        Ok(bar)
    }
}

/// Midnight UTC of a day written `2020-04-17`.
fn day(text: &str) -> Result<Time, String> {
    let fault = || format!("'{text}' is not a date; written as 2020-04-17");
    let mut parts = text.splitn(3, '-');
    let mut part = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits);
        let part = part.filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        part.and_then(|part| part.parse::<i64>().ok())
            .ok_or_else(fault)
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days_in_month = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return Err(fault()),
    };
    if !(1..=days_in_month).contains(&day) {
        return Err(fault());
    }
    // Days since the epoch in the proleptic Gregorian calendar, counted in
    // years that begin in March: Howard Hinnant, "chrono-Compatible Low-Level
    // Date Algorithms", days_from_civil.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Ok(Time::EPOCH + Span::DAY * (era * 146_097 + day_of_era - 719_468))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check_day(text: &str, expect: Option<i64>) {
        let expect = expect.map(|days| Time::EPOCH + Span::DAY * days);
        assert_eq!(day(text).ok(), expect, "{text}");
    }

    #[test]
    fn dates_are_days_of_the_calendar() {
        check_day("1970-01-01", Some(0));
        check_day("2000-02-29", Some(11_016));
        check_day("2020-04-17", Some(18_369));
        check_day("1969-12-31", Some(-1));
        check_day("2019-02-29", None);
        check_day("2020-13-01", None);
        check_day("2020-00-10", None);
        check_day("20-04-17", None);
        check_day("2020-4-17", None);
        check_day("+020-04-17", None);
        check_day("yesterday", None);
    }

    fn check_fault(text: &str, line: u64, fault: &str) {
        let (at, message) = parse(text.as_bytes()).map(|bars| bars.bars).unwrap_err();
        assert_eq!(at, line, "{message}");
        assert!(message.contains(fault), "{message:?} lacks {fault:?}");
    }

    #[test]
    fn each_fault_names_its_line() {
        const HEADER: &str = "date,open,high,low,close,volume\n";
        check_fault("", 1, "no column 'date'");
        check_fault("date,open,high,low,volume\n", 1, "no column 'close'");
        check_fault(HEADER, 1, "no bars");
        let good = "2020-01-02,2,3,1,2,10\n";
        check_fault(&format!("{HEADER}{good}2020-01-03,2,3,x,2,10\n"), 3, "'x'");
        check_fault(
            &format!("{HEADER}{good}2020-01-02,2,3,1,2,10\n"),
            3,
            "not after",
        );
        check_fault(
            &format!("{HEADER}2020-01-02,2,3,1,4,10\n"),
            2,
            "not between",
        );
        // Crude oil has been sold at negative prices.
        let below = parse(format!("{HEADER}2020-04-20,1,1.5,-40.32,-37.63,10\n").as_bytes());
        assert_eq!(below.unwrap().decimals, 2);
        check_fault(&format!("{HEADER}2020-01-02,2,3,1,2,-1\n"), 2, "below 0");
        check_fault(&format!("{HEADER}2020-01-02,2,3\n"), 2, "fields");
        check_fault(
            &format!("{HEADER}2020-01-02,2,9e9,1,2,10\n"),
            2,
            "not a decimal",
        );
        let huge = "9".repeat(28);
        check_fault(
            &format!("{HEADER}2020-01-02,2,{huge},1,2,10\n"),
            2,
            "at most 1000000000000000 with 12",
        );
        check_fault(&format!("{HEADER}02.01.2020,2,3,1,2,10\n"), 2, "not a date");
    }

    #[test]
    fn columns_are_found_by_name() {
        let text = "\u{feff}Volume,Close,Low,High,Open,Date\n10,2.5,1,3,2,2020-01-02\n";
        let bars = parse(text.as_bytes()).unwrap();
        assert_eq!(bars.decimals, 1);
        assert_eq!(bars.bars[0].open, Decimal::from(2));
        assert_eq!(bars.bars[0].volume, Decimal::from(10));
    }

    #[test]
    fn the_sample_is_500_days_of_the_sp500() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/sp500-daily.csv");
        let bars = read(Path::new(path)).unwrap();
        assert_eq!(bars.bars.len(), 500);
        let last = bars.bars.last().unwrap();
        assert_eq!(last.close.to_string(), "2874.560059");
        assert_eq!(last.time, Time::EPOCH + Span::DAY * 18_369);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn arbitrary_lines_never_panic(line in "[0-9.,e\\-\"]{0,60}") {
            let _ = parse(format!("date,open,high,low,close,volume\n{line}").as_bytes());
        }
    }
}
