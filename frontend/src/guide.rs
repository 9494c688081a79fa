//! The live parts of the guide: the bytes of this page's own requests and
//! frames. The text is in the HTML document.

#![allow(
    unreachable_pub,
    reason = "the component macro makes what it generates public"
)]

use std::collections::VecDeque;

use futures_channel::mpsc;
use futures_util::future::{Either, select};
use futures_util::{SinkExt, StreamExt};
use gloo_net::websocket::{Message, futures::WebSocket};
use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{ClientCommand, Echo, ServerMessage, TicksAnswer, Transport, routes};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::HtmlElement;

use crate::client::api::{self, WholeAnswer};
use crate::client::{Loss, http};
use crate::faults::CallError;
use crate::lab::heads::handshake_heads;
use crate::words;

/// How many of the newest frames are shown.
const FRAMES: usize = 6;
/// How many characters of a long text are shown.
const CHARS: usize = 260;
/// How often a poll is repeated until its answer is empty.
const TRIES: usize = 50;

/// The first element of the document that matches the selector.
pub(crate) fn existing(selector: &str) -> Option<HtmlElement> {
    let found = document().query_selector(selector).ok().flatten()?;
    found.dyn_into().ok()
}

/// Starts the live parts of the guide.
pub(crate) fn start() {
    spawn_local(async {
        // Each part handles its own errors, and shows them in its own place.
        show("#echo", echo().await);
        poll().await;
        handshake().await;
    });
    let frames = RwSignal::new(VecDeque::new());
    if let Some(list) = existing("#frames") {
        let mounted = mount_to(list, move || view! { <Frames frames /> });
        // The list lives as long as the page.
        mounted.forget();
    }
    let (commands, wanted) = mpsc::unbounded();
    let button = existing("#subscribe");
    if let Some(button) = &button {
        let send = Closure::<dyn Fn()>::new(move || _ = commands.unbounded_send(()));
        button.set_onclick(Some(send.as_ref().unchecked_ref()));
        // The button lives as long as the page.
        send.forget();
    }
    spawn_local(async move {
        // Ends with an error, or when all symbols are subscribed to.
        let reason = exchange(wanted, frames).await.err().unwrap_or_default();
        show("#reply", Err(reason));
        if let Some(button) = button {
            // The name of the attribute is valid.
            let _ = button.set_attribute("disabled", "");
        }
    });
}

fn show(place: &str, text: Result<String, String>) {
    if let Some(place) = existing(place) {
        let text = text.unwrap_or_else(|reason| words::did_not_work(&reason));
        place.set_text_content(Some(&text));
    }
}

fn failed(error: CallError) -> String {
    words::call_error(&error)
}

/// This page's request, as the server saw it.
async fn echo() -> Result<String, String> {
    let echo = api::echo().await.map_err(failed)?;
    Ok(words::with_bytes(&echo.request))
}

/// Shows a poll whose answer has nothing new.
async fn poll() {
    match empty_poll().await {
        Ok((asked, answered)) => {
            show("#poll-request", Ok(asked));
            show("#poll-answer", Ok(answered));
        }
        Err(reason) => show("#poll-answer", Err(reason)),
    }
}

async fn empty_poll() -> Result<(String, String), String> {
    // The last symbol of the catalogue trades least often.
    let symbol = api::symbols().await.map_err(failed)?.pop();
    let symbol = symbol.ok_or(words::NO_SYMBOLS)?;
    for _ in 0..TRIES {
        let snapshot = api::snapshot(&symbol).await.map_err(failed)?;
        let path = api::ticks_path(&symbol, snapshot.cursor);
        if let Some(answered) = nothing_new(&path).await.map_err(failed)? {
            return Ok((format!("GET {} HTTP/1.1", http::sent_path(&path)), answered));
        }
    }
    Err(words::ALWAYS_NEW.to_owned())
}

/// The answer to a poll with its head, if it has nothing new.
async fn nothing_new(path: &str) -> Result<Option<String>, CallError> {
    let WholeAnswer {
        status,
        headers,
        body,
    } = api::whole_poll(path).await?;
    let mut answered = format!("HTTP/1.1 {status}\n");
    for (name, value) in headers {
        answered += &format!("{name}: {value}\n");
    }
    let answer: Result<TicksAnswer, _> = serde_json::from_str(&body);
    let answer = answer.map_err(|error| CallError::Unreadable(error.to_string()))?;
    let is_empty = answer.events.is_empty();
    Ok(is_empty.then(|| format!("{answered}\n{body}")))
}

/// Shows a WebSocket handshake, as the server received and answered it.
async fn handshake() {
    match handshake_heads().await {
        Some(Echo { request, answer }) => {
            show("#handshake-request", Ok(request));
            show("#handshake-answer", Ok(answer.unwrap_or_default()));
        }
        None => show("#handshake-request", Err(words::NO_HANDSHAKE.to_owned())),
    }
}

/// Shows frames as they arrive, and sends a `subscribe` command over the same
/// connection for each click of the button.
async fn exchange(
    mut wanted: mpsc::UnboundedReceiver<()>,
    frames: RwSignal<VecDeque<Frame>>,
) -> Result<(), String> {
    let broke_off = |_| words::loss(&Loss::BrokeOff(Transport::WebSocket));
    let url = http::websocket_url(routes::WS);
    let socket = url.and_then(|url| WebSocket::open(&url).ok());
    let socket = socket.ok_or_else(|| words::loss(&Loss::NotOpened(Transport::WebSocket)))?;
    let (mut up, mut down) = socket.split();
    let mut symbols = api::symbols().await.map_err(failed)?.into_iter();
    loop {
        match select(wanted.next(), down.next()).await {
            Either::Left((None, _)) => return Ok(()),
            Either::Left((Some(()), _)) => {
                let symbol = symbols.next().ok_or(words::ALL_SUBSCRIBED)?;
                let command = ClientCommand::Subscribe {
                    req: Some(1),
                    symbols: vec![symbol],
                    cursor: None,
                };
                let command = serde_json::to_string(&command).map_err(|e| e.to_string())?;
                show("#command", Ok(command.clone()));
                note(frames, Direction::Up, &command);
                up.send(Message::Text(command)).await.map_err(broke_off)?;
            }
            Either::Right((frame, _)) => {
                let frame = frame.ok_or(words::SOCKET_CLOSED)?.map_err(broke_off)?;
                if let Message::Text(text) = frame {
                    let message = serde_json::from_str(&text);
                    if matches!(message, Ok(ServerMessage::Subscribed { .. })) {
                        show("#reply", Ok(text.clone()));
                    }
                    note(frames, Direction::Down, &text);
                }
            }
        }
    }
}

/// The direction of a frame.
#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Up,
    Down,
}

/// The head of a frame with a text (RFC 6455, section 5.2), in hexadecimal: the
/// byte of a final text frame; the length; and, in frames to the server, the
/// mask, which the browser chooses and does not reveal.
fn frame_head(way: Direction, length: usize) -> String {
    let masked = if way == Direction::Up { 0x80 } else { 0 };
    let mut head = match length {
        0..126 => format!("81 {:02x}", masked | length),
        126..65_536 => format!(
            "81 {:02x} {:02x} {:02x}",
            masked | 126,
            length >> 8,
            length & 255
        ),
        _ => {
            let bytes = (length as u64)
                .to_be_bytes()
                .map(|byte| format!(" {byte:02x}"));
            format!("81 {:02x}{}", masked | 127, bytes.concat())
        }
    };
    if way == Direction::Up {
        head += " ‥ ‥ ‥ ‥";
    }
    head
}

/// A frame as it is shown.
#[derive(Clone)]
struct Frame {
    number: u64,
    head: String,
    text: String,
}

/// The newest frames, the newest on top.
#[component]
fn Frames(frames: RwSignal<VecDeque<Frame>>) -> impl IntoView {
    view! {
        <For
            each=move || frames.get()
            key=|frame| frame.number
            children=|frame| {
                view! {
                    <li>
                        <span class="muted">{frame.head}</span>
                        <code>{frame.text}</code>
                    </li>
                }
            }
        />
    }
}

/// Adds a frame to the top of the list.
fn note(frames: RwSignal<VecDeque<Frame>>, way: Direction, text: &str) {
    let time = String::from(js_sys::Date::new_0().to_iso_string());
    let time = time.get(11..23).unwrap_or_default();
    let mut shown: String = text.chars().take(CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    let arrow = if way == Direction::Up { "↑" } else { "↓" };
    let (head, length) = (frame_head(way, text.len()), text.len());
    frames.update(|frames| {
        frames.push_front(Frame {
            number: frames.front().map_or(0, |frame| frame.number + 1),
            head: words::frame_head(arrow, time, &head, length),
            text: shown,
        });
        frames.truncate(FRAMES);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_frames() {
        assert_eq!(frame_head(Direction::Down, 5), "81 05");
        assert_eq!(frame_head(Direction::Down, 256), "81 7e 01 00");
        assert_eq!(
            frame_head(Direction::Down, 65_536),
            "81 7f 00 00 00 00 00 01 00 00"
        );
        assert_eq!(frame_head(Direction::Up, 5), "81 85 ‥ ‥ ‥ ‥");
    }
}
