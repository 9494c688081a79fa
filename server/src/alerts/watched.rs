//! What the alerts of one instrument wait for.

use std::collections::BTreeSet;

use shared::{AlertSpec, Condition, Decimal, Micros, Tick};

use super::levels::Levels;
use super::limits::{AlertError, AlertId, WINDOWS_MAX};
use super::window::Window;

/// One instrument, as its alerts see it.
#[derive(Debug)]
pub(super) struct Watched {
    /// The price of the tick before.
    price: Option<Decimal>,
    /// When the newest tick was taken in.
    heard_at: Micros,
    /// Whether its source goes by the server's clock.
    is_by_clock: bool,
    /// Alerts on a price.
    levels: Levels,
    /// Alerts on a move, by the time within which: one window for all that
    /// have the same.
    windows: Vec<Window>,
    /// Those to be looked at with the next tick, whatever it is.
    next: BTreeSet<AlertId>,
}

impl Watched {
    /// An instrument that nobody watches yet, at the last price that is known.
    pub(super) fn new(price: Option<Decimal>) -> Self {
        Self {
            price,
            heard_at: 0,
            is_by_clock: true,
            levels: Levels::default(),
            windows: Vec::new(),
            next: BTreeSet::new(),
        }
    }

    /// Takes in a tick; adds the alerts that it may do something to, and
    /// returns the price before.
    pub(super) fn apply(&mut self, tick: &Tick, passed: &mut Vec<AlertId>) -> Option<Decimal> {
        let before = self.price.replace(tick.price);
        self.heard_at = self.heard_at.max(tick.at());
        self.is_by_clock = tick.at.is_none();
        if !self.levels.is_empty() {
            self.levels.passed(before, tick.price, passed);
        }
        for window in &mut self.windows {
            let before = window.apply(tick.time, tick.price);
            window.levels.passed(before, window.moved(), passed);
        }
        passed.extend(std::mem::take(&mut self.next));
        before
    }

    /// The newest price.
    pub(super) fn price(&self) -> Option<Decimal> {
        self.price
    }

    /// When the newest tick was taken in; 0 before the first.
    pub(super) fn heard_at(&self) -> Micros {
        self.heard_at
    }

    /// Times have jumped ahead by so much.
    pub(super) fn jump(&mut self, by: Micros) {
        if self.heard_at > 0 {
            self.heard_at += by;
        }
        if self.is_by_clock {
            self.windows.iter_mut().for_each(|window| window.jump(by));
        }
    }

    /// How far the price has moved within so many seconds, in per cent.
    pub(super) fn moved(&self, seconds: u32) -> Decimal {
        let window = self.windows.iter().find(|window| window.seconds == seconds);
        window.map_or(Decimal::ZERO, Window::moved)
    }

    /// Makes sure that such an alert can be watched, too.
    ///
    /// # Errors
    ///
    /// It would be one window too many.
    pub(super) fn check_room(&self, spec: &AlertSpec) -> Result<(), AlertError> {
        let Condition::Moves(moves) = &spec.condition else {
            return Ok(());
        };
        let known: Vec<u32> = self.windows.iter().map(|window| window.seconds).collect();
        if !spec.enabled || known.len() < WINDOWS_MAX || known.contains(&moves.window_s) {
            return Ok(());
        }
        Err(AlertError::TooManyWindows {
            symbol: spec.symbol.clone(),
            known,
        })
    }

    /// Looks at an alert with the next tick, whatever that is.
    pub(super) fn look_at_next_tick(&mut self, id: AlertId) {
        self.next.insert(id);
    }

    pub(super) fn insert(&mut self, id: AlertId, condition: &Condition) {
        match condition {
            Condition::Above(level) | Condition::Below(level) | Condition::Crosses(level) => {
                self.levels.insert(*level, id);
                // It may hold already.
                self.next.insert(id);
            }
            Condition::Moves(moves) => {
                let known = self.windows.iter_mut();
                let mut known = known.filter(|window| window.seconds == moves.window_s);
                match known.next() {
                    Some(window) => window.levels.insert(moves.percent, id),
                    None => {
                        let mut window = Window::new(moves.window_s);
                        window.levels.insert(moves.percent, id);
                        self.windows.push(window);
                    }
                }
                self.next.insert(id);
            }
            Condition::SilentS(_) => {}
        }
    }

    pub(super) fn remove(&mut self, id: AlertId, condition: &Condition) {
        self.next.remove(&id);
        match condition {
            Condition::Above(level) | Condition::Below(level) | Condition::Crosses(level) => {
                self.levels.remove(*level, id);
            }
            Condition::Moves(moves) => {
                for window in &mut self.windows {
                    if window.seconds == moves.window_s {
                        window.levels.remove(moves.percent, id);
                    }
                }
                self.windows.retain(|window| !window.levels.is_empty());
            }
            Condition::SilentS(_) => {}
        }
    }
}
