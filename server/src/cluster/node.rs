//! One server among those that share a log: it follows the stream, and leads by turns.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use shared::binary::Instruments;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::Refused;
use super::bus::{Bus, Holder};
use super::common::{Known, Shared, deliver, wait_for};
use super::leading::Ended;
use super::log::{ASK_AGAIN, Turns, renewed};
use super::look::look;
use super::loss::Loss;
use super::member::{Beginning, Member};
use super::reading::Reading;
use super::record::{Head, Record, RecordError};
use super::turn::{Action, Event, Why};
use crate::alerts::StoredAlert;
use crate::clock;
use crate::entries::Entries;
use crate::feed::{Feed, Places};
use crate::flow::FlowParts;
use crate::market::Market;

/// How often it is looked who has the lease.
const LOOK: Duration = Duration::from_millis(250);
/// How long to wait before something that failed is tried again.
pub(super) const REST: Duration = Duration::from_secs(2);
/// Messages that are there come within this time.
const STALLED_MAX: Duration = Duration::from_secs(1);

/// Why a node follows the stream no more.
pub(super) enum Next {
    /// It writes from now on, after this message.
    Lead(u64),
    /// It cannot go on where it stands; a checkpoint has to cover this message.
    Again(u64),
    /// The stream has lost something that was shown; as it seems, or for certain.
    Lost(Loss),
    /// The server stops.
    Stop,
}

/// A running server among those that share a log.
pub(super) struct Node {
    pub(super) shared: Arc<Shared>,
    pub(super) turns: Turns,
    pub(super) renewals: mpsc::UnboundedReceiver<u64>,
    pub(super) holder: Holder,
    places: Places,
    instruments: Instruments,
    /// The feed of a log of its own, which is not the stream's yet.
    pub(super) own: Option<Box<Feed>>,
    /// When the stream was made.
    pub(super) made: Option<i64>,
    /// The message after which it began to show the run.
    pub(super) began: u64,
    pub(super) leader_seen: Instant,
    /// How often the stream has ended before what is shown.
    pub(super) lower: u8,
    /// It does not try to lead before this.
    pub(super) rests_until: Instant,
    /// Since when there are messages that did not come, after which.
    pub(super) waiting: Option<(u64, Instant)>,
    pub(super) stop: CancellationToken,
}

impl Node {
    pub(super) async fn run(member: Member, parts: FlowParts) -> Result<(), String> {
        let mut node = Self::new(member, parts);
        loop {
            match node.follow().await {
                Next::Stop => return Ok(()),
                Next::Again(least) => return Box::pin(node.begin_again(least, None)).await,
                Next::Lost(loss) => {
                    if node.end_run(loss).await {
                        let lost = Some(Refused::Lost);
                        return Box::pin(node.begin_again(0, lost)).await;
                    }
                }
                Next::Lead(last) => {
                    let had_own = node.own.is_some();
                    let ended = node.lead(last).await;
                    if node.stop.is_cancelled() {
                        return Ok(());
                    }
                    let name = &node.holder.node;
                    tracing::warn!("{name} leads no more: {ended}");
                    if ended == Ended::OtherInstruments {
                        let unled = Some(Refused::Unled);
                        return Box::pin(node.begin_again(0, unled)).await;
                    }
                    if had_own {
                        // Its log may be nobody's.
                        return Box::pin(node.begin_again(0, None)).await;
                    }
                }
            }
        }
    }

    fn new(member: Member, parts: FlowParts) -> Self {
        let Member {
            seat, start, older, ..
        } = member;
        let instruments = parts.market.catalogue().instruments();
        let (places, mut known_instruments) = (Places::new(instruments), Instruments::default());
        known_instruments.learn_all(instruments);
        let count = instruments.len();
        let (own, known, shown, made) = match start {
            Beginning::Anew(feed, heritage) => {
                let mut known = Known::new(parts.alerts.past(), count);
                known.origin = feed.origin();
                let waiting = heritage.map(|heritage| heritage.waiting);
                wait_for(&parts.receivers, waiting.unwrap_or_default());
                (Some(feed), known, 0, None)
            }
            Beginning::Saved(saved) => {
                let mut known = Known::new(saved.past_alerts(), count);
                known.seen = saved.seen;
                known.origin = saved.origin;
                known.newest = saved.newest;
                wait_for(&parts.receivers, saved.waiting);
                (None, known, saved.message, Some(saved.made))
            }
        };
        seat.status.set_shown(shown);
        let (turns, renewals) = Turns::new(shown);
        let holder = Holder {
            node: seat.status.node.clone(),
        };
        let stop = parts.stop.clone();
        Self {
            shared: Arc::new(Shared::new(seat, parts, older, known)),
            turns,
            renewals,
            holder,
            places,
            instruments: known_instruments,
            own,
            made,
            began: shown,
            leader_seen: Instant::now(),
            lower: 0,
            rests_until: Instant::now(),
            waiting: None,
            stop,
        }
    }

    pub(super) fn bus(&self) -> &Bus {
        &self.shared.seat.bus
    }

    pub(super) fn market(&self) -> &Arc<Market> {
        &self.shared.parts.market
    }

    /// Begins to show a log of its own after this message, should it lead.
    pub(super) fn begin_at(&mut self, last: u64) {
        self.turns.begin_at(last);
        self.began = last;
    }

    /// Lets the server begin again, where the stream is by now; without this run, if it
    /// is refused.
    async fn begin_again(self, least: u64, refused: Option<Refused>) -> Result<(), String> {
        self.shared
            .stand(Some("this server joins the others again"));
        let mut seat = self.shared.seat.clone();
        seat.status.set_leading(false);
        let run = self.market().epoch();
        seat.unled = None;
        match refused {
            Some(Refused::Lost) => seat.lost.push(run),
            Some(Refused::Unled) => seat.unled = Some(run),
            None => {}
        }
        let heritage = self.shared.heritage(self.made, self.turns.shown());
        seat.heritage = Some(heritage);
        let stop = self.stop.clone();
        let joining = async {
            loop {
                match Box::pin(seat.clone().join(least)).await {
                    Ok(opened) => return opened,
                    Err(error) => tracing::warn!("{error}; it is tried again"),
                }
                sleep(REST).await;
            }
        };
        if let Some((catalogue, member)) = stop.run_until_cancelled(joining).await {
            self.shared.parts.successor.set((catalogue, member.into()));
            // The server ends this node.
            self.stop.cancelled().await;
        }
        Ok(())
    }

    /// Follows the stream until this server leads, or cannot go on.
    async fn follow(&mut self) -> Next {
        let stop = self.stop.clone();
        let (mut looks, mut looking, mut answers) =
            (interval(LOOK), JoinSet::new(), JoinSet::new());
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (bus, mut reading) = (self.bus().clone(), Reading::default());
        loop {
            // As long as this server has a log of its own, the stream is another one.
            let shown = self.own.is_none().then(|| self.turns.shown());
            let next_record = async {
                match shown {
                    Some(shown) => reading.next(&bus, shown).await,
                    None => pending().await,
                }
            };
            let happened = tokio::select! {
                () = stop.cancelled() => return Next::Stop,
                message = next_record => self.take(&message),
                _ = looks.tick(), if looking.is_empty() => {
                    let (seat, shown) = (self.shared.seat.clone(), self.turns.shown());
                    looking.spawn(look(seat, shown, self.own.is_some()));
                    Ok(Event::Time)
                }
                Some(Ok(found)) = looking.join_next() => self.looked(found),
                Some(Ok(event)) = answers.join_next() => Ok(event),
                Some(revision) = self.renewals.recv() => {
                    self.ask(&mut answers, Action::Renew(revision));
                    continue;
                }
            };
            let event = match happened {
                Ok(event) => event,
                Err(next) => return next,
            };
            if self.waits_in_vain() {
                // A consumer of before NATS was away is not told that it is gone.
                reading.begin_again();
            }
            if self.is_another(&event) {
                return Next::Lost(Loss::Certain);
            }
            let actions = self.turns.after(event);
            if self.turns.is_following() {
                // What was asked for an earlier attempt says nothing of the next one.
                answers = JoinSet::new();
                while self.renewals.try_recv().is_ok() {}
            }
            for action in actions {
                match action {
                    Action::Lead(last) => return Next::Lead(last),
                    Action::Resign(Why::LogLost) => return Next::Lost(Loss::Seems),
                    Action::Resign(why) => {
                        tracing::warn!("{} does not lead: {why}", self.holder.node);
                    }
                    action => self.ask(&mut answers, action),
                }
            }
        }
    }

    /// Whether messages that are there do not come.
    fn waits_in_vain(&mut self) -> bool {
        let is_late = |(_, since): &(u64, Instant)| since.elapsed() > STALLED_MAX;
        self.waiting.take_if(|waiting| is_late(waiting)).is_some()
    }

    /// Asks NATS for something.
    fn ask(&self, answers: &mut JoinSet<Event>, action: Action) {
        let (bus, holder) = (self.bus().clone(), self.holder.clone());
        answers.spawn(async move {
            match action {
                Action::Take => Event::Taken(bus.take(&holder).await.unwrap_or(None)),
                Action::Renew(revision) => renewed(&bus, &holder, revision).await,
                Action::ReadLast => match bus.last().await {
                    Ok((message, name)) => Event::Last(message, name),
                    Err(_) => {
                        sleep(ASK_AGAIN).await;
                        Event::LastUnknown
                    }
                },
                _ => Event::Time,
            }
        });
    }

    /// Takes in a message of the stream.
    fn take(&mut self, message: &jetstream::Message) -> Result<Event, Next> {
        let number = match message.info() {
            Ok(info) => info.stream_sequence,
            Err(_) => return Err(Next::Again(0)),
        };
        let shown = self.turns.shown();
        if number <= shown {
            return Ok(Event::Time);
        }
        if number != shown + 1 {
            // It was cut off for longer than the stream keeps.
            return Err(Next::Again(number - 1));
        }
        let head = Head::of(message.headers.as_ref());
        let record = head.and_then(|head| Record::read(head, &message.payload));
        let taken = match record {
            Ok(record) if self.is_end(&record) => return Err(Next::Lost(Loss::Certain)),
            // Of a run before this one.
            Ok(record) if record.beside.is_over => {
                self.shared.known().newest = Some(record.head.name);
                Ok(())
            }
            Ok(record) => self.take_record(record),
            Err(error) => Err(error.to_string()),
        };
        match taken {
            Ok(()) => {
                self.shared.seat.status.set_shown(number);
                Ok(Event::Shown(number))
            }
            Err(why) => {
                tracing::warn!("message {number} of the log is no entry here: {why}");
                Err(Next::Again(number))
            }
        }
    }

    /// Whether the last message is not the one that is shown under its number.
    fn is_another(&self, event: &Event) -> bool {
        let Event::Last(last, Some(name)) = event else {
            return false;
        };
        let newest = self.shared.known().newest.clone();
        *last == self.turns.shown() && newest.is_some_and(|newest| newest != *name)
    }

    /// Whether the next message says that something is lost: in words, or by not
    /// following what is shown.
    fn is_end(&self, record: &Record) -> bool {
        let (head, at) = (&record.head, self.market().cursor());
        let newest = self.shared.known().newest.clone();
        let is_other = newest.is_some() && head.follows.is_some() && newest != head.follows;
        head.epoch == at.epoch && (record.beside.is_over || is_other || head.before != at.seq)
    }

    fn take_record(&mut self, record: Record) -> Result<(), String> {
        let words = |error: RecordError| error.to_string();
        let at = self.market().cursor();
        if record.head.epoch != at.epoch {
            let epoch = record.head.epoch;
            return Err(format!("it is of {epoch}, and this is at {at}"));
        }
        let entries = record.entries(&mut self.instruments, &self.places);
        let entries = entries.map_err(words)?;
        let parts = &self.shared.parts;
        let alerts = record.beside.alerts.into_iter();
        let alerts = alerts.map(|(id, kept)| (id, kept.map(Into::into)));
        let alerts: Vec<(u64, Option<StoredAlert>)> = alerts.collect();
        let mut known = self.shared.known();
        known.put_alerts(alerts.iter().cloned());
        entries.iter().for_each(|(_, entries)| known.note(entries));
        known.newest = Some(record.head.name);
        drop(known);
        for (before, entries) in entries {
            if let Entries::Firings(fired) = &entries {
                deliver(&parts.receivers, fired);
            }
            parts.market.take_numbered(before, entries)?;
        }
        // As they are after the entries.
        parts.alerts.put_kept(alerts);
        for (id, names) in &record.beside.settled {
            let receivers = parts.receivers.iter();
            let theirs = receivers.filter(|receiver| receiver.id() == id);
            theirs.for_each(|receiver| receiver.drop_settled(names));
        }
        let status = &self.shared.seat.status;
        status.set_hop(clock::now() - record.head.sent);
        status.set_leader(Some(record.head.node));
        self.leader_seen = Instant::now();
        self.shared.stand(None);
        Ok(())
    }
}
