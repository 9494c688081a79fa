//! The visible parts of the page. Views read signals and the store. The status
//! bar and the keyboard also have a handle on the connection, to change it.

#![allow(
    unreachable_pub,
    reason = "the component macro makes what it generates public"
)]

mod bring;
pub(crate) mod canvas;
mod cells;
pub(crate) mod chart;
mod columns;
mod controls;
mod figures;
mod header;
pub(crate) mod keyboard;
mod missing;
mod quote;
pub(crate) mod replay;
mod shortcuts;
mod sparks;
mod splitter;
mod status_bar;
mod tape;
mod toasts;
mod transport_switch;
mod watchlist;

pub(crate) use bring::{Bring, Bringing};
pub(crate) use chart::{ChartGrid, Charts, Parts, Toolbar};
pub(crate) use figures::measure;
pub(crate) use header::{Header, SideHeader};
pub(crate) use missing::Missing;
pub(crate) use quote::QuoteHeader;
pub(crate) use replay::ReplayBar;
pub(crate) use shortcuts::Shortcuts;
pub(crate) use splitter::Splitter;
pub(crate) use status_bar::StatusBar;
pub(crate) use tape::Tape;
pub(crate) use toasts::Toasts;
pub(crate) use transport_switch::interval_ms_of;
pub(crate) use watchlist::{Rows, Watchlist};
