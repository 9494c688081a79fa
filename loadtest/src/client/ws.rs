use anyhow::{Context as _, bail};
use futures_util::StreamExt as _;
use shared::ServerMessage;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// An open WebSocket.
#[derive(Debug)]
pub(super) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(super) async fn open(url: &str) -> anyhow::Result<Self> {
        let (socket, _) = connect_async(url).await?;
        Ok(Self(socket))
    }

    pub(super) async fn next(&mut self, bytes: &mut u64) -> anyhow::Result<ServerMessage> {
        loop {
            match self.0.next().await.context("the WebSocket ended")?? {
                Message::Text(text) => {
                    *bytes += text.len() as u64;
                    return Ok(serde_json::from_str(&text)?);
                }
                Message::Close(close) => bail!("closed: {close:?}"),
                _ => {}
            }
        }
    }
}
