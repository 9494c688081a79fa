//! What the store asks of the server, and the answers: plain data, which neither
//! knows the store nor how calls are made.

use std::rc::Rc;

use shared::{Alert, Decimal, Firing, Interval, Time};

use crate::faults::CallError;

/// A symbol's candles of one interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesKey {
    /// The symbol.
    pub symbol: String,
    /// The length of a bar.
    pub interval: Interval,
}

/// A request for candles that the store does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRequest {
    /// The symbol and interval.
    pub key: SeriesKey,
    /// Asks for the candles before this time; `None` for the newest ones.
    pub to: Option<Time>,
    /// The number of the series' start that the request belongs to.
    pub(crate) beginning: u64,
}

/// What the page asks of the server's alerts.
#[derive(Clone, Debug)]
pub enum AlertCommand {
    /// List all alerts.
    List,
    /// List what fired.
    Fired,
    /// Move an alert to another price.
    Move(Rc<Alert>, Decimal),
    /// Add an alert that fires when the symbol crosses this price.
    Add(String, Decimal),
}

/// An event for the sender of alert commands.
#[derive(Debug)]
pub enum AlertAnswer {
    /// A command has been started. Its answer may lack changes from now on.
    Begun {
        /// Whether the command lists all alerts.
        is_list: bool,
    },
    /// All alerts.
    All(Vec<Alert>),
    /// What fired, newest first.
    Fired(Vec<Firing>),
    /// This alert was added or changed.
    Changed(Alert),
    /// A command failed.
    Failed {
        /// The alert that was to be moved; `None` if one was to be added.
        alert: Option<u64>,
        /// The reason.
        error: CallError,
    },
    /// A list could not be read. No person has asked for it, so the failure is
    /// not shown, and the command is to be repeated a little later.
    Again(AlertCommand),
}
