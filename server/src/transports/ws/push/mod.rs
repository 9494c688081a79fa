//! Pushing: connections at the same position of the log, with the same set and
//! encoding, share one reader with many sockets.
//!
//! Waking a task for each of a thousand connections, only to write the same
//! bytes, takes half as long as the writing. So a session that is up to date
//! hands its socket over to a group, and takes it back when something else has
//! to be done: a command arrived, or the socket takes no more bytes.

mod calls;
mod group;

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use shared::WireFormat;
use slab::Slab;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use self::calls::{Call, Calls};
use self::group::{Group, Member, Turn};
use crate::market::{Market, SymbolSet, Told};
use crate::metrics::Metrics;
use crate::transports::branches::Branches;
use crate::wire::Wire;

/// How often groups are checked for silence.
const BEAT: Duration = Duration::from_secs(1);
/// How many orders are obeyed between two looks at the groups.
const ORDERS_AT_ONCE: usize = 256;

/// Hands sockets over to pushers.
#[derive(Debug)]
pub(crate) struct Push {
    /// One for each core.
    pushers: Vec<mpsc::UnboundedSender<Order>>,
    next: AtomicU64,
}

/// An order to a pusher.
#[derive(Debug)]
enum Order {
    Join(Arc<SymbolSet>, WireFormat, Member),
    /// The member with this number, of this set and encoding.
    Leave(Arc<SymbolSet>, WireFormat, u64),
}

/// A socket that is handed back.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) told: Told,
    pub(super) state: SocketState,
    /// The remaining bytes of a message that was sent in part.
    pub(super) rest: Bytes,
}

/// The state of a socket that is handed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SocketState {
    /// It may take more bytes.
    Writable,
    /// It takes no bytes at the moment.
    Full,
    /// The client is gone.
    Closed,
}

/// A session's handle to a socket that it handed over. After it is dropped, the
/// pusher stops writing to the socket soon.
#[derive(Debug)]
pub(super) struct HandedOver {
    set: Arc<SymbolSet>,
    format: WireFormat,
    number: u64,
    pusher: mpsc::UnboundedSender<Order>,
    back: oneshot::Receiver<Returned>,
}

impl Push {
    /// One pusher for each core; each has to be run.
    pub(crate) fn new(market: &Arc<Market>, metrics: &Arc<Metrics>) -> (Self, Vec<Pusher>) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let make = || {
            // A session waits for its socket before it gives the next order, so
            // the channel holds only a few orders for each connection.
            let (sender, orders) = mpsc::unbounded_channel();
            let mut beats = interval(BEAT);
            beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let pusher = Pusher {
                market: Arc::clone(market),
                metrics: Arc::clone(metrics),
                orders,
                beats,
                beaten: Instant::now(),
                branches: Branches::new(),
                calls: Arc::default(),
                groups: Slab::new(),
                index: HashMap::new(),
            };
            (sender, pusher)
        };
        let (senders, pushers) = std::iter::repeat_with(make).take(cores).unzip();
        let push = Self {
            pushers: senders,
            next: AtomicU64::new(0),
        };
        (push, pushers)
    }

    /// Hands a socket over: what follows after what its client was told is written to
    /// it in this encoding, of this set.
    pub(super) fn hand_over(
        &self,
        wire: Wire,
        set: Arc<SymbolSet>,
        format: WireFormat,
        told: Told,
    ) -> HandedOver {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let count = self.pushers.len().max(1) as u64;
        let pusher = &self.pushers[usize::try_from(number % count).unwrap_or(0)];
        let (sender, back) = oneshot::channel();
        let member = Member::new(number, wire, told, sender);
        // If the pusher has ended, the sender inside `member` is dropped, and
        // the session sees that.
        let _ = pusher.send(Order::Join(Arc::clone(&set), format, member));
        HandedOver {
            set,
            format,
            number,
            pusher: pusher.clone(),
            back,
        }
    }
}

impl HandedOver {
    /// Completes when the pusher hands the socket back. `None` if the pusher
    /// ended without doing so; then the client's position is not known.
    pub(super) fn poll_back(&mut self, context: &mut Context<'_>) -> Poll<Option<Returned>> {
        let back = std::pin::Pin::new(&mut self.back);
        std::future::Future::poll(back, context).map(Result::ok)
    }

    /// Asks for the socket, and waits for it.
    pub(super) async fn take_back(mut self) -> Option<Returned> {
        self.leave();
        poll_fn(|context| self.poll_back(context)).await
    }

    fn leave(&self) {
        let order = Order::Leave(Arc::clone(&self.set), self.format, self.number);
        // A pusher that has ended has no sockets any more.
        let _ = self.pusher.send(order);
    }
}

impl Drop for HandedOver {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Writes to the sockets that were handed over to it.
pub(crate) struct Pusher {
    market: Arc<Market>,
    metrics: Arc<Metrics>,
    orders: mpsc::UnboundedReceiver<Order>,
    beats: Interval,
    /// When the groups' silence was last looked at.
    beaten: Instant,
    branches: Branches<3>,
    /// The groups that have something to read.
    calls: Arc<Calls>,
    groups: Slab<Group>,
    /// The groups' keys in the slab, by set and encoding.
    index: HashMap<GroupKey, usize>,
}

/// What a group is for: a set, by its address in memory, since readers of the
/// same symbols hold the same set; and an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct GroupKey(usize, WireFormat);

impl GroupKey {
    fn new(set: &Arc<SymbolSet>, format: WireFormat) -> Self {
        Self(Arc::as_ptr(set).addr(), format)
    }
}

/// What a pusher waits for.
enum Event {
    /// An order; `None` when no one can send orders any more.
    Order(Option<Order>),
    /// Some groups have something to read, or the market is closed.
    Called(Vec<usize>),
    /// The timer has ticked.
    Beat,
}

impl Pusher {
    /// Writes until the market is closed.
    pub(crate) async fn run(mut self) {
        while !self.market.is_closed() {
            match poll_fn(|context| self.poll_event(context)).await {
                Event::Order(Some(order)) => self.obey(order),
                Event::Order(None) => return,
                Event::Called(keys) => {
                    let mut turn = Turn::default();
                    for key in keys {
                        // The group may be gone by now.
                        if let Some(group) = self.groups.get_mut(key) {
                            group.push_new(&self.metrics, &mut turn).await;
                            self.drop_if_empty(key);
                        }
                    }
                }
                Event::Beat => self.beat().await,
            }
            // Prices come first, so there may be no other turn for the rest.
            for _ in 0..ORDERS_AT_ONCE {
                match self.orders.try_recv() {
                    Ok(order) => self.obey(order),
                    Err(_) => break,
                }
            }
            if self.beaten.elapsed() > 2 * BEAT {
                self.beat().await;
            }
        }
        // Sessions that wait for their sockets close their connections.
    }

    async fn beat(&mut self) {
        self.beaten = Instant::now();
        let mut turn = Turn::default();
        let mut empty = Vec::new();
        for (key, group) in &mut self.groups {
            group.beat(&self.metrics, &mut turn).await;
            if group.is_empty() {
                empty.push(key);
            }
        }
        empty.into_iter().for_each(|key| self.drop_if_empty(key));
    }

    /// Removes a group without members, so that it no longer reads or holds its
    /// set.
    fn drop_if_empty(&mut self, key: usize) {
        if self.groups.get(key).is_some_and(Group::is_empty) {
            let group = self.groups.remove(key);
            let (set, format) = group.of();
            self.index.remove(&GroupKey::new(set, format));
        }
    }

    fn poll_event(&mut self, context: &Context<'_>) -> Poll<Event> {
        let (orders, calls, beats) = (&mut self.orders, &self.calls, &mut self.beats);
        self.branches.poll(context, |branch, context| match branch {
            0 => calls.poll_take(context).map(Event::Called),
            1 => orders.poll_recv(context).map(Event::Order),
            _ => beats.poll_tick(context).map(|_| Event::Beat),
        })
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Join(set, format, member) => {
                if let Some(key) = self.index.get(&GroupKey::new(&set, format)) {
                    return self.groups[*key].join(member, &self.metrics);
                }
                let place = self.groups.vacant_entry();
                let call = Call::new(&self.calls, place.key());
                self.index.insert(GroupKey::new(&set, format), place.key());
                place.insert(Group::new(&self.market, &set, format, call, member));
            }
            Order::Leave(set, format, number) => {
                if let Some(key) = self.index.get(&GroupKey::new(&set, format)).copied() {
                    self.groups[key].leave(number);
                    self.drop_if_empty(key);
                }
            }
        }
    }
}
