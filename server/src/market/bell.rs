//! Wakes many tasks that repeatedly wait for the same event.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Wakes every listener each time that it rings.
///
/// A listener stays on the list until it leaves. The channels of tokio remove
/// every waiter from their list to wake it, and each waiter has to register
/// again, under a lock: for a thousand readers and sixty batches a second that
/// costs more than waking them.
#[derive(Debug, Default)]
pub(super) struct Bell(Mutex<Listeners>);

#[derive(Debug, Default)]
struct Listeners {
    wakers: Vec<Option<Waker>>,
    /// Indices in `wakers` that are empty.
    free: Vec<usize>,
}

/// A listener's place on a bell's list.
#[derive(Debug)]
pub(super) struct Place {
    index: usize,
    waker: Waker,
}

impl Bell {
    /// Wakes all listeners.
    pub(super) fn ring(&self) {
        let listeners = self.listeners();
        listeners
            .wakers
            .iter()
            .flatten()
            .for_each(Waker::wake_by_ref);
    }

    /// Makes sure that this waker is on the list, in its owner's place or in a
    /// new one. What happens before the next ring is visible to the task that
    /// the ring wakes.
    pub(super) fn listen(&self, place: &mut Option<Place>, waker: &Waker) {
        if let Some(known) = place
            && known.waker.will_wake(waker)
        {
            return;
        }
        let mut listeners = self.listeners();
        let index = match place {
            Some(known) => known.index,
            None => listeners.free.pop().unwrap_or_else(|| {
                listeners.wakers.push(None);
                listeners.wakers.len() - 1
            }),
        };
        listeners.wakers[index] = Some(waker.clone());
        let waker = waker.clone();
        *place = Some(Place { index, waker });
    }

    /// Frees a place.
    pub(super) fn leave(&self, place: Place) {
        let mut listeners = self.listeners();
        listeners.wakers[place.index] = None;
        listeners.free.push(place.index);
        // Frees the memory once every listener has left.
        if listeners.free.len() == listeners.wakers.len() {
            *listeners = Listeners::default();
        }
    }

    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        // Consistent after every step, so a poisoned lock is safe to use;
        // waking runs no foreign code.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn those_on_the_list_are_woken_until_they_leave() {
        let bell = Bell::default();
        let counts: [Arc<Count>; 3] = std::array::from_fn(|_| Arc::default());
        let mut places = [None, None, None];
        let woken = || {
            counts
                .each_ref()
                .map(|count| count.0.load(Ordering::Relaxed))
        };
        for (place, count) in places.iter_mut().zip(&counts) {
            let waker = Waker::from(Arc::clone(count));
            bell.listen(place, &waker);
            bell.listen(place, &waker);
        }
        bell.ring();
        assert_eq!(woken(), [1, 1, 1], "once each");
        bell.leave(places[1].take().unwrap());
        bell.ring();
        assert_eq!(woken(), [2, 1, 2]);
        // Another task takes over one listener's place, and the free one.
        let waker = Waker::from(Arc::clone(&counts[1]));
        bell.listen(&mut places[0], &waker);
        bell.listen(&mut places[1], &waker);
        bell.ring();
        assert_eq!(woken(), [2, 3, 3]);
        places
            .into_iter()
            .flatten()
            .for_each(|place| bell.leave(place));
        bell.ring();
        assert_eq!(woken(), [2, 3, 3]);
    }
}
