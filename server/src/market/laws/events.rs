//! What can happen to the market and to its reader, by chance.

use proptest::prelude::*;

use super::SYMBOLS;

/// What can happen to the market and to its reader.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A batch of ticks: for each, the index of its symbol and whether it is a
    /// trade.
    Publish(Vec<(usize, bool)>),
    /// The feed's state changes.
    Status,
    /// The feed begins anew.
    Anew,
    /// The past of the symbol with this index becomes known.
    History(usize),
    /// An alert on each of these symbols (as bits) fires, all at once.
    Alerts(u8),
    /// The reader reads as a stream does.
    Read,
    /// The reader gets a poll's answer with this limit.
    Answer(usize),
    Heartbeat,
    /// The reader changes its pace: `every_ms` and `latest`.
    Pace(u32, bool),
    /// The reader is lost. Its client reconnects with its last cursor.
    Reconnect,
    /// The reader is lost. Its client reconnects without a cursor.
    Restart,
    /// Symbols join the set (as bits), with a cursor this many entries back, or
    /// without one.
    Subscribe(u8, Option<u64>),
    Unsubscribe(u8),
}

pub(super) fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => proptest::collection::vec((0..SYMBOLS.len(), any::<bool>()), 1..6).prop_map(Event::Publish),
        1 => Just(Event::Status),
        1 => Just(Event::Anew),
        1 => (0..SYMBOLS.len()).prop_map(Event::History),
        1 => (1u8..16).prop_map(Event::Alerts),
        4 => Just(Event::Read),
        2 => (1usize..8).prop_map(Event::Answer),
        1 => Just(Event::Heartbeat),
        1 => (0u32..2, any::<bool>()).prop_map(|(every_ms, latest)| Event::Pace(every_ms, latest)),
        1 => Just(Event::Reconnect),
        1 => Just(Event::Restart),
        2 => (1u8..16, proptest::option::of(0u64..20)).prop_map(|(set, back)| Event::Subscribe(set, back)),
        1 => (1u8..16).prop_map(Event::Unsubscribe),
    ];
    proptest::collection::vec(event, 1..60)
}
