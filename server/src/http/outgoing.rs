//! What all requests share that this server sends.

use std::error::Error;
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use axum::http::header::{HeaderMap, RETRY_AFTER};

/// How long calls rest if a server refuses more of them and does not say how long.
pub(crate) const REST: Duration = Duration::from_secs(10);
/// A server is not believed to want a longer rest.
pub(crate) const REST_MAX: Duration = Duration::from_secs(24 * 3_600);

/// How long somebody asks to wait: in seconds, or until a date (RFC 9110, section
/// 10.2.3).
pub(crate) fn pause(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let end = httpdate::parse_http_date(text).ok()?;
    Some(end.duration_since(now).unwrap_or_default())
}

/// How long a server wants no calls, if it wants that: 418 is Binance's for who did not
/// obey 429.
pub(crate) fn asked_pause(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    if !matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::IM_A_TEAPOT
    ) {
        return None;
    }
    let wait = headers.get(RETRY_AFTER);
    let wait = wait.and_then(|wait| pause(wait.to_str().ok()?.trim(), SystemTime::now()));
    Some(wait.unwrap_or(REST).min(REST_MAX))
}

/// The innermost cause of an error.
pub(crate) fn cause<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    error.source().map_or(error, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_a_time_or_its_end() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_445_412_480);
        for (text, seconds) in [
            ("120", Some(120)),
            ("Wed, 21 Oct 2015 07:28:30 GMT", Some(30)),
            ("Wed, 21 Oct 2015 07:27:30 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(pause(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
