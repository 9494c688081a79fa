//! The past that a market continues from.

use shared::{Candle, Decimal, Instrument, Interval, NewestBars, SymbolState, Time};

use super::history::{self, History};
use super::states::States;
use crate::feed::{KnownPrice, PastCandles};

/// When the newest candle of each interval begins, of one instrument.
pub type NewestTimes = [Option<Time>; Interval::ALL.len()];

/// The past that a market continues from.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The candles of each instrument. Instruments that are missing here have
    /// none.
    pub candles: Vec<PastCandles>,
    /// The last price of each instrument's session before its newest one, if
    /// there was one that is not among the candles.
    pub previous: Vec<Option<Decimal>>,
    /// The state of each instrument, if candles alone do not tell it.
    pub states: Vec<SymbolState>,
    /// Whether prices have arrived.
    pub has_prices: bool,
}

impl Past {
    /// The last price of each instrument, where there is one.
    pub fn last_prices(&self) -> impl Iterator<Item = Option<Decimal>> {
        // The shortest candles hold the newest ticks.
        let newest = self
            .candles
            .iter()
            .map(|all| all.iter().find_map(|bars| bars.last()));
        newest.map(|candle| Some(candle?.close))
    }

    /// Where the prices of each instrument ended, where there are some.
    pub fn known_prices(&self) -> impl Iterator<Item = Option<KnownPrice>> {
        let seconds = self.candles.iter();
        let seconds = seconds.map(|all| Some(all[Interval::S1 as usize].last()?.time));
        self.last_prices().zip(seconds).map(|(price, second)| {
            let price = price?;
            Some(KnownPrice {
                price,
                second,
                trades: None,
            })
        })
    }

    /// When the newest candles begin, of each instrument and interval.
    pub fn newest_times(&self) -> Vec<NewestTimes> {
        let newest = |bars: &Vec<Candle>| bars.last().map(|bar| bar.time);
        let all = self.candles.iter();
        all.map(|candles| candles.each_ref().map(newest)).collect()
    }

    /// That of these candles of each instrument.
    pub(super) fn of_candles(candles: Vec<PastCandles>) -> Self {
        Self {
            candles,
            ..Self::default()
        }
    }

    /// That of an earlier run: the newest bars of each instrument, and its last
    /// price of the session before.
    pub fn of_newest(newest: &[NewestBars], previous: Vec<Option<Decimal>>) -> Self {
        let all = |bars: &NewestBars| bars.clone().map(|bar| bar.into_iter().collect());
        Self {
            candles: newest.iter().map(all).collect(),
            previous,
            ..Self::default()
        }
    }

    /// The states and the candles of these instruments after this past.
    pub(super) fn begin(mut self, instruments: &[Instrument]) -> (States, History) {
        self.candles
            .resize(instruments.len(), PastCandles::default());
        let states = instruments.iter().zip(0..).zip(&self.candles);
        let mut states: Vec<_> = states
            .map(|(instrument, past)| history::state(instrument, past))
            .collect();
        for (state, previous) in states.iter_mut().zip(self.previous) {
            state.previous = state.previous.or(previous);
        }
        if self.states.len() == instruments.len() {
            states = self.states;
        }
        (States::new(&states), History::new(self.candles))
    }

    /// Gives these instruments their candles, in their order.
    pub fn put(&mut self, instruments: &[usize], candles: Vec<PastCandles>) {
        for (index, candles) in instruments.iter().zip(candles) {
            if self.candles.len() <= *index {
                self.candles.resize(index + 1, PastCandles::default());
            }
            self.candles[*index] = candles;
        }
    }

    /// The instruments without any candles, out of so many.
    pub fn without(&self, count: usize) -> Vec<usize> {
        let has_none = |index: &usize| {
            let candles = self.candles.get(*index);
            candles.is_none_or(|all| all.iter().all(Vec::is_empty))
        };
        (0..count).filter(has_none).collect()
    }
}
