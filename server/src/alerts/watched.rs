//! The alerts of one instrument, indexed by what they wait for.

use std::collections::BTreeSet;

use shared::{AlertSpec, Condition, Decimal, Parameters, PriceKind, Span, Tick, Time};

use super::levels::Levels;
use super::limits::{AlertError, AlertId, WINDOWS_MAX};
use super::window::Window;

/// One instrument's prices and the alerts on them.
#[derive(Debug)]
pub(super) struct Watched {
    /// In the order of [`PriceKind::ALL`].
    prices: [WatchedPrice; PriceKind::ALL.len()],
    /// When the newest tick was received.
    heard_at: Time,
    /// Whether its source uses the server's clock.
    is_by_clock: bool,
    /// Alerts that wait for a tick, whatever it is.
    silent: BTreeSet<AlertId>,
}

/// One kind of price.
#[derive(Debug, Default)]
struct WatchedPrice {
    /// Its value after the tick before.
    value: Option<Decimal>,
    /// Alerts on a level.
    levels: Levels,
    /// Alerts on a move, by the length of their window; alerts with the same
    /// length share one.
    windows: Vec<Window>,
    /// Alerts to be checked at the next price, whatever it is.
    next: BTreeSet<AlertId>,
}

impl WatchedPrice {
    /// Applies a price; adds the alerts that it may concern to `passed`, and
    /// returns the price before.
    fn apply(&mut self, time: Time, price: Decimal, passed: &mut Vec<AlertId>) -> Option<Decimal> {
        let before = self.value.replace(price);
        if !self.levels.is_empty() {
            self.levels.passed(before, price, passed);
        }
        for window in &mut self.windows {
            let before = window.apply(time, price);
            window.levels.passed(before, window.moved(), passed);
        }
        passed.extend(std::mem::take(&mut self.next));
        before
    }

    fn insert(&mut self, id: AlertId, condition: &Condition) {
        match condition.parameters() {
            Parameters::Level(level) => self.levels.insert(level, id),
            Parameters::Moves(moves) => {
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
            }
            Parameters::Seconds(_) => return,
        }
        // The condition may hold already.
        self.next.insert(id);
    }

    fn remove(&mut self, id: AlertId, condition: &Condition) {
        self.next.remove(&id);
        match condition.parameters() {
            Parameters::Level(level) => self.levels.remove(level, id),
            Parameters::Moves(moves) => {
                for window in &mut self.windows {
                    if window.seconds == moves.window_s {
                        window.levels.remove(moves.percent, id);
                    }
                }
                self.windows.retain(|window| !window.levels.is_empty());
            }
            Parameters::Seconds(_) => {}
        }
    }
}

impl Watched {
    /// An instrument without alerts, at its last known price.
    pub(super) fn new(last: Option<Decimal>) -> Self {
        let mut prices = <[WatchedPrice; PriceKind::ALL.len()]>::default();
        prices[PriceKind::Last as usize].value = last;
        Self {
            prices,
            heard_at: Time::EPOCH,
            is_by_clock: true,
            silent: BTreeSet::new(),
        }
    }

    /// Records a tick. Returns the alerts that waited for one, whatever it is.
    pub(super) fn hear(&mut self, tick: &Tick) -> BTreeSet<AlertId> {
        self.heard_at = self.heard_at.max(tick.at());
        self.is_by_clock = tick.at() == tick.time();
        std::mem::take(&mut self.silent)
    }

    /// Applies a price of a tick with this `time`; adds the alerts that it may
    /// concern to `passed`, and returns the price before.
    pub(super) fn apply(
        &mut self,
        (kind, price): (PriceKind, Decimal),
        time: Time,
        passed: &mut Vec<AlertId>,
    ) -> Option<Decimal> {
        self.prices[kind as usize].apply(time, price, passed)
    }

    /// The price of the newest trade.
    pub(super) fn last(&self) -> Option<Decimal> {
        self.prices[PriceKind::Last as usize].value
    }

    /// When the newest tick was received; the epoch before the first.
    pub(super) fn heard_at(&self) -> Time {
        self.heard_at
    }

    /// Moves times by `by`, because the clock jumped ahead.
    pub(super) fn jump(&mut self, by: Span) {
        if self.heard_at > Time::EPOCH {
            self.heard_at += by;
        }
        if self.is_by_clock {
            let prices = self.prices.iter_mut();
            let windows = prices.flat_map(|price| &mut price.windows);
            windows.for_each(|window| window.jump(by));
        }
    }

    /// How far a price has moved within this many seconds, in per cent.
    pub(super) fn moved(&self, kind: PriceKind, seconds: u32) -> Decimal {
        let mut windows = self.prices[kind as usize].windows.iter();
        let window = windows.find(|window| window.seconds == seconds);
        window.map_or(Decimal::ZERO, Window::moved)
    }

    /// Checks that there is room for an alert with this specification.
    ///
    /// # Errors
    ///
    /// It would need one window too many.
    pub(super) fn check_room(&self, spec: &AlertSpec) -> Result<(), AlertError> {
        let Parameters::Moves(moves) = spec.condition.parameters() else {
            return Ok(());
        };
        let windows = self.prices[spec.on as usize].windows.iter();
        let known: Vec<u32> = windows.map(|window| window.seconds).collect();
        if !spec.enabled || known.len() < WINDOWS_MAX || known.contains(&moves.window_s) {
            return Ok(());
        }
        Err(AlertError::TooManyWindows {
            symbol: spec.symbol.clone(),
            known,
        })
    }

    /// Has an alert checked at the next tick that may concern it.
    pub(super) fn look_at_next(&mut self, id: AlertId, spec: &AlertSpec) {
        match spec.condition.parameters() {
            Parameters::Seconds(_) => self.silent.insert(id),
            Parameters::Level(_) | Parameters::Moves(_) => {
                self.prices[spec.on as usize].next.insert(id)
            }
        };
    }

    pub(super) fn insert(&mut self, id: AlertId, spec: &AlertSpec) {
        self.prices[spec.on as usize].insert(id, &spec.condition);
    }

    pub(super) fn remove(&mut self, id: AlertId, spec: &AlertSpec) {
        self.silent.remove(&id);
        self.prices[spec.on as usize].remove(id, &spec.condition);
    }
}
