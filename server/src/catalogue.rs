//! The instruments of a feed, and the search for symbols. A leaf module.

use shared::{Found, Instrument, Lookup};

/// The minimum similarity (Jaro and Winkler), from 0 to 1, for a symbol to be
/// suggested in place of another.
const LIKENESS_MIN: f64 = 0.8;

/// All instruments of a feed, in its order. An instrument is identified by its
/// index in the catalogue.
#[derive(Debug)]
pub struct Catalogue {
    instruments: Vec<Instrument>,
    index: Lookup,
}

/// A symbol that is not in the catalogue. The message suggests the nearest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no symbol '{symbol}'; {hint}")]
pub struct UnknownSymbol {
    symbol: String,
    hint: String,
}

impl Catalogue {
    /// The catalogue of these instruments.
    pub fn new(instruments: Vec<Instrument>) -> Self {
        Self {
            index: Lookup::new(instruments.iter().map(|i| i.symbol.as_str())),
            instruments,
        }
    }

    /// All instruments.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// The index of a symbol that is written exactly like this.
    pub fn place(&self, symbol: &str) -> Option<usize> {
        self.index.exact(symbol)
    }

    /// The index of a symbol, regardless of case, if there is only one match.
    ///
    /// # Errors
    ///
    /// There is no match, or more than one.
    pub fn find(&self, name: &str) -> Result<usize, UnknownSymbol> {
        let symbol_at = |place: usize| &self.instruments[place].symbol;
        let hint = match self.index.find(name) {
            Found::One(place) => return Ok(place),
            Found::Several(one, other) => {
                format!("did you mean {} or {}?", symbol_at(one), symbol_at(other))
            }
            Found::None => match self.nearest(name) {
                Some(symbol) => format!("did you mean {symbol}?"),
                None => "GET /api/symbols lists them".to_owned(),
            },
        };
        // Errors quote only the beginning of what was sent.
        let symbol = name.chars().take(40).collect();
        Err(UnknownSymbol { symbol, hint })
    }

    /// A symbol as the catalogue writes it.
    ///
    /// # Errors
    ///
    /// As [`Self::find`].
    pub fn symbol(&self, name: &str) -> Result<&str, UnknownSymbol> {
        let place = self.find(name)?;
        Ok(&self.instruments[place].symbol)
    }

    fn nearest(&self, name: &str) -> Option<&str> {
        let wanted = name.to_uppercase();
        let all = self.instruments.iter().map(|i| {
            let likeness = strsim::jaro_winkler(&i.symbol.to_uppercase(), &wanted);
            (likeness, i.symbol.as_str())
        });
        all.max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(likeness, _)| *likeness > LIKENESS_MIN)
            .map(|(_, symbol)| symbol)
    }
}
