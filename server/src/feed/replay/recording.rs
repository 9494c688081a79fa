//! Reads what a server recorded.

mod lines;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use pricefile::{Tally, Told};
use shared::{Chain, Instrument, ReplayedFile, ServerMessage, SnapshotReason, Tick, Time};

use self::lines::{LINE_BYTES_MAX, Line, Lines};
use super::ReplayError;
use super::reading::{Moment, Next};
use crate::feed::{FeedEvent, Quote, Trade, is_symbol};
use crate::recording::{Header, VERSION};

/// How every recording begins, unpacked.
const BEGINNING: &[u8] = b"{\"recording\":";
/// The most instruments of a recording.
const SYMBOLS_MAX: usize = 10_000;
/// The most decimals of a price: a [`shared::Decimal`] has no more.
const DECIMALS_MAX: u32 = 28;
/// Recordings that take no more bytes than this are read to their end before they
/// are played, so that it is known when that is.
const SURVEYED_BYTES_MAX: u64 = 64_000_000;

/// Why a recording cannot be replayed, in one line.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It cannot be read.
    #[error("{0}: {1}")]
    Io(String, io::Error),
    /// A line is none of a recording.
    #[error("{0}:{1}: no line of a recording: {2}")]
    Line(String, u64, serde_json::Error),
    /// A line is too long.
    #[error("{0}:{1}: a line of more than {LINE_BYTES_MAX} bytes")]
    LongLine(String, u64),
    /// It was made by a newer version of the program.
    #[error("{0}: a recording of version {1}; this program knows versions up to {VERSION}")]
    Newer(String, u32),
    /// Its first line says what cannot be.
    #[error("{0}:1: {1}")]
    Header(String, &'static str),
    /// Unpacked, it is too long.
    #[error("{0}: unpacked, it has more than {1} bytes")]
    TooLong(String, u64),
    /// There are no prices.
    #[error("there are no prices in the recording")]
    Empty,
}

/// The files of a recording, in their order.
#[derive(Debug)]
pub(super) struct Recordings {
    files: Vec<Recording>,
    instruments: Vec<Instrument>,
    /// The index of each symbol.
    places: BTreeMap<String, usize>,
    range: (Time, Option<Time>),
}

#[derive(Debug)]
struct Recording {
    path: PathBuf,
    name: String,
    header: Header,
    /// How many bytes it may have, unpacked.
    bytes_max: u64,
    /// What is missing, as far as that is known before it is played.
    tally: Tally,
}

impl Recordings {
    /// The recording that these files are; `None` if they are none.
    ///
    /// # Errors
    ///
    /// Some of them are recordings, and others are not, or one cannot be read.
    /// Each file has `bytes_max` bytes at most, unpacked.
    pub(super) fn open(
        paths: &[PathBuf],
        bytes_max: Option<u64>,
    ) -> Result<Option<Self>, ReplayError> {
        let mut files = Vec::new();
        for path in paths {
            if is_recording(path)? {
                files.push(Recording::open(path, bytes_max.unwrap_or(u64::MAX))?);
            }
        }
        match files.first() {
            None => return Ok(None),
            Some(one) if files.len() < paths.len() => {
                return Err(ReplayError::Mixed(one.name.clone()));
            }
            Some(_) => {}
        }
        files.sort_by(|a, b| {
            let age = |of: &Recording| (of.header.begun, of.name.clone());
            age(a).cmp(&age(b))
        });
        let mut recordings = Self {
            instruments: Vec::new(),
            places: BTreeMap::new(),
            range: (Time::MIN, None),
            files,
        };
        recordings.learn_instruments();
        recordings.survey()?;
        Ok(Some(recordings))
    }

    fn learn_instruments(&mut self) {
        let all = self.files.iter();
        for instrument in all.flat_map(|file| &file.header.instruments) {
            let next = self.places.len();
            let symbol = instrument.symbol.clone();
            if *self.places.entry(symbol).or_insert(next) == next {
                self.instruments.push(instrument.clone());
            }
        }
    }

    /// Finds when it begins and, if it is not too long, when it ends and what is
    /// missing.
    fn survey(&mut self) -> Result<(), ReplayError> {
        let bytes = self.files.iter().map(|file| file.bytes());
        let is_short = bytes.sum::<u64>() <= SURVEYED_BYTES_MAX;
        let (mut first, mut last) = (None, None);
        let mut told = Vec::new();
        self.read(&mut |next| {
            match next {
                Next::Moment(moment) => {
                    first = first.or(Some(moment.time));
                    last = last.max(Some(moment.time));
                }
                Next::Told(file, tally) => told.push((file, tally)),
            }
            is_short
        })?;
        for (file, tally) in told {
            self.files[file].tally = tally;
        }
        let first = first.ok_or(RecordingError::Empty)?;
        self.range = (first, last.filter(|_| is_short));
        Ok(())
    }

    pub(super) fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// The times of the first and, if it is known, the last price.
    pub(super) fn range(&self) -> (Time, Option<Time>) {
        self.range
    }

    /// What it is, in one line.
    pub(super) fn taken_for(&self) -> String {
        let feed = self.files.first().map(|file| file.header.feed.as_str());
        let (files, feed) = (self.files.len(), feed.unwrap_or_default());
        let symbols = self.instruments.len();
        format!("a recording of {feed}: {symbols} symbols, {files} files")
    }

    pub(super) fn shown(&self) -> Vec<ReplayedFile> {
        let shown = |file: &Recording| ReplayedFile {
            name: file.name.clone(),
            taken_for: format!(
                "recording of {}, run {}, {} symbols",
                file.header.feed,
                file.header.epoch,
                file.header.instruments.len()
            ),
            left_out: file.tally.left_out,
            mended: 0,
            rounded: 0,
            told: file.tally.told.iter().map(super::player::told).collect(),
        };
        self.files.iter().map(shown).collect()
    }

    /// Gives all entries to `take`, as they were, until that returns `false`.
    ///
    /// # Errors
    ///
    /// A line is none of a recording.
    pub(super) fn read(&self, take: &mut dyn FnMut(Next) -> bool) -> Result<(), ReplayError> {
        let mut chain = Chain::default();
        for (place, file) in self.files.iter().enumerate() {
            let mut lines = file.lines()?;
            let mut tally = Tally::default();
            loop {
                let message = match lines.next()? {
                    Line::Message(message) => message,
                    Line::End => break,
                    Line::Cut => {
                        tally.left_out += 1;
                        tally.told.push(Told {
                            line: lines.number,
                            what: "left out: the file is cut off here".to_owned(),
                        });
                        take(Next::Told(place, tally));
                        break;
                    }
                };
                let moment = self.moment(&mut chain, *message);
                if moment.is_some_and(|moment| !take(Next::Moment(moment))) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// What a message is played as, if it is of prices. What a file has that
    /// another one has already is left out.
    fn moment(&self, chain: &mut Chain, message: ServerMessage) -> Option<Moment> {
        let verdict = chain.follow(&message);
        match message {
            ServerMessage::Ticks { ticks, .. } => {
                let fresh = verdict.fresh(&ticks);
                let events = fresh.filter_map(|tick| Some((tick.time(), self.event(tick)?)));
                let events: Vec<_> = events.collect();
                let time = events.first()?.0;
                Some(Moment { time, events })
            }
            ServerMessage::Snapshot {
                reason: SnapshotReason::Jumped,
                symbols,
                ..
            } => {
                let time = symbols.iter().filter_map(|symbol| symbol.time).max()?;
                let events = vec![(time, FeedEvent::Anew(Vec::new()))];
                Some(Moment { time, events })
            }
            _ => None,
        }
    }

    /// A tick as its feed sent it.
    fn event(&self, tick: &Tick) -> Option<FeedEvent> {
        let instrument = *self.places.get(tick.symbol())?;
        Some(match tick.clone() {
            Tick::Trade(trade) => FeedEvent::Trade(Trade {
                instrument,
                time: trade.time,
                at: None,
                id: trade.id,
                price: trade.price,
                qty: trade.qty,
                side: trade.side,
                bid: trade.bid,
                ask: trade.ask,
            }),
            Tick::Quote(quote) => FeedEvent::Quote(Quote {
                instrument,
                time: quote.time,
                at: None,
                bid: quote.bid,
                bid_qty: quote.bid_qty,
                ask: quote.ask,
                ask_qty: quote.ask_qty,
            }),
        })
    }
}

impl Recording {
    fn open(path: &Path, bytes_max: u64) -> Result<Self, RecordingError> {
        let name = path.file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        let mut lines = Lines::of(path, &name, bytes_max)?;
        let header = lines.text()?.unwrap_or_default();
        let header: Header = serde_json::from_slice(&header)
            .map_err(|error| RecordingError::Line(name.clone(), 1, error))?;
        if header.recording > VERSION {
            return Err(RecordingError::Newer(name, header.recording));
        }
        check(&header).map_err(|why| RecordingError::Header(name.clone(), why))?;
        Ok(Self {
            path: path.to_owned(),
            name,
            header,
            bytes_max,
            tally: Tally::default(),
        })
    }

    /// How many bytes it takes on the disk.
    fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |found| found.len())
    }

    /// Its lines below the header.
    fn lines(&self) -> Result<Lines, RecordingError> {
        let mut lines = Lines::of(&self.path, &self.name, self.bytes_max)?;
        lines.text()?;
        Ok(lines)
    }
}

/// Checks the instruments of a header: everybody who reads gets them.
fn check(header: &Header) -> Result<(), &'static str> {
    let instruments = &header.instruments;
    if instruments.len() > SYMBOLS_MAX {
        return Err("there are more than 10000 instruments");
    }
    if !instruments.iter().all(|found| is_symbol(&found.symbol)) {
        return Err("the symbol of an instrument is not allowed");
    }
    let most = instruments
        .iter()
        .map(|found| found.decimals.max(found.qty_decimals));
    match most.max() {
        Some(most) if most > DECIMALS_MAX => Err("an instrument has more than 28 decimals"),
        _ => Ok(()),
    }
}

/// Whether a file is part of a recording.
fn is_recording(path: &Path) -> Result<bool, RecordingError> {
    let shown = || path.display().to_string();
    let file = File::open(path).map_err(|error| RecordingError::Io(shown(), error))?;
    let mut beginning = Vec::new();
    let begin = MultiGzDecoder::new(BufReader::new(file)).take(BEGINNING.len() as u64);
    // What gzip cannot unpack is none.
    let read = { begin }.read_to_end(&mut beginning);
    Ok(read.is_ok() && beginning == BEGINNING)
}
