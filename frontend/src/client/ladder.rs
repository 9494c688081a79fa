//! The choice of transport in automatic mode: the best one that gets through.

use shared::Transport;

use super::loss::{Detour, TransportFault};

/// A connection that is lost sooner than this counts as short-lived, in ms.
const YOUNG_MS: f64 = 10_000.0;
/// After this many short-lived connections in a row the transport is given up.
/// If nothing at all arrived over one, it is given up at once.
const STRIKES_MAX: u32 = 2;
/// The pause before the first look for a better transport, and the longest
/// pause between two looks, in ms.
const FIRST_LOOK_MS: u32 = 5_000;
const LOOK_CEILING_MS: u32 = 300_000;

/// The transports from the best down, and the one in use. It falls back to the
/// next one only while the server can be reached: a server that cannot be
/// reached says nothing about the transports.
#[derive(Clone, Debug, Default)]
pub(super) struct Ladder {
    rung: usize,
    /// How many connections in a row were short-lived with the transport in
    /// use.
    strikes: u32,
    /// How often a look for a better transport found none, or a better one did
    /// not last.
    disappointments: u32,
    /// What is wrong with each transport above the one in use, the best one
    /// first.
    faults: Vec<TransportFault>,
}

/// The life of a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Life {
    /// Whether anything at all arrived over it.
    pub(super) spoke: bool,
    /// How long it lasted, in ms.
    pub(super) lasted_ms: f64,
}

impl Ladder {
    /// The transport to use.
    pub(super) fn transport(&self) -> Transport {
        Transport::ALL[self.rung]
    }

    /// The transports that would be better, the best first.
    pub(super) fn better(&self) -> &'static [Transport] {
        &Transport::ALL[..self.rung]
    }

    /// Why the next better transport is not in use.
    pub(super) fn detour(&self) -> Option<Detour> {
        Some(Detour {
            transport: Transport::ALL[self.rung.checked_sub(1)?],
            fault: *self.faults.last()?,
        })
    }

    /// The connection was lost although the server can be reached. Returns
    /// whether the ladder fell back to the next transport.
    pub(super) fn lost(&mut self, life: Life) -> bool {
        if life.spoke && life.lasted_ms >= YOUNG_MS {
            self.strikes = 0;
            self.disappointments = 0;
            return false;
        }
        self.strikes += 1;
        let is_last = self.rung + 1 == Transport::ALL.len();
        if is_last || (life.spoke && self.strikes < STRIKES_MAX) {
            return false;
        }
        self.faults.push(if life.spoke {
            TransportFault::KeepsBreakingOff
        } else {
            TransportFault::DoesNotGetThrough
        });
        self.rung += 1;
        self.strikes = 0;
        true
    }

    /// How long to wait before looking for something better, in ms.
    pub(super) fn look_after_ms(&self) -> u32 {
        let wait_ms = FIRST_LOOK_MS << self.disappointments.min(8);
        wait_ms.min(LOOK_CEILING_MS)
    }

    /// A look found no better transport.
    pub(super) fn looked_in_vain(&mut self) {
        self.disappointments += 1;
    }

    /// This better transport gets through again.
    pub(super) fn climb(&mut self, to: Transport) {
        self.rung = to as usize;
        self.faults.truncate(self.rung);
        self.strikes = 0;
        // If it does not last, the next look comes later.
        self.disappointments += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Life = Life {
        spoke: false,
        lasted_ms: 5_000.0,
    };
    const YOUNG: Life = Life {
        spoke: true,
        lasted_ms: 500.0,
    };
    const OLD: Life = Life {
        spoke: true,
        lasted_ms: 60_000.0,
    };

    fn detour(transport: Transport, fault: TransportFault) -> Option<Detour> {
        Some(Detour { transport, fault })
    }

    fn check(lives: &[Life], expect: Transport, reason: Option<Detour>) {
        let mut ladder = Ladder::default();
        for life in lives {
            ladder.lost(*life);
        }
        assert_eq!(ladder.transport(), expect, "{lives:?}");
        assert_eq!(ladder.detour(), reason, "{lives:?}");
    }

    #[test]
    fn it_goes_down_for_a_reason() {
        use Transport::{LongPoll, Poll, Sse, WebSocket};
        use TransportFault::{DoesNotGetThrough, KeepsBreakingOff};
        let refused = detour(WebSocket, DoesNotGetThrough);
        check(&[], WebSocket, None);
        check(&[OLD, OLD, OLD], WebSocket, None);
        check(&[YOUNG], WebSocket, None);
        check(&[YOUNG, OLD, YOUNG], WebSocket, None);
        check(&[YOUNG, YOUNG], Sse, detour(WebSocket, KeepsBreakingOff));
        check(&[NEVER], Sse, refused);
        check(&[NEVER, YOUNG], Sse, refused);
        check(&[NEVER, NEVER], LongPoll, detour(Sse, DoesNotGetThrough));
        let polls = detour(LongPoll, DoesNotGetThrough);
        check(&[NEVER; 3], Poll, polls);
        check(&[NEVER; 9], Poll, polls);
    }

    #[test]
    fn half_way_up_the_reason_is_that_of_the_next_one() {
        use Transport::{LongPoll, Sse, WebSocket};
        use TransportFault::{DoesNotGetThrough, KeepsBreakingOff};
        let mut ladder = Ladder::default();
        for life in [NEVER, YOUNG, YOUNG, NEVER] {
            ladder.lost(life);
        }
        let reasons = [
            (LongPoll, detour(Sse, KeepsBreakingOff)),
            (Sse, detour(WebSocket, DoesNotGetThrough)),
            (WebSocket, None),
        ];
        for (transport, reason) in reasons {
            ladder.climb(transport);
            assert_eq!(ladder.transport(), transport);
            assert_eq!(ladder.detour(), reason, "{transport:?}");
        }
    }

    #[test]
    fn it_looks_up_ever_more_slowly_until_something_lasts() {
        let mut ladder = Ladder::default();
        ladder.lost(NEVER);
        let mut looks = Vec::new();
        for _ in 0..8 {
            looks.push(ladder.look_after_ms() / 1_000);
            ladder.looked_in_vain();
        }
        assert_eq!(looks, [5, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(ladder.better(), [Transport::WebSocket]);
        ladder.climb(Transport::WebSocket);
        assert_eq!(
            (ladder.transport(), ladder.detour()),
            (Transport::WebSocket, None)
        );
        ladder.lost(NEVER);
        assert_eq!(ladder.look_after_ms(), 300_000);
        ladder.climb(Transport::WebSocket);
        ladder.lost(OLD);
        ladder.lost(NEVER);
        assert_eq!(ladder.look_after_ms(), 5_000);
    }
}
