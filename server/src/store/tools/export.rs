//! Takes bars out of a file, as CSV or as lines of JSON.

use std::io::{self, Write};
use std::path::Path;

use rusqlite::{Connection, Row, named_params};
use shared::{Interval, Time};

use super::ToolError;
use crate::store::schema;

/// How bars are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `time,open,high,low,close,volume`, as the page saves a chart; with
    /// several symbols, `symbol` is the first column.
    Csv,
    /// An object in each line.
    JsonLines,
}

/// Which bars are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The feed; needed only if a symbol is there of several.
    pub feed: Option<String>,
    /// The symbols, in this order; all of them if there are none.
    pub symbols: Vec<String>,
    /// The length of the bars.
    pub interval: Interval,
    /// The bars that begin from the first of these times and before the second.
    pub range: (Time, Time),
}

/// A text that is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time in UTC, as in 2026-11-22 or 2026-11-22T14:03:27Z")]
pub struct TimeError;

/// Reads `2026-11-22` or `2026-11-22T14:03:27Z`.
///
/// # Errors
///
/// It is none of these, or the calendar has no such day.
pub fn parse_time(text: &str) -> Result<Time, TimeError> {
    let day = format!("{text}T00:00:00Z");
    let whole = if text.len() == 10 { &day } else { text };
    // SQLite knows the calendar, and reads more than what is allowed here; what
    // it writes is compared.
    let read = Connection::open_in_memory().and_then(|database| {
        let question = "SELECT unixepoch(?1), strftime('%Y-%m-%dT%H:%M:%SZ', ?1)";
        database.query_row(question, [whole], |row| {
            Ok((
                row.get::<_, Option<i64>>(0)?,
                row.get::<_, Option<String>>(1)?,
            ))
        })
    });
    match read {
        Ok((Some(seconds), Some(canonical))) if canonical == whole => {
            Ok(crate::store::packed::time(seconds))
        }
        _ => Err(TimeError),
    }
}

/// Writes bars of the store at `path`, oldest first, also while a server uses
/// it. Returns how many.
///
/// # Errors
///
/// The store cannot be read, has no such symbol, or the output cannot be
/// written.
pub fn export(
    path: &Path,
    selection: &Selection,
    format: Format,
    output: &mut dyn Write,
) -> Result<u64, ToolError> {
    let found = super::open(path)?;
    if found.version < schema::PACKED {
        return Err(ToolError::Old(path.to_owned(), found.version));
    }
    let unreadable = |error: rusqlite::Error| ToolError::unusable(path, error);
    // As it is at one moment.
    let moment = found.database.unchecked_transaction().map_err(unreadable)?;
    let chosen = choose(path, &moment, selection)?;
    let is_one = chosen.len() == 1;
    let failed = |error: io::Error| ToolError::Output("the output".into(), error);
    if format == Format::Csv {
        let symbol = if is_one { "" } else { "symbol," };
        writeln!(output, "{symbol}time,open,high,low,close,volume").map_err(failed)?;
    }
    let mut count = 0;
    for (feed, symbol) in chosen {
        let mut select = moment
            .prepare_cached(
                "SELECT replace(utc, ' ', 'T') || 'Z', open, high, low, close, volume, trades, time
             FROM candle
             WHERE feed = :feed AND symbol = :symbol AND interval = :interval
                AND time >= :from AND time < :to ORDER BY time",
            )
            .map_err(unreadable)?;
        let (from, to) = selection.range;
        let mut rows = select
            .query(named_params! {
                ":feed": feed, ":symbol": symbol, ":interval": selection.interval.name(),
                ":from": from.micros(), ":to": to.micros(),
            })
            .map_err(unreadable)?;
        while let Some(row) = rows.next().map_err(unreadable)? {
            let line = match format {
                Format::Csv => csv(row, (!is_one).then_some(&*symbol)),
                Format::JsonLines => json(row, (&feed, &symbol), selection.interval),
            };
            writeln!(output, "{}", line.map_err(unreadable)?).map_err(failed)?;
            count += 1;
        }
    }
    output.flush().map_err(failed)?;
    Ok(count)
}

/// The feed and symbol of each series that is meant.
fn choose(
    path: &Path,
    database: &Connection,
    selection: &Selection,
) -> Result<Vec<(String, String)>, ToolError> {
    let there = series(database, selection).map_err(|error| ToolError::unusable(path, error))?;
    if selection.symbols.is_empty() {
        let mut names: Vec<_> = there.iter().map(|(_, symbol)| symbol).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|two| two[0] == two[1]) {
            let mut feeds: Vec<_> = there.iter().map(|(feed, _)| feed.as_str()).collect();
            feeds.dedup();
            let (path, feeds) = (path.to_owned(), feeds.join(", "));
            return Err(ToolError::Ambiguous(path, twice[0].clone(), feeds));
        }
        return Ok(there);
    }
    let mut chosen = Vec::new();
    for symbol in &selection.symbols {
        let mut found: Vec<_> = there.iter().filter(|(_, name)| name == symbol).collect();
        if found.len() > 1 {
            let feeds: Vec<_> = found.iter().map(|(feed, _)| feed.as_str()).collect();
            let (path, feeds) = (path.to_owned(), feeds.join(", "));
            return Err(ToolError::Ambiguous(path, symbol.clone(), feeds));
        }
        chosen.push(found.pop().cloned().ok_or_else(|| {
            let mut names: Vec<_> = there.iter().map(|(_, name)| name.as_str()).collect();
            names.truncate(10);
            let names = match names.is_empty() {
                true => "none".to_owned(),
                false => names.join(", "),
            };
            ToolError::NoSuch(path.to_owned(), symbol.clone(), names)
        })?);
    }
    Ok(chosen)
}

fn series(database: &Connection, selection: &Selection) -> rusqlite::Result<Vec<(String, String)>> {
    let of = |table: &str| {
        format!(
            "SELECT feed, symbol FROM {table}
             WHERE interval = :interval AND (:feed IS NULL OR feed = :feed)"
        )
    };
    let mut all = of("series");
    if schema::has_old(database)? {
        all += &format!(" UNION {}", of("candle_5"));
    }
    let mut select = database.prepare(&format!("{all} ORDER BY feed, symbol"))?;
    let wanted = named_params! {
        ":interval": selection.interval.name(), ":feed": selection.feed
    };
    let rows = select.query_map(wanted, |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn csv(row: &Row<'_>, symbol: Option<&str>) -> rusqlite::Result<String> {
    // Symbols have no commas or quotes.
    let mut line = symbol.map_or(String::new(), |symbol| format!("{symbol},"));
    line += row.get_ref(0)?.as_str()?;
    for column in 1..=5 {
        line.push(',');
        line += row.get_ref(column)?.as_str()?;
    }
    Ok(line)
}

fn json(
    row: &Row<'_>,
    (feed, symbol): (&str, &str),
    interval: Interval,
) -> rusqlite::Result<String> {
    let text = |column: usize| row.get::<_, String>(column);
    let object = serde_json::json!({
        "feed": feed, "symbol": symbol, "interval": interval.name(),
        "time": row.get::<_, i64>(7)?, "utc": text(0)?,
        "open": text(1)?, "high": text(2)?, "low": text(3)?, "close": text(4)?,
        "volume": text(5)?, "trades": row.get::<_, i64>(6)?,
    });
    Ok(object.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_two_ways_only() {
        assert_eq!(
            parse_time("1970-01-02").map(Time::micros),
            Ok(86_400_000_000)
        );
        let second = parse_time("2026-11-22T14:03:27Z").map(Time::micros);
        assert_eq!(second, Ok(1_795_356_207_000_000));
        for wrong in [
            "",
            "now",
            "2460000.5",
            "14:03",
            "2026-11-31",
            "2026-1-2",
            "22.11.2026",
            "2026-13-01",
            "2026-11-22T14:03:27",
            "2026-11-22 14:03:27Z",
            "2026-11-22T25:00:00Z",
            "1795356207",
            "2026-11-2é",
        ] {
            assert_eq!(parse_time(wrong), Err(TimeError), "{wrong}");
        }
    }
}
