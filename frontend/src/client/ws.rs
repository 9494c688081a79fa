//! Frames pushed over a WebSocket.

use futures_channel::mpsc;
use futures_util::{FutureExt, SinkExt, StreamExt, select_biased};
use gloo_net::websocket::{Message, WebSocketError, futures::WebSocket};
use shared::{Sender, frame_head_bytes, routes};

use super::http::websocket_url;
use super::session::{Session, Timing, now_ms};

/// Reads until the connection is lost; returns the reason. Dropping the future
/// closes the connection.
pub(super) async fn run(session: &Session) -> String {
    match read(session).await {
        Ok(()) => "the server closed the WebSocket".to_owned(),
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
    let socket = websocket_url(routes::WS)
        .and_then(|url| WebSocket::open(&url).map_err(|error| error.to_string()));
    match socket {
        Ok(mut socket) => matches!(socket.next().await, Some(Ok(_))),
        Err(_) => false,
    }
}

async fn read(session: &Session) -> Result<(), String> {
    let url = websocket_url(&path(session))?;
    session.count(|counters| counters.requests += 1);
    let begun_ms = now_ms();
    let pace = session.pace();
    let socket = WebSocket::open(&url);
    let socket = socket.map_err(|error| format!("no WebSocket: {error:?}"))?;
    let (mut up, down) = socket.split();
    let mut down = down.fuse();
    // Nothing is sent before the first message shows that the connection is
    // open.
    let mut outbox: Option<mpsc::UnboundedReceiver<String>> = None;
    // The library's queue of frames has no bound, so this loop waits for
    // nothing but the next frame; commands are handed on at once.
    loop {
        let command = async {
            match &mut outbox {
                Some(outbox) => StreamExt::next(outbox).await,
                None => std::future::pending().await,
            }
        };
        let message = select_biased! {
            message = down.next() => message,
            command = Box::pin(command.fuse()) => {
                if let Some(command) = command
                    && up.send(Message::Text(command)).await.is_err()
                {
                    return Err("the WebSocket broke off".to_owned());
                }
                continue;
            }
        };
        let Some(message) = message else {
            return Ok(());
        };
        let bytes = match message {
            Ok(Message::Text(text)) => text.into_bytes(),
            Ok(Message::Bytes(bytes)) => bytes,
            Err(WebSocketError::ConnectionClose(close)) if close.reason.is_empty() => {
                return Err(format!("the WebSocket closed (code {})", close.code));
            }
            Err(WebSocketError::ConnectionClose(close)) => return Err(close.reason),
            Err(_) => return Err("the WebSocket broke off".to_owned()),
        };
        let arrived = Timing::since(begun_ms);
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
