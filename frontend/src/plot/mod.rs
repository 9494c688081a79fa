//! Pure geometry of charts: no canvas, no browser. Tested natively.

mod axis;
mod decimate;
mod scale;

pub use axis::{time_ticks, value_ticks};
pub use decimate::{Column, Point, columns};
pub use scale::Scale;
