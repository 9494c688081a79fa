//! A clock for tests: time passes only when everything waits for it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use futures_executor::LocalPool;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use futures_util::task::LocalSpawnExt;

use super::Clock;

/// A clock whose time is moved by [`run`]. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct VirtualClock(Rc<Inner>);

#[derive(Default)]
struct Inner {
    now_ms: Cell<f64>,
    /// Who sleeps, and until when.
    sleepers: RefCell<Vec<(f64, oneshot::Sender<()>)>>,
}

impl Clock for VirtualClock {
    fn now_ms(&self) -> f64 {
        self.0.now_ms.get()
    }

    fn sleep(&self, ms: u32) -> LocalBoxFuture<'static, ()> {
        let (wake, woken) = oneshot::channel();
        let until_ms = self.now_ms() + f64::from(ms);
        self.0.sleepers.borrow_mut().push((until_ms, wake));
        woken.map(drop).boxed_local()
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

impl VirtualClock {
    /// Moves the time to the next sleeper, and wakes it. Returns whether there is
    /// one before `end_ms`.
    fn advance(&self, end_ms: f64) -> bool {
        let mut sleepers = self.0.sleepers.borrow_mut();
        sleepers.retain(|(_, wake)| !wake.is_canceled());
        let next = sleepers.iter().map(|sleeper| sleeper.0);
        let next_ms = next.fold(f64::INFINITY, f64::min);
        if next_ms > end_ms {
            return false;
        }
        self.0.now_ms.set(self.now_ms().max(next_ms));
        let (due, later): (Vec<_>, Vec<_>) = sleepers.drain(..).partition(|s| s.0 <= next_ms);
        *sleepers = later;
        drop(sleepers);
        for (_, wake) in due {
            // Whoever slept may be gone.
            let _ = wake.send(());
        }
        true
    }
}

/// Runs a future until it completes; `None` if it has not when so much time has
/// passed.
pub(crate) fn run<T: 'static>(
    clock: &VirtualClock,
    limit_ms: f64,
    future: impl Future<Output = T> + 'static,
) -> Option<T> {
    let outcome = Rc::new(RefCell::new(None));
    let done = Rc::clone(&outcome);
    let mut pool = LocalPool::new();
    let task = async move {
        let value = future.await;
        done.replace(Some(value));
    };
    pool.spawner().spawn_local(task).unwrap();
    let end_ms = clock.now_ms() + limit_ms;
    loop {
        pool.run_until_stalled();
        if outcome.borrow().is_some() || !clock.advance(end_ms) {
            return outcome.take();
        }
    }
}
