//! Access control: under which host names this server answers, which origins'
//! pages may do what, and what somebody may do who has a token, or none.
//!
//! `hosts` is about requests that a browser sends for somebody else's page,
//! `tokens` about people and programs, `answers` about what browsers are
//! told. `docs/security.md` says which attackers there are.

mod answers;
mod hosts;
mod log;
mod sign_in;
mod tokens;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tower_http::cors::CorsLayer;

use self::hosts::{Hosts, Requester};
use self::tokens::Keys;
use crate::config::{AccessConfig, Public};
use crate::http::Fault;

pub(crate) use self::answers::headers;
pub(crate) use self::log::log;
pub(crate) use self::sign_in::{page as sign_in_page, sign_in};
pub(crate) use self::tokens::Right;
pub use self::tokens::Tokens;

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// Whether the connection is encrypted.
    pub(crate) is_encrypted: bool,
}

/// Checks whether a request is allowed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Access(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    hosts: Hosts,
    keys: Option<Keys>,
    /// What somebody may do who presents nothing.
    everybody: Right,
    is_logged: bool,
    origins: Option<CorsLayer>,
}

/// The address of whoever sent a request, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) IpAddr);

/// The address of whoever sent a request, for what each client gets a share of;
/// none for a proxy, behind which there are many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted(pub(crate) Option<IpAddr>);

impl Access {
    /// With these settings.
    pub(crate) fn new(config: AccessConfig) -> Self {
        let everybody = match (config.public, &config.tokens) {
            (Some(Public::Read), _) => Right::Read,
            (None, Some(_)) => Right::Nothing,
            (Some(Public::All), _) | (None, None) => Right::Change,
        };
        Self(Arc::new(Rules {
            keys: config.tokens.as_ref().map(Keys::new),
            everybody,
            is_logged: config.log,
            origins: answers::cors(&config),
            hosts: Hosts::new(config),
        }))
    }

    /// What a request may do by what it presents.
    ///
    /// # Errors
    ///
    /// It presents a token that this server does not know.
    pub(crate) fn right(&self, headers: &HeaderMap) -> Result<Right, Fault> {
        Ok(self.presented(headers)?.max(self.0.everybody))
    }

    /// What the token of a request permits; nothing if it presents none.
    fn presented(&self, headers: &HeaderMap) -> Result<Right, Fault> {
        let Some(keys) = &self.0.keys else {
            return Ok(Right::Nothing);
        };
        let own = keys.of_request(headers);
        own.ok_or_else(|| unauthorized("this server does not know that token"))
    }

    /// What the holder of this token may do; `None` if it is none of this
    /// server's.
    fn of_token(&self, token: &str) -> Option<Right> {
        self.0.keys.as_ref()?.of_token(token)
    }

    /// Whether there is a trusted proxy at this address.
    pub(crate) fn is_proxy(&self, address: IpAddr) -> bool {
        self.0.hosts.trusts(Some(address))
    }

    /// Whether each request is logged.
    pub(crate) fn is_logged(&self) -> bool {
        self.0.is_logged
    }

    /// Answers the questions of browsers that show a page of another origin, if
    /// there are origins whose pages may ask.
    pub(crate) fn cors(&self) -> Option<CorsLayer> {
        self.0.origins.clone()
    }

    /// Checks that a request may do what its method does.
    ///
    /// # Errors
    ///
    /// It may not.
    fn permit(&self, method: &Method, headers: &HeaderMap) -> Result<(), Fault> {
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
        let own = self.presented(headers)?;
        match (own.max(self.0.everybody), reads) {
            (Right::Change, _) | (Right::Read, true) => Ok(()),
            (Right::Nothing, _) => Err(unauthorized("this server asks for a token")),
            (Right::Read, false) if self.0.keys.is_none() => Err(Fault::Forbidden(
                "everybody may read here, and nobody may change anything".to_owned(),
            )),
            (Right::Read, false) => {
                let message = "to change something takes the write token";
                Err(match own {
                    // Who shows nothing may have it.
                    Right::Nothing => unauthorized(message),
                    _ => Fault::Forbidden(message.to_owned()),
                })
            }
        }
    }
}

fn unauthorized(why: &str) -> Fault {
    Fault::Unauthorized(format!("{why}: send Authorization: Bearer TOKEN"))
}

/// Checks the host and the origin of each request, before anything else, and
/// notes whose it is.
pub(crate) async fn guard(
    State(access): State<Access>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request
        .extensions()
        .get::<Peer>()
        .map(|peer| peer.address.ip());
    let hosts = &access.0.hosts;
    let asked = Requester {
        method: request.method(),
        uri: request.uri(),
        headers: request.headers(),
        is_from_proxy: hosts.trusts(peer),
    };
    let checked = hosts.check(&asked);
    if let Some(peer) = peer {
        let client = hosts.client(peer, request.headers());
        request.extensions_mut().insert(Client(client));
        let counted = (!hosts.trusts(Some(client))).then_some(client);
        request.extensions_mut().insert(Counted(counted));
    }
    match checked {
        Ok(()) => next.run(request).await,
        Err(fault) => fault.into_response(),
    }
}

/// Checks the token of a request for data.
pub(crate) async fn permit(State(access): State<Access>, request: Request, next: Next) -> Response {
    match access.permit(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(fault) => fault.into_response(),
    }
}
