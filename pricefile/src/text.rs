//! The text of a file, whatever it is packed in.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use zip::{CompressionMethod, ZipArchive};

/// The longest line.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// So many bytes at the start tell what a file is.
const HEAD_BYTES: usize = 1024;

/// Why the text of a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The system cannot read it.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Its text is too long.
    #[error("unpacked, it has more than {0} bytes")]
    TooLong(u64),
    /// It is an archive of very many files.
    #[error("there are more than {ENTRIES_MAX} files in it")]
    ManyEntries,
    /// It is an archive that cannot be read.
    #[error("its archive cannot be read: {0}")]
    Archive(#[from] zip::result::ZipError),
    /// An entry of an archive is packed in a way that is not known.
    #[error("'{0}' in it is packed with {1}; only deflate is read")]
    Method(String, CompressionMethod),
    /// It is Apache Parquet.
    #[error(
        "it is a Parquet file; make a CSV of it first: duckdb -c \"COPY '{0}' TO '{1}' (HEADER)\""
    )]
    Parquet(String, String),
    /// It is no text.
    #[error("it is no text")]
    Binary,
    /// A line is too long for a table.
    #[error("line {0} is longer than {LINE_BYTES_MAX} bytes")]
    LongLine(u64),
}

/// A table's text: a file, or an entry of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    path: PathBuf,
    /// Its name without the folder: the symbol may be in it.
    pub(crate) name: String,
    packing: Packing,
    /// How many bytes its text may have, if there is a bound.
    pub(crate) bytes_max: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Zstandard,
    /// From here on, with so many bytes.
    Deflated(u64, u64),
    Stored(u64, u64),
}

/// An archive has no more entries than this.
const ENTRIES_MAX: usize = 10_000;
/// The last line of a text is looked for in so many bytes at its end.
const LAST_BYTES: u64 = 64 * 1024;

/// The parts of a file: one, or the entries of a zip archive.
pub(crate) fn parts(path: &Path) -> Result<Vec<Part>, TextError> {
    let mut head = [0; 4];
    let count = read_some(&mut File::open(path)?, &mut head)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = |packing| Part {
        path: path.to_owned(),
        name: name.clone().into_owned(),
        packing,
        bytes_max: None,
    };
    Ok(match &head[..count] {
        [0x1f, 0x8b, ..] => vec![part(Packing::Gzip)],
        [0x28, 0xb5, 0x2f, 0xfd] => vec![part(Packing::Zstandard)],
        b"PK\x03\x04" => entries(path)?,
        b"PAR1" => {
            let csv = path.with_extension("csv");
            let shown = |path: &Path| path.display().to_string();
            return Err(TextError::Parquet(shown(path), shown(&csv)));
        }
        _ => vec![part(Packing::Plain)],
    })
}

/// The files in a zip archive, by their names.
fn entries(path: &Path) -> Result<Vec<Part>, TextError> {
    let mut archive = ZipArchive::new(BufReader::new(File::open(path)?))?;
    let mut parts = Vec::new();
    if archive.len() > ENTRIES_MAX {
        return Err(TextError::ManyEntries);
    }
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index)?;
        let name = entry.name()?;
        let name = name.rsplit('/').next().unwrap_or_default();
        // Some systems add files of their own, whose names begin with a point.
        if entry.is_dir() || name.is_empty() || name.starts_with('.') {
            continue;
        }
        let start = entry.data_start().ok_or(TextError::Binary)?;
        let size = entry.compressed_size();
        let packing = match entry.compression() {
            CompressionMethod::Deflated => Packing::Deflated(start, size),
            CompressionMethod::Stored => Packing::Stored(start, size),
            other => return Err(TextError::Method(name.to_owned(), other)),
        };
        parts.push(Part {
            path: path.to_owned(),
            name: name.to_owned(),
            packing,
            bytes_max: None,
        });
    }
    parts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(parts)
}

/// Reads until the buffer is full, or there is no more.
fn read_some(from: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < into.len() {
        match from.read(&mut into[count..])? {
            0 => break,
            some => count += some,
        }
    }
    Ok(count)
}

impl Part {
    /// How many bytes it takes on the disk.
    pub(crate) fn bytes(&self) -> io::Result<u64> {
        match self.packing {
            Packing::Deflated(_, bytes) | Packing::Stored(_, bytes) => Ok(bytes),
            _ => Ok(std::fs::metadata(&self.path)?.len()),
        }
    }

    /// The file itself, if its text can be read from any byte on.
    pub(crate) fn seekable(&self) -> Result<Option<File>, TextError> {
        let is_plain = self.packing == Packing::Plain;
        let mut head = [0; 2];
        read_some(&mut self.unpacked(&Arc::default())?, &mut head)?;
        let is_wide = head == [0xff, 0xfe] || head == [0xfe, 0xff];
        Ok((is_plain && !is_wide)
            .then(|| File::open(&self.path))
            .transpose()?)
    }

    /// The last line, of a text whose end can be read by itself. Its number is
    /// not known.
    pub(crate) fn last_line(&self) -> Result<Option<Line>, TextError> {
        let Some(mut file) = self.seekable()? else {
            return Ok(None);
        };
        let end = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(end.saturating_sub(LAST_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(LAST_BYTES).read_to_end(&mut bytes)?;
        let lines = bytes.split(|byte| *byte == b'\n').rev();
        let mut lines = lines.filter(|line| !line.trim_ascii().is_empty());
        Ok(lines.next().map(|line| Line {
            number: 0,
            offset: 0,
            text: text_of(line),
        }))
    }

    fn unpacked(&self, read: &Arc<AtomicU64>) -> io::Result<Box<dyn Read + Send>> {
        let mut file = Counted {
            file: File::open(&self.path)?,
            read: Arc::clone(read),
        };
        Ok(match self.packing {
            Packing::Plain => Box::new(file),
            Packing::Gzip => Box::new(MultiGzDecoder::new(BufReader::new(file))),
            Packing::Zstandard => {
                let decoder = ruzstd::decoding::StreamingDecoder::new(BufReader::new(file));
                Box::new(decoder.map_err(io::Error::other)?)
            }
            Packing::Deflated(start, size) => {
                file.seek(SeekFrom::Start(start))?;
                Box::new(DeflateDecoder::new(BufReader::new(file.take(size))))
            }
            Packing::Stored(start, size) => {
                file.seek(SeekFrom::Start(start))?;
                Box::new(file.take(size))
            }
        })
    }

    /// Its text from the start, as UTF-8 or, if it is not that, Latin-1.
    pub(crate) fn open(&self) -> Result<Lines, TextError> {
        let read = Arc::default();
        let mut unpacked = BufReader::new(self.unpacked(&read)?);
        let mut head = vec![0; HEAD_BYTES];
        let count = read_some(&mut unpacked, &mut head)?;
        head.truncate(count);
        let order = match head[..] {
            [0xff, 0xfe, ..] => Some(u16::from_le_bytes as fn([u8; 2]) -> u16),
            [0xfe, 0xff, ..] => Some(u16::from_be_bytes as fn([u8; 2]) -> u16),
            _ if head.contains(&0) => return Err(TextError::Binary),
            _ => None,
        };
        let all = io::Cursor::new(head).chain(unpacked);
        let text: Box<dyn Read + Send> = match order {
            Some(number) => Box::new(Narrow::new(all, number)),
            None => Box::new(all),
        };
        let mut lines = Lines::new(text);
        lines.bytes_max = self.bytes_max.unwrap_or(u64::MAX);
        lines.share = Share {
            read,
            bytes: self.bytes()?,
        };
        Ok(lines)
    }
}

/// A file that counts what is read of it.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(into)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// How much of a file was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Share {
    read: Arc<AtomicU64>,
    bytes: u64,
}

impl Share {
    /// From 0 to 1.
    pub(crate) fn now(&self) -> f64 {
        let read = self.read.load(Ordering::Relaxed);
        (read as f64 / self.bytes.max(1) as f64).min(1.0)
    }
}

/// UTF-16 as UTF-8.
struct Narrow<R> {
    from: R,
    number: fn([u8; 2]) -> u16,
    /// The first half of a pair.
    half: Option<u16>,
    ready: Vec<u8>,
    given: usize,
}

impl<R: Read> Narrow<R> {
    fn new(from: R, number: fn([u8; 2]) -> u16) -> Self {
        Self {
            from,
            number,
            half: None,
            ready: Vec::new(),
            given: 0,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut bytes = [0; 8 * 1024];
        let count = read_some(&mut self.from, &mut bytes)?;
        let pairs = bytes[..count].chunks_exact(2);
        let units = pairs.map(|pair| (self.number)([pair[0], pair[1]]));
        let mut units: Vec<u16> = self.half.take().into_iter().chain(units).collect();
        let is_full = count == bytes.len();
        if let Some(last) = units.last().copied()
            && is_full
            && (0xd800..0xdc00).contains(&last)
        {
            self.half = units.pop();
        }
        self.ready = String::from_utf16_lossy(&units).into_bytes();
        self.given = 0;
        Ok(())
    }
}

impl<R: Read> Read for Narrow<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() {
            self.fill()?;
        }
        let some = &self.ready[self.given..];
        let count = some.len().min(into.len());
        into[..count].copy_from_slice(&some[..count]);
        self.given += count;
        Ok(count)
    }
}

/// A line of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1.
    pub number: u64,
    /// At which byte of the text it begins.
    pub offset: u64,
    /// What is in it, without its end.
    pub text: String,
}

/// The lines of a text.
pub(crate) struct Lines {
    from: BufReader<Box<dyn Read + Send>>,
    number: u64,
    offset: u64,
    buffer: Vec<u8>,
    /// How many bytes there may be.
    bytes_max: u64,
    /// How much of the file was read.
    pub(crate) share: Share,
}

impl Lines {
    pub(crate) fn new(from: Box<dyn Read + Send>) -> Self {
        Self {
            from: BufReader::with_capacity(64 * 1024, from),
            number: 0,
            offset: 0,
            buffer: Vec::new(),
            bytes_max: u64::MAX,
            share: Share::default(),
        }
    }

    /// All of the text, as bytes. Nothing of it was read yet.
    pub(crate) fn into_bytes(self) -> impl Read {
        self.from
    }

    /// The next line; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Line>, TextError> {
        self.buffer.clear();
        let mut limited = (&mut self.from).take(LINE_BYTES_MAX);
        let count = limited.read_until(b'\n', &mut self.buffer)? as u64;
        if count == 0 {
            return Ok(None);
        }
        self.number += 1;
        if count == LINE_BYTES_MAX && !self.buffer.ends_with(b"\n") {
            return Err(TextError::LongLine(self.number));
        }
        let offset = self.offset;
        self.offset += count;
        if self.offset > self.bytes_max {
            return Err(TextError::TooLong(self.bytes_max));
        }
        Ok(Some(Line {
            number: self.number,
            offset,
            text: text_of(&self.buffer),
        }))
    }
}

/// A line without its end, and without the mark at the start of a file.
pub(crate) fn text_of(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // Latin-1: each byte is a character.
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

#[cfg(test)]
mod tests;
