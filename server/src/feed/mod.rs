//! Where prices come from. A feed turns a source into [`FeedEvent`]s and knows
//! nothing of who reads them; nobody else knows which feeds there are.
//!
//! A new feed is a [`Source`] of its own, a variant of [`FeedConfig`], and what
//! `--feed` calls it.

mod event;
mod replay;
mod sim;
mod symbol;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use shared::{Decimal, FeedState, FeedStatus};
use tokio::sync::mpsc;

use crate::catalogue::Catalogue;

pub use event::{FeedEvent, History, Quote, StateChange, Trade};
pub use replay::{Bar, ReplayConfig, ReplayError};
pub use sim::{SimConfig, SimSymbols};
pub use symbol::is_symbol;

/// Where a feed's events go: batches, in the order of their time.
///
/// Bounded by [`CHANNEL_BATCHES`]; when the market is slower than its feed,
/// the feed waits.
pub type FeedSender = mpsc::Sender<Vec<FeedEvent>>;

/// How many batches may wait between a feed and the market.
pub const CHANNEL_BATCHES: usize = 64;

/// No feed is called silent sooner.
const SILENCE_LEAST: Duration = Duration::from_secs(60);
/// Nor before so many trades should have come: by chance that never happens.
const SILENCE_GAPS: f64 = 30.0;

/// Which feed, and how it is set.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedConfig {
    /// A simulated market.
    Sim(SimConfig),
    /// A file of daily bars.
    Replay(ReplayConfig),
}

/// A source that cannot be opened: one line.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A file that cannot be played.
    #[error("--feed replay: {0}")]
    Replay(#[from] ReplayError),
    /// What opens it broke off.
    #[error("--feed: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// What a feed says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// Its name in `status` messages, and in the store.
    pub name: &'static str,
    /// What it makes of prices, for people, as in `simulated`.
    pub label: &'static str,
    /// A sentence for who starts the server.
    pub headline: String,
    /// How many trades a second it has on average, at least.
    pub trades_per_second: f64,
    /// Whether its time goes on from one run to the next. A replay begins again
    /// with the file's first bar.
    pub goes_on: bool,
}

/// A feed that is open, and has not begun.
pub struct Feed {
    about: About,
    source: Box<dyn Source>,
}

/// How the events of a feed are sent: completes when the source has ended, or
/// nobody listens any more.
pub type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What sends a feed's events.
pub trait Source: Send {
    /// Tells where an earlier run left the prices: one for each instrument that
    /// has one. Only a source that makes prices up needs to know.
    fn go_on_from(&mut self, _prices: &[Option<Decimal>]) {}

    /// Sends events until the source ends or nobody listens any more. One that
    /// ends by itself says so in a [`StateChange`].
    fn run(self: Box<Self>, sender: FeedSender) -> Running;
}

/// Opens a feed, which may take time: the instruments that it has, and the feed.
///
/// # Errors
///
/// The source cannot be used.
pub async fn open(config: &FeedConfig) -> Result<(Catalogue, Feed), FeedError> {
    match config {
        FeedConfig::Sim(config) => Ok(sim::open(config)),
        FeedConfig::Replay(config) => replay::open(config.clone()).await,
    }
}

impl Feed {
    /// What it says of itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Its state as it begins.
    pub fn status(&self) -> FeedStatus {
        FeedStatus {
            feed: self.about.name.to_owned(),
            label: self.about.label.to_owned(),
            state: FeedState::Live,
            detail: String::new(),
            retry_ms: None,
        }
    }

    /// For how long nothing may come from it while it is live: a minute, or many
    /// times what lies between two of its trades.
    pub fn longest_silence(&self) -> Duration {
        let gaps_s = SILENCE_GAPS / self.about.trades_per_second;
        SILENCE_LEAST.max(Duration::try_from_secs_f64(gaps_s).unwrap_or(Duration::MAX))
    }

    /// Tells where an earlier run left the prices: one for each instrument that
    /// has one.
    pub fn go_on_from(&mut self, prices: &[Option<Decimal>]) {
        self.source.go_on_from(prices);
    }

    /// Sends events until the source ends or nobody listens any more.
    pub fn run(self, sender: FeedSender) -> Running {
        self.source.run(sender)
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Feed")
            .field("about", &self.about)
            .finish_non_exhaustive()
    }
}
