//! Which symbols are followed, and what they are called at each venue.

use std::collections::BTreeMap;
use std::str::FromStr;

use shared::{AssetClass, Instrument};

use super::{ExchangeError, MARKETS_MAX};
use crate::feed::symbol::is_symbol;
use venues::{Listed, Venue, decimals_of};

/// What a newcomer sees, of each venue in its usual quote currency.
const USUAL: [&str; 12] = [
    "BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "LINK", "AVAX", "LTC", "DOT", "BCH", "UNI",
];
/// Currencies of states.
const STATES: [&str; 9] = [
    "USD", "EUR", "GBP", "CHF", "JPY", "CAD", "AUD", "TRY", "BRL",
];
/// The least similarity (Jaro and Winkler), from 0 to 1, of a symbol that is suggested.
const LIKENESS_MIN: f64 = 0.8;

/// A symbol as somebody asks for it: at one venue, or at all that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedSymbol {
    name: String,
    venue: Option<String>,
}

/// A text that is no symbol of a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no symbol, as in BTC-USD or BTC-USD@kraken")]
pub struct WantedSymbolError;

impl FromStr for WantedSymbol {
    type Err = WantedSymbolError;

    fn from_str(text: &str) -> Result<Self, WantedSymbolError> {
        let (name, venue) = match text.split_once('@') {
            Some((name, venue)) => (name, Some(venue)),
            None => (text, None),
        };
        let is_venue = |venue: &str| super::venue_names().contains(&venue);
        // A number of symbols means the simulated market.
        let is_name = is_symbol(name) && name.contains(|c: char| c.is_ascii_alphabetic());
        let is_good = is_name && venue.is_none_or(is_venue);
        let wanted = Self {
            name: name.to_owned(),
            venue: venue.map(str::to_owned),
        };
        is_good.then_some(wanted).ok_or(WantedSymbolError)
    }
}

impl WantedSymbol {
    /// The venue, if it is named.
    pub fn venue(&self) -> Option<&str> {
        self.venue.as_deref()
    }

    fn is_at(&self, venue: &dyn Venue) -> bool {
        self.venue
            .as_deref()
            .is_none_or(|name| name == venue.name())
    }
}

/// What is followed.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub(super) instruments: Vec<Instrument>,
    /// Of each instrument: the index of its venue, and its market.
    pub(super) markets: Vec<(usize, Listed)>,
    /// What a venue does not have: its index, and in words.
    pub(super) notes: Vec<(usize, String)>,
}

/// A market that was found: its symbol for everybody, its venue's index, and itself.
type FoundMarket = (String, usize, Listed);

/// Chooses markets: those of one symbol are beside each other.
///
/// # Errors
///
/// No venue has one of the symbols.
pub(super) fn choose(
    venues: &[(&'static dyn Venue, &[Listed])],
    wanted: Option<&[WantedSymbol]>,
) -> Result<Chosen, ExchangeError> {
    let (found, notes) = match wanted {
        Some(wanted) => named(venues, wanted),
        None => (usual(venues), Vec::new()),
    };
    let mut chosen = Chosen {
        notes,
        ..Chosen::default()
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (symbol, ..) in &found {
        *counts.entry(symbol.clone()).or_default() += 1;
    }
    let mut of_venue = vec![0; venues.len()];
    for (plain, index, market) in found {
        let venue = venues[index].0;
        let symbol = match counts[&plain] {
            1 => plain,
            _ => format!("{plain}@{}", venue.name()),
        };
        of_venue[index] += 1;
        let why = if !is_symbol(&symbol) {
            "it has characters that a symbol cannot have, or too many".to_owned()
        } else if of_venue[index] > MARKETS_MAX {
            format!("at most {MARKETS_MAX} symbols of a venue are followed")
        } else {
            chosen.instruments.push(instrument(symbol, venue, &market));
            chosen.markets.push((index, market));
            continue;
        };
        let note = format!("{symbol} is left out: {why}");
        chosen.notes.push((index, note));
    }
    match chosen.instruments.is_empty() {
        true => Err(ExchangeError::NoSymbol(words(venues, &chosen.notes))),
        false => Ok(chosen),
    }
}

/// The usual markets of each venue.
fn usual(venues: &[(&'static dyn Venue, &[Listed])]) -> Vec<FoundMarket> {
    let mut all = Vec::new();
    for base in USUAL {
        for (index, (venue, listed)) in venues.iter().enumerate() {
            let name = format!("{base}-{}", venue.usual_quote());
            let market = find(listed, &name).cloned();
            all.extend(market.map(|market| (symbol_of(&market), index, market)));
        }
    }
    all
}

/// The markets that somebody names, each once, and what a venue does not have.
fn named(
    venues: &[(&'static dyn Venue, &[Listed])],
    wanted: &[WantedSymbol],
) -> (Vec<FoundMarket>, Vec<(usize, String)>) {
    let (mut all, mut notes): (Vec<FoundMarket>, Vec<_>) = (Vec::new(), Vec::new());
    for symbol in wanted {
        for (index, (venue, listed)) in venues.iter().enumerate() {
            if !symbol.is_at(*venue) {
                continue;
            }
            let Some(market) = find(listed, &symbol.name) else {
                notes.push((index, absence(listed, &symbol.name)));
                continue;
            };
            let new = (symbol_of(market), index, market.clone());
            if !all.contains(&new) {
                all.push(new);
            }
        }
    }
    (all, notes)
}

/// Notes in words, each with its venue.
fn words(venues: &[(&'static dyn Venue, &[Listed])], notes: &[(usize, String)]) -> String {
    let notes = notes.iter();
    let notes = notes.map(|(venue, note)| format!("{}: {note}", venues[*venue].0.name()));
    notes.collect::<Vec<_>>().join("; ")
}

fn symbol_of(market: &Listed) -> String {
    market.currencies.join("-").to_uppercase()
}

/// The market of this name, as everybody writes it, or as the venue does.
fn find<'l>(listed: &'l [Listed], name: &str) -> Option<&'l Listed> {
    let name = name.to_uppercase();
    let is_name = |market: &&Listed| symbol_of(market) == name;
    let is_own = |market: &&Listed| {
        let own = [&market.ws, &market.rest];
        own.iter().any(|own| own.to_uppercase() == name)
    };
    let found = listed.iter().find(is_name);
    found.or_else(|| listed.iter().find(is_own))
}

/// That a venue does not have a symbol, and which it has instead.
fn absence(listed: &[Listed], name: &str) -> String {
    let likeness = |symbol: &String| strsim::jaro_winkler(symbol, &name.to_uppercase());
    let all = listed.iter().map(symbol_of);
    let nearest = all.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let nearest = nearest.filter(|nearest| likeness(nearest) > LIKENESS_MIN);
    let hint = nearest.map_or_else(String::new, |nearest| format!("; the nearest is {nearest}"));
    format!("it has no {name}{hint}")
}

fn instrument(symbol: String, venue: &dyn Venue, market: &Listed) -> Instrument {
    let [base, quote] = &market.currencies;
    let is_state = STATES.contains(&base.as_str());
    Instrument {
        symbol,
        name: format!("{base}/{quote}, {}", venue.name()),
        decimals: decimals_of(market.step),
        qty_decimals: decimals_of(market.qty_step),
        source: venue.name().to_owned(),
        venue: Some(venue.name().to_owned()),
        class: Some(match is_state {
            true => AssetClass::Currency,
            false => AssetClass::Crypto,
        }),
        currency: Some(quote.clone()),
        step: Some(market.step.normalize()),
        session: Some("24/7".to_owned()),
        zone: Some("UTC".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Decimal;
    use venues::VENUES;

    fn listed(base: &str, quote: &str) -> Listed {
        Listed {
            currencies: [base.to_owned(), quote.to_owned()],
            ws: format!("{base}/{quote}"),
            rest: format!("X{base}Z{quote}"),
            step: Decimal::HUNDREDTH,
            qty_step: Decimal::ONE,
        }
    }

    fn choice(wanted: Option<&str>) -> Result<(Vec<String>, Vec<String>), String> {
        let [kraken, coinbase, _] = VENUES;
        let here = [
            listed("BTC", "USD"),
            listed("ETH", "USD"),
            listed("ETH", "EUR"),
        ];
        let there = [listed("BTC", "USD"), listed("日", "USD")];
        let venues = [(kraken, &here[..]), (coinbase, &there[..])];
        let wanted: Option<Vec<WantedSymbol>> =
            wanted.map(|all| all.split(',').map(|name| name.parse().unwrap()).collect());
        let chosen = choose(&venues, wanted.as_deref()).map_err(|error| error.to_string())?;
        let symbols = chosen
            .instruments
            .iter()
            .map(|instrument| instrument.symbol.clone());
        Ok((symbols.collect(), vec![words(&venues, &chosen.notes)]))
    }

    #[test]
    fn symbols_of_several_venues_are_beside_each_other() {
        let all = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let both = ["BTC-USD@kraken", "BTC-USD@coinbase"];
        let expect = all(&[&both[..], &["ETH-USD"]].concat());
        assert_eq!(choice(None), Ok((expect.clone(), all(&[""]))));
        let notes = all(&["coinbase: it has no eth/usd"]);
        assert_eq!(choice(Some("btc-usd,eth/usd")), Ok((expect, notes)));
        // The venue's own spelling, one venue, and the same twice.
        let found = choice(Some("XETHZEUR@kraken,BTC-USD@coinbase,BTC/USD@coinbase"));
        assert_eq!(found, Ok((all(&["ETH-EUR", "BTC-USD"]), all(&[""]))));
        let found = choice(Some("BTC-USDT@kraken,ETH-USD"));
        let notes = all(&[
            "kraken: it has no BTC-USDT; the nearest is BTC-USD; coinbase: it has no ETH-USD; the nearest is BTC-USD",
        ]);
        assert_eq!(found, Ok((all(&["ETH-USD"]), notes)));
        let none = choice(Some("XYZ-ABC"));
        assert_eq!(
            none,
            Err("kraken: it has no XYZ-ABC; coinbase: it has no XYZ-ABC".to_owned())
        );
    }

    #[test]
    fn a_wanted_symbol_names_a_venue_or_none() {
        for (text, is_good) in [
            ("BTC-USD", true),
            ("BTC/USD@kraken", true),
            ("BTC-USD@nowhere", false),
            ("@kraken", false),
            ("BTC-USD@", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<WantedSymbol>().is_ok(), is_good, "{text}");
        }
    }
}
