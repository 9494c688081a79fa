//! The columns that all tables share.

use rusqlite::Row;
use rusqlite::types::Type;
use shared::{Decimal, Time};

/// A time that is stored in µs since the epoch.
pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Time> {
    row.get(column).map(Time::from_micros)
}

/// An exact decimal that is stored as text.
pub(super) fn decimal(row: &Row<'_>, column: usize) -> rusqlite::Result<Decimal> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}
