//! What really happened at a venue.

use std::collections::BTreeMap;

use rand::{Rng, RngExt as _};
use shared::{Decimal, Interval, Side, Span, Time};

/// A trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deal {
    /// Its identifier, which the truth gives it.
    pub id: u64,
    /// When it was.
    pub time: Time,
    /// The price.
    pub price: Decimal,
    /// The quantity.
    pub qty: Decimal,
    /// The aggressor's side.
    pub side: Side,
}

/// A candle that is made of trades, by other code than the server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Its start.
    pub time: Time,
    /// The first, highest, lowest and last price.
    pub prices: [Decimal; 4],
    /// The sum of the quantities.
    pub volume: Decimal,
    /// How many trades there were.
    pub trades: u64,
}

/// All trades of all markets, by the base currency of each; and how many identifiers
/// are left out before the next.
#[derive(Clone, Debug, Default)]
pub struct Truth(BTreeMap<String, Vec<Deal>>, BTreeMap<String, u64>);

impl Truth {
    /// Markets with these base currencies, each with trades over so many hours before
    /// `now`: one each half minute, some of them in bursts.
    pub fn with_past(bases: &[&str], hours: i64, now: Time, random: &mut impl Rng) -> Self {
        let mut truth = Self::default();
        for base in bases {
            let mut time = now - Span::HOUR * hours;
            truth.0.insert((*base).to_owned(), Vec::new());
            while time < now {
                let deal = truth.next(base, time, random);
                let burst = if random.random_ratio(1, 4) { 4 } else { 1 };
                for _ in 0..burst {
                    truth.add(base, deal.clone());
                }
                time += Span::from_micros(random.random_range(1_000_000..60_000_000));
            }
        }
        truth
    }

    /// What may be traded next in a market: a random walk, from the last price on.
    pub fn next(&self, base: &str, time: Time, random: &mut impl Rng) -> Deal {
        let start = || match base {
            "BTC" => Decimal::new(6_401_250, 2),
            "ETH" => Decimal::new(318_140, 2),
            _ => Decimal::new(14_832, 2),
        };
        let before = self.deals(base).last();
        let last = before.map_or_else(start, |deal| deal.price);
        // The longer ago the last trade was, the further it may be.
        let since = before.map_or(15.0, |deal| (time - deal.time).seconds());
        let scale = (since / 15.0).sqrt().clamp(0.02, 2.0);
        let steps: i64 = (0..4).map(|_| random.random_range(-25..=25)).sum();
        let step = last * Decimal::new((10.0 * scale * steps as f64) as i64, 7);
        let price = (last + step).rescaled(2).max(Decimal::HUNDREDTH);
        Deal {
            price,
            qty: Decimal::new(random.random_range(1..20_000_000), 8),
            ..Deal::at(time, random)
        }
    }

    /// The base currencies.
    pub fn bases(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// Adds a trade, which gets the next identifier of its market. The first is 1000.
    pub fn add(&mut self, base: &str, deal: Deal) -> Deal {
        let deals = self.0.entry(base.to_owned()).or_default();
        let skipped = self.1.remove(base).unwrap_or(0);
        let id = deals.last().map_or(1_000, |last| last.id + 1) + skipped;
        let deal = Deal { id, ..deal };
        deals.push(deal.clone());
        deal
    }

    /// Leaves out so many identifiers before the next.
    pub(super) fn skip(&mut self, base: &str, count: u64) {
        self.1.insert(base.to_owned(), count);
    }

    /// All trades of a market, oldest first.
    pub fn deals(&self, base: &str) -> &[Deal] {
        self.0.get(base).map_or(&[], Vec::as_slice)
    }

    /// The newest identifier of a market; 0 if there is none.
    pub fn newest(&self, base: &str) -> u64 {
        self.deals(base).last().map_or(0, |deal| deal.id)
    }

    /// The candles of a market, oldest first.
    pub fn bars(&self, base: &str, span: Span) -> Vec<Bar> {
        self.bars_until(base, span, Time::MAX)
    }

    /// The candles of the trades until a time.
    pub(super) fn bars_until(&self, base: &str, span: Span, until: Time) -> Vec<Bar> {
        let mut bars: BTreeMap<Time, Bar> = BTreeMap::new();
        for deal in self.deals(base).iter().filter(|deal| deal.time <= until) {
            let start = deal.time.floor(span);
            let bar = bars.entry(start).or_insert_with(|| Bar {
                time: start,
                prices: [deal.price; 4],
                volume: Decimal::ZERO,
                trades: 0,
            });
            let [_, high, low, close] = &mut bar.prices;
            *high = (*high).max(deal.price);
            *low = (*low).min(deal.price);
            *close = deal.price;
            bar.volume += deal.qty;
            bar.trades += 1;
        }
        bars.into_values().collect()
    }

    /// The same for an interval.
    pub fn candles(&self, base: &str, interval: Interval) -> Vec<Bar> {
        self.bars(base, interval.span())
    }
}

impl Deal {
    /// A random trade at this time, in whole ms, which each venue can tell.
    pub fn at(time: Time, random: &mut impl Rng) -> Self {
        Self {
            id: 0,
            time: time.floor(Span::from_micros(1_000)),
            price: Decimal::new(random.random_range(5_000_000..6_000_000), 2),
            qty: Decimal::new(random.random_range(1..100_000_000), 8),
            side: if random.random() {
                Side::Buy
            } else {
                Side::Sell
            },
        }
    }
}
