//! The geometry of charts, without canvas or browser. Tested natively.

mod axis;
mod bars;
mod calendar;
mod detail;
mod indicator;
mod panes;
mod scale;
mod viewport;

pub use axis::value_ticks;
pub use bars::{Bar, bucket_us, merge, nearest, price_extent, visible};
pub use calendar::{DAY_US, Mark, date_of, time_marks};
pub use detail::Detail;
pub use indicator::{Indicator, Study, Values};
pub use panes::{Pane, PaneKind, panes};
pub use scale::{Scale, within};
pub use viewport::{Span, Viewport};
