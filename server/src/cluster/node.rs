//! One server among those that share a log: it follows the stream, and writes it while
//! it has the lease.

use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::jetstream;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use shared::binary::Instruments;
use shared::{Checkpoint, FeedState, FeedStatus, Firing, Interval};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::bus::{Bus, Holder};
use super::calls;
use super::log::{StreamLog, Turns, keep_lease};
use super::record::{Head, KeptAlert, Record};
use super::saved::Saved;
use super::seen::Seen;
use super::turn::{Action, Event, LEASE};
use super::{AGAIN, Seat};
use crate::alerts::{FIRED_MAX, PastAlerts, StoredAlert};
use crate::clock;
use crate::deliveries::{Deliveries, Delivery};
use crate::entries::Entries;
use crate::feed::{self, Events, Feed, KnownPrice, MemberParts, Places, SharedMember, Upstream};
use crate::market::{Batch, Market, Writer};

/// How often it is looked who has the lease.
const LOOK: Duration = Duration::from_millis(250);
/// How often a checkpoint is kept for servers that join.
const CHECKPOINTS: Duration = Duration::from_secs(5);
/// If nobody has led for so long, readers are told.
const LEADERLESS_MAX: Duration = Duration::from_secs(1);
/// Whoever could not lead waits for so long.
const PENALTY: Duration = Duration::from_secs(2);

/// A server that shares a log, before it runs.
pub(super) struct Member {
    seat: Seat,
    start: Start,
}

/// Where it begins.
enum Start {
    /// At a checkpoint of the stream.
    Saved(Box<Saved>),
    /// With a log of its own, which is the stream's if it is the first to lead.
    Anew(Box<Feed>),
}

impl Member {
    pub(super) fn following(seat: Seat, saved: Saved) -> Self {
        let start = Start::Saved(Box::new(saved));
        Self { seat, start }
    }

    pub(super) fn anew(seat: Seat, feed: Feed) -> Self {
        let start = Start::Anew(Box::new(feed));
        Self { seat, start }
    }
}

impl SharedMember for Member {
    fn checkpoint(&self) -> Option<&Checkpoint> {
        match &self.start {
            Start::Saved(saved) => Some(&saved.checkpoint),
            Start::Anew(_) => None,
        }
    }

    fn past_alerts(&self) -> Option<PastAlerts> {
        match &self.start {
            Start::Saved(saved) => Some(saved.past_alerts()),
            Start::Anew(_) => None,
        }
    }

    fn own(&self) -> Option<&Feed> {
        match &self.start {
            Start::Saved(_) => None,
            Start::Anew(feed) => Some(feed),
        }
    }

    fn own_mut(&mut self) -> Option<&mut Feed> {
        match &mut self.start {
            Start::Saved(_) => None,
            Start::Anew(feed) => Some(feed),
        }
    }

    fn status(&self) -> Arc<super::NodeStatus> {
        Arc::clone(&self.seat.status)
    }

    fn upstream(&self) -> Arc<dyn Upstream> {
        Arc::clone(&self.seat.leader) as Arc<dyn Upstream>
    }

    fn run(self: Box<Self>, parts: MemberParts) -> BoxFuture<'static, Result<(), String>> {
        Box::pin(Node::run(*self, parts))
    }
}

/// What the parts of a node share.
pub(super) struct Shared {
    pub(super) seat: Seat,
    pub(super) parts: MemberParts,
    known: Mutex<Known>,
    /// Others wait for a checkpoint.
    save_now: Notify,
}

/// What all servers know, as of the newest message that this one shows.
#[derive(Debug, Default)]
struct Known {
    alerts: BTreeMap<u64, StoredAlert>,
    /// The newest last.
    fired: VecDeque<Arc<Firing>>,
    /// Of each instrument.
    seen: Vec<Seen>,
}

impl Known {
    fn put_alerts(&mut self, alerts: &[(u64, Option<KeptAlert>)]) {
        for (id, kept) in alerts {
            match kept {
                Some(kept) => _ = self.alerts.insert(*id, kept.clone().into()),
                None => _ = self.alerts.remove(id),
            }
        }
    }

    fn note(&mut self, entries: &Entries) {
        match entries {
            Entries::Ticks(ticks) => {
                for (place, tick) in ticks {
                    let id = tick.trade().and_then(|trade| trade.id.as_deref());
                    if let (Some(id), Some(seen)) = (id, self.seen.get_mut(*place)) {
                        seen.note(id);
                    }
                }
            }
            Entries::Firings(fired) => {
                for (_, firing) in fired {
                    if self.fired.len() == FIRED_MAX {
                        self.fired.pop_front();
                    }
                    self.fired.push_back(Arc::clone(firing));
                }
            }
            _ => {}
        }
    }

    fn past_alerts(&self) -> PastAlerts {
        PastAlerts {
            alerts: self.alerts.values().cloned().collect(),
            fired: self.fired.iter().map(|one| Firing::clone(one)).collect(),
            newest_id: 0,
        }
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        // Each change is one step, so a poisoned lock is safe to use.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record that this server wrote is in the stream.
    pub(super) fn took(&self, record: &Record, batches: &[Batch]) {
        let mut known = self.known();
        known.put_alerts(&record.beside.alerts);
        batches.iter().for_each(|batch| known.note(batch.entries()));
        if record.beside.is_anew {
            self.save_now.notify_one();
        }
    }

    /// Says why there are no prices; `None` if there are.
    fn stand(&self, why: Option<&str>) {
        let market = &self.parts.market;
        market.stand(why.map(|why| FeedStatus {
            state: FeedState::Reconnecting,
            detail: format!("no prices: {why}"),
            retry_ms: None,
            ..market.feed_status()
        }));
    }

    /// Where the log stands, with everything that servers share.
    async fn save(&self, turns: &Turns) -> Result<(), String> {
        let extent = self.seat.bus.extent().await;
        let made = extent.map_err(|error| error.to_string())?.made;
        // From here on nothing is waited for, so nothing is written meanwhile.
        let message = turns.shown();
        let parts = &self.parts;
        let mut checkpoint = parts.market.checkpoint(parts.silence_max_ms);
        let receivers = parts.receivers.iter();
        let waiting = |receiver: &Arc<Deliveries>| {
            let waiting = receiver.waiting();
            let waiting = waiting.iter().map(|firing| Firing::clone(firing));
            (receiver.id().to_owned(), waiting.collect())
        };
        let saved = {
            let known = self.known();
            checkpoint.fired = known.fired.iter().map(|one| Firing::clone(one)).collect();
            Saved {
                checkpoint,
                made,
                message,
                alerts: known.alerts.values().cloned().map(Into::into).collect(),
                waiting: receivers.map(waiting).collect(),
                seen: known.seen.clone(),
                trades_per_second: parts.trades_per_second,
                goes_on: parts.goes_on,
            }
        };
        let bytes = saved.write().map_err(|error| error.to_string())?;
        let kept = self.seat.bus.keep_checkpoint(&bytes).await;
        kept.map_err(|error| error.to_string())
    }
}

/// Why a node follows the stream no more.
enum Next {
    /// It writes from now on, after this message.
    Lead(u64),
    /// It cannot go on where it stands; a checkpoint has to cover this message.
    Again(u64),
    /// The server stops.
    Stop,
}

/// A running server among those that share a log.
struct Node {
    shared: Arc<Shared>,
    turns: Turns,
    renewals: mpsc::UnboundedReceiver<u64>,
    holder: Holder,
    places: Places,
    instruments: Instruments,
    /// The feed of a log of its own, which is not the stream's yet.
    own: Option<Box<Feed>>,
    /// When the stream was made.
    made: Option<i64>,
    leader_seen: Instant,
    stop: CancellationToken,
}

impl Node {
    async fn run(member: Member, parts: MemberParts) -> Result<(), String> {
        let mut node = Self::new(member, parts);
        loop {
            match node.follow().await {
                Next::Stop => return Ok(()),
                Next::Again(least) => return node.begin_again(least).await,
                Next::Lead(last) => {
                    let why = node.lead(last).await;
                    if node.stop.is_cancelled() {
                        return Ok(());
                    }
                    let name = &node.holder.node;
                    tracing::warn!("{name} leads no more: {why}");
                    if node.own.is_some() {
                        return node.begin_again(0).await;
                    }
                }
            }
        }
    }

    fn new(member: Member, parts: MemberParts) -> Self {
        let Member { seat, start } = member;
        seat.status.set_shown(0);
        parts
            .receivers
            .iter()
            .for_each(|receiver| receiver.set_idle(true));
        let instruments = parts.market.catalogue().instruments();
        let (places, mut known_instruments) = (Places::new(instruments), Instruments::default());
        known_instruments.learn_all(instruments);
        let mut known = Known {
            seen: vec![Seen::default(); instruments.len()],
            ..Known::default()
        };
        let (own, shown, made) = match start {
            Start::Anew(feed) => {
                let past = parts.alerts.past();
                let ids = past.alerts.into_iter().map(|kept| (kept.alert.id, kept));
                known.alerts = ids.collect();
                known.fired = past.fired.into_iter().map(Arc::new).collect();
                (Some(feed), 0, None)
            }
            Start::Saved(saved) => {
                known.seen = saved.seen;
                let alerts = saved.alerts.into_iter();
                known.alerts = alerts.map(|kept| (kept.alert.id, kept.into())).collect();
                known.fired = saved.checkpoint.fired.into_iter().map(Arc::new).collect();
                wait_for(&parts.receivers, saved.waiting);
                (None, saved.message, Some(saved.made))
            }
        };
        let (turns, renewals) = Turns::new(shown);
        let holder = Holder {
            node: seat.status.node.clone(),
        };
        let stop = parts.stop.clone();
        Self {
            shared: Arc::new(Shared {
                seat,
                parts,
                known: Mutex::new(known),
                save_now: Notify::new(),
            }),
            turns,
            renewals,
            holder,
            places,
            instruments: known_instruments,
            own,
            made,
            leader_seen: Instant::now(),
            stop,
        }
    }

    fn bus(&self) -> &Bus {
        &self.shared.seat.bus
    }

    fn market(&self) -> &Arc<Market> {
        &self.shared.parts.market
    }

    /// Lets the server begin again, where the stream is by now.
    async fn begin_again(self, least: u64) -> Result<(), String> {
        let seat = self.shared.seat.clone();
        seat.status.set_leading(false);
        let joining = seat.join(least);
        let joined = self.stop.clone().run_until_cancelled_owned(joining).await;
        match joined {
            None => Ok(()),
            Some(Ok(opened)) => {
                self.shared.parts.successor.set(opened);
                // The server ends this node.
                self.stop.cancelled().await;
                Ok(())
            }
            Some(Err(error)) => Err(error.to_string()),
        }
    }

    /// Follows the stream until this server leads, or cannot go on.
    async fn follow(&mut self) -> Next {
        let stop = self.stop.clone();
        let (mut looks, mut answers) = (interval(LOOK), JoinSet::new());
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut records = None;
        loop {
            if records.is_none() && self.own.is_none() {
                let from = self.bus().records_from(self.turns.shown() + 1).await;
                // It is tried again with the next look.
                records = from.ok();
            }
            let next_record = async {
                match &mut records {
                    Some(records) => records.next().await,
                    None => pending().await,
                }
            };
            let event = tokio::select! {
                () = stop.cancelled() => return Next::Stop,
                record = next_record => match record {
                    Some(Ok(message)) => match self.take(&message) {
                        Ok(event) => event,
                        Err(next) => return next,
                    },
                    _ => {
                        records = None;
                        sleep(AGAIN).await;
                        continue;
                    }
                },
                _ = looks.tick() => {
                    match self.look().await {
                        Ok(event) => event,
                        Err(next) => return next,
                    }
                }
                Some(Ok(event)) = answers.join_next() => event,
                Some(revision) = self.renewals.recv() => {
                    self.ask(&mut answers, Action::Renew(revision));
                    continue;
                }
            };
            let actions = self.turns.after(event);
            if self.turns.is_following() {
                // What was asked for an earlier attempt says nothing of the next one.
                answers = JoinSet::new();
                while self.renewals.try_recv().is_ok() {}
            }
            for action in actions {
                match action {
                    Action::Lead(last) => return Next::Lead(last),
                    Action::Resign(why) => {
                        tracing::warn!("{} does not lead: {why}", self.holder.node);
                        if why.contains("ends before") {
                            return Next::Again(0);
                        }
                    }
                    action => self.ask(&mut answers, action),
                }
            }
        }
    }

    /// Looks who has the lease, and whether the stream is still the same.
    async fn look(&mut self) -> Result<Event, Next> {
        let (bus, shown) = (self.bus().clone(), self.turns.shown());
        let found = tokio::try_join!(bus.extent(), bus.holder());
        let (extent, holder) = match found {
            Ok(found) => found,
            Err(error) => {
                if self.leader_seen.elapsed() > LEASE + LEADERLESS_MAX {
                    self.shared.seat.status.set_leader(None);
                    self.shared
                        .stand(Some(&format!("the log cannot be reached ({error})")));
                }
                return Ok(Event::Time);
            }
        };
        if self.own.is_some() {
            // Another server may have been faster.
            let newest = self.shared.seat.newest(0).await;
            if matches!(newest, Ok(super::Newest::Good(_))) {
                return Err(Next::Again(0));
            }
            self.turns.begin_at(extent.last);
        } else if self.made.is_some_and(|made| made != extent.made)
            || extent.last < shown
            || extent.first > shown + 1
        {
            return Err(Next::Again(0));
        }
        self.made = Some(extent.made);
        let status = &self.shared.seat.status;
        status.set_behind(extent.last.saturating_sub(self.turns.shown()));
        status.set_leader(holder.as_ref().map(|holder| holder.node.clone()));
        match holder {
            Some(_) => {
                self.leader_seen = Instant::now();
                if self.own.is_none() {
                    self.shared.stand(None);
                }
                Ok(Event::Time)
            }
            None => {
                if self.leader_seen.elapsed() > LEADERLESS_MAX {
                    self.shared.stand(Some("waiting for a leader"));
                }
                // What the stream has is shown before anything is written.
                Ok(match extent.last == self.turns.shown() {
                    true => Event::LeaseIsFree,
                    false => Event::Time,
                })
            }
        }
    }

    /// Asks NATS for something.
    fn ask(&self, answers: &mut JoinSet<Event>, action: Action) {
        let (bus, holder) = (self.bus().clone(), self.holder.clone());
        answers.spawn(async move {
            match action {
                Action::Take => Event::Taken(bus.take(&holder).await.unwrap_or(None)),
                Action::Renew(revision) => match bus.renew(&holder, revision).await {
                    Ok(Some(revision)) => Event::Renewed(revision),
                    Ok(None) => Event::LeaseIsLost,
                    Err(_) => Event::NotRenewed,
                },
                Action::ReadLast => match bus.last().await {
                    Ok((message, name)) => Event::Last(message, name),
                    Err(_) => Event::LastUnknown,
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
        match self.take_record(message) {
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

    fn take_record(&mut self, message: &jetstream::Message) -> Result<(), String> {
        let words = |error: super::record::RecordError| error.to_string();
        let head = Head::of(message.headers.as_ref()).map_err(words)?;
        let record = Record::read(head, &message.payload).map_err(words)?;
        let at = self.market().cursor();
        if record.head.epoch != at.epoch || record.head.before != at.seq {
            let (epoch, before) = (record.head.epoch, record.head.before);
            return Err(format!("it follows {epoch}-{before}, and this is at {at}"));
        }
        let entries = record.entries(&mut self.instruments, &self.places);
        let entries = entries.map_err(words)?;
        if record.beside.is_anew {
            return Err("the feed began anew".to_owned());
        }
        let parts = &self.shared.parts;
        // Before the entries: a firing changes the alert as it is then.
        let alerts = record.beside.alerts.iter().cloned();
        let alerts = alerts.map(|(id, kept)| (id, kept.map(Into::into)));
        let mut known = self.shared.known();
        known.put_alerts(&record.beside.alerts);
        entries.iter().for_each(|(_, entries)| known.note(entries));
        drop(known);
        for (before, entries) in entries {
            parts.market.take_numbered(before, entries)?;
        }
        parts.alerts.put_kept(alerts.collect());
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

    /// Writes the log as long as it may; returns why it does no more.
    async fn lead(&mut self, last: u64) -> String {
        let shared = Arc::clone(&self.shared);
        let term = self.turns.revision().unwrap_or(last);
        tracing::info!("{} leads from message {last} on", self.holder.node);
        let turns = self.turns.clone();
        let own = self.own.take();
        let (bus, holder) = (shared.seat.bus.clone(), self.holder.clone());
        let mut leading = Box::pin(lead_with(&shared, &turns, own, term));
        let why = tokio::select! {
            why = &mut leading => why,
            why = keep_lease(&turns, &mut self.renewals, &bus, &holder) => why.to_owned(),
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
            let _ = timeout(LOOK, bus.release(revision)).await;
        }
        if !self.stop.is_cancelled() {
            sleep(PENALTY).await;
        }
        self.leader_seen = Instant::now();
        why
    }
}

/// Gives receivers what they wait for.
fn wait_for(receivers: &[Arc<Deliveries>], waiting: Vec<(String, Vec<Firing>)>) {
    for (id, firings) in waiting {
        let theirs = receivers.iter().filter(|receiver| receiver.id() == id);
        let deliveries = firings.into_iter().map(|firing| {
            let made = firing.at();
            Delivery::new(Arc::new(firing), made)
        });
        let deliveries: Vec<_> = deliveries.collect();
        theirs.for_each(|receiver| receiver.extend(deliveries.iter().cloned()));
    }
}

/// Reads the feed and writes the log, until that is over; returns why.
async fn lead_with(shared: &Shared, turns: &Turns, own: Option<Box<Feed>>, term: u64) -> String {
    let parts = &shared.parts;
    let feed = match own {
        Some(feed) => *feed,
        None => match open(shared).await {
            Ok(feed) => feed,
            Err(why) => return why,
        },
    };
    if let Err(why) = shared.save(turns).await {
        return format!("no checkpoint can be kept: {why}");
    }
    parts.alerts.judge(parts.market.last_prices());
    parts
        .receivers
        .iter()
        .for_each(|receiver| receiver.set_idle(false));
    let calls = match shared.seat.bus.calls().await {
        Ok(calls) => calls,
        Err(error) => return error.to_string(),
    };
    shared.seat.status.set_leading(true);
    shared.stand(None);
    let (events, running) = feed.start(parts.kept.clone(), Arc::clone(&parts.successor));
    let Events::Own(events) = events else {
        return "the feed is not one that can be shared".to_owned();
    };
    let mut log = StreamLog {
        shared,
        turns,
        term,
        count: 0,
    };
    let reading = parts.stop.clone().run_until_cancelled_owned(running);
    let reading = async {
        let _ = reading.await;
        // The writer sees that nothing follows.
        pending().await
    };
    let writer = Writer::new(&parts.market, Some(&mut log));
    tokio::select! {
        written = writer.run(events, parts.flush, parts.stop.clone()) => match written {
            Ok(()) => "the server stops".to_owned(),
            Err(error) => error.to_string(),
        },
        () = reading => String::new(),
        () = save_often(shared, turns) => String::new(),
        () = calls::answer(&shared.seat.bus, calls, parts.router.clone(), Arc::clone(&shared.seat.status)) => {
            "NATS passes no calls on".to_owned()
        }
    }
}

/// Opens the feed, to go on where the log stands.
async fn open(shared: &Shared) -> Result<Feed, String> {
    let parts = &shared.parts;
    let opened = feed::open(&shared.seat.feed).await;
    let (catalogue, mut feed) = opened.map_err(|error| error.to_string())?;
    if catalogue.instruments() != parts.market.catalogue().instruments() {
        return Err("the feed has other instruments than the log".to_owned());
    }
    let seen = shared.known().seen.clone();
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
        tokio::select! {
            () = sleep(CHECKPOINTS) => {}
            () = shared.save_now.notified() => {}
        }
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
