//! Several servers with one log: a stream of NATS JetStream.
//!
//! All of them run with the same settings. One has the lease: it reads the feed, judges
//! alerts and writes records into the stream. All of them, that one too, show only what
//! the stream has taken, so a cursor is good on each.

mod bus;
mod calls;
mod common;
mod config;
mod leading;
mod log;
mod member;
mod node;
mod older;
mod record;
mod saved;
mod seen;
mod standing;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use shared::Checkpoint;
use tokio::time::{Instant, sleep};

pub use self::bus::BusError;
use self::bus::{Bus, Extent};
use self::calls::Leader;
pub use self::config::{SharedLogConfig, SharedLogError};
use self::member::Member;
use self::older::MemberOlder;
use self::saved::Saved;
pub(crate) use self::standing::NodeStatus;
use crate::catalogue::Catalogue;
use crate::feed::{self, About, Feed, FeedConfig, FeedError, Upstream};

/// How long it takes until something is tried again.
const AGAIN: Duration = Duration::from_millis(300);
/// How often it is said that something does not work.
const SAY_AGAIN: Duration = Duration::from_secs(10);

/// Joins the servers that share a log. Returns once it is known where this one begins.
///
/// # Errors
///
/// NATS cannot be used, or nobody writes the log yet and the feed cannot be opened.
pub async fn join(
    log: &SharedLogConfig,
    name: &str,
    feed: &FeedConfig,
) -> Result<(Catalogue, Feed), FeedError> {
    let bus = connect(log).await;
    let status = Arc::new(NodeStatus::new(name));
    let leader = Arc::new(Leader::new(bus.clone(), Arc::clone(&status)));
    let seat = Seat {
        bus,
        feed: feed.clone(),
        leader,
        status,
    };
    seat.join(0).await
}

/// Connects to NATS as soon as that is there: servers of a cluster find each other first.
async fn connect(log: &SharedLogConfig) -> Bus {
    let mut said: Option<Instant> = None;
    loop {
        match Bus::connect(log).await {
            Ok(bus) => return bus,
            Err(error) if said.is_none_or(|said| said.elapsed() > SAY_AGAIN) => {
                tracing::warn!("--log {log}: {error}; it is tried again");
                said = Some(Instant::now());
            }
            Err(_) => {}
        }
        sleep(AGAIN).await;
    }
}

/// What a server keeps when it begins again.
#[derive(Clone, Debug)]
struct Seat {
    bus: Bus,
    feed: FeedConfig,
    leader: Arc<Leader>,
    status: Arc<NodeStatus>,
}

impl Seat {
    /// Candles of before this checkpoint.
    fn older(&self, checkpoint: Option<&Checkpoint>) -> Arc<MemberOlder> {
        let leader = Arc::clone(&self.leader) as Arc<dyn Upstream>;
        let status = Arc::clone(&self.status);
        Arc::new(MemberOlder::new(leader, status, checkpoint))
    }

    /// Where this server begins: at the newest checkpoint, which covers at least the
    /// stream's messages up to this one; or anew, if the stream cannot be followed from
    /// there.
    async fn join(self, least: u64) -> Result<(Catalogue, Feed), FeedError> {
        let mut said = Instant::now();
        loop {
            match self.newest(least).await {
                Ok(Newest::Good(saved)) => return Ok(self.following(*saved)),
                Ok(Newest::None) => return self.anew().await,
                Ok(Newest::Old) => {}
                Err(error) if said.elapsed() > SAY_AGAIN => {
                    tracing::warn!("{error}; it is tried again");
                    said = Instant::now();
                }
                Err(_) => {}
            }
            sleep(AGAIN).await;
        }
    }

    /// The newest checkpoint.
    async fn newest(&self, least: u64) -> Result<Newest, BusError> {
        let (extent, bytes) = (self.bus.extent().await?, self.bus.checkpoint().await?);
        let saved = bytes.and_then(|bytes| Saved::read(&bytes));
        Ok(match saved {
            Some(saved) if !saved.is_of(&extent) => Newest::None,
            Some(saved) if saved.message < least => Newest::Old,
            Some(saved) => Newest::Good(Box::new(saved)),
            None => Newest::None,
        })
    }

    fn following(self, saved: Saved) -> (Catalogue, Feed) {
        let Checkpoint {
            feed,
            instruments,
            cursor,
            ..
        } = &saved.checkpoint;
        let about = About {
            name: feed.feed.clone(),
            label: feed.label.clone(),
            headline: format!("Shares the log of {:?} from {cursor} on", self.bus),
            trades_per_second: saved.trades_per_second,
            goes_on: saved.goes_on,
            state: feed.state,
        };
        let catalogue = Catalogue::new(instruments.clone());
        let member = Member::following(self, saved);
        (catalogue, Feed::of_member(about, Box::new(member)))
    }

    async fn anew(self) -> Result<(Catalogue, Feed), FeedError> {
        let (catalogue, feed) = feed::open(&self.feed).await?;
        let about = feed.about().clone();
        let member = Member::anew(self, feed);
        Ok((catalogue, Feed::of_member(about, Box::new(member))))
    }
}

/// The newest checkpoint.
enum Newest {
    /// The stream can be followed from it.
    Good(Box<Saved>),
    /// A newer one will come.
    Old,
    /// There is none that fits the stream.
    None,
}

impl Saved {
    /// Whether the stream goes on from it.
    fn is_of(&self, extent: &Extent) -> bool {
        let has_next = extent.first <= self.message + 1;
        self.made == extent.made && self.message <= extent.last && has_next
    }
}
