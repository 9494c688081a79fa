use crate::{Cursor, ServerMessage, Tick};

/// A client's proof that it missed nothing and saw nothing twice.
///
/// Give it every message in the order of arrival. It holds when each `from`
/// equals the `cursor` before it; it counts what does not. The chain belongs to
/// the client and not to a connection: it goes on over reconnects and over
/// changes of transport, because every transport reads the same log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    cursor: Option<Cursor>,
    missed: u64,
    repeated: u64,
    skipped: u64,
}

/// What a client may do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The message is new: apply all of it.
    Apply,
    /// Part of it, or all, was seen before: apply ticks after this number only,
    /// and nothing of alerts.
    ApplyAfter(u64),
}

impl Verdict {
    /// Those of a message's ticks that are new.
    pub fn fresh<'t>(self, ticks: &'t [Tick]) -> impl Iterator<Item = &'t Tick> + use<'t> {
        let seen = match self {
            Self::Apply => 0,
            Self::ApplyAfter(seen) => seen,
        };
        ticks.iter().filter(move |tick| tick.seq() > seen)
    }
}

impl Chain {
    /// A chain that goes on from a cursor, as if everything up to it was seen.
    pub fn from_cursor(cursor: Cursor) -> Self {
        Self {
            cursor: Some(cursor),
            ..Self::default()
        }
    }

    /// Gives its position up: what comes next is a snapshot. What was counted
    /// stays.
    pub fn begin_anew(&mut self) {
        self.cursor = None;
    }

    /// Where to resume: the position after the last message that moved it.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// How many log entries lie in gaps of the chain: an upper bound of the
    /// ticks that never came. Not those that a `snapshot` stands for.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// How many ticks and alerts came again.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// How many ticks the server left out because only the newest were asked
    /// for: each was counted in the message that left it out.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Moves the chain over `message` and says what of it is new.
    pub fn follow(&mut self, message: &ServerMessage) -> Verdict {
        let Some((from, cursor)) = message.span() else {
            self.cursor = message.cursor().or(self.cursor);
            return Verdict::Apply;
        };
        let seen = self.step(from, cursor);
        if let ServerMessage::Ticks { skipped, .. } = message
            && seen <= from.seq
        {
            self.skipped += skipped;
        }
        let again = match message {
            ServerMessage::Ticks { ticks, .. } => {
                ticks.iter().filter(|tick| tick.seq() <= seen).count()
            }
            ServerMessage::Alerts { firings, .. } if cursor.seq <= seen => firings.len(),
            // What was told is told: it would put back what came since.
            ServerMessage::AlertsChanged { .. } if cursor.seq <= seen => {
                return Verdict::ApplyAfter(seen);
            }
            _ => 0,
        };
        self.repeated += again as u64;
        if again == 0 {
            Verdict::Apply
        } else {
            Verdict::ApplyAfter(seen)
        }
    }

    /// Moves the chain over the end of a poll's answer, once its events were
    /// followed: nothing of the set lies between the last of them and its
    /// `cursor`.
    pub fn finish(&mut self, answer: &crate::TicksAnswer) {
        let from = if answer.events.is_empty() {
            answer.from
        } else {
            self.cursor.unwrap_or(answer.from)
        };
        let _seen = self.step(from, answer.cursor);
    }

    /// Moves from `from` to `to` and returns the number up to which everything
    /// was seen before.
    fn step(&mut self, from: Cursor, to: Cursor) -> u64 {
        let Some(at) = self.cursor.filter(|at| at.epoch == from.epoch) else {
            // Ticks without a snapshot before them, in a run not seen before:
            // all that the run had up to here is missing.
            self.missed += from.seq;
            self.cursor = Some(to);
            return from.seq;
        };
        self.missed += from.seq.saturating_sub(at.seq);
        if to.seq >= at.seq {
            self.cursor = Some(to);
        }
        at.seq
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decimal, Epoch, SnapshotReason, Tick, Time, Trade};

    fn at(seq: u64) -> Cursor {
        Cursor {
            epoch: Epoch::from_number(7),
            seq,
        }
    }

    fn ticks(from: u64, to: u64) -> ServerMessage {
        ServerMessage::Ticks {
            from: at(from),
            cursor: at(to),
            skipped: 0,
            ticks: (from + 1..=to)
                .map(|seq| {
                    Tick::Trade(Trade {
                        seq,
                        symbol: "A".into(),
                        time: Time::EPOCH,
                        at: None,
                        id: None,
                        price: Decimal::ONE,
                        qty: Decimal::ONE,
                        side: None,
                        bid: None,
                        ask: None,
                    })
                })
                .collect(),
        }
    }

    fn snapshot(seq: u64) -> ServerMessage {
        ServerMessage::Snapshot {
            reason: SnapshotReason::Start,
            cursor: at(seq),
            symbols: Vec::new(),
        }
    }

    /// Follows the messages; expects the last verdict, the position and counts.
    fn check(messages: &[ServerMessage], verdict: Verdict, seq: u64, missed: u64, repeated: u64) {
        let mut chain = Chain::default();
        let last = messages.iter().map(|message| chain.follow(message)).last();
        assert_eq!(last, Some(verdict));
        assert_eq!(chain.cursor(), Some(at(seq)));
        assert_eq!((chain.missed(), chain.repeated()), (missed, repeated));
    }

    #[test]
    fn a_chain_without_a_break_counts_nothing() {
        check(
            &[snapshot(5), ticks(5, 8), ticks(8, 9)],
            Verdict::Apply,
            9,
            0,
            0,
        );
    }

    #[test]
    fn a_gap_is_missed() {
        check(&[snapshot(5), ticks(7, 9)], Verdict::Apply, 9, 2, 0);
    }

    #[test]
    fn an_overlap_is_repeated_and_its_new_part_applied() {
        check(&[snapshot(5), ticks(3, 8)], Verdict::ApplyAfter(5), 8, 0, 2);
        check(&[snapshot(5), ticks(1, 4)], Verdict::ApplyAfter(5), 5, 0, 3);
    }

    #[test]
    fn a_snapshot_starts_the_chain_again() {
        check(
            &[snapshot(5), snapshot(90), ticks(90, 91)],
            Verdict::Apply,
            91,
            0,
            0,
        );
    }

    #[test]
    fn a_heartbeat_moves_the_chain() {
        let heartbeat = ServerMessage::Heartbeat {
            from: at(5),
            cursor: at(20),
            server_time: Time::EPOCH,
        };
        check(
            &[snapshot(5), heartbeat, ticks(20, 21)],
            Verdict::Apply,
            21,
            0,
            0,
        );
    }
}
