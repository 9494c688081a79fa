//! The leader's side of the stream: batches become records, and are shown once they are
//! in it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, sleep};

use super::bus::{Bus, Holder, Written};
use super::common::Shared;
use super::record::{Beside, Head, KeptAlert, Record};
use super::turn::{Action, Event, Role, Turn, Why};
use crate::clock;
use crate::entries::Entries;
use crate::market::{Batch, NotLeader, SharedLog};

/// How often it is looked whether the lease has to be renewed, or something else is to
/// be told.
const LOOK: Duration = Duration::from_millis(100);
/// So many firings and changed alerts are in one message of the stream: of the longest,
/// less than half a megabyte.
const ALERTS_MAX: usize = 400;
/// How long to wait before the last message is asked for again.
pub(super) const ASK_AGAIN: Duration = Duration::from_millis(50);

/// Whose turn it is, shared by what renews the lease and what writes.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    turn: Arc<Mutex<Turn>>,
    begun: Instant,
    renewals: mpsc::UnboundedSender<u64>,
}

impl Turns {
    /// Of a server that shows everything up to this message; and the renewals of the
    /// lease that become due.
    pub(super) fn new(shown: u64) -> (Self, mpsc::UnboundedReceiver<u64>) {
        let (renewals, due) = mpsc::unbounded_channel();
        let turns = Self {
            turn: Arc::new(Mutex::new(Turn::new(shown))),
            begun: Instant::now(),
            renewals,
        };
        (turns, due)
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        // Each change is one step, so a poisoned lock is safe to use.
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The message up to which this server shows everything.
    pub(super) fn shown(&self) -> u64 {
        self.turn().shown
    }

    /// Whether this server neither writes nor tries to.
    pub(super) fn is_following(&self) -> bool {
        self.turn().role == Role::Following
    }

    /// The revision of the lease, if this server has it.
    pub(super) fn revision(&self) -> Option<u64> {
        match &self.turn().role {
            Role::CatchingUp(lease, ..) | Role::Leading(lease, _) => Some(lease.revision),
            Role::Following | Role::Asking(_) => None,
        }
    }

    /// Begins at another message, which is shown.
    pub(super) fn begin_at(&self, shown: u64) {
        self.turn().shown = shown;
    }

    /// What is to be done after this event, besides renewals of the lease, which are
    /// passed on.
    pub(super) fn after(&self, event: Event) -> Vec<Action> {
        let mut actions = self.turn().after(event, self.begun.elapsed());
        actions.retain(|action| match action {
            Action::Renew(revision) => {
                // The receiver is kept beside this.
                let _ = self.renewals.send(*revision);
                false
            }
            _ => true,
        });
        actions
    }
}

/// Renews the lease until it is lost; returns why.
pub(super) async fn keep_lease(
    turns: &Turns,
    due: &mut mpsc::UnboundedReceiver<u64>,
    bus: &Bus,
    holder: &Holder,
) -> Why {
    let mut looks = interval(LOOK);
    loop {
        let event = tokio::select! {
            _ = looks.tick() => Event::Time,
            Some(revision) = due.recv() => renewed(bus, holder, revision).await,
        };
        for action in turns.after(event) {
            if let Action::Resign(why) = action {
                return why;
            }
        }
    }
}

/// Asks for the lease to be renewed.
pub(super) async fn renewed(bus: &Bus, holder: &Holder, revision: u64) -> Event {
    match bus.renew(holder, revision).await {
        Ok(Some(revision)) => Event::Renewed(revision),
        Ok(None) => Event::LeaseIsLost,
        Err(_) => Event::NotRenewed,
    }
}

/// The stream, for the writer of the log.
pub(super) struct StreamLog<'n> {
    pub(super) shared: &'n Shared,
    pub(super) turns: &'n Turns,
    /// The lease under which it writes, and how many records it has written.
    pub(super) term: u64,
    pub(super) count: u64,
    /// The last entry that is in the stream, and the name of its last message.
    pub(super) head: u64,
    pub(super) follows: Option<String>,
}

impl StreamLog<'_> {
    async fn write(&mut self, batches: &[Batch]) -> Result<(), NotLeader> {
        let (change, beside) = self.beside(batches);
        if batches.is_empty() && beside == Beside::default() {
            return Ok(());
        }
        let (mut records, mut message) = (Vec::new(), 0);
        for (batches, beside) in in_parts(batches, beside) {
            let record = self.record(batches, beside)?;
            message = self.publish(&record).await?;
            self.head = record.head.last;
            self.follows = Some(record.head.name.clone());
            records.push((record, batches));
        }
        // All at once, as the market shows them: a checkpoint in between would say that
        // it covers what it lacks.
        for (record, batches) in records {
            self.shared.took(record, batches);
        }
        self.turns.after(Event::Shown(message));
        self.shared.seat.status.set_shown(message);
        self.shared.parts.alerts.share(change);
        Ok(())
    }

    /// What other servers have to know beside the batches, and the change of alerts up
    /// to which it is.
    fn beside(&self, batches: &[Batch]) -> (u64, Beside) {
        let parts = &self.shared.parts;
        let (change, alerts) = parts.alerts.take_unshared();
        let kept = |(id, kept): (u64, Option<_>)| (id, kept.map(KeptAlert::from));
        let settled = parts.receivers.iter().map(|receiver| {
            let names = receiver.take_unshared();
            (receiver.id().to_owned(), names)
        });
        let known = batches.iter().filter_map(|batch| match batch.entries() {
            Entries::Known(known) => Some(known.iter().map(|known| (*known.candles).clone())),
            _ => None,
        });
        let beside = Beside {
            alerts: alerts.into_iter().map(kept).collect(),
            settled: settled.filter(|(_, names)| !names.is_empty()).collect(),
            candles: known.flatten().collect(),
            is_over: false,
        };
        (change, beside)
    }

    fn record(&mut self, batches: &[Batch], beside: Beside) -> Result<Record, NotLeader> {
        let market = &self.shared.parts.market;
        self.count += 1;
        let (node, sent) = (&self.shared.seat.status.node, clock::now());
        let messages = batches.iter().map(|batch| market.message(batch));
        let messages: Option<Vec<_>> = messages.collect();
        Ok(Record {
            head: Head {
                name: format!("{node}-{}-{}-{}", self.term, self.count, sent.micros()),
                follows: self.follows.clone(),
                epoch: market.epoch(),
                before: self.head,
                last: batches.last().map_or(self.head, Batch::last),
                node: node.clone(),
                term: self.term,
                sent,
            },
            messages: messages.ok_or_else(|| NotLeader("a batch cannot be written".to_owned()))?,
            beside,
        })
    }

    /// Writes a record, however often that takes; returns which message it is.
    async fn publish(&self, record: &Record) -> Result<u64, NotLeader> {
        let bus = &self.shared.seat.bus;
        let name = record.head.name.clone();
        let mut actions = self.turns.after(Event::Propose(name));
        loop {
            let event = match actions.pop() {
                Some(Action::Publish(after, _)) => match bus.write(record, Some(after)).await {
                    Written::As(message) => Event::Acknowledged(message),
                    Written::Refused => Event::Refused,
                    Written::TooLong => {
                        let why = "what is to be written is longer than a message of NATS";
                        return Err(NotLeader(why.to_owned()));
                    }
                    Written::Unclear => Event::NoAnswer,
                },
                Some(Action::ReadLast) => {
                    sleep(ASK_AGAIN).await;
                    match bus.last().await {
                        Ok((message, name)) => Event::Last(message, name),
                        Err(_) => Event::LastUnknown,
                    }
                }
                Some(Action::Show(message)) => return Ok(message),
                Some(Action::Resign(why)) => return Err(NotLeader(why.to_string())),
                Some(Action::Take | Action::Renew(_) | Action::Lead(_)) => continue,
                // Whoever keeps the lease has resigned.
                None => return Err(NotLeader("it leads no more".to_owned())),
            };
            actions = self.turns.after(event);
        }
    }

    /// Whether there is something that is not in the log.
    fn has_something(&self) -> bool {
        let parts = &self.shared.parts;
        let mut receivers = parts.receivers.iter();
        parts.alerts.has_unshared() || receivers.any(|receiver| receiver.has_unshared())
    }
}

/// Batches and what is beside them, in as few parts as messages of the stream can hold:
/// as a rule one. Very many firings, or changes of alerts, take several.
fn in_parts(batches: &[Batch], mut beside: Beside) -> Vec<(&[Batch], Beside)> {
    let alerts = std::mem::take(&mut beside.alerts);
    let firings = |batch: &Batch| match batch.entries() {
        Entries::Firings(fired) => fired.len(),
        _ => 0,
    };
    let is_small = batches.iter().map(firings).sum::<usize>() + alerts.len() <= ALERTS_MAX;
    if is_small {
        beside.alerts = alerts;
        return vec![(batches, beside)];
    }
    // Candles and settled deliveries go with the first, as their messages do.
    let mut parts: Vec<_> = batches
        .chunks(1)
        .map(|part| (part, Beside::default()))
        .collect();
    parts.extend(alerts.chunks(ALERTS_MAX).map(|alerts| {
        let alerts = Beside {
            alerts: alerts.to_vec(),
            ..Beside::default()
        };
        (&[][..], alerts)
    }));
    if let Some((_, first)) = parts.first_mut() {
        let alerts = std::mem::take(&mut first.alerts);
        *first = Beside { alerts, ..beside };
    }
    parts
}

impl SharedLog for StreamLog<'_> {
    fn commit<'a>(&'a mut self, batches: &'a [Batch]) -> BoxFuture<'a, Result<(), NotLeader>> {
        Box::pin(self.write(batches))
    }

    fn wants_commit(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            loop {
                sleep(LOOK).await;
                if self.has_something() {
                    return;
                }
            }
        })
    }
}
