//! The bytes of answers that clients have not taken yet: memory that a client
//! holds by reading slowly.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body::{Frame, SizeHint};

use super::{Bounds, Taken};
use crate::access::Counted;
use crate::http::Fault;
use crate::metrics::Refusal;

/// Shorter answers are not counted: they are with the operating system at once.
const SHORT_BYTES: u64 = 16 * 1024;
/// Bytes are counted in units of this many.
pub(super) const UNIT_BYTES: u64 = 1024;

/// Counts a long answer as unsent until the client has taken it, or is gone. An
/// answer for which there is no room is refused.
pub(crate) async fn count(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    let client = request.extensions().get::<Counted>();
    let client = client.and_then(|client| client.0);
    let response = next.run(request).await;
    let bytes = response.body().size_hint().exact().unwrap_or_default();
    if bytes <= SHORT_BYTES {
        return response;
    }
    let units = u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
    match bounds.0.unsent.take(client, units) {
        Some(taken) => {
            let permit = Arc::new(taken);
            response.map(|body| Body::new(Held { body, permit }))
        }
        None => {
            bounds.refused(Refusal::Unsent);
            let message = "too much of what was asked for is not taken yet; ask for less, or come again later";
            Fault::Unavailable(message).into_response()
        }
    }
}

/// A body whose bytes are counted as long as somebody holds them.
struct Held {
    body: Body,
    permit: Arc<Taken>,
}

/// Bytes of such a body.
struct Piece {
    bytes: Bytes,
    #[expect(dead_code, reason = "dropped with the bytes")]
    permit: Arc<Taken>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        // The connection holds the bytes longer than the body.
        let held = |bytes| {
            let permit = Arc::clone(&self.permit);
            Bytes::from_owner(Piece { bytes, permit })
        };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(held))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
