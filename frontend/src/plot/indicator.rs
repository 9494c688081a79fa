//! Averages and oscillators over bars, one value for each bar.
//!
//! Each is a state to which bars are added in order of time, so that a new bar
//! does not cause all values to be computed again.

use std::collections::VecDeque;

use super::{Bar, DAY_US};

/// The value where there is none, as before the first full period.
const NONE: f64 = f64::NAN;

/// The values of an indicator at one bar: up to three lines, NaN where there is
/// no value.
pub type Values = [f64; 3];

/// An indicator with its state.
#[derive(Clone, Debug)]
pub enum Indicator {
    /// Simple moving average of the close.
    Sma(Window),
    /// Exponential moving average of the close.
    Ema(Ema),
    /// Volume-weighted average price of the UTC day: of the typical price
    /// (high + low + close) / 3.
    Vwap {
        /// The day that is being summed, in days since the epoch.
        day: f64,
        /// The sum of price times quantity.
        money: f64,
        /// The sum of quantities.
        volume: f64,
    },
    /// Bollinger bands: the simple average, and this many standard deviations
    /// (of the population, as Bollinger defines them) above and below it.
    Bollinger(Window, f64),
    /// Wilder's relative strength index (Wilder, "New Concepts in Technical
    /// Trading Systems", 1978).
    Rsi(Rsi),
    /// Appel's moving average convergence/divergence: the difference of two
    /// exponential averages, its own exponential average (the signal), and the
    /// difference of the two (the histogram).
    Macd {
        /// The quick average.
        fast: Ema,
        /// The slow average.
        slow: Ema,
        /// The average of their difference.
        signal: Ema,
    },
}

impl Indicator {
    /// A simple average over `period` bars.
    pub fn sma(period: usize) -> Self {
        Self::Sma(Window::new(period))
    }

    /// An exponential average over `period` bars.
    pub fn ema(period: usize) -> Self {
        Self::Ema(Ema::new(period))
    }

    /// The volume-weighted average of each day.
    pub fn vwap() -> Self {
        Self::Vwap {
            day: NONE,
            money: 0.0,
            volume: 0.0,
        }
    }

    /// Bands at `deviations` standard deviations, over `period` bars.
    pub fn bollinger(period: usize, deviations: f64) -> Self {
        Self::Bollinger(Window::new(period), deviations)
    }

    /// A relative strength index over `period` bars.
    pub fn rsi(period: usize) -> Self {
        Self::Rsi(Rsi {
            period: period.max(1) as f64,
            count: 0.0,
            last: NONE,
            gain: 0.0,
            loss: 0.0,
        })
    }

    /// A moving average convergence/divergence with these periods.
    pub fn macd(fast: usize, slow: usize, signal: usize) -> Self {
        Self::Macd {
            fast: Ema::new(fast),
            slow: Ema::new(slow),
            signal: Ema::new(signal),
        }
    }

    /// Adds the next bar; returns the values there.
    pub fn push(&mut self, bar: &Bar) -> Values {
        match self {
            Self::Sma(window) => [window.push(bar.close).0, NONE, NONE],
            Self::Ema(ema) => [ema.push(bar.close), NONE, NONE],
            Self::Vwap { day, money, volume } => {
                let today = (bar.time / DAY_US).floor();
                if today != *day {
                    (*day, *money, *volume) = (today, 0.0, 0.0);
                }
                *money += (bar.high + bar.low + bar.close) / 3.0 * bar.volume;
                *volume += bar.volume;
                let average = if *volume > 0.0 {
                    *money / *volume
                } else {
                    NONE
                };
                [average, NONE, NONE]
            }
            Self::Bollinger(window, deviations) => {
                let (mean, deviation) = window.push(bar.close);
                let reach = *deviations * deviation;
                [mean, mean + reach, mean - reach]
            }
            Self::Rsi(rsi) => [rsi.push(bar.close), NONE, NONE],
            Self::Macd { fast, slow, signal } => {
                let difference = fast.push(bar.close) - slow.push(bar.close);
                let average = if difference.is_nan() {
                    NONE
                } else {
                    signal.push(difference)
                };
                [difference, average, difference - average]
            }
        }
    }
}

/// The last values, for their mean and standard deviation.
#[derive(Clone, Debug)]
pub struct Window {
    period: usize,
    values: VecDeque<f64>,
}

impl Window {
    fn new(period: usize) -> Self {
        Self {
            period: period.max(1),
            values: VecDeque::new(),
        }
    }

    /// Adds a value; returns mean and standard deviation, once there are enough
    /// values. They are summed again each time: a running sum would drift over
    /// a long day.
    fn push(&mut self, value: f64) -> (f64, f64) {
        if self.values.len() == self.period {
            self.values.pop_front();
        }
        self.values.push_back(value);
        if self.values.len() < self.period {
            return (NONE, NONE);
        }
        let count = self.period as f64;
        let mean = self.values.iter().sum::<f64>() / count;
        let squares = self.values.iter().map(|value| (value - mean).powi(2));
        (mean, (squares.sum::<f64>() / count).sqrt())
    }
}

/// An exponential average. It begins with the simple average of the first
/// period, and then weights each new value with 2 / (period + 1).
#[derive(Clone, Debug)]
pub struct Ema {
    period: f64,
    count: f64,
    value: f64,
}

impl Ema {
    fn new(period: usize) -> Self {
        Self {
            period: period.max(1) as f64,
            count: 0.0,
            value: 0.0,
        }
    }

    fn push(&mut self, value: f64) -> f64 {
        if self.count < self.period {
            self.count += 1.0;
            self.value += value / self.period;
            return if self.count < self.period {
                NONE
            } else {
                self.value
            };
        }
        self.value += (value - self.value) * 2.0 / (self.period + 1.0);
        self.value
    }
}

/// Wilder's averages of gains and losses.
#[derive(Clone, Debug)]
pub struct Rsi {
    period: f64,
    /// The number of changes so far, up to the period.
    count: f64,
    last: f64,
    gain: f64,
    loss: f64,
}

impl Rsi {
    fn push(&mut self, close: f64) -> f64 {
        let change = close - self.last;
        self.last = close;
        if change.is_nan() {
            return NONE;
        }
        let (gain, loss) = (change.max(0.0), (-change).max(0.0));
        if self.count < self.period {
            self.count += 1.0;
            self.gain += gain / self.period;
            self.loss += loss / self.period;
            if self.count < self.period {
                return NONE;
            }
        } else {
            self.gain += (gain - self.gain) / self.period;
            self.loss += (loss - self.loss) / self.period;
        }
        if self.loss == 0.0 {
            // Without any change, neither side is stronger.
            return if self.gain == 0.0 { 50.0 } else { 100.0 };
        }
        100.0 - 100.0 / (1.0 + self.gain / self.loss)
    }
}

/// The values of an indicator at all bars of a chart, updated bar by bar.
#[derive(Clone, Debug)]
pub struct Study {
    new: Indicator,
    /// The state after all bars but the newest, which may still change.
    closed: Indicator,
    values: Vec<Values>,
    /// The start of the first bar, which shows when older bars were added.
    first_us: f64,
}

impl Study {
    /// A study without any values yet.
    pub fn new(indicator: Indicator) -> Self {
        Self {
            closed: indicator.clone(),
            new: indicator,
            values: Vec::new(),
            first_us: NONE,
        }
    }

    /// The values at these bars, one for each. If bars were only added at the
    /// end, only the new ones are computed.
    pub fn update(&mut self, bars: &[Bar]) -> &[Values] {
        let first_us = bars.first().map_or(NONE, |bar| bar.time);
        if first_us != self.first_us || bars.len() < self.values.len() {
            self.closed = self.new.clone();
            self.values.clear();
            self.first_us = first_us;
        }
        // The newest value was computed from an open bar.
        self.values.pop();
        let Some((newest, closed)) = bars.split_last() else {
            return &self.values;
        };
        for bar in &closed[self.values.len()..] {
            let values = self.closed.push(bar);
            self.values.push(values);
        }
        self.values.push(self.closed.clone().push(newest));
        &self.values
    }

    /// The values as last updated.
    pub fn values(&self) -> &[Values] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bars(closes: &[f64]) -> Vec<Bar> {
        let bar = |(index, &close): (i32, &f64)| Bar {
            time: f64::from(index) * 60e6,
            open: close,
            high: close,
            low: close,
            close,
            volume: 1.0,
        };
        (0..).zip(closes).map(bar).collect()
    }

    /// The values of one line, from the first that exists, rounded to two
    /// decimals as they are published.
    fn line(indicator: Indicator, bars: &[Bar], index: usize) -> Vec<f64> {
        let mut study = Study::new(indicator);
        let values = study.update(bars).iter().map(|values| values[index]);
        values
            .skip_while(|value| value.is_nan())
            .map(|value| (value * 100.0).round() / 100.0)
            .collect()
    }

    /// StockCharts ChartSchool, "Moving Averages", the table of ten-day
    /// averages.
    const AVERAGED: [f64; 30] = [
        22.27, 22.19, 22.08, 22.17, 22.18, 22.13, 22.23, 22.43, 22.24, 22.29, 22.15, 22.39, 22.38,
        22.61, 23.36, 24.05, 23.75, 23.83, 23.95, 23.63, 23.82, 23.87, 23.65, 23.19, 23.10, 23.33,
        22.68, 23.10, 22.40, 22.17,
    ];

    #[test]
    fn averages_are_the_published_ones() {
        let bars = bars(&AVERAGED);
        let simple = line(Indicator::sma(10), &bars, 0);
        assert_eq!(simple[..6], [22.22, 22.21, 22.23, 22.26, 22.30, 22.42]);
        assert_eq!(simple[simple.len() - 2..], [23.28, 23.13]);
        let exponential = line(Indicator::ema(10), &bars, 0);
        let published = [
            22.22, 22.21, 22.24, 22.27, 22.33, 22.52, 22.80, 22.97, 23.12, 23.28, 23.34, 23.43,
            23.51, 23.53, 23.47, 23.40, 23.39, 23.26, 23.23, 23.08, 22.92,
        ];
        for (found, published) in exponential.iter().zip(published) {
            // The published values were computed from prices with more
            // decimals.
            assert!((found - published).abs() < 0.011, "{found} {published}");
        }
        assert_eq!(exponential.len(), published.len());
    }

    /// StockCharts ChartSchool, "Relative Strength Index", the spreadsheet.
    #[test]
    fn the_relative_strength_is_the_published_one() {
        let closes = [
            44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433,
            46.0826, 45.8931, 46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116,
            46.2222, 45.6439, 46.2122, 46.2521, 45.7137, 46.4515, 45.7835, 45.3548, 44.0288,
            44.1783, 44.2181, 44.5672, 43.4205, 42.6628, 43.1314,
        ];
        let published = [
            70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42,
            39.99, 41.46, 41.87, 45.46, 37.30, 33.08, 37.77,
        ];
        let found = line(Indicator::rsi(14), &bars(&closes), 0);
        assert_eq!(found, published);
    }

    #[test]
    fn the_strength_has_its_limits() {
        let rising: Vec<f64> = (0..20).map(f64::from).collect();
        assert_eq!(line(Indicator::rsi(14), &bars(&rising), 0)[0], 100.0);
        assert_eq!(line(Indicator::rsi(14), &bars(&[5.0; 20]), 0)[0], 50.0);
    }

    /// By hand: the mean of 2, 4, 6 is 4, and the deviation is the root of 8/3.
    #[test]
    fn bands_lie_so_many_deviations_apart() {
        let bars = bars(&[2.0, 4.0, 6.0]);
        let bands = Indicator::bollinger(3, 2.0);
        assert_eq!(line(bands.clone(), &bars, 0), [4.0]);
        assert_eq!(line(bands.clone(), &bars, 1), [7.27]);
        assert_eq!(line(bands, &bars, 2), [0.73]);
    }

    /// By hand: fast (2) 1.5, 2.5, 3.5, 5.5; slow (3) 2, 3, 4.75; signal (2).
    #[test]
    fn convergence_is_the_difference_of_averages() {
        let bars = bars(&[1.0, 2.0, 3.0, 4.0, 6.5]);
        let macd = Indicator::macd(2, 3, 2);
        assert_eq!(line(macd.clone(), &bars, 0), [0.5, 0.5, 0.75]);
        assert_eq!(line(macd.clone(), &bars, 1), [0.5, 0.67]);
        assert_eq!(line(macd, &bars, 2), [0.0, 0.08]);
    }

    /// By hand: 10·1 and 20·3 give 70/4; the next day starts again.
    #[test]
    fn the_weighted_average_begins_anew_each_day() {
        let mut bars = bars(&[10.0, 20.0, 30.0]);
        bars[1].volume = 3.0;
        bars[2].time = DAY_US;
        assert_eq!(line(Indicator::vwap(), &bars, 0), [10.0, 17.5, 30.0]);
    }

    proptest! {
        /// Adding bar by bar, with the newest one still changing, gives the
        /// same as all at once.
        #[test]
        fn growing_is_the_same_as_counting_anew(
            closes in proptest::collection::vec(1.0..100.0f64, 2..80),
            kind in 0usize..6,
        ) {
            let indicator = [
                Indicator::sma(5), Indicator::ema(5), Indicator::vwap(),
                Indicator::bollinger(5, 2.0), Indicator::rsi(5), Indicator::macd(3, 6, 4),
            ][kind].clone();
            let all = bars(&closes);
            let mut whole = Study::new(indicator.clone());
            let mut grown = Study::new(indicator);
            for end in 1..=all.len() {
                let mut open = all[..end].to_vec();
                open[end - 1].close += 1.0;
                grown.update(&open);
                grown.update(&all[..end]);
            }
            let bits = |values: &[Values]| -> Vec<_> {
                values.iter().flatten().map(|value| value.to_bits()).collect()
            };
            prop_assert_eq!(bits(whole.update(&all)), bits(grown.values()));
        }
    }
}
