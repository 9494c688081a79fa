use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of one run of the server in base 36, chosen at random when it
/// starts.
///
/// Every run numbers its ticks from 1; the epoch tells their numbers apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Epoch(u32);

impl Epoch {
    /// The epoch with this number. Numbers have no order and no meaning.
    pub fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// The number of this epoch.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // u32::MAX has seven base-36 digits.
        let mut digits = [0u8; 7];
        let mut start = digits.len();
        let mut rest = self.0;
        loop {
            start -= 1;
            digits[start] = b"0123456789abcdefghijklmnopqrstuvwxyz"[(rest % 36) as usize];
            rest /= 36;
            if rest == 0 {
                break;
            }
        }
        f.write_str(std::str::from_utf8(&digits[start..]).map_err(|_| fmt::Error)?)
    }
}

/// A position in the log: everything up to and including `seq` is before it.
///
/// Written as `"{epoch}-{seq}"`, as in `k3f9zq-128843`. The text is opaque to
/// clients; they store it and send it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The run of the server that the position belongs to.
    pub epoch: Epoch,
    /// The log's sequence number, from 1 without gaps; 0 is before the first.
    pub seq: u64,
}

/// A text that is not a cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a cursor; give back one that the server sent, as in k3f9zq-128843")]
pub struct CursorError(String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.seq)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Errors quote only the beginning of what was sent.
        let error = || CursorError(text.chars().take(40).collect());
        let (epoch, seq) = text.split_once('-').ok_or_else(error)?;
        let cursor = Self {
            epoch: Epoch(u32::from_str_radix(epoch, 36).map_err(|_| error())?),
            seq: seq.parse().map_err(|_| error())?,
        };
        // Each position has exactly one text: no signs, leading zeros or
        // capitals.
        if cursor.to_string() == text {
            Ok(cursor)
        } else {
            Err(error())
        }
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Cursor {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("A position in the log, to be sent back unchanged."))
            .pattern(Some("^[1-9a-z][0-9a-z]{0,5}-(0|[1-9][0-9]{0,18})$"))
            .examples(["k3f9zq-128843"])
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Cursor {}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expect: Option<(u32, u64)>) {
        let parsed = text.parse::<Cursor>().ok();
        let expect = expect.map(|(epoch, seq)| Cursor {
            epoch: Epoch(epoch),
            seq,
        });
        assert_eq!(parsed, expect, "{text:?}");
    }

    #[test]
    fn only_what_the_server_wrote_is_a_cursor() {
        check("k3f9zq-128843", Some((1_215_075_158, 128_843)));
        check("0-0", Some((0, 0)));
        check("1z141z3-18446744073709551615", Some((u32::MAX, u64::MAX)));
        check("1z141z4-1", None);
        check("a-18446744073709551616", None);
        check("a-01", None);
        check("0a-1", None);
        check("A-1", None);
        check("a-+1", None);
        check("+a-1", None);
        check("a--1", None);
        check("a1", None);
        check("", None);
        check("-", None);
        check("a-1 ", None);
        check("ä-1", None);
    }

    proptest! {
        #[test]
        fn a_cursor_survives_its_text(epoch: u32, seq: u64) {
            let cursor = Cursor { epoch: Epoch(epoch), seq };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn any_text_is_refused_or_kept(text in ".{0,40}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }
}
