//! Tickwire's page: wire messages come in through [`client`], become the
//! [`store`], and are shown by [`views`].

#![recursion_limit = "256"]

pub mod app;
pub mod client;
pub mod format;
mod frames;
pub mod plot;
pub mod store;
mod theme;
mod views;
