//! Native clients of Tickwire's four transports: for load, and for tests that
//! need a real client.

mod client;

pub use client::{Follower, Traffic};
