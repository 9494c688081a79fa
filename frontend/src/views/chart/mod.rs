//! Charts: a canvas for the data, and one above it for the crosshair, so that
//! moving the mouse never redraws the data.

mod axes;
mod cross;
mod drawing;
mod export;
mod frame;
mod gestures;
mod grid;
mod held;
mod kinds;
mod layout;
mod legend;
mod looking;
mod marks;
mod painter;
mod placed;
mod scene;
pub(crate) mod spec;
mod state;
mod text;
mod toolbar;

pub use self::cross::Cross;
pub(crate) use self::frame::Charts;
pub(crate) use self::grid::ChartGrid;
pub(crate) use self::kinds::KINDS;
pub use self::kinds::Kind;
pub use self::painter::Painter;
pub use self::scene::{AlertLine, Compared, Scene};
pub(crate) use self::state::Parts;
pub(super) use self::text::moment;
pub(crate) use self::text::recent;
pub(crate) use self::toolbar::Toolbar;
