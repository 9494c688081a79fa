//! Connections: each is a task that is measured, notified of the shutdown, and
//! awaited.

use std::io::ErrorKind;
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
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use crate::access::Peer;
use crate::api;
use crate::app::App;
use crate::attention::Attention;
use crate::metrics::Meter;

/// How long to wait when no further connection can be accepted, for example for
/// lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(500);

/// The most unsent bytes that the system queues for a connection.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 64 * 1024;

/// What each connection needs.
#[derive(Clone)]
struct Service {
    router: Router,
    base_path: Arc<str>,
    keep_alive: Duration,
    stop: CancellationToken,
}

/// Accepts connections until the server shuts down. Open connections then end
/// by themselves; they are tracked in [`App::connections`].
pub(crate) async fn serve(listeners: Vec<TcpListener>, app: App, keep_alive: Duration) {
    let (metrics, connections) = (app.metrics.clone(), app.connections.clone());
    let service = Service {
        base_path: Arc::clone(&app.base_path),
        keep_alive,
        stop: app.shutdown.clone(),
        router: api::router(app),
    };
    let accepting = listeners.into_iter().map(|listener| {
        let (service, metrics, connections) =
            (service.clone(), metrics.clone(), connections.clone());
        async move {
            loop {
                let (tcp, peer) = tokio::select! {
                    () = service.stop.cancelled() => return,
                    accepted = accept(&listener) => accepted,
                };
                let meter = Meter::new(metrics.clone());
                let connection = talk(tcp, peer, service.clone(), meter.clone());
                connections.spawn(meter.measure(connection));
            }
        }
    });
    join_all(accepting).await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, Peer) {
    loop {
        match listener.accept().await {
            Ok((tcp, peer)) => {
                // Low latency matters more than large packets.
                if let Err(error) = tcp.set_nodelay(true) {
                    tracing::debug!(%error, "no TCP_NODELAY");
                }
                keep_little_unsent(&tcp);
                return (tcp, Peer(peer));
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

async fn talk(tcp: TcpStream, peer: Peer, service: Service, meter: Meter) {
    let Service {
        router,
        base_path,
        keep_alive,
        stop,
    } = service;
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
        .serve_connection(TokioIo::new(attention.watch(tcp)), service)
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
