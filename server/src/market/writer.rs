//! The only writer of the market: numbers ticks, batches and publishes them.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use shared::{FeedState, Span, Tick, Time};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::apply::wake;
use super::batch::Batch;
use super::set::Concerned;
use super::{Announcements, Market, Past};
use crate::clock;
use crate::entries::{Entries, Known, Notice, Placed};
use crate::feed::{self, FeedEvent, PastCandles, StateChange};

/// A batch never grows beyond this, whatever the flush interval, so that one
/// message stays below a megabyte.
const BATCH_TICKS: usize = 1024;

/// A message never holds more firings than this.
const BATCH_FIRINGS: usize = 1024;

/// Timed alerts follow the wall clock, which may be set: they are checked at
/// least this often.
const LISTEN_PERIOD: Duration = Duration::from_secs(1);

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
        mut events: mpsc::Receiver<Vec<FeedEvent>>,
        flush: Duration,
        stop: CancellationToken,
    ) -> Result<(), String> {
        let mut pending = Vec::new();
        let mut due = Instant::now();
        let mut has_ended = false;
        loop {
            let timer = self.observer.due();
            let has_news =
                !pending.is_empty() || self.has_announcements() || self.observer.has_changes();
            let received = tokio::select! {
                received = events.recv(), if !has_ended => received,
                () = sleep_until(due), if has_news => {
                    self.publish(&mut pending);
                    self.publish_announcements();
                    due = Instant::now() + flush;
                    continue;
                }
                // Announcements wait for the flush interval like everything
                // else.
                () = self.announced.notified(), if !has_news => continue,
                () = self.observer.changed().notified(), if !has_news => continue,
                () = look_for(timer, due), if timer.is_some() => {
                    let had_news = !pending.is_empty();
                    self.publish(&mut pending);
                    if self.publish_timers() || had_news {
                        due = Instant::now() + flush;
                    }
                    continue;
                }
                () = stop.cancelled(), if has_ended => {
                    self.publish_announcements();
                    return Ok(());
                }
            };
            let Some(received) = received else {
                self.publish(&mut pending);
                has_ended = true;
                if !stop.is_cancelled() && !self.has_feed_ended() {
                    return Err("the feed ended without saying so".to_owned());
                }
                continue;
            };
            for event in received {
                self.take(event, &mut pending);
                if flush.is_zero() || pending.len() >= BATCH_TICKS {
                    self.publish(&mut pending);
                }
            }
            // With a feed that never pauses, the timed arm above never runs.
            if Instant::now() >= due && !pending.is_empty() {
                self.publish(&mut pending);
                self.publish_announcements();
                due = Instant::now() + flush;
            }
        }
    }

    /// Takes in an event of the feed. Ticks wait in `pending`.
    fn take(&self, event: FeedEvent, pending: &mut Vec<(usize, Tick)>) {
        match event {
            FeedEvent::Trade(trade) => pending.push(self.trade(trade)),
            FeedEvent::Quote(quote) => pending.push(self.quote(quote)),
            FeedEvent::History(history) => {
                self.publish(pending);
                self.publish_history(history);
            }
            FeedEvent::Anew(past) => {
                self.publish(pending);
                self.begin_anew(past);
            }
            FeedEvent::State(change) => {
                self.publish(pending);
                self.publish_state(change);
            }
        }
    }

    /// Numbers the ticks and publishes them, and the alerts that fire by them; leaves
    /// `pending` empty. Each tick comes with the catalogue index of its instrument.
    pub(super) fn publish(&self, pending: &mut Vec<(usize, Tick)>) {
        if pending.is_empty() {
            return;
        }
        let begun = std::time::Instant::now();
        // This is the only writer, so the head does not move meanwhile.
        let ticks = pending.drain(..).zip(self.cursor().seq + 1..);
        let ticks: Vec<_> = ticks
            .map(|((place, tick), seq)| (place, tick.numbered(seq)))
            .collect();
        let fired = self.observer.observe(&ticks);
        let firings = in_messages(&fired);
        self.append(std::iter::once(Entries::Ticks(ticks)).chain(firings));
        self.work.published(begun);
        self.tell_observer(&fired);
    }

    /// Publishes the alerts that fire because their time has come; returns
    /// whether there were any.
    pub(super) fn publish_timers(&self) -> bool {
        let fired = self.observer.wake();
        if !fired.is_empty() {
            self.publish_firings(&fired);
        }
        !fired.is_empty()
    }

    pub(super) fn publish_firings(&self, fired: &[Placed]) {
        self.append(in_messages(fired));
        self.tell_observer(fired);
    }

    /// Numbers entries, and appends them to the log.
    fn append(&self, all: impl IntoIterator<Item = Entries>) {
        let mut head = self.cursor().seq;
        let number = |entries| {
            let batch = Batch::new(&self.run, head, entries);
            head = batch.last();
            batch
        };
        self.apply(all.into_iter().map(number).collect());
    }

    fn tell_observer(&self, fired: &[Placed]) {
        if !fired.is_empty() {
            self.work.fired(fired.len());
            self.observer.published(fired);
        }
    }

    pub(super) fn announcements(&self) -> MutexGuard<'_, Announcements> {
        // Each part is replaced as a whole, so a poisoned lock is safe to use.
        self.announcements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn has_announcements(&self) -> bool {
        *self.announcements() != Announcements::default()
    }

    pub(super) fn publish_announcements(&self) {
        let announced = std::mem::take(&mut *self.announcements());
        for notice in announced.notices {
            self.publish_notice(notice);
        }
        if let Some(ahead) = announced.clock {
            let mut published = self.published_mut();
            published.ahead = ahead;
            let mut feed = published.feed.clone();
            drop(published);
            // A feed that has ended gives its reason in `detail`, which is
            // kept.
            if feed.state == FeedState::Live && feed.venues.is_empty() {
                feed.detail = clock_words(ahead);
                self.publish_notice(Notice::Feed(feed));
            }
        }
        if let Some(changes) = self.observer.take_changes() {
            self.publish_notice(Notice::AlertsChanged(changes));
        }
    }

    /// Begins anew with this past of each instrument: every reader gets a
    /// snapshot that says so.
    pub(super) fn begin_anew(&self, past: Vec<PastCandles>) {
        let past = Past {
            candles: past,
            ..Past::default()
        };
        let prices: Vec<_> = past.last_prices().collect();
        let (states, history) = past.begin(self.run.catalogue.instruments());
        let mut published = self.published_mut();
        published.states = states;
        published.history = history;
        published.progress.beginnings += 1;
        published.heard = std::time::Instant::now();
        published.log.begin_anew();
        let mut touched = self.sets.touch(&Concerned::All, published.log.head());
        drop(published);
        self.observer.begin_anew(&prices);
        wake(&mut touched);
    }

    /// Takes in an instrument's past from before its next trade. Readers get its
    /// state, in which the session so far is counted; they request the candles.
    pub(super) fn publish_history(&self, past: feed::History) {
        let feed::History {
            instrument,
            candles,
        } = past;
        if candles.iter().all(Vec::is_empty) {
            return;
        }
        let published = self.published();
        let of = &self.run.catalogue.instruments()[instrument];
        let index = u32::try_from(instrument).unwrap_or(u32::MAX);
        let found = published.history.state_with(of, index, &candles);
        let state = published.states.joined(instrument, found);
        drop(published);
        let known = Known {
            instrument,
            state,
            candles: Arc::new(candles),
            is_whole: true,
        };
        self.append([Entries::Known(vec![known])]);
    }

    fn publish_state(&self, change: StateChange) {
        let mut status = self.published().feed.clone();
        status.state = change.state;
        status.detail = change.detail;
        status.replay = change.replay;
        status.venues = change.venues;
        let retry_ms = change.retry.map(|retry| retry.as_millis());
        status.retry_ms = retry_ms.and_then(|ms| u64::try_from(ms).ok());
        self.publish_notice(Notice::Feed(status));
    }

    pub(super) fn publish_notice(&self, notice: Notice) {
        self.append([Entries::Notice(notice)]);
    }

    /// A trade as it is stored in the log, and the catalogue index of its
    /// instrument.
    pub(super) fn trade(&self, trade: feed::Trade) -> (usize, Tick) {
        let place = trade.instrument;
        (place, trade.into_tick(self.symbol_at(place)))
    }

    /// The same for a quote.
    pub(super) fn quote(&self, quote: feed::Quote) -> (usize, Tick) {
        let place = quote.instrument;
        (place, quote.into_tick(self.symbol_at(place)))
    }

    fn symbol_at(&self, place: usize) -> String {
        self.run.catalogue.instruments()[place].symbol.clone()
    }
}

/// Firings as entries: one, or a few if there are very many.
fn in_messages(fired: &[Placed]) -> impl Iterator<Item = Entries> {
    let all = fired.chunks(BATCH_FIRINGS);
    all.map(|fired| Entries::Firings(fired.to_vec()))
}

/// The message about times that are ahead of the wall clock.
pub(crate) fn clock_words(ahead: Span) -> String {
    match ahead.whole_seconds() {
        0 => String::new(),
        seconds => format!(
            "the server's clock was set back; times go on from before, {seconds} s ahead of it"
        ),
    }
}

/// Completes when alerts have to be checked at `timer`, or a little earlier;
/// not before the next batch is `due`.
async fn look_for(timer: Option<Time>, due: Instant) {
    let wait = timer.map_or(Duration::ZERO, |timer| (timer - clock::now()).to_duration());
    let look = Instant::now() + wait.min(LISTEN_PERIOD);
    sleep_until(look.max(due)).await;
}
