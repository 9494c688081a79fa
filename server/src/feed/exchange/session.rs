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
use super::connection::{Connection, Heard, Lost};
use super::dial::Dialer;
use super::market::{Market, Wish};
use super::rest::{CallError, Calls};
use super::work::{Done, Work};
use crate::clock;
use crate::feed::{FeedEvent, Gone};
use venues::{Addresses, Said, Venue};

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
    /// The connection that is to follow that one.
    renewal: Option<Connection>,
    /// When to connect again, if there is no connection.
    retry: Instant,
    /// How long that was after the last connection was lost.
    wait: Duration,
    backoff: Backoff,
    work: JoinSet<Done>,
    /// What is to be sent.
    events: Vec<FeedEvent>,
    /// What has to be said although prices come.
    notes: Vec<String>,
    /// Why the last connection was lost.
    why: String,
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
            renewal: None,
            retry: Instant::now(),
            wait: Duration::ZERO,
            backoff: Backoff::default(),
            work: JoinSet::new(),
            events: Vec::new(),
            notes: opening.notes,
            why: "connecting".to_owned(),
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
            let due = self.due();
            tokio::select! {
                heard = next(&mut self.connection), if may_read => self.heard(heard, false),
                heard = next(&mut self.renewal), if may_read => self.heard(heard, true),
                Some(done) = self.work.join_next() => {
                    // A task that was given up has nothing to tell.
                    if let Ok(done) = done {
                        self.done(done);
                    }
                }
                () = sleep_until(due) => {}
            }
            self.look();
        }
    }

    /// When it has to look at its connections and markets again.
    fn due(&self) -> Instant {
        let now = Instant::now();
        let connections = [&self.connection, &self.renewal].into_iter().flatten();
        let connections = connections.map(|connection| connection.deadline().0);
        let markets = self.markets.iter().filter_map(Market::due);
        let retry = self.connection.is_none().then_some(self.retry);
        let others = [now + COUNTS_PERIOD].into_iter().chain(retry);
        let first = connections.chain(markets).chain(others).min();
        first.unwrap_or(now + COUNTS_PERIOD)
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
            .renewal
            .as_ref()
            .is_some_and(|renewal| renewal.deadline().0 <= now)
        {
            self.renewal = None;
        }
        match &self.connection {
            None if self.retry <= now => self.connection = Some(self.open()),
            Some(connection) if self.renewal.is_none() => {
                let oldest = self.venue.connection_max();
                let oldest = oldest.map(|oldest| oldest.saturating_sub(RENEWAL));
                if oldest.is_some_and(|oldest| connection.age() > oldest) && self.retry <= now {
                    self.renew();
                }
            }
            _ => {}
        }
        self.ask(now);
    }

    fn open(&self) -> Connection {
        let symbols: Vec<_> = self.open_markets().collect();
        let address = format!("{}{}", self.addresses.ws, self.venue.ws_path());
        let subscriptions = self.venue.subscriptions(&symbols);
        let idle_max = self.venue.idle_max();
        Connection::open(self.dialer.clone(), address, subscriptions, idle_max)
    }

    fn open_markets(&self) -> impl Iterator<Item = &str> {
        let markets = self.markets.iter().filter(|market| !market.is_refused);
        markets.map(|market| market.listed.ws.as_str())
    }

    /// Opens the connection that is to follow, before the venue closes this one. If it
    /// fails, it is tried again after a while.
    fn renew(&mut self) {
        self.renewal = Some(self.open());
        self.retry = Instant::now() + RENEWAL / 10;
    }

    fn heard(&mut self, heard: Vec<Heard>, is_renewal: bool) {
        for heard in heard {
            match heard {
                Heard::Opened => {
                    let connection = match is_renewal {
                        true => &mut self.renewal,
                        false => &mut self.connection,
                    };
                    connection.iter_mut().for_each(Connection::opened);
                }
                Heard::Text(text) => match self.venue.parse(&text) {
                    Ok(said) => said
                        .into_iter()
                        .for_each(|said| self.said(said, is_renewal)),
                    Err(error) => {
                        let start: String = text.chars().take(200).collect();
                        tracing::debug!(venue = self.venue.name(), %error, start, "a message that cannot be read");
                    }
                },
                Heard::Lost(_) if is_renewal => self.renewal = None,
                Heard::Lost(lost) => self.lose(lost),
            }
        }
    }

    fn said(&mut self, said: Said, is_renewal: bool) {
        let is_price = matches!(said, Said::Trade(..) | Said::Quote(..));
        let is_sign = is_price || matches!(said, Said::Alive | Said::Newest(..));
        match said {
            Said::Trade(symbol, trade) => {
                let mut events = std::mem::take(&mut self.events);
                if let Some(market) = self.market(&symbol) {
                    market.offer_sent(trade);
                    market.take(&mut events);
                }
                self.events = events;
            }
            Said::Quote(symbol, quote) => {
                let now = clock::now();
                let event = self
                    .market(&symbol)
                    .and_then(|market| market.quote(quote, now));
                self.events.extend(event);
            }
            Said::Newest(symbol, id) => {
                if let Some(market) = self.market(&symbol) {
                    market.has_sent(id);
                }
            }
            Said::Refused(symbol, why) => self.refused(symbol.as_deref(), &why, is_renewal),
            Said::Closing if !is_renewal && self.renewal.is_none() => self.renew(),
            Said::Closing | Said::Alive | Said::Subscribed => {}
        }
        if is_sign {
            self.sign(is_price, is_renewal);
        }
    }

    /// The venue is there.
    fn sign(&mut self, is_price: bool, is_renewal: bool) {
        let connection = match is_renewal {
            true => &mut self.renewal,
            false => &mut self.connection,
        };
        let is_first = connection.as_mut().is_some_and(|open| open.said(is_price));
        if !is_first {
            return;
        }
        match (is_renewal, self.renewal.take()) {
            (true, Some(renewal)) => self.take_over(renewal),
            (_, renewal) => {
                self.renewal = renewal;
                self.backoff.reset();
                self.markets.iter_mut().for_each(Market::check);
            }
        }
    }

    fn take_over(&mut self, renewal: Connection) {
        if renewal.is_live() {
            self.markets.iter_mut().for_each(Market::check);
        }
        self.connection = Some(renewal);
    }

    /// The market of a symbol, as the venue writes it.
    fn market(&mut self, symbol: &str) -> Option<&mut Market> {
        let place = self.places.get(symbol)?;
        self.markets.get_mut(*place)
    }

    /// A symbol is refused: the others go on without it.
    fn refused(&mut self, symbol: Option<&str>, why: &str, is_renewal: bool) {
        let Some(market) = symbol.and_then(|symbol| self.market(symbol)) else {
            self.note(format!("it refuses a request: {why}"));
            return;
        };
        let is_news = !std::mem::replace(&mut market.is_refused, true);
        let shown = market.symbol.clone();
        if is_news {
            self.note(format!("it refuses {shown}: {why}"));
        }
        if self.venue.refuses_together() {
            let rest: Vec<_> = self.open_markets().collect();
            let again = self.venue.subscriptions(&rest);
            let connection = match is_renewal {
                true => &self.renewal,
                false => &self.connection,
            };
            if let Some(connection) = connection.as_ref().filter(|_| is_news) {
                connection.send(again);
            }
        }
    }

    fn note(&mut self, note: String) {
        tracing::warn!("{}: {note}", self.venue.name());
        if !self.notes.contains(&note) && self.notes.len() < NOTES_MAX {
            self.notes.push(note);
        }
    }

    /// The connection is lost: the one that was to follow takes over, or it is opened
    /// again after a while, however long it was there.
    fn lose(&mut self, lost: Lost) {
        self.connection = None;
        if let Some(renewal) = self.renewal.take() {
            return self.take_over(renewal);
        }
        let wait = self.backoff.wait().max(lost.pause.unwrap_or_default());
        (self.retry, self.wait) = (Instant::now() + wait, wait);
        tracing::warn!(
            retry_s = wait.as_secs_f64(),
            "{}: {}",
            self.venue.name(),
            lost.why
        );
        self.why = lost.why;
    }

    /// Asks for what markets need.
    fn ask(&mut self, now: Instant) {
        let is_live = self.connection.as_ref().is_some_and(Connection::is_live);
        let mut beginnings = 0;
        for market in &self.markets {
            beginnings += usize::from(market.is_asking_for(Wish::Beginning));
        }
        let mut is_idle = self.work.is_empty();
        for (place, market) in self.markets.iter_mut().enumerate() {
            let Some(wish) = market.wish(now) else {
                continue;
            };
            let may = match &wish {
                Wish::Beginning => is_live && beginnings < BEGINNINGS_MAX,
                Wish::Trades(_) => true,
                // Most have missed nothing: nobody waits for these.
                Wish::Newest => is_live && is_idle,
            };
            if !may {
                continue;
            }
            beginnings += usize::from(wish == Wish::Beginning);
            is_idle = false;
            let work = Work::new(place, market.asks(wish), self.venue, &self.calls);
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
        market.answered(done.result, &mut self.events);
        market.take(&mut self.events);
        if let Some(why) = why {
            tracing::warn!("{}: {why}", self.venue.name());
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
                true => self.notes.join("; "),
                false => self.why.clone(),
            },
            retry_ms: self.connection.is_none().then_some(wait_ms),
            missed: self.markets.iter().map(Market::missed).sum(),
            filled: self.markets.iter().map(Market::filled).sum(),
        }
    }
}

/// What comes from a connection, if there is one.
async fn next(connection: &mut Option<Connection>) -> Vec<Heard> {
    match connection {
        Some(connection) => connection.next().await,
        None => pending().await,
    }
}
