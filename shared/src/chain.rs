use crate::{Cursor, ServerMessage, Tick};

/// A client's proof that it missed nothing and saw nothing twice.
///
/// Give it every message in the order of arrival. It is intact when each `from`
/// equals the `cursor` before it; deviations are counted. The chain belongs to
/// the client and not to a connection: it continues over reconnects and changes
/// of transport, because every transport reads the same log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    cursor: Option<Cursor>,
    missed: u64,
    repeated: u64,
    skipped: u64,
}

/// How a client has to apply a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The message is new: apply all of it.
    Apply,
    /// Some or all of it was seen before: apply only ticks after this number,
    /// and no alerts.
    ApplyAfter(u64),
}

impl Verdict {
    /// The new ticks of a message.
    pub fn fresh<'t>(self, ticks: &'t [Tick]) -> impl Iterator<Item = &'t Tick> + use<'t> {
        let seen = match self {
            Self::Apply => 0,
            Self::ApplyAfter(seen) => seen,
        };
        ticks.iter().filter(move |tick| tick.seq() > seen)
    }
}

impl Chain {
    /// A chain that continues from a cursor, as if everything up to it had been
    /// seen.
    pub fn from_cursor(cursor: Cursor) -> Self {
        Self {
            cursor: Some(cursor),
            ..Self::default()
        }
    }

    /// Drops the position: the next message is a snapshot. The counts remain.
    pub fn begin_anew(&mut self) {
        self.cursor = None;
    }

    /// The cursor to resume from: the position after the last message that
    /// moved it.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// How many log entries are in gaps of the chain: an upper bound of the
    /// ticks that were missed. Entries covered by a `snapshot` do not count.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// How many ticks and alerts arrived twice.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// How many ticks the server left out because the client asked only for the
    /// newest: the sum of the messages' `skipped`.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Moves the chain over `message` and returns which part of it is new.
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
            // A repeated change is not applied: it would undo later ones.
            ServerMessage::AlertsChanged { .. } | ServerMessage::States { .. }
                if cursor.seq <= seen =>
            {
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

    /// Moves the chain to the end of a poll's answer, after its events were
    /// followed: there is nothing of the set between the last of them and the
    /// answer's `cursor`.
    pub fn finish(&mut self, answer: &crate::TicksAnswer) {
        let from = if answer.events.is_empty() {
            answer.from
        } else {
            self.cursor.unwrap_or(answer.from)
        };
        let _seen = self.step(from, answer.cursor);
    }

    /// Moves from `from` to `to`, and returns the number up to which everything
    /// was seen before.
    fn step(&mut self, from: Cursor, to: Cursor) -> u64 {
        let Some(at) = self.cursor.filter(|at| at.epoch == from.epoch) else {
            // Ticks of an unknown run without a snapshot before them:
            // everything of the run up to `from` is missing.
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

    /// Follows the messages, and checks the last verdict, the position and the
    /// counts.
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
