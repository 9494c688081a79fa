//! The geometry of charts, without canvas or browser. Tested natively.

mod axis;
mod bar_marks;
mod bars;
mod calendar;
mod date;
mod detail;
mod growing;
mod panes;
mod scale;
pub mod studies;
mod time_axis;
mod viewport;

pub use axis::value_ticks;
pub use bar_marks::{Label, bar_marks};
pub use bars::{Bar, bucket_us, merge, nearest, price_extent, visible};
pub use calendar::{DAY_US, Mark, time_marks};
pub use date::date_of;
pub use detail::Detail;
pub use growing::{Growable, Growing, Step};
pub use panes::{Band, panes};
pub use scale::{Scale, within};
pub use time_axis::TimeAxis;
pub use viewport::{Span, Viewport};
