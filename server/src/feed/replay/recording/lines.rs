//! The lines of a recording.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use shared::ServerMessage;

use super::RecordingError;

/// The longest line: a snapshot of many symbols.
pub(super) const LINE_BYTES_MAX: u64 = 64_000_000;

/// The next line of a file.
pub(super) enum Line {
    Message(Box<ServerMessage>),
    End,
    /// The file ends within it.
    Cut,
}

/// The lines of a file.
pub(super) struct Lines {
    from: BufReader<MultiGzDecoder<BufReader<File>>>,
    name: String,
    pub(super) number: u64,
    /// How many bytes may follow.
    bytes_left: u64,
    bytes_max: u64,
}

impl Lines {
    pub(super) fn of(path: &Path, name: &str, bytes_max: u64) -> Result<Self, RecordingError> {
        let file = File::open(path).map_err(|error| RecordingError::Io(name.to_owned(), error))?;
        Ok(Self {
            from: BufReader::new(MultiGzDecoder::new(BufReader::new(file))),
            name: name.to_owned(),
            number: 0,
            bytes_left: bytes_max,
            bytes_max,
        })
    }

    pub(super) fn next(&mut self) -> Result<Line, RecordingError> {
        let text = match self.text() {
            Err(RecordingError::Io(_, error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Ok(Line::Cut);
            }
            text => text?,
        };
        let Some(text) = text else {
            return Ok(Line::End);
        };
        if !text.ends_with(b"\n") {
            return Ok(Line::Cut);
        }
        let message = serde_json::from_slice(&text);
        let message =
            message.map_err(|error| RecordingError::Line(self.name.clone(), self.number, error))?;
        Ok(Line::Message(Box::new(message)))
    }

    /// The next line with its end; `None` after the last.
    pub(super) fn text(&mut self) -> Result<Option<Vec<u8>>, RecordingError> {
        self.number += 1;
        let mut text = Vec::new();
        let mut limited = (&mut self.from).take(LINE_BYTES_MAX);
        let read = limited.read_until(b'\n', &mut text);
        match read {
            Ok(0) => Ok(None),
            Ok(count) if count as u64 == LINE_BYTES_MAX && !text.ends_with(b"\n") => {
                Err(RecordingError::LongLine(self.name.clone(), self.number))
            }
            Ok(count) => {
                let left = self.bytes_left.checked_sub(count as u64);
                self.bytes_left =
                    left.ok_or_else(|| RecordingError::TooLong(self.name.clone(), self.bytes_max))?;
                Ok(Some(text))
            }
            Err(error) => Err(RecordingError::Io(self.name.clone(), error)),
        }
    }
}
