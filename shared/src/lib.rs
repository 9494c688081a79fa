//! Tickwire's wire format: every message between server and client.
//!
//! Only plain data and its rules: no sockets, no clocks, no state of a server
//! or a page. Builds natively and for `wasm32-unknown-unknown`.
//!
//! - Prices and quantities are exact decimals ([`Decimal`]): strings in JSON.
//! - Times are [`Time`]: microseconds since the Unix epoch, UTC. The difference
//!   between two of them is a [`Span`].
//! - A position in the log is a [`Cursor`]; with a [`Chain`], a client proves
//!   that it missed nothing.

mod alert;
pub mod binary;
mod candle;
mod chain;
mod command;
mod condition;
mod cursor;
mod decimal;
mod decode;
mod error_code;
mod format;
mod frame;
mod instrument;
mod lookup;
mod message;
mod offset;
mod pace;
mod rest;
pub mod routes;
mod state;
mod status;
mod tick;
mod time;
mod transport;

pub use alert::{Alert, AlertChanges, AlertSpec, AlertsAnswer, FiredAnswer, Firing};
pub use candle::{
    Break, Candle, Candles, CandlesAnswer, Change, Interval, IntervalError, NewestBars,
};
pub use chain::{Chain, Verdict};
pub use command::{ClientCommand, Symbols};
pub use condition::{Condition, ConditionKind, Make, Moves, Parameters};
pub use cursor::{Cursor, CursorError, Epoch};
pub use decimal::{Decimal, DecimalError};
pub use error_code::ErrorCode;
pub use format::{Channel, WireFormat, WireFormatError};
pub use frame::{Sender, frame_head_bytes};
pub use instrument::{AssetClass, Instrument};
pub use lookup::{Found, Lookup};
pub use message::{STREAMED, ServerMessage, SnapshotReason, WIRE_VERSION};
pub use offset::ClockOffset;
pub use pace::Pace;
pub use rest::{
    ApiError, Checkpoint, Echo, FieldFault, LastDay, NodeAnswer, Replay, ReplayAnswer, ReplayDraft,
    ReplayedFile, SPARKS_MAX, SnapshotAnswer, SparksAnswer, StatsAnswer, Step, SymbolsAnswer,
    TicksAnswer, TimeAnswer, ToldRow, TransportStats, WebhookStatus, WebhooksAnswer,
};
pub use state::SymbolState;
pub use status::{FeedState, FeedStatus, ReplayStatus, StoreStatus, VenueStatus};
pub use tick::{PriceKind, Quote, Side, Tick, Trade};
pub use time::{Span, Time};
pub use transport::{Transport, TransportError};

/// Whether a field has the value that it has where it is absent.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
