//! The groups that have something to read: those whose bells rang since they
//! were last checked. The other groups are not checked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// The keys of one pusher's groups that have something to read.
#[derive(Debug, Default)]
pub(super) struct Calls {
    waiting: Mutex<Vec<usize>>,
    pusher: AtomicWaker,
}

/// Puts one group's key on the list when its set's bell rings; at most once.
#[derive(Debug)]
pub(super) struct Call {
    calls: Arc<Calls>,
    key: usize,
    is_waiting: AtomicBool,
}

impl Calls {
    /// Takes the keys on the list; ready when there are any.
    pub(super) fn poll_take(&self, context: &Context<'_>) -> Poll<Vec<usize>> {
        self.pusher.register(context.waker());
        // Consistent after every step, so a poisoned lock is safe to use.
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            return Poll::Pending;
        }
        let room = waiting.len();
        let mut keys = std::mem::replace(&mut *waiting, Vec::with_capacity(room));
        drop(waiting);
        // In this order, neighbouring groups are prefetched from memory.
        keys.sort_unstable();
        Poll::Ready(keys)
    }
}

impl Call {
    pub(super) fn new(calls: &Arc<Calls>, key: usize) -> Arc<Self> {
        Arc::new(Self {
            calls: Arc::clone(calls),
            key,
            is_waiting: AtomicBool::new(false),
        })
    }

    /// The group is being checked now: a later ring puts it on the list again.
    pub(super) fn answer(&self) {
        // Not a plain store: what was published before a call that found the
        // group waiting has to be seen by the read after this.
        self.is_waiting.swap(false, Ordering::AcqRel);
    }

    pub(super) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_waiting.swap(true, Ordering::AcqRel) {
            return;
        }
        let waiting = &self.calls.waiting;
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(self.key);
        let is_first = waiting.len() == 1;
        drop(waiting);
        if is_first {
            self.calls.pusher.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_on_the_list_once_until_it_is_answered() {
        let calls = Arc::new(Calls::default());
        let [one, two] = [7, 9].map(|key| Call::new(&calls, key));
        let context = Context::from_waker(Waker::noop());
        let take = || match calls.poll_take(&context) {
            Poll::Ready(keys) => keys,
            Poll::Pending => Vec::new(),
        };
        assert!(calls.poll_take(&context).is_pending());
        for call in [&one, &two, &one] {
            call.waker().wake();
        }
        assert_eq!(take(), [7, 9]);
        one.waker().wake();
        assert_eq!(take(), [0; 0], "it was not looked at yet");
        one.answer();
        one.waker().wake();
        assert_eq!(take(), [7]);
    }
}
