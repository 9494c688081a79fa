//! The past of a simulated market: candles from before its first trade, of the
//! same model, that end at the price at which it begins.
//!
//! The chance of a symbol's past comes from the seed and the symbol, that of
//! what the members of a sector share from the seed and the sector. So the past
//! of a symbol can be made by itself, and is the same each time.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Poisson};
use serde::{Deserialize, Serialize};
use shared::{Candle, Decimal, Interval, Span, Time};
use tokio::task::spawn_blocking;

use super::SimConfig;
use super::catalogue::{Parameters, SECTORS};
use super::chance::chance;
use super::factors::{Factor, normal};
use super::market::{MEAN_QTY, Market, VARIANCE_QTY, YEAR_S, quantity};
use crate::feed::{Older, OlderError, PastCandles};

/// How far back bars of a length are made, the longest first; and where the
/// first of them begins: with a bar of the next longer one.
const REACH: [(Interval, Span, Interval); 4] = [
    (Interval::D1, Span::from_seconds(730 * 86_400), Interval::D1),
    (Interval::H1, Span::from_seconds(90 * 86_400), Interval::D1),
    (Interval::M1, Span::from_seconds(3 * 86_400), Interval::H1),
    (Interval::S1, Span::from_seconds(600), Interval::M1),
];
/// Over longer steps the mean of the volatility's square is taken for 1.
const STEP_MAX_S: f64 = 10.0;
/// The quantities of so many trades are drawn one by one; of more, their sum is
/// as good as normal.
const DRAWN_MAX: u64 = 30;

/// What determines a past, besides the instruments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// The seed of the market whose past it is.
    pub(super) seed: u64,
    /// When that began.
    pub(super) began: Time,
}

/// A past that is made when it is asked for.
#[derive(Debug)]
pub(super) struct MadePast {
    pub(super) origin: Origin,
    made_of: Arc<(Past, Market)>,
}

impl MadePast {
    /// The past of such a market with this origin.
    pub(super) fn new(config: &SimConfig, origin: Origin) -> Self {
        let market = Market::new(&SimConfig {
            seed: origin.seed,
            ..config.clone()
        });
        let past = Past::new(origin.seed, origin.began);
        Self {
            origin,
            made_of: Arc::new((past, market)),
        }
    }
}

impl Older for MadePast {
    fn until(&self) -> Time {
        self.origin.began
    }

    fn before(
        &self,
        instrument: usize,
        interval: Interval,
        first: Time,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Candle>, OlderError>> {
        let made_of = Arc::clone(&self.made_of);
        // It takes milliseconds.
        let make = move || {
            let (past, market) = &*made_of;
            let made = market.past(past, &[instrument]).pop();
            let mut bars = std::mem::take(&mut made.unwrap_or_default()[interval as usize]);
            bars.retain(|bar| bar.time <= first);
            bars.split_off(bars.len().saturating_sub(limit))
        };
        Box::pin(async move {
            let made = spawn_blocking(make).await;
            made.map_err(|error| OlderError(error.to_string()))
        })
    }
}

/// What the past is made of.
#[derive(Debug)]
pub(super) struct Past {
    seed: u64,
    steps: Vec<Step>,
    /// By sector, what its members share in each step.
    sectors: Vec<Vec<Shared>>,
}

/// One of the bars that are drawn; longer ones are their sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    start: Time,
    interval: Interval,
}

/// What the members of a sector share in a step.
#[derive(Clone, Copy, Debug)]
struct Shared {
    /// How much market time passes, in seconds; see [`Factor`].
    passed: f64,
    /// The step of the random walk in market time.
    walk: f64,
}

impl Past {
    /// The past of a market of this seed that begins at `end`.
    pub(super) fn new(seed: u64, end: Time) -> Self {
        let steps = steps_until(Interval::S1.start_of(end));
        let sectors = (0..SECTORS.len()).map(|sector| {
            let mut rng = chance(seed, &format!("sector {sector}"));
            let mut factor = Factor::new(&mut rng);
            steps
                .iter()
                .map(|step| step.shared(&mut factor, &mut rng))
                .collect()
        });
        Self {
            seed,
            sectors: sectors.collect(),
            steps,
        }
    }

    /// The candles of a symbol that trades this often in a second, on average.
    pub(super) fn candles(&self, p: &Parameters, log_price: f64, rate: f64) -> PastCandles {
        let mut rng = chance(self.seed, &p.symbol);
        let shared = &self.sectors[p.sector];
        let correlation = SECTORS[p.sector].correlation;
        let unit = p.volatility / YEAR_S.sqrt();
        let moves: Vec<f64> = self
            .steps
            .iter()
            .zip(shared)
            .map(|(step, shared)| {
                let own = shared.passed.sqrt() * normal(&mut rng);
                let walk = correlation.sqrt() * shared.walk + (1.0 - correlation).sqrt() * own;
                p.drift * step.seconds() / YEAR_S + unit * walk
            })
            .collect();
        let mut value = log_price - moves.iter().sum::<f64>();
        let mut candles = PastCandles::default();
        for ((step, shared), step_up) in self.steps.iter().zip(shared).zip(moves) {
            let (from, to) = (value, value + step_up);
            value = to;
            let path = Path {
                from,
                to,
                deviation: unit * shared.passed.sqrt(),
            };
            let trades = count(rate * step.seconds(), &mut rng);
            if trades > 0 {
                let bar = path.bar(p, step.start, trades, &mut rng);
                add(&mut candles, step.interval, &bar);
            }
        }
        candles
    }
}

/// The bars that are drawn, oldest first, without a gap.
fn steps_until(end: Time) -> Vec<Step> {
    let begins = REACH.map(|(_, reach, within)| within.start_of(end - reach));
    let mut steps = Vec::new();
    for (at, (interval, ..)) in REACH.into_iter().enumerate() {
        let until = begins.get(at + 1).copied().unwrap_or(end);
        let mut start = begins[at];
        while start < until {
            steps.push(Step { start, interval });
            start += interval.span();
        }
    }
    steps
}

/// Adds a bar to the series of its length, and to those of longer ones.
fn add(candles: &mut PastCandles, interval: Interval, bar: &Candle) {
    for longer in Interval::ALL
        .into_iter()
        .filter(|longer| *longer >= interval)
    {
        let start = longer.start_of(bar.time);
        let series = &mut candles[longer as usize];
        match series.last_mut().filter(|newest| newest.time == start) {
            Some(newest) => newest.join(bar),
            None => series.push(Candle {
                time: start,
                ..bar.clone()
            }),
        }
    }
}

impl Step {
    fn seconds(self) -> f64 {
        self.interval.span().seconds()
    }

    fn shared(self, factor: &mut Factor, rng: &mut ChaCha8Rng) -> Shared {
        let seconds = self.seconds();
        // Calm and storm come and go within minutes.
        if self.interval > Interval::M1 {
            return Shared {
                passed: seconds,
                walk: seconds.sqrt() * normal(rng),
            };
        }
        let (before_s, before) = (factor.market_time_s, factor.walk);
        let mut left = seconds;
        while left > 0.0 {
            factor.advance_by(left.min(STEP_MAX_S), rng);
            left -= STEP_MAX_S;
        }
        Shared {
            passed: factor.market_time_s - before_s,
            walk: factor.walk - before,
        }
    }
}

/// The way of a log price in a step.
struct Path {
    from: f64,
    to: f64,
    /// The standard deviation of the step's end.
    deviation: f64,
}

impl Path {
    fn bar(&self, p: &Parameters, start: Time, trades: u64, rng: &mut ChaCha8Rng) -> Candle {
        let open = self.traded(p, self.from, rng);
        let close = self.traded(p, self.to, rng);
        let close = if trades == 1 { open } else { close };
        let (mut high, mut low) = (open.max(close), open.min(close));
        if trades > 2 {
            high = high.max(self.traded(p, self.extreme(1.0, rng), rng));
            low = low.min(self.traded(p, self.extreme(-1.0, rng), rng));
        }
        let price = |units: i64| Decimal::new(units, p.decimals);
        Candle {
            time: start,
            open: price(open),
            high: price(high),
            low: price(low),
            close: price(close),
            volume: volume(p, trades, rng),
            trades,
        }
    }

    /// The highest value of a Brownian bridge (`sign` 1), or the lowest (-1), by
    /// the inverse of its distribution, `P(max > m) = exp(-2 (m-a)(m-b) / σ²)`:
    /// Karatzas and Shreve, "Brownian Motion and Stochastic Calculus", 4.3.40.
    /// That the two depend on each other is left out.
    fn extreme(&self, sign: f64, rng: &mut ChaCha8Rng) -> f64 {
        let (a, b) = (self.from, self.to);
        let chance: f64 = 1.0 - rng.random::<f64>();
        let square = (b - a).powi(2) - 2.0 * self.deviation.powi(2) * chance.ln();
        f64::midpoint(a, b) + sign * square.sqrt() / 2.0
    }

    /// The price of a trade at this value, in units of the last decimal: the bid
    /// or the ask.
    fn traded(&self, p: &Parameters, value: f64, rng: &mut ChaCha8Rng) -> i64 {
        let (bid, ask) = p.quote(value, 1.0);
        if rng.random_bool(0.5) { bid } else { ask }
    }
}

/// How many trades there are where so many are expected.
fn count(expected: f64, rng: &mut ChaCha8Rng) -> u64 {
    match Poisson::new(expected) {
        Ok(distribution) => distribution.sample(rng) as u64,
        // There are none in no time.
        Err(_) => 0,
    }
}

/// The quantity of so many trades.
fn volume(p: &Parameters, trades: u64, rng: &mut ChaCha8Rng) -> Decimal {
    if trades <= DRAWN_MAX {
        return (0..trades).map(|_| quantity(p, rng)).sum();
    }
    let count = trades as f64;
    let sum = MEAN_QTY * count + (VARIANCE_QTY * count).sqrt() * normal(rng);
    let units = p.qty_min * sum.max(count) * 10f64.powi(p.qty_decimals.cast_signed());
    Decimal::new(units.round() as i64, p.qty_decimals)
}

#[cfg(test)]
mod tests;
