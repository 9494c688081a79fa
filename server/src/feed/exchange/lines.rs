//! The connections of a venue: one, and another one beside it while the venue is about
//! to close the first.

use std::future::pending;
use std::time::Duration;

use tokio::time::Instant;
use venues::Venue;

use super::connection::{Connection, Heard, Sign};
use crate::feed::backoff::Backoff;
use crate::http::dial::Dialer;
use crate::http::websocket::Lost;

/// How long before a venue closes a connection the next one is opened.
const RENEWAL: Duration = Duration::from_secs(600);
/// After the first price of a connection, it takes so long until all subscriptions
/// hold. Then it is looked what was missed; a connection that it follows is closed.
const SETTLING: Duration = Duration::from_secs(5);
/// A venue is not left alone for longer than this, whatever it wants.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

/// Which connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    First,
    Second,
}

/// A second connection, beside the one in use.
enum Second {
    /// It is to follow that one.
    Coming(Connection),
    /// It was in use until a moment ago, and is closed at this time.
    Leaving(Connection, Instant),
}

/// The connections of a venue.
pub(super) struct Lines {
    venue: &'static dyn Venue,
    /// Of its WebSocket, without the path.
    address: String,
    dialer: Dialer,
    first: Option<Connection>,
    second: Option<Second>,
    /// Whether the venue said that it will close the first one.
    is_closing: bool,
    /// When to connect again, if there is no connection.
    retry: Instant,
    /// How long that was after the last one was lost.
    wait: Duration,
    backoff: Backoff,
    /// When to look what was missed before the connection.
    check: Option<Instant>,
    /// Why the last connection was lost.
    why: String,
}

impl Lines {
    pub(super) fn new(venue: &'static dyn Venue, address: String, dialer: Dialer) -> Self {
        Self {
            venue,
            address,
            dialer,
            first: None,
            second: None,
            is_closing: false,
            retry: Instant::now(),
            wait: Duration::ZERO,
            backoff: Backoff::default(),
            check: None,
            why: "connecting".to_owned(),
        }
    }

    /// What comes from them, several things at once if they are waiting.
    pub(super) async fn heard(&mut self) -> (Which, Vec<Heard>) {
        let first = async {
            match &mut self.first {
                Some(first) => first.next().await,
                None => pending().await,
            }
        };
        let second = async {
            match &mut self.second {
                Some(second) => second.connection().next().await,
                None => pending().await,
            }
        };
        tokio::select! {
            heard = first => (Which::First, heard),
            heard = second => (Which::Second, heard),
        }
    }

    /// When they have to be looked at again, if at all.
    pub(super) fn due(&self) -> Option<Instant> {
        let first = self.first.as_ref().map(|first| first.deadline().0);
        let second = self.second.as_ref().map(Second::deadline);
        let retry = self.first.is_none().then_some(self.retry);
        let all = [first, second, retry, self.check];
        all.into_iter().flatten().min()
    }

    /// Gives up those that are silent for too long, and closes what has been followed.
    pub(super) fn look(&mut self) {
        let now = Instant::now();
        if let Some((until, why)) = self.first.as_ref().map(Connection::deadline)
            && until <= now
        {
            self.lose(Lost::because(why));
        }
        let second = self.second.as_ref().map(Second::deadline);
        if second.is_some_and(|until| until <= now) {
            self.second = None;
        }
    }

    /// Whether it has to be looked now what was missed before the connection. Once for
    /// each.
    pub(super) fn is_to_check(&mut self) -> bool {
        let is_due = self.check.is_some_and(|due| due <= Instant::now());
        self.check = self.check.filter(|_| !is_due);
        is_due
    }

    /// Whether one has to be opened now.
    pub(super) fn wants_one(&self) -> bool {
        let oldest = self.venue.connection_max();
        let oldest = oldest.map(|oldest| oldest.saturating_sub(RENEWAL));
        let is_due = match &self.first {
            None => true,
            Some(first) => {
                let is_old = oldest.is_some_and(|oldest| first.age() > oldest);
                self.second.is_none() && (self.is_closing || is_old)
            }
        };
        is_due && self.retry <= Instant::now()
    }

    /// Opens a connection for these symbols: the first, or one that is to follow it.
    pub(super) fn open(&mut self, symbols: &[&str]) {
        let address = format!("{}{}", self.address, self.venue.ws_path(symbols));
        let subscriptions = self.venue.subscriptions(symbols);
        let dialer = self.dialer.clone();
        let opened = Connection::open(dialer, address, subscriptions, self.venue);
        if self.first.is_none() {
            self.first = Some(opened);
        } else {
            self.second = Some(Second::Coming(opened));
            // If it fails, it is tried again after a while.
            self.retry = Instant::now() + RENEWAL / 10;
        }
    }

    fn of(&mut self, which: Which) -> Option<&mut Connection> {
        match which {
            Which::First => self.first.as_mut(),
            Which::Second => self.second.as_mut().map(Second::connection),
        }
    }

    /// One is open.
    pub(super) fn opened(&mut self, which: Which) {
        if let Some(connection) = self.of(which) {
            connection.opened();
        }
    }

    /// The venue will close one.
    pub(super) fn closing(&mut self, which: Which) {
        self.is_closing |= which == Which::First;
    }

    /// Sends messages over one.
    pub(super) fn send(&mut self, which: Which, messages: Vec<String>) {
        if let Some(connection) = self.of(which) {
            connection.send(messages);
        }
    }

    /// There was a sign of the venue.
    pub(super) fn sign(&mut self, sign: Sign, which: Which) {
        let begins = self.of(which).is_some_and(|open| open.said(sign));
        if !begins {
            return;
        }
        let until = Instant::now() + SETTLING;
        self.backoff.reset();
        self.check = Some(until);
        if which == Which::Second
            && let Some(Second::Coming(coming)) = self.second.take()
        {
            self.is_closing = false;
            let leaving = self.first.replace(coming);
            self.second = leaving.map(|leaving| Second::Leaving(leaving, until));
        }
    }

    /// One has ended.
    pub(super) fn lost(&mut self, which: Which, lost: Lost) {
        match which {
            Which::First => self.lose(lost),
            Which::Second => self.second = None,
        }
    }

    /// The first is lost: the one that was to follow takes over, or it is opened again
    /// after a while, however long it was there.
    pub(super) fn lose(&mut self, lost: Lost) {
        let wait = self.backoff.wait().max(lost.pause.unwrap_or_default());
        self.wait = wait.min(WAIT_MAX);
        self.retry = Instant::now() + self.wait;
        let (venue, why) = (self.venue.name(), &lost.why);
        tracing::warn!(retry_s = self.wait.as_secs_f64(), "{venue}: {why}");
        self.why = lost.why;
        self.is_closing = false;
        self.first = match self.second.take() {
            Some(Second::Coming(coming)) => Some(coming),
            _ => None,
        };
    }

    /// They are not read for a while, which is not their fault.
    pub(super) fn wait(&mut self) {
        let second = self.second.iter_mut().map(Second::connection);
        self.first
            .iter_mut()
            .chain(second)
            .for_each(Connection::waits);
    }

    /// Whether prices come.
    pub(super) fn is_live(&self) -> bool {
        self.first.as_ref().is_some_and(Connection::is_live)
    }

    /// Why the last one was lost.
    pub(super) fn why(&self) -> &str {
        &self.why
    }

    /// How long the venue is left alone in all, in ms, if it is.
    pub(super) fn wait_ms(&self) -> Option<u64> {
        let wait_ms = u64::try_from(self.wait.as_millis()).unwrap_or(u64::MAX);
        self.first.is_none().then_some(wait_ms)
    }
}

impl Second {
    fn connection(&mut self) -> &mut Connection {
        match self {
            Self::Coming(connection) | Self::Leaving(connection, _) => connection,
        }
    }

    /// When it is given up, or closed.
    fn deadline(&self) -> Instant {
        match self {
            Self::Coming(connection) => connection.deadline().0,
            Self::Leaving(_, until) => *until,
        }
    }
}
