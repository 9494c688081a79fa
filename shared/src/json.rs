//! A JSON parser for the page.
//!
//! The usual parsers can print any unexpected value, including doubles; the
//! code that prints those is a twentieth of the page. This parser supports only
//! whole numbers, which is all that the wire uses, and its errors give only the
//! reason and the offset.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

/// The deepest nesting: more than any message has.
const DEPTH_MAX: u8 = 32;

/// Why a text cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    reason: String,
    /// The offset in bytes at which parsing stopped.
    at: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at byte {}", self.reason, self.at)
    }
}

impl std::error::Error for JsonError {}

fn because(reason: &str) -> JsonError {
    JsonError {
        reason: reason.to_owned(),
        at: 0,
    }
}

// Unexpected values are not printed; see above.
impl serde::de::Error for JsonError {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        because(&reason.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        because("a value of another type")
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        because("a value that is not allowed")
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        because("too few values")
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        because("a word that is not known")
    }

    fn missing_field(field: &'static str) -> Self {
        because(&["no field ", field].concat())
    }
}

/// Parses a complete text.
///
/// # Errors
///
/// It is not JSON, does not match the type, or has a number that is not a whole
/// number of 64 bits.
pub fn from_json<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T, JsonError> {
    let mut reader = Reader {
        json,
        at: 0,
        depth: 0,
    };
    let read = T::deserialize(&mut reader).and_then(|value| match reader.peek() {
        None => Ok(value),
        Some(_) => Err(because("something after the end")),
    });
    read.map_err(|error| JsonError {
        at: reader.at,
        ..error
    })
}

struct Reader<'de> {
    json: &'de [u8],
    at: usize,
    depth: u8,
}

impl<'de> Reader<'de> {
    /// The next byte that is not white space, without consuming it.
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.json.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Consumes this byte, and any white space before it; returns whether it
    /// was there.
    fn takes(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, byte: u8, reason: &str) -> Result<(), JsonError> {
        self.takes(byte)
            .then_some(())
            .ok_or_else(|| because(reason))
    }

    fn word(&mut self, word: &str) -> Result<(), JsonError> {
        let rest = self.json.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(because("not JSON"));
        }
        self.at += word.len();
        Ok(())
    }

    /// A whole number: whether it is negative, and its absolute value.
    fn number(&mut self) -> Result<(bool, u64), JsonError> {
        if !matches!(self.peek(), Some(b'-' | b'0'..=b'9')) {
            return Err(because("a value of another type"));
        }
        let negative = self.takes(b'-');
        let first = self.at;
        let mut number: u64 = 0;
        while let Some(digit) = self.json.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            let digit = u64::from(digit - b'0');
            let more = number.checked_mul(10).and_then(|n| n.checked_add(digit));
            number = more.ok_or_else(|| because("a number of more than 64 bits"))?;
            self.at += 1;
        }
        let digits = self.json.get(first..self.at).unwrap_or_default();
        if digits.is_empty() || (digits.len() > 1 && digits[0] == b'0') {
            return Err(because("not JSON"));
        }
        if matches!(self.json.get(self.at), Some(b'.' | b'e' | b'E')) {
            return Err(because("a number that is not whole"));
        }
        Ok((negative, number))
    }

    fn text(&mut self) -> Result<Text<'de>, JsonError> {
        self.need(b'"', "a value of another type")?;
        let mut unescaped: Option<Vec<u8>> = None;
        let mut start = self.at;
        loop {
            let byte = self.json.get(self.at);
            match byte.ok_or_else(|| because("a text without an end"))? {
                b'"' => break,
                b'\\' => {
                    let text = unescaped.get_or_insert_default();
                    text.extend_from_slice(&self.json[start..self.at]);
                    self.at += 1;
                    self.escape(text)?;
                    start = self.at;
                }
                0..0x20 => return Err(because("a control character in a text")),
                _ => self.at += 1,
            }
        }
        let rest = &self.json[start..self.at];
        self.at += 1;
        let utf8 = |_| because("a text that is not UTF-8");
        match unescaped {
            None => std::str::from_utf8(rest)
                .map(Text::Borrowed)
                .map_err(|_| utf8(())),
            Some(mut text) => {
                text.extend_from_slice(rest);
                String::from_utf8(text)
                    .map(Text::Owned)
                    .map_err(|_| utf8(()))
            }
        }
    }

    /// Parses an escape sequence after its backslash.
    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), JsonError> {
        let byte = self.json.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        text.push(match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let mut code = self.hexadecimal()?;
                // The first half of a surrogate pair.
                if (0xD800..0xDC00).contains(&code) {
                    self.word("\\u")?;
                    let low = self.hexadecimal()?.wrapping_sub(0xDC00);
                    if low >= 0x400 {
                        return Err(because("half a character"));
                    }
                    code = 0x1_0000 + ((code - 0xD800) << 10) + low;
                }
                let character = char::from_u32(code).ok_or_else(|| because("half a character"))?;
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(because("not JSON")),
        });
        Ok(())
    }

    fn hexadecimal(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.json.get(self.at).copied().unwrap_or_default();
            let digit = char::from(digit).to_digit(16);
            code = 16 * code + digit.ok_or_else(|| because("not JSON"))?;
            self.at += 1;
        }
        Ok(code)
    }

    /// Enters a list or an object.
    fn enter(&mut self, bracket: u8, end: u8) -> Result<Items<'_, 'de>, JsonError> {
        self.need(bracket, "a value of another type")?;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(because("too many values inside each other"));
        }
        Ok(Items {
            reader: self,
            end,
            is_first: true,
        })
    }

    /// Leaves it, at its end.
    fn leave(&mut self, end: u8) -> Result<(), JsonError> {
        self.depth -= 1;
        self.need(end, "more values than expected")
    }

    /// Skips a value.
    fn skip(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'"') => self.text().map(|_| ()),
            Some(b'{') => {
                let mut fields = self.enter(b'{', b'}')?;
                while fields.has_more()? {
                    fields.reader.text()?;
                    fields.reader.need(b':', "no colon")?;
                    fields.reader.skip()?;
                }
                self.leave(b'}')
            }
            Some(b'[') => {
                let mut items = self.enter(b'[', b']')?;
                while items.has_more()? {
                    items.reader.skip()?;
                }
                self.leave(b']')
            }
            Some(b'n') => self.word("null"),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            // Numbers that are not whole can be skipped, too.
            Some(b'-' | b'0'..=b'9') => {
                let is_part =
                    |byte: &&u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                while self.json.get(self.at).filter(is_part).is_some() {
                    self.at += 1;
                }
                Ok(())
            }
            _ => Err(because("not JSON")),
        }
    }
}

enum Text<'de> {
    Borrowed(&'de str),
    Owned(String),
}

/// The items of a list, or the fields of an object.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    end: u8,
    is_first: bool,
}

impl Items<'_, '_> {
    /// Whether there is another item. If so, the reader is in front of it.
    fn has_more(&mut self) -> Result<bool, JsonError> {
        if self.reader.peek() == Some(self.end) {
            return Ok(false);
        }
        if !std::mem::take(&mut self.is_first) {
            self.reader.need(b',', "no comma")?;
        }
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = JsonError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, JsonError> {
        if !self.has_more()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = JsonError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, JsonError> {
        if !self.has_more()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, JsonError> {
        self.reader.need(b':', "no colon")?;
        seed.deserialize(&mut *self.reader)
    }
}

// Each kind of value has its own method: the code of `deserialize_any` is
// compiled once for each type that uses it.
impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = JsonError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self.peek() {
            Some(b'"') => self.deserialize_str(visitor),
            Some(b'{') => self.deserialize_map(visitor),
            Some(b'[') => self.deserialize_seq(visitor),
            Some(b'n') => self.deserialize_unit(visitor),
            Some(b't' | b'f') => self.deserialize_bool(visitor),
            Some(b'-' | b'0'..=b'9') => self.deserialize_i64(visitor),
            Some(_) => Err(because("not JSON")),
            None => Err(because("the end")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self.text()? {
            Text::Borrowed(text) => visitor.visit_borrowed_str(text),
            Text::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        let (negative, number) = self.number()?;
        if !negative {
            return visitor.visit_u64(number);
        }
        let number = 0_i64.checked_sub_unsigned(number);
        visitor.visit_i64(number.ok_or_else(|| because("a number of more than 64 bits"))?)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        let is_true = self.peek() == Some(b't');
        self.word(if is_true { "true" } else { "false" })?;
        visitor.visit_bool(is_true)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.peek();
        self.word("null")?;
        visitor.visit_unit()
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        let value = visitor.visit_seq(self.enter(b'[', b']')?)?;
        self.leave(b']')?;
        Ok(value)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        let value = visitor.visit_map(self.enter(b'{', b'}')?)?;
        self.leave(b'}')?;
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        if self.peek() == Some(b'n') {
            self.word("null")?;
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        visitor.visit_enum(Word(self))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.skip()?;
        visitor.visit_unit()
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.deserialize_i64(visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u128 f32 f64 char bytes byte_buf unit_struct tuple tuple_struct
    }
}

/// An enum variant without data: all enums on the wire are of this form.
struct Word<'r, 'de>(&'r mut Reader<'de>);

impl<'de> EnumAccess<'de> for Word<'_, 'de> {
    type Error = JsonError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), JsonError> {
        let value = seed.deserialize(&mut *self.0)?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'_, 'de> {
    type Error = JsonError;

    fn unit_variant(self) -> Result<(), JsonError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, JsonError> {
        Err(JsonError::custom("a word with a value"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, JsonError> {
        Err(JsonError::custom("a word with values"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, JsonError> {
        Err(JsonError::custom("a word with fields"))
    }
}

#[cfg(test)]
mod tests;
