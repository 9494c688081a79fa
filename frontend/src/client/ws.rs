//! Frames pushed over a WebSocket.

use futures_channel::mpsc;
use futures_util::future::{Either, select};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use gloo_net::websocket::{Message, WebSocketError, futures::WebSocket};
use shared::{Sender, Transport, frame_head_bytes, routes};

use super::http::websocket_url;
use super::loss::Loss;
use super::session::Session;

/// Reads until the connection is lost; returns the reason. Dropping the future
/// closes the connection.
pub(super) async fn run(session: &Session) -> Loss {
    session.count(|counters| counters.requests += 1);
    let url = websocket_url(&path(session));
    let Some(socket) = url.and_then(|url| WebSocket::open(&url).ok()) else {
        return Loss::NotOpened(Transport::WebSocket);
    };
    let (up, down) = socket.split();
    match read(session, up, down).await {
        Ok(()) => Loss::Closed(None, String::new()),
        Err(reason) => reason,
    }
}

/// The path that a connection asks for.
pub(super) fn path(session: &Session) -> String {
    // The encoding is in the address, not a subprotocol: the proxy of
    // `trunk serve` does not forward a subprotocol, and a browser that asked
    // for one then rejects the answer.
    routes::WS.to_owned() + &session.query() + "&encoding=" + session.format().key()
}

/// Whether the server's greeting arrives over a new WebSocket.
pub(super) async fn greets() -> bool {
    let url = websocket_url(routes::WS);
    match url.and_then(|url| WebSocket::open(&url).ok()) {
        Some(mut socket) => matches!(socket.next().await, Some(Ok(_))),
        None => false,
    }
}

/// Reads frames until there are no more, or one cannot be read. The session's
/// commands are sent from the first frame on, which shows that the connection is
/// open.
async fn read(
    session: &Session,
    mut up: impl Sink<Message> + Unpin,
    mut down: impl Stream<Item = Result<Message, WebSocketError>> + Unpin,
) -> Result<(), Loss> {
    let begun_ms = session.clock().now_ms();
    let pace = session.pace();
    let mut outbox: Option<mpsc::UnboundedReceiver<String>> = None;
    // The library's queue of frames has no bound, so this loop waits for
    // nothing but the next frame; commands are handed on at once.
    loop {
        let command = async {
            match &mut outbox {
                Some(outbox) => outbox.next().await,
                None => std::future::pending().await,
            }
        };
        let frame = match select(down.next(), Box::pin(command)).await {
            Either::Left((Some(frame), _)) => frame,
            Either::Left((None, _)) => return Ok(()),
            Either::Right((Some(command), _)) => {
                let sent = up.send(Message::Text(command)).await;
                sent.map_err(|_| Loss::BrokeOff(Transport::WebSocket))?;
                continue;
            }
            // Another connection sends the commands from now on.
            Either::Right((None, _)) => return Ok(()),
        };
        let bytes = bytes_of(frame)?;
        let arrived = session.since(begun_ms);
        session.count(|counters| {
            counters.bytes += bytes.len() as u64;
            counters.framing += frame_head_bytes(Sender::Server, bytes.len() as u64);
        });
        let message = session.read(&bytes)?;
        session.receive(&message, arrived);
        if outbox.is_none() {
            outbox = Some(session.open_outbox());
            // The pace may have changed while the connection was being made.
            if session.pace() != pace {
                session.tell_pace();
            }
        }
    }
}

/// The payload of a frame.
fn bytes_of(frame: Result<Message, WebSocketError>) -> Result<Vec<u8>, Loss> {
    match frame {
        Ok(Message::Text(text)) => Ok(text.into_bytes()),
        Ok(Message::Bytes(bytes)) => Ok(bytes),
        Err(WebSocketError::ConnectionClose(close)) => {
            Err(Loss::Closed(Some(close.code), close.reason))
        }
        Err(_) => Err(Loss::BrokeOff(Transport::WebSocket)),
    }
}

#[cfg(test)]
mod tests;
