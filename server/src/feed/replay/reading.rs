//! Reads what is replayed in a thread of its own: first what was before a time,
//! then each moment from there on.

use std::sync::Arc;

use pricefile::Tally;
use shared::{Candles, Interval, Time};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::ReplayError;
use super::recording::Recordings;
use super::rows::Files;
use crate::feed::{FeedEvent, PastCandles};
use crate::kept::candle_room;

/// How many moments may wait until they are played.
const WAITING_MAX: usize = 256;
/// After so many rows it is looked whether anybody still waits for them.
const LOOK_ROWS: u64 = 4_096;

/// What is replayed.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) source: Source,
    /// How many instruments there are.
    pub(super) instruments: usize,
    /// The part of time that is played.
    pub(super) range: (Time, Time),
}

/// Where it comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// Tables of prices.
    Files(Files),
    /// What a server recorded.
    Recordings(Recordings),
}

/// What is read, from a time on.
#[derive(Debug)]
pub(super) enum Read {
    /// First, unless all is read from the start: what was before.
    Past(Past),
    /// Then each moment.
    Moment(Moment),
    /// What was left out or mended, of a file that is read as it is played, if it
    /// is more than before: the index of the file, and all until now.
    Told(usize, Tally),
}

/// What there is before a time.
#[derive(Debug)]
pub(super) struct Past {
    /// The candles of each instrument.
    pub(super) candles: Vec<PastCandles>,
    /// When the last moment before was.
    pub(super) last: Option<Time>,
}

/// All that is to happen within one bar, or at one time.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Moment {
    /// When it begins.
    pub(super) time: Time,
    /// What happens, each with its time.
    pub(super) events: Vec<(Time, FeedEvent)>,
}

/// The next thing that a source has.
pub(super) enum Next {
    /// What happens at a time.
    Moment(Moment),
    /// As [`Read::Told`].
    Told(usize, Tally),
}

/// What is being read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) read: mpsc::Receiver<Read>,
    end: JoinHandle<Result<(), ReplayError>>,
}

impl Reading {
    /// Begins to read: all, or first the past, which is what is before `from`.
    pub(super) fn start(content: &Arc<Content>, from: Option<Time>) -> Self {
        let content = Arc::clone(content);
        let (sender, read) = mpsc::channel(WAITING_MAX);
        let end = spawn_blocking(move || content.send(from, &sender));
        Self { read, end }
    }

    /// Why it ended, once nothing more is received.
    pub(super) async fn end(&mut self) -> Result<(), ReplayError> {
        // It panics only by a fault of the program, which is reported as one.
        (&mut self.end)
            .await
            .unwrap_or_else(|error| Err(error.into()))
    }
}

impl Content {
    /// Sends the past and all moments. Ends early if nobody receives them.
    ///
    /// # Errors
    ///
    /// A row cannot be read.
    fn send(&self, from: Option<Time>, to: &mpsc::Sender<Read>) -> Result<(), ReplayError> {
        let mut before = from.map(|from| {
            let from = from.max(self.range.0);
            (from, Before::new(self.instruments))
        });
        let mut count = 0_u64;
        let mut take = |next: Next| {
            count += 1;
            if count.is_multiple_of(LOOK_ROWS) && to.is_closed() {
                return false;
            }
            let moment = match next {
                Next::Told(file, tally) => return send(to, Read::Told(file, tally)),
                Next::Moment(moment) => moment,
            };
            if moment.time >= self.range.1 {
                return false;
            }
            if let Some((from, before)) = &mut before
                && moment.time < *from
            {
                before.add(moment);
                return true;
            }
            let past = before.take();
            past.is_none_or(|(_, past)| send(to, Read::Past(past.into_past())))
                && send(to, Read::Moment(moment))
        };
        match &self.source {
            Source::Files(files) => files.read(&mut take)?,
            Source::Recordings(recordings) => recordings.read(&mut take)?,
        }
        if let Some((_, past)) = before {
            send(to, Read::Past(past.into_past()));
        }
        Ok(())
    }
}

/// Returns whether anybody receives it.
fn send(to: &mpsc::Sender<Read>, read: Read) -> bool {
    to.blocking_send(read).is_ok()
}

/// The candles that trades before a time make.
struct Before {
    all: Vec<[Candles; Interval::ALL.len()]>,
    last: Option<Time>,
}

impl Before {
    fn new(instruments: usize) -> Self {
        // What memory has no room for would only be dropped.
        let room = candle_room(instruments);
        let of_one = || Interval::ALL.map(|interval| Candles::new(interval, room));
        Self {
            all: std::iter::repeat_with(of_one).take(instruments).collect(),
            last: None,
        }
    }

    fn add(&mut self, moment: Moment) {
        let time = moment.time;
        for (_, event) in moment.events {
            match event {
                FeedEvent::Trade(trade) => {
                    for candles in &mut self.all[trade.instrument] {
                        candles.trade(trade.time, trade.price, trade.qty);
                    }
                }
                // As it was recorded: what was before holds no more.
                FeedEvent::Anew(_) => *self = Self::new(self.all.len()),
                FeedEvent::Quote(_) | FeedEvent::State(_) | FeedEvent::History(_) => {}
            }
        }
        self.last = Some(time);
    }

    fn into_past(self) -> Past {
        let all = self.all.into_iter();
        Past {
            candles: all.map(|all| all.map(Candles::into_vec)).collect(),
            last: self.last,
        }
    }
}
