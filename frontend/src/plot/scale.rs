/// A linear map from values to pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    from: f64,
    per_value: f64,
    start: f64,
}

impl Scale {
    /// Maps `from` to the pixel `start` and `to` to the pixel `end`. An empty
    /// range is mapped to the middle.
    pub fn new((from, to): (f64, f64), (start, end): (f64, f64)) -> Self {
        if to > from {
            Self {
                from,
                per_value: (end - start) / (to - from),
                start,
            }
        } else {
            Self {
                from,
                per_value: 0.0,
                start: f64::midpoint(start, end),
            }
        }
    }

    /// The pixel of a value.
    pub fn pixel(&self, value: f64) -> f64 {
        self.start + (value - self.from) * self.per_value
    }

    /// The value at a pixel; `from` where all values have the same pixel.
    pub fn value(&self, pixel: f64) -> f64 {
        if self.per_value == 0.0 {
            return self.from;
        }
        self.from + (pixel - self.start) / self.per_value
    }
}

/// The value limited to a range; the lower bound if the range is empty or the
/// value is NaN.
///
/// Unlike `f64::clamp`, which panics where the bounds are invalid.
pub fn within(value: f64, (low, high): (f64, f64)) -> f64 {
    if value > high && high > low {
        high
    } else if value > low && high > low {
        value
    } else {
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn within_is_what_the_standard_library_says(value in -10.0..10.0, low in -5.0..5.0, span in 0.0..5.0) {
            prop_assert_eq!(within(value, (low, low + span)), value.clamp(low, low + span));
        }

        #[test]
        fn a_pixel_leads_back_to_its_value(from in -1e6..1e6, span in 1.0..1e6, share in 0.0..1.0) {
            let scale = Scale::new((from, from + span), (400.0, 0.0));
            let value = from + share * span;
            prop_assert!((scale.value(scale.pixel(value)) - value).abs() < 1e-6);
            prop_assert!((0.0..=400.0).contains(&scale.pixel(value)));
        }
    }

    #[test]
    fn a_span_of_nothing_lies_in_the_middle() {
        let scale = Scale::new((5.0, 5.0), (100.0, 0.0));
        assert_eq!(scale.pixel(5.0), 50.0);
        assert_eq!(scale.value(3.0), 5.0);
    }
}
