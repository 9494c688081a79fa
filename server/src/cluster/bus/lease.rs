//! The lease: a key of NATS, which ends by itself.

use std::time::Duration;

use async_nats::jetstream::kv::{CreateErrorKind, UpdateErrorKind};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{Bus, BusError, failed, stores};

/// The timeout for a renewal, which has to be tried again before the lease ends.
const RENEWAL_PATIENCE: Duration = Duration::from_millis(400);
const KEY: &str = "leader";

/// Who has the lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) node: String,
}

impl Bus {
    /// Who has the lease, if anybody has.
    pub(crate) async fn holder(&self) -> Result<Option<Holder>, BusError> {
        match self.lease.get(KEY).await {
            Ok(found) => Ok(found.and_then(|value| serde_json::from_slice(&value).ok())),
            Err(error) => {
                // NATS may have lost everything, and this, too.
                stores(&self.context, &self.name, self.copies).await?;
                Err(failed(error))
            }
        }
    }

    /// Takes the lease, if nobody has it; its revision.
    pub(crate) async fn take(&self, holder: &Holder) -> Result<Option<u64>, BusError> {
        match self.lease.create(KEY, value(holder)).await {
            Ok(revision) => Ok(Some(revision)),
            Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Renews the lease; its new revision, or `None` if somebody else has it.
    pub(crate) async fn renew(
        &self,
        holder: &Holder,
        revision: u64,
    ) -> Result<Option<u64>, BusError> {
        let update = self.lease.update(KEY, value(holder), revision);
        let Ok(updated) = timeout(RENEWAL_PATIENCE, update).await else {
            return Err(failed("the lease is not renewed in time"));
        };
        match updated {
            Ok(revision) => Ok(Some(revision)),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                // A renewal whose answer was lost may have done it.
                let entry = timeout(RENEWAL_PATIENCE, self.lease.entry(KEY)).await;
                let entry = entry.map_err(failed)?.map_err(failed)?;
                let own = entry.filter(|entry| entry.value == value(holder));
                Ok(own.map(|entry| entry.revision))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Gives the lease back, so that others need not wait for its end.
    pub(crate) async fn release(&self, revision: u64) {
        // If it cannot be given back, it ends by itself.
        let _ = self.lease.delete_expect_revision(KEY, Some(revision)).await;
    }
}

fn value(holder: &Holder) -> Bytes {
    // A name can always be written.
    serde_json::to_vec(holder).unwrap_or_default().into()
}
