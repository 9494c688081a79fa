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
mod look;
mod loss;
mod member;
mod missed;
mod node;
mod older;
mod reading;
mod record;
mod saved;
mod seen;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use shared::{Checkpoint, Epoch};
use tokio::time::{Instant, sleep};

use self::bus::{Bus, BusError, Extent};
use self::calls::Leader;
pub use self::config::{SharedLogConfig, SharedLogError};
pub(crate) use self::member::Member;
pub(crate) use self::missed::Missed;
use self::older::MemberOlder;
use self::saved::{Heritage, Saved};
use crate::catalogue::Catalogue;
use crate::feed::{self, About, FeedConfig, FeedError, Upstream};
use crate::standing::NodeStatus;

/// How long it takes until something is tried again.
const AGAIN: Duration = Duration::from_millis(300);
/// If nobody leads for so long, nobody keeps a newer checkpoint.
const LEADERLESS_MAX: Duration = Duration::from_secs(10);
/// How often it is said that something does not work.
const SAY_AGAIN: Duration = Duration::from_secs(10);

/// Joins the servers that share a log. Returns once it is known where this one begins.
///
/// # Errors
///
/// NATS cannot be used, or nobody writes the log yet and the feed cannot be opened.
pub(crate) async fn join(
    log: &SharedLogConfig,
    name: &str,
    feed: &FeedConfig,
) -> Result<(Catalogue, Member), FeedError> {
    let bus = connect(log).await;
    let status = Arc::new(NodeStatus::new(name));
    let leader = Arc::new(Leader::new(bus.clone(), Arc::clone(&status)));
    let seat = Seat {
        bus,
        feed: feed.clone(),
        leader,
        status,
        lost: Vec::new(),
        unled: None,
        heritage: None,
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
    /// Runs of which the stream has lost something that was shown: they are over.
    lost: Vec<Epoch>,
    /// A run whose instruments the feed does not have any more. It is followed while
    /// somebody leads it.
    unled: Option<Epoch>,
    /// What it knew when it ran.
    heritage: Option<Heritage>,
}

impl Seat {
    /// Candles of before this checkpoint.
    fn older(&self, checkpoint: Option<&Checkpoint>) -> Arc<MemberOlder> {
        let leader = Arc::clone(&self.leader) as Arc<dyn Upstream>;
        let status = Arc::clone(&self.status);
        Arc::new(MemberOlder::new(leader, status, checkpoint))
    }

    /// Where this server begins: at a checkpoint that covers at least the stream's
    /// messages up to this one; or anew, if the stream cannot be followed from there.
    async fn join(self, least: u64) -> Result<(Catalogue, Member), FeedError> {
        let (mut said, mut led) = (Instant::now(), Instant::now());
        loop {
            match self.found(least).await {
                Ok(Found::Good(saved)) => return Ok(self.following(*saved)),
                Ok(Found::None) => return self.anew(None).await,
                Ok(Found::Unfit(saved)) => return self.anew(Some(saved.heritage())).await,
                Ok(found @ (Found::Old(_) | Found::Unreadable)) => {
                    if matches!(self.bus.holder().await, Ok(Some(_)) | Err(_)) {
                        led = Instant::now();
                    }
                    if led.elapsed() > LEADERLESS_MAX {
                        // Nobody is there who would keep another one.
                        return match found {
                            Found::Old(saved) => self.anew(Some(saved.heritage())).await,
                            _ => self.anew(None).await,
                        };
                    }
                    if said.elapsed() > SAY_AGAIN {
                        tracing::warn!(
                            "no checkpoint can be begun at yet; another one is waited for"
                        );
                        said = Instant::now();
                    }
                }
                Err(error) if said.elapsed() > SAY_AGAIN => {
                    tracing::warn!("{error}; it is tried again");
                    said = Instant::now();
                }
                Err(_) => {}
            }
            sleep(AGAIN).await;
        }
    }

    /// The checkpoint to begin at. Of those that will do it is the oldest: readers who
    /// are a little behind can go on at a server that has just joined.
    async fn found(&self, least: u64) -> Result<Found, BusError> {
        // In this order: a checkpoint that is kept meanwhile is of no later message.
        let all = self.bus.checkpoints().await?;
        let extent = self.bus.extent().await?;
        let is_some = !all.is_empty();
        let all: Vec<_> = all.iter().filter_map(|bytes| Saved::read(bytes)).collect();
        if is_some && all.is_empty() {
            return Ok(Found::Unreadable);
        }
        let (mut known, mut others) = (Vec::new(), Vec::new());
        for saved in all {
            match saved.is_of(&extent) && self.bus.has(&saved).await? {
                true => known.push(saved),
                false => others.push(saved),
            }
        }
        // Of two for the same message the newer run's is last: its first checkpoint is of
        // the last message of the run before, and does not name it.
        known.sort_by_key(|saved| (saved.message, saved.newest.is_none()));
        let run = known.last().map(|saved| saved.checkpoint.cursor.epoch);
        known.retain(|saved| Some(saved.checkpoint.cursor.epoch) == run);
        if run.is_none_or(|run| self.lost.contains(&run) || self.unled == Some(run)) {
            let unfit = known.pop();
            let unfit = unfit.or(others.into_iter().max_by_key(|saved| saved.message));
            return Ok(unfit.map_or(Found::None, |saved| Found::Unfit(Box::new(saved))));
        }
        let is_fit = |saved: &Saved| extent.first <= saved.message + 1;
        let good = known
            .iter()
            .position(|saved| is_fit(saved) && saved.message >= least);
        Ok(match (good, known.pop()) {
            (Some(good), Some(newest)) if good == known.len() => Found::Good(Box::new(newest)),
            (Some(good), Some(_)) => Found::Good(Box::new(known.swap_remove(good))),
            // Whoever leads keeps another one.
            (None, Some(old)) => Found::Old(Box::new(old)),
            (_, None) => Found::None,
        })
    }

    fn following(self, saved: Saved) -> (Catalogue, Member) {
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
        (catalogue, Member::following(about, self, saved))
    }

    /// A new run; with what this server knew beside the log, or else with this.
    async fn anew(mut self, kept: Option<Heritage>) -> Result<(Catalogue, Member), FeedError> {
        let (catalogue, feed) = feed::open(&self.feed).await?;
        let own = self.heritage.take();
        let heritage = match (own, kept) {
            (Some(own), Some(kept)) if kept.is_newer_than(&own) => Some(kept),
            (own, kept) => own.or(kept),
        };
        Ok((catalogue, Member::anew(self, feed, heritage)))
    }
}

/// Why a server does not go on with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// See [`Seat::lost`].
    Lost,
    /// See [`Seat::unled`].
    Unled,
}

/// A checkpoint that was looked for.
enum Found {
    /// The stream can be followed from it.
    Good(Box<Saved>),
    /// A newer one will come, if somebody leads.
    Old(Box<Saved>),
    /// The stream does not go on from it.
    Unfit(Box<Saved>),
    /// There are some, and all are of another version.
    Unreadable,
    /// There is none.
    None,
}

impl Saved {
    /// Whether it is of this stream.
    fn is_of(&self, extent: &Extent) -> bool {
        self.made == extent.made && self.message <= extent.last
    }
}
