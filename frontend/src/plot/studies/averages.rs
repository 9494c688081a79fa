//! Averages from which studies are made.

use std::collections::VecDeque;

use super::NONE;

/// The last values, for their mean and standard deviation.
#[derive(Clone, Debug)]
pub(super) struct Window {
    period: usize,
    values: VecDeque<f64>,
}

impl Window {
    pub(super) fn new(period: usize) -> Self {
        Self {
            period: period.max(1),
            values: VecDeque::new(),
        }
    }

    /// Adds a value; returns mean and standard deviation (of the population),
    /// once there are enough values. They are summed again each time: a running
    /// sum would drift over a long day.
    pub(super) fn push(&mut self, value: f64) -> (f64, f64) {
        if self.values.len() == self.period {
            self.values.pop_front();
        }
        self.values.push_back(value);
        if self.values.len() < self.period {
            return (NONE, NONE);
        }
        let count = self.period as f64;
        let mean = self.values.iter().sum::<f64>() / count;
        let squares = self.values.iter().map(|value| (value - mean).powi(2));
        (mean, (squares.sum::<f64>() / count).sqrt())
    }
}

/// An average that begins with the simple average of the first period, and then
/// gives each new value the same weight.
#[derive(Clone, Debug)]
pub(super) struct Weighted {
    period: f64,
    /// The weight of a new value.
    weight: f64,
    count: f64,
    value: f64,
}

impl Weighted {
    /// The exponential average: a new value weighs 2 / (period + 1).
    pub(super) fn exponential(period: usize) -> Self {
        Self::new(period, |period| 2.0 / (period + 1.0))
    }

    /// Wilder's average: a new value weighs 1 / period (Wilder, "New Concepts in
    /// Technical Trading Systems", 1978).
    pub(super) fn wilder(period: usize) -> Self {
        Self::new(period, |period| 1.0 / period)
    }

    fn new(period: usize, weight: fn(f64) -> f64) -> Self {
        let period = period.max(1) as f64;
        Self {
            period,
            weight: weight(period),
            count: 0.0,
            value: 0.0,
        }
    }

    /// Adds a value; returns the average, once there are enough values.
    pub(super) fn push(&mut self, value: f64) -> f64 {
        if self.count < self.period {
            self.count += 1.0;
            self.value += value / self.period;
            return if self.count < self.period {
                NONE
            } else {
                self.value
            };
        }
        self.value += (value - self.value) * self.weight;
        self.value
    }
}
