//! A file of prices: what it was taken for, and its rows in order of time.

mod description;
mod head;
mod index;
mod rows;
mod survey;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Write as _};
use std::path::Path;

use shared::{Interval, Span, Time};

use crate::columns::Role;
use crate::date::DateError;
use crate::names::symbol_of;
use crate::shape::ShapeError;
use crate::split::Splitter;
use crate::table::{Options, Parsed, RowError, Table, interval_of};
use crate::text::{Line, Lines, Part, TextError, parts};

use self::head::{head_of, learn_all};
pub use self::rows::Rows;
use self::rows::{Source, Text};
use self::survey::Surveyed;
pub use self::survey::{Found, Survey, Tally, Told};

/// A file that takes more bytes than this on the disk is played while it is
/// read, if it is in order of time and its first rows settle everything.
const SURVEYED_BYTES_MAX: u64 = if cfg!(test) { 100_000 } else { 16_000_000 };
/// So many rows have to settle everything then.
const HEAD_ROWS: usize = 1_000;
/// So much is unpacked at once, until progress is told.
const SPOOLED_BYTES: u64 = 16_000_000;
/// A file has no more symbols than this.
const SYMBOLS_MAX: usize = 10_000;
/// Progress is told after so many lines.
const PROGRESS_LINES: u64 = 100_000;

/// Why a file cannot be played, in one line.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Its text cannot be read.
    #[error("{0}: {1}")]
    Text(String, TextError),
    /// It is nothing like prices.
    #[error("{0}: {1}")]
    Shape(String, ShapeError),
    /// The dates of a column cannot be read.
    #[error("{0}: {1}")]
    Dates(String, DateError),
    /// The numbers of a column can be read in two ways.
    #[error("{0}: {1}")]
    Numbers(String, RowError),
    /// There are too many symbols.
    #[error("{0}:{1}: there are more than {SYMBOLS_MAX} symbols")]
    Symbols(String, u64),
    /// A row cannot be read.
    #[error("{0}:{1}: {2}")]
    Row(String, u64, RowError),
    /// Two rows are of the same bar.
    #[error("{0}:{1}: there is a row of this bar already: {2}")]
    Twice(String, u64, String),
    /// A row is older than the one before it, in a file that is played while it
    /// is read.
    #[error("{0}:{1}: it is older than the row before it, and the rows at the start were in order")]
    OutOfOrder(String, u64),
    /// A symbol that is not among the first rows of such a file.
    #[error("{0}:{1}: the symbol {2} is not among the first {HEAD_ROWS} rows")]
    NewSymbol(String, u64, String),
    /// There are more lines than may be looked through.
    #[error("{0}: it has more than {1} lines; name it with --feed replay:PATH instead")]
    TooManyLines(String, u64),
    /// There are no rows.
    #[error("{0}: there are no rows of prices in it")]
    Empty(String),
}

/// A file of prices, or one of those in an archive, ready to be played.
#[derive(Debug)]
pub struct PriceFile {
    /// Its name.
    pub name: String,
    /// How long its bars are, if it has bars.
    pub interval: Option<Span>,
    /// What was found in it.
    pub survey: Survey,
    /// Whether it is played while it is read, so that not all of it is known.
    pub is_streamed: bool,
    part: Part,
    table: Table,
    symbol: String,
    /// The text that the index leads into.
    text: Option<Text>,
}

/// What a path leads to.
#[derive(Debug)]
pub struct Opened {
    /// The file, or those of an archive; at least one.
    pub files: Vec<PriceFile>,
    /// Why other files of the archive are left out, as a licence or a report.
    pub others: Vec<FileError>,
}

/// Opens a file, or the files of an archive. `progress` is told of a
/// file that takes long: its name, and how much of it was read, from 0 to 1.
///
/// # Errors
///
/// It cannot be read, or is nothing like prices.
pub fn open(
    path: &Path,
    options: &Options,
    progress: &mut dyn FnMut(&str, f64),
) -> Result<Opened, FileError> {
    let shown = || path.display().to_string();
    let parts = parts(path).map_err(|error| FileError::Text(shown(), error))?;
    let is_one = parts.len() == 1;
    let (mut files, mut others) = (Vec::new(), Vec::new());
    for mut part in parts {
        part.bytes_max = options.bytes_max;
        match PriceFile::open(part, options, progress) {
            Ok(file) => files.push(file),
            Err(error) if !is_one && error.is_other() => others.push(error),
            Err(error) => return Err(error),
        }
    }
    match files.is_empty() {
        true => Err(others.pop().unwrap_or_else(|| FileError::Empty(shown()))),
        false => Ok(Opened { files, others }),
    }
}

impl FileError {
    /// Whether the file is nothing like prices at all.
    pub fn is_other(&self) -> bool {
        matches!(
            self,
            Self::Shape(..) | Self::Empty(_) | Self::Text(_, TextError::Binary)
        )
    }
}

impl PriceFile {
    fn open(
        part: Part,
        options: &Options,
        progress: &mut dyn FnMut(&str, f64),
    ) -> Result<Self, FileError> {
        let name = part.name.clone();
        let text = |error| FileError::Text(name.clone(), error);
        let (mut table, head) = head_of(&part, options)?;
        let is_whole = head.len() < HEAD_ROWS;
        if !table.is_settled() && !is_whole {
            learn_all(&part, &mut table)?;
        }
        table
            .dates()
            .map_err(|error| FileError::Dates(name.clone(), error))?;
        table
            .mark()
            .map_err(|error| FileError::Numbers(name.clone(), error))?;
        let mut file = Self {
            symbol: symbol_of(&name).unwrap_or_else(|| name.clone()),
            interval: None,
            survey: Survey::default(),
            is_streamed: false,
            table,
            text: None,
            part,
            name: name.clone(),
        };
        let sample = file.survey_of(head.into_iter().map(Ok), Surveyed::of_head(), &mut || {})?;
        file.interval = interval_of(&sample.times_of_one());
        if file.interval.is_some_and(|interval| interval >= Span::DAY) {
            file.table.keep_days();
        }
        let is_large = file.part.bytes().map_err(TextError::Io).map_err(text)? > SURVEYED_BYTES_MAX;
        let last = match is_large && sample.survey.is_in_order && file.is_of_one() {
            true => Some(file.last_row()?),
            false => None,
        };
        let head = sample.survey.newest;
        // Its end may show that it is newest first, or that others follow.
        if let Some(last) = last.filter(|last| last.is_none() || *last >= head) {
            file.is_streamed = true;
            file.survey = sample.survey;
            file.survey.newest = last;
        } else {
            let mut lines = file.lines()?;
            let share = lines.share.clone();
            let all = std::iter::from_fn(|| lines.next().transpose());
            let all = all.map(|line| line.map_err(text));
            let mut progress_now = || progress(&name, share.now());
            let surveyed = file.survey_of(all, Surveyed::of_all(), &mut progress_now)?;
            file.survey = surveyed.survey;
            file.put_in_order(progress)?;
        }
        if file.survey.rows == 0 {
            return Err(FileError::Empty(name));
        }
        Ok(file)
    }

    /// Whether all rows are of the same symbols. Where there is a column of symbols,
    /// they may be below each other.
    fn is_of_one(&self) -> bool {
        let mut sides = self.table.shape.sides.iter();
        sides.all(|side| side.columns.find(Role::Symbol).is_none())
    }

    /// The time of the last row of a file whose end can be read by itself.
    fn last_row(&self) -> Result<Option<Time>, FileError> {
        let text = |error| FileError::Text(self.name.clone(), error);
        let Some(last) = self.part.last_line().map_err(text)? else {
            return Ok(None);
        };
        // Whatever is wrong with it is found when it is played.
        let parsed = self.parse(&mut self.table.splitter(), &last).ok();
        Ok(parsed.and_then(|parsed| Some(parsed.rows.last()?.time)))
    }

    /// Its lines below the header.
    fn lines(&self) -> Result<Lines, FileError> {
        let text = |error| FileError::Text(self.name.clone(), error);
        let mut lines = self.part.open().map_err(text)?;
        for _ in 0..self.table.shape.skip {
            lines.next().map_err(text)?;
        }
        Ok(lines)
    }

    /// The times of its first and its last row; of a packed file that is played
    /// while it is read, the last is not known.
    pub fn range(&self) -> (Time, Option<Time>) {
        (self.survey.first, self.survey.newest)
    }

    /// The largest interval that is not longer than its bars.
    pub fn bars(&self) -> Option<Interval> {
        let own = self.interval?;
        let shorter = Interval::ALL.into_iter().rev();
        let mut shorter = shorter.filter(|interval| interval.span() <= own);
        self.table
            .shape
            .has_bars()
            .then(|| shorter.next().unwrap_or(Interval::ALL[0]))
    }

    /// Whether its rows are quotes.
    pub fn has_quotes(&self) -> bool {
        let sides = &self.table.shape.sides;
        sides
            .iter()
            .all(|side| side.columns.find(Role::Bid).is_some())
    }

    /// Its rows, oldest first. Each call begins anew.
    ///
    /// # Errors
    ///
    /// It cannot be read any more.
    pub fn rows(&self) -> Result<Rows<'_>, FileError> {
        let source = match &self.text {
            Some(text) => Source::Indexed(BufReader::new(text.clone()), 0),
            None => Source::InOrder(self.lines()?),
        };
        Ok(Rows::new(self, source))
    }

    fn parse(&self, splitter: &mut Splitter, line: &Line) -> Result<Parsed, FileError> {
        let cells = splitter.cells(&line.text);
        if cells.iter().all(String::is_empty) {
            return Ok(Parsed::default());
        }
        let parsed = self.table.parse(&cells);
        let mut parsed =
            parsed.map_err(|error| FileError::Row(self.name.clone(), line.number, error))?;
        for row in &mut parsed.rows {
            let symbol = row.symbol.take().unwrap_or_else(|| self.symbol.clone());
            row.symbol = Some(symbol);
        }
        Ok(parsed)
    }

    /// Looks at lines of rows, which go into `surveyed`.
    fn survey_of(
        &self,
        lines: impl Iterator<Item = Result<Line, FileError>>,
        mut surveyed: Surveyed,
        progress: &mut dyn FnMut(),
    ) -> Result<Surveyed, FileError> {
        let mut splitter = self.table.splitter();
        for line in lines {
            let line = line?;
            if line.number % PROGRESS_LINES == 0 {
                progress();
            }
            self.table
                .check_lines(line.number)
                .map_err(|most| FileError::TooManyLines(self.name.clone(), most))?;
            let parsed = self.parse(&mut splitter, &line)?;
            surveyed.add(self, &line, &parsed)?;
        }
        Ok(surveyed)
    }

    /// Sorts the index, if the rows are not in order of time, and finds a text
    /// that it leads into.
    fn put_in_order(&mut self, progress: &mut dyn FnMut(&str, f64)) -> Result<(), FileError> {
        let mut index = std::mem::take(&mut self.survey.index);
        if self.survey.is_in_order {
            return Ok(());
        }
        index.sort();
        self.survey.index = index;
        self.text = Some(Text::new(self.spooled(progress)?));
        if self.survey.symbols.values().any(|found| found.is_mixed) {
            self.check_bars()?;
        }
        Ok(())
    }

    /// The text as a file in which one can jump: itself, or an unpacked copy.
    fn spooled(&self, progress: &mut dyn FnMut(&str, f64)) -> Result<File, FileError> {
        let text = |error| FileError::Text(self.name.clone(), error);
        if let Some(file) = self.part.seekable().map_err(text)? {
            return Ok(file);
        }
        let io = |error: io::Error| text(error.into());
        let mut copy = io::BufWriter::new(tempfile::tempfile().map_err(io)?);
        let lines = self.part.open().map_err(text)?;
        let share = lines.share.clone();
        let mut bytes = lines.into_bytes();
        let (most, mut all) = (self.part.bytes_max.unwrap_or(u64::MAX), 0);
        loop {
            let count = io::copy(&mut (&mut bytes).take(SPOOLED_BYTES), &mut copy).map_err(io)?;
            all += count;
            if all > most {
                return Err(text(TextError::TooLong(most)));
            }
            if count == 0 {
                break;
            }
            progress(&self.name, share.now());
        }
        copy.flush().map_err(io)?;
        copy.into_inner().map_err(|error| io(error.into_error()))
    }

    /// The number of the line that begins at this byte.
    fn line_at(&self, offset: u64) -> Result<u64, FileError> {
        let text = |error| FileError::Text(self.name.clone(), error);
        let mut lines = self.part.open().map_err(text)?;
        while let Some(line) = lines.next().map_err(text)? {
            if line.offset >= offset {
                return Ok(line.number);
            }
        }
        Ok(0)
    }

    /// Checks that no two rows are of the same bar, in a file whose rows are in
    /// no order.
    fn check_bars(&self) -> Result<(), FileError> {
        let Some(bars) = self.bars() else {
            return Ok(());
        };
        let mut last: BTreeMap<String, Time> = BTreeMap::new();
        let mut rows = self.rows()?;
        while let Some(row) = rows.next().transpose()? {
            let (symbol, start) = (row.symbol.unwrap_or_default(), bars.start_of(row.time));
            if last.insert(symbol.clone(), start) == Some(start) {
                let line = self.line_at(rows.offset())?;
                return Err(FileError::Twice(self.name.clone(), line, symbol));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
