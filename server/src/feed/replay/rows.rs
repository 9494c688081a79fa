//! The rows of all files, in order of time, as what happens at once.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use pricefile::{FileError, Kind, PriceFile, Row, Rows};
use shared::{Decimal, Interval, Span, Time};

use super::reading::{Moment, Next};
use super::walk::{Bar, walk};
use super::{ReplayError, dated};
use crate::feed::{FeedEvent, Quote, Trade};

/// So many events are given at once: a file may have very many of one time.
const EVENTS_MAX: usize = 65_536;

/// What moments are made of.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) files: Vec<PriceFile>,
    /// The catalogue index of each symbol, as the files write it.
    pub(super) places: BTreeMap<String, usize>,
}

/// A file whose rows are being read: the next of them, and those after it.
struct Open<'f> {
    /// Its index.
    file: usize,
    /// The next row, or why there is none.
    next: Result<Row, FileError>,
    /// When that is; of a fault, when the row before it was.
    time: Time,
    rows: Rows<'f>,
    bars: Option<Interval>,
    /// How many rows were left out or mended when that was last told.
    told: u64,
}

/// A row, the length of its bars, and what was left out or mended before it, if
/// that is news.
type Following = (Row, Option<Interval>, Option<Next>);

/// The files: each is open only while it is played, since there may be hundreds.
struct Sources<'f> {
    files: &'f Files,
    /// Those that are not open yet, the one that begins first at the end.
    waiting: Vec<(Time, usize)>,
    open: Vec<Open<'f>>,
}

impl<'f> Sources<'f> {
    fn new(files: &'f Files) -> Self {
        let first = |(index, file): (usize, &PriceFile)| (file.range().0, index);
        let mut waiting: Vec<_> = files.files.iter().enumerate().map(first).collect();
        waiting.sort_unstable_by(|a, b| b.cmp(a));
        Self {
            files,
            waiting,
            open: Vec::new(),
        }
    }

    /// The oldest row of all that are next.
    fn next(&mut self) -> Result<Option<Following>, FileError> {
        self.open_those_due()?;
        let times = self.open.iter().enumerate();
        let Some((_, place)) = times.map(|(place, open)| (open.time, place)).min() else {
            return Ok(None);
        };
        let open = &mut self.open[place];
        let news = open.news();
        let (bars, after) = (open.bars, open.rows.next());
        let row = match after {
            Some(after) => {
                if let Ok(after) = &after {
                    open.time = after.time;
                }
                std::mem::replace(&mut open.next, after)
            }
            None => self.open.swap_remove(place).next,
        };
        Ok(Some((row?, bars, news)))
    }

    /// Opens the files whose first row is not after all others that are next.
    fn open_those_due(&mut self) -> Result<(), FileError> {
        while let Some((first, index)) = self.waiting.last().copied()
            && self.open.iter().all(|open| first <= open.time)
        {
            self.waiting.pop();
            let file = &self.files.files[index];
            let mut rows = file.rows()?;
            let Some(next) = rows.next() else {
                continue;
            };
            self.open.push(Open {
                file: index,
                time: next.as_ref().map_or(first, |row| row.time),
                next,
                rows,
                bars: file.bars(),
                told: 0,
            });
        }
        Ok(())
    }
}

/// An event that is waiting until rows before it were read.
struct Waiting {
    time: Time,
    /// Those of one time keep the order in which they were read.
    number: u64,
    event: FeedEvent,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        // A heap gives the greatest first, which is to be the oldest.
        (other.time, other.number).cmp(&(self.time, self.number))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Waiting {}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

/// What bars are played as, in order of time: bars of several symbols and lengths
/// overlap.
#[derive(Default)]
struct Merge {
    waiting: BinaryHeap<Waiting>,
    count: u64,
    /// How many of them are of the newest row's time.
    now: usize,
}

impl Merge {
    /// Takes in what a row of the time `begun` is played as.
    fn add(&mut self, begun: Time, events: Vec<(Time, FeedEvent)>) {
        for (time, event) in events {
            self.count += 1;
            self.now += usize::from(time == begun);
            self.waiting.push(Waiting {
                time,
                number: self.count,
                event,
            });
        }
    }

    /// Gives what happens before `until`, as moments that begin at `begun` and are
    /// not too large. Returns whether there is interest in more.
    fn give(&mut self, begun: Time, until: Time, take: &mut dyn FnMut(Next) -> bool) -> bool {
        self.now = 0;
        let mut events = Vec::new();
        while let Some(next) = self.waiting.peek()
            && next.time < until
            && let Some(next) = self.waiting.pop()
        {
            events.push((next.time, next.event));
            if events.len() >= EVENTS_MAX {
                let events = std::mem::take(&mut events);
                let time = begun;
                if !take(Next::Moment(Moment { time, events })) {
                    return false;
                }
            }
        }
        let time = begun;
        events.is_empty() || take(Next::Moment(Moment { time, events }))
    }
}

impl Files {
    /// Gives all moments to `take`, until that returns `false`.
    ///
    /// # Errors
    ///
    /// A row cannot be read. What was before it is given first.
    pub(super) fn read(&self, take: &mut dyn FnMut(Next) -> bool) -> Result<(), ReplayError> {
        let mut sources = Sources::new(self);
        let (mut merge, mut bids, mut starts) =
            (Merge::default(), BTreeMap::new(), BTreeMap::new());
        let mut begun = Time::MIN;
        loop {
            let next = sources.next().map_err(ReplayError::from);
            let next = next.and_then(|next| {
                if let Some((row, bars, _)) = &next {
                    self.check(row, *bars, &mut starts)?;
                }
                Ok(next)
            });
            let (row, bars, news) = match next {
                Ok(Some(next)) => next,
                // What is before its end, or before a fault, is played.
                end => {
                    merge.give(begun, Time::MAX, take);
                    return end.map(drop);
                }
            };
            let until = match merge.now >= EVENTS_MAX {
                // Going on at the same time is harmless.
                true => begun + Span::from_micros(1),
                false => row.time,
            };
            if until > begun && !merge.give(begun, until, take) {
                return Ok(());
            }
            begun = row.time;
            merge.add(begun, self.events(&row, bars, &mut bids));
            if news.is_some_and(|news| !take(news)) {
                return Ok(());
            }
        }
    }

    /// Checks that a row is not of a bar that another file had.
    fn check(
        &self,
        row: &Row,
        bars: Option<Interval>,
        starts: &mut BTreeMap<usize, Time>,
    ) -> Result<(), ReplayError> {
        let symbol = row.symbol.as_deref().unwrap_or_default();
        let (Some(bars), Some(place)) = (bars, self.places.get(symbol)) else {
            return Ok(());
        };
        let start = bars.start_of(row.time);
        match starts.insert(*place, start) {
            Some(before) if before == start => {
                Err(ReplayError::Twice(symbol.to_owned(), dated(start)))
            }
            _ => Ok(()),
        }
    }

    /// What a row is played as. `bids` has the newest quote of each instrument.
    fn events(
        &self,
        row: &Row,
        bars: Option<Interval>,
        bids: &mut BTreeMap<usize, [Option<Decimal>; 2]>,
    ) -> Vec<(Time, FeedEvent)> {
        let symbol = row.symbol.as_deref().unwrap_or_default();
        let Some(&instrument) = self.places.get(symbol) else {
            return Vec::new();
        };
        match row.kind {
            Kind::Bar {
                open,
                high,
                low,
                close,
                volume,
                ..
            } => {
                let bar = Bar {
                    time: row.time,
                    span: bars.map_or(Span::SECOND, |bars| time_in(bars, row.time)),
                    open,
                    high,
                    low,
                    close,
                    volume: volume.unwrap_or_default(),
                };
                let trades = walk(instrument, &bar).into_iter();
                trades
                    .map(|trade| (trade.time, FeedEvent::Trade(trade)))
                    .collect()
            }
            Kind::Trade { price, size } => {
                let trade = Trade {
                    instrument,
                    time: row.time,
                    at: None,
                    id: None,
                    price,
                    qty: size.unwrap_or_default(),
                    side: None,
                    bid: None,
                    ask: None,
                };
                vec![(row.time, FeedEvent::Trade(trade))]
            }
            Kind::Quote { bid, ask } => {
                let known = bids.entry(instrument).or_default();
                let before = known[0];
                *known = [bid.or(known[0]), ask.or(known[1])];
                of_quote(instrument, row.time, *known, before)
            }
        }
    }
}

impl Open<'_> {
    /// What was left out or mended, if that is more than before.
    fn news(&mut self) -> Option<Next> {
        let tally = self.rows.tally();
        let told = tally.left_out + tally.mended + tally.rounded;
        let is_news = std::mem::replace(&mut self.told, told) != told;
        is_news.then(|| Next::Told(self.file, tally.clone()))
    }
}

/// A quote, and its bid as a trade of nothing, if it is another than before:
/// candles are made of trades.
fn of_quote(
    instrument: usize,
    time: Time,
    [bid, ask]: [Option<Decimal>; 2],
    before: Option<Decimal>,
) -> Vec<(Time, FeedEvent)> {
    let quote = FeedEvent::Quote(Quote {
        instrument,
        time,
        at: None,
        bid,
        bid_qty: None,
        ask,
        ask_qty: None,
    });
    let at_bid = bid.filter(|bid| Some(*bid) != before).map(|price| {
        FeedEvent::Trade(Trade {
            instrument,
            time,
            at: None,
            id: None,
            price,
            qty: Decimal::ZERO,
            side: None,
            bid: Some(price),
            ask,
        })
    });
    let all = std::iter::once(quote).chain(at_bid);
    all.map(|event| (time, event)).collect()
}

/// How much is left of the bar that a row of this time goes into.
fn time_in(bars: Interval, time: Time) -> Span {
    bars.start_of(time) + bars.span() - time
}
