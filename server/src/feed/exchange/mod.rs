//! Prices of public exchanges, live. One session for each venue keeps its connection,
//! and sees to it that no trade is missed.

mod catch_up;
mod connection;
mod join;
mod lines;
mod market;
mod rest;
mod sequence;
mod session;
mod symbols;
mod work;

use std::sync::Arc;
use std::time::Duration;

use shared::{FeedState, VenueStatus};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

use self::catch_up::{Ask, Asks};
use self::market::Market;
use self::rest::{CallError, Calls};
use self::session::{News, Opening, Session};
use self::symbols::Chosen;
pub use self::symbols::WantedSymbol;
use super::{
    About, Feed, FeedEvent, FeedSender, Gone, KnownPrice, Older, Running, Source, StateChange,
};
use crate::catalogue::Catalogue;
use crate::feed::older::OlderBars;
use crate::http::dial::Dialer;
use venues::{Addresses, Listed, VENUES, Venue};

/// How many messages of venues may wait for the market.
const NEWS_WAITING: usize = 16;
/// So often a venue is asked for its markets at the start.
const LISTING_TRIES: u32 = 3;
/// The share of the calls that a venue allows which is kept for those who scroll back.
const OLDER_SHARE: f64 = 0.25;
/// The time between two of these.
const LISTING_GAP: Duration = Duration::from_secs(2);
/// At most so many markets of a venue are followed over its connection.
const MARKETS_MAX: usize = 500;

/// Which venues, and which of their symbols.
#[derive(Clone, Debug, PartialEq)]
pub struct ExchangeConfig {
    /// At least one, each once.
    pub venues: Vec<VenueConfig>,
    /// The usual ones unless some are named.
    pub symbols: Option<Vec<WantedSymbol>>,
}

/// A venue, and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct VenueConfig {
    venue: &'static dyn Venue,
    addresses: Addresses,
}

/// The names of all venues.
pub fn venue_names() -> [&'static str; VENUES.len()] {
    VENUES.map(Venue::name)
}

impl VenueConfig {
    /// The venue of this name, where it usually is; `None` if there is none.
    pub fn new(name: &str) -> Option<Self> {
        let venue = VENUES.into_iter().find(|venue| venue.name() == name)?;
        let [ws, rest] = venue.addresses().map(str::to_owned);
        Some(Self {
            venue,
            addresses: Addresses { ws, rest },
        })
    }

    /// The venue's name.
    pub fn name(&self) -> &'static str {
        self.venue.name()
    }

    /// The same venue with other addresses, where these are set: of its WebSocket, and
    /// of its calls, without a `/` at the end.
    #[must_use]
    pub fn at(mut self, ws: Option<String>, rest: Option<String>) -> Self {
        self.addresses.ws = ws.unwrap_or(self.addresses.ws);
        self.addresses.rest = rest.unwrap_or(self.addresses.rest);
        self
    }
}

/// Why no exchange can be followed, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// One of them does not answer as it should.
    #[error("{0}: {1}")]
    Venue(&'static str, CallError),
    /// None of the symbols is known.
    #[error("{0}")]
    NoSymbol(String),
    /// This machine cannot make encrypted connections.
    #[error("no certificates of authorities: {0}")]
    Certificates(#[from] std::io::Error),
}

/// Asks the venues for their markets.
///
/// # Errors
///
/// A venue does not answer, or none has one of the symbols.
pub(super) async fn open(config: ExchangeConfig) -> Result<(Catalogue, Feed), ExchangeError> {
    let dialer = Dialer::new()?;
    let mut asked = JoinSet::new();
    for (index, wanted) in config.venues.iter().cloned().enumerate() {
        let rest = &wanted.addresses.rest;
        let calls = Calls::new(dialer.clone(), rest, wanted.venue, 1.0 - OLDER_SHARE);
        asked.spawn(async move {
            let listed = listing(&calls).await;
            (index, wanted, Arc::new(calls), listed)
        });
    }
    let mut answers = asked.join_all().await;
    answers.sort_unstable_by_key(|(index, ..)| *index);
    let mut venues = Vec::new();
    for (_, wanted, calls, listed) in answers {
        // Without one of them, symbols of the others might have other names.
        let listed = listed.map_err(|error| ExchangeError::Venue(wanted.name(), error))?;
        venues.push((wanted, calls, listed));
    }
    let listings: Vec<_> = venues
        .iter()
        .map(|(wanted, _, listed)| (wanted.venue, listed.as_slice()))
        .collect();
    let chosen = symbols::choose(&listings, config.symbols.as_deref())?;
    Ok(opened(dialer, venues, chosen))
}

type Venues = Vec<(VenueConfig, Arc<Calls>, Vec<Listed>)>;

fn opened(dialer: Dialer, venues: Venues, chosen: Chosen) -> (Catalogue, Feed) {
    for (venue, note) in &chosen.notes {
        tracing::warn!("{}: {note}", venues[*venue].0.name());
    }
    let names: Vec<_> = venues
        .iter()
        .map(|(wanted, ..)| wanted.venue.name())
        .collect();
    let count = chosen.instruments.len();
    // What is stored belongs to these, in whatever order they are named.
    let mut sorted = names.clone();
    sorted.sort_unstable();
    let about = About {
        name: sorted.join(","),
        label: names.join(", "),
        headline: format!("Live prices of {count} symbols from {}", names.join(", ")),
        // A venue that is silent is found by its session.
        trades_per_second: 0.001,
        goes_on: true,
        state: FeedState::Reconnecting,
    };
    let mut openings: Vec<_> = venues
        .into_iter()
        .map(|(wanted, calls, _)| Opening {
            venue: wanted.venue,
            addresses: wanted.addresses,
            calls,
            markets: Vec::new(),
            notes: Vec::new(),
        })
        .collect();
    for (venue, note) in chosen.notes {
        openings[venue].notes.push(note);
    }
    let older = openings
        .iter()
        .map(|opening| Arc::new(opening.calls.beside(OLDER_SHARE)));
    let older: Vec<_> = older.collect();
    let mut asks = Vec::new();
    for (instrument, (venue, listed)) in chosen.markets.into_iter().enumerate() {
        let symbol = chosen.instruments[instrument].symbol.clone();
        let opening = &mut openings[venue];
        asks.push(Ask::new(Arc::clone(&older[venue]), listed.clone()));
        let market = Market::new(listed, symbol, instrument, opening.venue);
        opening.markets.push(market);
    }
    let source = Box::new(Exchange {
        dialer,
        openings,
        older: Arc::new(OlderBars::new(Asks(asks))),
    });
    (Catalogue::new(chosen.instruments), Feed::new(about, source))
}

/// A venue's markets.
async fn listing(calls: &Calls) -> Result<Vec<Listed>, CallError> {
    let mut tries = 0;
    loop {
        let path = calls.venue().listing();
        let listed = calls
            .ask(path, |venue, body| venue.parse_listing(body))
            .await;
        tries += 1;
        match listed {
            Err(CallError::Net(_) | CallError::Limited) if tries < LISTING_TRIES => {
                sleep(LISTING_GAP).await;
            }
            listed => return listed,
        }
    }
}

/// Venues, ready to be connected to.
#[derive(Debug)]
struct Exchange {
    dialer: Dialer,
    openings: Vec<Opening>,
    older: Arc<OlderBars<Asks>>,
}

impl Source for Exchange {
    fn go_on_from(&mut self, prices: &[Option<KnownPrice>]) {
        for market in self
            .openings
            .iter_mut()
            .flat_map(|opening| &mut opening.markets)
        {
            if let Some(Some(known)) = prices.get(market.instrument()) {
                market.go_on_from(known);
            }
        }
    }

    fn older(&self) -> Option<Arc<dyn Older>> {
        Some(Arc::clone(&self.older) as Arc<dyn Older>)
    }

    fn run(self: Box<Self>, sender: FeedSender) -> Running {
        Box::pin(async move {
            // If the receiver is gone, the server is stopping.
            let _ = self.follow(sender).await;
        })
    }
}

impl Exchange {
    async fn follow(self, mut sender: FeedSender) -> Result<(), Gone> {
        let (news, mut received) = mpsc::channel(NEWS_WAITING);
        let mut statuses: Vec<_> = self.openings.iter().map(connecting).collect();
        let mut sessions = JoinSet::new();
        for (index, opening) in self.openings.into_iter().enumerate() {
            if opening.markets.is_empty() {
                continue;
            }
            let session = Session::new(index, opening, self.dialer.clone(), news.clone());
            sessions.spawn(session.run());
        }
        drop(news);
        sender.send(vec![all(&statuses)]).await?;
        loop {
            let events = tokio::select! {
                biased;
                news = received.recv() => match news {
                    Some(News::Events(events)) => events,
                    Some(News::Status(index, status)) => {
                        statuses[index] = status;
                        vec![all(&statuses)]
                    }
                    // All sessions have ended, which they do not do by themselves.
                    None => return Err(Gone),
                },
                Some(ended) = sessions.join_next() => match ended {
                    Ok(ended) => return ended,
                    Err(error) => return failed(error, sender).await,
                },
            };
            sender.send(events).await?;
        }
    }
}

/// A session failed, by a fault of the program: the feed ends, and says so.
async fn failed(error: JoinError, mut sender: FeedSender) -> Result<(), Gone> {
    tracing::error!(%error, "an exchange is not followed any more");
    let change = StateChange {
        state: FeedState::Ended,
        detail: "a fault of the server; its log says more".to_owned(),
        retry: None,
        replay: None,
        venues: Vec::new(),
    };
    sender.send(vec![FeedEvent::State(change)]).await
}

fn connecting(opening: &Opening) -> VenueStatus {
    VenueStatus {
        venue: opening.venue.name().to_owned(),
        state: match opening.markets.is_empty() {
            true => FeedState::Ended,
            false => FeedState::Reconnecting,
        },
        detail: match opening.markets.is_empty() {
            true => opening.notes.join("; "),
            false => "connecting".to_owned(),
        },
        retry_ms: None,
        missed: 0,
        filled: 0,
        unread: 0,
    }
}

/// The state of all venues together: live if one of them is.
fn all(venues: &[VenueStatus]) -> FeedEvent {
    let is_live = |venue: &&VenueStatus| venue.state == FeedState::Live;
    let state = match venues.iter().find(is_live) {
        Some(_) => FeedState::Live,
        None => FeedState::Reconnecting,
    };
    let worth = venues.iter().filter(|venue| !venue.detail.is_empty());
    let details = worth.map(|venue| format!("{}: {}", venue.venue, venue.detail));
    let waits = venues.iter().filter_map(|venue| venue.retry_ms);
    FeedEvent::State(StateChange {
        state,
        detail: details.collect::<Vec<_>>().join("; "),
        retry: waits
            .min()
            .map(Duration::from_millis)
            .filter(|_| state != FeedState::Live),
        replay: None,
        venues: venues.to_vec(),
    })
}
