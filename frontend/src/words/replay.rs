//! The replay, and files that people bring.

use shared::Replay;

use crate::format;

pub(crate) const REPLAY: &str = "Replay";
pub(crate) const PLAY: &str = "Play";
pub(crate) const PAUSE_REPLAY: &str = "Pause";
pub(crate) const PLAY_TITLE: &str = "Play or pause; everybody who watches sees the same";
pub(crate) const STEP: &str = "Step";
pub(crate) const STEP_TITLE: &str = "Play one bar, and stand still";
pub(crate) const STEP_BACK: &str = "Step back";
pub(crate) const STEP_BACK_TITLE: &str = "Go back by one bar, and stand still";
pub(crate) const SPEED: &str = "Speed";
pub(crate) const POSITION: &str = "Position";
pub(crate) const OPEN_FILE: &str = "Open file";
pub(crate) const OPEN_FILE_TITLE: &str =
    "Choose a file of prices, or drop one onto the page; it plays for everybody";
pub(crate) const READING_FILE: &str = "reading it";
pub(crate) const DISMISS: &str = "Dismiss";

/// The speeds that are offered, and how they are shown.
pub(crate) const SPEEDS: [(&str, &str); 9] = [
    ("0.5", "0.5 bars/s"),
    ("1", "1 bar/s"),
    ("2", "2 bars/s"),
    ("5", "5 bars/s"),
    ("20", "20 bars/s"),
    ("100", "100 bars/s"),
    ("1x", "real time"),
    ("60x", "60 × real time"),
    ("max", "as fast as it goes"),
];

/// What a drop will do.
pub(crate) const DROP: &str =
    "Drop a file of prices to replay it: bars, trades or quotes, as CSV, .gz, .zst or .zip";

/// What a person can say of a file that the server cannot know: by the flag that
/// its answer names, the words on buttons, and what they say as a part of a query.
pub(crate) const FILE_CHOICES: [(&str, [(&str, &str); 2]); 2] = [
    (
        "--dates",
        [
            ("The day is first", "dates=dmy"),
            ("The month is first", "dates=mdy"),
        ],
    ),
    (
        "--decimals",
        [
            ("The comma is for decimals", "decimals=comma"),
            ("The comma is for thousands", "decimals=point"),
        ],
    ),
];

const LEFT_OUT: &str = "left out";
const MENDED: &str = "mended";
const SUMS_ROUNDED: &str = "sums of volumes rounded";

/// How many files and rows were left out or mended; empty if there were none.
pub(crate) fn left_out_or_mended(replay: &Replay) -> String {
    let files = &replay.files;
    let left_out: u64 = files.iter().map(|file| file.left_out).sum();
    let mended: u64 = files.iter().map(|file| file.mended).sum();
    let rounded: u64 = files.iter().map(|file| file.rounded).sum();
    let counted = |count: u64, one: &str, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {one} {what}")),
        count => Some(format!("{count} {one}s {what}")),
    };
    let rows = |count: u64, what: &str| counted(count, "row", what);
    let parts = [
        counted(replay.others.len() as u64, "file", LEFT_OUT),
        rows(left_out, LEFT_OUT),
        rows(mended, MENDED),
        (rounded > 0).then(|| SUMS_ROUNDED.to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What was done with a row of a file.
pub(crate) fn row_changed(file: &str, line: u64, what: &str) -> String {
    format!("{file}, line {line}: {what}")
}

/// That more rows were changed than are listed.
pub(crate) fn more_rows(count: u64) -> String {
    format!("and {count} more")
}

/// A file on its way to the server, of which `share` (from 0 to 1) was sent.
pub(crate) fn bringing(name: &str, share: f64) -> String {
    match share < 1.0 {
        true => format!("{name}: {}%", format::whole((100.0 * share).floor())),
        false => format!("{name}: {READING_FILE}"),
    }
}

/// A file that is larger than the server takes.
pub(crate) fn file_too_large(name: &str, bytes: f64, most: u64) -> String {
    let megabytes = |bytes: f64| format::rounded(bytes / 1e6, 1);
    format!(
        "{name} has {} MB; this server takes {} MB at most",
        megabytes(bytes),
        megabytes(most as f64)
    )
}

/// Why a file does not play.
pub(crate) fn not_brought(name: &str, why: &str) -> String {
    match why.starts_with(name) {
        true => why.to_owned(),
        false => format!("{name}: {why}"),
    }
}
