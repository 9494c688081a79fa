//! Messages of the simulated market, for servers that only pass them on.

use std::time::Duration;

use bytes::Bytes;
use server::encoding::{BINARY, Chosen, EncodedTicks, JSON};
use server::feed::{self, FeedConfig, FeedEvent, SimConfig, SimSymbols, Trade};
use shared::{Cursor, Epoch, Instrument, Tick};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

/// What one message contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One trade, as JSON.
    Tick,
    /// The trades of this period, in the binary encoding.
    Batch(Duration),
}

/// The messages of a market of 50 instruments with `rate` trades a second.
///
/// # Errors
///
/// The market cannot be opened.
pub async fn messages(kind: Kind, rate: f64) -> anyhow::Result<mpsc::Receiver<Bytes>> {
    let sim = FeedConfig::Sim(SimConfig {
        symbols: SimSymbols::First(50),
        rate,
        quotes: 0.0,
        seed: 7,
        goes_on: false,
        past: false,
    });
    let (catalogue, feed) = feed::open(&sim).await?;
    let (sender, receiver) = mpsc::channel(64);
    let instruments = catalogue.instruments().to_vec();
    let trades = feed.start_alone();
    tokio::spawn(write(kind, instruments, trades, sender));
    Ok(receiver)
}

async fn write(
    kind: Kind,
    instruments: Vec<Instrument>,
    mut events: mpsc::Receiver<Vec<FeedEvent>>,
    sender: mpsc::Sender<Bytes>,
) {
    let Kind::Batch(flush) = kind else {
        let mut seq = 0;
        while let Some(events) = events.recv().await {
            for trade in events.into_iter().filter_map(trade) {
                seq += 1;
                if sender
                    .send(message(
                        kind,
                        &[tick(trade, seq, &instruments)],
                        &instruments,
                    ))
                    .await
                    .is_err()
                {
                    return;
                }
            }
        }
        return;
    };
    let mut pending = Vec::new();
    let mut seq = 0;
    let mut flushes = interval(flush);
    flushes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            events = events.recv() => {
                let Some(events) = events else {
                    return;
                };
                for trade in events.into_iter().filter_map(trade) {
                    seq += 1;
                    pending.push(tick(trade, seq, &instruments));
                }
            }
            _ = flushes.tick() => {
                if pending.is_empty() {
                    continue;
                }
                if sender.send(message(kind, &pending, &instruments)).await.is_err() {
                    return;
                }
                pending.clear();
            }
        }
    }
}

fn trade(event: FeedEvent) -> Option<Trade> {
    match event {
        FeedEvent::Trade(trade) => Some(trade),
        FeedEvent::Quote(_) | FeedEvent::State(_) | FeedEvent::History(_) | FeedEvent::Anew(_) => {
            None
        }
    }
}

fn tick(trade: Trade, seq: u64, instruments: &[Instrument]) -> (usize, Tick) {
    let place = trade.instrument;
    let tick = trade.into_tick(instruments[place].symbol.clone());
    (place, tick.numbered(seq))
}

fn message(kind: Kind, ticks: &[(usize, Tick)], instruments: &[Instrument]) -> Bytes {
    let encoding = match kind {
        Kind::Tick => JSON,
        Kind::Batch(_) => BINARY,
    };
    let at = |seq| Cursor {
        epoch: Epoch::from_number(1),
        seq,
    };
    let (Some((_, first)), Some((_, last))) = (ticks.first(), ticks.last()) else {
        return Bytes::new();
    };
    let mut inside = Vec::new();
    encoding.add(
        &mut inside,
        &EncodedTicks::new(encoding, ticks, instruments),
        Chosen::All,
    );
    let mut message = Vec::new();
    let span = (at(first.seq() - 1), at(last.seq()));
    encoding.ticks_message(span, 0, &inside, &mut message);
    message.into()
}
