//! A client's WebSocket.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use tokio::sync::mpsc;
use tokio::time::interval;

use super::{Asked, Outbox, Protocol, Venue, lock};

/// How often a client is pinged.
const PINGS: Duration = Duration::from_secs(1);

/// What a socket's task is told to do.
#[derive(Debug)]
pub(super) enum Out {
    Text(String),
    Close(u16),
    Cut,
}

/// What it subscribed to: of each market, whether trades and quotes.
#[derive(Debug)]
pub(super) struct Socket {
    outbox: Outbox,
    unsent: Arc<AtomicUsize>,
    wanted: BTreeMap<String, [bool; 2]>,
}

impl Socket {
    pub(super) fn send(&self, out: Out) {
        self.unsent.fetch_add(1, Ordering::Relaxed);
        // If it has gone, nobody wants it.
        let _ = self.outbox.send(out);
    }

    pub(super) fn unsent(&self) -> usize {
        self.unsent.load(Ordering::Relaxed)
    }

    pub(super) fn is_gone(&self) -> bool {
        self.outbox.is_closed()
    }

    pub(super) fn has(&self, base: &str) -> bool {
        self.wanted.contains_key(base)
    }

    pub(super) fn wants_trades(&self, base: &str) -> bool {
        self.wanted.get(base).is_some_and(|wanted| wanted[0])
    }

    pub(super) fn wants_quotes(&self, base: &str) -> bool {
        self.wanted.get(base).is_some_and(|wanted| wanted[1])
    }

    pub(super) fn bases(&self) -> Vec<String> {
        self.wanted.keys().cloned().collect()
    }
}

/// Serves a client until it goes, or is cut.
pub(super) async fn serve(mut socket: WebSocket, protocol: Protocol, venue: Arc<Mutex<Venue>>) {
    let (outbox, mut out) = mpsc::unbounded_channel();
    let unsent = Arc::default();
    {
        let mut venue = lock(&venue);
        venue.seen.connections += 1;
        if venue.faults.hangs_up {
            return;
        }
        venue.sockets.push(Socket {
            outbox: outbox.clone(),
            unsent: Arc::clone(&unsent),
            wanted: BTreeMap::new(),
        });
    }
    // Whatever else it does not send.
    let mut pings = interval(PINGS);
    loop {
        tokio::select! {
            biased;
            _ = pings.tick() => {
                if socket.send(Message::Ping("x".into())).await.is_err() {
                    return;
                }
            }
            out = out.recv() => match out {
                Some(Out::Text(text)) => {
                    if socket.send(Message::Text(text.into())).await.is_err() {
                        return;
                    }
                    unsent.fetch_sub(1, Ordering::Relaxed);
                }
                Some(Out::Close(code)) => {
                    let frame = CloseFrame { code, reason: "as told".into() };
                    let _ = socket.send(Message::Close(Some(frame))).await;
                    return;
                }
                Some(Out::Cut) | None => return,
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => {
                    for text in subscribe(&venue, protocol, &outbox, &text) {
                        if socket.send(Message::Text(text.into())).await.is_err() {
                            return;
                        }
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

/// Subscribes a client; returns what it is answered.
fn subscribe(
    venue: &Mutex<Venue>,
    protocol: Protocol,
    outbox: &Outbox,
    message: &str,
) -> Vec<String> {
    let wire = protocol.wire();
    let mut asked = wire.asked(message);
    let mut venue = lock(venue);
    let mut answers = Vec::new();
    let refused: Vec<_> = asked
        .bases
        .iter()
        .filter(|base| venue.faults.refused.contains(*base))
        .cloned()
        .collect();
    answers.extend(refused.iter().map(|base| wire.refused(base)));
    match protocol {
        // One refuses all.
        Protocol::Coinbase if !refused.is_empty() => asked.bases.clear(),
        _ => asked.bases.retain(|base| !refused.contains(base)),
    }
    if asked.bases.is_empty() {
        return answers;
    }
    let early = quotes(&venue, protocol, &asked);
    let acknowledged = wire.acknowledged(&asked);
    match venue.faults.is_early {
        true => answers.extend(early.into_iter().chain(acknowledged)),
        false => answers.extend(acknowledged.into_iter().chain(early)),
    }
    let own = venue
        .sockets
        .iter_mut()
        .find(|socket| socket.outbox.same_channel(outbox));
    if let Some(socket) = own {
        for base in asked.bases {
            let [trades, quotes] = socket.wanted.entry(base).or_default();
            *trades |= asked.trades;
            *quotes |= asked.quotes;
        }
    }
    answers
}

/// The quotes that a new subscriber gets at once.
fn quotes(venue: &Venue, protocol: Protocol, asked: &Asked) -> Vec<String> {
    let of_market = |base: &String| {
        let newest = venue.truth.deals(base).last()?;
        Some(protocol.wire().quote(base, newest))
    };
    // One sends them only when they change.
    let is_told = protocol != Protocol::Binance;
    let wants = asked.quotes && is_told && !venue.faults.is_silent;
    let bases = asked.bases.iter().filter(|_| wants);
    bases.filter_map(of_market).collect()
}
