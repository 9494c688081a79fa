//! What the leader keeps for servers that join.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use shared::{Checkpoint, Firing};

use super::record::KeptAlert;
use super::seen::Seen;
use crate::alerts::PastAlerts;

/// A checkpoint is no longer than this when it is unpacked.
const BYTES_MAX: u64 = 256_000_000;

/// A checkpoint of the log and of what servers share beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Saved {
    /// Of what readers are told. Its alerts are empty.
    pub(super) checkpoint: Checkpoint,
    /// The stream, by when it was made, and its message up to which this is.
    pub(super) made: i64,
    pub(super) message: u64,
    /// The name of that message.
    #[serde(default)]
    pub(super) newest: Option<String>,
    pub(super) alerts: Vec<KeptAlert>,
    /// The highest number of an alert that there ever was.
    pub(super) newest_alert: u64,
    /// For each receiver, the firings that are still to be delivered.
    pub(super) waiting: Vec<(String, Vec<Firing>)>,
    /// Of each instrument, which trades are in the log.
    pub(super) seen: Vec<Seen>,
    /// What the feed has to know to make the same past again.
    #[serde(default)]
    pub(super) origin: Option<String>,
    /// What the feed says of itself.
    pub(super) trades_per_second: f64,
    pub(super) goes_on: bool,
}

/// What goes on in another run, if the log does not.
#[derive(Clone, Debug)]
pub(super) struct Heritage {
    /// The stream, by when it was made, and its message up to which this is.
    pub(super) made: Option<i64>,
    pub(super) message: u64,
    pub(super) alerts: PastAlerts,
    /// As in [`Saved`].
    pub(super) waiting: Vec<(String, Vec<Firing>)>,
}

impl Heritage {
    /// Whether it is of the same stream, and of more of it.
    pub(super) fn is_newer_than(&self, other: &Self) -> bool {
        self.made == other.made && self.message > other.message
    }
}

impl Saved {
    /// What goes on in another run.
    pub(super) fn heritage(self) -> Heritage {
        Heritage {
            made: Some(self.made),
            message: self.message,
            alerts: self.past_alerts(),
            waiting: self.waiting,
        }
    }

    /// As bytes.
    pub(super) fn write(&self) -> std::io::Result<Vec<u8>> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&serde_json::to_vec(self)?)?;
        packed.finish()
    }

    /// Of bytes; `None` if they are something else, as of another version.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut unpacked = Vec::new();
        let mut limited = GzDecoder::new(bytes).take(BYTES_MAX);
        limited.read_to_end(&mut unpacked).ok()?;
        let saved: Self = serde_json::from_slice(&unpacked).ok()?;
        let count = saved.checkpoint.instruments.len();
        let fits = saved.checkpoint.version == shared::WIRE_VERSION
            && [
                saved.checkpoint.states.len(),
                saved.checkpoint.bars.len(),
                saved.seen.len(),
            ] == [count; 3];
        fits.then_some(saved)
    }

    /// Its alerts.
    pub(super) fn past_alerts(&self) -> PastAlerts {
        PastAlerts {
            alerts: self.alerts.iter().cloned().map(Into::into).collect(),
            fired: self.checkpoint.fired.clone(),
            newest_id: self.newest_alert,
        }
    }
}
