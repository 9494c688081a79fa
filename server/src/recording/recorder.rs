//! Writes a recording.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use shared::{Cursor, Symbols};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{ENDING, Header, VERSION};
use crate::clock;
use crate::encoding::JSON;
use crate::market::{Frame, Market, Reader};
use crate::store::create_private;

/// How often what was recorded is brought to the disk.
const PERIOD: Duration = Duration::from_secs(1);
/// How long to wait after a write that failed.
const PAUSE: Duration = Duration::from_secs(5);

/// Records the log as long as the server runs: a reader like those of clients,
/// whose transport is a disk.
#[derive(Debug)]
pub(crate) struct Recorder {
    folder: PathBuf,
    /// A file of so many bytes is followed by another one.
    bytes_max: u64,
    /// How many files there were.
    number: u32,
}

/// A file that is being written.
struct Writing {
    packed: GzEncoder<Counted>,
    path: PathBuf,
}

/// A file, and how much was written into it.
struct Counted {
    file: File,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Recorder {
    /// A recorder into this folder, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// No file can be made there.
    pub(crate) fn open(folder: &Path, bytes_max: u64) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        // Whether a file can be made is found now, and not when prices come.
        tempfile::tempfile_in(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            bytes_max,
            number: 0,
        })
    }

    /// Records until the market has `ended`, and then what is left.
    ///
    /// # Errors
    ///
    /// The task was aborted or panicked.
    pub(crate) async fn run(
        self,
        market: Arc<Market>,
        ended: CancellationToken,
    ) -> Result<(), String> {
        let runtime = Handle::current();
        // A thread of its own: it waits for the disk.
        let writing = spawn_blocking(move || runtime.block_on(self.record(market, ended)));
        writing.await.map_err(|error| error.to_string())
    }

    async fn record(mut self, market: Arc<Market>, ended: CancellationToken) {
        // Everything from the first entry on.
        let mut safe = Cursor {
            seq: 0,
            ..market.cursor()
        };
        loop {
            let Err((failed, error)) = self.record_from(&market, &mut safe, &ended).await else {
                return;
            };
            let path = failed.unwrap_or_else(|| self.folder.clone());
            tracing::error!(
                path = %path.display(),
                "the recording failed: {error}; it goes on in a new file in a few seconds"
            );
            tokio::select! {
                () = ended.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// Records from `safe` on, which moves over what is on the disk.
    async fn record_from(
        &mut self,
        market: &Arc<Market>,
        safe: &mut Cursor,
        ended: &CancellationToken,
    ) -> Result<(), (Option<PathBuf>, io::Error)> {
        // All symbols are known.
        let Ok(all) = market.set(&Symbols::All) else {
            return Ok(());
        };
        let mut reader = Reader::new(market, JSON, all, Some(*safe));
        let mut writing = self.begin(market).map_err(|error| (None, error))?;
        let mut due = Instant::now() + PERIOD;
        loop {
            let is_last = tokio::select! {
                biased;
                () = ended.cancelled() => true,
                () = sleep_until(due) => false,
                frames = reader.next(), if !market.is_closed() => {
                    let frames = frames.unwrap_or_default();
                    writing.add(&frames).map_err(|error| writing.failed(error))?;
                    false
                }
            };
            while is_last
                && let frames = reader.read()
                && !frames.is_empty()
            {
                writing
                    .add(&frames)
                    .map_err(|error| writing.failed(error))?;
            }
            if is_last || Instant::now() >= due {
                writing.flush().map_err(|error| writing.failed(error))?;
                safe.seq = reader.told().sent;
                due = Instant::now() + PERIOD;
            }
            if is_last || writing.bytes() >= self.bytes_max {
                writing.end()?;
                safe.seq = reader.told().sent;
                if is_last {
                    return Ok(());
                }
                writing = self.begin(market).map_err(|error| (None, error))?;
            }
        }
    }

    /// Begins the next file.
    fn begin(&mut self, market: &Market) -> io::Result<Writing> {
        let header = Header {
            recording: VERSION,
            epoch: market.epoch().to_string(),
            feed: market.feed(),
            begun: clock::now(),
            instruments: market.catalogue().instruments().to_vec(),
        };
        self.number += 1;
        let name = format!("{}-{:05}{ENDING}", header.epoch, self.number);
        let path = self.folder.join(name);
        let file = create_private(&path)?;
        let counted = Counted { file, bytes: 0 };
        let mut packed = GzEncoder::new(counted, Compression::fast());
        serde_json::to_writer(&mut packed, &header)?;
        packed.write_all(b"\n")?;
        Ok(Writing { packed, path })
    }
}

impl Writing {
    fn add(&mut self, frames: &[Frame]) -> io::Result<()> {
        for frame in frames {
            self.packed.write_all(&frame.bytes)?;
            self.packed.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Lets everything until now be read, whatever follows.
    fn flush(&mut self) -> io::Result<()> {
        self.packed.flush()
    }

    fn end(self) -> Result<(), (Option<PathBuf>, io::Error)> {
        let path = self.path;
        self.packed
            .finish()
            .map(drop)
            .map_err(|error| (Some(path), error))
    }

    fn bytes(&self) -> u64 {
        self.packed.get_ref().bytes
    }

    fn failed(&self, error: io::Error) -> (Option<PathBuf>, io::Error) {
        (Some(self.path.clone()), error)
    }
}
