use axum::response::IntoResponse as _;

use super::*;

fn hosts() -> Hosts {
    Hosts::new(AccessConfig {
        hosts: vec!["prices.example.org".to_owned()],
        origins: vec!["https://friend.example".to_owned()],
        proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..AccessConfig::default()
    })
}

/// The status of a rejection; 200 if the request is allowed.
fn check(method: Method, headers: &[(&str, &str)], is_from_proxy: bool) -> u16 {
    let uri = Uri::from_static("/api/alerts");
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    let asked = Requester {
        method: &method,
        uri: &uri,
        headers: &map,
        is_from_proxy,
    };
    match hosts().check(&asked) {
        Ok(()) => 200,
        Err(fault) => fault.into_response().status().as_u16(),
    }
}

#[test]
fn names_of_this_server() {
    for (host, expect) in [
        ("localhost", 200),
        ("localhost:8080", 200),
        ("LOCALHOST:8080", 200),
        ("localhost.", 200),
        ("127.0.0.1:8080", 200),
        ("192.168.1.7", 200),
        ("[::1]:8080", 200),
        ("[fe80::1]", 200),
        ("prices.example.org", 200),
        ("Prices.Example.ORG:443", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("prices.example.org.evil.example", 421),
        ("", 421),
        ("a b", 421),
    ] {
        assert_eq!(
            check(Method::GET, &[("host", host)], false),
            expect,
            "{host:?}"
        );
    }
    // A client that is too old to send a host is not a browser.
    assert_eq!(check(Method::GET, &[], false), 200);
    // A page can set this header itself, so it must not grant access.
    let both = [("host", "evil.example"), ("x-forwarded-host", "localhost")];
    assert_eq!(check(Method::GET, &both, true), 421);
    let both = [("host", "127.0.0.1"), ("x-forwarded-host", "evil.example")];
    assert_eq!(check(Method::GET, &both, true), 421);
    assert_eq!(check(Method::GET, &both, false), 200);
}

const OWN: &str = "prices.example.org";

/// The host that is asked, the one that a proxy was asked, the origin of the
/// page, and the answer.
const ORIGINS: [(&str, Option<&str>, &str, u16); 15] = [
    (OWN, None, "https://prices.example.org", 200),
    (OWN, None, "https://PRICES.example.org:443", 200),
    (
        "prices.example.org:443",
        None,
        "https://prices.example.org",
        200,
    ),
    (
        "prices.example.org:80",
        None,
        "http://prices.example.org",
        200,
    ),
    (
        "prices.example.org:8080",
        None,
        "http://prices.example.org",
        403,
    ),
    (
        "127.0.0.1:8080",
        Some(OWN),
        "https://prices.example.org",
        200,
    ),
    (
        "127.0.0.1:8080",
        Some("localhost, prices.example.org"),
        "https://prices.example.org",
        200,
    ),
    ("[::1]:8080", None, "http://[::1]:8080", 200),
    ("127.0.0.1:8080", None, "http://localhost:3000", 200),
    ("192.168.1.7:8080", None, "http://192.168.1.7:8080", 200),
    ("192.168.1.7:8080", None, "http://localhost:3000", 403),
    (OWN, None, "https://evil.example", 403),
    (OWN, None, "null", 403),
    (OWN, None, "", 403),
    (OWN, None, "https://friend.example", 200),
];

#[test]
fn pages_of_other_servers_change_nothing() {
    for (host, forwarded, origin, expect) in ORIGINS {
        let mut headers = vec![("host", host), ("origin", origin)];
        headers.extend(forwarded.map(|forwarded| ("x-forwarded-host", forwarded)));
        let found = check(Method::DELETE, &headers, true);
        assert_eq!(found, expect, "{origin} at {host}, {forwarded:?}");
        assert_eq!(
            check(Method::GET, &headers, true),
            200,
            "reading is no change"
        );
        headers.push(("upgrade", "websocket"));
        assert_eq!(check(Method::GET, &headers, true), expect, "a WebSocket");
    }
    let site = |site| [("host", OWN), ("sec-fetch-site", site)];
    assert_eq!(check(Method::POST, &site("cross-site"), false), 403);
    assert_eq!(check(Method::POST, &site("same-origin"), false), 200);
    assert_eq!(
        check(Method::POST, &[("host", OWN)], false),
        200,
        "a program"
    );
}
