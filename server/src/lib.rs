//! Tickwire's server.
mod clock;
pub mod feed;
