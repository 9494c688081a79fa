use std::collections::HashMap;

/// Finds symbols as users write them: exactly or, if there is only one match,
/// regardless of case.
#[derive(Clone, Debug, Default)]
pub struct Lookup {
    exact: HashMap<String, usize>,
    folded: HashMap<String, Folded>,
}

/// Symbols that differ only in case.
#[derive(Clone, Copy, Debug)]
enum Folded {
    One(usize),
    Several(usize, usize),
}

/// The result of a search for a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The one at this index.
    One(usize),
    /// There are several matches: these two, and perhaps more.
    Several(usize, usize),
    /// There is no match.
    None,
}

impl Lookup {
    /// A lookup of the indices of these symbols.
    pub fn new<'s>(symbols: impl IntoIterator<Item = &'s str>) -> Self {
        let mut lookup = Self::default();
        for (place, symbol) in symbols.into_iter().enumerate() {
            lookup.exact.entry(symbol.to_owned()).or_insert(place);
            lookup
                .folded
                .entry(symbol.to_lowercase())
                .and_modify(|known| {
                    if let Folded::One(first) = *known {
                        *known = Folded::Several(first, place);
                    }
                })
                .or_insert(Folded::One(place));
        }
        lookup
    }

    /// Whether there are no symbols.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty()
    }

    /// The index of the symbol that is written exactly like this.
    pub fn exact(&self, symbol: &str) -> Option<usize> {
        self.exact.get(symbol).copied()
    }

    /// The index of a symbol, regardless of case.
    pub fn find(&self, symbol: &str) -> Found {
        if let Some(place) = self.exact(symbol) {
            return Found::One(place);
        }
        match self.folded.get(&symbol.to_lowercase()) {
            Some(Folded::One(place)) => Found::One(*place),
            Some(Folded::Several(one, other)) => Found::Several(*one, *other),
            None => Found::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter_where_one_can_be_meant() {
        let lookup = Lookup::new(["spx", "BTC-USD", "Abc", "ABC", "ÄÖ"]);
        for (text, expect) in [
            ("spx", Found::One(0)),
            ("SPX", Found::One(0)),
            ("btc-usd", Found::One(1)),
            ("Abc", Found::One(2)),
            ("ABC", Found::One(3)),
            ("abc", Found::Several(2, 3)),
            ("äö", Found::One(4)),
            ("", Found::None),
            ("BTC", Found::None),
        ] {
            assert_eq!(lookup.find(text), expect, "{text:?}");
        }
    }
}
