//! Which log is shared, and where.

use std::fmt;
use std::str::FromStr;

use async_nats::ServerAddr;

impl SharedLogConfig {
    /// The same log, of which NATS keeps so many bytes.
    #[must_use]
    pub(crate) fn keeping(self, bytes_max: u64) -> Self {
        Self { bytes_max, ..self }
    }
}

/// Which log is shared, and where.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedLogConfig {
    pub(super) servers: Vec<ServerAddr>,
    /// Servers of the same name share it.
    pub(super) name: String,
    /// The room for messages, in bytes.
    pub(super) bytes_max: u64,
}

/// An address that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the addresses of NATS servers, as in nats://a,b,c or nats://a:4222/prices")]
pub struct SharedLogError;

impl FromStr for SharedLogConfig {
    type Err = SharedLogError;

    fn from_str(text: &str) -> Result<Self, SharedLogError> {
        let (scheme, rest) = text.split_once("://").ok_or(SharedLogError)?;
        if !matches!(scheme, "nats" | "tls") {
            return Err(SharedLogError);
        }
        let (hosts, name) = match rest.split_once('/') {
            Some((hosts, name)) if !name.is_empty() => (hosts, name),
            Some((hosts, _)) => (hosts, "tickwire"),
            None => (rest, "tickwire"),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if hosts.is_empty() || name.len() > 40 || !name.chars().all(is_name) {
            return Err(SharedLogError);
        }
        let server = |host: &str| {
            let address = format!("{scheme}://{host}").parse::<ServerAddr>();
            address.map_err(|_| SharedLogError)
        };
        Ok(Self {
            servers: hosts.split(',').map(server).collect::<Result<_, _>>()?,
            name: name.to_owned(),
            bytes_max: 0,
        })
    }
}

impl fmt::Debug for SharedLogConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SharedLogConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.servers.iter().map(ServerAddr::host).collect();
        write!(f, "{} on {}", self.name, hosts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_servers_and_a_name() {
        for (text, shown) in [
            ("nats://a,b,c", "tickwire on a,b,c"),
            ("nats://127.0.0.1:4333/prices", "prices on 127.0.0.1"),
            ("tls://me:secret@a/x-1", "x-1 on a"),
        ] {
            let config: SharedLogConfig = text.parse().unwrap();
            assert_eq!(config.to_string(), shown);
        }
        for bad in [
            "",
            "a,b",
            "http://a",
            "nats://",
            "nats://a/b.c",
            "nats://a/b/c",
        ] {
            assert!(bad.parse::<SharedLogConfig>().is_err(), "{bad}");
        }
    }
}
