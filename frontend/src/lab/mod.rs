//! The lab: runs the transports side by side in this browser, over the same
//! ticks, and measures what each costs.

#![allow(
    unreachable_pub,
    reason = "the component macro makes what it generates public"
)]

mod clock;
mod drawing;
mod frequency;
pub(crate) mod heads;
mod meter;
mod plan;
mod race;
mod report;
mod results;
mod view;

pub(crate) use view::Lab;
