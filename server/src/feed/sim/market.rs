//! The simulated market itself: an endless, seeded sequence of trades and
//! quotes.

use rand::distr::weighted::WeightedIndex;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Pareto};
use shared::{Decimal, Side, Span, Time};

use super::super::{FeedEvent, PastCandles, Quote, Trade};
use super::arrivals::{Arrivals, exponential};
use super::catalogue::{self, Parameters, SECTORS};
use super::factors::{Factor, normal};
use super::past::Past;
use super::{SimConfig, SimSymbols};

/// A year of a market that never closes, in seconds.
pub(super) const YEAR_S: f64 = 365.0 * 86_400.0;
/// The tail index of trade sizes; below 2 their variance would be infinite.
const QTY_TAIL: f64 = 2.2;
/// Mean and variance of a Pareto distribution with this tail and a scale of 1.
pub(super) const MEAN_QTY: f64 = QTY_TAIL / (QTY_TAIL - 1.0);
pub(super) const VARIANCE_QTY: f64 = MEAN_QTY / ((QTY_TAIL - 1.0) * (QTY_TAIL - 2.0));
/// No trade is larger than this many times the smallest.
const QTY_MAX: f64 = 10_000.0;

/// Something that happens in the simulation.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Event {
    /// A trade.
    Trade(Trade),
    /// The best bid and ask change, in price or size.
    Quote(Quote),
}

impl Event {
    /// The time since the start.
    pub(super) fn since_start(&self) -> Span {
        match self {
            Self::Trade(trade) => trade.time - Time::EPOCH,
            Self::Quote(quote) => quote.time - Time::EPOCH,
        }
    }

    /// The event for the feed, with the time that is reported.
    pub(super) fn at(self, time: Time) -> FeedEvent {
        match self {
            Self::Trade(trade) => FeedEvent::Trade(Trade { time, ..trade }),
            Self::Quote(quote) => FeedEvent::Quote(Quote { time, ..quote }),
        }
    }
}

/// A market that generates events in order. Times are counted from the epoch,
/// as if the simulation began then.
#[derive(Debug)]
pub(super) struct Market {
    rng: ChaCha8Rng,
    /// Trades a second over all instruments, on average.
    rate: f64,
    arrivals: Arrivals,
    /// The time of the next trade, and its sector.
    trade: (f64, usize),
    /// The time of the next change of a quote, and the average number of
    /// changes a second. Unlike trades, they have no bursts.
    quote_s: f64,
    quote_rate: f64,
    /// Weights that choose the instrument of a quote; `None` if there are no
    /// quotes.
    quoted: Option<WeightedIndex<f64>>,
    factors: Vec<Factor>,
    /// For each sector, the indices in `traded` of its members, and their
    /// weights.
    members: Vec<Option<(Vec<usize>, WeightedIndex<f64>)>>,
    traded: Vec<Traded>,
}

/// An instrument and its current price.
#[derive(Debug)]
pub(super) struct Traded {
    pub(super) parameters: Parameters,
    /// The logarithm of its value; quotes lie around it.
    log_price: f64,
    /// Its time and factor as of its last trade or quote.
    time_s: f64,
    market_time_s: f64,
    walk: f64,
}

impl Market {
    pub(super) fn new(config: &SimConfig) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        let parameters = match &config.symbols {
            SimSymbols::First(count) => catalogue::first(*count, &mut rng),
            SimSymbols::Named(symbols) => catalogue::named(symbols, &mut rng),
        };
        let members: Vec<_> = (0..SECTORS.len())
            .map(|sector| {
                let of_sector = |p: &&Parameters| p.sector == sector;
                let indices = (0..).zip(&parameters).filter(|(_, p)| of_sector(p));
                let weights = parameters.iter().filter(of_sector).map(|p| p.weight);
                let weights = WeightedIndex::new(weights).ok()?;
                Some((indices.map(|(index, _)| index).collect(), weights))
            })
            .collect();
        let total: f64 = parameters.iter().map(|p| p.weight).sum();
        let rates = members.iter().map(|members| {
            let weight = members.as_ref().map_or(0.0, |(_, w)| w.total_weight());
            config.rate * weight / total
        });
        let mut arrivals = Arrivals::new(&rates.collect::<Vec<_>>(), &mut rng);
        let factors = SECTORS.iter().map(|_| Factor::new(&mut rng)).collect();
        let quoted = WeightedIndex::new(parameters.iter().map(|p| p.weight)).ok();
        let trade = arrivals.next(&mut rng);
        let traded = parameters.into_iter().map(|parameters| Traded {
            log_price: parameters.price.ln(),
            parameters,
            time_s: 0.0,
            market_time_s: 0.0,
            walk: 0.0,
        });
        let mut market = Self {
            rng,
            rate: config.rate,
            arrivals,
            trade,
            quote_s: 0.0,
            quote_rate: config.rate * config.quotes,
            quoted,
            factors,
            members,
            traded: traded.collect(),
        };
        market.quote_s = market.next_quote_s();
        market
    }

    /// Every instrument, in the catalogue's order.
    pub(super) fn traded(&self) -> &[Traded] {
        &self.traded
    }

    /// Sets the prices of instruments, in the catalogue's order; those without
    /// one keep theirs.
    pub(super) fn start_at(&mut self, prices: &[Option<Decimal>]) {
        for (traded, price) in self.traded.iter_mut().zip(prices) {
            let price = price.map(Decimal::to_f64);
            if let Some(price) = price.filter(|price| *price > 0.0) {
                traded.log_price = price.ln();
            }
        }
    }

    /// The past of these instruments, in their order.
    pub(super) fn past(&self, past: &Past, instruments: &[usize]) -> Vec<PastCandles> {
        let total: f64 = self
            .traded
            .iter()
            .map(|traded| traded.parameters.weight)
            .sum();
        let all = instruments.iter().map(|index| &self.traded[*index]);
        all.map(|traded| {
            let rate = self.rate * traded.parameters.weight / total;
            past.candles(&traded.parameters, traded.log_price, rate)
        })
        .collect()
    }

    /// The next event.
    pub(super) fn next_event(&mut self) -> Event {
        loop {
            let event = if self.quote_s < self.trade.0 {
                self.quote().map(Event::Quote)
            } else {
                self.trade().map(Event::Trade)
            };
            if let Some(event) = event {
                return event;
            }
        }
    }

    /// The next trade. A sector without members has no arrivals; if one
    /// occurred, there would be no trade.
    fn trade(&mut self) -> Option<Trade> {
        let next = self.arrivals.next(&mut self.rng);
        let (time_s, sector) = std::mem::replace(&mut self.trade, next);
        let (members, weights) = self.members[sector].as_ref()?;
        let instrument = members[weights.sample(&mut self.rng)];
        let factor = &mut self.factors[sector];
        factor.advance(time_s, &mut self.rng);
        let traded = &mut self.traded[instrument];
        Some(traded.trade(instrument, time_s, factor, &mut self.rng))
    }

    /// The next change of a quote.
    fn quote(&mut self) -> Option<Quote> {
        let next_s = self.next_quote_s();
        let time_s = std::mem::replace(&mut self.quote_s, next_s);
        let instrument = self.quoted.as_ref()?.sample(&mut self.rng);
        let traded = &mut self.traded[instrument];
        let factor = &mut self.factors[traded.parameters.sector];
        factor.advance(time_s, &mut self.rng);
        Some(traded.told_quote(instrument, time_s, factor, &mut self.rng))
    }

    fn next_quote_s(&mut self) -> f64 {
        // With a rate of 0, the next change is never.
        self.quote_s + exponential(&mut self.rng) / self.quote_rate
    }
}

/// The time that is this many seconds after the start.
fn simulated(time_s: f64) -> Time {
    Time::from_micros((time_s * 1e6) as i64)
}

impl Traded {
    fn trade(
        &mut self,
        instrument: usize,
        time_s: f64,
        factor: &Factor,
        rng: &mut ChaCha8Rng,
    ) -> Trade {
        let surprise = self.advance(time_s, factor, rng);
        let (bid, ask) = self.parameters.quote(self.log_price, factor.volatility());
        let p = &self.parameters;
        // Trades follow the price: a rise makes buyers more likely.
        let side = if rng.random_bool(0.5 + 0.4 * surprise.tanh()) {
            Side::Buy
        } else {
            Side::Sell
        };
        let price = if side == Side::Buy { ask } else { bid };
        let price_of = |units: i64| Decimal::new(units, p.decimals);
        Trade {
            instrument,
            time: simulated(time_s),
            at: None,
            id: None,
            price: price_of(price),
            qty: quantity(p, rng),
            side: Some(side),
            bid: Some(price_of(bid)),
            ask: Some(price_of(ask)),
        }
    }

    /// The quote at `time_s`. Its sizes have the same distribution as those of
    /// trades.
    fn told_quote(
        &mut self,
        instrument: usize,
        time_s: f64,
        factor: &Factor,
        rng: &mut ChaCha8Rng,
    ) -> Quote {
        self.advance(time_s, factor, rng);
        let (bid, ask) = self.parameters.quote(self.log_price, factor.volatility());
        let p = &self.parameters;
        let price_of = |units: i64| Some(Decimal::new(units, p.decimals));
        Quote {
            instrument,
            time: simulated(time_s),
            at: None,
            bid: price_of(bid),
            bid_qty: Some(quantity(p, rng)),
            ask: price_of(ask),
            ask_qty: Some(quantity(p, rng)),
        }
    }

    /// Advances the price to `time_s` and returns the move in standard
    /// deviations.
    fn advance(&mut self, time_s: f64, factor: &Factor, rng: &mut ChaCha8Rng) -> f64 {
        let p = &self.parameters;
        let correlation = SECTORS[p.sector].correlation;
        let passed = factor.market_time_s - self.market_time_s;
        let shared = correlation.sqrt() * (factor.walk - self.walk);
        let own = (1.0 - correlation).sqrt() * passed.sqrt() * normal(rng);
        let walk = shared + own;
        let years = (time_s - self.time_s) / YEAR_S;
        self.log_price += p.drift * years + p.volatility * walk / YEAR_S.sqrt();
        self.time_s = time_s;
        self.market_time_s = factor.market_time_s;
        self.walk = factor.walk;
        if passed > 0.0 {
            walk / passed.sqrt()
        } else {
            0.0
        }
    }
}

/// A trade's size: Pareto, so that most are small and a few are very large.
pub(super) fn quantity(p: &Parameters, rng: &mut ChaCha8Rng) -> Decimal {
    let unit = 10f64.powi(p.qty_decimals.cast_signed());
    let size = Pareto::new(p.qty_min, QTY_TAIL).map_or(p.qty_min, |d| d.sample(rng));
    let units = (size.min(p.qty_min * QTY_MAX) * unit).round() as i64;
    Decimal::new(units.max(1), p.qty_decimals)
}

#[cfg(test)]
mod tests;
