//! What all clients share, of which one client gets a quarter at most.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::host_of;

/// So many clients have to come together to take all there is.
const CLIENTS_MIN: usize = 4;

/// A number of things. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    free: Arc<Semaphore>,
    each: usize,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// Things that are taken, until this is dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "dropped with this")]
pub(crate) struct Taken {
    permit: OwnedSemaphorePermit,
    share: Option<Share>,
}

#[derive(Debug)]
struct Share {
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    client: IpAddr,
    count: usize,
}

impl Pool {
    /// So many things, of which a client gets a quarter, but `least` in any
    /// case.
    pub(super) fn new(count: usize, least: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count)),
            each: (count / CLIENTS_MIN).max(least),
            taken: Arc::default(),
        }
    }

    /// Takes so many, if they are free and the client's share has room. For
    /// `None`, behind which there are many clients, only the former counts.
    pub(super) fn take(&self, client: Option<IpAddr>, count: u32) -> Option<Taken> {
        let share = match client {
            Some(client) => Some(self.share(host_of(client), count as usize)?),
            None => None,
        };
        let permit = Arc::clone(&self.free).try_acquire_many_owned(count).ok()?;
        Some(Taken { permit, share })
    }

    fn share(&self, client: IpAddr, count: usize) -> Option<Share> {
        // Consistent after every change, so a poisoned lock is safe to use.
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(&client).copied().unwrap_or(0);
        if own + count > self.each {
            return None;
        }
        taken.insert(client, own + count);
        Some(Share {
            taken: Arc::clone(&self.taken),
            client,
            count,
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(&self.client).copied().unwrap_or(0);
        match own.saturating_sub(self.count) {
            0 => taken.remove(&self.client),
            left => taken.insert(self.client, left),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_a_quarter_and_leaves_the_rest_to_others() {
        let pool = Pool::new(8, 1);
        let [one, beside, other] = ["2001:db8::1", "2001:db8::2", "192.0.2.1"];
        let take = |client: &str| pool.take(Some(client.parse().unwrap()), 1);
        let held: Vec<_> = [take(one), take(beside)].into_iter().collect();
        assert!(held.iter().all(Option::is_some));
        assert!(take(one).is_none() && take(beside).is_none());
        let others = [take(other), take(other)];
        assert!(others.iter().all(Option::is_some) && take(other).is_none());
        // A proxy has no share of its own.
        let rest: Vec<_> = (0..5).map(|_| pool.take(None, 1)).collect();
        assert_eq!(rest.iter().filter(|taken| taken.is_some()).count(), 4);
        drop(rest);
        drop(held);
        assert!(take(beside).is_some());
        drop(others);
        assert!(pool.taken.lock().unwrap().is_empty());
    }
}
