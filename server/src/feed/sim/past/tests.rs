use super::*;
use crate::feed::sim::market::Market;
use crate::feed::sim::{SimConfig, SimSymbols};

/// Any time that is no round one.
const END: Time = Time::from_micros(1_764_234_567_890_123);

fn market(symbols: usize, rate: f64) -> Market {
    Market::new(&SimConfig {
        symbols: SimSymbols::First(symbols),
        rate,
        quotes: 1.0,
        seed: 7,
        goes_on: false,
        past: true,
    })
}

fn past_of(symbol: usize, rate: f64) -> (Market, PastCandles) {
    let market = market(symbol + 1, rate);
    let mut made = market.past(&Past::new(7, END), &[symbol]);
    (market, made.remove(0))
}

#[test]
fn each_bar_is_the_sum_of_its_smaller_ones() {
    let (_, past) = past_of(3, 40.0);
    for (at, longer) in Interval::ALL.into_iter().enumerate().skip(1) {
        for shorter in &past[..at] {
            let first = shorter[0].time;
            let mut checked = 0;
            for bar in past[at].iter().filter(|bar| bar.time >= first) {
                let end = bar.time + longer.span();
                let mut parts = shorter
                    .iter()
                    .filter(|part| (bar.time..end).contains(&part.time));
                let mut sum = parts.next().cloned().unwrap();
                parts.for_each(|part| sum.join(part));
                assert_eq!(
                    Candle {
                        time: bar.time,
                        ..sum
                    },
                    *bar
                );
                checked += 1;
            }
            let reach = END - first;
            assert!(checked > 0 || reach < longer.span() * 2, "{longer}");
        }
    }
}

#[test]
fn it_reaches_as_far_as_it_says_and_ends_where_the_market_begins() {
    let (market, past) = past_of(0, 40.0);
    for (interval, reach, _) in REACH {
        let bars = &past[interval as usize];
        assert!(bars[0].time <= END - reach, "{interval}");
        let mut times = bars.windows(2).map(|pair| pair[1].time - pair[0].time);
        assert!(
            times.all(|step| step == interval.span()),
            "{interval}: a hole"
        );
        let last = bars.last().unwrap();
        assert_eq!(
            last.time,
            interval.start_of(Interval::S1.start_of(END) - Span::SECOND)
        );
        // The last price is the bid or the ask.
        let price = market.traded()[0].parameters.price;
        let off = last.close.to_f64() / price - 1.0;
        assert!(off.abs() < 0.001, "{interval}: {off}");
    }
}

#[test]
fn bars_are_possible() {
    // Here most seconds have no trade.
    for rate in [0.1, 40.0, 1e6] {
        let (market, past) = past_of(2, rate);
        let p = &market.traded()[2].parameters;
        for bar in past.iter().flatten() {
            assert!(bar.low <= bar.open.min(bar.close), "{bar:?}");
            assert!(bar.high >= bar.open.max(bar.close), "{bar:?}");
            assert!(bar.trades > 0 && bar.volume > Decimal::ZERO, "{bar:?}");
            for price in [bar.open, bar.high, bar.low, bar.close] {
                assert!(price > Decimal::ZERO && price.scale() == p.decimals);
            }
        }
    }
}

#[test]
fn it_is_the_same_each_time_whatever_else_is_asked_for() {
    let market = market(10, 100.0);
    let past = Past::new(7, END);
    let all = market.past(&past, &(0..10).collect::<Vec<_>>());
    assert_eq!(
        market.past(&past, &[7, 3]),
        [all[7].clone(), all[3].clone()]
    );
    assert_ne!(market.past(&Past::new(8, END), &[3])[0], all[3]);
}

/// Log returns over each bar.
fn returns(bars: &[Candle]) -> Vec<f64> {
    let returns = bars.windows(2);
    returns
        .map(|pair| (pair[1].close.to_f64() / pair[0].close.to_f64()).ln())
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let products = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b));
    products.sum::<f64>() / (a.len() - 1) as f64
}

#[test]
fn it_is_of_the_same_model() {
    let market = market(10, 400.0);
    let all = market.past(&Past::new(7, END), &(0..10).collect::<Vec<_>>());
    for interval in [Interval::M1, Interval::H1, Interval::D1] {
        let returns: Vec<_> = all
            .iter()
            .map(|past| returns(&past[interval as usize]))
            .collect();
        for (returns, traded) in returns.iter().zip(market.traded()) {
            let p = &traded.parameters;
            let expected = p.volatility.powi(2) * interval.span().seconds() / YEAR_S;
            let ratio = covariance(returns, returns) / expected;
            // Over a minute, a cent between bid and ask counts.
            let most = if interval == Interval::M1 { 2.0 } else { 1.4 };
            assert!(
                (0.7..most).contains(&ratio),
                "{interval} {}: × {ratio}",
                p.symbol
            );
        }
        // Symbols 0 and 5 are crypto, 1 is a currency.
        for (a, b, expected) in [(0, 5, SECTORS[0].correlation), (0, 1, 0.0)] {
            let (a, b) = (&returns[a], &returns[b]);
            let found = covariance(a, b) / (covariance(a, a) * covariance(b, b)).sqrt();
            assert!(
                (found - expected).abs() < 0.15,
                "{interval}: {found}, not {expected}"
            );
        }
    }
    // There are as many trades, of the same sizes, as there will be.
    let total: f64 = market.traded().iter().map(|t| t.parameters.weight).sum();
    for (past, traded) in all.iter().zip(market.traded()) {
        let p = &traded.parameters;
        let a_day = 400.0 * p.weight / total * 86_400.0;
        let days = &past[Interval::D1 as usize];
        let trades = days.iter().map(|bar| bar.trades as f64).sum::<f64>();
        let ratio = trades / (days.len() as f64 - 0.5) / a_day;
        assert!((ratio - 1.0).abs() < 0.01, "{}: trades × {ratio}", p.symbol);
        let volume = days.iter().map(|bar| bar.volume.to_f64()).sum::<f64>();
        let size = volume / trades / (p.qty_min * MEAN_QTY);
        assert!((0.9..1.5).contains(&size), "{}: size × {size}", p.symbol);
    }
}
