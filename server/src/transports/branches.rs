//! Polls several futures of one task, and only those that woke it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Up to eight branches of one task.
///
/// A task that is woken does not know by which future, and polls all of them.
/// With thousands of connections, which are nearly always woken to send
/// messages, polling their sockets and timers as well takes a third of the
/// time.
#[derive(Debug)]
pub(crate) struct Branches<const COUNT: usize> {
    /// A bit for each branch that is to be polled.
    called: Arc<AtomicU8>,
    /// The branch that is polled first: the one after the last that was ready.
    /// One that is always ready leaves the others their turn.
    first: usize,
    /// The task's waker, and one waker for each branch.
    wakers: Option<(Waker, [Waker; COUNT])>,
}

#[derive(Debug)]
struct Branch {
    called: Arc<AtomicU8>,
    bit: u8,
    task: Waker,
}

impl Wake for Branch {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.called.fetch_or(self.bit, Ordering::AcqRel);
        self.task.wake_by_ref();
    }
}

impl<const COUNT: usize> Branches<COUNT> {
    /// New branches, all of which are polled first.
    pub(crate) fn new() -> Self {
        Self {
            called: Arc::new(AtomicU8::new(u8::MAX)),
            first: 0,
            wakers: None,
        }
    }

    /// Has a branch polled the next time, as if it had woken the task.
    pub(crate) fn call(&self, branch: usize) {
        self.called.fetch_or(1 << branch, Ordering::AcqRel);
    }

    /// Polls the branches that woke the task, in turn, until one is ready. That
    /// branch, and those that were not polled, are polled again the next time.
    pub(crate) fn poll<T>(
        &mut self,
        context: &Context<'_>,
        mut poll: impl FnMut(usize, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.know(context.waker());
        let mut left = self.called.swap(0, Ordering::AcqRel);
        let Some((_, wakers)) = &self.wakers else {
            return Poll::Pending;
        };
        for place in 0..COUNT {
            let branch = (self.first + place) % COUNT;
            let bit = 1 << branch;
            if left & bit == 0 {
                continue;
            }
            let polled = poll(branch, &mut Context::from_waker(&wakers[branch]));
            if polled.is_ready() {
                self.called.fetch_or(left, Ordering::AcqRel);
                self.first = (branch + 1) % COUNT;
                return polled;
            }
            left &= !bit;
        }
        Poll::Pending
    }

    /// Makes sure that each branch has a waker that wakes this task.
    fn know(&mut self, task: &Waker) {
        let known = self.wakers.as_ref();
        if known.is_some_and(|(known, _)| known.will_wake(task)) {
            return;
        }
        // The earlier wakers would wake another task.
        self.called.store(u8::MAX, Ordering::Release);
        let wakers = std::array::from_fn(|branch| {
            let branch = Branch {
                called: Arc::clone(&self.called),
                bit: 1 << branch,
                task: task.clone(),
            };
            Waker::from(Arc::new(branch))
        });
        self.wakers = Some((task.clone(), wakers));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The branches that are polled, and the result.
    fn poll_with(
        task: &Waker,
        branches: &mut Branches<3>,
        ready: &[usize],
    ) -> (Vec<usize>, Poll<usize>) {
        let mut polled = Vec::new();
        let context = Context::from_waker(task);
        let found = branches.poll(&context, |branch, _| {
            polled.push(branch);
            match ready.contains(&branch) {
                true => Poll::Ready(branch),
                false => Poll::Pending,
            }
        });
        (polled, found)
    }

    #[test]
    fn only_those_that_called_are_polled() {
        struct Task;
        impl Wake for Task {
            fn wake(self: Arc<Self>) {}
        }
        let task = Waker::from(Arc::new(Task));
        let poll = |branches: &mut Branches<3>, ready: &[usize]| poll_with(&task, branches, ready);
        let mut branches = Branches::<3>::new();
        assert_eq!(poll(&mut branches, &[]), (vec![0, 1, 2], Poll::Pending));
        assert_eq!(poll(&mut branches, &[0, 1, 2]), (vec![], Poll::Pending));
        let wakers = branches.wakers.as_ref().unwrap().1.clone();
        wakers[1].wake_by_ref();
        assert_eq!(poll(&mut branches, &[]), (vec![1], Poll::Pending));
        wakers[2].wake_by_ref();
        wakers[0].wake_by_ref();
        // A ready branch is polled again, after those that were not polled.
        assert_eq!(poll(&mut branches, &[2]), (vec![0, 2], Poll::Ready(2)));
        wakers[0].wake_by_ref();
        assert_eq!(poll(&mut branches, &[0]), (vec![0], Poll::Ready(0)));
        assert_eq!(poll(&mut branches, &[]), (vec![2, 0], Poll::Pending));
        assert_eq!(poll(&mut branches, &[]), (vec![], Poll::Pending));
    }

    #[test]
    fn who_is_always_ready_leaves_the_others_their_turn() {
        let mut branches = Branches::<3>::new();
        let mut found = Vec::new();
        for _ in 0..6 {
            let (_, ready) = poll_with(Waker::noop(), &mut branches, &[0, 1]);
            found.push(ready);
        }
        assert_eq!(found, [0, 1, 0, 1, 0, 1].map(Poll::Ready));
    }
}
