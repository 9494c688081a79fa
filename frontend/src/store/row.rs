//! A symbol's row: its state, and what was last shown of it.

use std::collections::VecDeque;

use shared::{Decimal, Side, SymbolState, Tick, Time};

use super::Spark;

/// The shortest time between two flashes of a cell. One that flashes all the
/// time says nothing, and costs the page frames.
const FLASH_INTERVAL_MS: f64 = 1_000.0;
/// How long a flash lasts, as in the style sheet. A row that moves to another
/// slot after that does not flash there.
const FLASH_MS: f64 = 400.0;
/// How many trades the tape shows.
pub const TAPE_LENGTH: usize = 24;

/// A number of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The last price.
    Last,
    /// The last price less that of the session before, or less the session's
    /// open if there was none.
    Change,
    /// The same in per cent, with two decimals.
    ChangePercent,
    /// The best bid.
    Bid,
    /// The best ask.
    Ask,
    /// The session's highest price.
    High,
    /// The session's lowest price.
    Low,
    /// The quantity traded in the session.
    Volume,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Last,
        Self::Change,
        Self::ChangePercent,
        Self::Bid,
        Self::Ask,
        Self::High,
        Self::Low,
        Self::Volume,
    ];

    /// The column's name in the page's contract.
    pub fn key(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Change => "change",
            Self::ChangePercent => "change_percent",
            Self::Bid => "bid",
            Self::Ask => "ask",
            Self::High => "high",
            Self::Low => "low",
            Self::Volume => "volume",
        }
    }
}

/// A number, with what is needed to format it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The exact value.
    pub value: Decimal,
    /// How many decimals the symbol's prices have.
    pub decimals: u32,
}

/// The direction of the last price's last change, and a count of changes: a new
/// value makes the cell flash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flash {
    /// The price has not changed yet.
    #[default]
    None,
    /// The price rose. The count distinguishes this rise from the one before.
    Up(u32),
    /// The price fell.
    Down(u32),
}

/// A trade on the tape.
#[derive(Clone, Debug, PartialEq)]
pub struct Trade {
    /// The tick's number in the log.
    pub seq: u64,
    /// When it happened.
    pub time: Time,
    /// Its price.
    pub price: Decimal,
    /// How much was traded.
    pub qty: Decimal,
    /// The side of the aggressor, whose order took the price.
    pub side: Option<Side>,
    /// How many decimals the price is shown with.
    pub decimals: u32,
}

/// The change from `base` to `last` in per cent, with two decimals; there is none
/// of a base that is not above zero. This is not a price, so a double is exact
/// enough.
fn percent((last, base): (Decimal, Decimal)) -> Option<Decimal> {
    let (last, base) = (last.to_f64(), base.to_f64());
    let hundredths = (1e4 * (last - base) / base).round();
    (base > 0.0 && hundredths.is_finite()).then(|| Decimal::new(hundredths as i64, 2))
}

/// A symbol's row.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) state: SymbolState,
    pub(super) spark: Spark,
    /// Whether the prices of the last day have been asked for.
    pub(super) has_asked: bool,
    /// Newest first; at most [`TAPE_LENGTH`] trades.
    tape: VecDeque<Trade>,
    /// The last price when the row was last shown.
    shown: Option<Decimal>,
    flash: Flash,
    /// When it last flashed, by the browser's monotonic clock.
    flashed_ms: f64,
    /// Whether the row has changed since it was last shown.
    dirty: bool,
}

impl Row {
    /// A row that has just changed.
    pub(super) fn new(state: &SymbolState) -> Self {
        let mut row = Self {
            state: state.clone(),
            spark: Spark::default(),
            has_asked: false,
            tape: VecDeque::new(),
            shown: state.last,
            flash: Flash::None,
            flashed_ms: f64::NEG_INFINITY,
            dirty: true,
        };
        row.note_state();
        row
    }

    /// Whether the state describes the same symbol in the same way.
    pub(super) fn is_of(&self, state: &SymbolState) -> bool {
        self.state.symbol == state.symbol
            && self.state.name == state.name
            && self.state.decimals == state.decimals
    }

    pub(super) fn tape(&self) -> Vec<Trade> {
        self.tape.iter().cloned().collect()
    }

    /// Replaces the state from a snapshot. The trades before it are not known.
    pub(super) fn replace(&mut self, state: &SymbolState) {
        self.state = state.clone();
        self.tape.clear();
        self.note_state();
        self.dirty = true;
    }

    /// Adds the snapshot's last price to the sparkline.
    fn note_state(&mut self) {
        if let (Some(time), Some(last)) = (self.state.time, self.state.last) {
            self.note(time, last);
        }
    }

    fn note(&mut self, time: Time, price: Decimal) {
        // Floating point is used for geometry only.
        self.spark.push(time.micros() as f64, price.to_f64());
    }

    /// Applies a tick; returns whether the row was clean before.
    pub(super) fn apply(&mut self, tick: &Tick) -> bool {
        self.state.apply(tick);
        if let Tick::Trade(trade) = tick {
            self.note(trade.time, trade.price);
            // A row of a file without a volume is no trade, and makes a candle all
            // the same.
            if trade.qty.is_zero() {
                return !std::mem::replace(&mut self.dirty, true);
            }
            self.tape.truncate(TAPE_LENGTH - 1);
            self.tape.push_front(Trade {
                seq: trade.seq,
                time: trade.time,
                price: trade.price,
                qty: trade.qty,
                side: trade.side,
                decimals: self.state.decimals,
            });
        }
        !std::mem::replace(&mut self.dirty, true)
    }

    /// The number that a cell shows.
    pub(super) fn number(&self, field: Field) -> Option<Number> {
        let last = &self.state.last;
        let base = self.state.previous.or(self.state.open);
        let value = match field {
            Field::Last => *last,
            Field::Change => last
                .zip(base)
                .and_then(|(last, base)| last.checked_sub(base)),
            Field::ChangePercent => last.zip(base).and_then(percent),
            Field::Bid => self.state.bid,
            Field::Ask => self.state.ask,
            Field::High => self.state.high,
            Field::Low => self.state.low,
            Field::Volume => last.map(|_| self.state.volume),
        };
        value.map(|value| Number {
            value,
            decimals: self.state.decimals,
        })
    }

    /// Records that the row is shown at `now_ms` of the browser's monotonic
    /// clock; returns how it flashes.
    pub(super) fn show(&mut self, now_ms: f64) -> Flash {
        self.dirty = false;
        let last = self.state.last;
        if let (Some(shown), Some(last)) = (self.shown, last)
            && shown != last
            && now_ms - self.flashed_ms >= FLASH_INTERVAL_MS
        {
            self.flashed_ms = now_ms;
            let count = match self.flash {
                Flash::None => 0,
                Flash::Up(count) | Flash::Down(count) => count.wrapping_add(1),
            };
            self.flash = if last > shown {
                Flash::Up(count)
            } else {
                Flash::Down(count)
            };
        }
        self.shown = last;
        if now_ms - self.flashed_ms < FLASH_MS {
            self.flash
        } else {
            Flash::None
        }
    }
}
