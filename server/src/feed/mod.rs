//! Where prices come from. A feed turns a source into [`FeedEvent`]s and knows
//! nothing of who reads them.

mod replay;
mod sim;
mod symbol;

use std::time::Duration;

use shared::Decimal;
use shared::{FeedState, FeedStatus, Instrument, Side, Tick, Time};
use tokio::sync::mpsc;

pub use replay::{Bar, Replay, ReplayError};
pub use sim::{Sim, SimConfig, SimSymbols};
pub use symbol::is_symbol;

/// Where a feed's events go: batches, in the order of their time.
///
/// Bounded by [`CHANNEL_BATCHES`]; when the market is slower than its feed,
/// the feed waits.
pub type FeedSender = mpsc::Sender<Vec<FeedEvent>>;

/// How many batches may wait between a feed and the market.
pub const CHANNEL_BATCHES: usize = 64;

/// The feeds' names.
const SIM: &str = "sim";
const REPLAY: &str = "replay";

/// No feed is called silent sooner.
const SILENCE_LEAST: Duration = Duration::from_secs(60);
/// Nor before so many trades should have come: by chance that never happens.
const SILENCE_GAPS: f64 = 30.0;

/// Something that happened at the source.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedEvent {
    /// A trade.
    Trade(Trade),
    /// A change of the best bid and ask.
    Quote(Quote),
    /// The feed's state changed.
    State(StateChange),
}

/// What a feed does from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// Whether prices come.
    pub state: FeedState,
    /// In words: why, or what of.
    pub detail: String,
    /// When the feed will try again, if it does.
    pub retry: Option<Duration>,
}

/// A trade as its source tells it, before the log numbers it.
#[derive(Clone, Debug, PartialEq)]
pub struct Trade {
    /// Index into [`Feed::instruments`].
    pub instrument: usize,
    /// The source's time of the trade.
    pub time: Time,
    /// When this server took it in; `None` where that is `time` by definition.
    pub at: Option<Time>,
    /// What the source calls it, if it has names for trades.
    pub id: Option<String>,
    /// The price of the trade.
    pub price: Decimal,
    /// How much was traded.
    pub qty: Decimal,
    /// The aggressor's side, if the source says.
    pub side: Option<Side>,
    /// The best bid after the trade, if the source has quotes.
    pub bid: Option<Decimal>,
    /// The best ask after the trade, if the source has quotes.
    pub ask: Option<Decimal>,
}

impl Trade {
    /// As the log has it, still without its number.
    pub fn into_tick(self, symbol: String) -> Tick {
        Tick::Trade(shared::Trade {
            seq: 0,
            symbol,
            time: self.time,
            at: self.at.filter(|at| *at != self.time),
            id: self.id,
            price: self.price,
            qty: self.qty,
            side: self.side,
            bid: self.bid,
            ask: self.ask,
        })
    }
}

/// The best bid and ask from now on, as the source tells them. A side on which
/// nobody quotes is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// Index into [`Feed::instruments`].
    pub instrument: usize,
    /// The source's time of the change.
    pub time: Time,
    /// When this server took it in; `None` where that is `time` by definition.
    pub at: Option<Time>,
    /// The highest price that somebody pays.
    pub bid: Option<Decimal>,
    /// How much is bid for at that price, if the source says.
    pub bid_qty: Option<Decimal>,
    /// The lowest price that somebody sells at.
    pub ask: Option<Decimal>,
    /// How much is on offer at that price, if the source says.
    pub ask_qty: Option<Decimal>,
}

impl Quote {
    /// As the log has it, still without its number.
    pub fn into_tick(self, symbol: String) -> Tick {
        Tick::Quote(shared::Quote {
            seq: 0,
            symbol,
            time: self.time,
            at: self.at.filter(|at| *at != self.time),
            bid: self.bid,
            bid_qty: self.bid_qty,
            ask: self.ask,
            ask_qty: self.ask_qty,
        })
    }
}

/// One of the sources that Tickwire knows.
#[derive(Debug)]
pub enum Feed {
    /// A simulated market.
    Sim(Box<Sim>),
    /// A file of daily bars.
    Replay(Replay),
}

impl Feed {
    /// The feed's name in `status` messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sim(_) => SIM,
            Self::Replay(_) => REPLAY,
        }
    }

    /// What it makes of prices, for people.
    fn label(&self) -> &'static str {
        match self {
            Self::Sim(_) => "simulated",
            Self::Replay(_) => "replayed",
        }
    }

    /// Its state as it begins.
    pub fn status(&self) -> FeedStatus {
        FeedStatus {
            feed: self.name().to_owned(),
            label: self.label().to_owned(),
            state: FeedState::Live,
            detail: String::new(),
            retry_ms: None,
        }
    }

    /// The catalogue: what [`Trade::instrument`] counts.
    pub fn instruments(&self) -> Vec<Instrument> {
        match self {
            Self::Sim(sim) => sim.instruments(),
            Self::Replay(replay) => vec![replay.instrument()],
        }
    }

    /// For how long nothing may come from it while it is live: a minute, or many
    /// times what lies between two of its trades.
    pub fn longest_silence(&self) -> Duration {
        let trades_per_second = match self {
            Self::Sim(sim) => sim.rate(),
            Self::Replay(replay) => replay.bars_per_second(),
        };
        SILENCE_LEAST.max(Duration::from_secs_f64(SILENCE_GAPS / trades_per_second))
    }

    /// Whether its time goes on from one run to the next. A replay begins again
    /// with the file's first bar.
    pub fn goes_on(&self) -> bool {
        match self {
            Self::Sim(_) => true,
            Self::Replay(_) => false,
        }
    }

    /// Tells where an earlier run left the prices: one for each instrument that
    /// has one. Only who makes prices up needs to know.
    pub fn go_on_from(&mut self, prices: impl Iterator<Item = Option<Decimal>>) {
        match self {
            Self::Sim(sim) => sim.go_on_from(prices),
            Self::Replay(_) => {}
        }
    }

    /// Sends events until the source ends or nobody listens any more.
    pub async fn run(self, sender: FeedSender) {
        match self {
            Self::Sim(sim) => sim.run(sender).await,
            Self::Replay(replay) => replay.run(sender).await,
        }
    }
}
