//! The request that sends a firing to a receiver.

use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
    USER_AGENT,
};
use axum::http::{Request, Response, StatusCode};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use ring::{digest, hmac};
use shared::Firing;
use tokio::time::timeout;
use url::Url;

use super::WebhookConfig;
use super::template::Template;
use crate::deliveries::Outcome;
use crate::http::dial::Dialer;
use crate::http::outgoing::{cause, pause};

/// The timeout for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most redirects of one request, all on the same host.
const REDIRECTS_MAX: usize = 3;
/// The header that proves that a body is from this server: `sha256=` and its
/// HMAC with the secret, in hexadecimal digits.
const SIGNATURE: HeaderName = HeaderName::from_static("x-tickwire-signature");

/// The URL of a receiver. It may contain a secret, so it is never displayed.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

/// An address that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("it is no address of http or https, as in https://example.org/alerts")]
pub struct AddressError;

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text).map_err(|_| AddressError)?;
        let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
        is_web.then_some(Self(url)).ok_or(AddressError)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({})", self.host())
    }
}

impl Address {
    pub(super) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// An identifier that does not reveal the URL.
    pub(super) fn id(&self) -> String {
        let hash = digest::digest(&digest::SHA256, self.0.as_str().as_bytes());
        hex(&hash.as_ref()[..16])
    }
}

/// The secret that bodies are signed with. It is never displayed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret with this text.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// Sends requests to one receiver.
pub(super) struct Sender {
    client: Client<Dialer, Body>,
    url: Url,
    /// The same for all requests: the user agent, the content type, and the
    /// credentials if the URL has them.
    headers: HeaderMap,
    template: Option<Template>,
    key: Option<hmac::Key>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str().unwrap_or_default();
        write!(formatter, "Sender({host})")
    }
}

/// The header with the user name and password of a URL (RFC 7617).
fn login(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |part| percent_encoding::percent_decode_str(part);
    let mut login: Vec<u8> = decoded(url.username()).collect();
    login.push(b':');
    login.extend(decoded(url.password().unwrap_or_default()));
    let header = format!("Basic {}", BASE64_STANDARD.encode(login));
    let mut header = HeaderValue::try_from(header).ok()?;
    header.set_sensitive(true);
    Some(header)
}

impl Sender {
    pub(super) fn new(address: &Address, config: &WebhookConfig) -> std::io::Result<Self> {
        let mut url = address.0.clone();
        let agent = concat!("tickwire/", env!("CARGO_PKG_VERSION"));
        let is_text = config.template.as_ref().is_some_and(Template::is_text);
        let kind = if is_text {
            "text/plain; charset=utf-8"
        } else {
            "application/json"
        };
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.extend(login(&url).map(|login| (AUTHORIZATION, login)));
        // Fails only for a URL without a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let secret = config.secret.as_ref();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(Dialer::new()?),
            url,
            headers,
            template: config.template.clone(),
            key: secret.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.0.as_bytes())),
        })
    }

    /// Sends a firing.
    pub(super) async fn send(&self, firing: &Firing) -> Outcome {
        let body = match &self.template {
            Some(template) => Ok(template.body(firing)),
            None => serde_json::to_string(firing),
        };
        let answer = match body {
            Ok(body) => timeout(PATIENCE, self.post(body)).await,
            Err(error) => return Outcome::Never(error.to_string()),
        };
        answer.unwrap_or_else(|_| {
            let words = format!("it did not answer within {} s", PATIENCE.as_secs());
            Outcome::Later(words, None)
        })
    }

    async fn post(&self, body: String) -> Outcome {
        let mut headers = self.headers.clone();
        if let Some(key) = &self.key {
            let signature = hex(hmac::sign(key, body.as_bytes()).as_ref());
            let signature = HeaderValue::try_from(format!("sha256={signature}"));
            headers.extend(signature.map(|signature| (SIGNATURE, signature)).ok());
        }
        let mut url = self.url.clone();
        for _ in 0..=REDIRECTS_MAX {
            let request = Request::post(url.as_str()).body(Body::from(body.clone()));
            let mut request = match request {
                Ok(request) => request,
                Err(error) => return Outcome::Never(error.to_string()),
            };
            request.headers_mut().extend(headers.clone());
            match self.client.request(request).await {
                Err(error) => {
                    let words = format!("it cannot be reached: {}", cause(&error));
                    return Outcome::Later(words, None);
                }
                Ok(answer) => match elsewhere(&url, &answer) {
                    Some(other) => url = other,
                    None => return outcome(&url, &answer),
                },
            }
        }
        Outcome::Never(format!(
            "it sends requests on, more than {REDIRECTS_MAX} times"
        ))
    }
}

/// The URL on the same host to which the answer redirects the same request, if
/// any.
fn elsewhere(url: &Url, answer: &Response<Incoming>) -> Option<Url> {
    let is_same_request = matches!(
        answer.status(),
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
    );
    let place = answer.headers().get(LOCATION).filter(|_| is_same_request)?;
    let other = url.join(place.to_str().ok()?).ok()?;
    let is_same_host = other.host_str() == url.host_str();
    let is_same_port = other.port_or_known_default() == url.port_or_known_default();
    // A redirect must not weaken the encryption, nor lead to another port of
    // the same scheme.
    let is_as_safe = match (url.scheme(), other.scheme()) {
        ("http", "https") => true,
        (one, other) => one == other && is_same_port,
    };
    (is_same_host && is_as_safe).then_some(other)
}

fn outcome(url: &Url, answer: &Response<Incoming>) -> Outcome {
    let status = answer.status();
    let said = format!("it answered {status}");
    if status.is_success() {
        return Outcome::Taken;
    }
    if status.is_redirection() {
        let place = answer.headers().get(LOCATION);
        let place = place.and_then(|place| url.join(place.to_str().ok()?).ok());
        let host = place.as_ref().and_then(Url::host_str).unwrap_or("nowhere");
        return Outcome::Never(format!(
            "{said}, which sends the request on to {host}; set the address that it is to go to"
        ));
    }
    let is_passing = status.is_server_error()
        || [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::TOO_EARLY,
            StatusCode::TOO_MANY_REQUESTS,
        ]
        .contains(&status);
    if !is_passing {
        return Outcome::Never(said);
    }
    let wait = answer.headers().get(RETRY_AFTER);
    let wait = wait.and_then(|wait| pause(wait.to_str().ok()?.trim(), SystemTime::now()));
    Outcome::Later(said, wait)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a text never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        // The RFC's test case 2.
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
        let signature = hmac::sign(&key, b"what do ya want for nothing?");
        assert_eq!(
            hex(signature.as_ref()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn an_address_is_shown_nowhere() {
        let address: Address = "https://me:secret@hooks.example.org/T0/B1/key?x=y"
            .parse()
            .unwrap();
        assert_eq!(format!("{address:?}"), "Address(hooks.example.org)");
        let sender = Sender::new(&address, &WebhookConfig::default()).unwrap();
        assert_eq!(format!("{sender:?}"), "Sender(hooks.example.org)");
        assert_eq!(sender.headers[AUTHORIZATION], "Basic bWU6c2VjcmV0");
        assert_eq!(
            sender.url.as_str(),
            "https://hooks.example.org/T0/B1/key?x=y"
        );
        for bad in ["ftp://x", "https://", "x", "/alerts", ""] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }
}
