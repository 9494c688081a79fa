use std::collections::VecDeque;

/// The number of recent exchanges that are kept: at one per heartbeat, those of
/// the last 40 seconds. Clocks drift far less than a millisecond in that time.
const RECENT: usize = 8;
/// Clocks of browsers advance in steps of up to this many ms, which protects
/// against timing attacks.
const STEP_MS: f64 = 2.0;

/// The offset between two clocks, from the best of the recent exchanges.
///
/// The client sends a request at `sent` and receives the answer at `received`,
/// both by its own clock; the server's clock was at `server` in between. If
/// both ways took the same time, the server's clock is ahead by
/// `server - (sent + received) / 2`. The error is at most half the round trip
/// (RFC 5905, section 8). All times are in milliseconds. The client's times are
/// of a monotonic clock, so that they are not affected when the computer's wall
/// clock is set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClockOffset {
    /// The newest is last.
    recent: VecDeque<Exchange>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Exchange {
    round_trip: f64,
    offset: f64,
}

impl Exchange {
    /// Whether both exchanges are possible with the same offset between the
    /// clocks.
    fn agrees_with(&self, other: &Self) -> bool {
        let apart = (self.offset - other.offset).abs();
        apart <= f64::midpoint(self.round_trip, other.round_trip) + STEP_MS
    }
}

impl ClockOffset {
    /// Adds an exchange. If it is not possible with the same offset as the best
    /// one, a clock was set, and the earlier exchanges are dropped.
    pub fn observe(&mut self, sent: f64, received: f64, server: f64) {
        let exchange = Exchange {
            round_trip: (received - sent).max(0.0),
            offset: server - f64::midpoint(sent, received),
        };
        if self.best().is_some_and(|best| !best.agrees_with(&exchange)) {
            self.recent.clear();
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(exchange);
    }

    fn best(&self) -> Option<&Exchange> {
        let by_time = |a: &&Exchange, b: &&Exchange| a.round_trip.total_cmp(&b.round_trip);
        // Of two that are equally good, the newer one.
        self.recent.iter().rev().min_by(by_time)
    }

    /// The round trip of the best exchange, in ms; the error of the offset is
    /// at most half of that. `None` before the first exchange.
    pub fn round_trip_ms(&self) -> Option<f64> {
        self.best().map(|best| best.round_trip)
    }

    /// What to add to the client's clock to get the server's; `None` before
    /// the first exchange.
    pub fn ms(&self) -> Option<f64> {
        self.best().map(|best| best.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_quickest_recent_exchange_counts() {
        let mut offset = ClockOffset::default();
        assert_eq!(offset.ms(), None);
        offset.observe(1_000.0, 1_100.0, 8_250.0);
        assert_eq!(offset.ms(), Some(7_200.0));
        offset.observe(2_000.0, 2_010.0, 9_245.0);
        assert_eq!(offset.ms(), Some(7_240.0));
        offset.observe(3_000.0, 3_500.0, 10_450.0);
        assert_eq!(offset.ms(), Some(7_240.0));
        assert_eq!(offset.round_trip_ms(), Some(10.0));
        for _ in 0..RECENT {
            offset.observe(4_000.0, 4_100.0, 11_290.0);
        }
        assert_eq!(
            offset.round_trip_ms(),
            Some(100.0),
            "the best one is too old"
        );
    }

    #[test]
    fn a_clock_that_was_set_is_noticed_at_once() {
        let mut offset = ClockOffset::default();
        offset.observe(1_000.0, 1_010.0, 2_005.0);
        // Slower, but the offset differs by an hour.
        offset.observe(6_000.0, 6_200.0, 3_607_100.0);
        assert_eq!(offset.ms(), Some(3_601_000.0));
        offset.observe(11_000.0, 11_300.0, 12_150.0);
        assert_eq!(offset.ms(), Some(1_000.0));
    }

    proptest! {
        #[test]
        fn it_is_never_further_off_than_half_the_best_round_trip(
            truth in -1e7..1e7f64,
            exchanges in proptest::collection::vec((0.0..500.0f64, 0.0..500.0f64), 1..30),
        ) {
            let mut offset = ClockOffset::default();
            let mut now = 1_000.0;
            for (up, down) in exchanges {
                offset.observe(now, now + up + down, now + up + truth);
                now += 5_000.0;
                let (Some(ms), Some(round_trip)) = (offset.ms(), offset.round_trip_ms()) else {
                    panic!("nothing was observed");
                };
                prop_assert!((ms - truth).abs() <= round_trip / 2.0 + 1e-6);
            }
        }
    }
}
