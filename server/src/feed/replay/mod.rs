//! Replays files of prices as if they happened now: each bar becomes trades that
//! go from its open through its extremes to its close. What a server recorded is
//! replayed as it was.
//!
//! `open` finds out what the files are, `reading` reads them in a thread of its
//! own (`rows` and `recording` say how), and `player` sends what is due. People
//! reach it through `control`.

mod control;
mod open;
mod player;
mod reading;
mod recording;
mod rows;
mod speed;
mod walk;

use std::path::PathBuf;

use pricefile::{FileError, Options};
use shared::Time;

pub use self::control::{Order, Remote, Stopped};
pub(super) use self::open::open;
use self::player::Player;
pub use self::recording::RecordingError;
pub use self::speed::{Speed, SpeedError};
use super::{FeedSender, Running, Source};

/// The feed's name.
const NAME: &str = "replay";

/// What is replayed, and how fast.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayConfig {
    /// Files, archives and folders.
    pub paths: Vec<PathBuf>,
    /// Another name for the symbol, where there is one.
    pub symbol: Option<String>,
    /// What the user says of the files.
    pub options: Options,
    /// How fast it goes.
    pub speed: Speed,
    /// The part of time that is played.
    pub range: (Time, Time),
    /// Whether it begins again at its end.
    pub repeats: bool,
}

/// Why files cannot be replayed, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A folder cannot be read.
    #[error("{0}: {1}")]
    Folder(PathBuf, std::io::Error),
    /// There are no files in a folder.
    #[error("{}: there are no files in it", .0.display())]
    EmptyFolder(PathBuf),
    /// A file cannot be played.
    #[error("{0}")]
    File(#[from] FileError),
    /// A recording cannot be played.
    #[error("{0}")]
    Recording(#[from] RecordingError),
    /// No symbol can be made from its name.
    #[error("{0}: its name makes no symbol; name one with --symbols, as in --symbols SPX")]
    NoSymbol(String),
    /// A name for one symbol, where there are several.
    #[error("--symbols names one symbol, and the files have {0}")]
    SeveralSymbols(usize),
    /// Files that have the same bars.
    #[error("two files have a bar of {0} at {1}")]
    Twice(String, String),
    /// Files of one symbol that do not follow each other.
    #[error("{0} is in {1} and in {2}, {3}; name one of them")]
    SameSymbol(String, String, String, &'static str),
    /// Recordings beside files of prices.
    #[error("{0} is a recording, which is replayed by itself, without other files")]
    Mixed(String),
    /// None of the rows is played.
    #[error("there are no rows from --from until --to; the files are of {0} to {1}")]
    NothingLeft(String, String),
    /// The thread that reads was aborted or panicked.
    #[error("reading broke off: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// Files that are ready to be replayed.
#[derive(Debug)]
struct Replay {
    player: Player,
    remote: Remote,
}

impl Source for Replay {
    fn remote(&self) -> Option<Remote> {
        Some(self.remote.clone())
    }

    fn run(self: Box<Self>, sender: FeedSender) -> Running {
        Box::pin(self.player.play(sender))
    }
}

/// A time as people write it, in UTC.
fn dated(time: Time) -> String {
    let written = jiff::Timestamp::from_microsecond(time.micros());
    written.map_or_else(|_| time.to_string(), |written| written.to_string())
}
