//! What every server showed, entry by entry, and the laws that hold for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::ensure;
use client::Follower;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use shared::{Cursor, Epoch, Pace, ServerMessage, SnapshotReason, Transport};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::nodes::{Node, PATIENCE};

/// What one server showed.
#[derive(Debug, Default)]
struct Shown {
    /// Entries by their numbers: ticks one by one, other entries as they are.
    entries: BTreeMap<(u32, u64), String>,
    /// The numbers of the trades that each entry stands for.
    trades: BTreeMap<(u32, u64), Vec<u64>>,
    firings: BTreeSet<(u64, u64)>,
    snapshots: Vec<SnapshotReason>,
    at: Option<Cursor>,
    broken: Vec<String>,
}

/// What all servers showed, from when they were watched on.
#[derive(Debug, Default)]
pub(crate) struct Book {
    watched: HashMap<String, (Arc<Mutex<Shown>>, JoinHandle<()>)>,
    /// What those showed that are gone.
    gone: Vec<Arc<Mutex<Shown>>>,
    /// A reader that moves from one server to the next, and where it may go.
    roaming: Option<(Arc<Mutex<Shown>>, JoinHandle<()>)>,
    hosts: Arc<Mutex<Vec<String>>>,
}

impl Drop for Book {
    fn drop(&mut self) {
        let all = self.watched.values().chain(&self.roaming);
        all.for_each(|(_, watching)| watching.abort());
    }
}

fn lock(shown: &Mutex<Shown>) -> std::sync::MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shown {
    fn note(&mut self, message: &ServerMessage) {
        if let ServerMessage::Snapshot { reason, cursor, .. } = message {
            self.snapshots.push(*reason);
            self.at = Some(*cursor);
        }
        let Some((from, cursor)) = message.span() else {
            return;
        };
        if self.at.is_some_and(|at| at != from) {
            self.broken.push(format!("{from} after {:?}", self.at));
        }
        self.at = Some(cursor);
        let epoch = cursor.epoch.number();
        if let ServerMessage::Ticks { ticks, .. } = message {
            for tick in ticks {
                let text = format!("{tick:?}");
                self.entries.insert((epoch, tick.seq()), text);
                let id = tick.trade().and_then(|trade| trade.id.as_deref());
                if let Some(id) = id.and_then(|id| id.parse().ok()) {
                    self.trades.insert((epoch, tick.seq()), vec![id]);
                }
            }
        } else if !matches!(message, ServerMessage::Heartbeat { .. }) {
            if let ServerMessage::Alerts { firings, .. } = message {
                let names = firings.iter().map(|firing| (firing.id, firing.count));
                self.firings.extend(names);
            }
            self.entries
                .insert((epoch, cursor.seq), format!("{message:?}"));
        }
    }
}

impl Book {
    /// Watches a server over a WebSocket, as long as it is there.
    pub(crate) fn watch(&mut self, node: &Node) {
        self.watch_at(&node.name, &node.process.host, Transport::WebSocket);
    }

    /// Watches what answers at this address, as long as it is there.
    pub(crate) fn watch_at(&mut self, name: &str, host: &str, transport: Transport) {
        let shown: Arc<Mutex<Shown>> = Arc::default();
        let (host, known) = (host.to_owned(), Arc::clone(&shown));
        let watching = tokio::spawn(async move {
            let mut follower = Follower::new(&host, "*", None);
            loop {
                if follower.switch(transport).await.is_ok() {
                    while let Ok(messages) = follower.next().await {
                        let mut shown = lock(&known);
                        messages.iter().for_each(|message| shown.note(message));
                    }
                }
                sleep(Duration::from_millis(50)).await;
            }
        });
        self.watched.insert(name.to_owned(), (shown, watching));
    }

    /// Reads of these servers, now of one and now of another, over all transports.
    pub(crate) fn roam(&mut self, nodes: &[Node], seed: u64) {
        self.roam_among(nodes);
        let (shown, hosts): (Arc<Mutex<Shown>>, _) = (Arc::default(), Arc::clone(&self.hosts));
        let known = Arc::clone(&shown);
        let roaming = tokio::spawn(async move {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            loop {
                let host = {
                    let hosts = hosts.lock().unwrap_or_else(PoisonError::into_inner);
                    hosts[random.random_range(0..hosts.len())].clone()
                };
                let every_ms = [0, 100, 500][random.random_range(0..3)];
                let pace = Pace {
                    every_ms,
                    latest: false,
                };
                let cursor = lock(&known).at;
                let mut follower = Follower::new(&host, "*", cursor).pace(pace);
                let transport = Transport::ALL[random.random_range(0..Transport::ALL.len())];
                let reading = async {
                    follower.switch(transport).await?;
                    for _ in 0..random.random_range(1..20) {
                        let messages = follower.next().await?;
                        let mut shown = lock(&known);
                        messages.iter().for_each(|message| shown.note(message));
                    }
                    anyhow::Ok(())
                };
                // Whoever does not answer is left.
                let _ = timeout(Duration::from_secs(3), reading).await;
                sleep(Duration::from_millis(20)).await;
            }
        });
        self.roaming = Some((shown, roaming));
    }

    /// Where the reader that moves may go.
    pub(crate) fn roam_among(&self, nodes: &[Node]) {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        *hosts = nodes.iter().map(|node| node.process.host.clone()).collect();
    }

    /// The newest trade that each watched server showed.
    pub(crate) fn newest_trades(&self) -> HashMap<String, u64> {
        let newest = |shown: &Mutex<Shown>| {
            let shown = lock(shown);
            let last = shown.trades.last_key_value();
            last.and_then(|(_, ids)| ids.last().copied()).unwrap_or(0)
        };
        let all = self.watched.iter();
        all.map(|(name, (shown, _))| (name.clone(), newest(shown)))
            .collect()
    }

    /// How often each trade is in the log, over all that was shown.
    pub(crate) fn trades(&self) -> BTreeMap<u64, usize> {
        let mut all = BTreeMap::new();
        for shown in self.all() {
            all.extend(lock(shown).trades.clone());
        }
        let mut counts = BTreeMap::new();
        for id in all.into_values().flatten() {
            *counts.entry(id).or_default() += 1;
        }
        counts
    }

    /// What stands in the log where a trade should be: the entries around it, as far as
    /// they were shown.
    pub(crate) fn around(&self, id: u64) -> String {
        let (mut numbers, mut entries) = (BTreeMap::new(), BTreeMap::new());
        for shown in self.all() {
            let shown = lock(shown);
            for (number, ids) in &shown.trades {
                numbers.extend(ids.iter().map(|id| (*id, *number)));
            }
            entries.extend(shown.entries.clone());
        }
        let near = |id: &u64| numbers.get(id).copied();
        let (Some(before), Some(after)) = (near(&(id - 1)), near(&(id + 1))) else {
            return "its neighbours were not shown".to_owned();
        };
        let between: Vec<_> = entries
            .range(before.min(after)..=before.max(after))
            .collect();
        let count = after.1.abs_diff(before.1) + 1;
        format!(
            "{} of {count} entries were shown: {between:?}",
            between.len()
        )
    }

    /// All firings that were shown.
    pub(crate) fn firings(&self) -> BTreeSet<(u64, u64)> {
        self.all()
            .flat_map(|shown| lock(shown).firings.clone())
            .collect()
    }

    /// Watches it no more; what it showed stays.
    pub(crate) fn forget(&mut self, name: &str) {
        if let Some((shown, watching)) = self.watched.remove(name) {
            watching.abort();
            self.gone.push(shown);
        }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Mutex<Shown>>> {
        let watched = self.watched.values().map(|(shown, _)| shown);
        let roaming = self.roaming.iter().map(|(shown, _)| shown);
        watched.chain(&self.gone).chain(roaming)
    }

    /// The newest position that was shown.
    pub(crate) fn head(&self) -> Cursor {
        let all = self.all().filter_map(|shown| lock(shown).at);
        let newest = all.max_by_key(|cursor| cursor.seq);
        newest.unwrap_or(Cursor {
            epoch: Epoch::from_number(0),
            seq: 0,
        })
    }

    /// How many runs there were.
    pub(crate) fn epochs(&self) -> usize {
        let all = self.all().flat_map(|shown| {
            let shown = lock(shown);
            shown
                .entries
                .keys()
                .map(|(epoch, _)| *epoch)
                .collect::<Vec<_>>()
        });
        all.collect::<BTreeSet<_>>().len()
    }

    /// How many runs these servers show now.
    pub(crate) fn newest_epochs(&self, nodes: &[Node]) -> usize {
        let names = nodes.iter().map(|node| &node.name);
        let shown = names.filter_map(|name| self.watched.get(name));
        let epochs = shown.filter_map(|(shown, _)| Some(lock(shown).at?.epoch.number()));
        epochs.collect::<BTreeSet<_>>().len()
    }

    /// Why there were snapshots.
    pub(crate) fn reasons(&self) -> Vec<SnapshotReason> {
        self.all()
            .flat_map(|shown| lock(shown).snapshots.clone())
            .collect()
    }

    /// Waits until these servers have shown the entry with this number.
    pub(crate) async fn until(&self, nodes: &[Node], what: &str, seq: u64) -> anyhow::Result<()> {
        let names: Vec<_> = nodes.iter().map(|node| &*node.name).collect();
        self.until_all(&names, what, seq).await
    }

    /// Waits until all that are watched under these names have shown the entry with this
    /// number.
    pub(crate) async fn until_all(
        &self,
        names: &[&str],
        what: &str,
        seq: u64,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        let at = || -> Vec<_> {
            let shown = names.iter().filter_map(|name| self.watched.get(*name));
            shown
                .map(|(shown, _)| lock(shown).at.map_or(0, |at| at.seq))
                .collect()
        };
        while at().into_iter().any(|at| at < seq) {
            ensure!(
                Instant::now() < end,
                "waited in vain until {what}: {:?} for {seq}",
                at()
            );
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// The laws: no number has two contents, on any server, and each chain holds.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let mut all: BTreeMap<(u32, u64), String> = BTreeMap::new();
        for shown in self.all() {
            let shown = lock(shown);
            ensure!(shown.broken.is_empty(), "{:?}", shown.broken);
            for (number, content) in &shown.entries {
                let known = all.entry(*number).or_insert_with(|| content.clone());
                ensure!(known == content, "{number:?}: {known} and {content}");
            }
            // On its range, it showed everything that others did.
        }
        for shown in self.all() {
            let shown = lock(shown);
            let (Some((first, _)), Some((last, _))) = (
                shown.entries.first_key_value(),
                shown.entries.last_key_value(),
            ) else {
                continue;
            };
            // Where it got a snapshot instead, it may have a gap.
            if shown.snapshots.len() <= 1 {
                let missing = all.range(*first..=*last);
                let mut missing = missing.filter(|(number, _)| !shown.entries.contains_key(number));
                ensure!(missing.next().is_none(), "a gap in {:?}", shown.at);
            }
        }
        ensure!(all.len() > 500, "only {} entries", all.len());
        Ok(())
    }
}
