//! What everything that answers over HTTP has in common: faults, parameters,
//! and what a client takes and has.

pub(crate) mod fault;
pub(crate) mod negotiate;
pub(crate) mod query;

pub(crate) use self::fault::Fault;
