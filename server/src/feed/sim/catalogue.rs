//! The simulated instruments and the parameters of each.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use shared::Decimal;
use shared::{AssetClass, Instrument};

use super::chance::chance;

/// The parameters of one instrument's prices.
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    pub(super) symbol: String,
    pub(super) name: String,
    /// Index into [`SECTORS`].
    pub(super) sector: usize,
    /// The price at the start.
    pub(super) price: f64,
    /// Decimals of a price.
    pub(super) decimals: u32,
    /// The smallest change of a price, in units of its last decimal.
    pub(super) tick_size: i64,
    /// Decimals of a quantity.
    pub(super) qty_decimals: u32,
    /// The smallest quantity; the scale of the Pareto distribution of trades.
    pub(super) qty_min: f64,
    /// Standard deviation of the log price over a year. The market never
    /// closes.
    pub(super) volatility: f64,
    /// Expected change of the log price over a year.
    pub(super) drift: f64,
    /// Half the spread in calm times, as a share of the price.
    pub(super) half_spread: f64,
    /// Its share of its sector's trades, relative to the others'.
    pub(super) weight: f64,
}

/// Instruments that are correlated.
#[derive(Debug)]
pub(super) struct Sector {
    class: AssetClass,
    pub(super) volatility: f64,
    /// The correlation of two of its members' log returns.
    pub(super) correlation: f64,
    pub(super) qty_decimals: u32,
    members: &'static [(&'static str, &'static str, f64, u32, i64)],
}

/// Symbol, name, first price, decimals, tick size in units of the last decimal.
/// The names are real; the prices are only plausible.
pub(super) const SECTORS: [Sector; 5] = [
    Sector {
        class: AssetClass::Crypto,
        volatility: 0.65,
        correlation: 0.7,
        qty_decimals: 4,
        members: &[
            ("BTC-USD", "Bitcoin", 64_012.5, 2, 50),
            ("ETH-USD", "Ether", 3_181.4, 2, 5),
            ("SOL-USD", "Solana", 148.32, 2, 1),
            ("XRP-USD", "XRP", 0.5321, 4, 1),
            ("ADA-USD", "Cardano", 0.4512, 4, 1),
            ("DOGE-USD", "Dogecoin", 0.14873, 5, 1),
            ("LTC-USD", "Litecoin", 83.41, 2, 1),
            ("LINK-USD", "Chainlink", 14.217, 3, 1),
            ("DOT-USD", "Polkadot", 6.843, 3, 1),
            ("AVAX-USD", "Avalanche", 35.12, 2, 1),
        ],
    },
    Sector {
        class: AssetClass::Currency,
        volatility: 0.09,
        correlation: 0.5,
        qty_decimals: 0,
        members: &[
            ("EUR-USD", "Euro", 1.08412, 5, 1),
            ("GBP-USD", "Pound sterling", 1.26735, 5, 1),
            ("AUD-USD", "Australian dollar", 0.66108, 5, 1),
            ("NZD-USD", "New Zealand dollar", 0.60342, 5, 1),
            ("USD-JPY", "Japanese yen", 155.214, 3, 1),
            ("USD-CHF", "Swiss franc", 0.90518, 5, 1),
            ("USD-CAD", "Canadian dollar", 1.36542, 5, 1),
            ("USD-SEK", "Swedish krona", 10.7134, 4, 1),
            ("USD-NOK", "Norwegian krone", 10.6621, 4, 1),
            ("USD-MXN", "Mexican peso", 16.7045, 4, 1),
        ],
    },
    Sector {
        class: AssetClass::Stock,
        volatility: 0.32,
        correlation: 0.6,
        qty_decimals: 0,
        members: &[
            ("AAPL", "Apple", 189.84, 2, 1),
            ("MSFT", "Microsoft", 420.21, 2, 1),
            ("NVDA", "Nvidia", 924.79, 2, 1),
            ("GOOG", "Alphabet", 177.29, 2, 1),
            ("AMZN", "Amazon", 184.7, 2, 1),
            ("META", "Meta Platforms", 471.91, 2, 1),
            ("TSLA", "Tesla", 177.46, 2, 1),
            ("AMD", "AMD", 164.47, 2, 1),
            ("INTC", "Intel", 31.83, 2, 1),
            ("ASML", "ASML", 921.33, 2, 1),
        ],
    },
    Sector {
        class: AssetClass::Stock,
        volatility: 0.2,
        correlation: 0.55,
        qty_decimals: 0,
        members: &[
            ("JPM", "JPMorgan Chase", 204.79, 2, 1),
            ("BAC", "Bank of America", 39.29, 2, 1),
            ("V", "Visa", 280.1, 2, 1),
            ("MA", "Mastercard", 460.27, 2, 1),
            ("JNJ", "Johnson & Johnson", 154.64, 2, 1),
            ("PG", "Procter & Gamble", 167.63, 2, 1),
            ("KO", "Coca-Cola", 62.94, 2, 1),
            ("PEP", "PepsiCo", 181.34, 2, 1),
            ("WMT", "Walmart", 64.65, 2, 1),
            ("MCD", "McDonald's", 272.38, 2, 1),
        ],
    },
    Sector {
        class: AssetClass::Commodity,
        volatility: 0.28,
        correlation: 0.45,
        qty_decimals: 0,
        members: &[
            ("XAU-USD", "Gold", 2_414.6, 2, 10),
            ("XAG-USD", "Silver", 31.482, 3, 5),
            ("XPT-USD", "Platinum", 1_081.3, 1, 1),
            ("WTI", "Crude oil, WTI", 79.26, 2, 1),
            ("BRENT", "Crude oil, Brent", 83.71, 2, 1),
            ("NATGAS", "Natural gas", 2.626, 3, 1),
            ("COPPER", "Copper", 5.0455, 4, 5),
            ("WHEAT", "Wheat", 697.25, 2, 25),
            ("CORN", "Corn", 452.5, 2, 25),
            ("COFFEE", "Coffee", 206.85, 2, 5),
        ],
    },
];

impl Parameters {
    /// Bid and ask around a value, whose logarithm this is, in units of the last
    /// decimal; both are multiples of the tick size, above 0 and at least one
    /// tick apart.
    pub(super) fn quote(&self, log_price: f64, volatility: f64) -> (i64, i64) {
        // A price this large cannot be represented; it is capped instead of
        // wrapping around.
        let largest = 1e15;
        let units = (log_price.exp() * 10f64.powi(self.decimals.cast_signed())).min(largest);
        let tick = self.tick_size as f64;
        let half = units * self.half_spread * volatility.max(0.5);
        let bid = (((units - half) / tick).floor() as i64).max(1);
        let ask = (((units + half) / tick).ceil() as i64).max(bid + 1);
        (bid * self.tick_size, ask * self.tick_size)
    }

    /// The instrument for the catalogue.
    pub(super) fn instrument(&self) -> Instrument {
        // As in EUR-USD; a symbol that is not a pair is in US dollars.
        let pair = self.symbol.split_once('-').map(|(_, currency)| currency);
        let currency = pair.filter(|currency| currency.chars().all(char::is_alphabetic));
        Instrument {
            symbol: self.symbol.clone(),
            name: self.name.clone(),
            decimals: self.decimals,
            qty_decimals: self.qty_decimals,
            source: super::NAME.to_owned(),
            venue: None,
            class: Some(SECTORS[self.sector].class),
            currency: Some(currency.unwrap_or("USD").to_owned()),
            step: Some(Decimal::new(self.tick_size, self.decimals)),
            session: Some("24/7".to_owned()),
            zone: Some("UTC".to_owned()),
        }
    }
}

/// The first `count` instruments: one of each sector in turn, then generated
/// ones.
pub(super) fn first(count: usize, rng: &mut ChaCha8Rng) -> Vec<Parameters> {
    (0..count)
        .map(|index| {
            let sector = index % SECTORS.len();
            let member = SECTORS[sector].members.get(index / SECTORS.len());
            match member {
                Some(&member) => known(sector, member, rng),
                None => made_up(&format!("SIM-{:04}", index + 1), rng),
            }
        })
        .collect()
}

/// The instruments with these symbols; those that are not in the catalogue are
/// generated.
pub(super) fn named(symbols: &[String], rng: &mut ChaCha8Rng) -> Vec<Parameters> {
    let find = |symbol: &str| {
        SECTORS.iter().zip(0..).find_map(|(sector, index)| {
            let member = sector.members.iter().find(|member| member.0 == symbol);
            member.map(|&member| (index, member))
        })
    };
    symbols
        .iter()
        .map(|symbol| match find(symbol) {
            Some((sector, member)) => known(sector, member, rng),
            None => made_up(symbol, rng),
        })
        .collect()
}

fn known(
    sector: usize,
    (symbol, name, price, decimals, tick_size): (&str, &str, f64, u32, i64),
    rng: &mut ChaCha8Rng,
) -> Parameters {
    let Sector {
        volatility,
        qty_decimals,
        ..
    } = SECTORS[sector];
    let unit = 0.1f64.powi(qty_decimals.cast_signed());
    Parameters {
        symbol: symbol.to_owned(),
        name: name.to_owned(),
        sector,
        price,
        decimals,
        tick_size,
        qty_decimals,
        // A smallest trade of about ten dollars, but at least one unit.
        qty_min: (10.0 / price).max(unit),
        volatility: volatility * rng.random_range(0.75..1.35),
        drift: rng.random_range(-0.1..0.2),
        half_spread: volatility * rng.random_range(3e-5..1e-4),
        weight: rng.random_range(0.5..2.0),
    }
}

fn made_up(symbol: &str, rng: &mut ChaCha8Rng) -> Parameters {
    // What it is does not depend on the seed: stores, and servers that share a log, know
    // it by its symbol.
    let mut own = chance(0, symbol);
    let sector = own.random_range(0..SECTORS.len());
    let price = (own.random_range(2f64.ln()..900f64.ln())).exp();
    let member = (symbol, symbol, (price * 100.0).round() / 100.0, 2, 1);
    Parameters {
        name: format!("{symbol} (made up)"),
        ..known(sector, member, rng)
    }
}
