//! A server that has the lease: it reads the feed and writes the stream.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use shared::Interval;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::calls;
use super::common::Shared;
use super::log::{StreamLog, Turns, keep_lease};
use super::node::{Node, REST};
use super::turn::Event;
use crate::feed::{self, Events, Feed, Heir, KnownPrice};
use crate::market::Writer;

/// How often a checkpoint is kept for servers that join.
const CHECKPOINTS: Duration = Duration::from_secs(5);
/// How long the last entries may take at the end.
const STOP_MAX: Duration = Duration::from_secs(1);
/// How long it may take to give the lease back.
const RELEASE: Duration = Duration::from_millis(250);

/// Why a server leads no more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Ended {
    /// In words.
    #[error("{0}")]
    Because(String),
    /// The feed has other instruments than the log: nobody can go on with that.
    #[error("the feed has other instruments by now, so this server does not go on with the run")]
    OtherInstruments,
}

fn because(why: impl ToString) -> Ended {
    Ended::Because(why.to_string())
}

impl Node {
    /// Writes the log as long as it may; returns why it does no more.
    pub(super) async fn lead(&mut self, last: u64) -> Ended {
        let shared = Arc::clone(&self.shared);
        let term = self.turns.revision().unwrap_or(last);
        tracing::info!("{} leads from message {last} on", self.holder.node);
        let turns = self.turns.clone();
        let own = self.own.take();
        let (bus, holder) = (shared.seat.bus.clone(), self.holder.clone());
        let mut leading = Box::pin(lead_with(&shared, &turns, own, term));
        let why = tokio::select! {
            why = &mut leading => why,
            // What cannot be written by then is not.
            () = stopped_for(&self.stop, STOP_MAX) => because("the server stops"),
            why = keep_lease(&turns, &mut self.renewals, &bus, &holder) => because(why),
        };
        drop(leading);
        let revision = turns.revision();
        turns.after(Event::LeaseIsLost);
        shared.seat.status.set_leading(false);
        shared.seat.status.set_leader(None);
        let receivers = shared.parts.receivers.iter();
        receivers.for_each(|receiver| receiver.set_idle(true));
        shared
            .parts
            .alerts
            .judge_no_more(shared.known().past_alerts());
        if let Some(revision) = revision {
            // Another server need not wait.
            let _ = timeout(RELEASE, bus.release(revision)).await;
        }
        shared.stand(Some("waiting for a leader"));
        self.rests_until = Instant::now() + REST;
        why
    }
}

/// Reads the feed and writes the log, until that is over; returns why.
async fn lead_with(shared: &Shared, turns: &Turns, own: Option<Box<Feed>>, term: u64) -> Ended {
    let parts = &shared.parts;
    let is_first = own.is_some();
    let feed = match own {
        Some(feed) => *feed,
        None => match open(shared).await {
            Ok(feed) => feed,
            Err(why) => return why,
        },
    };
    shared.older.set_own(feed.older());
    // Nobody can join before there is one. Of a log that goes on there are two already,
    // and an older one is good for readers who are a little behind.
    if is_first && let Err(why) = shared.save(turns).await {
        return because(format!("no checkpoint can be kept: {why}"));
    }
    parts.alerts.judge(parts.market.last_prices());
    parts
        .receivers
        .iter()
        .for_each(|receiver| receiver.set_idle(false));
    let calls = match shared.seat.bus.calls().await {
        Ok(calls) => calls,
        Err(error) => return because(error),
    };
    shared.seat.status.set_leading(true);
    shared.stand(None);
    let heir = Arc::clone(&parts.successor) as Arc<dyn Heir>;
    let (events, running) = feed.start(parts.kept.clone(), heir);
    let Events::Own(events) = events else {
        return because("the feed is not one that can be shared");
    };
    let mut log = StreamLog {
        shared,
        turns,
        term,
        count: 0,
        head: parts.market.cursor().seq,
        follows: shared.known().newest.clone(),
    };
    let reading = parts.stop.clone().run_until_cancelled_owned(running);
    let reading = async {
        let _ = reading.await;
        // The writer sees that nothing follows.
        pending::<()>().await;
    };
    let writer = Writer::new(&parts.market, Some(&mut log));
    tokio::select! {
        written = writer.run(events, parts.flush, parts.stop.clone()) => match written {
            Ok(()) => because("the server stops"),
            Err(error) => because(error),
        },
        () = reading => because("the feed ended"),
        () = save_often(shared, turns) => because("no checkpoints are kept"),
        () = calls::answer(&shared.seat.bus, calls, parts.router.clone(), Arc::clone(&shared.seat.status)) => {
            because("NATS passes no calls on")
        }
    }
}

/// Opens the feed, to go on where the log stands.
async fn open(shared: &Shared) -> Result<Feed, Ended> {
    let parts = &shared.parts;
    let opened = feed::open(&shared.seat.feed).await;
    let (catalogue, mut feed) = opened.map_err(because)?;
    if catalogue.instruments() != parts.market.catalogue().instruments() {
        return Err(Ended::OtherInstruments);
    }
    let (seen, origin) = {
        let known = shared.known();
        (known.seen.clone(), known.origin.clone())
    };
    match &origin {
        Some(origin) => feed.set_origin(origin),
        // A checkpoint of an earlier version does not say.
        None => shared.known().origin = feed.origin(),
    }
    let known = parts.market.newest_prices().into_iter().zip(seen);
    let known: Vec<_> = known
        .map(|((price, bars), seen)| {
            Some(KnownPrice {
                price: price?,
                second: bars[Interval::S1 as usize].as_ref().map(|bar| bar.time),
                trades: seen.known(),
            })
        })
        .collect();
    feed.go_on_from(&known);
    Ok(feed)
}

/// Keeps checkpoints.
async fn save_often(shared: &Shared, turns: &Turns) {
    let mut last = None;
    loop {
        sleep(CHECKPOINTS).await;
        let shown = turns.shown();
        if last == Some(shown) {
            continue;
        }
        match shared.save(turns).await {
            Ok(()) => last = Some(shown),
            Err(why) => tracing::warn!("no checkpoint could be kept: {why}"),
        }
    }
}

/// Completes when the server has been stopping for so long.
async fn stopped_for(stop: &CancellationToken, time: Duration) {
    stop.cancelled().await;
    sleep(time).await;
}
