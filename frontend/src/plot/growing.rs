//! Values that are computed from bars one by one.

use super::Bar;

/// A state to which bars are added in order of time, so that a new bar does not
/// cause all values to be computed again.
pub trait Step<T> {
    /// Adds the next bar; returns the value there.
    fn push(&mut self, bar: &Bar) -> T;
}

/// A [`Step`] whose state can be copied.
pub trait Growable<T>: Step<T> {
    /// A copy of the present state.
    fn copy(&self) -> Box<dyn Growable<T>>;
}

impl<T, S: Step<T> + Clone + 'static> Growable<T> for S {
    fn copy(&self) -> Box<dyn Growable<T>> {
        Box::new(self.clone())
    }
}

/// The values at all bars of a chart, one for each, updated bar by bar.
pub struct Growing<T> {
    new: Box<dyn Growable<T>>,
    /// The state after all bars but the newest, which may still change.
    closed: Box<dyn Growable<T>>,
    values: Vec<T>,
    /// The start of the first bar, which shows when older bars were added.
    first_us: f64,
}

impl<T> Growing<T> {
    /// No values yet; `new` is the state before the first bar.
    pub fn new(new: Box<dyn Growable<T>>) -> Self {
        Self {
            closed: new.copy(),
            new,
            values: Vec::new(),
            first_us: f64::NAN,
        }
    }

    /// The values at these bars. If bars were only added at the end, only the
    /// new ones are computed.
    pub fn update(&mut self, bars: &[Bar]) -> &[T] {
        let first_us = bars.first().map_or(f64::NAN, |bar| bar.time);
        if first_us != self.first_us || bars.len() < self.values.len() {
            self.closed = self.new.copy();
            self.values.clear();
            self.first_us = first_us;
        }
        // The newest value was computed from an open bar.
        self.values.pop();
        let Some((newest, closed)) = bars.split_last() else {
            return &self.values;
        };
        for bar in &closed[self.values.len()..] {
            let value = self.closed.push(bar);
            self.values.push(value);
        }
        self.values.push(self.closed.copy().push(newest));
        &self.values
    }

    /// The values as last updated.
    pub fn values(&self) -> &[T] {
        &self.values
    }
}
