//! Why a connection is lost, and why a transport is not used.

use shared::Transport;

use crate::faults::CallError;

/// Why a connection was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// A poll failed.
    Call(CallError),
    /// The browser could not open it.
    NotOpened(Transport),
    /// The server closed it, with this code of the WebSocket and this reason in
    /// words, which may be empty.
    Closed(Option<u16>, String),
    /// It broke off.
    BrokeOff(Transport),
    /// A message could not be read, for this reason.
    Unreadable(String),
    /// Nothing arrived for too long.
    Silent,
    /// The server refuses this page, for this reason in words.
    Refused(String),
}

/// Why the page does not use a better transport, in automatic mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detour {
    /// The next better transport.
    pub transport: Transport,
    /// What is wrong with it.
    pub fault: TransportFault,
}

/// What is wrong with a transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportFault {
    /// Nothing arrives over it.
    DoesNotGetThrough,
    /// Its connections do not last.
    KeepsBreakingOff,
}
