//! Commands from the client.

use serde::Deserialize;
use shared::{ClientCommand, Cursor, ErrorCode, Pace, ServerMessage, Symbols};

/// A command with validated fields.
#[derive(Debug)]
pub(super) enum Command {
    Subscribe {
        req: Option<u64>,
        symbols: Symbols,
        cursor: Option<Cursor>,
    },
    Unsubscribe {
        req: Option<u64>,
        symbols: Symbols,
    },
    Pace {
        req: Option<u64>,
        pace: Pace,
    },
    Ping {
        req: Option<u64>,
        client_time: shared::Time,
    },
}

impl Command {
    /// Parses a command; the error is the answer to send.
    pub(super) fn parse(text: &str) -> Result<Self, Box<ServerMessage>> {
        let command = serde_json::from_str(text).map_err(|fault| unreadable(text, &fault))?;
        let symbols_of = |req, names: Vec<String>| match Symbols::from_names(names) {
            Symbols::Named(names) if names.is_empty() => {
                let message = "symbols is empty; allowed are names, or [\"*\"] for all";
                Err(error(req, ErrorCode::BadParameter, message))
            }
            symbols => Ok(symbols),
        };
        match command {
            ClientCommand::Subscribe {
                req,
                symbols,
                cursor,
            } => Ok(Self::Subscribe {
                req,
                symbols: symbols_of(req, symbols)?,
                cursor: cursor.map(|cursor| cursor.parse()).transpose().map_err(
                    |fault: shared::CursorError| error(req, ErrorCode::BadParameter, fault),
                )?,
            }),
            ClientCommand::Unsubscribe { req, symbols } => Ok(Self::Unsubscribe {
                req,
                symbols: symbols_of(req, symbols)?,
            }),
            ClientCommand::Pace {
                req,
                every_ms,
                latest,
            } => {
                let (every_ms, max) = (every_ms.unwrap_or_default(), Pace::EVERY_MS_MAX);
                if every_ms > max {
                    let message = format!(
                        "every_ms '{every_ms}' is not allowed; a whole number from 0 to {max}"
                    );
                    return Err(error(req, ErrorCode::BadParameter, message));
                }
                let latest = latest.unwrap_or_default();
                let pace = Pace { every_ms, latest };
                Ok(Self::Pace { req, pace })
            }
            ClientCommand::Ping { req, client_time } => Ok(Self::Ping { req, client_time }),
        }
    }
}

/// The answer to what is not a command.
fn unreadable(text: &str, fault: &serde_json::Error) -> Box<ServerMessage> {
    /// The fields that can be read even from a message that is not a valid
    /// command.
    #[derive(Deserialize)]
    struct Envelope {
        op: Option<String>,
        req: Option<u64>,
    }
    let bad = |req, message: String| error(req, ErrorCode::BadMessage, message);
    let Ok(Envelope { op, req }) = serde_json::from_str(text) else {
        return bad(None, format!("not a command: {fault}"));
    };
    let known = "there are subscribe, unsubscribe, pace and ping";
    match op.as_deref() {
        None => bad(req, format!("no 'op'; {known}")),
        Some("subscribe" | "unsubscribe" | "pace" | "ping") => bad(req, fault.to_string()),
        Some(op) => {
            let op: String = op.chars().take(40).collect();
            error(req, ErrorCode::UnknownOp, format!("no op '{op}'; {known}"))
        }
    }
}

/// The answer to a rejected command, with the reason.
pub(super) fn error(
    req: Option<u64>,
    code: ErrorCode,
    message: impl ToString,
) -> Box<ServerMessage> {
    Box::new(ServerMessage::Error {
        req,
        code,
        message: message.to_string(),
    })
}
