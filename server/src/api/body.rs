//! Bodies of requests: short, and in time.

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::time::timeout;

use super::replay;
use crate::app::App;
use crate::http::Fault;
use crate::metrics::Refusal;

/// The longest body: many times the size of the longest alert.
pub(super) const BYTES_MAX: usize = 16 * 1024;

/// Reads the body before the request is answered, so that none is waited for
/// without end.
pub(super) async fn read(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let is_file = path.is_some_and(|path| path.as_str().ends_with(replay::FILES));
    // A file is long, and is written to the disk as it comes.
    if is_file || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let limit = app.bounds.limits().body;
    let body = match timeout(limit, to_bytes(body, BYTES_MAX)).await {
        Ok(Ok(bytes)) => Body::from(bytes),
        Ok(Err(_)) => return Fault::TooLarge(BYTES_MAX as u64).into_response(),
        Err(_) => {
            app.bounds.refused(Refusal::Body);
            let seconds = limit.as_secs();
            let message = format!("the body did not come within {seconds} s");
            return Fault::TooSlow(message).into_response();
        }
    };
    next.run(Request::from_parts(parts, body)).await
}
