//! Server-sent events.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::mpsc;
use futures_util::StreamExt;
use shared::{STREAMED, ServerMessage, routes};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventSource, MessageEvent};

use super::session::{Session, Timing, now_ms};

/// Reads until the stream is lost; returns the reason. Dropping the future
/// closes the stream.
///
/// The browser would reconnect by itself, but at its own pace and without
/// notice. So the first break ends the stream here, and the supervisor takes
/// over.
pub(super) async fn run(session: &Session) -> String {
    let url = path(session);
    session.count(|counters| counters.requests += 1);
    let begun_ms = now_ms();
    let Ok(source) = EventSource::new(&url) else {
        return "no event stream".to_owned();
    };
    let mut listening = Listening::start(source);
    while let Some((data, around)) = listening.messages.next().await {
        session.count(|counters| {
            counters.bytes += data.len() as u64;
            counters.framing += around;
        });
        match serde_json::from_slice::<ServerMessage>(data.as_bytes()) {
            Ok(message) => session.receive(&message, Timing::since(begun_ms)),
            Err(error) => return format!("a message could not be read: {error}"),
        }
    }
    "the event stream broke off".to_owned()
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
        Ok(source) => Listening::start(source).messages.next().await.is_some(),
        Err(_) => false,
    }
}

/// An open stream. One queue for all kinds of events keeps them in order. It is
/// read as fast as the browser fills it, since the reader waits for nothing
/// else.
struct Listening {
    source: EventSource,
    /// The data of each event, and the bytes around it.
    messages: mpsc::UnboundedReceiver<(String, u64)>,
    listener: Closure<dyn FnMut(Event)>,
}

impl Listening {
    fn start(source: EventSource) -> Self {
        let (sender, messages) = mpsc::unbounded();
        let sender = Rc::new(RefCell::new(sender));
        let listener = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            let sender = sender.borrow();
            let message = event.dyn_ref::<MessageEvent>().and_then(|event| {
                let data = event.data().as_string()?;
                let around = around(&event.type_(), &event.last_event_id(), &data);
                Some((data, around))
            });
            match message {
                // The reader may have been dropped a moment ago.
                Some(message) => drop(sender.unbounded_send(message)),
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
            messages,
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
