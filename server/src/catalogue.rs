//! The instruments of a feed, and how they are found. A leaf.

use shared::{Found, Instrument, Lookup};

/// How alike two symbols have to be for one to be meant by the other, from 0 to
/// 1 (Jaro and Winkler).
const LIKENESS_MIN: f64 = 0.8;

/// All instruments of a feed, in its order. An instrument is named by its place
/// in it.
#[derive(Debug)]
pub struct Catalogue {
    instruments: Vec<Instrument>,
    index: Lookup,
}

/// A symbol that the catalogue does not have. The message names the nearest.
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

    /// All of them.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// The place of a symbol that is written exactly so.
    pub fn place(&self, symbol: &str) -> Option<usize> {
        self.index.exact(symbol)
    }

    /// The place of a symbol, in whatever case it is written, if only one can
    /// be meant.
    ///
    /// # Errors
    ///
    /// There is none, or more than one that may be meant.
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
        // Errors quote what came, but not a megabyte of it.
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
