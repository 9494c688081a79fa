//! Recordings: every entry of the log, as it was, in compressed files.
//!
//! A file is lines of JSON, packed by gzip: first a [`Header`], then the messages
//! of the wire in the order of the log. `zcat` shows it. What was flushed is
//! readable although the server is killed: at most the last second is lost. A loss
//! of power may cost what the system had not written yet.

mod recorder;

use serde::{Deserialize, Serialize};
use shared::{Instrument, Time};

pub(crate) use self::recorder::Recorder;

/// The version of the files.
pub(crate) const VERSION: u32 = 1;
/// How the name of each file ends.
pub(crate) const ENDING: &str = ".jsonl.gz";

/// The first line of each file of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// The version of the file. It stands first, so that it tells what the file
    /// is.
    pub(crate) recording: u32,
    /// The run of the server.
    pub(crate) epoch: String,
    /// The name of its feed.
    pub(crate) feed: String,
    /// When the file was begun.
    pub(crate) begun: Time,
    /// The instruments of the run.
    pub(crate) instruments: Vec<Instrument>,
}
