//! What is done with the store's file without a server.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use server::config::{Tool, ToolJob};
use server::store::{self, Format, Selection, ToolError};

/// Does what the command line asks for, and says what was done.
///
/// # Errors
///
/// It cannot be done.
pub(crate) fn run(tool: &Tool) -> Result<ExitCode, ToolError> {
    match &tool.job {
        ToolJob::Backup(to) => {
            let bytes = store::backup(&tool.store, to)?;
            println!("{}: {bytes} bytes", to.display());
            Ok(ExitCode::SUCCESS)
        }
        ToolJob::Check => check(&tool.store),
        ToolJob::Export(selection, format, out) => {
            export(&tool.store, selection, *format, out.as_deref())
        }
    }
}

fn check(path: &Path) -> Result<ExitCode, ToolError> {
    let report = store::check(path)?;
    let path = path.display();
    println!(
        "{path}: version {}, {} series, {} closed bars, {} alerts",
        report.version, report.series, report.bars, report.alerts
    );
    if report.problems.is_empty() && report.is_whole {
        println!("{path}: it is sound");
        return Ok(ExitCode::SUCCESS);
    }
    if report.problems.is_empty() {
        println!(
            "{path}: its structure is sound; what is in it can be checked when a server has \
             converted it"
        );
        return Ok(ExitCode::SUCCESS);
    }
    for problem in &report.problems {
        println!("{path}: {problem}");
    }
    println!("{path}: it is damaged; restore it from a copy");
    Ok(ExitCode::FAILURE)
}

fn export(
    path: &Path,
    selection: &Selection,
    format: Format,
    out: Option<&Path>,
) -> Result<ExitCode, ToolError> {
    let Some(out) = out else {
        let written = store::export(path, selection, format, &mut BufWriter::new(io::stdout()));
        return match written {
            // Whoever reads it has enough, as `head` has.
            Err(ToolError::Output(_, error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                Ok(ExitCode::SUCCESS)
            }
            written => written.map(|_| ExitCode::SUCCESS),
        };
    };
    let created = store::create_private(out).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => ToolError::Exists(out.to_owned()),
        _ => ToolError::Output(out.to_owned(), error),
    })?;
    let mut file = BufWriter::new(created);
    let written = store::export(path, selection, format, &mut file).and_then(|bars| {
        let flushed = file.flush();
        flushed.map_err(|error| ToolError::Output(out.to_owned(), error))?;
        Ok(bars)
    });
    if written.is_err() {
        // Nothing half done.
        _ = std::fs::remove_file(out);
    }
    let bars = written.map_err(|error| match error {
        ToolError::Output(_, error) => ToolError::Output(out.to_owned(), error),
        error => error,
    })?;
    println!("{}: {bars} bars", out.display());
    Ok(ExitCode::SUCCESS)
}
