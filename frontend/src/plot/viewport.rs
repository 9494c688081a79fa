//! The part of the horizontal axis that a chart shows.

use super::within;

/// The space to the right of the newest bar, in bars.
const MARGIN_BARS: f64 = 3.0;
/// The widest bar that can be drawn, in pixels.
const BAR_PX_MAX: f64 = 80.0;
/// The narrowest bar, in pixels: 100,000 bars fit on a phone.
const BAR_PX_MIN: f64 = 0.002;
/// This many bars stay in view, however far one scrolls.
const BARS_KEPT: f64 = 2.0;

/// The visible part of the horizontal axis. Where a bar stands is its place on a
/// [`TimeAxis`](super::TimeAxis), in µs: on an axis of true time that is its time
/// since the epoch; on an index of bars, bars follow each other without gaps.
/// Lengths are in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport {
    /// The place at the right edge.
    right_us: f64,
    us_per_px: f64,
    /// Whether the right edge follows the newest bar.
    follows: bool,
}

/// A shorter distance than this does not count as movement, in pixels.
const ROUNDING_PX: f64 = 1e-3;

/// The part of the axis that a chart's data covers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The place of the oldest bar.
    pub first_us: f64,
    /// The place of the newest bar.
    pub last_us: f64,
    /// The length of a bar.
    pub interval_us: f64,
}

impl Span {
    /// That of a chart without bars.
    pub fn empty(interval_us: f64) -> Self {
        Self {
            first_us: 0.0,
            last_us: 0.0,
            interval_us,
        }
    }

    fn end_us(&self) -> f64 {
        self.last_us + self.interval_us
    }

    fn right_us_when_following(&self) -> f64 {
        self.end_us() + MARGIN_BARS * self.interval_us
    }
}

impl Viewport {
    /// A view that follows the newest bar, with bars `bar_px` wide.
    pub fn following(span: &Span, bar_px: f64) -> Self {
        Self {
            right_us: span.right_us_when_following(),
            us_per_px: span.interval_us / bar_px,
            follows: true,
        }
    }

    /// Whether the right edge follows the newest bar.
    pub fn follows(&self) -> bool {
        self.follows
    }

    /// The length of time that a pixel covers.
    pub fn us_per_px(&self) -> f64 {
        self.us_per_px
    }

    /// The first and the last time that a plot of this width shows.
    pub fn times(&self, width: f64) -> (f64, f64) {
        (self.right_us - width * self.us_per_px, self.right_us)
    }

    /// Applies new data: follows the newest bar, or stays where a person has
    /// scrolled to.
    pub fn update(&mut self, span: &Span) {
        if self.follows {
            self.right_us = span.right_us_when_following();
        }
    }

    /// Scrolls back in time: moves the data to the right by this many pixels.
    pub fn pan(&mut self, px: f64, span: &Span, width: f64) {
        self.right_us -= px * self.us_per_px;
        self.settle(span, width);
    }

    /// Makes bars wider by a factor. The time at `anchor_px` from the left edge
    /// stays in its place, unless the view follows the newest bar: then that
    /// one stays.
    pub fn zoom(&mut self, factor: f64, anchor_px: f64, span: &Span, width: f64) {
        let (left_us, _) = self.times(width);
        let anchor_us = left_us + anchor_px * self.us_per_px;
        let bounds = (span.interval_us / BAR_PX_MAX, span.interval_us / BAR_PX_MIN);
        self.us_per_px = within(self.us_per_px / factor, bounds);
        if self.follows {
            self.update(span);
        } else {
            self.right_us = anchor_us + (width - anchor_px) * self.us_per_px;
            self.settle(span, width);
        }
    }

    /// Follows the newest bar again.
    pub fn go_live(&mut self, span: &Span) {
        self.follows = true;
        self.update(span);
    }

    /// Shows the oldest bar at the left edge.
    pub fn go_to_start(&mut self, span: &Span, width: f64) {
        self.right_us = span.first_us + width * self.us_per_px;
        self.settle(span, width);
    }

    /// Keeps some bars in view. Scrolling to the newest bar makes the view
    /// follow it.
    fn settle(&mut self, span: &Span, width: f64) {
        let kept = BARS_KEPT * span.interval_us;
        let latest = span.last_us - kept + width * self.us_per_px;
        let earliest = span.first_us + kept;
        self.right_us = self.right_us.min(latest).max(earliest);
        // The view follows if it is where a following view would be, or beyond;
        // the tolerance is for rounding. Any step back from there ends it.
        // Otherwise each tick would undo a slow drag.
        let home = span.right_us_when_following() - ROUNDING_PX * self.us_per_px;
        self.follows = self.right_us >= home && self.right_us <= self.home(span, width);
    }

    /// The right edge beyond which the view does not follow: a person has
    /// scrolled it into the future on purpose.
    fn home(&self, span: &Span, width: f64) -> f64 {
        let slack = (0.2 * width * self.us_per_px).max(span.interval_us);
        span.right_us_when_following() + slack
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPAN: Span = Span {
        first_us: 0.0,
        last_us: 999e6,
        interval_us: 1e6,
    };

    #[test]
    fn it_follows_until_scrolled_away_and_again_when_back() {
        let mut view = Viewport::following(&SPAN, 10.0);
        assert_eq!(view.times(500.0), (953e6, 1_003e6));
        let longer = Span {
            last_us: 1_000e6,
            ..SPAN
        };
        view.update(&longer);
        assert_eq!(view.times(500.0).1, 1_004e6);
        view.pan(100.0, &longer, 500.0);
        assert!(!view.follows());
        let before = view;
        view.update(&Span {
            last_us: 1_005e6,
            ..SPAN
        });
        assert_eq!(view, before, "what one looks at does not move");
        view.go_live(&longer);
        assert!(view.follows());
        view.pan(100.0, &longer, 500.0);
        view.pan(-100.0, &longer, 500.0);
        assert!(view.follows(), "scrolled back to the newest bar");
    }

    #[test]
    fn a_slow_drag_is_not_undone_by_ticks() {
        let mut view = Viewport::following(&SPAN, 7.0);
        let before = view.times(270.0);
        for _ in 0..80 {
            view.pan(1.0, &SPAN, 270.0);
            view.update(&SPAN);
        }
        let moved = (before.1 - view.times(270.0).1) / view.us_per_px();
        assert!((moved - 80.0).abs() < 1e-6, "{moved}");
        for _ in 0..80 {
            assert!(!view.follows());
            view.pan(-1.0, &SPAN, 270.0);
        }
        assert!(view.follows());
    }

    proptest! {
        #[test]
        fn zooming_keeps_the_time_under_the_pointer(
            back in 200.0..5_000.0f64, anchor in 0.0..500.0f64, factor in 0.8..1.25f64,
        ) {
            let mut view = Viewport::following(&SPAN, 10.0);
            view.pan(back, &SPAN, 500.0);
            let at = |view: &Viewport| view.times(500.0).0 + anchor * view.us_per_px();
            let before = at(&view);
            view.zoom(factor, anchor, &SPAN, 500.0);
            prop_assert!((at(&view) - before).abs() < 1.0);
        }

        #[test]
        fn the_data_cannot_be_scrolled_out_of_view(
            moves in proptest::collection::vec((-1e6..1e6f64, 0.1..10.0f64), 1..30),
        ) {
            let mut view = Viewport::following(&SPAN, 10.0);
            for (px, factor) in moves {
                view.pan(px, &SPAN, 500.0);
                view.zoom(factor, 250.0, &SPAN, 500.0);
                let (from, to) = view.times(500.0);
                prop_assert!(from < to && from.is_finite() && to.is_finite());
                prop_assert!(from <= SPAN.last_us && to >= SPAN.first_us);
            }
        }
    }
}
