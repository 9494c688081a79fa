//! What the command line asks to be done with the store's file.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command};
use shared::{Interval, Time};

use super::{ConfigError, Values, parse};
use crate::store::{Format, Selection, parse_time};

/// Something to do with the store's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// The file.
    pub store: PathBuf,
    /// What to do.
    pub job: ToolJob,
}

/// What to do with a store's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolJob {
    /// Copy it to this file.
    Backup(PathBuf),
    /// Check whether it is sound.
    Check,
    /// Write bars to this file, or else to the standard output.
    Export(Selection, Format, Option<PathBuf>),
}

/// The subcommands.
pub(super) fn commands() -> [Command; 3] {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    [
        Command::new("backup")
            .about("Copies the store to a new file, as it is at one moment; a server may use it meanwhile")
            .arg(Arg::new("to").value_name("FILE").required(true).help("The file to make")),
        Command::new("check")
            .about("Checks all of the store, or of another file; a server may use it meanwhile")
            .arg(Arg::new("file").value_name("FILE").help("The file; the store unless given")),
        Command::new("export")
            .about("Writes bars of the store as CSV or lines of JSON; a server may use it meanwhile")
            .arg(option("interval", "INTERVAL", "1s, 5s, 1m, 5m, 15m, 1h or 1d").required(true))
            .arg(option("symbols", "LIST", "The symbols, as in BTC-USD,ETH-USD; all unless given"))
            .arg(option("feed", "FEED", "The feed, as in sim; needed where several have the symbol"))
            .arg(option("from", "TIME", "From this time on, in UTC: 2026-11-22 or 2026-11-22T14:03:27Z"))
            .arg(option("to", "TIME", "Until before this time"))
            .arg(option("format", "FORMAT", "csv, or jsonl: an object in each line [default: csv]"))
            .arg(option("out", "FILE", "A new file to write to; the standard output unless given")),
    ]
}

/// What this subcommand asks for.
pub(super) fn tool(
    name: &str,
    arguments: &ArgMatches,
    values: &Values,
) -> Result<Tool, ConfigError> {
    let file = |name: &str| -> Result<Option<PathBuf>, ConfigError> {
        value(arguments, name, parse::file)
    };
    let (store, job) = match name {
        "backup" => {
            let to = file("to")?;
            (None, ToolJob::Backup(to.unwrap_or_default()))
        }
        "check" => (file("file")?, ToolJob::Check),
        _ => {
            let format = value(arguments, "format", format)?;
            let job = ToolJob::Export(
                selection(arguments)?,
                format.unwrap_or(Format::Csv),
                file("out")?,
            );
            (None, job)
        }
    };
    let store = match store {
        Some(named) => named,
        None => values.need("store", parse::store)?.ok_or_else(|| {
            ConfigError("--store: 'none' is not allowed here; the file of a store".to_owned())
        })?,
    };
    Ok(Tool { store, job })
}

fn selection(arguments: &ArgMatches) -> Result<Selection, ConfigError> {
    let interval = value(arguments, "interval", |text| text.parse::<Interval>())?;
    let time = |name| value(arguments, name, parse_time);
    let symbols = value(arguments, "symbols", |text| {
        let names = text.split(',').map(|name| name.trim().to_owned());
        Ok::<_, &str>(names.collect::<Vec<_>>())
    })?;
    Ok(Selection {
        feed: arguments.get_one::<String>("feed").cloned(),
        symbols: symbols.unwrap_or_default(),
        interval: interval.unwrap_or(Interval::M1),
        range: (
            time("from")?.unwrap_or(Time::MIN),
            time("to")?.unwrap_or(Time::MAX),
        ),
    })
}

fn format(text: &str) -> Result<Format, &'static str> {
    match text {
        "csv" => Ok(Format::Csv),
        "jsonl" => Ok(Format::JsonLines),
        _ => Err("csv or jsonl"),
    }
}

/// The validated value of an argument, if it was given.
fn value<T, A: std::fmt::Display>(
    arguments: &ArgMatches,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, A>,
) -> Result<Option<T>, ConfigError> {
    let Some(text) = arguments.get_one::<String>(name) else {
        return Ok(None);
    };
    let parsed = parse(text);
    parsed
        .map(Some)
        .map_err(|allowed| ConfigError(format!("--{name}: '{text}' is not allowed; {allowed}")))
}
