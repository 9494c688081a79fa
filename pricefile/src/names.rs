//! The symbol in the name of a file.

/// Words in the names of files that are no symbols.
const WORDS: [&str; 12] = [
    "dat",
    "ascii",
    "mt",
    "candlestick",
    "bid",
    "ask",
    "aggtrades",
    "trades",
    "klines",
    "ohlc",
    "ticks",
    "data",
];

/// The symbol in the name of a file, as in `BTCUSDT-1m-2025-01.csv`,
/// `XBTUSD_60.csv`, `DAT_ASCII_EURUSD_M1_201202.csv`, `BTC-USD-1m.csv`.
pub(crate) fn symbol_of(name: &str) -> Option<String> {
    let stem = name.split('.').next()?;
    // A pair may be written with a minus in between: what is around it is kept.
    let mut symbol = String::new();
    for part in stem.split_inclusive(['-', '_', ' ']) {
        let word = part.trim_end_matches(['-', '_', ' ']);
        if is_no_symbol(word) {
            if symbol.is_empty() {
                continue;
            }
            break;
        }
        symbol.push_str(part);
        if part.ends_with(['_', ' ']) {
            break;
        }
    }
    let symbol = symbol.trim_end_matches(['-', '_', ' ']);
    let is_good = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (!symbol.is_empty() && symbol.chars().all(is_good)).then(|| symbol.to_uppercase())
}

/// Whether a word of a name is an interval, a date, or one of [`WORDS`].
fn is_no_symbol(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let digits = lower.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let number = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let has_letter_before = lower.len() - digits.len() == 1 && is_number(digits);
    let has_unit_after = is_number(number) && lower.len() - number.len() <= 3;
    word.is_empty() || WORDS.contains(&lower.as_str()) || has_letter_before || has_unit_after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_of_many_sources() {
        for (name, expect) in [
            ("BTCUSDT-1m-2025-01.csv", Some("BTCUSDT")),
            ("BTCUSDT-aggTrades-2025-01-02.zip", Some("BTCUSDT")),
            ("XBTUSD_60.csv", Some("XBTUSD")),
            ("DAT_ASCII_EURUSD_M1_201202.csv", Some("EURUSD")),
            ("BTC-USD-1m.csv", Some("BTC-USD")),
            ("EURUSD_Candlestick_1_M_BID_01.01.2025.csv", Some("EURUSD")),
            ("aapl.us.txt", Some("AAPL")),
            ("sp500-daily.csv", Some("SP500-DAILY")),
            ("S&P 500 Historical Data.csv", None),
            ("2025-01.csv", None),
            ("", None),
        ] {
            assert_eq!(symbol_of(name).as_deref(), expect, "{name}");
        }
    }
}
