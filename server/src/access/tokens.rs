//! Tokens: long secrets that say what their holder may do.

use std::fmt;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngExt as _;
use ring::hmac;
use serde::Deserialize;

/// The least characters of a token. With 22 random letters and digits, nobody
/// guesses it.
const CHARS_MIN: usize = 22;
const CHARS_MAX: usize = 256;
/// What a token may consist of, so that it needs no quoting in a header, in a
/// cookie, or in the name of a subprotocol.
const CHARS: &str = "letters, digits, - and _";
/// The name of a subprotocol that carries a token, before the token.
const SUBPROTOCOL: &str = "tickwire.token.";
/// The cookie of a browser that has signed in.
pub(super) const COOKIE: &str = "tickwire";
/// What a cookie is made of, besides its token.
const SIGNED_IN: &[u8] = b"tickwire: signed in";

/// What somebody may do. Each includes the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    /// Nothing but what everybody may.
    Nothing,
    /// Read prices, history, alerts and the server's state.
    Read,
    /// Change alerts, move the replay and bring files, too.
    Change,
}

/// The tokens of a server. Neither is ever shown or logged.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    read: Option<String>,
    write: Option<String>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    /// Reads the text of a token file: `read = "…"`, `write = "…"`, or one of
    /// them.
    ///
    /// # Errors
    ///
    /// What is wrong, and what is allowed. The error contains no token.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let allowed = format!(
            "a line read = \"…\", a line write = \"…\", or both; a token has {CHARS_MIN} to \
             {CHARS_MAX} {CHARS}, as `openssl rand -hex 16` makes them"
        );
        let tokens: Self = toml::from_str(text).map_err(|error| {
            // The library's message quotes the line.
            let line = error.span().map_or(1, |span| {
                let before = text.get(..span.start).unwrap_or_default();
                before.matches('\n').count() + 1
            });
            format!("line {line}: not what it should be; {allowed}")
        })?;
        for (name, token) in tokens.all() {
            if !is_token(token) {
                return Err(format!("the {name} token is not allowed; {allowed}"));
            }
        }
        match (&tokens.read, &tokens.write) {
            (None, None) => Err(format!("there is no token; {allowed}")),
            (Some(read), Some(write)) if read == write => {
                Err("both tokens are the same; whoever may read could write".to_owned())
            }
            _ => Ok(tokens),
        }
    }

    /// The one that allows the most.
    pub(crate) fn highest(&self) -> Option<&str> {
        self.write.as_deref().or(self.read.as_deref())
    }

    fn all(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let read = self.read.iter().map(|token| ("read", token));
        read.chain(self.write.iter().map(|token| ("write", token)))
    }
}

fn is_token(text: &str) -> bool {
    (CHARS_MIN..=CHARS_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Compares what clients present with the tokens. The time that this takes says
/// nothing of the tokens: keyed hashes are compared, with a key that nobody
/// knows.
#[derive(Debug)]
pub(super) struct Keys {
    key: hmac::Key,
    known: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    right: Right,
    token: hmac::Tag,
    cookie: hmac::Tag,
}

impl Keys {
    pub(super) fn new(tokens: &Tokens) -> Self {
        let key: [u8; 32] = rand::rng().random();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let known = tokens.all().map(|(name, token)| Known {
            right: if name == "write" {
                Right::Change
            } else {
                Right::Read
            },
            token: hmac::sign(&key, token.as_bytes()),
            cookie: hmac::sign(&key, cookie_of(token).as_bytes()),
        });
        let known = known.collect();
        Self { key, known }
    }

    /// What the holder of this token may do; `None` if it is none of these.
    pub(super) fn of_token(&self, token: &str) -> Option<Right> {
        self.of(token, |known| &known.token)
    }

    fn of(&self, text: &str, tag: fn(&Known) -> &hmac::Tag) -> Option<Right> {
        let is =
            |known: &&Known| hmac::verify(&self.key, text.as_bytes(), tag(known).as_ref()).is_ok();
        self.known.iter().filter(is).map(|known| known.right).max()
    }

    /// What a request may do by what it presents; `None` if it presents
    /// something that this server does not know.
    pub(super) fn of_request(&self, headers: &HeaderMap) -> Option<Right> {
        if let Some(token) = bearer(headers).or_else(|| in_subprotocol(headers)) {
            return self.of_token(token);
        }
        // A cookie of an earlier token is the same as none: its page asks anew.
        let cookie = cookie(headers).and_then(|cookie| self.of(cookie, |known| &known.cookie));
        Some(cookie.unwrap_or(Right::Nothing))
    }
}

/// The cookie of the token's holder. It is not the token: whoever sees a cookie
/// cannot use it as one, and with another token it is worth nothing.
pub(super) fn cookie_of(token: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, SIGNED_IN))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Browsers cannot give a WebSocket a header of their own, except for the names
/// of subprotocols.
fn in_subprotocol(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter();
    let lists = values.filter_map(|value| value.to_str().ok());
    let mut names = lists.flat_map(|list| list.split(',')).map(str::trim);
    names.find_map(|name| name.strip_prefix(SUBPROTOCOL))
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(header::COOKIE).into_iter();
    let lists = values.filter_map(|value| value.to_str().ok());
    let pairs = lists.flat_map(|list| list.split(';'));
    let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, value)| (name == COOKIE).then_some(value))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    const READ: &str = "read-read-read-read-read";
    const WRITE: &str = "write_write_write_write_1";

    fn keys() -> Keys {
        let text = format!("read = \"{READ}\"\nwrite = \"{WRITE}\"\n");
        Keys::new(&Tokens::parse(&text).unwrap())
    }

    #[test]
    fn token_files() {
        for (text, expect) in [
            ("read = \"0123456789012345678901\"", None),
            ("write = \"0123456789012345678901\"\n# a note", None),
            ("", Some("there is no token")),
            ("# nothing", Some("there is no token")),
            (
                "read = \"012345678901234567890\"",
                Some("the read token is not allowed"),
            ),
            (
                "write = \"0123456789 0123456789 01\"",
                Some("the write token is not allowed"),
            ),
            (
                "write = \"0123456789ä0123456789ä01\"",
                Some("the write token is not allowed"),
            ),
            ("\nread = 1", Some("line 2")),
            ("admin = \"0123456789012345678901\"", Some("line 1")),
            ("0123456789012345678901", Some("line 1")),
            (
                "read = \"0123456789012345678901\"\nwrite = \"0123456789012345678901\"",
                Some("both tokens are the same"),
            ),
        ] {
            let found = Tokens::parse(text).err();
            match expect {
                None => assert_eq!(found, None, "{text}"),
                Some(expect) => {
                    let found = found.unwrap();
                    assert!(found.starts_with(expect), "{text}: {found}");
                    assert!(!found.contains("0123456789"), "{found}");
                }
            }
        }
    }

    #[test]
    fn what_is_presented() {
        let (read, write) = (cookie_of(READ), cookie_of(WRITE));
        for (name, value, expect) in [
            ("authorization", format!("Bearer {READ}"), Some(Right::Read)),
            (
                "authorization",
                format!("bearer {WRITE}"),
                Some(Right::Change),
            ),
            ("authorization", "Bearer nonsense".to_owned(), None),
            ("authorization", format!("Bearer {read}"), None),
            // Of a proxy in front, perhaps.
            (
                "authorization",
                "Basic eDp5".to_owned(),
                Some(Right::Nothing),
            ),
            (
                "sec-websocket-protocol",
                format!("tickwire.json.v1, tickwire.token.{READ}"),
                Some(Right::Read),
            ),
            (
                "sec-websocket-protocol",
                "tickwire.token.x".to_owned(),
                None,
            ),
            (
                "sec-websocket-protocol",
                "tickwire.json.v1".to_owned(),
                Some(Right::Nothing),
            ),
            ("cookie", format!("a=b; tickwire={read}"), Some(Right::Read)),
            (
                "cookie",
                format!("tickwire={write}; x"),
                Some(Right::Change),
            ),
            ("cookie", format!("tickwire={READ}"), Some(Right::Nothing)),
            ("cookie", format!("other={read}"), Some(Right::Nothing)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), value.parse().unwrap());
            assert_eq!(keys().of_request(&headers), expect, "{name}: {value}");
        }
        assert_eq!(keys().of_request(&HeaderMap::new()), Some(Right::Nothing));
    }

    #[test]
    fn nothing_shows_a_token() {
        let text = format!("read = \"{READ}\"");
        let tokens = Tokens::parse(&text).unwrap();
        let shown = format!("{tokens:?} {:?}", Keys::new(&tokens));
        assert!(!shown.contains(READ), "{shown}");
    }
}
