//! Plays a file of daily bars as if it happened now: each bar becomes trades
//! that walk from its open over its extremes to its close.

mod ohlcv;
mod walk;

use std::path::Path;
use std::time::Duration;

use shared::{FeedState, Instrument};
use tokio::time::{Instant, sleep_until};

pub use ohlcv::{Bar, ReplayError};

use super::{FeedEvent, FeedSender, StateChange};
use crate::clock;

/// A file of daily bars, ready to be played.
#[derive(Debug)]
pub struct Replay {
    symbol: String,
    name: String,
    decimals: u32,
    qty_decimals: u32,
    bars: Vec<Bar>,
    bars_per_second: f64,
}

impl Replay {
    /// Reads the whole file, so that a fault in its last line is found at the
    /// start and not an hour later.
    ///
    /// The symbol is made of the file's name without its ending unless `symbol`
    /// gives one; `bars_per_second` is above 0.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a line of it is not a bar, or its name makes
    /// no symbol.
    pub fn open(
        path: &Path,
        symbol: Option<String>,
        bars_per_second: f64,
    ) -> Result<Self, ReplayError> {
        let file = ohlcv::read(path)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let symbol = symbol.or_else(|| super::symbol::of_file(&stem));
        let symbol = symbol.ok_or_else(|| ReplayError::NoSymbol(path.to_owned()))?;
        Ok(Self {
            symbol,
            name: format!("{name}, daily"),
            decimals: file.decimals,
            qty_decimals: file.qty_decimals,
            bars: file.bars,
            bars_per_second,
        })
    }

    /// The one instrument of the file.
    pub fn instrument(&self) -> Instrument {
        Instrument {
            symbol: self.symbol.clone(),
            name: self.name.clone(),
            decimals: self.decimals,
            qty_decimals: self.qty_decimals,
            source: super::REPLAY.to_owned(),
            ..Instrument::default()
        }
    }

    /// How many bars are played a second.
    pub(super) fn bars_per_second(&self) -> f64 {
        self.bars_per_second
    }

    pub(super) async fn run(self, sender: FeedSender) {
        let start = Instant::now();
        let count = self.bars.len();
        let mut played = 0.0;
        for bar in self.bars {
            let steps = walk::walk(&bar);
            let step = 1.0 / (steps.len() as f64 * self.bars_per_second);
            for mut trade in steps {
                played += step;
                sleep_until(start + Duration::from_secs_f64(played)).await;
                trade.at = Some(clock::now());
                if sender.send(vec![FeedEvent::Trade(trade)]).await.is_err() {
                    return;
                }
            }
        }
        let ended = FeedEvent::State(StateChange {
            state: FeedState::Ended,
            detail: format!("all {count} bars of the file were played"),
            retry: None,
        });
        // Nobody listening is no fault: the server is on its way out.
        let _ = sender.send(vec![ended]).await;
    }
}
