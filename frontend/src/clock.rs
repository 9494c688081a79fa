//! Time and chance. What depends on them takes a [`Clock`], so that tests can
//! run it with times of their own.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use gloo_timers::future::TimeoutFuture;

/// The browser's monotonic clock, in ms; 0 where there is none.
pub fn now_ms() -> f64 {
    let performance = web_sys::window().and_then(|window| window.performance());
    performance.map_or(0.0, |performance| performance.now())
}

/// A monotonic clock, and chance.
pub trait Clock {
    /// The time since some moment, in ms.
    fn now_ms(&self) -> f64;

    /// Completes after this time.
    fn sleep(&self, ms: u32) -> LocalBoxFuture<'static, ()>;

    /// A number that is uniform in `0.0..1.0`.
    fn chance(&self) -> f64;
}

/// The browser's clock and chance.
#[derive(Clone, Copy, Debug, Default)]
pub struct BrowserClock;

impl Clock for BrowserClock {
    fn now_ms(&self) -> f64 {
        now_ms()
    }

    fn sleep(&self, ms: u32) -> LocalBoxFuture<'static, ()> {
        TimeoutFuture::new(ms).boxed_local()
    }

    fn chance(&self) -> f64 {
        js_sys::Math::random()
    }
}

#[cfg(test)]
pub(crate) mod tests;
