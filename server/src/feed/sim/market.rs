//! The simulated market itself: an endless, seeded sequence of trades and
//! quotes.

use rand::distr::weighted::WeightedIndex;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Pareto};
use shared::{Decimal, Side, Span, Time};

use super::super::{FeedEvent, Quote, Trade};
use super::arrivals::{Arrivals, exponential};
use super::catalogue::{self, Parameters, SECTORS};
use super::factors::{Factor, normal};
use super::{SimConfig, SimSymbols};

/// A year of a market that never closes, in seconds.
pub(super) const YEAR_S: f64 = 365.0 * 86_400.0;
/// The tail index of trade sizes; below 2 their variance would be infinite.
const QTY_TAIL: f64 = 2.2;
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
        let (bid, ask) = self.quote(factor.volatility());
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
        let (bid, ask) = self.quote(factor.volatility());
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

    /// Bid and ask around the price, in units of the last decimal; both are
    /// multiples of the tick size, above 0 and at least one tick apart.
    fn quote(&self, volatility: f64) -> (i64, i64) {
        let p = &self.parameters;
        // A price this large cannot be represented; it is capped instead of
        // wrapping around.
        let largest = 1e15;
        let units = (self.log_price.exp() * 10f64.powi(p.decimals.cast_signed())).min(largest);
        let tick = p.tick_size as f64;
        let half = units * p.half_spread * volatility.max(0.5);
        let bid = (((units - half) / tick).floor() as i64).max(1);
        let ask = (((units + half) / tick).ceil() as i64).max(bid + 1);
        (bid * p.tick_size, ask * p.tick_size)
    }
}

/// A trade's size: Pareto, so that most are small and a few are very large.
fn quantity(p: &Parameters, rng: &mut ChaCha8Rng) -> Decimal {
    let unit = 10f64.powi(p.qty_decimals.cast_signed());
    let size = Pareto::new(p.qty_min, QTY_TAIL).map_or(p.qty_min, |d| d.sample(rng));
    let units = (size.min(p.qty_min * QTY_MAX) * unit).round() as i64;
    Decimal::new(units.max(1), p.qty_decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market(symbols: usize, rate: f64, seed: u64) -> Market {
        Market::new(&SimConfig {
            symbols: SimSymbols::First(symbols),
            rate,
            quotes: 1.0,
            seed,
            goes_on: false,
        })
    }

    impl Market {
        fn next_trade(&mut self) -> Trade {
            loop {
                if let Event::Trade(trade) = self.next_event() {
                    return trade;
                }
            }
        }
    }

    fn trades(market: &mut Market, count: usize) -> Vec<Trade> {
        (0..count).map(|_| market.next_trade()).collect()
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    fn covariance(a: &[f64], b: &[f64]) -> f64 {
        let (mean_a, mean_b) = (mean(a), mean(b));
        let products = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b));
        products.sum::<f64>() / (a.len() - 1) as f64
    }

    fn correlation(a: &[f64], b: &[f64]) -> f64 {
        covariance(a, b) / (covariance(a, a) * covariance(b, b)).sqrt()
    }

    /// Log returns of every symbol's value over each second of `seconds`.
    fn returns_a_second(market: &mut Market, seconds: usize) -> Vec<Vec<f64>> {
        let count = market.traded.len();
        let mut last: Vec<f64> = market.traded.iter().map(|t| t.log_price).collect();
        let mut returns = vec![Vec::with_capacity(seconds); count];
        let mut end_s = 1.0;
        while returns[0].len() < seconds {
            let trade = market.next_trade();
            while (trade.time - Time::EPOCH).seconds() > end_s {
                for (index, traded) in market.traded.iter().enumerate() {
                    returns[index].push(traded.log_price - last[index]);
                    last[index] = traded.log_price;
                }
                end_s += 1.0;
            }
        }
        returns
    }

    #[test]
    fn the_same_seed_gives_the_same_trades_byte_for_byte() {
        let bytes = |seed| format!("{:?}", trades(&mut market(50, 2000.0, seed), 5_000));
        assert_eq!(bytes(7), bytes(7));
        assert_ne!(bytes(7), bytes(8));
    }

    #[test]
    fn trades_arrive_at_the_rate_and_in_bursts() {
        let mut market = market(50, 500.0, 1);
        let mut a_second: Vec<f64> = Vec::new();
        let mut last = Time::EPOCH;
        while a_second.len() < 4_000 {
            let trade = market.next_trade();
            assert!(trade.time >= last, "times never run back");
            last = trade.time;
            a_second.resize(
                ((trade.time - Time::EPOCH).whole_seconds() + 1) as usize,
                0.0,
            );
            if let Some(count) = a_second.last_mut() {
                *count += 1.0;
            }
        }
        let rate = mean(&a_second);
        assert!((rate / 500.0 - 1.0).abs() < 0.05, "{rate} a second");
        // For a plain Poisson process, the variance equals the mean.
        let dispersion = covariance(&a_second, &a_second) / rate;
        assert!(dispersion > 5.0, "dispersion {dispersion}");
    }

    #[test]
    fn quotes_never_cross_and_trades_happen_at_them() {
        for trade in trades(&mut market(200, 2000.0, 2), 50_000) {
            let (bid, ask) = (trade.bid.unwrap(), trade.ask.unwrap());
            assert!(Decimal::ZERO < bid && bid < ask, "{trade:?}");
            let touched = if trade.side == Some(Side::Buy) {
                ask
            } else {
                bid
            };
            assert_eq!(trade.price, touched);
            assert!(trade.qty > Decimal::ZERO);
        }
    }

    #[test]
    fn quotes_change_between_trades_as_often_as_said() {
        let mut market = market(50, 500.0, 11);
        let (mut trades, mut quotes, mut last) = (0, 0, Span::ZERO);
        while trades < 50_000 {
            let event = market.next_event();
            assert!(event.since_start() >= last, "times never run back");
            last = event.since_start();
            match event {
                Event::Trade(_) => trades += 1,
                Event::Quote(quote) => {
                    assert!(quote.bid.unwrap() < quote.ask.unwrap(), "{quote:?}");
                    quotes += 1;
                }
            }
        }
        // Trades come in bursts; on average there are 500 a second.
        let ratio = f64::from(quotes) / (last.seconds() * 500.0);
        assert!((ratio - 1.0).abs() < 0.03, "{ratio} quotes a trade");
        let mut alone = Market::new(&SimConfig {
            symbols: SimSymbols::First(5),
            rate: 10.0,
            quotes: 0.0,
            seed: 1,
            goes_on: false,
        });
        assert!((0..1_000).all(|_| matches!(alone.next_event(), Event::Trade(_))));
    }

    #[test]
    fn prices_keep_to_the_tick_size() {
        let mut market = market(50, 2000.0, 3);
        for _ in 0..20_000 {
            let trade = market.next_trade();
            let p = &market.traded[trade.instrument].parameters;
            assert_eq!(trade.price.scale(), p.decimals);
            let units = i64::try_from(trade.price.digits()).unwrap();
            assert_eq!(units % p.tick_size, 0, "{}: {}", p.symbol, trade.price);
        }
    }

    #[test]
    fn returns_have_the_mean_and_variance_of_the_parameters() {
        let mut market = market(10, 200.0, 4);
        let returns = returns_a_second(&mut market, 20_000);
        for (returns, traded) in returns.iter().zip(&market.traded) {
            let p = &traded.parameters;
            let expected = p.volatility.powi(2) / YEAR_S;
            let ratio = covariance(returns, returns) / expected;
            assert!(
                (ratio - 1.0).abs() < 0.15,
                "{}: variance × {ratio}",
                p.symbol
            );
            let error = (expected / returns.len() as f64).sqrt();
            let off = (mean(returns) - p.drift / YEAR_S) / error;
            assert!(off.abs() < 4.0, "{}: mean off by {off} errors", p.symbol);
        }
    }

    #[test]
    fn prices_drift_as_the_parameters_say() {
        let mut market = market(1, 50.0, 10);
        // A realistic drift is lost in the noise of hours.
        market.traded[0].parameters.drift = 1e5;
        let returns = returns_a_second(&mut market, 2_000);
        let ratio = mean(&returns[0]) / (1e5 / YEAR_S);
        assert!((ratio - 1.0).abs() < 0.05, "drift × {ratio}");
    }

    #[test]
    fn a_sector_moves_together_and_sectors_do_not() {
        let mut market = market(10, 400.0, 5);
        let returns = returns_a_second(&mut market, 20_000);
        // Symbols 0 and 5 are crypto, 1 and 6 currencies.
        for (a, b, expected) in [
            (0, 5, SECTORS[0].correlation),
            (1, 6, SECTORS[1].correlation),
            (0, 1, 0.0),
            (5, 6, 0.0),
        ] {
            let found = correlation(&returns[a], &returns[b]);
            // Two symbols do not trade at the same instant, which lowers the
            // correlation a little.
            assert!(
                (found - expected).abs() < 0.08,
                "{a}, {b}: {found}, not {expected}"
            );
        }
    }

    #[test]
    fn volatility_clusters_and_tails_are_fat() {
        let mut market = market(5, 100.0, 6);
        let returns = returns_a_second(&mut market, 40_000);
        let squares: Vec<f64> = returns[0].iter().map(|r| r * r).collect();
        let n = squares.len();
        let soon = correlation(&squares[..n - 2], &squares[2..]);
        let late = correlation(&squares[..n - 200], &squares[200..]);
        assert!(soon > 0.05, "{soon} after two seconds");
        assert!(late.abs() < soon, "{late} after two hundred");
        let fourth = mean(&squares.iter().map(|s| s * s).collect::<Vec<_>>());
        let kurtosis = fourth / mean(&squares).powi(2);
        assert!(
            kurtosis > 3.3,
            "kurtosis {kurtosis}; a normal distribution has 3"
        );
    }

    #[test]
    fn the_spread_widens_with_volatility() {
        let traded = &market(1, 10.0, 7).traded[0];
        let spread = |volatility| {
            let (bid, ask) = traded.quote(volatility);
            ask - bid
        };
        assert!(spread(3.0) > spread(1.0));
        assert!(spread(1.0) > spread(0.5));
    }

    #[test]
    fn quantities_are_heavy_tailed() {
        let mut market = market(1, 100.0, 8);
        let mut sizes: Vec<f64> = trades(&mut market, 20_000)
            .iter()
            .map(|trade| trade.qty.to_f64())
            .collect();
        sizes.sort_by(f64::total_cmp);
        // Hill's estimator of the tail index over the largest 5%.
        let tail = &sizes[19_000..];
        let hill = 1.0 / mean(&tail.iter().map(|s| (s / tail[0]).ln()).collect::<Vec<_>>());
        assert!((hill - QTY_TAIL).abs() < 0.4, "tail index {hill}");
    }

    #[test]
    fn sides_follow_the_price() {
        let mut market = market(1, 100.0, 9);
        let mut last = market.traded[0].log_price;
        let (mut with, mut all) = (0, 0);
        for _ in 0..10_000 {
            let trade = market.next_trade();
            let rose = market.traded[0].log_price > last;
            last = market.traded[0].log_price;
            with += u32::from(rose == (trade.side == Some(Side::Buy)));
            all += 1;
        }
        let share = f64::from(with) / f64::from(all);
        assert!(share > 0.65, "{share} of the trades go with the price");
    }
}
