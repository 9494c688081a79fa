//! One venue as long as the server runs: keeps its connection, puts its trades in
//! order, and asks for what is missing.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use shared::{FeedState, VenueStatus};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::backoff::Backoff;
use super::connection::{Connection, Heard, Lost, Sign};
use super::dial::Dialer;
use super::market::{Market, Wish};
use super::rest::{CallError, Calls};
use super::work::{Done, Work};
use crate::clock;
use crate::feed::{FeedEvent, Gone};
use venues::{Addresses, Malformed, Said, Venue};

/// How long before a venue closes a connection the next one is opened.
const RENEWAL: Duration = Duration::from_secs(600);
/// At most so many markets ask for their past at once: what is missing has to wait
/// for its turn behind them.
const BEGINNINGS_MAX: usize = 4;
/// At most so many trades may wait for others, over all markets of a venue: 40 MB.
/// Then its socket is not read until some of them are found or given up.
const WAITING_TRADES_MAX: usize = 200_000;
/// At most so many notes about a venue are told.
const NOTES_MAX: usize = 20;
/// After the first price of a connection, it takes so long until all subscriptions
/// hold. Then it is looked what was missed; a connection that it follows is closed.
const SETTLING: Duration = Duration::from_secs(5);
/// A connection is not left alone for longer than this, whatever a venue wants.
const WAIT_MAX: Duration = Duration::from_secs(3_600);
/// How often the counts of a venue are told.
const COUNTS_PERIOD: Duration = Duration::from_secs(1);

/// What a venue tells the feed.
#[derive(Debug)]
pub(super) enum News {
    /// These happened, in this order.
    Events(Vec<FeedEvent>),
    /// The venue with this index is in this state now.
    Status(usize, VenueStatus),
}

/// What a session needs to begin.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) venue: &'static dyn Venue,
    pub(super) addresses: Addresses,
    pub(super) calls: Arc<Calls>,
    pub(super) markets: Vec<Market>,
    /// What has to be said of it, as symbols that it does not have.
    pub(super) notes: Vec<String>,
}

/// A second connection, beside the one in use.
enum Second {
    /// It is to follow that one.
    Coming(Connection),
    /// It was in use until a moment ago, and is closed at this time.
    Leaving(Connection, Instant),
}

/// Which connection.
#[derive(Clone, Copy, PartialEq)]
enum Which {
    First,
    Second,
}

/// A venue.
pub(super) struct Session {
    index: usize,
    venue: &'static dyn Venue,
    addresses: Addresses,
    dialer: Dialer,
    calls: Arc<Calls>,
    markets: Vec<Market>,
    /// The market of each symbol, as the venue writes it.
    places: HashMap<String, usize>,
    news: mpsc::Sender<News>,
    connection: Option<Connection>,
    second: Option<Second>,
    /// Whether the venue said that it will close the connection.
    is_closing: bool,
    /// When to connect again, if there is no connection.
    retry: Instant,
    /// How long that was after the last connection was lost.
    wait: Duration,
    backoff: Backoff,
    /// When to look what was missed before the connection.
    check: Option<Instant>,
    work: JoinSet<Done>,
    /// What is to be sent.
    events: Vec<FeedEvent>,
    /// What has to be said of it, and what it refuses on this connection.
    notes: Vec<String>,
    refusals: Vec<String>,
    /// Why the last connection was lost.
    why: String,
    unread: u64,
    told: Option<VenueStatus>,
    counts_due: Instant,
}

impl Session {
    pub(super) fn new(
        index: usize,
        opening: Opening,
        dialer: Dialer,
        news: mpsc::Sender<News>,
    ) -> Self {
        let names = opening
            .markets
            .iter()
            .map(|market| market.listed.ws.clone());
        Self {
            index,
            venue: opening.venue,
            addresses: opening.addresses,
            dialer,
            calls: opening.calls,
            places: names.zip(0..).collect(),
            markets: opening.markets,
            news,
            connection: None,
            second: None,
            is_closing: false,
            retry: Instant::now(),
            wait: Duration::ZERO,
            backoff: Backoff::default(),
            check: None,
            work: JoinSet::new(),
            events: Vec::new(),
            notes: opening.notes,
            refusals: Vec::new(),
            why: "connecting".to_owned(),
            unread: 0,
            told: None,
            counts_due: Instant::now(),
        }
    }

    /// Runs until nobody receives its news.
    pub(super) async fn run(mut self) -> Result<(), Gone> {
        loop {
            self.flush().await?;
            let waiting: usize = self.markets.iter().map(Market::waiting).sum();
            let may_read = waiting < WAITING_TRADES_MAX;
            if !may_read {
                self.connections().for_each(Connection::waits);
            }
            let due = self.due();
            tokio::select! {
                heard = next(&mut self.connection), if may_read => self.heard(heard, Which::First),
                heard = next_of(&mut self.second), if may_read => self.heard(heard, Which::Second),
                Some(done) = self.work.join_next() => match done {
                    Ok(done) => self.done(done),
                    Err(error) => tracing::error!(%error, "a call of an exchange failed"),
                },
                () = sleep_until(due) => {}
            }
            self.look();
        }
    }

    fn connections(&mut self) -> impl Iterator<Item = &mut Connection> {
        let second = self.second.iter_mut().map(Second::connection);
        self.connection.iter_mut().chain(second)
    }

    /// When it has to look at its connections and markets again.
    fn due(&self) -> Instant {
        let now = Instant::now();
        // What is due and cannot be done waits for something else that happens.
        let markets = self.markets.iter().filter_map(Market::due);
        let markets = markets.filter(|due| *due > now);
        let first = self.connection.as_ref();
        let connection = first.map(|connection| connection.deadline().0);
        let second = self.second.as_ref().map(Second::deadline);
        let retry = self.connection.is_none().then_some(self.retry);
        let all = [connection, second, retry, self.check]
            .into_iter()
            .flatten();
        let first = all.chain(markets).min();
        first.map_or(now + COUNTS_PERIOD, |first| first.min(now + COUNTS_PERIOD))
    }

    /// Does what is due.
    fn look(&mut self) {
        let now = Instant::now();
        if let Some((until, why)) = self.connection.as_ref().map(Connection::deadline)
            && until <= now
        {
            self.lose(Lost::because(why));
        }
        if self
            .second
            .as_ref()
            .is_some_and(|second| second.deadline() <= now)
        {
            self.second = None;
        }
        if self.check.is_some_and(|due| due <= now) {
            self.check = None;
            self.markets.iter_mut().for_each(Market::check);
        }
        match &self.connection {
            None if self.retry <= now => self.connection = Some(self.open()),
            Some(connection) if self.second.is_none() && self.retry <= now => {
                let oldest = self.venue.connection_max();
                let oldest = oldest.map(|oldest| oldest.saturating_sub(RENEWAL));
                if self.is_closing || oldest.is_some_and(|oldest| connection.age() > oldest) {
                    // If it fails, it is tried again after a while.
                    self.second = Some(Second::Coming(self.open()));
                    self.retry = now + RENEWAL / 10;
                }
            }
            _ => {}
        }
        self.ask(now);
    }

    fn open(&mut self) -> Connection {
        // What was refused may be allowed now.
        self.refusals.clear();
        self.markets
            .iter_mut()
            .for_each(|market| market.is_refused = false);
        let symbols: Vec<_> = self.open_markets().collect();
        let path = self.venue.ws_path(&symbols);
        let address = format!("{}{path}", self.addresses.ws);
        let subscriptions = self.venue.subscriptions(&symbols);
        Connection::open(self.dialer.clone(), address, subscriptions, self.venue)
    }

    fn open_markets(&self) -> impl Iterator<Item = &str> {
        let markets = self.markets.iter().filter(|market| !market.is_refused);
        markets.map(|market| market.listed.ws.as_str())
    }

    fn heard(&mut self, heard: Vec<Heard>, which: Which) {
        for heard in heard {
            match heard {
                Heard::Opened => {
                    if let Some(connection) = self.of(which) {
                        connection.opened();
                    }
                }
                Heard::Text(text) => match self.venue.parse(&text) {
                    Ok(said) => said.into_iter().for_each(|said| self.said(said, which)),
                    Err(error) => self.could_not_read(&text, &error),
                },
                Heard::Pulse => self.sign(Sign::Pulse, which),
                Heard::Lost(_) if which == Which::Second => self.second = None,
                Heard::Lost(lost) => self.lose(lost),
            }
        }
    }

    fn of(&mut self, which: Which) -> Option<&mut Connection> {
        match which {
            Which::First => self.connection.as_mut(),
            Which::Second => self.second.as_mut().map(Second::connection),
        }
    }

    fn could_not_read(&mut self, text: &str, error: &Malformed) {
        self.unread += 1;
        if self.unread == 1 {
            let start: String = text.chars().take(200).collect();
            let venue = self.venue.name();
            tracing::warn!(
                "{venue} sends what cannot be read ({error}): {start}; further such messages are only counted"
            );
        }
    }

    fn said(&mut self, said: Said, which: Which) {
        let sign = match said {
            Said::Trade(symbol, trade) => {
                let mut events = std::mem::take(&mut self.events);
                if let Some(market) = self.market(&symbol) {
                    market.offer_sent(trade);
                    market.take(&mut events);
                }
                self.events = events;
                Sign::Price
            }
            Said::Quote(symbol, quote) => {
                let now = clock::now();
                let market = self.market(&symbol);
                let event = market.and_then(|market| market.quote(quote, now));
                self.events.extend(event);
                Sign::Price
            }
            Said::Newest(symbol, id) => {
                if let Some(market) = self.market(&symbol) {
                    market.has_sent(id);
                }
                Sign::Alive
            }
            Said::Alive => Sign::Alive,
            Said::Subscribed => Sign::Subscribed,
            Said::Refused(symbol, why) => return self.refused(symbol.as_deref(), &why, which),
            Said::Closing => {
                self.is_closing |= which == Which::First;
                return;
            }
        };
        self.sign(sign, which);
    }

    /// The venue is there.
    fn sign(&mut self, sign: Sign, which: Which) {
        let begins = self.of(which).is_some_and(|open| open.said(sign));
        if !begins {
            return;
        }
        self.backoff.reset();
        self.check = Some(Instant::now() + SETTLING);
        if which == Which::Second
            && let Some(Second::Coming(coming)) = self.second.take()
        {
            self.is_closing = false;
            let leaving = self.connection.replace(coming);
            let until = Instant::now() + SETTLING;
            self.second = leaving.map(|leaving| Second::Leaving(leaving, until));
        }
    }

    /// The market of a symbol, as the venue writes it.
    fn market(&mut self, symbol: &str) -> Option<&mut Market> {
        let place = self.places.get(symbol)?;
        self.markets.get_mut(*place)
    }

    /// A symbol is refused: the others go on without it.
    fn refused(&mut self, symbol: Option<&str>, why: &str, which: Which) {
        let Some(market) = symbol.and_then(|symbol| self.market(symbol)) else {
            self.refuse(format!("it refuses a request: {why}"));
            return;
        };
        let is_news = !std::mem::replace(&mut market.is_refused, true);
        let shown = market.symbol.clone();
        if is_news {
            self.refuse(format!("it refuses {shown}: {why}"));
        }
        if self.venue.refuses_together() {
            let rest: Vec<_> = self.open_markets().collect();
            let again = self.venue.subscriptions(&rest);
            if let Some(connection) = self.of(which).filter(|_| is_news) {
                connection.send(again);
            }
        }
    }

    fn refuse(&mut self, note: String) {
        tracing::warn!("{}: {note}", self.venue.name());
        if !self.refusals.contains(&note) && self.refusals.len() < NOTES_MAX {
            self.refusals.push(note);
        }
    }

    /// The connection is lost: the one that was to follow takes over, or it is opened
    /// again after a while, however long it was there.
    fn lose(&mut self, lost: Lost) {
        self.is_closing = false;
        let wait = self.backoff.wait().max(lost.pause.unwrap_or_default());
        let wait = wait.min(WAIT_MAX);
        (self.retry, self.wait) = (Instant::now() + wait, wait);
        tracing::warn!(
            retry_s = wait.as_secs_f64(),
            "{}: {}",
            self.venue.name(),
            lost.why
        );
        self.why = lost.why;
        self.connection = match self.second.take() {
            Some(Second::Coming(coming)) => Some(coming),
            _ => None,
        };
    }

    /// Asks for what markets need.
    fn ask(&mut self, now: Instant) {
        let asks = |market: &&Market| market.is_asking_for(&Wish::Beginning);
        let mut beginnings = self.markets.iter().filter(asks).count();
        let mut is_idle = self.work.is_empty();
        for (place, market) in self.markets.iter_mut().enumerate() {
            let Some(wish) = market.wish(now) else {
                continue;
            };
            let may = match &wish {
                Wish::Beginning => beginnings < BEGINNINGS_MAX,
                Wish::Trades(_) => true,
                // Most have missed nothing: nobody waits for these.
                Wish::Newest => is_idle,
            };
            if !may {
                continue;
            }
            beginnings += usize::from(wish == Wish::Beginning);
            is_idle = false;
            let work = Work::new(place, market.asks(wish), &self.calls);
            self.work.spawn(work.run());
        }
    }

    /// Takes in what was asked for.
    fn done(&mut self, done: Done) {
        let Some(market) = self.markets.get_mut(done.place) else {
            return;
        };
        let why = match &done.result {
            Ok(_) => None,
            Err(CallError::Limited) => None,
            Err(error) => Some(format!("{}: {error}", market.symbol)),
        };
        let symbol = market.symbol.clone();
        let is_deaf = market.answered(done.result, &mut self.events);
        if let Some(why) = why {
            tracing::warn!("{}: {why}", self.venue.name());
        }
        let is_live = self.connection.as_ref().is_some_and(Connection::is_live);
        if is_deaf && is_live {
            self.lose(Lost::because(format!(
                "it did not send the trades of {symbol}"
            )));
        }
    }

    /// Sends what happened, and its state if that is another than before.
    async fn flush(&mut self) -> Result<(), Gone> {
        if !self.events.is_empty() {
            let events = std::mem::take(&mut self.events);
            self.send(News::Events(events)).await?;
        }
        let status = self.status();
        let is_same_state = self.told.as_ref().is_some_and(|told| {
            (told.state, &told.detail, told.retry_ms)
                == (status.state, &status.detail, status.retry_ms)
        });
        let now = Instant::now();
        if is_same_state && (self.counts_due > now || self.told.as_ref() == Some(&status)) {
            return Ok(());
        }
        self.counts_due = now + COUNTS_PERIOD;
        self.told = Some(status.clone());
        self.send(News::Status(self.index, status)).await
    }

    async fn send(&self, news: News) -> Result<(), Gone> {
        self.news.send(news).await.map_err(|_| Gone)
    }

    fn status(&self) -> VenueStatus {
        let is_live = self.connection.as_ref().is_some_and(Connection::is_live);
        let wait_ms = u64::try_from(self.wait.as_millis()).unwrap_or(u64::MAX);
        VenueStatus {
            venue: self.venue.name().to_owned(),
            state: match is_live {
                true => FeedState::Live,
                false => FeedState::Reconnecting,
            },
            detail: match is_live {
                true => self.notes_joined(None),
                false => self.notes_joined(Some(&self.why)),
            },
            retry_ms: self.connection.is_none().then_some(wait_ms),
            missed: self.markets.iter().map(Market::missed).sum(),
            filled: self.markets.iter().map(Market::filled).sum(),
            unread: self.unread,
        }
    }

    fn notes_joined(&self, first: Option<&String>) -> String {
        let all = first.into_iter().chain(&self.notes).chain(&self.refusals);
        all.map(String::as_str).collect::<Vec<_>>().join("; ")
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

async fn next_of(second: &mut Option<Second>) -> Vec<Heard> {
    match second {
        Some(second) => second.connection().next().await,
        None => pending().await,
    }
}

/// What comes from a connection, if there is one.
async fn next(connection: &mut Option<Connection>) -> Vec<Heard> {
    match connection {
        Some(connection) => connection.next().await,
        None => pending().await,
    }
}
