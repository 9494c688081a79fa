//! What is found in a file when it is looked at as a whole.

use std::collections::BTreeMap;

use shared::{Decimal, Time};

use super::index::Index;
use super::{FileError, PriceFile, SYMBOLS_MAX};
use crate::table::{Kind, Parsed};
use crate::text::Line;

/// So many of the rows that were left out or mended are told one by one.
const TOLD_MAX: usize = 20;

/// A symbol of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// How many decimals its prices have.
    pub decimals: u32,
    /// How many decimals its quantities have.
    pub qty_decimals: u32,
    /// Its bar before, and how the newest one compares: for bars that come twice.
    last: Option<Time>,
    sum: Sum,
    /// Whether its rows are neither oldest first nor newest first.
    pub(super) is_mixed: bool,
    pub(super) is_falling: Option<bool>,
}

/// A row that was left out or mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its line, counted from 1.
    pub line: u64,
    /// What was done, and why.
    pub what: String,
}

/// What was found in a file, or in as much of it as was looked at.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Its symbols, each with what is known of it.
    pub symbols: BTreeMap<String, Found>,
    /// What was left out or mended.
    pub tally: Tally,
    /// Whether volumes were rounded by the source.
    pub is_rounded: bool,
    /// How many rows there were.
    pub rows: u64,
    pub(super) is_in_order: bool,
    last: Option<Time>,
    /// The times of the oldest and the newest row.
    pub(super) first: Time,
    pub(super) newest: Option<Time>,
    /// Where each line is.
    pub(super) index: Index,
}

/// What was left out of a file, or mended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many lines were left out.
    pub left_out: u64,
    /// How many rows were mended.
    pub mended: u64,
    /// Of how many symbols all volumes together have more digits than there can
    /// be, so that those of longer bars may be rounded.
    pub rounded: u64,
    /// The first twenty of these.
    pub told: Vec<Told>,
}

/// The sum of a symbol's volumes, as long as it is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sum(Option<Decimal>);

impl Default for Sum {
    fn default() -> Self {
        Self(Some(Decimal::ZERO))
    }
}

impl Sum {
    /// Adds what a row says; returns whether the sum was exact until then.
    pub(super) fn breaks_with(&mut self, kind: &Kind) -> bool {
        let (Some(sum), Some(quantity)) = (self.0, kind.quantity()) else {
            return false;
        };
        self.0 = sum.exact_add(quantity);
        self.0.is_none()
    }
}

/// A survey, and the times from which the length of bars is found.
pub(super) struct Surveyed {
    pub(super) survey: Survey,
    /// Those of each symbol, if only the first rows are looked at.
    times: Option<BTreeMap<String, Vec<Time>>>,
}

impl Surveyed {
    /// Of the first rows: they tell how long the bars are.
    pub(super) fn of_head() -> Self {
        Self {
            times: Some(BTreeMap::new()),
            ..Self::of_all()
        }
    }

    /// Of all rows.
    pub(super) fn of_all() -> Self {
        Self {
            survey: Survey {
                is_in_order: true,
                ..Survey::default()
            },
            times: None,
        }
    }

    /// The times of the symbol with the most rows, in order.
    pub(super) fn times_of_one(&self) -> Vec<Time> {
        let all = self.times.iter().flat_map(BTreeMap::values);
        let most = all.max_by_key(|times| times.len());
        let mut times = most.cloned().unwrap_or_default();
        times.sort_unstable();
        times
    }

    pub(super) fn add(
        &mut self,
        file: &PriceFile,
        line: &Line,
        parsed: &Parsed,
    ) -> Result<(), FileError> {
        let survey = &mut self.survey;
        survey.tally.add(line, parsed);
        for row in &parsed.rows {
            survey.rows += 1;
            survey.is_rounded |= row.is_rounded;
            let symbol = row.symbol.clone().unwrap_or_default();
            if let Some(times) = &mut self.times {
                times.entry(symbol.clone()).or_default().push(row.time);
            }
            if survey.symbols.len() >= SYMBOLS_MAX && !survey.symbols.contains_key(&symbol) {
                return Err(FileError::Symbols(file.name.clone(), line.number));
            }
            let found = survey.symbols.entry(symbol).or_default();
            found.learn(&row.kind);
            if found.sum.breaks_with(&row.kind) {
                survey.tally.round(line, row.symbol.as_deref());
            }
            let start = file.bars().map(|bars| bars.start_of(row.time));
            if !found.follow(start.unwrap_or(row.time)) && start.is_some() {
                let symbol = row.symbol.clone().unwrap_or_default();
                return Err(FileError::Twice(file.name.clone(), line.number, symbol));
            }
        }
        if let Some(row) = parsed.rows.first() {
            survey.is_in_order &= survey.last.is_none_or(|last| last <= row.time);
            survey.last = Some(row.time);
            if survey.newest.is_none_or(|_| row.time < survey.first) {
                survey.first = row.time;
            }
            survey.newest = survey.newest.max(Some(row.time));
            survey.index.push(row.time.micros(), line.offset);
        }
        Ok(())
    }
}

impl Tally {
    /// Takes in what was left out or mended in a line.
    pub(super) fn add(&mut self, line: &Line, parsed: &Parsed) {
        for reason in &parsed.left_out {
            self.left_out += 1;
            self.tell(line, format!("left out: {reason}"));
        }
        for how in parsed.rows.iter().filter_map(|row| row.mended.as_ref()) {
            self.mended += 1;
            self.tell(line, format!("mended: {how}"));
        }
    }

    /// Takes note that the volumes of a symbol have no exact sum any more.
    pub(super) fn round(&mut self, line: &Line, symbol: Option<&str>) {
        self.rounded += 1;
        let symbol = symbol.unwrap_or_default();
        let what = format!(
            "the volumes of {symbol} until here have more than 28 digits together: those of longer bars are rounded"
        );
        self.tell(line, what);
    }

    fn tell(&mut self, line: &Line, what: String) {
        if self.told.len() < TOLD_MAX {
            self.told.push(Told {
                line: line.number,
                what,
            });
        }
    }
}

impl Found {
    fn learn(&mut self, kind: &Kind) {
        let quantity = kind.quantity();
        let prices = match kind {
            Kind::Bar {
                open,
                high,
                low,
                close,
                ..
            } => vec![*open, *high, *low, *close],
            Kind::Trade { price, .. } => vec![*price],
            Kind::Quote { bid, ask } => bid.iter().chain(ask).copied().collect(),
        };
        for price in prices {
            self.decimals = self.decimals.max(price.scale());
        }
        let scale = quantity.map_or(0, |quantity| quantity.scale());
        self.qty_decimals = self.qty_decimals.max(scale);
    }

    /// Takes in the start of the next bar; `false` if it is that of the bar
    /// before.
    fn follow(&mut self, start: Time) -> bool {
        let Some(last) = self.last.replace(start) else {
            return true;
        };
        if start == last {
            return false;
        }
        let is_falling = start < last;
        self.is_mixed |= self.is_falling.is_some_and(|before| before != is_falling);
        self.is_falling = Some(is_falling);
        true
    }
}
