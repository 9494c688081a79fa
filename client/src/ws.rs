use anyhow::{Context as _, anyhow, bail};
use futures_util::StreamExt as _;
use shared::binary::Instruments;
use shared::{ApiError, ServerMessage, WireFormat};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::Traffic;

/// An open WebSocket.
#[derive(Debug)]
pub(super) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// The error when a WebSocket cannot be opened, with the server's message if
/// there is one.
fn refusal(error: Error) -> anyhow::Error {
    let body = match &error {
        Error::Http(response) => response.body().as_deref().unwrap_or_default(),
        _ => &[],
    };
    match serde_json::from_slice::<ApiError>(body) {
        Ok(told) => anyhow!("{error}: {}", told.message),
        Err(_) => error.into(),
    }
}

impl Socket {
    pub(super) async fn open(
        url: &str,
        format: WireFormat,
        traffic: &mut Traffic,
    ) -> anyhow::Result<Self> {
        let mut request = url.into_client_request()?;
        let name = HeaderValue::from_static(format.subprotocol());
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, name);
        let path = request
            .uri()
            .path_and_query()
            .map_or(0, |p| p.as_str().len());
        let headers = request.headers().clone();
        let (socket, response) = connect_async(request).await.map_err(refusal)?;
        traffic.shook_hands(path, &headers, response.headers());
        Ok(Self(socket))
    }

    pub(super) async fn next(
        &mut self,
        instruments: &mut Instruments,
        traffic: &mut Traffic,
    ) -> anyhow::Result<ServerMessage> {
        loop {
            match self.0.next().await.context("the WebSocket ended")?? {
                Message::Text(text) => {
                    traffic.framed(text.len());
                    return Ok(serde_json::from_str(&text)?);
                }
                Message::Binary(bytes) => {
                    traffic.framed(bytes.len());
                    return Ok(instruments.read(&bytes)?);
                }
                Message::Close(close) => bail!("closed: {close:?}"),
                _ => {}
            }
        }
    }
}
