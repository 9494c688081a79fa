//! Opens what is replayed, and finds out what it is.

use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use pricefile::PriceFile;
use shared::{FeedState, Instrument, Interval, ReplayStatus, ReplayedFile, Time};
use tokio::task::spawn_blocking;

use super::control;
use super::player::{Player, told};
use super::reading::{self, Content};
use super::recording::Recordings;
use super::rows::Files;
use super::{NAME, Replay, ReplayConfig, ReplayError, Speed, dated};
use crate::catalogue::Catalogue;
use crate::feed::{self, About, Feed, FeedError};

/// How much of a file was read that takes long: a bar on a terminal, and lines of
/// the log elsewhere.
#[derive(Default)]
struct Progress {
    bar: OnceCell<ProgressBar>,
    /// How many tenths were logged.
    logged: Cell<u32>,
}

impl Progress {
    fn show(&self, name: &str, share: f64) {
        let bar = self.bar.get_or_init(|| {
            let style = ProgressStyle::with_template("{msg} {bar:40} {percent} % {elapsed}");
            let bar = ProgressBar::new(1_000).with_message(name.to_owned());
            style.map_or(bar.clone(), |style| bar.with_style(style))
        });
        bar.set_position((1_000.0 * share) as u64);
        let tenths = (10.0 * share) as u32;
        if bar.is_hidden() && self.logged.replace(tenths) != tenths {
            tracing::info!("{name}: {} % are read", 10 * tenths);
        }
    }
}

/// Opens all files, so that an error in the last line of one is found at the
/// start and not an hour later. Only what is very large is read as it is played.
///
/// # Errors
///
/// A file cannot be read, or is nothing like prices.
pub(in crate::feed) async fn open(config: ReplayConfig) -> Result<(Catalogue, Feed), FeedError> {
    Ok(spawn_blocking(move || opened(config)).await??)
}

fn opened(config: ReplayConfig) -> Result<(Catalogue, Feed), ReplayError> {
    let found = files_of(&config.paths)?;
    let opened = match Recordings::open(&found.paths, config.options.bytes_max)? {
        Some(recordings) => of_recordings(recordings, config.symbol.as_deref())?,
        None => of_files(&found, &config)?,
    };
    let (first, last) = within(opened.range, config.range)?;
    let standing = shared::Replay {
        state: FeedState::Live,
        status: ReplayStatus {
            from: first,
            to: last,
            at: None,
            speed: config.speed.to_string(),
            repeats: config.repeats,
            bars: opened.bars.map(|bars| bars.name().to_owned()),
        },
        files: opened.files,
        others: opened.others,
    };
    let about = About {
        name: NAME.to_owned(),
        label: "replayed".to_owned(),
        headline: opened.headline,
        // Each bar becomes many trades, so this is a lower bound.
        trades_per_second: match config.speed {
            Speed::Bars(a_second) => a_second,
            // Nights and weekends may be long.
            Speed::Times(times) => times / 864_000.0,
            Speed::Max => 1.0,
        },
        goes_on: false,
        state: FeedState::Live,
    };
    let (remote, panel) = control::remote(standing);
    let content = Content {
        source: opened.source,
        instruments: opened.instruments.len(),
        range: config.range,
    };
    let player = Player {
        content: Arc::new(content),
        panel,
        speed: config.speed,
        repeats: config.repeats,
    };
    let source = Box::new(Replay { player, remote });
    Ok((Catalogue::new(opened.instruments), Feed::new(about, source)))
}

/// What there is to be replayed.
struct Opened {
    source: reading::Source,
    instruments: Vec<Instrument>,
    /// The times of the first and the last row.
    range: (Time, Option<Time>),
    files: Vec<ReplayedFile>,
    /// Why other files are left out.
    others: Vec<String>,
    /// The length of all bars.
    bars: Option<Interval>,
    headline: String,
}

fn of_recordings(recordings: Recordings, named: Option<&str>) -> Result<Opened, ReplayError> {
    if named.is_some() {
        return Err(ReplayError::SeveralSymbols(recordings.instruments().len()));
    }
    Ok(Opened {
        instruments: recordings.instruments().to_vec(),
        range: recordings.range(),
        files: recordings.shown(),
        others: Vec::new(),
        bars: None,
        headline: format!("Replaying {}", recordings.taken_for()),
        source: reading::Source::Recordings(recordings),
    })
}

fn of_files(found: &Found, config: &ReplayConfig) -> Result<Opened, ReplayError> {
    let (mut files, mut beside) = (Vec::new(), Vec::new());
    for path in &found.paths {
        let bar = Progress::default();
        let mut progress = |name: &str, share: f64| bar.show(name, share);
        match pricefile::open(path, &config.options, &mut progress) {
            Ok(opened) => {
                files.extend(opened.files);
                beside.extend(opened.others);
            }
            // What else is in a folder, as a text that says what the files are.
            Err(error) if found.is_folder && error.is_other() => beside.push(error),
            Err(error) => return Err(error.into()),
        }
    }
    if files.is_empty()
        && let Some(error) = beside.pop()
    {
        return Err(error.into());
    }
    for other in &beside {
        tracing::warn!("left out: {other}");
    }
    for file in &files {
        tell(file);
    }
    let (instruments, places) = instruments_of(&files, config.symbol.as_deref())?;
    let first = files.iter().map(|file| file.range().0).min();
    let lasts = files.iter().map(|file| file.range().1);
    Ok(Opened {
        instruments,
        range: (
            first.unwrap_or(Time::MIN),
            lasts
                .collect::<Option<Vec<_>>>()
                .and_then(|all| all.into_iter().max()),
        ),
        headline: headline(&files),
        files: files.iter().map(shown).collect(),
        others: beside.iter().map(ToString::to_string).collect(),
        bars: bars_of(&files),
        source: reading::Source::Files(Files { files, places }),
    })
}

/// The times of the first and the last row that are played.
fn within(
    (first, last): (Time, Option<Time>),
    (from, to): (Time, Time),
) -> Result<(Time, Option<Time>), ReplayError> {
    if first >= to || last.is_some_and(|last| last < from) || from >= to {
        let last = last.map_or_else(|| "later".to_owned(), dated);
        return Err(ReplayError::NothingLeft(dated(first), last));
    }
    Ok((first.max(from), last.map(|last| last.min(to))))
}

/// The length of the bars of all files, if it is the same.
fn bars_of(files: &[PriceFile]) -> Option<Interval> {
    let first = files.first()?.bars();
    let all = files.iter().all(|file| file.bars() == first);
    first.filter(|_| all)
}

fn shown(file: &PriceFile) -> ReplayedFile {
    let tally = &file.survey.tally;
    ReplayedFile {
        name: file.name.clone(),
        taken_for: file.taken_for(),
        left_out: tally.left_out,
        mended: tally.mended,
        rounded: tally.rounded,
        told: tally.told.iter().map(told).collect(),
    }
}

/// What the paths lead to.
struct Found {
    /// Those of a folder are in the order of their names.
    paths: Vec<PathBuf>,
    /// Whether a folder is among the paths, in which anything may be.
    is_folder: bool,
}

fn files_of(paths: &[PathBuf]) -> Result<Found, ReplayError> {
    let mut found = Found {
        paths: Vec::new(),
        is_folder: false,
    };
    for path in paths {
        if !path.is_dir() {
            found.paths.push(path.clone());
            continue;
        }
        found.is_folder = true;
        let own = in_folder(path).map_err(|error| ReplayError::Folder(path.clone(), error))?;
        if own.is_empty() {
            return Err(ReplayError::EmptyFolder(path.clone()));
        }
        found.paths.extend(own);
    }
    Ok(found)
}

fn in_folder(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !is_hidden && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Logs what a file was taken for, and what was left out of it.
fn tell(file: &PriceFile) {
    let (name, survey) = (file.name.as_str(), &file.survey);
    tracing::info!("{name}: {}", file.taken_for());
    for told in &survey.tally.told {
        tracing::warn!("{name}:{}: {}", told.line, told.what);
    }
    let (left_out, mended) = (survey.tally.left_out, survey.tally.mended);
    if left_out + mended + survey.tally.rounded > survey.tally.told.len() as u64 {
        tracing::warn!(left_out, mended, "{name}: only the first of these are told");
    }
}

fn headline(files: &[PriceFile]) -> String {
    match files {
        [file] => format!("Replaying {}: {}", file.name, file.taken_for()),
        files => format!("Replaying {} files", files.len()),
    }
}

/// The catalogue index of each symbol, as the files write it.
type Places = BTreeMap<String, usize>;

/// The instruments of all files, in the order of their symbols.
fn instruments_of(
    files: &[PriceFile],
    named: Option<&str>,
) -> Result<(Vec<Instrument>, Places), ReplayError> {
    let mut instruments: Vec<Instrument> = Vec::new();
    let mut places = Places::new();
    // By symbol: its place, and the file in which it was last.
    let mut known: HashMap<String, (usize, &PriceFile)> = HashMap::new();
    for file in in_time(files) {
        for (written, found) in &file.survey.symbols {
            let symbol = match named {
                Some(named) => named.to_owned(),
                None => feed::symbol::of_file(stem(written))
                    .ok_or_else(|| ReplayError::NoSymbol(written.clone()))?,
            };
            let place = match known.get(&symbol) {
                Some((place, before)) => {
                    check_follows(&symbol, before, file)?;
                    *place
                }
                None => {
                    instruments.push(Instrument {
                        name: name_of(file),
                        source: NAME.to_owned(),
                        symbol: symbol.clone(),
                        ..Instrument::default()
                    });
                    instruments.len() - 1
                }
            };
            known.insert(symbol, (place, file));
            places.insert(written.clone(), place);
            let instrument = &mut instruments[place];
            instrument.decimals = instrument.decimals.max(found.decimals);
            instrument.qty_decimals = instrument.qty_decimals.max(found.qty_decimals);
        }
    }
    if named.is_some() && places.len() > 1 {
        return Err(ReplayError::SeveralSymbols(places.len()));
    }
    Ok((instruments, places))
}

/// The files in the order in which they begin.
fn in_time(files: &[PriceFile]) -> Vec<&PriceFile> {
    let mut files: Vec<_> = files.iter().collect();
    files.sort_by_key(|file| file.range().0);
    files
}

/// Checks that a file can go on with a symbol where another one ends.
fn check_follows(symbol: &str, before: &PriceFile, after: &PriceFile) -> Result<(), ReplayError> {
    let is_same_file = std::ptr::eq(before, after);
    let kind = |file: &PriceFile| (file.bars(), file.has_quotes());
    let fault = if is_same_file {
        return Ok(());
    } else if before.bars() != after.bars() {
        "which have bars of other lengths"
    } else if kind(before) != kind(after) {
        "which are of other kinds"
    } else if before.range().1.is_some_and(|end| end >= after.range().0) {
        "which are of the same time"
    } else {
        return Ok(());
    };
    Err(ReplayError::SameSymbol(
        symbol.to_owned(),
        before.name.clone(),
        after.name.clone(),
        fault,
    ))
}

/// A symbol that is the name of a file, without the ending.
fn stem(written: &str) -> &str {
    let ending = [".csv", ".txt", ".CSV", ".TXT"];
    let without = ending
        .iter()
        .find_map(|ending| written.strip_suffix(ending));
    without.unwrap_or(written)
}

fn name_of(file: &PriceFile) -> String {
    let quotes = if file.has_quotes() {
        ", of the bid"
    } else {
        ""
    };
    match file.interval_shown() {
        Some(interval) => format!("{}, {interval}", file.name),
        None => format!("{}{quotes}", file.name),
    }
}
