//! Another Tickwire, whose log is mirrored: this server numbers nothing, so a cursor is
//! good on both.

mod calls;
mod messages;
mod mirror;

use std::sync::Arc;

use shared::{Checkpoint, SnapshotReason, WIRE_VERSION};

use self::calls::Calls;
pub use self::calls::UpstreamAddress;
pub(crate) use self::messages::{Places, Unfit};
use self::mirror::Relay;
use super::{About, Catalogue, Feed, Unreached};
use crate::access::Tokens;
use crate::http::dial::Dialer;

/// A feed needs some rate of trades to know when it is too silent; the other server
/// says how long it may be silent itself.
const MS_A_SECOND: f64 = 1_000.0;

/// Which server is mirrored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayConfig {
    /// Where it is.
    pub address: UpstreamAddress,
    /// What it asks for, if it does.
    pub tokens: Option<Tokens>,
}

/// Why a server cannot be mirrored, in one line.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// This machine has no certificates of authorities that can be used.
    #[error("no certificates: {0}")]
    Certificates(#[from] std::io::Error),
    /// It cannot be reached, or refuses.
    #[error("{0}: {1}")]
    Unreached(String, Unreached),
    /// It speaks another version.
    #[error("{0} speaks version {1} of the wire, and this server version {WIRE_VERSION}")]
    Version(String, u32),
}

/// Opens a mirror of another server.
///
/// # Errors
///
/// It cannot be reached, or is of another version.
pub(super) async fn open(config: RelayConfig) -> Result<(Catalogue, Feed), RelayError> {
    let calls = Arc::new(Calls::new(Dialer::new()?, config));
    let checkpoint = checkpoint(&calls).await?;
    Ok(opened(calls, checkpoint, None))
}

/// Where the other server stands.
async fn checkpoint(calls: &Calls) -> Result<Checkpoint, RelayError> {
    let name = || calls.address().to_string();
    let checkpoint = calls.checkpoint().await;
    let checkpoint = checkpoint.map_err(|why| RelayError::Unreached(name(), why))?;
    let counts = [checkpoint.states.len(), checkpoint.bars.len()];
    if checkpoint.version != WIRE_VERSION {
        return Err(RelayError::Version(name(), checkpoint.version));
    }
    if counts != [checkpoint.instruments.len(); 2] {
        let why = Unreached("its checkpoint has states and bars of other symbols".to_owned());
        return Err(RelayError::Unreached(name(), why));
    }
    Ok(checkpoint)
}

/// A mirror that begins at this checkpoint, for this reason if readers may have been
/// elsewhere.
fn opened(
    calls: Arc<Calls>,
    checkpoint: Checkpoint,
    reason: Option<SnapshotReason>,
) -> (Catalogue, Feed) {
    let about = About {
        name: checkpoint.feed.feed.clone(),
        label: checkpoint.feed.label.clone(),
        headline: format!(
            "Mirrors the log of {} from {} on",
            calls.address(),
            checkpoint.cursor
        ),
        trades_per_second: 30.0 * MS_A_SECOND / checkpoint.silence_max_ms.max(1) as f64,
        goes_on: true,
        state: checkpoint.feed.state,
    };
    let catalogue = Catalogue::new(checkpoint.instruments.clone());
    let relay = Relay::new(calls, checkpoint, reason);
    (catalogue, Feed::of_mirror(about, Box::new(relay)))
}
