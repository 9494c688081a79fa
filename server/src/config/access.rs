//! The settings that say which requests are allowed.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{ConfigError, Values, listen, parse};
use crate::access::Tokens;
use crate::wire::Certificates;

/// Which requests are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessConfig {
    /// Names of this server, in lower case, besides those that are known.
    pub hosts: Vec<String>,
    /// Other origins whose pages may change data, as in `https://example.org`.
    pub origins: Vec<String>,
    /// Trusted proxies, whose `X-Forwarded-Host` is used.
    pub proxies: Vec<IpNet>,
    /// The tokens, if there are any.
    pub tokens: Option<Tokens>,
    /// What everybody may do who reaches the server; without tokens and on this
    /// machine only, that need not be said.
    pub public: Option<Public>,
    /// Whether each request is logged.
    pub log: bool,
}

/// What everybody may do who reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Public {
    /// Read, and change nothing.
    Read,
    /// Read, and change alerts.
    All,
}

impl AccessConfig {
    /// Who may do what, in one line; `None` if only this machine reaches the
    /// server.
    pub fn words(&self) -> Option<&'static str> {
        match (self.public, &self.tokens) {
            (None, None) => None,
            (Some(Public::All), _) => {
                Some("Everybody who reaches this may read and change everything")
            }
            (Some(Public::Read), None) => {
                Some("Everybody who reaches this may read, and nobody may change anything")
            }
            (Some(Public::Read), Some(_)) => Some(
                "Everybody who reaches this may read; to change something takes the write token",
            ),
            (None, Some(_)) => Some("To read or to change something takes a token"),
        }
    }
}

/// The files of TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The server's certificate, and those that it was signed with.
    pub chain: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl TlsConfig {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// They cannot be used.
    pub(crate) fn open(&self) -> Result<Certificates, ConfigError> {
        let opened = Certificates::open(&self.chain, &self.key);
        opened.map_err(|error| ConfigError(format!("--tls-cert and --tls-key: {error}")))
    }
}

impl Values {
    pub(super) fn tls(&self) -> Result<Option<TlsConfig>, ConfigError> {
        let file = |name| self.get(name, parse::file);
        match (file("tls-cert")?, file("tls-key")?) {
            (None, None) => Ok(None),
            (Some(chain), Some(key)) => Ok(Some(TlsConfig { chain, key })),
            (Some(_), None) => Err(ConfigError("--tls-cert needs --tls-key".to_owned())),
            (None, Some(_)) => Err(ConfigError("--tls-key needs --tls-cert".to_owned())),
        }
    }

    pub(super) fn access(&self) -> Result<AccessConfig, ConfigError> {
        let access = AccessConfig {
            hosts: self.get("allow-host", parse::hosts)?.unwrap_or_default(),
            origins: self
                .get("allow-origin", parse::origins)?
                .unwrap_or_default(),
            proxies: self
                .get("trust-proxy", parse::proxies)?
                .unwrap_or_else(loopback),
            tokens: self.tokens("token-file")?,
            public: self.get("public", parse::public)?,
            log: self.need("access-log", parse::on_or_off)?,
        };
        if access.tokens.is_some() && access.public == Some(Public::All) {
            let message = "--public all and --token-file contradict each other: leave out one, or \
                           choose --public read";
            return Err(ConfigError(message.to_owned()));
        }
        let listen = self.need("listen", listen::parse)?;
        let open = listen.iter().find(|place| !place.is_loopback());
        match open {
            Some(place) if access.words().is_none() => Err(ConfigError(format!(
                "--listen {place}: say what somebody may do who reaches that: --token-file FILE \
                 asks for a token, --public read lets everybody read and nobody change anything, \
                 --public all lets everybody do everything"
            ))),
            _ => Ok(access),
        }
    }

    /// The tokens in the file that this setting names.
    pub(super) fn tokens(&self, setting: &str) -> Result<Option<Tokens>, ConfigError> {
        let Some((source, path)) = self.0.get(setting) else {
            return Ok(None);
        };
        let error = |what: &dyn fmt::Display| ConfigError(format!("{source}: {path}: {what}"));
        let text = std::fs::read_to_string(path).map_err(|io| error(&io))?;
        Tokens::parse(&text).map(Some).map_err(|what| error(&what))
    }
}

/// The default trusted proxies: those on this machine.
fn loopback() -> Vec<IpNet> {
    let v4 = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
    let v6 = Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128);
    vec![v4.into(), v6.into()]
}
