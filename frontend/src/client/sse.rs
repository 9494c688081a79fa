//! Server-sent events.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::mpsc;
use futures_util::{Stream, StreamExt};
use shared::{STREAMED, ServerMessage, Transport, routes};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventSource, MessageEvent};

use super::loss::Loss;
use super::session::Session;

/// Reads until the stream is lost; returns the reason. Dropping the future
/// closes the stream.
///
/// The browser would reconnect by itself, but at its own pace and without
/// notice. So the first break ends the stream here, and the supervisor takes
/// over.
pub(super) async fn run(session: &Session) -> Loss {
    let url = path(session);
    session.count(|counters| counters.requests += 1);
    let begun_ms = session.clock().now_ms();
    let Ok(source) = EventSource::new(&url) else {
        return Loss::NotOpened(Transport::Sse);
    };
    let mut listening = Listening::start(source);
    read(session, &mut listening.events, begun_ms).await
}

/// An event's data, and the number of bytes around it.
type Received = (String, u64);

/// Reads events until there are no more, or one cannot be read.
async fn read(
    session: &Session,
    events: &mut (impl Stream<Item = Received> + Unpin),
    begun_ms: f64,
) -> Loss {
    while let Some((data, around)) = events.next().await {
        session.count(|counters| {
            counters.bytes += data.len() as u64;
            counters.framing += around;
        });
        match serde_json::from_slice::<ServerMessage>(data.as_bytes()) {
            Ok(message) => session.receive(&message, session.since(begun_ms)),
            Err(error) => return Loss::Unreadable(error.to_string()),
        }
    }
    Loss::BrokeOff(Transport::Sse)
}

/// The path that a stream asks for.
pub(super) fn path(session: &Session) -> String {
    routes::STREAM.to_owned() + &session.query()
}

/// Whether the server's greeting arrives over a new stream.
pub(super) async fn greets(session: &Session) -> bool {
    // The stream begins at the session's cursor, so that no snapshot follows
    // the greeting.
    match EventSource::new(&path(session)) {
        Ok(source) => Listening::start(source).events.next().await.is_some(),
        Err(_) => false,
    }
}

/// An open stream. One queue for all kinds of events keeps them in order. It is
/// read as fast as the browser fills it, since the reader waits for nothing
/// else.
struct Listening {
    source: EventSource,
    events: mpsc::UnboundedReceiver<Received>,
    listener: Closure<dyn FnMut(Event)>,
}

impl Listening {
    fn start(source: EventSource) -> Self {
        let (sender, events) = mpsc::unbounded();
        let sender = Rc::new(RefCell::new(sender));
        let listener = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            let sender = sender.borrow();
            let received = event.dyn_ref::<MessageEvent>().and_then(|event| {
                let data = event.data().as_string()?;
                let around = around(&event.type_(), &event.last_event_id(), &data);
                Some((data, around))
            });
            match received {
                // The reader may have been dropped a moment ago.
                Some(received) => drop(sender.unbounded_send(received)),
                // An `error` event without data is the browser's own: the
                // stream broke.
                None => sender.close_channel(),
            }
        });
        for event in STREAMED {
            let function = listener.as_ref().unchecked_ref();
            // Adding a listener to an event source cannot fail.
            let _ = source.add_event_listener_with_callback(event, function);
        }
        Self {
            source,
            events,
            listener,
        }
    }
}

/// The number of bytes around an event's data: its other lines, and the heads
/// and ends of the three chunks (RFC 9112, section 7.1) that the server sends:
/// the lines before the data, the data, and the empty line.
fn around(kind: &str, id: &str, data: &str) -> u64 {
    let id = match id.len() {
        0 => 0,
        length => "id: \n".len() + length,
    };
    let before = "event: \ndata: ".len() + kind.len() + id;
    let chunk = |size: usize| "\r\n\r\n".len() + (size.max(1).ilog2() / 4 + 1) as usize;
    let chunks = chunk(before) + chunk(data.len()) + chunk(2);
    (before + 2 + chunks) as u64
}

impl Drop for Listening {
    fn drop(&mut self) {
        for event in STREAMED {
            let function = self.listener.as_ref().unchecked_ref();
            let _ = self
                .source
                .remove_event_listener_with_callback(event, function);
        }
        self.source.close();
    }
}

#[cfg(test)]
mod tests;
