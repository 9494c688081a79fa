//! A simulated market: each symbol has its own price, volatility and rate;
//! there are bursts of trades, clusters of volatility and correlated sectors.
//! The same seed gives the same trades.

mod arrivals;
mod catalogue;
mod chance;
mod factors;
mod market;
mod past;

use std::sync::Arc;

use shared::{FeedState, Span};
use tokio::time::{Instant, sleep_until};

use self::market::Market;
use self::past::{MadePast, Origin, Past};
use super::{About, Feed, FeedSender, KnownPrice, Older, PastCandles, Running, Source};
use crate::catalogue::Catalogue;
use crate::clock;

/// What is simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct SimConfig {
    /// Which instruments.
    pub symbols: SimSymbols,
    /// Trades a second over all instruments, on average; above 0.
    pub rate: f64,
    /// The average number of changes of the best bid and ask between two
    /// trades; 0 for trades only.
    pub quotes: f64,
    /// The seed of the random numbers.
    pub seed: u64,
    /// Whether prices continue from those of an earlier run that was stored;
    /// otherwise only the seed determines what happens.
    pub goes_on: bool,
    /// Whether instruments that are new begin with a past.
    pub past: bool,
}

/// Which instruments are simulated; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SimSymbols {
    /// This many instruments of the catalogue; when it is used up, generated
    /// ones.
    First(usize),
    /// These symbols; those that are not in the catalogue are generated.
    Named(Vec<String>),
}

/// At most this many events are sent to the market at once, so that a late
/// wake-up of the task does not make one huge batch.
const BATCH_EVENTS: usize = 1024;
/// A simulation that is later than this does not catch up: it continues from
/// now. The same applies when the wall clock was set, or when the machine was
/// suspended and the monotonic clock did not advance meanwhile.
const LATEST: Span = Span::SECOND;
/// For smaller differences, the most that it adjusts to the wall clock for each
/// batch.
const FOLLOW: Span = Span::from_micros(500);

/// The past of more instruments is made when it is asked for: it would take too
/// much time and memory at the start.
const AT_ONCE_MAX: usize = 200;

/// The feed's name.
const NAME: &str = "sim";

/// A simulated market, ready to run in real time.
#[derive(Debug)]
struct Sim {
    market: Market,
    config: SimConfig,
    /// Of a market with many instruments.
    older: Option<Arc<MadePast>>,
}

/// A market at its start.
pub(super) fn open(config: &SimConfig) -> (Catalogue, Feed) {
    let market = Market::new(config);
    let traded = market.traded().iter();
    let instruments = traded.map(|traded| traded.parameters.instrument());
    let catalogue = Catalogue::new(instruments.collect());
    let about = About {
        name: NAME.to_owned(),
        label: "simulated".to_owned(),
        headline: if config.goes_on {
            "Simulated prices, which go on where they stood; anew with a --seed".to_owned()
        } else {
            let seed = config.seed;
            format!("Simulated prices; the same again with --seed {seed}")
        },
        trades_per_second: config.rate,
        goes_on: true,
        state: FeedState::Live,
    };
    let is_large = market.traded().len() > AT_ONCE_MAX;
    let older = (config.past && is_large).then(|| {
        let (seed, began) = (config.seed, clock::now());
        Arc::new(MadePast::new(config, Origin { seed, began }))
    });
    let source = Box::new(Sim {
        market,
        config: config.clone(),
        older,
    });
    (catalogue, Feed::new(about, source))
}

impl Source for Sim {
    fn go_on_from(&mut self, prices: &[Option<KnownPrice>]) {
        if self.config.goes_on {
            let prices = prices.iter().map(|known| Some(known.as_ref()?.price));
            self.market.start_at(&prices.collect::<Vec<_>>());
        }
    }

    fn set_origin(&mut self, origin: &str) {
        if self.older.is_none() {
            // Its past is made at the start.
            return;
        }
        if let Ok(origin) = serde_json::from_str(origin) {
            self.older = Some(Arc::new(MadePast::new(&self.config, origin)));
        } else {
            tracing::warn!(
                origin,
                "the store's past is of another version, and left out"
            );
        }
    }

    fn origin(&self) -> Option<String> {
        let origin = self.older.as_ref()?.origin;
        serde_json::to_string(&origin).ok()
    }

    fn older(&self) -> Option<Arc<dyn Older>> {
        let older = self.older.clone()?;
        Some(older)
    }

    fn past(&self, instruments: &[usize]) -> Vec<PastCandles> {
        if !self.config.past || self.older.is_some() || instruments.is_empty() {
            return instruments.iter().map(|_| PastCandles::default()).collect();
        }
        let past = Past::new(self.config.seed, clock::now());
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = instruments.len().div_ceil(threads);
        std::thread::scope(|scope| {
            let (market, past) = (&self.market, &past);
            let workers: Vec<_> = instruments
                .chunks(share)
                .map(|share| scope.spawn(move || market.past(past, share)))
                .collect();
            let made = workers.into_iter().filter_map(|worker| worker.join().ok());
            made.flatten().collect()
        })
    }

    fn run(self: Box<Self>, sender: FeedSender) -> Running {
        Box::pin(self.play(sender))
    }
}

impl Sim {
    async fn play(mut self, mut sender: FeedSender) {
        let mut start = Instant::now();
        let mut start_time = clock::now();
        let mut next = self.market.next_event();
        let mut latest = start_time;
        loop {
            let due = start + next.since_start().to_duration();
            sleep_until(due).await;
            let late = due.elapsed();
            let off = clock::now() - Span::from(late) - (start_time + next.since_start());
            if Span::from(late) > LATEST || off.abs() > LATEST {
                start += late;
                start_time = clock::now() - next.since_start();
            } else {
                // The clock drifts, or returns from where it was set.
                start_time += off.clamp(-FOLLOW, FOLLOW);
            }
            let elapsed = start.elapsed();
            let mut batch = Vec::new();
            while next.since_start().to_duration() <= elapsed && batch.len() < BATCH_EVENTS {
                let event = std::mem::replace(&mut next, self.market.next_event());
                latest = latest.max(start_time + event.since_start());
                batch.push(event.at(latest));
            }
            if sender.send(batch).await.is_err() {
                return;
            }
        }
    }
}
