//! Bounds: what clients can take of the server, at most, and what is refused.
//!
//! A refused client is told so, and every refusal is counted. What is bounded
//! elsewhere, beside what it protects, uses the same [`Limits`].

mod connections;
mod files;
mod pool;
mod unsent;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use shared::{Symbols, WireFormat};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::connections::host_of;
pub(crate) use self::connections::{Connections, Full, Place, SPARE, Spare};
pub(crate) use self::files::allow_files;
use self::pool::Pool;
pub(crate) use self::pool::Taken;
pub(crate) use self::unsent::count as count_unsent;

use self::unsent::UNIT_BYTES;
use crate::config::Limits;
use crate::http::Fault;
use crate::metrics::{Metrics, Refusal};

/// The keys of a rate limiter are looked through for old ones when there are so
/// many.
const ADDRESSES_MAX: usize = 10_000;

/// What is taken at the moment. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Bounds(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    metrics: Arc<Metrics>,
    streams: Arc<Semaphore>,
    long_polls: Arc<Semaphore>,
    history_calls: Pool,
    /// The bytes of answers that clients have not taken yet may be so many.
    unsent: Pool,
    changes: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>,
}

/// Permission to do one of a bounded number of things, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(
    #[expect(dead_code, reason = "dropped with the thing")] OwnedSemaphorePermit,
);

impl Bounds {
    pub(crate) fn new(limits: Limits, metrics: Arc<Metrics>) -> Self {
        let at_once = |count: usize| Arc::new(Semaphore::new(count));
        let a_minute = Quota::per_minute(some(limits.alerts_a_minute));
        Self(Arc::new(Inner {
            streams: at_once(limits.streams),
            long_polls: at_once(limits.long_polls),
            history_calls: Pool::new(limits.history_calls, 1),
            unsent: Pool::new(
                limits.unsent_bytes / UNIT_BYTES as usize,
                // Answers may be a little longer than they should be.
                2 * limits.answer_bytes / UNIT_BYTES as usize,
            ),
            changes: RateLimiter::hashmap(a_minute),
            limits,
            metrics,
        }))
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Counts what was refused.
    pub(crate) fn refused(&self, what: Refusal) {
        self.0.metrics.refused(what);
    }

    /// Permission for a WebSocket or an event stream.
    ///
    /// # Errors
    ///
    /// There are as many as there may be.
    pub(crate) fn stream(&self) -> Result<Permit, Fault> {
        let message = "there are as many streams as this server allows; poll, or come again later";
        self.permit(&self.0.streams, Refusal::Streams, message)
    }

    /// Permission for a long poll to wait.
    ///
    /// # Errors
    ///
    /// As many wait as may wait.
    pub(crate) fn long_poll(&self) -> Result<Permit, Fault> {
        let message =
            "as many long polls wait as this server allows; leave out wait_ms, or come again later";
        self.permit(&self.0.long_polls, Refusal::LongPolls, message)
    }

    /// Permission for a call for candles.
    ///
    /// # Errors
    ///
    /// As many are answered as may be.
    pub(crate) fn history_call(&self, client: Option<IpAddr>) -> Result<Taken, Fault> {
        self.0.history_calls.take(client, 1).ok_or_else(|| {
            self.refused(Refusal::HistoryCalls);
            Fault::Unavailable(
                "as many calls for candles are answered as this server allows; come again later",
            )
        })
    }

    fn permit(
        &self,
        semaphore: &Arc<Semaphore>,
        what: Refusal,
        message: &'static str,
    ) -> Result<Permit, Fault> {
        let permit = Arc::clone(semaphore).try_acquire_owned();
        permit.map(Permit).map_err(|_| {
            self.refused(what);
            Fault::Unavailable(message)
        })
    }

    /// Checks that this client may make or change one more alert now.
    ///
    /// # Errors
    ///
    /// It made or changed too many in the last minute.
    pub(crate) fn change(&self, client: IpAddr) -> Result<(), Fault> {
        // Programs of this machine need not be kept from it.
        if client.is_loopback() {
            return Ok(());
        }
        let client = host_of(client);
        let changes = &self.0.changes;
        if changes.len() > ADDRESSES_MAX {
            changes.retain_recent();
        }
        changes.check_key(&client).map_err(|_| {
            self.refused(Refusal::Changes);
            let count = self.0.limits.alerts_a_minute;
            Fault::TooMany(format!(
                "at most {count} alerts are made or changed in a minute by one address; wait a moment"
            ))
        })
    }

    /// How many ticks an answer in this encoding holds, at most.
    pub(crate) fn ticks(&self, format: WireFormat) -> usize {
        let tick_bytes = match format {
            WireFormat::Json => 160,
            WireFormat::Binary => 20,
        };
        self.0.limits.answer_bytes / tick_bytes
    }

    /// Checks that a client may name so many symbols.
    ///
    /// # Errors
    ///
    /// There are too many; the text says how many may be named.
    pub(crate) fn symbols(&self, symbols: &Symbols) -> Result<(), String> {
        let most = self.0.limits.symbols;
        match symbols {
            Symbols::Named(names) if names.len() > most => {
                self.refused(Refusal::Symbols);
                Err(format!(
                    "at most {most} symbols may be named; * is all of them"
                ))
            }
            _ => Ok(()),
        }
    }

    /// What bounds the commands over one WebSocket: as many at once as in a
    /// second.
    pub(crate) fn commands(&self) -> DefaultDirectRateLimiter {
        RateLimiter::direct(Quota::per_second(some(self.0.limits.commands)))
    }
}

fn some(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN)
}
