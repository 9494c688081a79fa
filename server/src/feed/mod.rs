//! The sources of prices. A feed turns a source into [`FeedEvent`]s and does
//! not know its readers. Only this module knows which feeds exist.
//!
//! To add a feed, implement [`Source`], add a variant to [`FeedConfig`], and
//! give it a name for `--feed`.

mod backoff;
mod config;
mod event;
mod exchange;
mod mirror;
mod older;
mod relay;
mod replay;
mod sender;
mod sim;
mod symbol;
mod upstream_bars;

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::catalogue::Catalogue;
use crate::kept::Kept;
use futures_util::future::BoxFuture;
use shared::{Candle, Checkpoint, Decimal, FeedState, FeedStatus, Interval, Time};
use tempfile::TempDir;
use tokio::sync::mpsc;

pub use config::FeedConfig;
pub use event::{FeedEvent, History, PastCandles, Quote, StateChange, Trade};
pub use exchange::{ExchangeConfig, ExchangeError, VenueConfig, WantedSymbol, venue_names};
pub(crate) use mirror::Heir;
pub use mirror::{Mirror, MirrorEvent, MirrorSender, Unreached, Upstream};
pub(crate) use older::OlderBars;
pub(crate) use relay::{Places, Unfit};
pub use relay::{RelayConfig, RelayError, UpstreamAddress};
pub use replay::{
    Order, RecordingError, Remote, ReplayConfig, ReplayError, Speed, SpeedError, Stopped,
};
pub use sender::{FeedSender, Gone};
pub use sim::{SimConfig, SimSymbols};
pub use symbol::is_symbol;
pub(crate) use upstream_bars::UpstreamBars;

/// A feed is never reported silent before this time.
const SILENCE_LEAST: Duration = Duration::from_secs(60);
/// And not before the time in which this many trades should have come: by
/// chance, such a gap never happens.
const SILENCE_GAPS: f64 = 30.0;

/// Why a source cannot be opened, in one line.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A file that cannot be replayed.
    #[error("--feed replay: {0}")]
    Replay(#[from] ReplayError),
    /// An exchange that cannot be followed.
    #[error("--feed {0}")]
    Exchange(#[from] ExchangeError),
    /// A server that cannot be mirrored.
    #[error("--feed tickwire: {0}")]
    Relay(#[from] RelayError),
    /// The task that opens the source was aborted or panicked.
    #[error("--feed: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// What a feed reports about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// Its name in `status` messages, and in the store.
    pub name: String,
    /// A short label of its prices for users, as in `simulated`.
    pub label: String,
    /// A sentence that is shown when the server starts.
    pub headline: String,
    /// A lower bound for its average number of trades a second.
    pub trades_per_second: f64,
    /// Whether its time continues from one run to the next. A replay starts
    /// over with the file's first bar.
    pub goes_on: bool,
    /// Its state at the start.
    pub state: FeedState,
}

impl About {
    /// How long it may be silent while it is live: a minute, or many times the
    /// average gap between two trades if that is longer.
    pub fn longest_silence(&self) -> Duration {
        let gaps_s = SILENCE_GAPS / self.trades_per_second;
        SILENCE_LEAST.max(Duration::try_from_secs_f64(gaps_s).unwrap_or(Duration::MAX))
    }
}

/// Which of a market's trades are in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownTrades {
    /// The identifier after the last of those without a gap.
    pub next: u64,
    /// The identifiers of later ones.
    pub ahead: BTreeSet<u64>,
}

/// Where the prices of an instrument ended in an earlier run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPrice {
    /// The last price.
    pub price: Decimal,
    /// The start of the newest candle of a second, if there is one.
    pub second: Option<Time>,
    /// Its trades, if the same log goes on and they have identifiers.
    pub trades: Option<KnownTrades>,
}

/// A feed that is open and not yet started.
pub struct Feed {
    about: About,
    kind: Kind,
    /// The folder that its files are in, if they are there only for it.
    folder: Option<TempDir>,
}

/// Who numbers a feed's entries.
enum Kind {
    /// This server.
    Source(Box<dyn Source>),
    /// Another one.
    Mirror(Box<dyn Mirror>),
}

/// The future that sends a feed's events. It completes when the source has
/// ended, or when the receiver is gone.
pub type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A past that is fetched or made when it is asked for, and is the same each time.
pub trait Older: fmt::Debug + Send + Sync {
    /// Of candles that begin before this, a part may be older than what this server
    /// has of them.
    fn until(&self) -> Time;

    /// Whether it also knows better what a store of this server has.
    fn replaces_store(&self) -> bool {
        false
    }

    /// The newest `limit` candles of the instrument with this index that begin before
    /// `first`, oldest first. If the candle that begins at `first` has such an older
    /// part, that part is the last of them.
    ///
    /// # Errors
    ///
    /// The source has them, and does not give them now.
    fn before(
        &self,
        instrument: usize,
        interval: Interval,
        first: Time,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Candle>, OlderError>>;
}

/// Why older candles cannot be given now, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OlderError(pub String);

/// A source of events.
pub trait Source: Send {
    /// Passes what [`Source::origin`] was in the run that began the store.
    fn set_origin(&mut self, _origin: &str) {}

    /// What a later run has to know to make the same past, in words of the
    /// source. `None` if all of the past is passed at the start.
    fn origin(&self) -> Option<String> {
        None
    }

    /// The past that is made when it is asked for.
    fn older(&self) -> Option<Arc<dyn Older>> {
        None
    }

    /// Passes the prices at which an earlier run ended: one for each instrument
    /// that has one.
    fn go_on_from(&mut self, _prices: &[Option<KnownPrice>]) {}

    /// Makes the past of these instruments, which have none yet, in their order.
    fn past(&self, instruments: &[usize]) -> Vec<PastCandles> {
        instruments.iter().map(|_| PastCandles::default()).collect()
    }

    /// How people reach it, if it is a replay.
    fn remote(&self) -> Option<Remote> {
        None
    }

    /// Sends events until the source ends or the receiver is gone. A source
    /// that ends by itself reports that in a [`StateChange`].
    fn run(self: Box<Self>, sender: FeedSender) -> Running;
}

/// Opens a feed, which may take time. Returns its instruments and the feed.
///
/// # Errors
///
/// The source cannot be used.
pub async fn open(config: &FeedConfig) -> Result<(Catalogue, Feed), FeedError> {
    match config {
        FeedConfig::Sim(config) => Ok(sim::open(config)),
        FeedConfig::Replay(config) => replay::open(config.clone()).await,
        FeedConfig::Exchange(config) => Ok(exchange::open(config.clone()).await?),
        FeedConfig::Relay(config) => Ok(relay::open(config.clone()).await?),
    }
}

impl Feed {
    /// A feed of this source.
    fn new(about: About, source: Box<dyn Source>) -> Self {
        Self {
            about,
            kind: Kind::Source(source),
            folder: None,
        }
    }

    /// A feed that mirrors another server.
    fn of_mirror(about: About, mirror: Box<dyn Mirror>) -> Self {
        Self {
            about,
            kind: Kind::Mirror(mirror),
            folder: None,
        }
    }

    fn source(&self) -> Option<&dyn Source> {
        match &self.kind {
            Kind::Source(source) => Some(&**source),
            Kind::Mirror(_) => None,
        }
    }

    fn source_mut(&mut self) -> Option<&mut (dyn Source + 'static)> {
        match &mut self.kind {
            Kind::Source(source) => Some(&mut **source),
            Kind::Mirror(_) => None,
        }
    }

    /// The other server, if one is mirrored.
    pub fn mirror(&self) -> Option<&dyn Mirror> {
        match &self.kind {
            Kind::Source(_) => None,
            Kind::Mirror(mirror) => Some(&**mirror),
        }
    }

    /// Where its log begins, if it goes on from another server's.
    pub(crate) fn checkpoint(&self) -> Option<&Checkpoint> {
        Some(self.mirror()?.checkpoint())
    }

    /// Keeps the folder of its files as long as it runs.
    pub(crate) fn keep(&mut self, folder: TempDir) {
        self.folder = Some(folder);
    }

    /// What it reports about itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Its state at the start.
    pub fn status(&self) -> FeedStatus {
        if let Some(checkpoint) = self.checkpoint() {
            return checkpoint.feed.clone();
        }
        FeedStatus {
            feed: self.about.name.clone(),
            label: self.about.label.clone(),
            state: self.about.state,
            detail: String::new(),
            retry_ms: None,
            replay: self.remote().map(|remote| remote.standing().status),
            venues: Vec::new(),
        }
    }

    /// Passes the prices at which an earlier run ended: one for each instrument
    /// that has one.
    pub fn go_on_from(&mut self, prices: &[Option<KnownPrice>]) {
        if let Some(source) = self.source_mut() {
            source.go_on_from(prices);
        }
    }

    /// Passes what [`Feed::origin`] was in the run that began the store.
    pub fn set_origin(&mut self, origin: &str) {
        if let Some(source) = self.source_mut() {
            source.set_origin(origin);
        }
    }

    /// What a later run has to know to make the same past.
    pub fn origin(&self) -> Option<String> {
        self.source()?.origin()
    }

    /// The past that is made when it is asked for.
    pub fn older(&self) -> Option<Arc<dyn Older>> {
        match &self.kind {
            Kind::Source(source) => source.older(),
            Kind::Mirror(mirror) => Some(mirror.older()),
        }
    }

    /// Makes the past of these instruments, which have none yet, in their order.
    pub fn past(&self, instruments: &[usize]) -> Vec<PastCandles> {
        match self.source() {
            Some(source) => source.past(instruments),
            None => Vec::new(),
        }
    }

    /// How people reach it, if it is a replay.
    pub fn remote(&self) -> Option<Remote> {
        self.source()?.remote()
    }

    /// Starts a feed alone, without a server: what it sends; nothing of one that mirrors
    /// another server. It ends when nobody receives it any more.
    pub fn start_alone(self) -> mpsc::Receiver<Vec<FeedEvent>> {
        let (sender, events) = FeedSender::new(None);
        if let Kind::Source(source) = self.kind {
            let folder = self.folder;
            tokio::spawn(async move {
                let _folder = folder;
                source.run(sender).await;
            });
        }
        events
    }

    /// Starts it: what it sends, and the future that sends it until the source ends
    /// or the receiver is gone. `kept` is what the store has of trades, if there is
    /// one; what a mirror begins anew with goes to the heir.
    pub(crate) fn start(self, kept: Option<Arc<Kept>>, heir: Arc<dyn Heir>) -> (Events, Running) {
        let (events, running) = match self.kind {
            Kind::Source(source) => {
                let (sender, events) = FeedSender::new(kept);
                (Events::Own(events), source.run(sender))
            }
            Kind::Mirror(mirror) => {
                let (sender, events) = MirrorSender::new(heir);
                (Events::Mirrored(events), mirror.run(sender))
            }
        };
        let folder = self.folder;
        let running = Box::pin(async move {
            let _folder = folder;
            running.await;
        });
        (events, running)
    }
}

/// What a feed sends.
pub(crate) enum Events {
    /// What is to be numbered here.
    Own(mpsc::Receiver<Vec<FeedEvent>>),
    /// What is numbered already.
    Mirrored(mpsc::Receiver<MirrorEvent>),
}

impl fmt::Debug for Feed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Feed")
            .field("about", &self.about)
            .finish_non_exhaustive()
    }
}
