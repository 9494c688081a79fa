//! Writes the market's bars: closed ones each second, and those that are open
//! once a minute.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use shared::{Candle, Interval, Span, Time};

use super::fresh::{self, Fresh, Place};
use super::packed::{Newest, SeriesId};
use super::restore::Taken;
use super::series::{self, Ids};
use super::{StoredFeed, blocks};
use crate::clock;
use crate::market::{CandleChanges, Market, Marks};

/// A bar that ended so long ago is closed. A trade that arrives later than that
/// is written, too, but costs a row of its own.
const GRACE: Span = Span::from_micros(500_000);
/// How often the newest bars are written.
const NEWEST_PERIOD: Duration = Duration::from_secs(60);
/// After so many writes of fresh bars, or so many bars, they are packed into
/// blocks. More would make the start longer, fewer would write more.
const WRITES_MAX: u32 = 900;
const BARS_MAX: usize = 100_000;

/// The bars of a market, and which of them are in the file.
pub(super) struct Bars {
    market: Arc<Market>,
    /// Whether the feed's time is that of the clock, so that a bar closes
    /// without a trade after it.
    goes_on: bool,
    now: Arc<RwLock<Now>>,
    ids: Arc<[Ids]>,
    marks: Vec<Marks>,
    fresh: Fresh,
    /// How often the feed had begun anew.
    beginnings: u64,
    /// Where the next row of `fresh` goes.
    next: Place,
    /// How many writes there were since bars were packed.
    writes: u32,
    /// Whether what there is has to be packed at the next write.
    packs_next: bool,
    newest_written: Option<Instant>,
    exceptions: u64,
    /// The start of each series' newest bar.
    tops: Vec<[Option<Time>; Interval::ALL.len()]>,
}

/// Where the bars of the market are now, for those who read them.
#[derive(Clone, Debug)]
pub(super) struct Now {
    /// How often the feed has begun anew.
    pub(super) beginnings: u64,
    /// The series of each instrument.
    pub(super) ids: Arc<[Ids]>,
    /// Bars that are not in blocks yet.
    pub(super) fresh: Fresh,
}

/// The series of a feed that has begun anew.
pub(super) struct Anew {
    beginnings: u64,
    ids: Arc<[Ids]>,
}

/// What has been written, until that is committed.
pub(super) struct Written {
    marks: Vec<(usize, Marks)>,
    bars: Vec<(SeriesId, Candle)>,
    next: Place,
    /// How many bars left memory before they were written.
    pub(super) lost: u64,
    exceptions: u64,
    tops: Vec<[Option<Time>; Interval::ALL.len()]>,
    has_merged: bool,
    has_newest: bool,
}

/// What changed since the last write.
#[derive(Default)]
struct Changed {
    closed: Vec<(SeriesId, Candle)>,
    again: Vec<(SeriesId, Candle)>,
    newest: Vec<Newest>,
    marks: Vec<(usize, Marks)>,
    tops: Vec<[Option<Time>; Interval::ALL.len()]>,
    lost: u64,
}

impl Bars {
    /// The bars of a market that continues from what was taken up.
    pub(super) fn new(market: Arc<Market>, goes_on: bool, taken: Taken) -> Self {
        let Taken {
            ids,
            marks,
            fresh,
            next,
            ..
        } = taken;
        let beginnings = market.beginnings();
        let now = Now {
            beginnings,
            ids: Arc::clone(&ids),
            fresh: fresh.clone(),
        };
        Self {
            now: Arc::new(RwLock::new(now)),
            beginnings,
            goes_on,
            tops: vec![Default::default(); ids.len()],
            ids,
            marks,
            fresh,
            next,
            writes: 0,
            // What an earlier run left.
            packs_next: true,
            newest_written: None,
            exceptions: market.candle_exceptions(),
            market,
        }
    }

    /// Where they are, now and later.
    pub(super) fn now(&self) -> Arc<RwLock<Now>> {
        Arc::clone(&self.now)
    }

    /// Forgets what is stored, if the feed has begun anew since.
    pub(super) fn begin_anew(
        &self,
        database: &Connection,
        feed: &str,
    ) -> rusqlite::Result<Option<Anew>> {
        let beginnings = self.market.beginnings();
        if beginnings == self.beginnings {
            return Ok(None);
        }
        let source = StoredFeed {
            feed,
            instruments: self.market.catalogue().instruments(),
            goes_on: false,
            is_alone: true,
        };
        series::forget(database, source)?;
        let ids = source.instruments.iter();
        let ids = ids.map(|instrument| series::ids(database, feed, instrument));
        let ids = ids.collect::<rusqlite::Result<_>>()?;
        Ok(Some(Anew { beginnings, ids }))
    }

    /// Takes note that [`Self::begin_anew`] is committed.
    pub(super) fn commit_anew(&mut self, anew: Anew) {
        self.beginnings = anew.beginnings;
        self.ids = anew.ids;
        self.marks.fill(Marks::default());
        self.tops.fill(Default::default());
        self.newest_written = None;
        // What was fresh of the series that are no more is dropped by it.
        self.packs_next = true;
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        now.beginnings = anew.beginnings;
        now.ids = Arc::clone(&self.ids);
    }

    /// How many bars have left memory since the last write that succeeded.
    pub(super) fn missing(&self) -> u64 {
        self.market.missing(&self.marks)
    }

    /// The start of the newest bar of each series that is written.
    pub(super) fn tops(&self) -> HashMap<SeriesId, Time> {
        let all = self.ids.iter().flatten().zip(self.tops.iter().flatten());
        all.filter_map(|(id, top)| Some((*id, (*top)?))).collect()
    }

    /// Writes what is new. `is_last` if nothing will be written after it.
    pub(super) fn write(&self, database: &Connection, is_last: bool) -> rusqlite::Result<Written> {
        // Before the bars are looked at: what happens in between counts twice.
        let exceptions = self.market.candle_exceptions();
        let mut changed = self.changes();
        let is_full = self.packs_next || self.writes >= WRITES_MAX || self.fresh.len() >= BARS_MAX;
        let has_merged = !is_last && is_full;
        let mut next = self.next;
        if has_merged {
            self.fresh.merge(database)?;
            next = Place {
                round: next.round + 1,
                id: 0,
            };
        }
        // A past, of which nothing is in the file yet.
        let is_past = changed.closed.len() > BARS_MAX;
        if is_past {
            blocks::write(database, std::mem::take(&mut changed.closed))?;
        } else if !changed.closed.is_empty() {
            next.id += fresh::write(database, next, &changed.closed)?;
        }
        for (series, bar) in &changed.again {
            fresh::write_again(database, *series, bar)?;
        }
        let is_due = |written: Instant| written.elapsed() >= NEWEST_PERIOD;
        // What the bars of a second cannot tell has to be written itself.
        let has_newest = has_merged
            || is_past
            || is_last
            || changed.lost > 0
            || exceptions != self.exceptions
            || self.newest_written.is_none_or(is_due);
        if has_newest {
            fresh::write_newest(database, next, &changed.newest)?;
        }
        let mut bars = changed.closed;
        bars.extend(changed.again);
        Ok(Written {
            marks: changed.marks,
            bars,
            next,
            lost: changed.lost,
            exceptions,
            tops: changed.tops,
            has_merged,
            has_newest,
        })
    }

    /// Takes note that what was written is committed.
    pub(super) fn commit(&mut self, written: Written) {
        for (index, marks) in written.marks {
            self.marks[index] = marks;
        }
        self.writes += u32::from(!written.bars.is_empty());
        if written.has_merged {
            self.fresh.clear();
            self.writes = 0;
        }
        self.packs_next = false;
        self.next = written.next;
        self.fresh.extend(written.bars);
        if written.has_newest {
            self.newest_written = Some(Instant::now());
        }
        self.exceptions = written.exceptions;
        self.tops = written.tops;
    }

    /// Lets the next write pack what was written.
    #[cfg(test)]
    pub(super) fn pack_next(&mut self) {
        self.packs_next = true;
    }

    /// Lets the next write write the newest bars, too.
    #[cfg(test)]
    pub(super) fn newest_next(&mut self) {
        self.newest_written = None;
    }

    fn changes(&self) -> Changed {
        let until = if self.goes_on {
            clock::now() - GRACE
        } else {
            Time::MIN
        };
        let mut changed = Changed::default();
        for (index, (ids, marks)) in self.ids.iter().zip(&self.marks).enumerate() {
            // All intervals of an instrument are as of the same tick, so that
            // they agree whenever the server stops.
            let changes = self.market.candle_changes(index, marks, until);
            changed.add(index, ids, changes);
        }
        // The marks are of before: the next write begins anew.
        match self.market.beginnings() == self.beginnings {
            true => changed,
            false => Changed {
                tops: self.tops.clone(),
                ..Changed::default()
            },
        }
    }
}

impl Changed {
    fn add(&mut self, index: usize, ids: &Ids, changes: CandleChanges) {
        let of = |interval: Interval| ids[interval as usize];
        let closed = changes.closed.into_iter();
        self.closed
            .extend(closed.map(|(interval, bar)| (of(interval), bar)));
        let again = changes.again.into_iter();
        self.again
            .extend(again.map(|(interval, bar)| (of(interval), bar)));
        let newest = changes
            .newest
            .each_ref()
            .map(|bar| bar.as_ref().map(|bar| bar.time));
        self.tops.push(newest);
        for ((bar, id), taken) in changes.newest.iter().zip(ids).zip(changes.taken) {
            let bar = bar.as_ref();
            self.newest
                .extend(bar.map(|bar| Newest::pack(*id, bar, taken)));
        }
        self.lost += changes.missing;
        self.marks.push((index, changes.marks));
    }
}
