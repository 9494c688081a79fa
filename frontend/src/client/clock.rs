//! How far the browser's clock is from the server's.

/// The offset between two clocks, from the exchange that took least time.
///
/// Between a request at `sent` and its answer at `received` (both by the
/// browser), the server wrote `server`; had both ways taken the same time, its
/// clock would be ahead by `server - (sent + received) / 2`, and it cannot be
/// further off than half the round trip (RFC 5905, section 8). All times are
/// in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClockOffset {
    /// Round trip and offset.
    best: Option<(f64, f64)>,
}

impl ClockOffset {
    /// Takes in one exchange.
    pub fn observe(&mut self, sent: f64, received: f64, server: f64) {
        let round_trip = received - sent;
        if self.best.is_none_or(|(best, _)| round_trip <= best) {
            self.best = Some((round_trip, server - (sent + received) / 2.0));
        }
    }

    /// Lets the next exchange count whatever it takes: clocks are set, and
    /// machines sleep.
    pub fn begin_anew(&mut self) {
        if let Some((round_trip, _)) = &mut self.best {
            *round_trip = f64::INFINITY;
        }
    }

    /// How long the exchange took that counts, in ms; it cannot be further off
    /// than half of that. `None` before the first exchange.
    pub fn round_trip_ms(&self) -> Option<f64> {
        self.best.map(|(round_trip, _)| round_trip)
    }

    /// What to add to the browser's clock to get the server's; 0 before the
    /// first exchange.
    pub fn ms(&self) -> f64 {
        self.best.map_or(0.0, |(_, offset)| offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_exchange_counts() {
        let mut offset = ClockOffset::default();
        offset.observe(1_000.0, 1_100.0, 8_250.0);
        assert_eq!(offset.ms(), 7_200.0);
        offset.observe(2_000.0, 2_010.0, 9_205.0);
        assert_eq!(offset.ms(), 7_200.0);
        offset.observe(3_000.0, 3_500.0, 10_000.0);
        assert_eq!(offset.ms(), 7_200.0);
        offset.begin_anew();
        assert_eq!(offset.ms(), 7_200.0);
        offset.observe(4_000.0, 4_500.0, 4_250.0);
        assert_eq!(offset.ms(), 0.0);
    }
}
