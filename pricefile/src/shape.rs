//! What a table is taken for, by its first lines: its separator, its header, and
//! what its columns are.

use shared::Span;

use crate::columns::{self, Columns, Role};
use crate::date::DateForm;
use crate::number::{DecimalMark, number};
use crate::split::Splitter;

/// The separators, in the order in which they are tried.
const SEPARATORS: [char; 4] = ['\t', ';', ',', '|'];
/// So many lines are looked at.
pub(crate) const LINES: usize = 20;

/// What a table is taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Whose files look like this.
    pub source: &'static str,
    /// What separates its cells.
    pub separator: char,
    /// How many lines are before its first row.
    pub skip: usize,
    /// Whether its header is in a language that writes the day first.
    pub is_continental: bool,
    /// What its columns are; at least one side.
    pub sides: Vec<Side>,
}

/// A text that is nothing like prices.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "its first line is '{0}', which is nothing like prices; known are tables with columns such as \
     date, open, high, low, close, and those that exchanges and brokers write"
)]
pub struct ShapeError(String);

/// Tables without a header: whose they are, and what their columns are.
struct Bare {
    source: &'static str,
    separator: char,
    is_it: fn(&[&str]) -> bool,
    roles: &'static [&'static [(Role, usize)]],
}

const OHLC: [Role; 4] = [Role::Open, Role::High, Role::Low, Role::Close];

/// The first columns of most bars.
const BARS: &[(Role, usize)] = &[
    (Role::Time, 0),
    (Role::Open, 1),
    (Role::High, 2),
    (Role::Low, 3),
    (Role::Close, 4),
    (Role::Volume, 5),
];

const BARE: [Bare; 9] = [
    Bare {
        source: "binance, bars",
        separator: ',',
        is_it: |cells| cells.len() == 12 && is_epoch(cells[0]) && is_epoch(cells[6]),
        roles: &[BARS, &[(Role::Trades, 8)]],
    },
    Bare {
        source: "binance, aggregated trades",
        separator: ',',
        is_it: |cells| {
            let whole = |at: usize| cells.get(at).and_then(|cell| cell.parse::<u64>().ok());
            let is_range = whole(3)
                .zip(whole(4))
                .is_some_and(|(first, last)| first <= last);
            (7..=8).contains(&cells.len()) && is_range && is_epoch(cells[5]) && is_flag(cells[6])
        },
        roles: &[&[(Role::Price, 1), (Role::Size, 2), (Role::Time, 5)]],
    },
    Bare {
        source: "binance, trades",
        separator: ',',
        is_it: |cells| (6..=7).contains(&cells.len()) && is_epoch(cells[4]) && is_flag(cells[5]),
        roles: &[&[(Role::Price, 1), (Role::Size, 2), (Role::Time, 4)]],
    },
    Bare {
        source: "kraken, bars",
        separator: ',',
        is_it: |cells| cells.len() == 7 && is_epoch(cells[0]) && are_numbers(&cells[1..]),
        roles: &[BARS, &[(Role::Trades, 6)]],
    },
    Bare {
        source: "kraken, trades",
        separator: ',',
        is_it: |cells| cells.len() == 3 && is_epoch(cells[0]) && are_numbers(&cells[1..]),
        roles: &[&[(Role::Time, 0), (Role::Price, 1), (Role::Size, 2)]],
    },
    Bare {
        source: "metatrader 4",
        separator: ',',
        is_it: |cells| {
            cells.len() == 7
                && cells[0].contains('.')
                && is_date(cells[0])
                && cells[1].contains(':')
        },
        roles: &[&[
            (Role::Time, 0),
            (Role::Clock, 1),
            (Role::Open, 2),
            (Role::High, 3),
            (Role::Low, 4),
            (Role::Close, 5),
            (Role::Volume, 6),
        ]],
    },
    Bare {
        source: "histdata, bars of the bid",
        separator: ';',
        is_it: |cells| cells.len() == 6 && is_date(cells[0]) && are_numbers(&cells[1..]),
        roles: &[BARS],
    },
    Bare {
        source: "histdata, quotes",
        separator: ',',
        is_it: |cells| cells.len() == 4 && is_date(cells[0]) && are_numbers(&cells[1..]),
        roles: &[&[(Role::Time, 0), (Role::Bid, 1), (Role::Ask, 2)]],
    },
    Bare {
        source: "bars without a header",
        separator: ',',
        is_it: |cells| cells.len() == 6 && is_date(cells[0]) && are_numbers(&cells[1..]),
        roles: &[BARS],
    },
];

fn is_epoch(cell: &str) -> bool {
    DateForm::of_column([cell], None) == Ok(DateForm::Epoch)
}

fn is_date(cell: &str) -> bool {
    DateForm::of_column([cell], None).is_ok()
}

fn is_flag(cell: &str) -> bool {
    cell.eq_ignore_ascii_case("true") || cell.eq_ignore_ascii_case("false")
}

fn are_numbers(cells: &[&str]) -> bool {
    cells
        .iter()
        .all(|cell| matches!(number(cell, DecimalMark::Point), Ok(Some(_))))
}

/// One symbol's columns of a table; symbols may stand side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Its symbol, if a line above the rows says.
    pub symbol: Option<String>,
    /// What its columns are.
    pub columns: Columns,
}

impl Side {
    /// Whether its rows are bars; else they are trades or quotes.
    pub fn has_bars(&self) -> bool {
        OHLC.iter().all(|role| self.columns.find(*role).is_some())
    }
}

/// The first lines of a table, split at a separator.
type Cells = Vec<Vec<String>>;

impl Shape {
    /// What a table with these first lines is taken for.
    ///
    /// # Errors
    ///
    /// It is nothing like prices.
    pub fn of(lines: &[&str]) -> Result<Self, ShapeError> {
        let lines = &lines[..lines.len().min(LINES)];
        let found = SEPARATORS.into_iter().find_map(|separator| {
            let mut splitter = Splitter::new(separator);
            let cells: Cells = lines.iter().map(|line| splitter.cells(line)).collect();
            Self::with_header(&cells, separator).or_else(|| Self::bare(&cells, separator))
        });
        found.ok_or_else(|| {
            let first = lines.iter().find(|line| !line.trim().is_empty());
            ShapeError(first.unwrap_or(&"").chars().take(60).collect())
        })
    }

    fn with_header(lines: &Cells, separator: char) -> Option<Self> {
        (0..lines.len()).find_map(|at| {
            let names = &lines[at];
            if let Some(shape) = Self::of_yfinance(&lines[at..], at, separator) {
                return Some(shape);
            }
            let columns = Columns::of_header(names.iter().map(String::as_str));
            columns.is_table().then(|| Self {
                source: source_of(names),
                separator,
                skip: at + 1,
                is_continental: columns::is_continental(names),
                sides: vec![Side {
                    symbol: None,
                    columns,
                }],
            })
        })
    }

    /// yfinance's three lines: what, whose, and where the dates are.
    fn of_yfinance(lines: &[Vec<String>], at: usize, separator: char) -> Option<Self> {
        let [names, tickers, dates, ..] = lines else {
            return None;
        };
        let is_it = names.first()? == "Price"
            && tickers.first()? == "Ticker"
            && ["Date", "Datetime"].contains(&dates.first()?.as_str());
        if !is_it {
            return None;
        }
        let mut symbols: Vec<&String> = Vec::new();
        for symbol in &tickers[1..] {
            if !symbols.contains(&symbol) {
                symbols.push(symbol);
            }
        }
        let sides: Option<Vec<Side>> = symbols
            .into_iter()
            .map(|symbol| {
                // The columns of other symbols have no names here.
                let own = names.iter().enumerate().map(|(at, name)| {
                    let is_own = tickers.get(at) == Some(symbol);
                    if is_own { name.as_str() } else { "" }
                });
                let mut columns = Columns::of_header(own);
                columns.set(Role::Time, 0);
                columns.is_table().then(|| Side {
                    symbol: Some(symbol.clone()),
                    columns,
                })
            })
            .collect();
        Some(Self {
            source: "yfinance",
            separator,
            skip: at + 3,
            is_continental: false,
            sides: sides.filter(|sides| !sides.is_empty())?,
        })
    }

    fn bare(lines: &Cells, separator: char) -> Option<Self> {
        let at = lines.iter().position(|cells| !cells.is_empty())?;
        let first: Vec<&str> = lines[at].iter().map(String::as_str).collect();
        let known = BARE
            .iter()
            .find(|known| known.separator == separator && (known.is_it)(&first))?;
        Some(Self {
            source: known.source,
            separator,
            skip: at,
            is_continental: false,
            sides: vec![Side {
                symbol: None,
                columns: Columns::of_roles(&known.roles.concat()),
            }],
        })
    }

    /// Whether its rows are bars; else they are trades or quotes.
    pub fn has_bars(&self) -> bool {
        self.sides.iter().all(Side::has_bars)
    }

    /// How far the clock of its source is ahead of UTC, where that is known.
    pub(crate) fn ahead(&self) -> Option<Span> {
        // Eastern standard time, all year: https://www.histdata.com/f-a-q/
        let is_eastern = self.source.starts_with("histdata");
        is_eastern.then(|| Span::ZERO - Span::HOUR * 5)
    }
}

/// Whose files have such a header.
fn source_of(names: &[String]) -> &'static str {
    let has = |wanted: &[&str]| wanted.iter().all(|name| names.iter().any(|n| n == name));
    let known: [(&[&str], &str); 14] = [
        (&["<TICKER>", "<PER>"], "stooq"),
        (&["<DATE>"], "metatrader 5"),
        (&["Gmt time"], "dukascopy"),
        (&["Local time"], "dukascopy"),
        (&["Close/Last"], "nasdaq"),
        (&["Price", "Change %"], "investing.com"),
        (&["Último", "% var."], "investing.com"),
        (&["Dernier", "Variation %"], "investing.com"),
        (&["Zuletzt", "Tief"], "investing.com"),
        (&["window_start", "transactions"], "massive"),
        (&["ts_event", "rtype"], "databento"),
        (&["open_time", "taker_buy_volume"], "binance"),
        (&["Unix", "Symbol"], "cryptodatadownload"),
        (&["Open", "Adj Close"], "yahoo"),
    ];
    let found = known.iter().find(|(wanted, _)| has(wanted));
    found.map_or("a table", |(_, source)| source)
}

#[cfg(test)]
mod tests;
