//! Where a market's log begins.

use rand::RngExt as _;
use shared::{Cursor, Epoch};

/// Where a market's log begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The position of the market's past: the first entry is the one after it.
    pub cursor: Cursor,
    /// Whether what was before that position is no longer true.
    pub is_jump: bool,
    /// Whether other servers have the same log: their readers may be further than this
    /// one is.
    pub is_of_others: bool,
}

impl Start {
    /// A log of a new run: its name is six base-36 digits, the first of them not 0.
    pub fn anew() -> Self {
        let number = rand::rng().random_range(36u32.pow(5)..36u32.pow(6));
        Self::of_epoch(Epoch::from_number(number))
    }

    /// A log of this new run.
    pub fn of_epoch(epoch: Epoch) -> Self {
        let cursor = Cursor { epoch, seq: 0 };
        Self {
            cursor,
            is_jump: false,
            is_of_others: false,
        }
    }
}
