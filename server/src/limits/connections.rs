//! How many connections there are, in all and of each address.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// The connections that are open. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    max: usize,
    /// For each address.
    max_each: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    count: usize,
    of: HashMap<IpAddr, usize>,
}

/// Why there is no place for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// There are as many as there may be.
    All,
    /// There are as many from its address as there may be.
    Address,
}

/// The place of an open connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Connections,
    /// The address, if connections from there are counted.
    address: Option<IpAddr>,
}

/// Whom an address belongs to: who has one of IPv6 has the 2^64 beside it, too.
pub(crate) fn host_of(address: IpAddr) -> IpAddr {
    const NETWORK: u128 = !0 << 64;
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => Ipv6Addr::from_bits(v6.to_bits() & NETWORK).into(),
        address => address,
    }
}

/// How many connections beyond those that there may be are told that the server
/// is full. Over them, health and metrics are answered all the same.
pub(crate) const SPARE: usize = 16;

/// Those connections. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spare(Arc<Mutex<VecDeque<CancellationToken>>>);

impl Spare {
    /// A place for one more. Its connection ends when the token is cancelled,
    /// and cancels it when it ends. If there are too many, the oldest one goes:
    /// who asks for health asks at once, and who says nothing is in the way.
    pub(crate) fn take(&self) -> CancellationToken {
        // Consistent after every change, so a poisoned lock is safe to use.
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|connection| !connection.is_cancelled());
        if open.len() >= SPARE
            && let Some(oldest) = open.pop_front()
        {
            oldest.cancel();
        }
        let new = CancellationToken::new();
        open.push_back(new.clone());
        new
    }
}

impl Connections {
    pub(crate) fn new(max: usize, max_each: usize) -> Self {
        Self(Arc::new(Inner {
            max,
            max_each,
            open: Mutex::default(),
        }))
    }

    /// A place for a connection from this address; `None` for a proxy, behind
    /// which there are many clients.
    ///
    /// # Errors
    ///
    /// There is none.
    pub(crate) fn place(&self, address: Option<IpAddr>) -> Result<Place, Full> {
        let mut open = self.open();
        if open.count >= self.0.max {
            return Err(Full::All);
        }
        let address = address.map(host_of);
        if let Some(address) = address {
            let own = open.of.entry(address).or_default();
            if *own >= self.0.max_each {
                return Err(Full::Address);
            }
            *own += 1;
        }
        open.count += 1;
        Ok(Place {
            connections: self.clone(),
            address,
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Numbers are changed one by one, so a poisoned lock is safe to use.
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        open.count = open.count.saturating_sub(1);
        if let Some(address) = self.address
            && let Some(own) = open.of.get_mut(&address)
        {
            *own -= 1;
            if *own == 0 {
                open.of.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn as_many_as_there_may_be_and_no_more() {
        let connections = Connections::new(3, 2);
        let [one, other] = [1, 2].map(|last| Some(IpAddr::from(Ipv4Addr::new(10, 0, 0, last))));
        let place = |address| connections.place(address);
        let first = place(one).unwrap();
        let _second = place(one).unwrap();
        assert_eq!(place(one).unwrap_err(), Full::Address);
        let _proxy = place(None).unwrap();
        assert_eq!(place(other).unwrap_err(), Full::All);
        drop(first);
        let again = place(one).unwrap();
        drop(again);
        assert!(place(other).is_ok());
        assert_eq!(connections.open().of.len(), 1, "who is gone is forgotten");
    }
}
