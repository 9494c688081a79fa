//! What a market continues from: the newest bar of each series, also of those
//! that were open when the server was killed.
//!
//! Only closed bars are written all the time. Bars that are open are made from
//! the last row of `newest`, and from the bars of a second that closed after it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Transaction, named_params};
use shared::{Break, Candle, Decimal, Interval, NewestBars, Span, Time};

use super::fresh::{self, Fresh, Place};
use super::old::OldSeries;
use super::packed::{Newest, SeriesId};
use super::series::{self, Ids, Owner};
use super::{StoreError, StoredFeed, blocks, schema};
use crate::market::{Mark, Marks};

/// How far the newest candle in the file may be ahead of the clock, which was
/// set back, or had run ahead. Time then continues from what is stored. If it
/// is further ahead, the server does not start, and the user has to decide.
const AHEAD_MAX: Span = Span::DAY;

/// The state of a file, as far as the writer has to know it.
#[derive(Debug)]
pub(super) struct Taken {
    /// The series of each instrument.
    pub(super) ids: Arc<[Ids]>,
    /// The newest bars of each instrument.
    pub(super) newest: Vec<NewestBars>,
    /// The last price of each instrument's day before the newest one.
    pub(super) previous: Vec<Option<Decimal>>,
    /// Which of those are stored as closed bars, too.
    pub(super) marks: Vec<Marks>,
    pub(super) fresh: Fresh,
    /// Where the next row of `fresh` goes.
    pub(super) next: Place,
}

/// The newest bars of a symbol, and those of its shortest series that may be
/// newer than the others are as of.
#[derive(Clone, Debug, Default)]
struct Group {
    newest: NewestBars,
    /// Whether, and with how many trades, the bar is stored as a closed one.
    stored: [Option<u64>; Interval::ALL.len()],
}

/// Takes up a file for this source, and writes where it goes on.
pub(super) fn take_up(
    transaction: &Transaction<'_>,
    source: StoredFeed<'_>,
) -> rusqlite::Result<Taken> {
    if !source.goes_on {
        series::forget(transaction, source)?;
    }
    let fresh = Fresh::read(transaction)?;
    let (round, newest) = fresh::read_newest(transaction)?;
    let id = fresh::rows(transaction, round)?;
    let next = Place { round, id };
    let mut newest: BTreeMap<SeriesId, (Candle, Option<u64>)> = newest
        .into_iter()
        .map(Newest::unpack)
        .map(|(id, bar, stored)| (id, (bar, stored)))
        .collect();
    let known = series::known(transaction)?;
    let mut groups: BTreeMap<&Owner, Group> = BTreeMap::new();
    for (owner, ids) in &known {
        let group = Group::read(transaction, ids, &mut newest, &fresh)?;
        groups.insert(owner, group);
    }
    let has_old = schema::has_old(transaction)?;
    let mut ids = Vec::with_capacity(source.instruments.len());
    let (mut bars, mut marks, mut previous) = (Vec::new(), Vec::new(), Vec::new());
    for instrument in source.instruments {
        let owner = Owner {
            feed: source.feed.to_owned(),
            symbol: instrument.symbol.clone(),
        };
        let found = known.get(&owner).copied().unwrap_or_default();
        let mut group = groups.remove(&owner).unwrap_or_default();
        group.search(transaction, &found)?;
        if has_old {
            group.take_old(transaction, &owner)?;
        }
        let known = series::ids(transaction, source.feed, instrument)?;
        group.write_stored(transaction, &known, &fresh)?;
        ids.push(known);
        marks.push(group.marks());
        previous.push(group.previous(transaction, &fresh, known)?);
        bars.push(group.newest);
    }
    // Those that are not in the catalogue any more keep what they have.
    for (owner, group) in groups {
        group.write_all(transaction, &known[owner], &fresh)?;
    }
    let taken = Taken {
        ids: ids.into(),
        newest: bars,
        previous,
        marks,
        fresh,
        next,
    };
    taken.write_newest(transaction)?;
    Ok(taken)
}

impl Taken {
    /// The time since the newest bar, if there is one.
    pub(super) fn down(&self, now: Time) -> Option<Break> {
        let shortest = self.newest.iter().filter_map(|newest| newest[0].as_ref());
        let newest = shortest.map(|bar| bar.time).max()?;
        let since = newest + Interval::ALL[0].span();
        (since < now).then_some(Break { since, until: now })
    }

    fn write_newest(&self, database: &Connection) -> rusqlite::Result<()> {
        let mut rows = Vec::new();
        for ((ids, newest), marks) in self.ids.iter().zip(&self.newest).zip(&self.marks) {
            for ((id, bar), mark) in ids.iter().zip(newest).zip(marks) {
                let stored = (mark.stored() > 0).then_some(mark.trades());
                let bar = bar.as_ref();
                rows.extend(bar.map(|bar| Newest::pack(*id, bar, stored)));
            }
        }
        fresh::write_newest(database, self.next, &rows)
    }
}

impl Group {
    /// The newest bars of a symbol's series, of those that were written last.
    fn read(
        database: &Connection,
        ids: &[Option<SeriesId>; Interval::ALL.len()],
        newest: &mut BTreeMap<SeriesId, (Candle, Option<u64>)>,
        fresh: &Fresh,
    ) -> rusqlite::Result<Self> {
        let mut group = Self::default();
        for (at, id) in ids.iter().enumerate() {
            let Some((bar, stored)) = id.and_then(|id| newest.remove(&id)) else {
                continue;
            };
            group.stored[at] = stored;
            group.newest[at] = Some(bar);
        }
        let [shortest, ..] = &group.newest;
        let base = shortest.clone();
        let since = base.as_ref().map_or(Time::MIN, |base| base.time);
        let seconds = ids[0].map(|id| fresh.range(id, (since, Time::MAX)));
        let seconds: Vec<_> = seconds.into_iter().flatten().map(|(_, bar)| bar).collect();
        for (at, id) in ids.iter().enumerate() {
            let mut closed = id.and_then(|id| fresh.newest(id));
            if let (None, None, Some(id)) = (&group.newest[at], &closed, id)
                && !seconds.is_empty()
            {
                // The symbol left before the newest bars were written: what was
                // open then is in a block, and has these seconds already.
                closed = blocks::newest(database, *id)?;
            }
            let from = group.take_closed(at, closed);
            if at > 0 {
                group.take_seconds(at, &seconds, base.as_ref(), from);
            }
        }
        Ok(group)
    }

    /// Takes the newest closed bar of a series, if the one that is known is not
    /// newer. Returns the time up to which the series is then complete.
    fn take_closed(&mut self, at: usize, closed: Option<Candle>) -> Time {
        let age = |bar: &Candle| (bar.time, bar.trades);
        let known = self.newest[at].as_ref().map(age);
        match closed {
            Some(closed) if Some(age(&closed)) >= known => {
                let until = closed.time + Interval::ALL[at].span();
                self.stored[at] = Some(closed.trades);
                self.newest[at] = Some(closed);
                until
            }
            _ => Time::MIN,
        }
    }

    /// Adds bars of a second to a longer series. `base` is the first of them as
    /// far as the series has it already; it is complete before `from`.
    fn take_seconds(&mut self, at: usize, seconds: &[Candle], base: Option<&Candle>, from: Time) {
        let interval = Interval::ALL[at];
        for second in seconds.iter().filter(|second| second.time >= from) {
            let start = interval.start_of(second.time);
            match &mut self.newest[at] {
                Some(bar) if bar.time > start => {}
                Some(bar) if bar.time == start => {
                    let had = base.filter(|base| base.time == second.time);
                    extend(bar, second, had);
                }
                newest => {
                    *newest = Some(Candle {
                        time: start,
                        ..second.clone()
                    });
                    self.stored[at] = None;
                }
            }
        }
    }

    /// The last price of the day before the newest one.
    fn previous(
        &self,
        database: &Connection,
        fresh: &Fresh,
        ids: Ids,
    ) -> rusqlite::Result<Option<Decimal>> {
        let at = Interval::D1 as usize;
        let Some(day) = &self.newest[at] else {
            return Ok(None);
        };
        let before = (Time::MIN, day.time);
        let mut bars = fresh.range(ids[at], before);
        bars.extend(blocks::range(database, ids[at], before, 1)?);
        Ok(bars.pop_last().map(|(_, bar)| bar.close))
    }

    /// Searches the file for what was not written last: the symbol was not in
    /// the catalogue then.
    fn search(
        &mut self,
        database: &Connection,
        ids: &[Option<SeriesId>; Interval::ALL.len()],
    ) -> rusqlite::Result<()> {
        for (at, id) in ids.iter().enumerate() {
            if let (None, Some(id)) = (&self.newest[at], id) {
                self.newest[at] = blocks::newest(database, *id)?;
                self.stored[at] = self.newest[at].as_ref().map(|bar| bar.trades);
            }
        }
        Ok(())
    }

    /// Takes the newest bars out of the table of an earlier version, where
    /// nothing newer is known.
    fn take_old(&mut self, database: &Connection, owner: &Owner) -> rusqlite::Result<()> {
        for (newest, interval) in self.newest.iter_mut().zip(Interval::ALL) {
            if newest.is_none() {
                let old = OldSeries {
                    feed: &owner.feed,
                    symbol: &owner.symbol,
                    interval: interval.name(),
                };
                *newest = old.take_newest(database)?;
            }
        }
        Ok(())
    }

    /// Writes the bars that are stored with fewer trades than they have.
    fn write_stored(
        &mut self,
        database: &Connection,
        ids: &Ids,
        fresh: &Fresh,
    ) -> rusqlite::Result<()> {
        for ((id, bar), stored) in ids.iter().zip(&self.newest).zip(&mut self.stored) {
            if let (Some(bar), Some(stored)) = (bar, stored)
                && *stored != bar.trades
            {
                fresh::write_again(database, *id, bar)?;
                fresh.extend([(*id, bar.clone())]);
                *stored = bar.trades;
            }
        }
        Ok(())
    }

    fn marks(&self) -> Marks {
        self.stored
            .map(|stored| stored.map_or(Mark::default(), Mark::of_stored))
    }

    /// Writes the bars that are not stored as they are now.
    fn write_all(
        self,
        database: &Connection,
        ids: &[Option<SeriesId>; Interval::ALL.len()],
        fresh: &Fresh,
    ) -> rusqlite::Result<()> {
        for ((id, bar), stored) in ids.iter().zip(self.newest).zip(self.stored) {
            if let (Some(id), Some(bar)) = (id, bar)
                && stored != Some(bar.trades)
            {
                fresh::write_again(database, *id, &bar)?;
                fresh.extend([(*id, bar)]);
            }
        }
        Ok(())
    }
}

/// Adds a shorter bar to one that it lies in, which already `had` a part of it.
fn extend(bar: &mut Candle, shorter: &Candle, had: Option<&Candle>) {
    let (had_volume, had_trades) =
        had.map_or_else(Default::default, |had| (had.volume, had.trades));
    let more = shorter.trades.saturating_sub(had_trades);
    if more == 0 {
        return;
    }
    bar.high = bar.high.max(shorter.high);
    bar.low = bar.low.min(shorter.low);
    bar.close = shorter.close;
    let volume = shorter.volume.saturating_add(-had_volume);
    bar.volume = bar.volume.saturating_add(volume);
    bar.trades += more;
}

/// The start of the latest candle of a source that lies in the future, if there
/// is one: the clock is behind, or was ahead.
pub(super) fn latest_ahead(
    found: &schema::Found,
    source: StoredFeed<'_>,
    now: Time,
) -> Result<Option<Time>, StoreError> {
    let latest = match found.version < schema::PACKED {
        true => latest_of_old(&found.database, source)?,
        false => latest_of_packed(&found.database, source)?,
    };
    match latest.filter(|(_, time)| *time > now) {
        Some((symbol, time)) if time - now > AHEAD_MAX => Err(StoreError::Ahead {
            symbol,
            ahead_s: (time - now).whole_seconds(),
        }),
        latest => Ok(latest.map(|(_, time)| time)),
    }
}

/// The symbol and the start of the latest candle of a source, in a file of an
/// earlier version. Each look uses the key, whatever the size of the table.
fn latest_of_old(
    database: &Connection,
    source: StoredFeed<'_>,
) -> rusqlite::Result<Option<(String, Time)>> {
    let mut select = database.prepare(
        "SELECT max(time) FROM candle
         WHERE feed = :feed AND symbol = :symbol AND interval = :interval",
    )?;
    let mut latest = None;
    for instrument in source.instruments {
        for interval in Interval::ALL {
            let wanted = named_params! {
                ":feed": source.feed, ":symbol": instrument.symbol, ":interval": interval.name()
            };
            let time: Option<i64> = select.query_row(wanted, |row| row.get(0))?;
            let found = time.map(|time| (Time::from_micros(time), &instrument.symbol));
            latest = latest.max(found);
        }
    }
    Ok(latest.map(|(time, symbol)| (symbol.clone(), time)))
}

/// The same in a file of this version. Blocks hold nothing newer, but of symbols
/// that left the catalogue.
fn latest_of_packed(
    database: &Connection,
    source: StoredFeed<'_>,
) -> rusqlite::Result<Option<(String, Time)>> {
    let found = database.query_row(
        "SELECT symbol, 1000000 * seconds AS time FROM (
            SELECT json_extract(bar.value, '$[0]') AS id, json_extract(bar.value, '$[1]') AS seconds
            FROM newest JOIN json_each(newest.bars) AS bar
            UNION ALL
            SELECT json_extract(bar.value, '$[0]'), json_extract(bar.value, '$[1]')
            FROM newest JOIN fresh ON fresh.round = newest.round
            JOIN json_each(fresh.bars) AS bar
            UNION ALL
            SELECT late.series, late.time FROM late)
         JOIN series USING (id) WHERE feed = ?1 ORDER BY seconds DESC LIMIT 1",
        [source.feed],
        |row| Ok((row.get(0)?, super::columns::time(row, 1)?)),
    );
    found.optional()
}
