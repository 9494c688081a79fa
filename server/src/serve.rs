//! Connections: each a task that is measured, told of the end, and waited for.

use std::io::ErrorKind;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use crate::metrics::Meter;
use crate::transports::{self, App};

/// How long a client may take for the head of a request, or stay without one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// What to wait when there are no descriptors left for another connection.
const PAUSE: Duration = Duration::from_millis(500);

/// Accepts connections until the server shuts down. Those that are open then
/// end by themselves; [`App::connections`] has them.
pub(crate) async fn serve(listener: TcpListener, app: App) {
    let (stop, connections) = (app.shutdown.clone(), app.connections.clone());
    let metrics = app.metrics.clone();
    let router = transports::router(app);
    loop {
        let tcp = tokio::select! {
            () = stop.cancelled() => return,
            tcp = accept(&listener) => tcp,
        };
        let meter = Meter::new(metrics.clone());
        let connection = talk(tcp, router.clone(), meter.clone(), stop.clone());
        connections.spawn(meter.measure(connection));
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => {
                // Ticks are worth more early than together.
                if let Err(error) = tcp.set_nodelay(true) {
                    tracing::debug!(%error, "no TCP_NODELAY");
                }
                return tcp;
            }
            Err(error) => match error.kind() {
                // Of one client, which has gone.
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

async fn talk(tcp: TcpStream, router: Router, meter: Meter, stop: CancellationToken) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        meter.carries_nothing();
        request.extensions_mut().insert(meter.clone());
        // A router is always ready.
        router.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(tcp), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
