//! What a venue says and is asked, in plain values. A venue is one file that builds
//! its subscriptions and parses its frames and answers: no sockets, no clocks.

mod binance;
mod coinbase;
mod json;
mod kraken;

use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::time::Duration;

use shared::{Candle, Decimal, Interval, Side, Time};

/// All venues.
pub static VENUES: [&dyn Venue; 3] = [&kraken::Kraken, &coinbase::Coinbase, &binance::Binance];

/// The addresses of a venue, without a `/` at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Of its WebSocket, as in `wss://ws.kraken.com`.
    pub ws: String,
    /// Of its calls, as in `https://api.kraken.com`.
    pub rest: String,
}

/// A market of a venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The base and the quote currency, as in `BTC` and `USD`.
    pub currencies: [String; 2],
    /// What it is called in the frames of the WebSocket.
    pub ws: String,
    /// What it is called in calls.
    pub rest: String,
    /// The smallest step of its prices.
    pub step: Decimal,
    /// The smallest step of its quantities.
    pub qty_step: Decimal,
}

/// A trade, or several that the venue merged into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueTrade {
    /// The identifiers that it stands for; consecutive from trade to trade.
    pub ids: RangeInclusive<u64>,
    /// When it was.
    pub time: Time,
    /// The price.
    pub price: Decimal,
    /// The quantity.
    pub qty: Decimal,
    /// The side of the aggressor.
    pub side: Side,
}

/// The best bid and ask, each with its quantity if that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueQuote {
    /// `None` if the venue does not say.
    pub time: Option<Time>,
    /// The best bid.
    pub bid: Option<Decimal>,
    /// The quantity at the best bid.
    pub bid_qty: Option<Decimal>,
    /// The best ask.
    pub ask: Option<Decimal>,
    /// The quantity at the best ask.
    pub ask_qty: Option<Decimal>,
}

/// What a frame says. Symbols are those of [`Listed::ws`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A trade of this symbol.
    Trade(String, VenueTrade),
    /// A quote of this symbol.
    Quote(String, VenueQuote),
    /// The venue has sent all trades of this symbol up to this identifier.
    Newest(String, u64),
    /// It is there, although it has nothing to say.
    Alive,
    /// It will send what was subscribed.
    Subscribed,
    /// It will not send this symbol, or nobody knows which, and why.
    Refused(Option<String>, String),
    /// It will close the connection soon.
    Closing,
}

/// Which trades are asked for. A venue answers with a page of them at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The newest.
    Newest,
    /// Those after this time.
    After(Time),
    /// Those up to this identifier; also later ones, where a venue cannot tell.
    UpTo(u64),
    /// Those before the page that had this mark.
    Before(u64),
}

/// A page of trades.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TradePage {
    /// Oldest first.
    pub trades: Vec<VenueTrade>,
    /// What the page before this one is asked for with, if it has some.
    pub mark: Option<u64>,
}

/// In which direction pages of trades go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// [`Wanted::After`] the time of the last.
    Forwards,
    /// [`Wanted::Before`] the mark of the last.
    Backwards,
}

/// A text that is not what the venue is known to send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(
    /// What it is not.
    pub String,
);

/// How a venue is spoken to.
pub trait Venue: Debug + Send + Sync {
    /// Its name, as in `kraken`.
    fn name(&self) -> &'static str;

    /// Where it is, unless somebody says otherwise.
    fn addresses(&self) -> [&'static str; 2];

    /// What is appended to the address of its WebSocket, of which these symbols will
    /// be asked for.
    fn ws_path(&self, symbols: &[&str]) -> String;

    /// The header that its calls need, if any.
    fn header(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// Which of its markets a newcomer sees: their quote currency.
    fn usual_quote(&self) -> &'static str;

    /// How long it may send nothing but pings and pongs.
    fn idle_max(&self) -> Duration;

    /// Whether it is that long silent where nothing happens: it says neither that it
    /// is there nor what the quotes are at first. Then pings are a sign of life.
    fn is_quiet(&self) -> bool {
        false
    }

    /// After this time it closes each connection.
    fn connection_max(&self) -> Option<Duration> {
        None
    }

    /// How many calls a second it allows.
    fn calls_per_second(&self) -> f64;

    /// The time between two calls about one market.
    fn market_gap(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether an answer that cannot be read says that there were too many calls.
    fn is_limit(&self, _error: &str) -> bool {
        false
    }

    /// Whether one refused symbol refuses all that stand beside it.
    fn refuses_together(&self) -> bool {
        false
    }

    /// The call that lists its markets.
    fn listing(&self) -> &'static str;

    /// Its markets that are open for trading.
    fn parse_listing(&self, body: &str) -> Result<Vec<Listed>, Malformed>;

    /// The messages that subscribe trades and quotes of these symbols.
    fn subscriptions(&self, symbols: &[&str]) -> Vec<String>;

    /// What a frame says; nothing if it is of no concern.
    fn parse(&self, frame: &str) -> Result<Vec<Said>, Malformed>;

    /// The call for trades.
    fn trades(&self, market: &Listed, wanted: &Wanted) -> String;

    /// In which direction the pages of trades go on.
    fn paging(&self) -> Paging;

    /// The trades of an answer.
    fn parse_trades(&self, body: &str) -> Result<TradePage, Malformed>;

    /// The call for candles that begin before a time, or for the newest; `None` if
    /// it has none of this interval.
    fn candles(&self, market: &Listed, interval: Interval, before: Option<Time>) -> Option<String>;

    /// The candles of an answer, oldest first. The newest may still be open.
    fn parse_candles(&self, body: &str) -> Result<Vec<Candle>, Malformed>;
}

impl PartialEq for dyn Venue {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

/// How many decimals a number has that is a multiple of this step.
pub fn decimals_of(step: Decimal) -> u32 {
    step.normalize().scale()
}

/// The step of numbers with so many decimals.
fn step_of(decimals: u32) -> Option<Decimal> {
    Decimal::from_digits(1, decimals)
}

/// The bars without those of a time without trades, which are rows of nothing.
fn those_with_trades(
    bars: impl Iterator<Item = Result<Candle, Malformed>>,
) -> Result<Vec<Candle>, Malformed> {
    let is_something = |bar: &Result<Candle, _>| bar.as_ref().is_ok_and(|bar| bar.trades > 0);
    bars.filter(|bar| bar.is_err() || is_something(bar))
        .collect()
}

#[cfg(test)]
mod tests;
