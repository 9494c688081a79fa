//! Connections: each is a task that is measured, notified of the shutdown, and
//! awaited.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Uri;
use futures_util::future::join_all;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use crate::access::Peer;
use crate::api;
use crate::app::App;
use crate::attention::{Attention, HEAD_TIMEOUT};
use crate::metrics::Meter;
use crate::wire::{Certificates, Wire};

/// How long to wait when no further connection can be accepted, for example for
/// lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(500);

/// The most unsent bytes that the system queues for a connection.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 64 * 1024;

/// What a browser is told that asks for `http://` where TLS is spoken.
const NOT_ENCRYPTED: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n\
connection: close\r\ncontent-length: 46\r\n\r\nThis server speaks TLS: use https:// instead.\n";

/// What each connection needs.
#[derive(Clone)]
struct Service {
    router: Router,
    base_path: Arc<str>,
    keep_alive: Duration,
    certificates: Option<Certificates>,
    stop: CancellationToken,
}

/// Accepts connections until the server shuts down. Open connections then end
/// by themselves; they are tracked in [`App::connections`].
pub(crate) async fn serve(
    listeners: Vec<TcpListener>,
    app: App,
    keep_alive: Duration,
    certificates: Option<Certificates>,
) {
    let (metrics, connections) = (app.metrics.clone(), app.connections.clone());
    let service = Service {
        base_path: Arc::clone(&app.base_path),
        keep_alive,
        certificates,
        stop: app.shutdown.clone(),
        router: api::router(app),
    };
    let accepting = listeners.into_iter().map(|listener| {
        let (service, metrics, connections) =
            (service.clone(), metrics.clone(), connections.clone());
        async move {
            loop {
                let (tcp, address) = tokio::select! {
                    () = service.stop.cancelled() => return,
                    accepted = accept(&listener) => accepted,
                };
                let meter = Meter::new(metrics.clone());
                let connection = greet(tcp, address, service.clone(), meter.clone());
                connections.spawn(meter.measure(connection));
            }
        }
    });
    join_all(accepting).await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((tcp, address)) => {
                // Low latency matters more than large packets.
                if let Err(error) = tcp.set_nodelay(true) {
                    tracing::debug!(%error, "no TCP_NODELAY");
                }
                keep_little_unsent(&tcp);
                return (tcp, address);
            }
            Err(error) => match error.kind() {
                // Only this one client is gone.
                ErrorKind::ConnectionAborted
                | ErrorKind::ConnectionRefused
                | ErrorKind::ConnectionReset => {}
                _ => {
                    tracing::error!(%error, "no connection can be taken");
                    sleep(PAUSE).await;
                }
            },
        }
    }
}

/// Keeps the system's send queue short. What a slow consumer does not take
/// stays in the log, where it is merged, or replaced by a snapshot once it is
/// old. In the system's queue it would only get older.
fn keep_little_unsent(tcp: &TcpStream) {
    // Other systems do not have this option.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Err(error) = socket2::SockRef::from(tcp).set_tcp_notsent_lowat(UNSENT_BYTES) {
        tracing::debug!(%error, "no TCP_NOTSENT_LOWAT");
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = tcp;
}

/// The request's URI without the path prefix, which a proxy may have left in
/// place.
fn below(base_path: &str, uri: &Uri) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(base_path)?;
    let rest = match rest.as_bytes().first() {
        Some(b'/') => rest.to_owned(),
        None | Some(b'?') => format!("/{rest}"),
        // Another path with the same beginning.
        Some(_) => return None,
    };
    rest.parse().ok()
}

/// Agrees on the keys first, if there are certificates.
async fn greet(tcp: TcpStream, address: SocketAddr, service: Service, meter: Meter) {
    let wire = match &service.certificates {
        None => Ok(Wire::plain(tcp)),
        Some(certificates) => {
            let encrypted = timeout(HEAD_TIMEOUT, encrypt(tcp, certificates));
            let late = |_| Err(ErrorKind::TimedOut.into());
            encrypted.await.unwrap_or_else(late)
        }
    };
    match wire {
        Ok(wire) => talk(wire, address, service, meter).await,
        Err(error) => tracing::debug!(%error, "no encrypted connection"),
    }
}

async fn encrypt(mut tcp: TcpStream, certificates: &Certificates) -> io::Result<Wire> {
    let mut first = [0];
    tcp.peek(&mut first).await?;
    // The first byte of a TLS record of a handshake is 22 (RFC 8446, section
    // 5.1), that of a request in HTTP is a letter.
    if first[0].is_ascii_alphabetic() {
        tcp.write_all(NOT_ENCRYPTED).await?;
        tcp.shutdown().await?;
        return Err(ErrorKind::InvalidData.into());
    }
    Wire::encrypted(tcp, certificates.config()).await
}

async fn talk(wire: Wire, address: SocketAddr, service: Service, meter: Meter) {
    let Service {
        router,
        base_path,
        keep_alive,
        stop,
        ..
    } = service;
    let peer = Peer {
        address,
        is_encrypted: wire.is_encrypted(),
    };
    let attention = Attention::new(keep_alive);
    let watched = attention.clone();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        meter.carries_nothing();
        request.extensions_mut().insert(meter.clone());
        request.extensions_mut().insert(peer);
        if !base_path.is_empty()
            && let Some(uri) = below(&base_path, request.uri())
        {
            *request.uri_mut() = uri;
        }
        let busy = watched.answering();
        // A router is always ready.
        let answer = router.clone().call(request);
        async move {
            answer
                .await
                .map(|answer| answer.map(|body| busy.until_sent(body)))
        }
    });
    let connection = http1::Builder::new()
        // Off: the library has one timeout for idle connections and request
        // headers alike.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(attention.watch(wire)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        what = attention.lost() => {
            tracing::debug!(what, "a connection is closed");
            return;
        }
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_another() {
        for (uri, expect) in [
            ("/tickwire/api/time?x=1", Some("/api/time?x=1")),
            ("/tickwire/", Some("/")),
            ("/tickwire", Some("/")),
            ("/tickwire?x", Some("/?x")),
            ("/tickwires/api", None),
            ("/api/time", None),
        ] {
            let found = below("/tickwire", &uri.parse().unwrap()).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), expect, "{uri}");
        }
    }
}
