//! Checkpoints for servers that join: objects of NATS.

use async_nats::jetstream::object_store::{GetErrorKind, InfoErrorKind};
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use super::{Bus, BusError, CALL_PATIENCE, failed};

/// The names of the newest one and of the one before it, in some order.
const NAMES: [&str; 2] = ["checkpoint-0", "checkpoint-1"];

impl Bus {
    /// Keeps a checkpoint, instead of the one before the last. One of a leader that slept
    /// does no harm: whoever reads it needs no more than that it is of this stream.
    pub(crate) async fn keep_checkpoint(&self, bytes: &[u8]) -> Result<(), BusError> {
        let name = self.older_checkpoint().await?;
        let kept = self.objects.put(name, &mut &bytes[..]).await;
        kept.map(|_| ()).map_err(failed)
    }

    /// The name of the checkpoint that was kept first, or is not there.
    async fn older_checkpoint(&self) -> Result<&'static str, BusError> {
        let mut older = None;
        for name in NAMES {
            let kept = match self.objects.info(name).await {
                Ok(info) => info.modified,
                Err(error) if error.kind() == InfoErrorKind::NotFound => return Ok(name),
                Err(error) => return Err(failed(error)),
            };
            if older.is_none_or(|(before, _)| kept < before) {
                older = Some((kept, name));
            }
        }
        Ok(older.map_or(NAMES[0], |(_, name)| name))
    }

    /// The checkpoints that there are.
    pub(crate) async fn checkpoints(&self) -> Result<Vec<Vec<u8>>, BusError> {
        let mut all = Vec::new();
        for name in NAMES {
            // A reader may be left without its pieces when they are replaced meanwhile.
            let read = timeout(CALL_PATIENCE, self.checkpoint(name)).await;
            let late = |_| Err(failed("the checkpoint does not come"));
            all.extend(read.unwrap_or_else(late)?);
        }
        Ok(all)
    }

    async fn checkpoint(&self, name: &str) -> Result<Option<Vec<u8>>, BusError> {
        let mut object = match self.objects.get(name).await {
            Ok(object) => object,
            Err(error) if error.kind() == GetErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut bytes = Vec::new();
        object.read_to_end(&mut bytes).await.map_err(failed)?;
        Ok(Some(bytes))
    }
}
