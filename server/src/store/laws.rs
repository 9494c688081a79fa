//! A law of the store, with random sequences of trades, writes, kills and
//! restarts: at each start the market goes on from what was written, bar by bar,
//! and the file has each bar once, as its trades say.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;
use rusqlite::Connection;
use shared::{Candle, Candles, Decimal, Instrument, Interval, NewestBars, Span, Time};

use super::bars::Bars;
use super::restore::{self, Taken};
use super::{StoredFeed, schema};
use crate::feed::Trade;
use crate::market::{Market, Past};

const SYMBOLS: [&str; 3] = ["A", "B", "C"];
/// A trade: its symbol, and its time, price and quantity.
type Traded = (usize, Time, Decimal, Decimal);

#[derive(Clone, Debug)]
enum Step {
    /// A trade of a symbol, so many ms after the one before.
    Trade(usize, i64, u32),
    Write,
    /// The next write packs what was written into blocks.
    Pack,
    /// The next write writes the newest bars, too.
    Newest,
    /// The server is killed, and starts with so many symbols.
    Kill(usize),
    /// The server is stopped, and starts with so many symbols.
    Stop(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let symbols = 1..=SYMBOLS.len();
    let gap = prop_oneof![4 => 0i64..1_500, 2 => 0i64..90_000, 1 => 0i64..100_000_000];
    let step = prop_oneof![
        20 => (0..SYMBOLS.len(), gap, 1u32..50).prop_map(|(symbol, ms, price)| {
            Step::Trade(symbol, ms, price)
        }),
        6 => Just(Step::Write),
        1 => Just(Step::Pack),
        1 => Just(Step::Newest),
        1 => symbols.clone().prop_map(Step::Kill),
        1 => symbols.prop_map(Step::Stop),
    ];
    proptest::collection::vec(step, 1..150)
}

/// A server's store and market, and what should be in them.
struct Run {
    path: PathBuf,
    database: Connection,
    market: Arc<Market>,
    bars: Bars,
    now: Time,
    /// How many symbols there are now.
    symbols: usize,
    /// All trades that were not lost, in their order.
    trades: Vec<Traded>,
    /// How many trades of each symbol a start would find.
    kept: [usize; SYMBOLS.len()],
    newest_is_due: bool,
}

fn open(path: &PathBuf, symbols: usize) -> (Connection, Taken, Arc<Market>) {
    let mut database = Connection::open(path).unwrap();
    schema::prepare(&database).unwrap();
    let instruments: Vec<_> = SYMBOLS[..symbols]
        .iter()
        .map(|symbol| Instrument {
            symbol: (*symbol).to_owned(),
            ..Instrument::default()
        })
        .collect();
    let source = StoredFeed {
        feed: "sim",
        instruments: &instruments,
        goes_on: true,
        is_alone: true,
    };
    let transaction = database.transaction().unwrap();
    schema::migrate(&transaction).unwrap();
    let taken = restore::take_up(&transaction, source).unwrap();
    transaction.commit().unwrap();
    let past = Past::of_newest(&taken.newest, taken.previous.clone());
    let market = Market::alone(instruments, past);
    (database, taken, market)
}

impl Run {
    fn new(path: PathBuf) -> Self {
        let symbols = SYMBOLS.len();
        let (database, taken, market) = open(&path, symbols);
        Self {
            bars: Bars::new(Arc::clone(&market), false, taken),
            path,
            database,
            market,
            now: Time::EPOCH,
            symbols,
            trades: Vec::new(),
            kept: [0; SYMBOLS.len()],
            newest_is_due: true,
        }
    }

    fn of(&self, symbol: usize) -> impl Iterator<Item = &Traded> {
        self.trades.iter().filter(move |trade| trade.0 == symbol)
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Trade(symbol, ms, price) => {
                self.now += Span::from_micros(ms * 1_000);
                if symbol < self.symbols {
                    let (price, qty) = (Decimal::new(price.into(), 1), Decimal::new(7, 2));
                    self.trades.push((symbol, self.now, price, qty));
                    self.market.take_trade(Trade {
                        instrument: symbol,
                        time: self.now,
                        at: None,
                        id: None,
                        price,
                        qty,
                        side: None,
                        bid: None,
                        ask: None,
                    });
                }
            }
            Step::Write => self.write(false),
            Step::Pack => {
                self.bars.pack_next();
                self.newest_is_due = true;
            }
            Step::Newest => {
                self.bars.newest_next();
                self.newest_is_due = true;
            }
            Step::Kill(symbols) => {
                self.lose();
                self.restart(symbols);
            }
            Step::Stop(symbols) => {
                self.write(true);
                self.restart(symbols);
            }
        }
    }

    fn write(&mut self, is_last: bool) {
        let transaction = self.database.transaction().unwrap();
        let written = self.bars.write(&transaction, is_last).unwrap();
        transaction.commit().unwrap();
        self.bars.commit(written);
        for symbol in 0..self.symbols {
            let count = self.of(symbol).count();
            let second = |trade: &Traded| Interval::S1.start_of(trade.1);
            let newest = self.of(symbol).last().map(second);
            // Those of the newest second are in the file with the newest bars.
            let is_closed = |trade: &&Traded| Some(second(trade)) != newest;
            let kept = match is_last || self.newest_is_due {
                true => count,
                false => self.of(symbol).filter(is_closed).count(),
            };
            self.kept[symbol] = self.kept[symbol].max(kept);
        }
        self.newest_is_due = false;
    }

    /// Forgets the trades that no start can find.
    fn lose(&mut self) {
        let mut left = self.kept;
        self.trades.retain(|trade| {
            let left = &mut left[trade.0];
            let is_kept = *left > 0;
            *left = left.saturating_sub(1);
            is_kept
        });
    }

    fn restart(&mut self, symbols: usize) {
        let (database, taken, market) = open(&self.path, symbols);
        for (symbol, newest) in taken.newest.iter().enumerate() {
            let expected = self.expected(symbol);
            let expected: NewestBars = expected.map(|bars| bars.last().cloned());
            assert_eq!(newest, &expected, "{}", SYMBOLS[symbol]);
        }
        self.bars = Bars::new(Arc::clone(&market), false, taken);
        (self.database, self.market, self.symbols) = (database, market, symbols);
        self.newest_is_due = true;
        self.check_file();
    }

    /// What the trades of a symbol say.
    fn expected(&self, symbol: usize) -> [Vec<Candle>; Interval::ALL.len()] {
        Interval::ALL.map(|interval| {
            let mut candles = Candles::new(interval, usize::MAX);
            for (_, time, price, qty) in self.of(symbol) {
                candles.trade(*time, *price, *qty);
            }
            candles.range(Time::MIN, Time::MAX, usize::MAX)
        })
    }

    /// The view has each bar once, and as it should be.
    fn check_file(&self) {
        let mut select = self
            .database
            .prepare(
                "SELECT symbol, interval, time, open, high, low, close, volume, trades FROM candle",
            )
            .unwrap();
        let mut rows = select.query(()).unwrap();
        let mut found = BTreeMap::new();
        while let Some(row) = rows.next().unwrap() {
            let text = |column| row.get::<_, String>(column).unwrap();
            let key = (text(0), text(1), row.get::<_, i64>(2).unwrap());
            let prices = [text(3), text(4), text(5), text(6), text(7)];
            let bar = (prices, row.get::<_, u64>(8).unwrap());
            assert_eq!(found.insert(key.clone(), bar), None, "{key:?} twice");
        }
        let mut expected = BTreeMap::new();
        for (symbol, name) in SYMBOLS.iter().enumerate() {
            let all = self.expected(symbol);
            for (interval, bar) in Interval::ALL
                .into_iter()
                .zip(all)
                .flat_map(|(interval, bars)| bars.into_iter().map(move |bar| (interval, bar)))
            {
                let key = (
                    (*name).to_owned(),
                    interval.name().to_owned(),
                    bar.time.micros(),
                );
                let prices = [bar.open, bar.high, bar.low, bar.close, bar.volume];
                expected.insert(key, (prices.map(|price| price.to_string()), bar.trades));
            }
        }
        let keys = found.keys().chain(expected.keys());
        let wrong = keys.filter(|key| found.get(*key) != expected.get(*key));
        let wrong: Vec<_> = wrong
            .map(|key| format!("{key:?}: {:?}, not {:?}", found.get(key), expected.get(key)))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

fn run(steps: &[Step]) {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(folder.path().join("law.db"));
    let end = [Step::Kill(3), Step::Stop(2), Step::Kill(3)];
    for step in steps.iter().chain(&end) {
        run.step(step);
    }
}

/// Cases that the law found.
#[test]
fn a_symbol_comes_back_within_the_same_bar() {
    use Step::{Kill, Stop, Trade, Write};
    run(&[Trade(1, 0, 1), Stop(1), Kill(2), Trade(1, 0, 1), Stop(1)]);
    run(&[Trade(1, 0, 1), Stop(1), Kill(2), Trade(1, 0, 1), Write]);
    run(&[
        Trade(2, 0, 1),
        Stop(1),
        Stop(3),
        Write,
        Trade(2, 0, 1),
        Write,
    ]);
    // Its day is in a block, and its second is not.
    let hour = 3_600_000;
    run(&[
        Trade(1, 3 * hour, 16),
        Write,
        Kill(1),
        Stop(3),
        Trade(1, 9 * hour, 41),
        Stop(2),
        Write,
        Stop(1),
        Stop(1),
    ]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_start_finds_what_was_written(steps in steps()) {
        run(&steps);
    }
}
