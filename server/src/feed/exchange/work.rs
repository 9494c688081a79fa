//! Calls that a market waits for.

use std::ops::RangeInclusive;
use std::sync::Arc;

use shared::Time;

use super::catch_up::{Ask, Beginning, Found};
use super::rest::{CallError, Calls};
use venues::{Listed, VenueTrade};

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) enum Question {
    /// The past. Trades before the time are not shown one by one.
    Beginning(Option<Time>),
    /// The newest trades.
    Newest,
    /// The trades of these identifiers, not before this time.
    Trades(Time, RangeInclusive<u64>),
}

/// What a venue answered.
#[derive(Debug)]
pub(super) enum Answer {
    Beginning(Beginning),
    Newest(Vec<VenueTrade>),
    Trades(RangeInclusive<u64>, Found),
}

/// A question of the market with the index `place`.
#[derive(Debug)]
pub(super) struct Work {
    place: usize,
    question: Question,
    ask: Ask,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) place: usize,
    pub(super) result: Result<Answer, CallError>,
}

impl Work {
    pub(super) fn new(
        place: usize,
        (market, question): (Listed, Question),
        calls: &Arc<Calls>,
    ) -> Self {
        Self {
            place,
            question,
            ask: Ask::new(Arc::clone(calls), market),
        }
    }

    pub(super) async fn run(self) -> Done {
        let ask = self.ask;
        let result = match self.question {
            Question::Beginning(since) => ask.beginning(since).await.map(Answer::Beginning),
            Question::Newest => ask.newest().await.map(Answer::Newest),
            Question::Trades(from, ids) => {
                let found = ask.trades(from, &ids).await;
                found.map(|found| Answer::Trades(ids, found))
            }
        };
        Done {
            place: self.place,
            result,
        }
    }
}
