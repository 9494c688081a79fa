//! A table of prices: what is settled over its columns, and its rows.

use jiff::tz::TimeZone;
use shared::{Decimal, Span, Time};

use crate::cells::PRICES;
use crate::columns::{Columns, Role};
use crate::date::{DateColumn, DateError, DateForm, DateOrder, Moment};
use crate::number::{DecimalMark, NumberError};
use crate::shape::{Shape, ShapeError};
use crate::split::Splitter;

/// What is in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bar.
    Bar {
        /// The first price.
        open: Decimal,
        /// The highest price.
        high: Decimal,
        /// The lowest price.
        low: Decimal,
        /// The last price.
        close: Decimal,
        /// The quantity traded, if the file says.
        volume: Option<Decimal>,
        /// How many trades there were, if the file says.
        trades: Option<u64>,
    },
    /// A trade.
    Trade {
        /// Its price.
        price: Decimal,
        /// Its quantity, if the file says.
        size: Option<Decimal>,
    },
    /// A quote; a side that is not there has not changed.
    Quote {
        /// The best bid.
        bid: Option<Decimal>,
        /// The best ask.
        ask: Option<Decimal>,
    },
}

impl Kind {
    /// How much was traded, if it says so.
    pub(crate) fn quantity(&self) -> Option<Decimal> {
        match self {
            Self::Bar { volume, .. } => *volume,
            Self::Trade { size, .. } => *size,
            Self::Quote { .. } => None,
        }
    }
}

/// A row, or one symbol's part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The start of the bar, or the time of the trade or quote.
    pub time: Time,
    /// Its symbol, if the file says.
    pub symbol: Option<String>,
    /// What is in it.
    pub kind: Kind,
    /// Whether its volume was written as in 1.23M.
    pub is_rounded: bool,
    /// Whether a price was mended, and how.
    pub mended: Option<String>,
}

/// What a user says of a file that it does not say itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Whether days come before months.
    pub dates: Option<DateOrder>,
    /// The zone of times without one; UTC unless the source is known to have
    /// another one.
    pub zone: Option<TimeZone>,
    /// What separates decimals in numbers.
    pub mark: Option<DecimalMark>,
    /// How many bytes its text may have, unpacked, if there is a bound: a small
    /// archive can have very many.
    pub bytes_max: Option<u64>,
    /// How many lines a file may have that is looked through before it is played,
    /// if there is a bound: they take memory, and an archive can have very many.
    pub lines_max: Option<u64>,
}

/// Why a row cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// A cell is no number.
    #[error("{0}")]
    Number(#[from] NumberError),
    /// A date is none.
    #[error("{0}")]
    Date(#[from] DateError),
    /// Its numbers can be read in two ways.
    #[error("'{0}' can be read in two ways; say --decimals comma or --decimals point")]
    TwoWays(String),
}

/// A table that is taken for something.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) shape: Shape,
    options: Options,
    /// Whether its rows are days or longer.
    keeps_days: bool,
    /// A price that can be read in two ways.
    two_ways: Option<String>,
    dates: DateColumn,
    mark: Option<DecimalMark>,
    /// The date of its first row.
    sample: String,
}

/// What a line of a table was read as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// One for each symbol that has prices in it.
    pub(crate) rows: Vec<Row>,
    /// Why it has none, or why some were left out.
    pub(crate) left_out: Vec<&'static str>,
}

/// The source whose prices may be whole numbers of a small unit.
const DATABENTO: &str = "databento";

impl Table {
    /// What a table with these first lines is taken for.
    pub(crate) fn of(lines: &[&str], options: Options) -> Result<Self, ShapeError> {
        Ok(Self {
            shape: Shape::of(lines)?,
            options,
            keeps_days: false,
            two_ways: None,
            dates: DateColumn::default(),
            mark: None,
            sample: String::new(),
        })
    }

    pub(crate) fn splitter(&self) -> Splitter {
        Splitter::new(self.shape.separator)
    }

    /// Takes in a row, so that the forms of dates and numbers are those of the
    /// whole column.
    pub(crate) fn learn(&mut self, cells: &[String]) -> Result<(), DateError> {
        for side in &self.shape.sides {
            let date = date_of(&side.columns, cells);
            if date.is_empty() {
                continue;
            }
            if self.sample.is_empty() {
                self.sample.clone_from(&date);
            }
            self.dates.add(&date)?;
            if self.mark.is_none() {
                let at = PRICES.iter().filter_map(|role| side.columns.find(*role));
                let mut cells = at.filter_map(|at| cells.get(at));
                self.mark = cells.find_map(|cell| match DecimalMark::of(cell) {
                    None if cell.contains(',') => {
                        self.two_ways.get_or_insert_with(|| cell.clone());
                        None
                    }
                    mark => mark,
                });
            }
        }
        Ok(())
    }

    /// Checks that a file may have a line with this number; if not, returns how
    /// many it may have.
    pub(crate) fn check_lines(&self, number: u64) -> Result<(), u64> {
        match self.options.lines_max {
            Some(most) if number > most => Err(most),
            _ => Ok(()),
        }
    }

    /// Whether what comes cannot change how its dates and numbers are read.
    pub(crate) fn is_settled(&self) -> bool {
        self.dates.is_settled(self.options.dates) && self.mark.is_some()
    }

    /// The form of its dates.
    pub(crate) fn dates(&self) -> Result<DateForm, DateError> {
        // A header in a language says how its dates are written.
        let by_language = self.shape.is_continental.then_some(DateOrder::DayFirst);
        let named = self.options.dates;
        match self.dates.form(named) {
            Err(DateError::TwoWays(_)) if by_language.is_some() => self.dates.form(by_language),
            other => other,
        }
    }

    /// What separates decimals in its numbers.
    ///
    /// # Errors
    ///
    /// All of them can be read in two ways.
    pub(crate) fn mark(&self) -> Result<DecimalMark, RowError> {
        let by_language = self.shape.is_continental.then_some(DecimalMark::Comma);
        let known = self.mark.or(self.options.mark).or(by_language);
        match (known, &self.two_ways) {
            (Some(mark), _) => Ok(mark),
            (None, None) => Ok(DecimalMark::Point),
            (None, Some(number)) => Err(RowError::TwoWays(number.clone())),
        }
    }

    /// Its rows are days or longer: each keeps its date.
    pub(crate) fn keep_days(&mut self) {
        self.keeps_days = true;
    }

    /// The form of its dates as people write it.
    pub(crate) fn dates_shown(&self) -> Result<String, DateError> {
        Ok(self.dates()?.shown(&self.sample))
    }

    /// The zone of its times in words.
    pub(crate) fn zone_shown(&self) -> String {
        match (&self.options.zone, self.shape.ahead()) {
            (Some(zone), _) => zone.iana_name().unwrap_or("as --tz says").to_owned(),
            (None, Some(_)) => "EST".to_owned(),
            (None, None) => "UTC".to_owned(),
        }
    }

    /// Reads a line that was split into cells, when all of the table was taken
    /// in.
    pub(crate) fn parse(&self, cells: &[String]) -> Result<Parsed, RowError> {
        let (form, mark) = (self.dates()?, self.mark()?);
        let mut parsed = Parsed::default();
        for side in &self.shape.sides {
            let date = date_of(&side.columns, cells);
            if date.is_empty() {
                parsed.left_out.push("it has no date");
                continue;
            }
            let time = self.time(form.read(&date)?);
            match side.read(cells, mark, self.shape.source == DATABENTO)? {
                Ok((kind, is_rounded, mended)) => parsed.rows.push(Row {
                    time,
                    symbol: side.symbol_of(cells),
                    kind,
                    is_rounded,
                    mended,
                }),
                Err(reason) => parsed.left_out.push(reason),
            }
        }
        Ok(parsed)
    }

    fn time(&self, moment: Moment) -> Time {
        // A day stays the day that it is, wherever the clock was; also where a
        // midnight stands beside it.
        if self.keeps_days
            && let Some(midnight) = moment.midnight
        {
            return midnight;
        }
        if moment.has_zone || moment.is_day {
            return moment.time;
        }
        match (&self.options.zone, self.shape.ahead()) {
            (Some(zone), _) => in_zone(moment.time, zone),
            (None, Some(ahead)) => moment.time - ahead,
            (None, None) => moment.time,
        }
    }
}

/// The time at which a clock in this zone shows what a clock of UTC shows at
/// `wall`. Of an hour that comes twice it is the first one.
fn in_zone(wall: Time, zone: &TimeZone) -> Time {
    let found = || {
        let wall = jiff::Timestamp::from_microsecond(wall.micros()).ok()?;
        let civil = TimeZone::UTC.to_datetime(wall);
        let found = zone.to_ambiguous_timestamp(civil).compatible().ok()?;
        Some(Time::from_micros(found.as_microsecond()))
    };
    found().unwrap_or(wall)
}

/// The date of a row, with the time of day that may stand beside it.
fn date_of(columns: &Columns, cells: &[String]) -> String {
    let of = |role| {
        let at = columns.find(role)?;
        cells.get(at).map(String::as_str)
    };
    let date = of(Role::Time).unwrap_or_default();
    match of(Role::Clock) {
        Some(clock) if !clock.is_empty() => format!("{date} {clock}"),
        _ => date.to_owned(),
    }
}

/// How long a bar is, by the starts of bars of one symbol, in order: the
/// difference that is there most often.
pub(crate) fn interval_of(times: &[Time]) -> Option<Span> {
    let mut steps: Vec<i64> = times
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs().micros())
        .filter(|step| *step > 0)
        .collect();
    steps.sort_unstable();
    let groups = steps.chunk_by(|a, b| a == b);
    let most = groups.max_by_key(|group| group.len())?;
    Some(Span::from_micros(most[0]))
}
