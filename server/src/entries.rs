//! What the log consists of, as plain data; a leaf.

use std::sync::Arc;

use shared::{
    AlertChanges, Candle, FeedStatus, Firing, Interval, NewestBars, StoreStatus, SymbolState, Tick,
};

/// An alert that fired, and the catalogue index of its instrument.
pub type Placed = (usize, Arc<Firing>);

/// Candles of an instrument from before its next trade, oldest first, in the order of
/// [`Interval::ALL`]. The newest of each may be open.
pub type PastCandles = [Vec<Candle>; Interval::ALL.len()];

/// Consecutive entries of one kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Entries {
    /// Each with the catalogue index of its instrument; at least one.
    Ticks(Vec<(usize, Tick)>),
    /// Alerts that fired together, each with the catalogue index of its
    /// instrument. They are one entry.
    Firings(Vec<Placed>),
    /// Instruments whose past has become known. They are one entry.
    Known(Vec<Known>),
    /// One message for every reader, whatever its set.
    Notice(Notice),
    /// The feed was set to another time: nothing of before holds, and these are the
    /// candles of each instrument from before that time. One entry, of which only the
    /// number is kept.
    Anew(Vec<PastCandles>),
}

/// An instrument whose past has become known.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Its catalogue index.
    pub instrument: usize,
    /// Its state from now on.
    pub state: SymbolState,
    /// The candles of its past, oldest first.
    pub candles: Arc<PastCandles>,
    /// Whether these are all that follow those known before; otherwise they are the
    /// newest of each interval, and what was known before is not known any more.
    pub is_whole: bool,
}

/// A message that does not belong to one symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The feed's state changed.
    Feed(FeedStatus),
    /// The store's state changed.
    Store(StoreStatus),
    /// Users changed alerts.
    AlertsChanged(AlertChanges),
}

impl Known {
    /// Without all but the newest candle of each interval.
    fn lightened(&self) -> Self {
        Self {
            instrument: self.instrument,
            state: self.state.clone(),
            candles: Arc::new(self.newest().map(Vec::from_iter)),
            is_whole: false,
        }
    }

    /// The newest candle of each interval.
    pub(crate) fn newest(&self) -> NewestBars {
        self.candles.each_ref().map(|bars| bars.last().cloned())
    }
}

impl Entries {
    /// What readers and mirrors need of them, once they are taken in.
    pub(crate) fn lightened(self) -> Self {
        match self {
            Self::Known(known) => Self::Known(known.iter().map(Known::lightened).collect()),
            others => others,
        }
    }

    /// How many entries these are.
    pub(crate) fn count(&self) -> u64 {
        match self {
            Self::Ticks(ticks) => ticks.len() as u64,
            Self::Firings(_) | Self::Known(_) | Self::Notice(_) | Self::Anew(_) => 1,
        }
    }

    /// How much of the log's memory they take, measured in ticks. A firing takes
    /// about as much as a tick.
    pub(crate) fn weight(&self) -> u64 {
        let count = match self {
            Self::Ticks(ticks) => ticks.len(),
            Self::Firings(firings) => firings.len(),
            Self::Known(known) => known.len(),
            Self::Notice(Notice::AlertsChanged(changes)) => 1 + changes.changed.len(),
            Self::Notice(_) | Self::Anew(_) => 1,
        };
        count as u64
    }

    /// Calls `call` for each entry after `before`, with the index of its instrument
    /// (`None` for a notice, which is for every reader) and the entry's number.
    pub(crate) fn each(&self, before: u64, mut call: impl FnMut(Option<usize>, u64)) {
        let last = before + self.count();
        match self {
            Self::Ticks(ticks) => {
                for ((instrument, _), seq) in ticks.iter().zip(before + 1..) {
                    call(Some(*instrument), seq);
                }
            }
            Self::Firings(fired) => {
                let places = fired.iter().map(|(place, _)| *place);
                places.for_each(|place| call(Some(place), last));
            }
            Self::Known(known) => {
                let places = known.iter().map(|known| known.instrument);
                places.for_each(|place| call(Some(place), last));
            }
            Self::Notice(_) | Self::Anew(_) => call(None, last),
        }
    }
}
