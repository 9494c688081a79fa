//! Checks all of a file: its structure, and what is in it.

use std::path::Path;

use rusqlite::Connection;
use serde::de::DeserializeOwned;
use shared::{Candle, Interval};

use super::ToolError;
use crate::store::packed::{self, Newest, Row, Tagged, seconds};
use crate::store::{alerts, old, schema};

/// At most this many problems are listed.
const PROBLEMS_MAX: usize = 20;

/// What a file holds, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The version of the file.
    pub version: i64,
    /// How many series of bars there are.
    pub series: usize,
    /// How many closed bars there are.
    pub bars: usize,
    /// How many alerts there are.
    pub alerts: usize,
    /// Whether what is in it was checked, too: not in a file of an earlier
    /// version.
    pub is_whole: bool,
    /// What is wrong, a line each.
    pub problems: Vec<String>,
}

/// Checks the store at `path`, also while a server uses it.
///
/// # Errors
///
/// It cannot be opened, or is no store.
pub fn check(path: &Path) -> Result<Report, ToolError> {
    let found = super::open(path)?;
    let mut report = Report {
        version: found.version,
        is_whole: found.version >= schema::PACKED,
        ..Report::default()
    };
    let read = (|| {
        // As it is at one moment.
        let moment = found.database.unchecked_transaction()?;
        report.structure(&moment)?;
        if found.version >= schema::PACKED && report.problems.is_empty() {
            report.content(&moment)?;
        }
        Ok(())
    })();
    if let Err(error) = read {
        let error: rusqlite::Error = error;
        report.problem(error.to_string());
    }
    Ok(report)
}

impl Report {
    fn problem(&mut self, problem: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    fn structure(&mut self, database: &Connection) -> rusqlite::Result<()> {
        let check = format!("PRAGMA integrity_check({PROBLEMS_MAX})");
        let mut select = database.prepare(&check)?;
        for line in select.query_map((), |row| row.get::<_, String>(0))? {
            let line = line?;
            if line != "ok" {
                self.problem(line.replace('\n', ", "));
            }
        }
        Ok(())
    }

    fn content(&mut self, database: &Connection) -> rusqlite::Result<()> {
        let count = "SELECT count(*) FROM series";
        self.series = database.query_row(count, (), |row| row.get(0))?;
        // Blocks of series that are no more are deleted in pieces.
        let mut select = database.prepare(
            "SELECT block.id, time, last, bars, interval, series.id FROM block
             JOIN series ON series.id = block.series ORDER BY block.series, time",
        )?;
        let mut rows = select.query(())?;
        let mut before: Option<(i64, i64)> = None;
        while let Some(row) = rows.next()? {
            self.block(row)?;
            let (first, last, series): (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(5)?);
            if before.is_some_and(|(of, last)| of == series && last >= first) {
                let id: i64 = row.get(0)?;
                self.problem(format!(
                    "block {id}: it begins before the one before it ends"
                ));
            }
            before = Some((series, last));
        }
        self.late(database)?;
        let mut select = database.prepare(
            // Rows of an earlier round are in blocks.
            "SELECT fresh.id, fresh.bars FROM newest JOIN fresh ON fresh.round = newest.round",
        )?;
        let mut rows = select.query(())?;
        while let Some(row) = rows.next()? {
            let name = format!("fresh {}", row.get::<_, i64>(0)?);
            for bar in self.read::<Tagged>(&name, row, 1) {
                self.bar(&name, &bar.unpack().1);
            }
        }
        let mut select = database.prepare("SELECT fresh, bars FROM newest")?;
        let mut rows = select.query(())?;
        while let Some(row) = rows.next()? {
            for bar in self.read::<Newest>("newest", row, 1) {
                self.bar("newest", &bar.unpack().1);
                // They are not closed.
                self.bars -= 1;
            }
        }
        self.alerts = alerts::read(database)?.alerts.len();
        Ok(())
    }

    /// Bars in rows of their own: those that came late, and those of an earlier
    /// version.
    fn late(&mut self, database: &Connection) -> rusqlite::Result<()> {
        let mut tables = vec!["late"];
        if schema::has_old(database)? {
            tables.push("candle_5");
        }
        for table in tables {
            let mut select = database.prepare(&format!(
                "SELECT time, open, high, low, close, volume, trades FROM {table}"
            ))?;
            let mut rows = select.query(())?;
            while let Some(row) = rows.next()? {
                match old::read(row) {
                    Ok(bar) => self.bar(table, &bar),
                    Err(error) => self.problem(format!("{table}: {error}")),
                }
            }
        }
        Ok(())
    }

    fn block(&mut self, row: &rusqlite::Row<'_>) -> rusqlite::Result<()> {
        let name = format!("block {}", row.get::<_, i64>(0)?);
        let (first, last): (i64, i64) = (row.get(1)?, row.get(2)?);
        let interval: Option<String> = row.get(4)?;
        let interval = interval.and_then(|name| name.parse::<Interval>().ok());
        let bars: Vec<Candle> = self
            .read::<Row>(&name, row, 3)
            .into_iter()
            .map(|bar| bar.unpack(first))
            .collect();
        let times: Vec<_> = bars.iter().map(|bar| seconds(bar.time)).collect();
        if !times.is_sorted_by(|a, b| a < b)
            || times.first() != Some(&first)
            || times.last() != Some(&last)
        {
            self.problem(format!("{name}: its bars are not in order"));
        }
        for bar in &bars {
            self.bar(&name, bar);
            if interval.is_some_and(|interval| interval.start_of(bar.time) != bar.time) {
                self.problem(format!("{name}: no bar begins at {}", bar.time));
            }
        }
        Ok(())
    }

    fn read<T: DeserializeOwned>(
        &mut self,
        name: &str,
        row: &rusqlite::Row<'_>,
        column: usize,
    ) -> Vec<T> {
        packed::read(row, column).unwrap_or_else(|error| {
            self.problem(format!("{name}: {error}"));
            Vec::new()
        })
    }

    fn bar(&mut self, name: &str, bar: &Candle) {
        self.bars += 1;
        let range = bar.low..=bar.high;
        if !range.contains(&bar.open) || !range.contains(&bar.close) {
            let time = bar.time;
            self.problem(format!("{name}: the bar at {time} contradicts itself"));
        }
    }
}
