//! Prices of public exchanges, live. One session for each venue keeps its connection,
//! and sees to it that no trade is missed.

mod backoff;
mod catch_up;
mod connection;
mod dial;
mod market;
mod older;
mod rest;
mod sequence;
mod session;
mod symbols;
mod work;

use std::sync::Arc;
use std::time::Duration;

use shared::{FeedState, VenueStatus};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use self::dial::Dialer;
use self::market::Market;
use self::older::OlderBars;
use self::rest::{CallError, Calls};
use self::session::{News, Opening, Session};
use self::symbols::Chosen;
pub use self::symbols::WantedSymbol;
use super::{
    About, Feed, FeedEvent, FeedSender, Gone, KnownPrice, Older, Running, Source, StateChange,
};
use crate::catalogue::Catalogue;
use venues::{Addresses, Listed, VENUES, Venue};

/// How many messages of venues may wait for the market.
const NEWS_WAITING: usize = 16;
/// So often a venue is asked for its markets at the start.
const LISTING_TRIES: u32 = 3;
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
    /// of its calls, without a path.
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
    /// None of them answers as it should.
    #[error("{0}")]
    NoVenue(String),
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
/// No venue answers, or none has one of the symbols.
pub(super) async fn open(config: ExchangeConfig) -> Result<(Catalogue, Feed), ExchangeError> {
    let dialer = Dialer::new()?;
    let mut asked = JoinSet::new();
    for (index, wanted) in config.venues.iter().cloned().enumerate() {
        let calls = Arc::new(Calls::new(
            dialer.clone(),
            &wanted.addresses.rest,
            wanted.venue,
        ));
        asked.spawn(async move {
            let listed = listing(wanted.venue, &calls).await;
            (index, wanted, calls, listed)
        });
    }
    let mut answers = asked.join_all().await;
    answers.sort_unstable_by_key(|(index, ..)| *index);
    let (mut venues, mut absent) = (Vec::new(), Vec::new());
    for (_, wanted, calls, listed) in answers {
        match listed {
            Ok(listed) => venues.push((wanted, calls, listed)),
            Err(error) => absent.push((wanted.venue, error)),
        }
    }
    if venues.is_empty() {
        let all = absent
            .iter()
            .map(|(venue, error)| format!("{}: {error}", venue.name()));
        return Err(ExchangeError::NoVenue(all.collect::<Vec<_>>().join("; ")));
    }
    for (venue, error) in &absent {
        tracing::warn!("{} is left out: {error}", venue.name());
    }
    let listings: Vec<_> = venues
        .iter()
        .map(|(wanted, _, listed)| (wanted.venue, listed.as_slice()))
        .collect();
    let chosen = symbols::choose(&listings, config.symbols.as_deref())?;
    Ok(opened(dialer, venues, absent, chosen))
}

type Venues = Vec<(VenueConfig, Arc<Calls>, Vec<Listed>)>;
type Absent = Vec<(&'static dyn Venue, CallError)>;

fn opened(dialer: Dialer, venues: Venues, absent: Absent, chosen: Chosen) -> (Catalogue, Feed) {
    for (venue, note) in &chosen.notes {
        tracing::warn!("{}: {note}", venues[*venue].0.name());
    }
    let names: Vec<_> = venues
        .iter()
        .map(|(wanted, ..)| wanted.venue.name())
        .collect();
    let count = chosen.instruments.len();
    let about = About {
        name: names.join(","),
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
    let mut asks = Vec::new();
    for (instrument, (venue, listed)) in chosen.markets.into_iter().enumerate() {
        let symbol = chosen.instruments[instrument].symbol.clone();
        let opening = &mut openings[venue];
        asks.push(catch_up::Ask {
            venue: opening.venue,
            calls: Arc::clone(&opening.calls),
            market: listed.clone(),
        });
        opening
            .markets
            .push(Market::new(listed, symbol, instrument));
    }
    let source = Box::new(Exchange {
        dialer,
        openings,
        absent,
        older: Arc::new(OlderBars::new(asks)),
    });
    (Catalogue::new(chosen.instruments), Feed::new(about, source))
}

/// A venue's markets.
async fn listing(venue: &dyn Venue, calls: &Calls) -> Result<Vec<Listed>, CallError> {
    let mut tries = 0;
    loop {
        let listed = calls.get(venue.listing()).await.and_then(|body| {
            let listed = venue.parse_listing(&body);
            listed.map_err(|error| CallError::Malformed(error.0))
        });
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
    /// Those that did not answer at the start.
    absent: Absent,
    older: Arc<OlderBars>,
}

impl Source for Exchange {
    fn go_on_from(&mut self, prices: &[Option<KnownPrice>]) {
        for market in self
            .openings
            .iter_mut()
            .flat_map(|opening| &mut opening.markets)
        {
            let known = prices.get(market.instrument()).copied().flatten();
            market.go_on_from(known.and_then(|known| known.second));
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
        statuses.extend(
            self.absent
                .iter()
                .map(|(venue, error)| left_out(*venue, error)),
        );
        let mut sessions = JoinSet::new();
        for (index, opening) in self.openings.into_iter().enumerate() {
            let session = Session::new(index, opening, self.dialer.clone(), news.clone());
            sessions.spawn(session.run());
        }
        sender.send(vec![all(&statuses)]).await?;
        loop {
            let Some(news) = received.recv().await else {
                return Err(Gone);
            };
            let events = match news {
                News::Events(events) => events,
                News::Status(index, status) => {
                    statuses[index] = status;
                    vec![all(&statuses)]
                }
            };
            sender.send(events).await?;
        }
    }
}

fn connecting(opening: &Opening) -> VenueStatus {
    VenueStatus {
        venue: opening.venue.name().to_owned(),
        state: FeedState::Reconnecting,
        detail: "connecting".to_owned(),
        retry_ms: None,
        missed: 0,
        filled: 0,
    }
}

fn left_out(venue: &dyn Venue, error: &CallError) -> VenueStatus {
    VenueStatus {
        venue: venue.name().to_owned(),
        state: FeedState::Ended,
        detail: format!("left out since the start: {error}"),
        retry_ms: None,
        missed: 0,
        filled: 0,
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
