//! The long-running parts of the server. If one fails, the server ends: stale
//! prices are worse than none.

use std::any::Any;
use std::collections::HashMap;

use tokio::task::{Id, JoinError, JoinSet};

/// The error that a part of the server has stopped on its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part} has stopped: {why}")]
pub struct Stopped {
    part: &'static str,
    why: String,
    is_panic: bool,
}

impl Stopped {
    /// A part that could not begin.
    pub(crate) fn of(part: &'static str, why: &dyn std::fmt::Display) -> Self {
        Self {
            part,
            why: why.to_string(),
            is_panic: false,
        }
    }

    pub(crate) fn is_panic(&self) -> bool {
        self.is_panic
    }
}

/// The running parts.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    set: JoinSet<Result<(), String>>,
    parts: HashMap<Id, &'static str>,
}

impl Tasks {
    /// Starts a part, with a name for messages.
    pub(crate) fn spawn(
        &mut self,
        part: &'static str,
        task: impl Future<Output = Result<(), String>> + Send + 'static,
    ) {
        let id = self.set.spawn(task).id();
        self.parts.insert(id, part);
    }

    /// Completes when a part panics or returns an error.
    pub(crate) async fn fault(&mut self) -> Stopped {
        loop {
            let Some(ended) = self.set.join_next_with_id().await else {
                // All parts have completed; the server continues without them.
                return std::future::pending().await;
            };
            let Some(stopped) = self.stopped(ended) else {
                continue;
            };
            return stopped;
        }
    }

    /// Completes when all parts have ended. Returns the first failure, but a
    /// panic takes precedence.
    pub(crate) async fn finish(mut self) -> Option<Stopped> {
        let mut first = None;
        while let Some(ended) = self.set.join_next_with_id().await {
            let stopped = self.stopped(ended);
            // A panic is the reason why other parts had to stop.
            let is_cause = stopped.as_ref().is_some_and(Stopped::is_panic);
            if first.is_none() || is_cause {
                first = stopped.or(first);
            }
        }
        first
    }

    fn stopped(&self, ended: Result<(Id, Result<(), String>), JoinError>) -> Option<Stopped> {
        let (id, why, is_panic) = match ended {
            Ok((_, Ok(()))) => return None,
            Ok((id, Err(why))) => (id, why, false),
            Err(error) => (error.id(), why(error), true),
        };
        Some(Stopped {
            part: self.part(id),
            why,
            is_panic,
        })
    }

    fn part(&self, id: Id) -> &'static str {
        self.parts
            .get(&id)
            .copied()
            .unwrap_or("a part of the server")
    }
}

fn why(error: JoinError) -> String {
    let panic = match error.try_into_panic() {
        Ok(panic) => panic,
        Err(error) => return error.to_string(),
    };
    let text = |panic: &(dyn Any + Send)| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned())
    };
    match text(&*panic) {
        Some(text) => format!("it panicked: {text}"),
        None => "it panicked".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_panics_is_named() {
        let mut tasks = Tasks::default();
        tasks.spawn("the store", std::future::pending());
        tasks.spawn("the market", async { panic!("no more {}", "prices") });
        assert_eq!(
            tasks.fault().await.to_string(),
            "the market has stopped: it panicked: no more prices"
        );
    }

    #[tokio::test]
    async fn one_that_is_done_is_no_fault() {
        let mut tasks = Tasks::default();
        tasks.spawn("the feed", async { Ok(()) });
        tasks.spawn("the market", async {
            tokio::task::yield_now().await;
            Err("the feed ended without saying so".to_owned())
        });
        assert_eq!(
            tasks.fault().await.to_string(),
            "the market has stopped: the feed ended without saying so"
        );
        tasks.spawn("the store", async { Ok(()) });
        assert_eq!(tasks.finish().await, None);
    }
}
