//! The market: the state of every symbol, and the one log of all changes.

#[cfg(test)]
pub(crate) mod alone;
mod apply;
mod batch;
mod bell;
mod candles;
mod frame;
mod history;
mod log;
mod mirror;
mod numbering;
mod observer;
mod once;
mod past;
mod reader;
mod set;
mod snapshots;
mod start;
mod states;
mod ticks_writer;
mod writer;

#[cfg(test)]
mod laws;

use std::mem::discriminant;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use bytes::Bytes;
use shared::{
    Cursor, Epoch, FeedState, FeedStatus, SnapshotAnswer, Span, StoreStatus, SymbolState, Symbols,
    VenueStatus,
};
use tokio::sync::{Notify, watch};

use self::batch::Run;
use self::history::History;
use self::log::Log;
use self::set::{Places, Sets};
use self::snapshots::{Form, Snapshots};
use self::states::States;
use crate::catalogue::{Catalogue, UnknownSymbol};
pub use crate::entries::{Entries, Known, Notice, Placed};
use crate::kept::Progress;
use crate::metrics::Work;

pub(crate) use self::batch::Batch;
pub use self::frame::Frame;
pub use self::history::{CandleChanges, Mark, Marks, Recent};
pub(crate) use self::numbering::clock_words;
pub use self::observer::Observer;
pub use self::past::{NewestTimes, Past};
use self::reader::Merged;
pub(crate) use self::reader::Told;
pub use self::reader::{Answer, Reader};
pub use self::set::SymbolSet;
pub use self::start::Start;
pub(crate) use self::writer::{NotLeader, SharedLog, Writer};

/// The state that all parts of the server share: written by one
/// [`Market::run`], read by any number of [`Reader`]s.
#[derive(Debug)]
pub struct Market {
    run: Arc<Run>,
    sets: Sets,
    /// A std lock: held to publish or to copy, for microseconds, and never
    /// across an await. Log and states change together, so that a snapshot
    /// always matches its cursor.
    published: RwLock<Published>,
    /// The number of the newest entry, if other servers have the same log.
    head: Option<watch::Sender<u64>>,
    /// Set when nothing more will be published.
    is_closed: AtomicBool,
    /// How often the standing has changed.
    standings: AtomicU64,
    /// Readers with a pace count its intervals from this moment.
    started: tokio::time::Instant,
    snapshots: Snapshots,
    /// Looks at every batch. Never called while the market is locked.
    observer: Arc<dyn Observer>,
    /// Notices from other parts of the server, to be published in the log.
    announcements: Mutex<Announcements>,
    /// Wakes the writer when there are announcements.
    announced: Notify,
    /// Counts what is done.
    work: Work,
}

/// What is to be sent to all readers.
#[derive(Debug, Default, PartialEq)]
struct Announcements {
    /// At most one of each kind.
    notices: Vec<Notice>,
    /// How far times are ahead of the wall clock.
    clock: Option<Span>,
}

/// What a reader reads next.
#[derive(Debug)]
struct Next {
    batches: Vec<Arc<Batch>>,
    /// How many entries after the position there are.
    lag: u64,
    /// Whether more than half of what the log holds is still unread.
    is_far_behind: bool,
}

#[derive(Debug)]
struct Published {
    log: Log,
    states: States,
    /// The candles of all symbols.
    history: History,
    /// What the candles are made of.
    progress: Progress,
    feed: FeedStatus,
    /// How prices stand at this server, if not as the log says: it may have lost the
    /// one that writes the log.
    standing: Option<FeedStatus>,
    /// The store's status, if something is wrong with it.
    store: Option<StoreStatus>,
    /// Whether prices have arrived in this run.
    has_prices: bool,
    /// When the feed last sent something.
    heard: Instant,
    /// How far times are ahead of the wall clock.
    ahead: Span,
}

impl Market {
    /// A market of these instruments before its first tick. It continues from
    /// where an earlier one stood.
    ///
    /// `log_capacity` is in ticks.
    pub fn new(
        start: Start,
        feed: FeedStatus,
        catalogue: Arc<Catalogue>,
        past: Past,
        log_capacity: u64,
        observer: Arc<dyn Observer>,
        work: Work,
    ) -> Arc<Self> {
        let instruments = catalogue.instruments();
        let has_prices = past.has_prices;
        let (states, history) = past.begin(instruments);
        Arc::new(Self {
            sets: Sets::new(instruments.len()),
            published: RwLock::new(Published {
                log: Log::new(log_capacity, start),
                states,
                history,
                progress: Progress::default(),
                standing: None,
                store: None,
                has_prices,
                heard: Instant::now(),
                ahead: Span::ZERO,
                feed,
            }),
            run: Arc::new(Run {
                epoch: start.cursor.epoch,
                catalogue,
            }),
            head: start
                .is_of_others
                .then(|| watch::Sender::new(start.cursor.seq)),
            is_closed: AtomicBool::new(false),
            standings: AtomicU64::new(0),
            started: tokio::time::Instant::now(),
            snapshots: Snapshots::default(),
            observer,
            announcements: Mutex::default(),
            announced: Notify::new(),
            work,
        })
    }

    /// The name of this run.
    pub fn epoch(&self) -> Epoch {
        self.run.epoch
    }

    /// The instruments, in the feed's order.
    pub fn catalogue(&self) -> &Catalogue {
        &self.run.catalogue
    }

    /// Where the log ends.
    pub fn cursor(&self) -> Cursor {
        self.cursor_at(self.published().log.head())
    }

    /// Whether prices have arrived.
    pub fn is_ready(&self) -> bool {
        self.published().has_prices
    }

    /// Notifies all readers that nothing more will be published.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        // A reader that begins to wait after this sees the flag.
        self.sets.every().iter().for_each(|set| set.wake());
    }

    /// Whether nothing more will be published.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// The name of the feed.
    pub(crate) fn feed(&self) -> String {
        self.published().feed.feed.clone()
    }

    /// The exchanges that prices come from.
    pub(crate) fn venues(&self) -> Vec<VenueStatus> {
        self.published().feed.venues.clone()
    }

    /// Whether the feed reported its end.
    pub(crate) fn has_feed_ended(&self) -> bool {
        self.published().feed.state == FeedState::Ended
    }

    /// How far times are ahead of the wall clock, if that was set back.
    pub fn ahead(&self) -> Span {
        self.published().ahead
    }

    /// How long a feed that reports itself live has sent nothing; zero for any
    /// other state, where silence is not a fault.
    pub fn silence(&self) -> Duration {
        let published = self.published();
        match published.feed.state {
            FeedState::Live => published.heard.elapsed(),
            _ => Duration::ZERO,
        }
    }

    /// Announces to all readers how far times are ahead of the wall clock now
    /// that it was set.
    pub(crate) fn announce_clock(&self, ahead: Span) {
        self.announce_with(|waiting| waiting.clock = Some(ahead));
    }

    /// Sends a notice to all readers, with the next batch. Of each kind, only
    /// the newest is sent.
    pub fn announce(&self, notice: Notice) {
        self.announce_with(|waiting| {
            waiting
                .notices
                .retain(|known| discriminant(known) != discriminant(&notice));
            waiting.notices.push(notice);
        });
    }

    fn announce_with(&self, change: impl FnOnce(&mut Announcements)) {
        change(&mut self.announcements());
        self.announced.notify_one();
    }

    /// The set of these symbols.
    ///
    /// # Errors
    ///
    /// The first symbol that is not in the catalogue.
    pub fn set(&self, symbols: &Symbols) -> Result<Arc<SymbolSet>, UnknownSymbol> {
        match symbols {
            Symbols::All => Ok(self.sets.all()),
            Symbols::Named(names) => {
                let indices = names.iter().map(|name| self.run.catalogue.find(name));
                Ok(self.set_of(indices.collect::<Result<_, _>>()?))
            }
        }
    }

    /// The set of the instruments at these catalogue indices.
    fn set_of(&self, places: Vec<usize>) -> Arc<SymbolSet> {
        let places = Places::of(places);
        // While this lock is held, nothing is published.
        let published = self.published();
        self.sets.of(places, published.log.head())
    }

    /// The symbols of a set as a client writes them: `["*"]` for all.
    pub fn names(&self, set: &SymbolSet) -> Vec<String> {
        if set.is_all() {
            return vec!["*".to_owned()];
        }
        let instruments = self.run.catalogue.instruments();
        let wanted = set.indices(instruments.len());
        let names = wanted.iter().map(|&i| instruments[i].symbol.clone());
        names.collect()
    }

    /// The state of each symbol of a set, and the position it is as of: a
    /// [`SnapshotAnswer`] as JSON, encoded once for all callers at the same
    /// position. `None` if it cannot be encoded.
    pub fn snapshot(&self, set: &Arc<SymbolSet>) -> Option<Bytes> {
        let published = self.published();
        let (states, position) = (published.states.clone(), published.log.head());
        drop(published);
        let cursor = self.cursor_at(position);
        let encode = || {
            let symbols = self.states(&states, set);
            let answer = SnapshotAnswer { cursor, symbols };
            let json = serde_json::to_vec(&answer).ok()?;
            let frames = vec![Frame::of_answer(json)];
            Some(Merged { frames, position })
        };
        let made = self.snapshots.get(set, Form::Answer, position, encode)?;
        made.frames.into_iter().next().map(|frame| frame.bytes)
    }

    /// Forgets snapshots of before the log's head, which are large where there
    /// are many symbols.
    pub(crate) fn forget_snapshots(&self) {
        let head = self.published().log.head();
        self.snapshots.forget_before(head);
    }

    fn states(&self, states: &States, set: &SymbolSet) -> Vec<SymbolState> {
        let count = self.run.catalogue.instruments().len();
        let wanted = set.indices(count).into_iter();
        wanted.map(|place| states.at(place).clone()).collect()
    }

    fn cursor_at(&self, seq: u64) -> Cursor {
        self.run.cursor_at(seq)
    }

    /// The position to which a reader of `set` at `position` can move without
    /// reading, because it only skips entries of other sets.
    fn skipped(&self, set: &SymbolSet, position: u64) -> u64 {
        self.published().log.skipped(set, position)
    }

    /// Moves `position` over entries that are not of `set`, and gives the next
    /// batches, at most `count` of them, oldest first; `None` when the log
    /// cannot resume from there.
    fn next_batches(&self, set: &SymbolSet, position: &mut u64, count: usize) -> Option<Next> {
        let published = self.published();
        let log = &published.log;
        *position = log.skipped(set, *position);
        let (head, tail) = (log.head(), log.tail());
        let batches = log.after(*position)?;
        Some(Next {
            batches: batches.take(count).cloned().collect(),
            lag: head.saturating_sub(*position),
            is_far_behind: tail > 0 && head.saturating_sub(*position) > (head - tail) / 2,
        })
    }

    /// Batches after `position`, at most `count` of them, oldest first; `None`
    /// when the log cannot resume from there.
    fn batches_after(&self, position: u64, count: usize) -> Option<Vec<Arc<Batch>>> {
        let published = self.published();
        let batches = published.log.after(position)?;
        Some(batches.take(count).cloned().collect())
    }

    fn published(&self) -> RwLockReadGuard<'_, Published> {
        // The writer leaves the market consistent after every step, so a
        // poisoned lock is safe to use.
        self.published
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn published_mut(&self) -> RwLockWriteGuard<'_, Published> {
        // As above.
        self.published
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
