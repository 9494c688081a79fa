//! A stream that has lost what it had acknowledged, as NATS may when a machine loses its
//! power: what was shown of it is nowhere any more.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::bus::{BusError, Written};
use super::node::Node;
use super::record::{Beside, Head, Record};
use super::turn::Event;
use super::{AGAIN, SAY_AGAIN};
use crate::clock;

/// How long it may take to give the lease back.
const RELEASE: Duration = Duration::from_millis(250);

/// How it is known that something of the stream is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// It ends before what is shown; but a server of NATS that is behind says so, too.
    Seems,
    /// There is another message under the number of one that is shown.
    Certain,
}

impl Node {
    /// Ends the run for all servers: one that did not show what is lost would go on with
    /// it otherwise, and there would be two of them. Returns whether it is over; if it is
    /// not, nothing is lost.
    pub(super) async fn end_run(&mut self, loss: Loss) -> bool {
        self.shared.stand(Some("the log has lost something"));
        self.shared.seat.status.set_leader(None);
        self.lower = 0;
        if let Some(revision) = self.turns.revision() {
            self.turns.after(Event::LeaseIsLost);
            // Another server need not wait.
            let _ = timeout(RELEASE, self.bus().release(revision)).await;
        }
        let stop = self.stop.clone();
        let telling = Box::pin(self.tell_all(loss));
        let is_over = stop.run_until_cancelled(telling).await;
        is_over.unwrap_or(false)
    }

    /// Writes into the stream that the run is over, unless that is there already. Returns
    /// whether it is over.
    async fn tell_all(&mut self, mut loss: Loss) -> bool {
        let mut said: Option<Instant> = None;
        loop {
            match self.told(&mut loss).await {
                Ok(Some(is_over)) => return is_over,
                // Somebody else has written meanwhile.
                Ok(None) => {}
                Err(error) => {
                    if said.is_none_or(|said| said.elapsed() > SAY_AGAIN) {
                        tracing::warn!("the log has lost something, and {error}");
                        said = Some(Instant::now());
                    }
                    sleep(AGAIN).await;
                }
            }
        }
    }

    /// Tries it once; returns whether the run is over, if that is known.
    async fn told(&mut self, loss: &mut Loss) -> Result<Option<bool>, BusError> {
        let (bus, run, shown) = (
            self.bus().clone(),
            self.market().epoch(),
            self.turns.shown(),
        );
        let extent = bus.extent().await?;
        if self.made.is_some_and(|made| made != extent.made) {
            // This one is another stream.
            return Ok(Some(false));
        }
        let last = bus.record_at(extent.last).await?;
        if let Some(Record { head, beside, .. }) = &last {
            let is_said = head.epoch == run && beside.is_over;
            let is_later = head.epoch != run && extent.last > self.began;
            if is_said || is_later {
                return Ok(Some(true));
            }
        }
        if *loss == Loss::Seems && extent.last >= shown {
            // A server of NATS was behind; or somebody else has written on.
            let known = self.shared.known().newest.clone();
            match (known, bus.record_at(shown).await?) {
                (Some(_), Some(found)) if found.head.epoch != run => return Ok(Some(true)),
                (Some(known), Some(found)) if found.head.name != known => *loss = Loss::Certain,
                _ => return Ok(Some(false)),
            }
        }
        // What only seems so is taken if this is the last message indeed: most servers of
        // NATS have to say so.
        let after = (*loss == Loss::Seems).then_some(extent.last);
        let over = self.over(last.map(|last| last.head.name));
        match bus.write(&over, after).await {
            Written::As(_) => {
                tracing::warn!("the log has lost what was shown of {run}: it begins anew");
                Ok(Some(true))
            }
            Written::Refused => Ok(None),
            Written::Unclear | Written::TooLong => {
                sleep(AGAIN).await;
                Ok(None)
            }
        }
    }

    /// Says that the run is over.
    fn over(&self, follows: Option<String>) -> Record {
        let (at, sent) = (self.market().cursor(), clock::now());
        let node = self.holder.node.clone();
        Record {
            head: Head {
                name: format!("{node}-over-{}", sent.micros()),
                follows,
                epoch: at.epoch,
                before: at.seq,
                last: at.seq,
                node,
                term: 0,
                sent,
            },
            messages: Vec::new(),
            beside: Beside {
                is_over: true,
                ..Beside::default()
            },
        }
    }
}
