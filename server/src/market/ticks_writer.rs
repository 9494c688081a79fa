//! Builds one message out of the ticks of several batches.

use shared::{Cursor, Tick};

use super::batch::Batch;
use super::{Frame, SymbolSet};
use crate::encoding::{Chosen, Encoding};

/// Initial capacity, in bytes, for the encoded ticks of some symbols of one
/// batch.
const INSIDE_BYTES: usize = 256;
/// Initial capacity for the indices of the ticks of some symbols of one batch.
const PLACES: usize = 16;

/// Builds one `ticks` message out of the ticks of batches.
#[derive(Debug)]
pub(super) struct TicksWriter<'e> {
    encoding: &'e dyn Encoding,
    ticks: usize,
    skipped: u64,
    inside: Vec<u8>,
}

impl<'e> TicksWriter<'e> {
    pub(super) fn new(encoding: &'e dyn Encoding) -> Self {
        Self {
            encoding,
            ticks: 0,
            skipped: 0,
            inside: Vec::with_capacity(INSIDE_BYTES),
        }
    }

    /// How many ticks were added.
    pub(super) fn ticks(&self) -> usize {
        self.ticks
    }

    /// Counts ticks that were left out of the message.
    pub(super) fn skip(&mut self, count: u64) {
        self.skipped += count;
    }

    /// Adds the ticks of a batch at these indices, which are ascending.
    pub(super) fn take(&mut self, batch: &Batch, places: &[usize]) {
        if !places.is_empty() {
            self.add_chosen(batch, batch.ticks(), Chosen::Some(places), places.len());
        }
    }

    /// Adds at most `room` ticks of `set` after `position` and returns the
    /// position up to which the batch was used.
    pub(super) fn add(
        &mut self,
        batch: &Batch,
        set: &SymbolSet,
        position: u64,
        room: usize,
    ) -> u64 {
        if !batch.is_ticks() {
            return position;
        }
        let ticks = batch.ticks();
        let skip = usize::try_from(position.saturating_sub(batch.before())).unwrap_or(usize::MAX);
        if set.is_all() && skip == 0 && room >= ticks.len() {
            self.add_chosen(batch, ticks, Chosen::All, ticks.len());
            return batch.last();
        }
        let own = ticks.iter().enumerate().skip(skip);
        let own = own.filter(|(_, (instrument, _))| set.contains(*instrument));
        let mut places = Vec::with_capacity(PLACES);
        places.extend(own.map(|(place, _)| place).take(room.saturating_add(1)));
        let first_left = (places.len() > room).then(|| places.pop()).flatten();
        if !places.is_empty() {
            self.add_chosen(batch, ticks, Chosen::Some(&places), places.len());
        }
        first_left.map_or(batch.last(), |place| batch.before() + place as u64)
    }

    fn add_chosen(
        &mut self,
        batch: &Batch,
        ticks: &[(usize, Tick)],
        chosen: Chosen<'_>,
        count: usize,
    ) {
        let encoded = batch.encoded(self.encoding, ticks);
        if let Some(encoded) = encoded.get() {
            self.encoding.add(&mut self.inside, encoded, chosen);
            self.ticks += count;
        }
    }

    /// The message between the two positions; `None` when no tick was added.
    pub(super) fn finish(self, from: Cursor, cursor: Cursor) -> Option<Frame> {
        if self.ticks == 0 {
            return None;
        }
        let format = self.encoding.format();
        let frame = Frame::of(format, "ticks", Some(cursor), |out| {
            let (skipped, inside) = (self.skipped, &self.inside);
            self.encoding
                .ticks_message((from, cursor), skipped, inside, out);
            Some(())
        })?;
        Some(Frame {
            ticks: self.ticks,
            ..frame
        })
    }
}
