//! Connections to other servers: encrypted or not, directly or through a proxy.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Dialing<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// A connection.
pub(crate) type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// How long a connection may take to be made.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes connections to `http` and `https` addresses.
#[derive(Clone, Debug)]
pub(crate) struct Dialer(HttpsConnector<Route>);

/// The way to a host: the variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
/// `NO_PROXY` say which. This machine itself is reached directly.
#[derive(Clone, Debug)]
struct Route {
    direct: HttpConnector,
    proxies: Arc<Matcher>,
}

impl Dialer {
    /// # Errors
    ///
    /// This machine has no certificates of authorities that can be used.
    pub(crate) fn new() -> io::Result<Self> {
        let mut direct = HttpConnector::new();
        // The addresses of https pass through it, too.
        direct.enforce_http(false);
        direct.set_connect_timeout(Some(PATIENCE));
        direct.set_nodelay(true);
        let route = Route {
            direct,
            proxies: Arc::new(Matcher::from_env()),
        };
        let provider = rustls::crypto::ring::default_provider();
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_platform_verifier(provider)?
            .https_or_http()
            .enable_http1()
            .wrap_connector(route);
        Ok(Self(connector))
    }
}

impl Service<Uri> for Dialer {
    type Response = Stream;
    type Error = Error;
    type Future = Dialing<Stream>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        Box::pin(self.0.call(to))
    }
}

impl Route {
    /// The proxy on the way to this address, if there is one.
    fn proxy(&self, to: &Uri) -> Option<Intercept> {
        let host = to.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address: Result<std::net::IpAddr, _> = host.parse();
        let is_here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        self.proxies.intercept(to).filter(|_| !is_here)
    }
}

impl Service<Uri> for Route {
    type Response = TokioIo<TcpStream>;
    type Error = Error;
    type Future = Dialing<Self::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let mut direct = self.direct.clone();
        let Some(proxy) = self.proxy(&to) else {
            return Box::pin(async move { Ok(direct.call(to).await?) });
        };
        let at = proxy.uri().clone();
        if at
            .scheme_str()
            .is_some_and(|scheme| scheme.starts_with("socks5"))
        {
            let mut socks = SocksV5::new(at, direct);
            if let Some((user, password)) = proxy.raw_auth() {
                socks = socks.with_auth(user.to_owned(), password.to_owned());
            }
            return Box::pin(async move { Ok(socks.call(to).await?) });
        }
        let mut tunnel = Tunnel::new(at, direct);
        if let Some(auth) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(auth.clone());
        }
        Box::pin(async move { Ok(tunnel.call(to).await?) })
    }
}
