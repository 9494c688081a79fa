//! Waiting with a timeout.

use std::future::Future;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;

/// The outcome of `future`, if it completes in time; otherwise it is dropped.
pub(crate) async fn within<T>(patience_ms: u32, future: impl Future<Output = T>) -> Option<T> {
    let over = TimeoutFuture::new(patience_ms);
    match select(future.boxed_local(), over).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(_) => None,
    }
}
