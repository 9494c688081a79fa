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
use socket2::TcpKeepalive;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use crate::Listeners;
use crate::access::Peer;
use crate::api::{self, Audience};
use crate::app::App;
use crate::attention::{Attention, Lost, Patience};
use crate::limits::{Bounds, Connections, Full, Place, SPARE, Spare, allow_files};
use crate::metrics::{Meter, Refusal};
use crate::wire::{Certificates, Wire};

/// How long to wait when no further connection can be accepted, for example for
/// lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(500);

/// How long a client may say nothing, or not confirm what it was sent, before it
/// is asked or given up by the system.
const GONE: Duration = Duration::from_secs(60);

/// The most unsent bytes that the system queues for a connection.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 64 * 1024;

/// What a browser is told that asks for `http://` where TLS is spoken.
const NOT_ENCRYPTED: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n\
connection: close\r\ncontent-length: 46\r\n\r\nThis server speaks TLS: use https:// instead.\n";

/// How many connections there may be at the addresses of `--admin-listen`.
const WATCHERS: usize = 16;
/// How long such a connection may be idle.
const SPARE_IDLE: Duration = Duration::from_secs(2);

/// A request that did not come in time is answered with this, since nothing of it
/// is known.
const LATE: &[u8] = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\
connection: close\r\n\r\n";

/// What each connection needs.
#[derive(Clone)]
struct Service {
    router: Router,
    base_path: Arc<str>,
    patience: Patience,
    head_bytes: usize,
    certificates: Option<Certificates>,
    bounds: Bounds,
    stop: CancellationToken,
}

/// Takes connections in.
#[derive(Clone)]
struct Door {
    service: Service,
    /// What those get that are too many.
    full: Service,
    /// What those get that are too many from their address.
    too_many: Service,
    /// For those who are told that the server is full, and for those who have
    /// too many connections of their own.
    spare: [Spare; 2],
    connections: Connections,
    app: App,
}

/// Accepts connections until the server shuts down. Open connections then end
/// by themselves; they are tracked in [`App::connections`].
pub(crate) async fn serve(
    listeners: Listeners,
    app: App,
    idle: Duration,
    certificates: Option<Certificates>,
) {
    let limits = app.bounds.limits();
    let connections = Connections::new(most(limits.connections), limits.connections_each);
    let service = Service {
        base_path: Arc::clone(&app.base_path),
        patience: Patience {
            idle,
            head: limits.head,
            slow: limits.slow,
        },
        head_bytes: limits.head_bytes,
        certificates,
        bounds: app.bounds.clone(),
        stop: app.shutdown.clone(),
        router: api::router(app.clone(), Audience::of(&listeners)),
    };
    let door = Door::new(service.clone(), connections, &app);
    let watchers = Service {
        router: api::router_of_watchers(app.clone()),
        certificates: None,
        ..service
    };
    let watchers = Door::new(watchers, Connections::new(WATCHERS, WATCHERS), &app);
    let public = listeners
        .public
        .into_iter()
        .map(|at| door.clone().take_in(at));
    let admin = listeners
        .admin
        .into_iter()
        .map(|at| watchers.clone().take_in(at));
    tokio::join!(join_all(public), join_all(admin));
}

/// How many connections there may be: as many as are wanted, or as the system
/// allows.
fn most(wanted: usize) -> usize {
    let allowed = allow_files().map(|files| files.saturating_sub(2 * SPARE + WATCHERS).max(1));
    match allowed {
        Some(allowed) if allowed < wanted => {
            tracing::warn!(
                "--max-connections {wanted}: the system lets this process have {allowed} (ulimit -n)"
            );
            allowed
        }
        _ => wanted,
    }
}

impl Door {
    fn new(service: Service, connections: Connections, app: &App) -> Self {
        let beyond = |router| {
            let mut service = service.clone();
            service.patience.idle = SPARE_IDLE;
            Service { router, ..service }
        };
        Self {
            full: beyond(api::router_when_full(app.clone())),
            too_many: beyond(api::router_of_too_many(app.clone())),
            service,
            spare: Default::default(),
            connections,
            app: app.clone(),
        }
    }

    async fn take_in(self, listener: Arc<TcpListener>) {
        loop {
            let (tcp, address) = tokio::select! {
                () = self.service.stop.cancelled() => return,
                accepted = accept(&listener) => accepted,
            };
            let ip = address.ip().to_canonical();
            // Behind a proxy there are many clients.
            let counted = (!self.app.access.is_proxy(ip)).then_some(ip);
            let (service, place) = match self.connections.place(counted) {
                Ok(place) => (&self.service, Reserved::Place(place)),
                Err(full) => {
                    let (service, why, spare) = match full {
                        Full::All => (&self.full, Refusal::Connections, &self.spare[0]),
                        Full::Address => (&self.too_many, Refusal::ConnectionsEach, &self.spare[1]),
                    };
                    self.app.bounds.refused(why);
                    (service, Reserved::Spare(spare.take()))
                }
            };
            let meter = Meter::new(self.app.metrics.clone());
            let connection = greet(tcp, address, service.clone(), meter.clone());
            let connection = place.hold(connection);
            self.app.connections.spawn(meter.measure(connection));
        }
    }
}

/// What a connection holds while it is open.
enum Reserved {
    Place(Place),
    Spare(CancellationToken),
}

impl Reserved {
    /// Runs the connection, as long as it may stay.
    async fn hold(self, connection: impl Future<Output = ()>) {
        match self {
            Self::Place(_place) => connection.await,
            Self::Spare(spare) => {
                let _is_over = spare.clone().drop_guard();
                spare.run_until_cancelled(connection).await;
            }
        }
    }
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
                find_the_gone(&tcp);
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

/// Lets the system find out that a client is gone: it asks a client that says
/// nothing, and gives up one that does not confirm what it was sent.
fn find_the_gone(tcp: &TcpStream) {
    let socket = socket2::SockRef::from(tcp);
    let asks = TcpKeepalive::new().with_time(GONE).with_interval(GONE / 6);
    let mut done = socket.set_tcp_keepalive(&asks);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        done = done.and_then(|()| socket.set_tcp_user_timeout(Some(GONE)));
    }
    if let Err(error) = done {
        tracing::debug!(%error, "no keep-alive");
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
            let encrypted = timeout(service.patience.head, encrypt(tcp, certificates));
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
        patience,
        head_bytes,
        bounds,
        stop,
        ..
    } = service;
    let peer = Peer {
        address,
        is_encrypted: wire.is_encrypted(),
    };
    let attention = Attention::new(patience);
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
        .max_buf_size(head_bytes)
        .serve_connection(TokioIo::new(attention.watch(wire.clone())), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        lost = attention.lost() => return give_up(lost, &wire, &bounds),
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Counts a connection that is given up, and says why, if that can be.
fn give_up(lost: Lost, wire: &Wire, bounds: &Bounds) {
    tracing::debug!(?lost, "a connection is closed");
    match lost {
        Lost::Idle => {}
        Lost::Head => {
            bounds.refused(Refusal::Head);
            // The client may be gone.
            let _ = wire.try_write(LATE);
        }
        Lost::Slow => bounds.refused(Refusal::Slow),
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
