use super::*;

fn market(symbols: usize, rate: f64, seed: u64) -> Market {
    Market::new(&SimConfig {
        symbols: SimSymbols::First(symbols),
        rate,
        quotes: 1.0,
        seed,
        goes_on: false,
        past: false,
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
        past: false,
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
        let (bid, ask) = traded.parameters.quote(traded.log_price, volatility);
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
