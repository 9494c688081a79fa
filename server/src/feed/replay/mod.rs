//! Replays a file of daily bars as if they happened now: each bar becomes
//! trades that go from its open through its extremes to its close.

mod ohlcv;
mod walk;

use std::path::PathBuf;
use std::time::Duration;

use shared::{FeedState, Instrument};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

pub use ohlcv::{Bar, ReplayError};

use super::{About, Feed, FeedError, FeedEvent, FeedSender, Running, Source, StateChange};
use crate::catalogue::Catalogue;
use crate::clock;

/// The feed's name.
const NAME: &str = "replay";

/// What is replayed, and how fast.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayConfig {
    /// The file.
    pub path: PathBuf,
    /// Its symbol; by default, it is made from the file's name without the
    /// extension.
    pub symbol: Option<String>,
    /// How many bars are replayed a second; above 0.
    pub bars_per_second: f64,
}

/// The bars of a file, ready to be replayed.
#[derive(Debug)]
struct Replay {
    bars: Vec<Bar>,
    bars_per_second: f64,
}

/// Reads the whole file, so that an error in its last line is found at the
/// start and not an hour later.
///
/// # Errors
///
/// The file cannot be read, a line of it is not a bar, or no symbol can be made
/// from its name.
pub(super) async fn open(config: ReplayConfig) -> Result<(Catalogue, Feed), FeedError> {
    Ok(spawn_blocking(move || read(config)).await??)
}

fn read(config: ReplayConfig) -> Result<(Catalogue, Feed), ReplayError> {
    let path = config.path;
    let file = ohlcv::read(&path)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let symbol = config.symbol.or_else(|| super::symbol::of_file(&stem));
    let symbol = symbol.ok_or_else(|| ReplayError::NoSymbol(path.clone()))?;
    let instrument = Instrument {
        symbol,
        name: format!("{name}, daily"),
        decimals: file.decimals,
        qty_decimals: file.qty_decimals,
        source: NAME.to_owned(),
        ..Instrument::default()
    };
    let about = About {
        name: NAME,
        label: "replayed",
        headline: format!("Replaying {}", path.display()),
        // Each bar becomes many trades, so this is a lower bound.
        trades_per_second: config.bars_per_second,
        goes_on: false,
    };
    let source = Box::new(Replay {
        bars: file.bars,
        bars_per_second: config.bars_per_second,
    });
    Ok((Catalogue::new(vec![instrument]), Feed { about, source }))
}

impl Source for Replay {
    fn run(self: Box<Self>, sender: FeedSender) -> Running {
        Box::pin(self.play(sender))
    }
}

impl Replay {
    async fn play(self, sender: FeedSender) {
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
        // If the receiver is gone, the server is stopping.
        let _ = sender.send(vec![ended]).await;
    }
}
