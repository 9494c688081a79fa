//! The only writer of the market: numbers ticks, batches and publishes them.

use std::time::Duration;

use futures_util::future::BoxFuture;
use shared::{Tick, Time};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Market;
use super::batch::Batch;
use crate::clock;
use crate::entries::Entries;
use crate::feed::FeedEvent;

/// A batch never grows beyond this, whatever the flush interval, so that one
/// message stays below a megabyte.
const BATCH_TICKS: usize = 1024;
/// Timed alerts follow the wall clock, which may be set: they are checked at
/// least this often.
const LISTEN_PERIOD: Duration = Duration::from_secs(1);

/// The log that several servers share: it has to take batches before anybody sees
/// them.
pub(crate) trait SharedLog: Send {
    /// Appends batches. Once that succeeds, every server will show them.
    ///
    /// # Errors
    ///
    /// This server does not write the log any more.
    fn commit<'a>(&'a mut self, batches: &'a [Batch]) -> BoxFuture<'a, Result<(), NotLeader>>;

    /// Completes when there is something to commit beside batches.
    fn wants_commit(&mut self) -> BoxFuture<'_, ()>;
}

/// This server does not write the shared log any more, and why not, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotLeader(pub(crate) String);

/// Why a writer has ended before it was told to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WriterError {
    /// Nobody knows why there are no more prices.
    #[error("the feed ended without saying so")]
    FeedEnded,
    /// Another server writes the log.
    #[error(transparent)]
    NotLeader(#[from] NotLeader),
}

impl Market {
    /// Takes in a feed's events and other parts' announcements, until the feed
    /// has ended and the server stops.
    ///
    /// A batch is closed when it has something and the one before it is at
    /// least `flush` old; with a `flush` of zero every tick is a batch.
    ///
    /// # Errors
    ///
    /// The feed ended without reporting it, while the server runs.
    pub async fn run(
        &self,
        events: mpsc::Receiver<Vec<FeedEvent>>,
        flush: Duration,
        stop: CancellationToken,
    ) -> Result<(), String> {
        let written = Writer::new(self, None).run(events, flush, stop).await;
        written.map_err(|error| error.to_string())
    }

    /// Publishes entries that follow the head, and says so to the observer.
    pub(super) fn publish(&self, batches: Vec<Batch>) {
        let fired: Vec<_> = batches
            .iter()
            .filter_map(|batch| match batch.entries() {
                Entries::Firings(fired) => Some(fired.clone()),
                _ => None,
            })
            .collect();
        self.apply(batches);
        for fired in fired {
            self.work.fired(fired.len());
            self.observer.published(&fired);
        }
    }
}

/// Writes the log of a market.
pub(crate) struct Writer<'m> {
    market: &'m Market,
    shared: Option<&'m mut dyn SharedLog>,
    /// Ticks that wait for the end of their batch.
    pending: Vec<(usize, Tick)>,
}

impl<'m> Writer<'m> {
    /// A writer; if the log is shared, everything is published there first.
    pub(crate) fn new(market: &'m Market, shared: Option<&'m mut dyn SharedLog>) -> Self {
        Self {
            market,
            shared,
            pending: Vec::new(),
        }
    }

    /// As [`Market::run`].
    pub(crate) async fn run(
        mut self,
        mut events: mpsc::Receiver<Vec<FeedEvent>>,
        flush: Duration,
        stop: CancellationToken,
    ) -> Result<(), WriterError> {
        let market = self.market;
        let mut due = Instant::now();
        let mut has_ended = false;
        loop {
            let timer = market.observer.due();
            let has_news = !self.pending.is_empty()
                || market.has_announcements()
                || market.observer.has_changes();
            let received = tokio::select! {
                received = events.recv(), if !has_ended => received,
                () = sleep_until(due), if has_news => {
                    self.flush().await?;
                    due = Instant::now() + flush;
                    continue;
                }
                // Announcements wait for the flush interval like everything
                // else.
                () = market.announced.notified(), if !has_news => continue,
                () = market.observer.changed().notified(), if !has_news => continue,
                () = look_for(timer, due), if timer.is_some() => {
                    self.publish_pending().await?;
                    let timed = market.timed();
                    if !timed.is_empty() {
                        due = Instant::now() + flush;
                    }
                    self.publish(timed).await?;
                    continue;
                }
                () = wants_commit(&mut self.shared) => {
                    self.commit_alone().await?;
                    continue;
                }
                () = stop.cancelled(), if has_ended => {
                    return Ok(self.publish(market.announced()).await?);
                }
            };
            let Some(received) = received else {
                self.publish_pending().await?;
                has_ended = true;
                if !stop.is_cancelled() && !market.has_feed_ended() {
                    return Err(WriterError::FeedEnded);
                }
                continue;
            };
            for event in received {
                self.take(event).await?;
                if flush.is_zero() || self.pending.len() >= BATCH_TICKS {
                    self.publish_pending().await?;
                }
            }
            // With a feed that never pauses, the timed arm above never runs.
            if Instant::now() >= due && !self.pending.is_empty() {
                self.flush().await?;
                due = Instant::now() + flush;
            }
        }
    }

    /// Takes in an event of the feed. Ticks wait in `pending`.
    async fn take(&mut self, event: FeedEvent) -> Result<(), NotLeader> {
        let market = self.market;
        let entries = match event {
            FeedEvent::Trade(trade) => {
                self.pending.push(market.trade(trade));
                None
            }
            FeedEvent::Quote(quote) => {
                self.pending.push(market.quote(quote));
                None
            }
            FeedEvent::History(history) => {
                self.publish_pending().await?;
                // Each by itself, so that each is a message of its own.
                for known in market.known(history) {
                    self.publish(vec![known]).await?;
                }
                None
            }
            FeedEvent::Anew(past) => {
                self.publish_pending().await?;
                Some(Entries::Anew(past))
            }
            FeedEvent::State(change) => {
                self.publish_pending().await?;
                Some(market.state(change))
            }
        };
        self.publish(entries.into_iter().collect()).await
    }

    /// Publishes everything that waits.
    async fn flush(&mut self) -> Result<(), NotLeader> {
        self.publish_pending().await?;
        self.publish(self.market.announced()).await
    }

    async fn publish_pending(&mut self) -> Result<(), NotLeader> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let begun = std::time::Instant::now();
        let entries = self.market.numbered(&mut self.pending);
        let batches = self.market.batches(entries);
        let waited = self.commit(&batches).await?;
        self.market.publish(batches);
        self.market.work.published(begun + waited);
        Ok(())
    }

    async fn publish(&mut self, entries: Vec<Entries>) -> Result<(), NotLeader> {
        if entries.is_empty() {
            return Ok(());
        }
        let batches = self.market.batches(entries);
        self.commit(&batches).await?;
        self.market.publish(batches);
        Ok(())
    }

    /// Waits until other servers will show batches, too; returns how long that took.
    async fn commit(&mut self, batches: &[Batch]) -> Result<Duration, NotLeader> {
        let Some(shared) = &mut self.shared else {
            return Ok(Duration::ZERO);
        };
        let begun = Instant::now();
        shared.commit(batches).await?;
        Ok(begun.elapsed())
    }

    async fn commit_alone(&mut self) -> Result<(), NotLeader> {
        self.commit(&[]).await?;
        Ok(())
    }
}

/// Completes when a shared log has something to commit beside batches.
async fn wants_commit(shared: &mut Option<&mut dyn SharedLog>) {
    match shared {
        Some(shared) => shared.wants_commit().await,
        None => std::future::pending().await,
    }
}

/// Completes when alerts have to be checked at `timer`, or a little earlier;
/// not before the next batch is `due`.
async fn look_for(timer: Option<Time>, due: Instant) {
    let wait = timer.map_or(Duration::ZERO, |timer| (timer - clock::now()).to_duration());
    let look = Instant::now() + wait.min(LISTEN_PERIOD);
    sleep_until(look.max(due)).await;
}
