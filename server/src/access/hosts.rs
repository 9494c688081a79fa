//! Under which host names this server answers, and which origins' pages may
//! change data.
//!
//! A browser lets any page send requests to any server, and a page whose host
//! name resolves to this machine has, for the browser, the same origin as this
//! server (DNS rebinding). Against the first, calls that change data and the
//! WebSocket check the page's origin. Against the second, every request has to
//! use a host name that this server knows.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, Uri, header};

use crate::config::AccessConfig;
use crate::http::Fault;

/// The host that the browser requested, as reported by a proxy.
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// The addresses that a request came through, as reported by proxies.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// How a browser reports the relation of the requesting page to this server.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The most different rejections that are logged; by then their source is
/// known.
const LOGGED_MAX: usize = 100;

/// The names of this server, and the pages and proxies that it trusts.
#[derive(Debug)]
pub(super) struct Hosts {
    config: AccessConfig,
    /// Host names of this machine, in lower case.
    names: Vec<String>,
    /// The rejections that were logged.
    logged: Mutex<HashSet<String>>,
}

impl Hosts {
    /// With these settings.
    pub(super) fn new(config: AccessConfig) -> Self {
        let mut names = vec!["localhost".to_owned()];
        if let Some(name) = machine_name() {
            // Its name in mDNS.
            names.push(format!("{name}.local"));
            names.push(name);
        }
        Self {
            config,
            names,
            logged: Mutex::default(),
        }
    }

    /// Rejects requests for other hosts, and changes by pages of other origins.
    ///
    /// # Errors
    ///
    /// The request is rejected, with the reason.
    pub(super) fn check(&self, request: &Requester<'_>) -> Result<(), Fault> {
        for host in request.hosts() {
            if !self.knows(&host) {
                let message = format!(
                    "this server is not known as '{host}'; if it is to be, start it with --allow-host {}",
                    Name::of(&host).host
                );
                self.log(&message);
                return Err(Fault::Misdirected(message));
            }
        }
        if request.changes() {
            self.check_page(request)?;
        }
        Ok(())
    }

    /// Checks that the request comes from a page of this server, or from no
    /// page at all.
    ///
    /// # Errors
    ///
    /// The page has another origin.
    fn check_page(&self, request: &Requester<'_>) -> Result<(), Fault> {
        let origin = request.text(&header::ORIGIN);
        let allowed = &self.config.origins;
        let known = |origin: &str| {
            allowed
                .iter()
                .any(|known| known.eq_ignore_ascii_case(origin))
        };
        let is_own = match &origin {
            Some(origin) => known(origin) || request.hosts().any(|host| is_same(origin, &host)),
            // Some browsers omit the header for pages of the same origin.
            None => request.text(&FETCH_SITE).as_deref() != Some("cross-site"),
        };
        if is_own {
            return Ok(());
        }
        let origin = origin.unwrap_or_else(|| "another site".to_owned());
        let hosts: Vec<_> = request.hosts().collect();
        let hosts = hosts.join("', '");
        let message = format!(
            "a page of {origin} may not do this: this server is '{hosts}'. Behind a proxy, pass on Host with its port ($http_host in nginx), or X-Forwarded-Host; for a page of another server, start this one with --allow-origin {origin}"
        );
        self.log(&message);
        Err(Fault::Forbidden(message))
    }

    fn knows(&self, host: &str) -> bool {
        let name = Name::of(host);
        let Self { config, names, .. } = self;
        name.is_address() || names.contains(&name.host) || config.hosts.contains(&name.host)
    }

    fn log(&self, message: &str) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() < LOGGED_MAX && logged.insert(message.to_owned()) {
            tracing::warn!("refused: {message}");
        }
    }

    /// Whose request it is that this peer passes on. A trusted proxy appends the
    /// address that it sees, so the last one that is no proxy's is the client's.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(Some(peer)) {
            return peer;
        }
        let lists = headers.get_all(FORWARDED_FOR).iter();
        let lists = lists.map(|list| String::from_utf8_lossy(list.as_bytes()));
        let all = lists.collect::<Vec<_>>().join(",");
        let known = all.rsplit(',').map_while(|text| text.trim().parse().ok());
        let mut known = known.map(|address: IpAddr| address.to_canonical());
        known
            .find(|address| !self.trusts(Some(*address)))
            .unwrap_or(peer)
    }

    /// Whether what this peer says of the request is believed.
    pub(super) fn trusts(&self, peer: Option<IpAddr>) -> bool {
        let peer = peer.map(|peer| peer.to_canonical());
        peer.is_some_and(|peer| self.config.proxies.iter().any(|net| net.contains(&peer)))
    }
}

/// The parts of a request that access control needs.
pub(super) struct Requester<'r> {
    pub(super) method: &'r Method,
    pub(super) uri: &'r Uri,
    pub(super) headers: &'r HeaderMap,
    pub(super) is_from_proxy: bool,
}

impl Requester<'_> {
    fn text(&self, name: &HeaderName) -> Option<String> {
        let value = self.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
    }

    /// The host names that it uses for this server: its own, and the one that a
    /// proxy reports.
    fn hosts(&self) -> impl Iterator<Item = String> {
        let direct = match self.uri.authority() {
            Some(authority) => Some(authority.to_string()),
            None => self.text(&header::HOST),
        };
        let forwarded = self
            .headers
            .get_all(FORWARDED_HOST)
            .iter()
            .filter(|_| self.is_from_proxy)
            .flat_map(|value| {
                let list = String::from_utf8_lossy(value.as_bytes()).into_owned();
                let names: Vec<_> = list.split(',').map(|name| name.trim().to_owned()).collect();
                names
            })
            .filter(|name| !name.is_empty());
        direct.into_iter().chain(forwarded)
    }

    /// Whether it may change data, or opens the WebSocket, over which a browser
    /// lets any page read.
    fn changes(&self) -> bool {
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS];
        let upgrades = self.headers.contains_key(header::UPGRADE);
        upgrades || !reads.contains(self.method)
    }
}

/// A host name and port, as in requests.
struct Name {
    /// In lower case.
    host: String,
    port: Option<u16>,
}

impl Name {
    fn of(text: &str) -> Self {
        match text.parse::<Authority>() {
            Ok(authority) => Self {
                host: authority.host().trim_end_matches('.').to_ascii_lowercase(),
                port: authority.port_u16(),
            },
            // Not a valid name, so it matches none.
            Err(_) => Self {
                host: text.to_ascii_lowercase(),
                port: None,
            },
        }
    }

    fn is_address(&self) -> bool {
        let host = self
            .host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        host.unwrap_or(&self.host).parse::<IpAddr>().is_ok()
    }

    fn is_loopback(&self) -> bool {
        let host = self
            .host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let address = host.unwrap_or(&self.host).parse::<IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

/// Whether a page of `origin` belongs to the server that was requested as
/// `host`. All loopback names are the same: a development server forwards the
/// requests of its own page.
fn is_same(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let usual = match scheme.to_ascii_lowercase().as_str() {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let (page, own) = (Name::of(authority), Name::of(host));
    if page.is_loopback() && own.is_loopback() {
        return true;
    }
    page.host == own.host && page.port.unwrap_or(usual) == own.port.unwrap_or(usual)
}

#[cfg(unix)]
fn machine_name() -> Option<String> {
    let name = rustix::system::uname();
    let name = name.nodename().to_str().ok()?.to_ascii_lowercase();
    (!name.is_empty()).then_some(name)
}

#[cfg(not(unix))]
fn machine_name() -> Option<String> {
    std::env::var("COMPUTERNAME")
        .ok()
        .map(|name| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
