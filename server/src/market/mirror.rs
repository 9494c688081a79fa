//! A market whose entries are numbered by another server.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use shared::{Checkpoint, Cursor, Decimal, FeedStatus, NewestBars, Time, WIRE_VERSION};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::batch::Batch;
use super::{Market, Past};
use crate::encoding::BINARY;
use crate::entries::Entries;
use crate::feed::{MirrorEvent, PastCandles};

/// A server is not later than another one by more than this, or it has lost something.
const LATER_MAX: Duration = Duration::from_secs(2);

impl Market {
    /// Takes in entries that are numbered already, until the server stops.
    ///
    /// # Errors
    ///
    /// The feed ended while the server runs, or its entries do not follow each other.
    pub(crate) async fn follow(
        &self,
        mut events: mpsc::Receiver<MirrorEvent>,
        stop: CancellationToken,
    ) -> Result<(), String> {
        loop {
            let received = tokio::select! {
                received = events.recv() => received,
                () = stop.cancelled() => return Ok(()),
            };
            let Some(received) = received else {
                if stop.is_cancelled() {
                    return Ok(());
                }
                return Err("the feed ended without saying so".to_owned());
            };
            match received {
                MirrorEvent::Entries(before, entries) => self.take_numbered(before, entries)?,
                MirrorEvent::Standing(status) => self.stand(status),
                MirrorEvent::Alerts(alerts) => self.observer.follow_all(alerts),
            }
        }
    }

    /// Waits until the log is where a reader was at another server: this one may be a
    /// little later. A position that it does not reach soon is none of this log.
    pub(crate) async fn until_at(&self, cursor: Option<Cursor>) {
        let (Some(head), Some(cursor)) = (&self.head, cursor) else {
            return;
        };
        if cursor.epoch == self.run.epoch {
            let mut head = head.subscribe();
            let there = head.wait_for(|newest| *newest >= cursor.seq);
            // What it is too late for begins with a snapshot.
            let _ = timeout(LATER_MAX, there).await;
        }
    }

    /// Appends entries where they belong.
    pub(crate) fn take_numbered(&self, before: u64, entries: Entries) -> Result<(), String> {
        let head = self.cursor().seq;
        if before != head {
            return Err(format!("entries after {before} came after {head}"));
        }
        self.observer.follow(&entries);
        self.apply(vec![Batch::new(&self.run, before, entries)]);
        Ok(())
    }

    /// Says to all readers how prices stand here, whatever the log says; `None` if it
    /// is as the log says.
    pub(crate) fn stand(&self, status: Option<FeedStatus>) {
        let mut published = self.published_mut();
        if published.standing == status {
            return;
        }
        published.standing = status;
        drop(published);
        self.standings.fetch_add(1, Ordering::Release);
        self.sets.every().iter().for_each(|set| set.wake());
    }

    /// The feed's status, as the log says.
    pub(crate) fn feed_status(&self) -> FeedStatus {
        self.published().feed.clone()
    }

    /// The last price of each instrument.
    pub(crate) fn last_prices(&self) -> Vec<Option<Decimal>> {
        let published = self.published();
        let places = 0..self.run.catalogue.instruments().len();
        places
            .map(|place| published.states.at(place).last)
            .collect()
    }

    /// The last price and the newest candles of each instrument.
    pub(crate) fn newest_prices(&self) -> Vec<(Option<Decimal>, NewestBars)> {
        let published = self.published();
        let places = 0..self.run.catalogue.instruments().len();
        let newest = |place| {
            let last = published.states.at(place).last;
            (last, published.history.newest(place))
        };
        places.map(newest).collect()
    }

    /// A batch as a message for readers of all symbols, in the binary encoding.
    pub(crate) fn message(&self, batch: &Batch) -> Option<Bytes> {
        let before = batch.before();
        let frame = batch.frame(BINARY, &self.sets.all(), before, before)?;
        Some(frame.bytes)
    }

    /// How often the standing has changed.
    pub(crate) fn standings(&self) -> u64 {
        self.standings.load(Ordering::Acquire)
    }

    /// Everything of the market that another server needs to go on from here; alerts
    /// are still missing.
    pub(crate) fn checkpoint(&self, silence_max_ms: u64) -> Checkpoint {
        let instruments = self.run.catalogue.instruments();
        let published = self.published();
        let places = 0..instruments.len();
        Checkpoint {
            version: WIRE_VERSION,
            cursor: self.cursor_at(published.log.head()),
            instruments: instruments.to_vec(),
            states: places
                .clone()
                .map(|place| published.states.at(place).clone())
                .collect(),
            bars: places
                .map(|place| published.history.newest(place))
                .collect(),
            feed: published.feed.clone(),
            silence_max_ms,
            has_prices: published.has_prices,
            alerts: Vec::new(),
            fired: Vec::new(),
        }
    }
}

impl Past {
    /// Goes on from a checkpoint: its candles follow those of before.
    pub(crate) fn go_on_from(&mut self, checkpoint: &Checkpoint) {
        self.states.clone_from(&checkpoint.states);
        self.has_prices = checkpoint.has_prices;
        let count = checkpoint.bars.len();
        self.candles.resize(count, PastCandles::default());
        for (all, newest) in self.candles.iter_mut().zip(&checkpoint.bars) {
            for (bars, newest) in all.iter_mut().zip(newest) {
                // Those that came later come again.
                let end = newest.as_ref().map_or(Time::MIN, |newest| newest.time);
                bars.retain(|bar| bar.time < end);
                bars.extend(newest.clone());
            }
        }
    }
}
