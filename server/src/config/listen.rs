//! The addresses to listen at: `8080`, `:8080`, `localhost:8080`, `[::1]:8080`.

use std::fmt;
use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, lookup_host};

const ALLOWED: &str = "a port (8080: this machine only; :8080: everybody), or an address or a name \
                       and a port, as in 127.0.0.1:8080, [::]:8080 or localhost:8080";

/// How often to try to find a free port.
const PORT_TRIES: u32 = 8;

/// An address to listen at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    /// Every address of this machine.
    All,
    Address(IpAddr),
    /// A name, for all its addresses.
    Name(String),
}

/// One address, or several separated by commas.
pub(super) fn parse(text: &str) -> std::result::Result<Vec<Listen>, &'static str> {
    text.split(',').map(|place| one(place.trim())).collect()
}

fn one(text: &str) -> std::result::Result<Listen, &'static str> {
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        is_number
            .then(|| text.parse().ok())
            .flatten()
            .ok_or(ALLOWED)
    };
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(Listen {
            host: Host::Address(address.ip()),
            port: address.port(),
        });
    }
    let (host, port) = match text.rsplit_once(':') {
        None => (Host::Address(Ipv4Addr::LOCALHOST.into()), text),
        Some(("" | "*", port)) => (Host::All, port),
        Some((name, port)) if is_name(name) => (Host::Name(name.to_owned()), port),
        Some(_) => return Err(ALLOWED),
    };
    Ok(Listen {
        host,
        port: number(port)?,
    })
}

fn is_name(name: &str) -> bool {
    // Only digits and points are a malformed address.
    name.len() <= 253
        && name.bytes().any(|b| b.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}

impl Listen {
    /// Whether only this machine reaches it.
    pub(super) fn is_loopback(&self) -> bool {
        match &self.host {
            Host::All => false,
            Host::Address(address) => address.to_canonical().is_loopback(),
            Host::Name(name) => name.eq_ignore_ascii_case("localhost"),
        }
    }

    /// Listens at all addresses of this name, with the same port.
    ///
    /// # Errors
    ///
    /// The name has no address, or one of the addresses cannot be used.
    pub async fn bind(&self) -> Result<Vec<TcpListener>> {
        let mut tries = if self.port == 0 { PORT_TRIES } else { 1 };
        loop {
            tries -= 1;
            match self.bind_once().await {
                // The port was free at one address, and in use at another.
                Err(error) if error.kind() == ErrorKind::AddrInUse && tries > 0 => {}
                bound => return bound,
            }
        }
    }

    async fn bind_once(&self) -> Result<Vec<TcpListener>> {
        let mut bound: Vec<TcpListener> = Vec::new();
        for address in self.addresses().await? {
            // Port 0 means any port, but the same one for all addresses of a
            // name.
            let port = match bound.first() {
                Some(first) => first.local_addr()?.port(),
                None => self.port,
            };
            match TcpListener::bind((address, port)).await {
                Ok(listener) => bound.push(listener),
                // A name can have addresses that this machine does not have.
                Err(error) if is_missing(&error) && !bound.is_empty() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(bound)
    }

    async fn addresses(&self) -> Result<Vec<IpAddr>> {
        match &self.host {
            Host::Address(address) => Ok(vec![*address]),
            // One socket for both address families, if the machine has both.
            Host::All => {
                let both = IpAddr::from(Ipv6Addr::UNSPECIFIED);
                match TcpListener::bind((both, 0)).await {
                    Ok(_) => Ok(vec![both]),
                    Err(_) => Ok(vec![Ipv4Addr::UNSPECIFIED.into()]),
                }
            }
            Host::Name(name) => {
                let mut found: Vec<_> = lookup_host((name.as_str(), self.port))
                    .await?
                    .map(|a| a.ip())
                    .collect();
                found.sort_unstable();
                found.dedup();
                if found.is_empty() {
                    return Err(Error::new(ErrorKind::NotFound, "the name has no address"));
                }
                Ok(found)
            }
        }
    }
}

fn is_missing(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AddrNotAvailable | ErrorKind::Unsupported
    ) || error.raw_os_error() == Some(97)
}

/// The URL that a browser on this machine opens to reach a listener.
pub fn url_of(address: SocketAddr, is_encrypted: bool) -> String {
    let scheme = if is_encrypted { "https" } else { "http" };
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        _ => Ipv4Addr::LOCALHOST.into(),
    };
    format!("{scheme}://{}", SocketAddr::new(ip, address.port()))
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::All => write!(f, ":{}", self.port),
            Host::Address(address) => SocketAddr::new(*address, self.port).fmt(f),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        for (text, expect) in [
            ("127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("8080", Some("127.0.0.1:8080")),
            (":8080", Some(":8080")),
            ("*:8080", Some(":8080")),
            ("[::]:8080", Some("[::]:8080")),
            ("[::1]:0", Some("[::1]:0")),
            ("localhost:8080", Some("localhost:8080")),
            ("my-host.example:1", Some("my-host.example:1")),
            ("", None),
            (":", None),
            ("localhost", None),
            ("65536", None),
            ("+80", None),
            ("::1:8080", None),
            ("127.0.0:80", None),
            ("a b:80", None),
            ("http://x:80", None),
            ("localhost:", None),
        ] {
            let found = one(text).ok().map(|place| place.to_string());
            assert_eq!(found.as_deref(), expect, "{text:?}");
        }
        assert_eq!(parse("8080, [::1]:80").map(|all| all.len()), Ok(2));
        assert!(parse("8080,").is_err());
    }

    #[test]
    fn what_is_printed_can_be_opened() {
        for (address, expect) in [
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://127.0.0.1:80"),
            ("[::1]:80", "http://[::1]:80"),
            ("10.0.0.1:80", "http://10.0.0.1:80"),
        ] {
            assert_eq!(url_of(address.parse().unwrap(), false), expect);
        }
    }

    #[tokio::test]
    async fn a_name_is_all_its_addresses() {
        let place = one("localhost:0").unwrap();
        let bound = place.bind().await.unwrap();
        let ports: Vec<_> = bound
            .iter()
            .map(|l| l.local_addr().unwrap().port())
            .collect();
        assert!(!ports.is_empty());
        assert!(ports.windows(2).all(|two| two[0] == two[1]), "{ports:?}");
    }
}
