//! The only writer of the store: takes changes from the market, and writes
//! them.
//!
//! There is no queue of candles between the two. Candles that wait to be
//! written are in the market's memory, which is bounded, and a mark for each
//! series records up to where it was written ([`Bars`]). A write that fails moves no mark,
//! so the next one retries everything. Candles that leave memory meanwhile are
//! lost, and counted.

use std::collections::VecDeque;
use std::fs::File;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use shared::{StoreStatus, Time};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::archive::Archive;
use super::bars::Bars;
use super::health::Health;
use super::retention::{Present, Retention, Round};
use super::{Store, alerts, checking, deliveries, file, old, schema};
use crate::alerts::{AlertBook, Unsaved};
use crate::clock;
use crate::deliveries::{Deliveries, FiringName, forget_oldest};
use crate::kept::Kept;
use crate::market::Market;
use crate::metrics::Work;

/// How long the market's changes are collected before they are written
/// together. The file is never behind by more than this and the time of one
/// write.
const PERIOD: Duration = Duration::from_secs(1);
/// How long to wait after a failed write; doubled after each further failure.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest wait after a failed write.
const PAUSE_MAX: Duration = Duration::from_secs(8);
/// How often old data is searched for, and how often a continuing failure is
/// reported again.
const MINUTE: Duration = Duration::from_secs(60);

/// Writes a market's changes into a store, as long as the server runs.
pub struct Keeper {
    market: Arc<Market>,
    alerts: Arc<AlertBook>,
    path: PathBuf,
    /// Which file was opened.
    identity: Option<(u64, u64)>,
    feed: String,
    retention: Retention,
    database: Connection,
    #[expect(dead_code, reason = "keeps other servers away while it lives")]
    lock: File,
    bars: Bars,
    /// What of the market is in the file.
    kept: Arc<Kept>,
    /// Whether there are bars of an earlier version that have to be packed.
    has_old: bool,
    /// Whether the feed's time continues from one run to the next.
    goes_on: bool,
    /// Candles that left the market's memory before they were written.
    lost: u64,
    /// Changes of alerts that are not written yet.
    unsaved: Unsaved,
    /// Firings that were dropped before they were written.
    lost_firings: u64,
    /// The receivers of webhooks.
    receivers: Vec<Arc<Deliveries>>,
    /// For each receiver, settled deliveries that are not yet deleted from the
    /// store.
    settled: Vec<VecDeque<FiringName>>,
    /// The wait after the next write that fails.
    pause: Duration,
    health: Health,
    /// Reports the status to clients.
    report: Report,
    work: Work,
    /// The status that was last reported to clients and the server's log, and
    /// when.
    reported: (StoreStatus, Instant),
    /// How far the search for old data has got, and when it began.
    round: Option<Round>,
    round_began: Option<Instant>,
}

/// Reports the status of the store to clients.
pub(crate) type Report = Box<dyn Fn(StoreStatus) + Send>;

/// Why the writer writes.
#[derive(Clone, Copy, Debug)]
enum Wake {
    /// The period is over.
    Due,
    /// Alerts have changed or fired.
    Alerts,
    /// The market has stopped.
    Ended,
}

impl Store {
    /// Starts to use the store for a market that continues from its
    /// [`Past`](crate::market::Past). Returns the writer, and the history of
    /// both.
    pub(crate) fn keep(
        self,
        market: Arc<Market>,
        alerts: Arc<AlertBook>,
        receivers: Vec<Arc<Deliveries>>,
        report: Report,
        work: Work,
    ) -> (Keeper, Archive) {
        let health = Health::new(clock::now());
        let kept = Arc::new(Kept::new(market.candle_room()));
        let bars = Bars::new(Arc::clone(&market), self.goes_on, self.taken);
        let now = bars.now();
        let keeper = Keeper {
            bars,
            kept,
            has_old: self.has_old,
            goes_on: self.goes_on,
            market: Arc::clone(&market),
            alerts,
            identity: file::identity(&self.path),
            path: self.path,
            feed: self.feed.clone(),
            retention: self.retention,
            database: self.writer,
            lock: self.lock,
            lost: 0,
            unsaved: Unsaved::default(),
            lost_firings: 0,
            settled: vec![VecDeque::new(); receivers.len()],
            receivers,
            pause: PAUSE,
            report,
            work,
            reported: (health.status(), Instant::now()),
            health,
            round: None,
            round_began: None,
        };
        let archive = Archive::new(market, &self.feed, now, self.breaks, self.reader);
        (keeper, archive)
    }
}

impl Keeper {
    /// The health of the store.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// How far it has got with what the market has.
    pub(crate) fn kept(&self) -> Arc<Kept> {
        Arc::clone(&self.kept)
    }

    /// Writes until the market has `ended`, and then what is left. The file is
    /// checked meanwhile.
    ///
    /// # Errors
    ///
    /// The writer's task was aborted or panicked.
    pub(crate) async fn run(self, ended: CancellationToken) -> Result<(), String> {
        let runtime = Handle::current();
        let _ends_with_this = checking::start(&self.path, &self.health);
        // Uses a thread of its own for as long as the server runs: it blocks on
        // the disk, and no other task has to.
        let writing = spawn_blocking(move || runtime.block_on(self.write_until(ended)));
        match writing.await {
            Ok(()) => Ok(()),
            // As if it had panicked here: that is how the server is reported of it.
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(error) => Err(format!("the writer broke off: {error}")),
            },
        }
    }

    async fn write_until(mut self, ended: CancellationToken) {
        let (book, kept) = (Arc::clone(&self.alerts), Arc::clone(&self.kept));
        let mut due = Instant::now() + PERIOD;
        loop {
            let wake = tokio::select! {
                // First, so that nothing else is looked at while all ends.
                biased;
                () = ended.cancelled() => Wake::Ended,
                () = sleep_until(due) => Wake::Due,
                // A feed waits for it, which is faster than any market is.
                () = kept.wanted(), if self.health.status().saving => Wake::Due,
                // The client that made an alert waits until it is stored.
                () = book.until_unsaved(), if self.health.status().saving => Wake::Alerts,
            };
            match wake {
                Wake::Alerts => self.save_alerts(),
                Wake::Due => self.save(false),
                Wake::Ended => self.save(true),
            }
            self.tell();
            match wake {
                Wake::Ended => return,
                Wake::Due if self.health.status().saving => {
                    due = Instant::now() + PERIOD;
                    self.pause = PAUSE;
                }
                Wake::Due => {
                    due = Instant::now() + self.pause;
                    self.pause = (2 * self.pause).min(PAUSE_MAX);
                }
                Wake::Alerts => {}
            }
        }
    }

    /// Writes unsaved changes of alerts.
    fn save_alerts(&mut self) {
        if let Err(error) = self.write_alerts() {
            self.fail(clock::now(), &error);
        }
    }

    /// Takes the changes of alerts over from the book.
    fn take_alerts(&mut self) {
        // Settled deliveries are taken first, so that their firings are among
        // the changes taken below, or among earlier ones.
        for (settled, receiver) in self.settled.iter_mut().zip(&self.receivers) {
            settled.extend(receiver.take_settled());
            forget_oldest(settled);
        }
        let new = self.alerts.take_unsaved();
        self.unsaved.extend(new);
        self.lost_firings += std::mem::take(&mut self.unsaved.lost);
    }

    fn write_alerts(&mut self) -> rusqlite::Result<()> {
        self.take_alerts();
        let immediate = TransactionBehavior::Immediate;
        let transaction = self.database.transaction_with_behavior(immediate)?;
        alerts::write(&transaction, &self.unsaved)?;
        deliveries::write(&transaction, &self.receivers, self.unsaved.firings.iter())?;
        for (settled, receiver) in self.settled.iter().zip(&self.receivers) {
            deliveries::delete(&transaction, receiver.id(), settled)?;
        }
        transaction.commit()?;
        self.settled.iter_mut().for_each(VecDeque::clear);
        self.alerts.save(self.unsaved.change);
        self.unsaved = Unsaved::default();
        Ok(())
    }

    fn fail(&self, now: Time, error: &rusqlite::Error) {
        let lost = self.lost + self.bars.missing();
        self.health
            .fail(now, (lost, self.lost_firings), error.to_string());
    }

    /// Writes everything that is new. `is_last` at shutdown, when old data is
    /// not searched for.
    fn save(&mut self, is_last: bool) {
        // Changes after this moment belong to the next write.
        let now = clock::now();
        if self.health.is_damaged() {
            // What is written now might be lost with the rest.
            self.kept.set(None);
            self.take_alerts();
            let lost = self.lost + self.bars.missing();
            self.health.lose((lost, self.lost_firings));
            return;
        }
        let begun = Instant::now();
        let progress = self.market.progress();
        let bars = self.write(is_last);
        // What is lost while it fails is counted.
        self.kept.set(bars.is_ok().then_some(progress));
        // Whatever is wrong with bars, alerts are saved.
        let alerts = self.write_alerts();
        let saved = bars.and(alerts).and_then(|()| match is_last {
            true => Ok(()),
            false => self.clear_away(),
        });
        self.work.wrote(begun.into_std());
        match saved {
            Ok(()) => self.health.succeed(now, (self.lost, self.lost_firings)),
            Err(error) => self.fail(now, &error),
        }
    }

    /// Writes all new bars, or none.
    fn write(&mut self, is_last: bool) -> rusqlite::Result<()> {
        if file::identity(&self.path) != self.identity {
            return Err(gone());
        }
        let immediate = TransactionBehavior::Immediate;
        let transaction = self.database.transaction_with_behavior(immediate)?;
        let anew = self.bars.begin_anew(&transaction, &self.feed)?;
        if let Some(anew) = anew {
            transaction.commit()?;
            self.bars.commit_anew(anew);
            return self.write(is_last);
        }
        let written = self.bars.write(&transaction, is_last)?;
        transaction.commit()?;
        self.lost += written.lost;
        self.bars.commit(written);
        Ok(())
    }

    fn clear_away(&mut self) -> rusqlite::Result<()> {
        self.prune()?;
        self.pack_old()?;
        schema::shrink(&self.database)
    }

    /// Packs some bars of an earlier version.
    fn pack_old(&mut self) -> rusqlite::Result<()> {
        if self.has_old {
            let transaction = self.database.transaction()?;
            let is_done = old::pack(&transaction, &self.retention)?;
            transaction.commit()?;
            if is_done {
                tracing::info!("the store's file is converted to this version");
                self.has_old = false;
            }
        }
        Ok(())
    }

    /// Continues the search for old data, one piece at a time.
    fn prune(&mut self) -> rusqlite::Result<()> {
        let is_due = self
            .round_began
            .is_none_or(|began| began.elapsed() >= MINUTE);
        let Some(round) = self.round.take().or_else(|| is_due.then(Round::default)) else {
            return Ok(());
        };
        if is_due {
            self.round_began = Some(Instant::now());
        }
        let transaction = self.database.transaction()?;
        if is_due {
            deliveries::forget_old(&transaction, &self.receivers, clock::now())?;
        }
        let present = Present {
            feed: &self.feed,
            keeps_all: !self.goes_on,
            tops: self.bars.tops(),
        };
        let round = round.go_on(&transaction, &self.retention, &present)?;
        transaction.commit()?;
        self.round = round;
        Ok(())
    }

    /// Reports changes to clients and the server's log: at once whether the
    /// store can save, and once a minute how much was lost.
    fn tell(&mut self) {
        let status = self.health.status();
        let (reported, when) = &self.reported;
        let turned = status.saving != reported.saving;
        if !turned && (when.elapsed() < MINUTE || (status.saving && status == *reported)) {
            return;
        }
        let (path, lost_candles) = (self.path.display(), status.lost);
        let lost_firings = status.lost_firings;
        if status.saving {
            tracing::info!(%path, lost_candles, lost_firings, "the store saves again");
        } else {
            let reason = &status.detail;
            let again = match self.health.is_damaged() {
                true => "the store cannot save any more",
                false => "the store cannot save; it is tried again every few seconds",
            };
            tracing::warn!(%path, reason, lost_candles, lost_firings, "{again}");
        }
        (self.report)(status.clone());
        self.reported = (status, Instant::now());
    }
}

/// SQLite would go on writing into a file that nobody can find any more.
fn gone() -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN);
    let message = "the file was moved or deleted; put it back, or restart the server";
    rusqlite::Error::SqliteFailure(code, Some(message.to_owned()))
}
