//! Decimals from JSON: strings, and nothing else. A JSON number would have been
//! through a double somewhere, and the code to read one from a double is a
//! burden for the page.

use std::fmt;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

struct Text;

impl Visitor<'_> for Text {
    type Value = Decimal;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a decimal as a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Decimal, E> {
        Decimal::from_str_exact(text).map_err(|_| E::custom(format_args!("'{text}' is no decimal")))
    }
}

/// `"64012.75"`.
pub(crate) fn decimal<'de, D: Deserializer<'de>>(json: D) -> Result<Decimal, D::Error> {
    json.deserialize_str(Text)
}

/// `"64012.75"` or `null`.
pub(crate) fn optional<'de, D: Deserializer<'de>>(json: D) -> Result<Option<Decimal>, D::Error> {
    let value = Option::<Exact>::deserialize(json)?;
    Ok(value.map(Exact::value))
}

/// A decimal inside of something else.
#[derive(Deserialize)]
pub(crate) struct Exact(#[serde(deserialize_with = "decimal")] Decimal);

impl Exact {
    pub(crate) fn value(self) -> Decimal {
        self.0
    }
}
