//! The live parts of the guide: the bytes of this page's own requests and
//! frames. The text is in the HTML document.

#![allow(
    unreachable_pub,
    reason = "the component macro makes what it generates public"
)]

use std::collections::VecDeque;

use futures_channel::mpsc;
use futures_util::{FutureExt, SinkExt, StreamExt, select_biased};
use gloo_net::http::Request;
use gloo_net::websocket::{Message, futures::WebSocket};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{ClientCommand, Echo, SnapshotAnswer, SymbolsAnswer, TicksAnswer, routes};

use crate::client::http;
use crate::dom::{Html, existing, html};
use crate::lab::heads::handshake_heads;

/// How many of the newest frames are shown.
const FRAMES: usize = 6;
/// How many characters of a long text are shown.
const CHARS: usize = 260;
/// How often a poll is repeated until its answer is empty.
const TRIES: usize = 50;

/// Starts the live parts of the guide.
#[component]
pub(crate) fn Guide() -> impl IntoView {
    spawn_local(async {
        // Each part handles its own errors, and shows them in its own place.
        show("#echo", echo().await);
        poll().await;
        handshake().await;
    });
    let (commands, wanted) = mpsc::unbounded();
    let button = existing("#subscribe");
    let button = button.map(|button| button.click(move || _ = commands.unbounded_send(())));
    spawn_local(async move {
        // Ends with an error, or when all symbols are subscribed to.
        let reason = frames(wanted).await.err().unwrap_or_default();
        show("#reply", Err(reason));
        if let Some(button) = button {
            button.set("disabled", "");
        }
    });
}

fn show(place: &str, text: Result<String, String>) {
    if let Some(place) = existing(place) {
        let text = text.unwrap_or_else(|reason| "This did not work: ".to_owned() + &reason);
        place.node().set_text_content(Some(&text));
    }
}

/// This page's request, as the server saw it.
async fn echo() -> Result<String, String> {
    let body = http::get(routes::ECHO, 10_000).await?;
    let echo: Echo = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    let bytes = echo.request.len();
    Ok(format!("{}({bytes} bytes)", echo.request))
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
    let unreadable = |error: serde_json::Error| error.to_string();
    let body = http::get(routes::SYMBOLS, 10_000).await?;
    let catalogue: SymbolsAnswer = serde_json::from_slice(&body).map_err(unreadable)?;
    // The last symbol of the catalogue trades least often.
    let symbol = catalogue.symbols.last().ok_or("there are no symbols")?;
    let symbol = String::from(js_sys::encode_uri_component(&symbol.symbol));
    for _ in 0..TRIES {
        let body = http::get(&format!("{}?symbols={symbol}", routes::SNAPSHOT), 10_000).await?;
        let snapshot: SnapshotAnswer = serde_json::from_slice(&body).map_err(unreadable)?;
        let path = format!(
            "{}?symbols={symbol}&cursor={}",
            routes::TICKS,
            snapshot.cursor
        );
        let response = Request::get(&path).send().await;
        let response = response.map_err(|_| "the server cannot be reached")?;
        let mut answered = format!(
            "HTTP/1.1 {} {}\n",
            response.status(),
            response.status_text()
        );
        for (name, value) in response.headers().entries() {
            answered += &format!("{name}: {value}\n");
        }
        let body = response.text().await.map_err(|_| "the answer broke off")?;
        let answer: TicksAnswer = serde_json::from_slice(body.as_bytes()).map_err(unreadable)?;
        if answer.events.is_empty() {
            answered += &format!("\n{body}");
            return Ok((format!("GET {} HTTP/1.1", http::sent_path(&path)), answered));
        }
    }
    Err("there was something new each time".to_owned())
}

/// Shows a WebSocket handshake, as the server received and answered it.
async fn handshake() {
    match handshake_heads().await {
        Some(Echo { request, answer }) => {
            show("#handshake-request", Ok(request));
            show("#handshake-answer", Ok(answer.unwrap_or_default()));
        }
        None => show(
            "#handshake-request",
            Err("no WebSocket gets through".to_owned()),
        ),
    }
}

/// Shows frames as they arrive, and sends a `subscribe` command over the same
/// connection for each click of the button.
async fn frames(mut wanted: mpsc::UnboundedReceiver<()>) -> Result<(), String> {
    let url = http::websocket_url(routes::WS)?;
    let socket = WebSocket::open(&url).map_err(|error| error.to_string())?;
    let (mut up, mut down) = socket.split();
    let body = http::get(routes::SYMBOLS, 10_000).await?;
    let catalogue: SymbolsAnswer = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    let mut symbols = catalogue.symbols.into_iter().map(|symbol| symbol.symbol);
    let mut list = VecDeque::new();
    loop {
        select_biased! {
            wish = wanted.next().fuse() => {
                wish.ok_or("the page has gone")?;
                let symbol = symbols.next().ok_or("you have subscribed to all symbols")?;
                let command = ClientCommand::Subscribe {
                    req: Some(1),
                    symbols: vec![symbol],
                    cursor: None,
                };
                let command = serde_json::to_string(&command).map_err(|error| error.to_string())?;
                show("#command", Ok(command.clone()));
                note(&mut list, Direction::Up, &command);
                up.send(Message::Text(command)).await.map_err(|error| error.to_string())?;
            }
            frame = down.next().fuse() => match frame.ok_or("the server closed it")? {
                Ok(Message::Text(text)) => {
                    if text.starts_with(r#"{"event":"subscribed""#) {
                        show("#reply", Ok(text.clone()));
                    }
                    note(&mut list, Direction::Down, &text);
                }
                Ok(Message::Bytes(_)) => {}
                Err(error) => return Err(error.to_string()),
            },
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

/// Adds a frame to the top of the list.
fn note(list: &mut VecDeque<Html>, way: Direction, text: &str) {
    let Some(place) = existing("#frames") else {
        return;
    };
    let time = String::from(js_sys::Date::new_0().to_iso_string());
    let time = time.get(11..23).unwrap_or_default();
    let mut shown: String = text.chars().take(CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    let arrow = if way == Direction::Up { "↑" } else { "↓" };
    let (head, length) = (frame_head(way, text.len()), text.len());
    let head = format!("{arrow} {time}  {head}  and {length} bytes:");
    let line = html("<li></li>").with([
        html(r#"<span class="muted"></span>"#).say(&head),
        html("<code></code>").say(&shown),
    ]);
    // Fails only for nodes that cannot have children.
    let _ = place.node().prepend_with_node_1(line.node());
    list.push_front(line);
    while list.len() > FRAMES {
        if let Some(old) = list.pop_back() {
            old.node().remove();
        }
    }
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
