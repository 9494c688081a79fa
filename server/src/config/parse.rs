//! One parser per setting: validates the text that a user wrote. The error says
//! what is allowed.

use std::path::PathBuf;
use std::time::Duration;

use axum::http::Uri;
use ipnet::IpNet;
use jiff::tz::TimeZone;
use pricefile::{DateForm, DateOrder, DecimalMark};
use shared::Time;

use super::{LogFormat, Public};
use crate::cluster::SharedLogConfig;
use crate::feed::{
    SimSymbols, Speed, UpstreamAddress, VenueConfig, WantedSymbol, is_symbol, venue_names,
};
use crate::store::Retention;
use crate::webhook::{Address, Secret};

const SYMBOLS_MAX: usize = 10_000;

pub(crate) type Parsed<T> = Result<T, &'static str>;

pub(super) fn public(text: &str) -> Parsed<Public> {
    match text {
        "read" => Ok(Public::Read),
        "all" => Ok(Public::All),
        _ => Err("read (everybody reads, nobody changes anything), or all"),
    }
}

pub(super) enum FeedKind {
    Sim,
    /// Files and folders; at least one.
    Replay(Vec<PathBuf>),
    /// Names of exchanges; at least one, each once.
    Exchange(Vec<String>),
    /// Another Tickwire.
    Relay(UpstreamAddress),
}

const REPLAY: &str = "replay:";
const RELAY: &str = "tickwire:";

pub(super) fn feed(text: &str) -> Parsed<FeedKind> {
    const ALLOWED: &str = "sim; kraken, coinbase and binance, each of them or several; \
                           replay:PATH, which may be there several times; or tickwire:URL for \
                           the log of another server";
    if text == "sim" {
        return Ok(FeedKind::Sim);
    }
    if let Some(address) = text.strip_prefix(RELAY) {
        let address = address.parse().map(FeedKind::Relay);
        return address.map_err(|_| {
            "tickwire: with the address of a server's WebSocket, as in \
             tickwire:wss://prices.example.org/ws"
        });
    }
    let names: Vec<_> = text.split(',').map(str::to_owned).collect();
    if names
        .iter()
        .all(|name| venue_names().contains(&name.as_str()))
    {
        let is_twice = |(at, name): (usize, &String)| names[..at].contains(name);
        return match names.iter().enumerate().any(is_twice) {
            true => Err(ALLOWED),
            false => Ok(FeedKind::Exchange(names)),
        };
    }
    // A path may have commas in it.
    let mut paths: Vec<String> = Vec::new();
    for part in text.split(',') {
        match (part.strip_prefix(REPLAY), paths.last_mut()) {
            (Some(path), _) => paths.push(path.to_owned()),
            (None, Some(before)) => *before += &format!(",{part}"),
            (None, None) => return Err(ALLOWED),
        }
    }
    if paths.iter().any(String::is_empty) {
        return Err(ALLOWED);
    }
    Ok(FeedKind::Replay(
        paths.into_iter().map(PathBuf::from).collect(),
    ))
}

pub(super) fn shared_log(text: &str) -> Parsed<SharedLogConfig> {
    text.parse().map_err(|_| {
        "the addresses of NATS servers, as in nats://a,b,c, or nats://a:4222/prices for a log of \
         that name"
    })
}

/// The name of a server among others.
pub(super) fn node(text: &str) -> Parsed<String> {
    let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_name = (1..=40).contains(&text.len()) && text.chars().all(is_good);
    is_name
        .then(|| text.to_owned())
        .ok_or("a name of at most 40 letters, digits, dots, - and _")
}

pub(super) fn folder(text: &str) -> Parsed<PathBuf> {
    match text.is_empty() {
        true => Err("the path of a folder"),
        false => Ok(PathBuf::from(text)),
    }
}

/// A size in bytes.
pub(super) fn megabytes(text: &str) -> Parsed<u64> {
    let megabytes = text.parse().ok();
    let megabytes = megabytes.filter(|megabytes| (1..=1_000_000).contains(megabytes));
    let bytes = megabytes.map(|megabytes: u64| megabytes * 1_000_000);
    bytes.ok_or("a whole number of megabytes from 1 to 1000000")
}

pub(crate) fn dates(text: &str) -> Parsed<DateOrder> {
    match text {
        "dmy" => Ok(DateOrder::DayFirst),
        "mdy" => Ok(DateOrder::MonthFirst),
        _ => Err("dmy for days before months, or mdy"),
    }
}

pub(crate) fn decimals(text: &str) -> Parsed<DecimalMark> {
    match text {
        "comma" => Ok(DecimalMark::Comma),
        "point" => Ok(DecimalMark::Point),
        _ => Err("comma for decimals as in 157,234 or point for thousands as in 157,234"),
    }
}

pub(crate) fn zone(text: &str) -> Parsed<TimeZone> {
    let found = TimeZone::get(text);
    found.map_err(|_| "a time zone such as UTC or America/New_York")
}

pub(super) fn moment(text: &str) -> Parsed<Time> {
    let read = || {
        let form = DateForm::of_column([text], None).ok()?;
        let is_plain = matches!(form, DateForm::YearFirst | DateForm::Epoch);
        is_plain.then(|| form.read(text).ok())?
    };
    let found = read().map(|moment| moment.time);
    found.ok_or("a date such as 2020-04-17, with a time of day as in 2020-04-17T09:30, in UTC")
}

pub(super) fn symbols(text: &str) -> Parsed<SimSymbols> {
    const ALLOWED: &str = "a number from 1 to 10000, or a list of different names such as \
                           BTC-USD,ETH-USD, each of 1 to 24 letters, digits, '-', '.', '/' or '_'";
    if let Ok(count) = text.parse::<usize>() {
        let in_range = (1..=SYMBOLS_MAX).contains(&count);
        return in_range.then_some(SimSymbols::First(count)).ok_or(ALLOWED);
    }
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    let mut sorted: Vec<_> = names.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let good = sorted.len() == names.len()
        && names.len() <= SYMBOLS_MAX
        && names.iter().all(|name| is_symbol(name));
    good.then_some(SimSymbols::Named(names)).ok_or(ALLOWED)
}

/// Symbols of these exchanges.
pub(super) fn wanted_symbols(text: &str, venues: &[VenueConfig]) -> Parsed<Vec<WantedSymbol>> {
    const ALLOWED: &str = "with exchanges, a list of different symbols such as \
                           BTC-USD,ETH-USD@kraken, where what follows @ is an exchange of --feed";
    let mut all: Vec<WantedSymbol> = Vec::new();
    for name in text.split(',') {
        let wanted: WantedSymbol = name.trim().parse().map_err(|_| ALLOWED)?;
        let is_here = |name| venues.iter().any(|venue| venue.name() == name);
        if all.contains(&wanted) || !wanted.venue().is_none_or(is_here) {
            return Err(ALLOWED);
        }
        all.push(wanted);
    }
    Ok(all)
}

/// An address without a path, of this scheme or the encrypted one.
pub(super) fn base_url(text: &str, scheme: &str) -> Parsed<String> {
    let text = text.trim_end_matches('/');
    let url = text.parse::<Uri>().ok();
    let is_good = url.is_some_and(|url| {
        let is_scheme = |found: &str| found == scheme || found.strip_suffix('s') == Some(scheme);
        url.scheme_str().is_some_and(is_scheme) && url.host().is_some() && url.query().is_none()
    });
    is_good.then(|| text.to_owned()).ok_or(match scheme {
        "ws" => "an address of ws or wss, as in wss://relay.example.org",
        _ => "an address of http or https, as in https://relay.example.org",
    })
}

pub(super) fn one_symbol(text: &str) -> Parsed<String> {
    let name = text.trim();
    is_symbol(name)
        .then(|| name.to_owned())
        .ok_or("with replay, one name for the file's prices, as in SPX")
}

pub(super) fn rate(text: &str) -> Parsed<f64> {
    positive(text, 1e6).ok_or("trades a second, from 0.001 to 1000000")
}

pub(super) fn quotes(text: &str) -> Parsed<f64> {
    let ratio: Option<f64> = text.parse().ok();
    let ratio = ratio.filter(|ratio| (0.0..=100.0).contains(ratio));
    ratio.ok_or("changes of a quote between two trades, from 0 to 100")
}

pub(super) fn speed(text: &str) -> Parsed<Speed> {
    let speed = text.parse();
    speed.map_err(|_| "bars a second as in 2, times real time as in 60x, or max")
}

/// A number between a thousandth and `max`.
fn positive(text: &str, max: f64) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    (0.001..=max).contains(&number).then_some(number)
}

pub(super) fn seed(text: &str) -> Parsed<u64> {
    text.parse()
        .map_err(|_| "a whole number from 0 to 18446744073709551615")
}

pub(super) fn flush(text: &str) -> Parsed<Duration> {
    let ms = text.parse().ok().filter(|ms| *ms <= 10_000);
    ms.map(Duration::from_millis)
        .ok_or("whole milliseconds from 0 to 10000")
}

pub(super) fn log_capacity(text: &str) -> Parsed<u64> {
    let ticks = text.parse().ok().filter(|n| (1..=100_000_000).contains(n));
    ticks.ok_or("a whole number of ticks from 1 to 100000000")
}

pub(super) fn file(text: &str) -> Parsed<PathBuf> {
    match text {
        "" => Err("a file"),
        file => Ok(file.into()),
    }
}

pub(super) fn store(text: &str) -> Parsed<Option<PathBuf>> {
    match text {
        "" => Err("a file, or none to keep nothing"),
        "none" => Ok(None),
        file => Ok(Some(file.into())),
    }
}

pub(super) fn retain(text: &str) -> Parsed<Retention> {
    text.parse().map_err(|_| {
        "intervals and how long each is kept, at least one bar and at most 1000y, as in \
         1s=1h,1m=30d; units are s, m, h, d and y"
    })
}

/// Several addresses are separated by commas; an address can contain a comma,
/// too.
pub(super) fn webhooks(text: &str) -> Parsed<Vec<Address>> {
    const ALLOWED: &str = "different addresses of http or https, as in https://example.org/alerts";
    let begins = |text: &str| {
        let text = text.trim_start().to_ascii_lowercase();
        text.starts_with("http://") || text.starts_with("https://")
    };
    let mut texts: Vec<String> = Vec::new();
    for part in text.split(',') {
        match texts.last_mut() {
            Some(before) if !begins(part) => *before += &format!(",{part}"),
            _ => texts.push(part.to_owned()),
        }
    }
    let mut addresses: Vec<Address> = Vec::new();
    for text in texts {
        let address = text.trim().parse().map_err(|_| ALLOWED)?;
        if addresses.contains(&address) {
            return Err(ALLOWED);
        }
        addresses.push(address);
    }
    Ok(addresses)
}

pub(super) fn secret(text: &str) -> Parsed<Secret> {
    let is_some = !text.trim().is_empty();
    is_some
        .then(|| Secret::new(text))
        .ok_or("a secret, which nobody can guess")
}

pub(super) fn hosts(text: &str) -> Parsed<Vec<String>> {
    let one = |name: &str| {
        let name = name.trim().trim_end_matches('.').to_ascii_lowercase();
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        let good = !name.is_empty() && name.len() <= 253 && name.bytes().all(allowed);
        good.then_some(name)
            .ok_or("names of this server, without scheme, port and path, as in prices.example.org")
    };
    text.split(',').map(one).collect()
}

pub(super) fn origins(text: &str) -> Parsed<Vec<String>> {
    const ALLOWED: &str = "where a page comes from, without a path, as in https://example.org";
    let one = |origin: &str| {
        let origin = origin.trim().to_ascii_lowercase();
        let url = origin.parse::<Uri>().map_err(|_| ALLOWED)?;
        let is_web = matches!(url.scheme_str(), Some("http" | "https"));
        let has_more = url
            .path_and_query()
            .is_some_and(|rest| rest.as_str() != "/");
        if !is_web || has_more || origin.ends_with('/') || origin.contains('@') {
            return Err(ALLOWED);
        }
        Ok(origin)
    };
    text.split(',').map(one).collect()
}

pub(super) fn proxies(text: &str) -> Parsed<Vec<IpNet>> {
    let one = |text: &str| {
        let text = text.trim();
        let net = text.parse::<IpNet>().ok();
        net.or_else(|| Some(text.parse::<std::net::IpAddr>().ok()?.into()))
            .ok_or("addresses of proxies, as in 10.0.0.5 or 10.0.0.0/8")
    };
    text.split(',').map(one).collect()
}

pub(super) fn base_path(text: &str) -> Parsed<String> {
    let path = text.trim_end_matches('/');
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let good = path.is_empty() || (path.starts_with('/') && !path.contains("//"));
    let good = good && path.bytes().all(allowed) && path.split('/').all(|part| part != "..");
    good.then(|| path.to_owned())
        .ok_or("a path that begins with /, as in /tickwire")
}

pub(super) fn keep_alive(text: &str) -> Parsed<Duration> {
    let seconds = text.parse().ok().filter(|s| (1..=86_400).contains(s));
    seconds
        .map(Duration::from_secs)
        .ok_or("whole seconds from 1 to 86400")
}

pub(super) fn on_or_off(text: &str) -> Parsed<bool> {
    match text {
        "off" => Ok(false),
        "on" => Ok(true),
        _ => Err("off, or on"),
    }
}

pub(super) fn log_format(text: &str) -> Parsed<LogFormat> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("text, or json"),
    }
}
