//! How the shared log stands, and what a server makes of that.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::bus::{BusError, Extent, Holder};
use super::loss::Loss;
use super::node::{Next, Node};
use super::turn::{Event, LEASE, LOWER_MAX};
use super::{Found, Seat};

/// If nobody has led for so long, readers are told.
const LEADERLESS_MAX: Duration = Duration::from_secs(1);

/// How the log stands.
pub(super) struct Look {
    /// The message up to which everything was shown when it was asked.
    asked: u64,
    extent: Extent,
    holder: Option<Holder>,
    /// Whether there is a checkpoint that the stream goes on from.
    has_log: bool,
}

/// Looks who has the lease, and how far the stream reaches; and for a log, if this server
/// has none yet.
pub(super) async fn look(
    mut seat: Seat,
    asked: u64,
    looks_for_log: bool,
) -> Result<Look, BusError> {
    let (extent, holder) = tokio::try_join!(seat.bus.extent(), seat.bus.holder())?;
    if holder.is_some() {
        // Somebody goes on with it.
        seat.unled = None;
    }
    let has_log = match looks_for_log {
        true => matches!(seat.found(0).await?, Found::Good(_)),
        false => false,
    };
    Ok(Look {
        asked,
        extent,
        holder,
        has_log,
    })
}

impl Node {
    /// Takes in who has the lease, and whether the stream is still the same.
    pub(super) fn looked(&mut self, found: Result<Look, BusError>) -> Result<Event, Next> {
        let shared = Arc::clone(&self.shared);
        let Look {
            asked,
            extent,
            holder,
            has_log,
        } = match found {
            Ok(found) => found,
            Err(error) => {
                if self.leader_seen.elapsed() > LEASE + LEADERLESS_MAX {
                    shared.seat.status.set_leader(None);
                    shared.stand(Some(&format!("the log cannot be reached ({error})")));
                }
                return Ok(Event::Time);
            }
        };
        let shown = self.turns.shown();
        let is_another = self.made.is_some_and(|made| made != extent.made);
        match self.own {
            // Another server was faster.
            Some(_) if has_log => return Err(Next::Again(0)),
            Some(_) => self.begin_at(extent.last),
            None if is_another || extent.first > shown + 1 => return Err(Next::Again(0)),
            // Not if it was asked for before the newest was shown.
            None if extent.last < asked => {
                self.lower += 1;
                return match self.lower > LOWER_MAX {
                    true => Err(Next::Lost(Loss::Seems)),
                    false => Ok(Event::Time),
                };
            }
            None => self.lower = 0,
        }
        self.made = Some(extent.made);
        let behind = extent.last.saturating_sub(self.turns.shown());
        shared.seat.status.set_behind(behind);
        let shown = self.turns.shown();
        self.waiting = match self.waiting {
            Some((after, since)) if behind > 0 && after == shown => Some((after, since)),
            _ => (behind > 0).then(|| (shown, Instant::now())),
        };
        let leader = holder.map(|holder| holder.node);
        shared.seat.status.set_leader(leader.clone());
        if leader.is_some() {
            self.leader_seen = Instant::now();
            if self.own.is_none() {
                shared.stand(None);
            }
            return Ok(Event::Time);
        }
        if self.leader_seen.elapsed() > LEADERLESS_MAX {
            shared.stand(Some("waiting for a leader"));
        }
        // What the stream has is shown before anything is written.
        Ok(match behind {
            0 if self.rests_until <= Instant::now() => Event::LeaseIsFree,
            _ => Event::Time,
        })
    }
}
