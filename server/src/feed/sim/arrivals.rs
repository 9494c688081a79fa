//! When trades happen: a Poisson process whose rate switches between calm and
//! burst, independently for each sector (a Markov-modulated Poisson process).

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};

/// Mean length of a burst and of the calm between two, in seconds.
const BURST_S: f64 = 2.0;
const CALM_S: f64 = 18.0;
/// The rate in a burst, as a multiple of the average rate.
const BURST_FACTOR: f64 = 3.0;
/// The rate in calm, chosen so that the average over time is 1.
const CALM_FACTOR: f64 = (BURST_S + CALM_S - BURST_FACTOR * BURST_S) / CALM_S;

/// The arrivals of all sectors, merged and in order.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// Seconds since the start.
    now_s: f64,
    sectors: Vec<State>,
}

#[derive(Debug)]
struct State {
    /// Trades a second, averaged over calm and burst.
    rate: f64,
    bursting: bool,
    /// When it next changes between calm and burst, in seconds since the start.
    switch_s: f64,
}

impl State {
    fn rate_now(&self) -> f64 {
        self.rate
            * if self.bursting {
                BURST_FACTOR
            } else {
                CALM_FACTOR
            }
    }

    fn switch(&mut self, rng: &mut ChaCha8Rng) {
        self.bursting = !self.bursting;
        let mean_s = if self.bursting { BURST_S } else { CALM_S };
        self.switch_s += mean_s * exponential(rng);
    }
}

impl Arrivals {
    /// Sectors with these average rates, in trades a second.
    pub(super) fn new(rates: &[f64], rng: &mut ChaCha8Rng) -> Self {
        let sectors = rates.iter().map(|&rate| {
            // Start in the stationary distribution of the process.
            let bursting = rng.random_bool(BURST_S / (BURST_S + CALM_S));
            let mean_s = if bursting { BURST_S } else { CALM_S };
            State {
                rate,
                bursting,
                switch_s: mean_s * exponential(rng),
            }
        });
        Self {
            now_s: 0.0,
            sectors: sectors.collect(),
        }
    }

    /// The time of the next trade, in seconds since the start, and its sector.
    pub(super) fn next(&mut self, rng: &mut ChaCha8Rng) -> (f64, usize) {
        loop {
            let rate: f64 = self.sectors.iter().map(State::rate_now).sum();
            let candidate_s = self.now_s + exponential(rng) / rate;
            let first_switch = self
                .sectors
                .iter_mut()
                .min_by(|a, b| a.switch_s.total_cmp(&b.switch_s))
                .filter(|state| state.switch_s < candidate_s);
            // The exponential distribution has no memory: at a switch the wait
            // is drawn anew with the new rate.
            if let Some(state) = first_switch {
                self.now_s = state.switch_s;
                state.switch(rng);
                continue;
            }
            self.now_s = candidate_s;
            return (candidate_s, self.pick(rng.random_range(0.0..rate)));
        }
    }

    /// The sector at position `mark` of a line, on which each sector has a
    /// length equal to its rate.
    fn pick(&self, mut mark: f64) -> usize {
        let busy = self.sectors.iter().rposition(|state| state.rate > 0.0);
        for (state, index) in self.sectors.iter().zip(0..) {
            mark -= state.rate_now();
            if mark < 0.0 {
                return index;
            }
        }
        // Rounding can leave a mark just beyond the end.
        busy.unwrap_or(0)
    }
}

pub(super) fn exponential(rng: &mut ChaCha8Rng) -> f64 {
    Exp1.sample(rng)
}
