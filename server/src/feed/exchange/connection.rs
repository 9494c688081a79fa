//! One WebSocket of a venue: how it is opened, what comes from it, and how long that
//! may take.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use venues::Venue;

use crate::http::dial::Dialer;
use crate::http::websocket::{Lost, connect, received};

/// How long the handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long it may take from the opening to the first price.
const FIRST_PRICE_MAX: Duration = Duration::from_secs(20);
/// No venue sends longer messages.
const MESSAGE_BYTES_MAX: usize = 1_000_000;
/// So many messages may wait until they are looked at. Then the socket is not read
/// any more, and the venue has to wait.
const MESSAGES_WAITING: usize = 64;
/// The time between two messages to a venue.
const SEND_GAP: Duration = Duration::from_millis(250);

/// What comes from a connection.
#[derive(Debug)]
pub(super) enum Heard {
    /// It is open, and what was to be sent is on its way.
    Opened,
    /// A message.
    Text(Utf8Bytes),
    /// A ping or a pong.
    Pulse,
    /// It has ended. Nothing follows.
    Lost(Lost),
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Opening,
    Subscribing,
    /// Prices come; when the venue last said something.
    Live(Instant),
}

/// A sign that a venue is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A price.
    Price,
    /// It says that it is there.
    Alive,
    /// It took a subscription.
    Subscribed,
    /// A ping or a pong.
    Pulse,
}

/// A connection, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    heard: mpsc::Receiver<Heard>,
    send: mpsc::UnboundedSender<String>,
    task: AbortHandle,
    phase: Phase,
    /// When it was begun, and when the phase began.
    begun: Instant,
    since: Instant,
    venue: &'static dyn Venue,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Connection {
    /// Opens a connection, and sends these messages.
    pub(super) fn open(
        dialer: Dialer,
        address: String,
        subscriptions: Vec<String>,
        venue: &'static dyn Venue,
    ) -> Self {
        let (events, heard) = mpsc::channel(MESSAGES_WAITING);
        let (send, outgoing) = mpsc::unbounded_channel();
        for message in subscriptions {
            // The receiver is still here.
            let _ = send.send(message);
        }
        let task = tokio::spawn(async move {
            let Err(lost) = converse(dialer, &address, outgoing, &events).await;
            // If nobody wants to know, it was given up.
            let _ = events.send(Heard::Lost(lost)).await;
        });
        let now = Instant::now();
        Self {
            heard,
            send,
            task: task.abort_handle(),
            phase: Phase::Opening,
            begun: now,
            since: now,
            venue,
        }
    }

    /// What comes from it, several at once if they are waiting. Never nothing.
    pub(super) async fn next(&mut self) -> Vec<Heard> {
        let mut heard = Vec::new();
        if self.heard.recv_many(&mut heard, MESSAGES_WAITING).await == 0 {
            heard.push(Heard::Lost(Lost::broken_off()));
        }
        heard
    }

    /// Sends further messages.
    pub(super) fn send(&self, messages: Vec<String>) {
        for message in messages {
            // If it has ended, that is heard.
            let _ = self.send.send(message);
        }
    }

    /// It is open.
    pub(super) fn opened(&mut self) {
        (self.phase, self.since) = (Phase::Subscribing, Instant::now());
    }

    /// There was a sign of the venue. Returns whether prices can be counted on from now
    /// on: since the first of them, or, of a venue that is quiet where nothing happens,
    /// since it took a subscription.
    pub(super) fn said(&mut self, sign: Sign) -> bool {
        let is_quiet = self.venue.is_quiet();
        let (begins, goes_on) = match sign {
            Sign::Price => (true, true),
            Sign::Alive => (false, true),
            Sign::Subscribed => (is_quiet, false),
            Sign::Pulse => (false, is_quiet),
        };
        let is_live = self.is_live();
        if begins || (is_live && goes_on) {
            self.phase = Phase::Live(Instant::now());
        }
        begins && !is_live
    }

    /// It is not read for a while, which is not its fault.
    pub(super) fn waits(&mut self) {
        self.since = Instant::now();
        if self.is_live() {
            self.phase = Phase::Live(self.since);
        }
    }

    /// Whether prices come.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live(_))
    }

    /// How old it is.
    pub(super) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Until when something has to happen, and what it is if it does not.
    pub(super) fn deadline(&self) -> (Instant, String) {
        match self.phase {
            // The handshake has a timeout of its own, which says more.
            Phase::Opening => (self.since + 3 * HANDSHAKE_MAX, "it did not open".to_owned()),
            Phase::Subscribing => {
                let seconds = FIRST_PRICE_MAX.as_secs();
                let why = format!("no price came within {seconds} s");
                (self.since + FIRST_PRICE_MAX, why)
            }
            Phase::Live(heard) => {
                let idle_max = self.venue.idle_max();
                let why = format!("it was silent for {} s", idle_max.as_secs());
                (heard + idle_max, why)
            }
        }
    }
}

/// What never is.
enum Never {}

/// Speaks with a venue until the connection ends.
async fn converse(
    dialer: Dialer,
    address: &str,
    mut outgoing: mpsc::UnboundedReceiver<String>,
    events: &mpsc::Sender<Heard>,
) -> Result<Never, Lost> {
    let request = address.into_client_request()?;
    let socket = timeout(HANDSHAKE_MAX, connect(dialer, request, MESSAGE_BYTES_MAX)).await;
    let socket = socket.map_err(|_| {
        let seconds = HANDSHAKE_MAX.as_secs();
        Lost::because(format!("it did not answer within {seconds} s"))
    })??;
    let gone = |_| Lost::because("it is not needed any more");
    events.send(Heard::Opened).await.map_err(gone)?;
    let (mut write, mut read) = socket.split();
    let sending = async move {
        while let Some(message) = outgoing.recv().await {
            write.send(Message::text(message)).await?;
            sleep(SEND_GAP).await;
        }
        std::future::pending().await
    };
    let reading = async move {
        loop {
            // Pings are answered by the library.
            match received(read.next().await)? {
                Message::Text(text) => events.send(Heard::Text(text)).await.map_err(gone)?,
                // If there is no room, there is something else to be heard.
                _ => _ = events.try_send(Heard::Pulse),
            }
        }
    };
    tokio::select! {
        ended = sending => ended,
        ended = reading => ended,
    }
}
