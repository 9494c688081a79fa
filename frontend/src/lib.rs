//! Tickwire's page: wire messages arrive through [`client`], are applied to the
//! [`store`], and are shown by `views`.

mod alarm;
mod alerts;
pub mod app;
pub mod broken;
pub mod client;
pub mod clock;
mod download;
pub mod faults;
pub mod format;
mod frames;
mod guide;
mod lab;
mod locale;
pub mod plot;
pub mod requests;
mod settings;
pub mod side;
pub mod store;
mod theme;
mod views;
mod words;

/// The chart without the page, for programs that bring their own canvases and
/// bars, such as the benchmark.
pub mod chart {
    pub use crate::theme::Palette;
    pub use crate::views::canvas::Surface;
    pub use crate::views::chart::{AlertLine, Compared, Cross, Kind, Painter, Scene};
}
