//! What a sector's members share: a random walk and the level of volatility.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// The mean reversion rate of the log volatility, per second.
const REVERSION: f64 = 0.1;
/// The stationary variance of the log volatility.
const LOG_VARIANCE: f64 = 0.15;

/// A sector's shared state, advanced whenever one of its members trades or
/// quotes.
///
/// The log volatility `h` is an Ornstein-Uhlenbeck process, so calm and storm
/// come in clusters. `v = exp(h - var(h))` has a mean square of 1, so the
/// variance over long times is that of the parameters. The `market_time` is
/// the integral of `v²`; prices are Brownian motions in that time, which gives
/// the fat tails of real returns (a subordinated process: Clark, "A
/// Subordinated Stochastic Process Model with Finite Variance for Speculative
/// Prices", Econometrica 41, 1973).
#[derive(Debug, Default)]
pub(super) struct Factor {
    now_s: f64,
    log_volatility: f64,
    /// Seconds of market time since the start.
    pub(super) market_time_s: f64,
    /// A standard Brownian motion in market time.
    pub(super) walk: f64,
}

impl Factor {
    /// A factor at time 0, with a volatility drawn from the stationary
    /// distribution.
    pub(super) fn new(rng: &mut ChaCha8Rng) -> Self {
        Self {
            log_volatility: LOG_VARIANCE.sqrt() * normal(rng),
            ..Self::default()
        }
    }

    /// The current volatility; its root mean square is 1.
    pub(super) fn volatility(&self) -> f64 {
        (self.log_volatility - LOG_VARIANCE).exp()
    }

    /// Advances to `time_s`, in seconds since the start.
    pub(super) fn advance(&mut self, time_s: f64, rng: &mut ChaCha8Rng) {
        self.advance_by(time_s - self.now_s, rng);
        self.now_s = time_s;
    }

    /// Advances by so many seconds.
    pub(super) fn advance_by(&mut self, dt: f64, rng: &mut ChaCha8Rng) {
        let passed = dt * self.volatility().powi(2);
        self.market_time_s += passed;
        self.walk += passed.sqrt() * normal(rng);
        // The exact transition of the process, valid for steps of any length.
        let keep = (-REVERSION * dt).exp();
        let spread = (LOG_VARIANCE * (1.0 - keep * keep)).sqrt();
        self.log_volatility = keep * self.log_volatility + spread * normal(rng);
    }
}

pub(super) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}
