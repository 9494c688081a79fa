//! The first lines of a file, from which it is known what it is.

use super::{FileError, HEAD_ROWS};
use crate::shape::LINES;
use crate::split::Splitter;
use crate::table::{Options, Table};
use crate::text::{Line, Part};

/// What is known of a file after its first lines, and those lines but for the
/// header.
pub(super) fn head_of(part: &Part, options: &Options) -> Result<(Table, Vec<Line>), FileError> {
    let text = |error| FileError::Text(part.name.clone(), error);
    let mut lines = part.open().map_err(text)?;
    let mut head = Vec::new();
    while head.len() < HEAD_ROWS + LINES
        && let Some(line) = lines.next().map_err(text)?
    {
        head.push(line);
    }
    let texts: Vec<&str> = head.iter().map(|line| line.text.as_str()).collect();
    let mut table = Table::of(&texts, options.clone())
        .map_err(|error| FileError::Shape(part.name.clone(), error))?;
    head.drain(..table.shape.skip.min(head.len()));
    head.truncate(HEAD_ROWS);
    let mut splitter = table.splitter();
    for line in &head {
        learn(part, &mut table, &mut splitter, line)?;
    }
    Ok((table, head))
}

/// Takes in rows until everything is settled.
pub(super) fn learn_all(part: &Part, table: &mut Table) -> Result<(), FileError> {
    let text = |error| FileError::Text(part.name.clone(), error);
    let mut lines = part.open().map_err(text)?;
    let mut splitter = table.splitter();
    while !table.is_settled()
        && let Some(line) = lines.next().map_err(text)?
    {
        table
            .check_lines(line.number)
            .map_err(|most| FileError::TooManyLines(part.name.clone(), most))?;
        if line.number > table.shape.skip as u64 {
            learn(part, table, &mut splitter, &line)?;
        }
    }
    Ok(())
}

fn learn(
    part: &Part,
    table: &mut Table,
    splitter: &mut Splitter,
    line: &Line,
) -> Result<(), FileError> {
    let learned = table.learn(&splitter.cells(&line.text));
    learned.map_err(|error| FileError::Row(part.name.clone(), line.number, error.into()))
}
