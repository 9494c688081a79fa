//! Which texts are valid symbols.

const LENGTH_MAX: usize = 24;

/// Whether this is a valid symbol: 1 to 24 ASCII letters, digits, `-`, `.`, `/`, `_`
/// and `@`, so that it needs no escaping in a list, a URL or a file.
pub fn is_symbol(name: &str) -> bool {
    !name.is_empty() && name.len() <= LENGTH_MAX && name.chars().all(is_part)
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-./_@".contains(c)
}

/// A symbol made from a file's name without the extension: in capitals, with
/// `-` for every character that a symbol cannot have. `None` if nothing is
/// left.
pub(super) fn of_file(stem: &str) -> Option<String> {
    let mut symbol = String::new();
    for c in stem.chars() {
        let c = if is_part(c) {
            c.to_ascii_uppercase()
        } else {
            '-'
        };
        // One `-` for several in a row.
        if c != '-' || !symbol.ends_with('-') {
            symbol.push(c);
        }
    }
    let symbol = symbol.trim_matches('-');
    let symbol = symbol.get(..LENGTH_MAX).unwrap_or(symbol);
    let symbol = symbol.trim_end_matches('-');
    is_symbol(symbol).then(|| symbol.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_symbol_is_one() {
        for (stem, expect) in [
            ("sp500-daily", Some("SP500-DAILY")),
            ("spx", Some("SPX")),
            ("my prices, 2020", Some("MY-PRICES-2020")),
            ("a~b\"c*d&e+f%g", Some("A-B-C-D-E-F-G")),
            ("日経 225", Some("225")),
            ("日経", None),
            ("", None),
        ] {
            assert_eq!(of_file(stem).as_deref(), expect, "{stem:?}");
        }
        let long = of_file(&"x".repeat(200)).unwrap();
        assert!(is_symbol(&long) && long.len() == LENGTH_MAX);
    }
}
