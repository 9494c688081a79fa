//! One symbol: where it stands, and the signals that show it.

use std::collections::VecDeque;

use leptos::prelude::*;
use rust_decimal::prelude::ToPrimitive;
use shared::{Decimal, Micros, Side, SymbolState, Tick};

use super::History;

/// A cell that flashes all the time says nothing, and costs the page its frames:
/// it rests this long after the start of a flash.
const FLASH_INTERVAL_MS: f64 = 1_000.0;
/// How many trades the tape shows.
const TAPE_LENGTH: usize = 24;

/// Which way the last price went, and how often: a change of it is what makes
/// a cell flash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flash {
    /// It did not move yet.
    #[default]
    None,
    /// It rose; the number tells this rise from the one before.
    Up(u32),
    /// It fell.
    Down(u32),
}

/// The signals of one row, one for each cell. Cheap to clone; alive as long as
/// someone holds them.
#[derive(Clone, Debug)]
pub struct RowSignals {
    /// The symbol.
    pub symbol: String,
    /// Which catalogue it came with: a row of another has other signals.
    pub catalogue: u32,
    /// Its name for people.
    pub name: String,
    /// How many decimals its prices have.
    pub decimals: u32,
    /// The last price.
    pub last: ArcRwSignal<Option<Decimal>>,
    /// The last price less the session's open.
    pub change: ArcRwSignal<Option<Decimal>>,
    /// The same in per cent of the open, with two decimals.
    pub change_percent: ArcRwSignal<Option<Decimal>>,
    /// The best bid.
    pub bid: ArcRwSignal<Option<Decimal>>,
    /// The best ask.
    pub ask: ArcRwSignal<Option<Decimal>>,
    /// The session's highest price.
    pub high: ArcRwSignal<Option<Decimal>>,
    /// The session's lowest price.
    pub low: ArcRwSignal<Option<Decimal>>,
    /// The quantity traded in the session.
    pub volume: ArcRwSignal<Option<Decimal>>,
    /// Which way the last price went.
    pub flash: ArcRwSignal<Flash>,
}

/// A line of the tape.
#[derive(Clone, Debug, PartialEq)]
pub struct Trade {
    /// The tick's number in the log.
    pub seq: u64,
    /// When it happened.
    pub time: Micros,
    /// Its price.
    pub price: Decimal,
    /// How much was traded.
    pub qty: Decimal,
    /// The aggressor's side.
    pub side: Option<Side>,
    /// How many decimals the price is shown with.
    pub decimals: u32,
}

/// One symbol.
pub(super) struct Row {
    state: SymbolState,
    history: History,
    /// Newest first; bounded by [`TAPE_LENGTH`].
    tape: VecDeque<Trade>,
    /// The last price as the signals have it.
    shown: Option<Decimal>,
    dirty: bool,
    /// When it last flashed, by the browser's monotonic clock.
    flashed_ms: f64,
    /// Goes up with every change of the history.
    version: u64,
    pub(super) signals: RowSignals,
}

impl Row {
    pub(super) fn new(state: &SymbolState, catalogue: u32) -> Self {
        let mut row = Self {
            state: state.clone(),
            history: History::default(),
            tape: VecDeque::new(),
            shown: state.last,
            dirty: true,
            flashed_ms: f64::NEG_INFINITY,
            version: 0,
            signals: RowSignals {
                symbol: state.symbol.clone(),
                catalogue,
                name: state.name.clone(),
                decimals: state.decimals,
                last: ArcRwSignal::default(),
                change: ArcRwSignal::default(),
                change_percent: ArcRwSignal::default(),
                bid: ArcRwSignal::default(),
                ask: ArcRwSignal::default(),
                high: ArcRwSignal::default(),
                low: ArcRwSignal::default(),
                volume: ArcRwSignal::default(),
                flash: ArcRwSignal::default(),
            },
        };
        row.note_state();
        row
    }

    /// Whether the state is of this symbol, described the same way.
    pub(super) fn is_of(&self, state: &SymbolState) -> bool {
        self.state.symbol == state.symbol
            && self.state.name == state.name
            && self.state.decimals == state.decimals
    }

    pub(super) fn symbol(&self) -> &str {
        &self.state.symbol
    }

    pub(super) fn history(&self) -> &History {
        &self.history
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn tape(&self) -> Vec<Trade> {
        self.tape.iter().cloned().collect()
    }

    /// Takes over where the symbol stands; how it got there is not known.
    pub(super) fn replace(&mut self, state: &SymbolState) {
        self.state = state.clone();
        self.history.break_off();
        self.tape.clear();
        self.note_state();
        self.dirty = true;
    }

    /// The snapshot's last price is a point of the chart, too.
    fn note_state(&mut self) {
        if let (Some(time), Some(last)) = (self.state.time, self.state.last) {
            self.note(time, last);
        }
    }

    fn note(&mut self, time: Micros, price: Decimal) {
        self.version += 1;
        // Geometry is the one place for floating point.
        if let Some(price) = price.to_f64() {
            self.history.push(time as f64, price);
        }
    }

    /// Moves on by one tick; whether the row was clean before.
    pub(super) fn apply(&mut self, tick: &Tick) -> bool {
        self.state.apply(tick);
        self.note(tick.time, tick.price);
        self.tape.truncate(TAPE_LENGTH - 1);
        self.tape.push_front(Trade {
            seq: tick.seq,
            time: tick.time,
            price: tick.price,
            qty: tick.qty,
            side: tick.side,
            decimals: self.state.decimals,
        });
        !std::mem::replace(&mut self.dirty, true)
    }

    /// Sets the signals of the cells that changed, at `now_ms` of the browser's
    /// monotonic clock.
    pub(super) fn flush(&mut self, now_ms: f64) {
        self.dirty = false;
        let SymbolState {
            last,
            bid,
            ask,
            open,
            high,
            low,
            volume,
            ..
        } = &self.state;
        let change = last
            .zip(*open)
            .and_then(|(last, open)| last.checked_sub(open));
        let percent = change.zip(*open).and_then(|(change, open)| {
            let ratio = change
                .checked_mul(Decimal::ONE_HUNDRED)?
                .checked_div(open)?;
            Some(ratio.round_dp(2))
        });
        let signals = &self.signals;
        set_if_new(&signals.last, *last);
        set_if_new(&signals.change, change);
        set_if_new(&signals.change_percent, percent);
        set_if_new(&signals.bid, *bid);
        set_if_new(&signals.ask, *ask);
        set_if_new(&signals.high, *high);
        set_if_new(&signals.low, *low);
        set_if_new(&signals.volume, last.map(|_| *volume));
        if let (Some(shown), Some(last)) = (self.shown, *last)
            && shown != last
            && now_ms - self.flashed_ms >= FLASH_INTERVAL_MS
        {
            self.flashed_ms = now_ms;
            signals.flash.update(|flash| {
                let count = match flash {
                    Flash::None => 0,
                    Flash::Up(count) | Flash::Down(count) => count.wrapping_add(1),
                };
                *flash = if last > shown {
                    Flash::Up(count)
                } else {
                    Flash::Down(count)
                };
            });
        }
        self.shown = *last;
    }
}

fn set_if_new(signal: &ArcRwSignal<Option<Decimal>>, value: Option<Decimal>) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}
