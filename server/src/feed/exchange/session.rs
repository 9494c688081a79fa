//! One venue as long as the server runs: keeps its connection, puts its trades in
//! order, and asks for what is missing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use shared::{FeedState, VenueStatus};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::connection::{Heard, Sign};
use super::lines::{Lines, Which};
use super::market::{Market, Wish};
use super::rest::{CallError, Calls};
use super::work::{Done, Work};
use crate::clock;
use crate::feed::{FeedEvent, Gone};
use crate::http::dial::Dialer;
use crate::http::websocket::Lost;
use venues::{Addresses, Malformed, Said, Venue};

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
    lines: Lines,
    calls: Arc<Calls>,
    markets: Vec<Market>,
    /// The market of each symbol, as the venue writes it.
    places: HashMap<String, usize>,
    news: mpsc::Sender<News>,
    work: JoinSet<Done>,
    /// What is to be sent.
    events: Vec<FeedEvent>,
    /// What has to be said of it, and what it refuses on this connection.
    notes: Vec<String>,
    refusals: Vec<String>,
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
            lines: Lines::new(opening.venue, opening.addresses.ws, dialer),
            calls: opening.calls,
            places: names.zip(0..).collect(),
            markets: opening.markets,
            news,
            work: JoinSet::new(),
            events: Vec::new(),
            notes: opening.notes,
            refusals: Vec::new(),
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
                self.lines.wait();
            }
            let due = self.due();
            tokio::select! {
                (which, heard) = self.lines.heard(), if may_read => self.heard(heard, which),
                Some(done) = self.work.join_next() => match done {
                    Ok(done) => self.done(done),
                    Err(error) => tracing::error!(%error, "a call of an exchange failed"),
                },
                () = sleep_until(due) => {}
            }
            self.look();
        }
    }

    /// When it has to look at its connections and markets again.
    fn due(&self) -> Instant {
        let now = Instant::now();
        // What is due and cannot be done waits for something else that happens.
        let markets = self.markets.iter().filter_map(Market::due);
        let markets = markets.filter(|due| *due > now);
        let all = markets.chain(self.lines.due());
        all.chain([now + COUNTS_PERIOD]).min().unwrap_or(now)
    }

    /// Does what is due.
    fn look(&mut self) {
        self.lines.look();
        if self.lines.is_to_check() {
            self.markets.iter_mut().for_each(Market::check);
        }
        if self.lines.wants_one() {
            self.open();
        }
        self.ask(Instant::now());
    }

    fn open(&mut self) {
        // What was refused may be allowed now.
        self.refusals.clear();
        for market in &mut self.markets {
            market.is_refused = false;
        }
        let markets = self.markets.iter();
        let symbols: Vec<_> = markets.map(|market| market.listed.ws.as_str()).collect();
        self.lines.open(&symbols);
    }

    fn heard(&mut self, heard: Vec<Heard>, which: Which) {
        for heard in heard {
            match heard {
                Heard::Opened => self.lines.opened(which),
                Heard::Text(text) => match self.venue.parse(&text) {
                    Ok(said) => said.into_iter().for_each(|said| self.said(said, which)),
                    Err(error) => self.could_not_read(&text, &error),
                },
                Heard::Pulse => self.lines.sign(Sign::Pulse, which),
                Heard::Lost(lost) => self.lines.lost(which, lost),
            }
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
            Said::Closing => return self.lines.closing(which),
        };
        self.lines.sign(sign, which);
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
        if !is_news {
            return;
        }
        self.refuse(format!("it refuses {shown}: {why}"));
        if self.venue.refuses_together() {
            let rest = self.markets.iter().filter(|market| !market.is_refused);
            let rest: Vec<_> = rest.map(|market| market.listed.ws.as_str()).collect();
            self.lines.send(which, self.venue.subscriptions(&rest));
        }
    }

    fn refuse(&mut self, note: String) {
        tracing::warn!("{}: {note}", self.venue.name());
        if !self.refusals.contains(&note) && self.refusals.len() < NOTES_MAX {
            self.refusals.push(note);
        }
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
        if is_deaf && self.lines.is_live() {
            self.lines.lose(Lost::because(format!(
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
        let is_live = self.lines.is_live();
        VenueStatus {
            venue: self.venue.name().to_owned(),
            state: match is_live {
                true => FeedState::Live,
                false => FeedState::Reconnecting,
            },
            detail: match is_live {
                true => self.notes_joined(None),
                false => self.notes_joined(Some(self.lines.why())),
            },
            retry_ms: self.lines.wait_ms(),
            missed: self.markets.iter().map(Market::missed).sum(),
            filled: self.markets.iter().map(Market::filled).sum(),
            unread: self.unread,
        }
    }

    fn notes_joined(&self, first: Option<&str>) -> String {
        let notes = self.notes.iter().chain(&self.refusals).map(String::as_str);
        first
            .into_iter()
            .chain(notes)
            .collect::<Vec<_>>()
            .join("; ")
    }
}
