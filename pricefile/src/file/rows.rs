//! The rows of a file, oldest first.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use shared::Time;

use super::survey::{Sum, Tally};
use super::{FileError, PriceFile};
use crate::split::Splitter;
use crate::table::Row;
use crate::text::{Line, Lines, text_of};

/// A text that several readers read at once, each at its own place. Handles of
/// the same open file would share one.
#[derive(Clone, Debug)]
pub(super) struct Text {
    file: Arc<Mutex<File>>,
    position: u64,
}

impl Text {
    pub(super) fn new(file: File) -> Self {
        Self {
            file: Arc::new(Mutex::new(file)),
            position: 0,
        }
    }
}

impl Read for Text {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.position))?;
        let count = file.read(into)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Text {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let base = match to {
            SeekFrom::Start(position) => {
                self.position = position;
                return Ok(position);
            }
            SeekFrom::Current(way) => self.position.checked_add_signed(way),
            SeekFrom::End(way) => {
                let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::End(0))?.checked_add_signed(way)
            }
        };
        self.position = base.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

pub(super) enum Source {
    InOrder(Lines),
    /// With the position in the index.
    Indexed(BufReader<Text>, usize),
}

/// The rows of a file, oldest first.
pub struct Rows<'f> {
    file: &'f PriceFile,
    splitter: Splitter,
    source: Source,
    /// The rest of a line with several symbols, the last of them first.
    ready: Vec<Row>,
    /// The newest row, and the newest bar of each symbol, of a file that is
    /// played while it is read.
    last: Option<Time>,
    bars: BTreeMap<String, Time>,
    sums: BTreeMap<String, Sum>,
    tally: Tally,
    /// Where the newest line begins.
    offset: u64,
}

impl<'f> Rows<'f> {
    pub(super) fn new(file: &'f PriceFile, source: Source) -> Self {
        Self {
            file,
            splitter: file.table.splitter(),
            source,
            ready: Vec::new(),
            last: None,
            bars: BTreeMap::new(),
            sums: BTreeMap::new(),
            tally: Tally::default(),
            offset: 0,
        }
    }

    /// Where the line of the newest row begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// What was left out or mended until now, of a file that is played while it
    /// is read. What was found in any other is in its
    /// [`Survey`](super::Survey).
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    fn line(&mut self) -> Result<Option<Line>, FileError> {
        let text = |error| FileError::Text(self.file.name.clone(), error);
        match &mut self.source {
            Source::InOrder(lines) => lines.next().map_err(text),
            Source::Indexed(reader, at) => {
                let Some(offset) = self.file.survey.index.get(*at) else {
                    return Ok(None);
                };
                *at += 1;
                let read = read_line_at(reader, offset);
                Ok(Some(read.map_err(|error| text(error.into()))?))
            }
        }
    }

    fn fill(&mut self) -> Result<bool, FileError> {
        while self.ready.is_empty() {
            let Some(line) = self.line()? else {
                return Ok(false);
            };
            self.offset = line.offset;
            let parsed = self.file.parse(&mut self.splitter, &line)?;
            if self.file.is_streamed {
                self.tally.add(&line, &parsed);
            }
            self.ready = parsed.rows;
            self.ready.reverse();
            if self.file.is_streamed {
                self.check(&line)?;
            }
        }
        Ok(true)
    }

    /// Checks what is not known of a file that is played while it is read.
    fn check(&mut self, line: &Line) -> Result<(), FileError> {
        for row in &self.ready {
            if self.last.is_some_and(|last| row.time < last) {
                return Err(FileError::OutOfOrder(self.file.name.clone(), line.number));
            }
            let symbol = row.symbol.as_deref().unwrap_or_default();
            if !self.file.survey.symbols.contains_key(symbol) {
                let name = self.file.name.clone();
                return Err(FileError::NewSymbol(name, line.number, symbol.to_owned()));
            }
            let sum = self.sums.entry(symbol.to_owned()).or_default();
            if sum.breaks_with(&row.kind) {
                self.tally.round(line, row.symbol.as_deref());
            }
            let Some(start) = self.file.bars().map(|bars| bars.start_of(row.time)) else {
                continue;
            };
            match self.bars.get_mut(symbol) {
                Some(last) if *last == start => {
                    let name = self.file.name.clone();
                    return Err(FileError::Twice(name, line.number, symbol.to_owned()));
                }
                Some(last) => *last = start,
                None => {
                    self.bars.insert(symbol.to_owned(), start);
                }
            }
        }
        self.last = self.ready.last().map(|row| row.time).or(self.last);
        Ok(())
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.fill() {
            Ok(true) => self.ready.pop().map(Ok),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// Reads the line that begins at this byte.
fn read_line_at(reader: &mut BufReader<Text>, offset: u64) -> io::Result<Line> {
    let position = reader.stream_position()?;
    let way = offset.cast_signed() - position.cast_signed();
    // What is in the buffer is used again.
    reader.seek_relative(way)?;
    let mut bytes = Vec::new();
    reader.read_until(b'\n', &mut bytes)?;
    Ok(Line {
        number: 0,
        offset,
        text: text_of(&bytes),
    })
}
