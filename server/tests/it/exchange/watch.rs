//! A reader of a server that follows exchanges: what it has seen so far.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use client::Follower;
use shared::{
    CandlesAnswer, FeedStatus, Interval, ServerMessage, SymbolState, SymbolsAnswer, Tick, Trade,
    Transport, VenueStatus,
};
use testkit::{Deal, MockVenue, TestServer, Truth};
use tokio::time::{Instant, timeout_at};

/// Nothing takes longer than this, however slow the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a reader has seen from the first entry of the log on.
pub(crate) struct Watch {
    server: TestServer,
    follower: Follower,
    pub(crate) trades: BTreeMap<String, Vec<Trade>>,
    pub(crate) quotes: usize,
    pub(crate) states: BTreeMap<String, SymbolState>,
    pub(crate) statuses: Vec<FeedStatus>,
}

/// The arguments for a server that follows these venues.
pub(crate) fn arguments(venues: &[&MockVenue]) -> Vec<String> {
    let names: Vec<_> = venues.iter().map(|venue| venue.protocol().name()).collect();
    let addresses = venues
        .iter()
        .flat_map(|venue| venue.arguments().split_off(2));
    let feed = ["--feed".to_owned(), names.join(",")];
    feed.into_iter().chain(addresses).collect()
}

impl Watch {
    /// Starts a server that follows these venues, and reads all of its log.
    pub(crate) async fn start(venues: &[&MockVenue], more: &[&str]) -> anyhow::Result<Self> {
        let arguments = arguments(venues);
        let arguments: Vec<_> = arguments
            .iter()
            .map(String::as_str)
            .chain(more.iter().copied())
            .collect();
        let server = TestServer::start(&arguments).await?;
        let mut follower = Follower::from_start(&server.address().to_string(), "*").await?;
        follower.switch(Transport::WebSocket).await?;
        Ok(Self {
            server,
            follower,
            trades: BTreeMap::new(),
            quotes: 0,
            states: BTreeMap::new(),
            statuses: Vec::new(),
        })
    }

    /// Reads until this is so.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        mut is_so: impl FnMut(&Self) -> bool,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        while !is_so(self) {
            let next = timeout_at(end, self.follower.next()).await;
            let messages = next.with_context(|| {
                let last = self.statuses.last();
                format!(
                    "waited in vain until {what}: {last:?}, missing {:?}",
                    self.counts()
                )
            })??;
            messages.into_iter().for_each(|message| self.take(message));
        }
        Ok(())
    }

    /// Reads for so long.
    pub(crate) async fn for_a_while(&mut self, time: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + time;
        while let Ok(messages) = timeout_at(end, self.follower.next()).await {
            messages?.into_iter().for_each(|message| self.take(message));
        }
        Ok(())
    }

    fn counts(&self) -> Vec<(&String, usize)> {
        self.trades
            .iter()
            .map(|(symbol, all)| (symbol, all.len()))
            .collect()
    }

    fn take(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Ticks { ticks, .. } => {
                for tick in ticks {
                    match tick {
                        Tick::Trade(trade) => {
                            let own = self.trades.entry(trade.symbol.clone());
                            own.or_default().push(trade);
                        }
                        Tick::Quote(_) => self.quotes += 1,
                    }
                }
            }
            ServerMessage::States { symbols, .. } => {
                let all = symbols
                    .into_iter()
                    .map(|state| (state.symbol.clone(), state));
                self.states.extend(all);
            }
            ServerMessage::Status { status, .. } => self.statuses.push(status),
            _ => {}
        }
    }

    /// The newest status of a venue.
    pub(crate) fn venue(&self, name: &str) -> Option<&VenueStatus> {
        let venues = &self.statuses.last()?.venues;
        venues.iter().find(|venue| venue.venue == name)
    }

    /// The identifiers of a symbol's trades so far, each in its own right.
    pub(crate) fn ids(&self, symbol: &str) -> Vec<u64> {
        let trades = self.trades.get(symbol).map_or(&[][..], Vec::as_slice);
        trades.iter().flat_map(ids).collect()
    }

    /// The newest identifier of a symbol; 0 if there is none.
    pub(crate) fn newest(&self, symbol: &str) -> u64 {
        let trade = self.trades.get(symbol).and_then(|trades| trades.last());
        trade.and_then(|trade| ids(trade).pop()).unwrap_or(0)
    }

    /// Checks that each trade of the truth from the first that was seen on is there
    /// once, in order.
    pub(crate) fn check_trades(&self, symbol: &str, truth: &[Deal]) -> anyhow::Result<()> {
        let trades = self.trades.get(symbol).context("no trades")?;
        let first = *self.ids(symbol).first().context("no trade")?;
        let truth = truth.iter().filter(|deal| deal.id >= first);
        let truth: BTreeMap<_, _> = truth.map(|deal| (deal.id, deal)).collect();
        let mut given = BTreeSet::new();
        let mut last = 0;
        for trade in trades {
            let ids = ids(trade);
            ensure!(ids[0] > last, "{symbol}: {ids:?} after {last}");
            last = ids[0];
            let own = ids.iter().map(|id| truth.get(id).copied());
            let own: Option<Vec<_>> = own.collect();
            let own = own.with_context(|| format!("{symbol}: {ids:?} is not true"))?;
            let volume = own.iter().map(|deal| deal.qty).sum();
            ensure!(trade.qty == volume, "{symbol}: {ids:?}: {}", trade.qty);
            let first = own[0];
            let is_same = (trade.price, trade.time, trade.side)
                == (first.price, first.time, Some(first.side));
            ensure!(is_same, "{trade:?} {first:?}");
            for id in ids {
                ensure!(given.insert(id), "{symbol}: {id} came twice");
            }
        }
        ensure!(
            given.iter().eq(truth.keys()),
            "{symbol}: {given:?} for {:?}",
            truth.keys()
        );
        Ok(())
    }

    /// A symbol's candles of the server.
    pub(crate) async fn candles(
        &self,
        symbol: &str,
        interval: Interval,
        more: &str,
    ) -> anyhow::Result<Vec<shared::Candle>> {
        let path = format!("/api/candles?symbol={symbol}&interval={interval}&limit=10000{more}");
        let answer = reqwest::get(self.server.url(&path))
            .await?
            .error_for_status()?;
        let answer: CandlesAnswer = answer.json().await?;
        Ok(answer.candles)
    }

    /// Checks that the server's candles are those of the truth, as far back as they go;
    /// returns how many there are.
    pub(crate) async fn check_candles(
        &self,
        symbol: &str,
        base: &str,
        interval: Interval,
        truth: &Truth,
    ) -> anyhow::Result<usize> {
        let found = self.candles(symbol, interval, "").await?;
        let first = found.first().context("no candles")?.time;
        let truth = truth.candles(base, interval);
        let truth: Vec<_> = truth.into_iter().filter(|bar| bar.time >= first).collect();
        ensure!(
            found.len() == truth.len(),
            "{symbol} {interval}: {} for {}",
            found.len(),
            truth.len()
        );
        for (candle, bar) in found.iter().zip(&truth) {
            let prices = [candle.open, candle.high, candle.low, candle.close];
            let is_same =
                (candle.time, prices, candle.volume) == (bar.time, bar.prices, bar.volume);
            ensure!(is_same, "{symbol} {interval}: {candle:?} for {bar:?}");
        }
        Ok(found.len())
    }

    /// A text of the server.
    pub(crate) async fn text(&self, path: &str) -> anyhow::Result<String> {
        Ok(reqwest::get(self.server.url(path)).await?.text().await?)
    }

    /// The catalogue.
    pub(crate) async fn symbols(&self) -> anyhow::Result<Vec<shared::Instrument>> {
        let answer = reqwest::get(self.server.url("/api/symbols")).await?;
        Ok(answer.json::<SymbolsAnswer>().await?.symbols)
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.server.stop().await
    }
}

/// The identifiers that a trade stands for, as in `7` or `7-9,11`.
fn ids(trade: &Trade) -> Vec<u64> {
    let text = trade.id.as_deref().unwrap_or_default();
    let parts = text.split(',').filter_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<u64>().ok()?..=last.parse().ok()?)
    });
    parts.flatten().collect()
}
