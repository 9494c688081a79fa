//! The obvious design: an axum server that sends each message of a
//! `tokio::sync::broadcast` channel down each WebSocket. It is the baseline of
//! `cargo xtask bench fanout`. Its messages are those of the same simulated
//! market.
//!
//! With `--publish` it makes the same messages and posts them to another server,
//! which fans them out.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use clap::{Parser, ValueEnum};
use loadtest::market::{Kind, messages};
use tokio::net::TcpListener;
use tokio::sync::broadcast::{Receiver, Sender, error::RecvError};

/// How many messages may wait for a client: those of a few seconds.
const CHANNEL: usize = 1_024;

#[derive(Parser)]
struct Arguments {
    /// What one message contains
    #[arg(long, value_enum, default_value = "tick")]
    message: MessageKind,
    /// How many trades there are a second
    #[arg(long, default_value_t = 100.0)]
    rate: f64,
    /// Starts no server, but posts each message to this address
    #[arg(long)]
    publish: Option<String>,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum MessageKind {
    /// One trade, as JSON
    Tick,
    /// The trades of 16 ms, in Tickwire's binary encoding
    Batch,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let kind = match arguments.message {
        MessageKind::Tick => Kind::Tick,
        MessageKind::Batch => Kind::Batch(Duration::from_millis(16)),
    };
    let mut messages = messages(kind, arguments.rate).await?;
    if let Some(url) = arguments.publish {
        let http = reqwest::Client::new();
        while let Some(message) = messages.recv().await {
            http.post(&url)
                .body(message)
                .send()
                .await?
                .error_for_status()?;
        }
        return Ok(());
    }
    let sender = Sender::new(CHANNEL);
    let feed = sender.clone();
    tokio::spawn(async move {
        while let Some(message) = messages.recv().await {
            let message = match kind {
                Kind::Tick => Utf8Bytes::try_from(message).map(Message::Text),
                Kind::Batch(_) => Ok(Message::Binary(message)),
            };
            // This fails only while there are no clients.
            _ = message.map(|message| feed.send(message));
        }
    });
    let listener = TcpListener::bind(&arguments.listen).await?;
    println!("It is at http://{}", listener.local_addr()?);
    let router = Router::new().route("/sub", get(upgrade)).with_state(sender);
    axum::serve(listener, router).await?;
    Ok(())
}

async fn upgrade(State(sender): State<Sender<Message>>, upgrade: WebSocketUpgrade) -> Response {
    let receiver = sender.subscribe();
    upgrade.on_upgrade(move |socket| send(socket, receiver))
}

async fn send(mut socket: WebSocket, mut receiver: Receiver<Message>) {
    loop {
        tokio::select! {
            message = receiver.recv() => match message {
                Ok(message) => {
                    if socket.send(message).await.is_err() {
                        return;
                    }
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            received = socket.recv() => match received {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}
