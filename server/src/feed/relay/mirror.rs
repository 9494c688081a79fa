//! Follows the log of another server as long as this one runs.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use shared::binary::Instruments;
use shared::{
    Checkpoint, ClientCommand, ClockOffset, Cursor, FeedState, FeedStatus, ServerMessage,
    SnapshotReason, Span, Time, WIRE_VERSION,
};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use super::calls::Calls;
use super::messages::Places;
use crate::clock;
use crate::entries::{Entries, Notice};
use crate::feed::backoff::Backoff;
use crate::feed::{
    Gone, Mirror, MirrorEvent, MirrorSender, Older, OlderBars, Running, Upstream, UpstreamBars,
};
use crate::http::websocket::{Lost, Socket, received};

/// How often the other server is asked for its time.
const PINGS: Duration = Duration::from_secs(5);
/// A connection that is silent for so many heartbeats is given up.
const HEARTBEATS: u32 = 2;
/// The heartbeat of a server that has not said it yet.
const FIRST_HEARTBEAT: Duration = Duration::from_secs(5);

/// The mirror of another server.
pub(super) struct Relay {
    calls: Arc<Calls>,
    checkpoint: Checkpoint,
    reason: Option<SnapshotReason>,
    older: Arc<OlderBars<Arc<UpstreamBars>>>,
}

/// Why a connection is not followed any more.
enum End {
    /// Nobody wants entries any more.
    Gone,
    /// It was lost.
    Lost(Lost),
    /// The log does not go on where this mirror stands.
    Anew(SnapshotReason),
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<Lost> for End {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

impl Relay {
    pub(super) fn new(
        calls: Arc<Calls>,
        checkpoint: Checkpoint,
        reason: Option<SnapshotReason>,
    ) -> Self {
        let upstream = Arc::clone(&calls) as Arc<dyn Upstream>;
        let bars = Arc::new(UpstreamBars::new(upstream, Some(&checkpoint)));
        Self {
            older: Arc::new(OlderBars::new(bars)),
            calls,
            checkpoint,
            reason,
        }
    }

    /// Follows the log, over one connection after the other.
    async fn follow(self, sender: MirrorSender) {
        let (mut backoff, mut standing) = (Backoff::default(), Standing::new(&self));
        let mut seat = Seat {
            places: Places::new(&self.checkpoint.instruments),
            instruments: Instruments::default(),
            position: self.checkpoint.cursor,
        };
        seat.instruments.learn_all(&self.checkpoint.instruments);
        loop {
            let begun = Instant::now();
            let end = Connection::open(&self, &sender, &mut seat, &mut standing).await;
            let Err(end) = end;
            let lost = match end {
                End::Gone => return,
                End::Lost(lost) => lost,
                End::Anew(reason) => match super::checkpoint(&self.calls).await {
                    Ok(checkpoint) => {
                        let calls = Arc::clone(&self.calls);
                        sender.begin_again(super::opened(calls, checkpoint, Some(reason)));
                        // The server ends this mirror.
                        return pending().await;
                    }
                    Err(error) => Lost::because(error.to_string()),
                },
            };
            if begun.elapsed() > FIRST_HEARTBEAT {
                backoff.reset();
            }
            let wait = backoff.wait().max(lost.pause.unwrap_or_default());
            let address = self.calls.address();
            tracing::warn!(retry_s = wait.as_secs_f64(), "{address}: {}", lost.why);
            if standing.lost(&sender, &lost, wait).await.is_err() {
                return;
            }
            sleep(wait).await;
        }
    }
}

/// Where a mirror is in the log, and what it needs to read on.
struct Seat {
    places: Places,
    instruments: Instruments,
    position: Cursor,
}

/// How prices stand at this server.
struct Standing {
    address: String,
    /// What the log says.
    feed: FeedStatus,
    /// Whether the other server said something else of itself.
    is_told: bool,
}

impl Standing {
    fn new(relay: &Relay) -> Self {
        Self {
            address: relay.calls.address().to_string(),
            feed: relay.checkpoint.feed.clone(),
            is_told: false,
        }
    }

    /// The other server is lost, and tried again after this time.
    async fn lost(&self, sender: &MirrorSender, lost: &Lost, wait: Duration) -> Result<(), Gone> {
        let status = FeedStatus {
            state: FeedState::Reconnecting,
            detail: format!("{}: {}", self.address, lost.why),
            retry_ms: Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            ..self.feed.clone()
        };
        sender.send(MirrorEvent::Standing(Some(status))).await
    }

    /// The other server says this of itself.
    async fn told(&mut self, sender: &MirrorSender, status: FeedStatus) -> Result<(), Gone> {
        let standing = (status != self.feed).then_some(status);
        self.is_told = standing.is_some();
        sender.send(MirrorEvent::Standing(standing)).await
    }

    /// The log says this from now on. If it was told before, it is true by now.
    async fn logged(&mut self, sender: &MirrorSender, status: FeedStatus) -> Result<(), Gone> {
        self.feed = status;
        match std::mem::take(&mut self.is_told) {
            true => sender.send(MirrorEvent::Standing(None)).await,
            false => Ok(()),
        }
    }
}

/// An open connection.
struct Connection<'r> {
    relay: &'r Relay,
    sender: &'r MirrorSender,
    seat: &'r mut Seat,
    standing: &'r mut Standing,
    socket: Socket,
    /// By a clock that begins with the connection.
    begun: Instant,
    offset: ClockOffset,
    silence_max: Duration,
}

/// What never is.
enum Never {}

impl<'r> Connection<'r> {
    /// Opens one, and follows it until it ends.
    async fn open(
        relay: &'r Relay,
        sender: &'r MirrorSender,
        seat: &'r mut Seat,
        standing: &'r mut Standing,
    ) -> Result<Never, End> {
        let socket = relay.calls.follow(seat.position).await?;
        let connection = Self {
            relay,
            sender,
            seat,
            standing,
            socket,
            begun: Instant::now(),
            offset: ClockOffset::default(),
            silence_max: HEARTBEATS * FIRST_HEARTBEAT,
        };
        connection.read().await
    }

    async fn read(mut self) -> Result<Never, End> {
        let mut pings = interval(PINGS);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            let message = tokio::select! {
                message = self.socket.next() => message,
                _ = pings.tick() => {
                    self.ask_for_time().await?;
                    continue;
                }
                () = sleep_until(heard + self.silence_max) => {
                    let seconds = self.silence_max.as_secs();
                    return Err(Lost::because(format!("it was silent for {seconds} s")).into());
                }
            };
            heard = Instant::now();
            if let Message::Binary(bytes) = received(message)? {
                let message = self.seat.instruments.read(&bytes);
                let message = message.map_err(|error| Lost::because(error.to_string()))?;
                self.take(message).await?;
            }
        }
    }

    async fn ask_for_time(&mut self) -> Result<(), End> {
        let command = ClientCommand::Ping {
            req: None,
            client_time: Time::EPOCH + Span::from(self.begun.elapsed()),
        };
        let text = serde_json::to_string(&command).unwrap_or_default();
        let sent = self.socket.send(Message::text(text)).await;
        sent.map_err(|error| End::Lost(error.into()))
    }

    /// This server's time is that of the one that stamps prices.
    fn take_time(&mut self, asked: Time, server_time: Time) {
        let ms = |span: Span| span.seconds() * 1_000.0;
        let now = Span::from(self.begun.elapsed());
        let server = ms(server_time - Time::EPOCH);
        self.offset
            .observe(ms(asked - Time::EPOCH), ms(now), server);
        if let Some(offset) = self.offset.ms() {
            clock::lean_on(Time::from_millis(offset + ms(now)));
        }
    }

    async fn take(&mut self, message: ServerMessage) -> Result<(), End> {
        match message {
            ServerMessage::Hello {
                version,
                heartbeat_ms,
                ..
            } => self.greet(version, heartbeat_ms).await,
            ServerMessage::Snapshot { reason, .. } => Err(End::Anew(reason)),
            ServerMessage::Pong {
                client_time,
                server_time,
                ..
            } => {
                self.take_time(client_time, server_time);
                Ok(())
            }
            ServerMessage::Status {
                from: None, status, ..
            } => Ok(self.standing.told(self.sender, status).await?),
            ServerMessage::Error { message, .. } => Err(Lost::because(message).into()),
            message => match message.span() {
                Some(span) => self.take_entries(message, span).await,
                None => Ok(()),
            },
        }
    }

    async fn greet(&mut self, version: u32, heartbeat_ms: u32) -> Result<(), End> {
        if version != WIRE_VERSION {
            let why = format!("it speaks version {version} of the wire now, not {WIRE_VERSION}");
            return Err(Lost::because(why).into());
        }
        let heartbeat = Duration::from_millis(heartbeat_ms.into());
        self.silence_max = HEARTBEATS * heartbeat.max(Duration::from_secs(1));
        Ok(self.sender.send(MirrorEvent::Standing(None)).await?)
    }

    async fn take_entries(
        &mut self,
        message: ServerMessage,
        (from, cursor): (Cursor, Cursor),
    ) -> Result<(), End> {
        if from != self.seat.position || cursor.epoch != from.epoch || cursor.seq < from.seq {
            let at = self.seat.position;
            return Err(
                Lost::because(format!("it went from {from} to {cursor} after {at}")).into(),
            );
        }
        if cursor == from {
            return Ok(());
        }
        let entries = self.seat.places.entries(message, (from.seq, cursor.seq));
        let entries = entries.map_err(|unfit| Lost::because(unfit.to_string()))?;
        let (mut all_alerts, mut feed) = (None, None);
        match &entries {
            Entries::Notice(Notice::Feed(status)) => feed = Some(status.clone()),
            Entries::Notice(Notice::AlertsChanged(changes)) if changes.more => {
                let alerts = self.relay.calls.alerts().await;
                all_alerts = Some(alerts.map_err(|error| Lost::because(error.to_string()))?);
            }
            _ => {}
        }
        let event = MirrorEvent::Entries(from.seq, entries);
        self.sender.send(event).await?;
        self.seat.position = cursor;
        if let Some(feed) = feed {
            self.standing.logged(self.sender, feed).await?;
        }
        if let Some(alerts) = all_alerts {
            self.sender.send(MirrorEvent::Alerts(alerts)).await?;
        }
        Ok(())
    }
}

impl Mirror for Relay {
    fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    fn reason(&self) -> Option<SnapshotReason> {
        self.reason
    }

    fn upstream(&self) -> Arc<dyn Upstream> {
        Arc::clone(&self.calls) as Arc<dyn Upstream>
    }

    fn older(&self) -> Arc<dyn Older> {
        Arc::clone(&self.older) as Arc<dyn Older>
    }

    fn run(self: Box<Self>, sender: MirrorSender) -> Running {
        Box::pin(self.follow(sender))
    }
}
