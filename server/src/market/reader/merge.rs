//! Several batches as one message: for polls, for readers with a pace, and for
//! readers that are far behind.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::batch::Batch;
use super::super::snapshots::Form;
use super::super::ticks_writer::TicksWriter;
use super::super::{Frame, SymbolSet};
use super::{Answer, READ_BATCHES, Reader};

/// The most ticks in one message of a stream: below two megabytes of JSON.
const STREAM_TICKS_MAX: usize = 10_000;
/// The most batches that are searched for the newest ticks at once.
const LATEST_BATCHES_MAX: usize = 8_192;

/// The messages that take a reader from the position it was last sent to
/// another one.
#[derive(Clone, Debug)]
pub(in super::super) struct Merged {
    pub(in super::super) frames: Vec<Frame>,
    /// Everything up to this position was read.
    pub(in super::super) position: u64,
}

impl Reader {
    /// Everything up to the head, with at most `limit` ticks; neighbouring
    /// ticks are merged into one message. After an answer without messages, the
    /// next call begins at the same position.
    pub fn answer(&mut self, limit: usize) -> Answer {
        let sent = self.sent;
        let frames = match self.snapshot.take() {
            Some(reason) => self.take_snapshot(reason),
            None => match self.merged(limit) {
                Some(merged) => {
                    self.position = merged.position;
                    merged.frames
                }
                None => self.take_snapshot(self.reason_before(self.position)),
            },
        };
        let began_anew = frames.iter().any(|frame| frame.event == "snapshot");
        let from = if began_anew { self.position } else { sent };
        // An answer without messages is not sent if its poll can wait, so the
        // client's position does not change.
        if !frames.is_empty() {
            self.sent = self.position;
        }
        Answer {
            from: self.market.cursor_at(from),
            cursor: self.market.cursor_at(self.position),
            frames,
        }
    }

    /// Reads the next merged messages of a stream. They are shared with readers
    /// at the same position. `None` when the log cannot resume from here.
    pub(super) fn read_merged(&mut self) -> Option<Vec<Frame>> {
        let head = self.market.cursor().seq;
        let form = Form::Merged {
            encoding: self.encoding.format(),
            latest: self.pace.latest,
            sent: self.sent,
            position: self.position,
        };
        let make = || self.merged(STREAM_TICKS_MAX);
        let merged = self.market.snapshots.get(self.set(), form, head, make)?;
        self.position = merged.position;
        let last = merged.frames.last().and_then(|frame| frame.cursor);
        self.sent = last.map_or(self.sent, |cursor| cursor.seq);
        Some(merged.frames)
    }

    /// The messages up to the head, with at most `limit` ticks; `None` when the
    /// log cannot resume from here.
    fn merged(&self, limit: usize) -> Option<Merged> {
        let mut frames = Vec::new();
        let mut from = self.sent;
        let mut room = limit;
        // Up to the log's present end, in pieces: copying all of a long log at
        // once would block the writer.
        let head = self.market.cursor().seq;
        let mut position = self.market.skipped(self.set(), self.position);
        let mut run = Run::new(self, position, room);
        while position < head {
            for batch in self.market.batches_after(position, READ_BATCHES)? {
                if batch.is_ticks() {
                    position = batch.last();
                    if !run.add(batch) {
                        break;
                    }
                } else if batch.concerns(self.set()) {
                    let is_cut = run.finish(&mut from, batch.before(), &mut frames);
                    if let Some(position) = is_cut {
                        return Some(Merged { frames, position });
                    }
                    room = run.room;
                    frames.extend(batch.frame(self.encoding, self.set(), from, position));
                    position = batch.last();
                    from = position;
                    run = Run::new(self, position, room);
                } else {
                    position = batch.last();
                }
            }
            if run.is_full {
                break;
            }
        }
        let is_cut = run.finish(&mut from, position, &mut frames);
        let position = is_cut.unwrap_or(position);
        Some(Merged { frames, position })
    }
}

/// Consecutive batches of ticks that become one message.
struct Run<'r> {
    reader: &'r Reader,
    /// Everything up to this position was read before.
    position: u64,
    writer: TicksWriter<'r>,
    /// How many more ticks may be added.
    room: usize,
    is_full: bool,
    /// Batches from which only the newest ticks are sent. Which ticks those are
    /// is known only at the end.
    held: Vec<Arc<Batch>>,
}

impl<'r> Run<'r> {
    fn new(reader: &'r Reader, position: u64, room: usize) -> Self {
        Self {
            reader,
            position,
            writer: TicksWriter::new(reader.encoding),
            room,
            is_full: false,
            held: Vec::new(),
        }
    }

    /// Adds a batch of ticks; returns whether there may be room for more.
    fn add(&mut self, batch: Arc<Batch>) -> bool {
        if self.reader.pace.latest {
            self.held.push(batch);
            self.is_full = self.held.len() >= LATEST_BATCHES_MAX;
        } else {
            let had = self.writer.ticks();
            let set = self.reader.set();
            self.position = self.writer.add(&batch, set, self.position, self.room);
            self.room -= self.writer.ticks() - had;
            self.is_full = self.position < batch.last();
        }
        !self.is_full
    }

    /// Adds the message between `from` and `until`, if it holds any ticks, and
    /// moves `from`. If there was not enough room for all ticks, returns the
    /// position up to which there was.
    fn finish(&mut self, from: &mut u64, until: u64, frames: &mut Vec<Frame>) -> Option<u64> {
        let is_cut = if self.reader.pace.latest {
            self.choose_latest()
        } else {
            self.is_full.then_some(self.position)
        };
        let until = is_cut.unwrap_or(until);
        let market = &self.reader.market;
        let writer = std::mem::replace(&mut self.writer, TicksWriter::new(self.reader.encoding));
        let frame = writer.finish(market.cursor_at(*from), market.cursor_at(until));
        if let Some(frame) = frame {
            frames.push(frame);
            *from = until;
        }
        is_cut
    }

    /// Adds the newest ticks of the held batches. If there is not enough room
    /// for all of them, returns the position up to which there was.
    fn choose_latest(&mut self) -> Option<u64> {
        let set = self.reader.set();
        let chosen = latest(&self.held, set, self.position);
        let mut is_cut = None;
        let (mut own, mut added) = (0, 0);
        for (batch, mut places) in self.held.iter().zip(chosen) {
            let room = self.room - added;
            let is_first_left = places.len() > room;
            let first_left = is_first_left.then(|| places[room]);
            places.truncate(room);
            self.writer.take(batch, &places);
            added += places.len();
            let end = first_left.unwrap_or(usize::MAX);
            own += own_places(batch, set, self.position)
                .take_while(|place| *place < end)
                .count();
            if let Some(place) = first_left {
                is_cut = Some(batch.before() + place as u64);
                break;
            }
        }
        self.room -= added;
        self.writer.skip((own - added) as u64);
        is_cut
    }
}

/// The indices of a batch's ticks that come after `position` and are of the
/// set.
fn own_places<'b>(
    batch: &'b Batch,
    set: &'b SymbolSet,
    position: u64,
) -> impl DoubleEndedIterator<Item = usize> + 'b {
    let skip = usize::try_from(position.saturating_sub(batch.before())).unwrap_or(usize::MAX);
    let ticks = batch.ticks();
    let places = skip.min(ticks.len())..ticks.len();
    places.filter(|place| set.contains(ticks[*place].0))
}

/// For each batch, the indices of those ticks after `position` that are of the
/// set and are the newest trade or the newest quote of their symbol.
fn latest(batches: &[Arc<Batch>], set: &SymbolSet, position: u64) -> Vec<Vec<usize>> {
    let mut seen = HashSet::new();
    let mut chosen: Vec<_> = batches
        .iter()
        .rev()
        .map(|batch| {
            let own = own_places(batch, set, position).rev();
            let newest = own.filter(|place| {
                let (instrument, tick) = &batch.ticks()[*place];
                seen.insert((*instrument, tick.trade().is_some()))
            });
            let mut places: Vec<_> = newest.collect();
            places.reverse();
            places
        })
        .collect();
    chosen.reverse();
    chosen
}
