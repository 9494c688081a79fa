//! The settings that say which requests are allowed.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{ConfigError, Values, parse};

/// Which requests are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessConfig {
    /// Names of this server, in lower case, besides those that are known.
    pub hosts: Vec<String>,
    /// Other origins whose pages may change data, as in `https://example.org`.
    pub origins: Vec<String>,
    /// Trusted proxies, whose `X-Forwarded-Host` is used.
    pub proxies: Vec<IpNet>,
}

impl Values {
    pub(super) fn access(&self) -> Result<AccessConfig, ConfigError> {
        Ok(AccessConfig {
            hosts: self.get("allow-host", parse::hosts)?.unwrap_or_default(),
            origins: self
                .get("allow-origin", parse::origins)?
                .unwrap_or_default(),
            proxies: self
                .get("trust-proxy", parse::proxies)?
                .unwrap_or_else(loopback),
        })
    }
}

/// The default trusted proxies: those on this machine.
fn loopback() -> Vec<IpNet> {
    let v4 = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
    let v6 = Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128);
    vec![v4.into(), v6.into()]
}
