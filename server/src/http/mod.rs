//! What all HTTP handlers share: errors, parameters, and content negotiation.

pub(crate) mod dial;
pub(crate) mod fault;
pub(crate) mod negotiate;
pub(crate) mod outgoing;
pub(crate) mod query;
pub(crate) mod websocket;

pub(crate) use self::fault::Fault;
