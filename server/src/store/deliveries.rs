//! Pending webhook deliveries in the database.

use std::collections::VecDeque;
use std::sync::Arc;

use rusqlite::types::Type;
use rusqlite::{Connection, named_params};
use shared::{Firing, Span, Time};

use crate::deliveries::{AGE_MAX, Deliveries, Delivery, FiringName};

/// The pending deliveries of this receiver, oldest first.
pub(super) fn read(database: &Connection, receiver: &str) -> rusqlite::Result<Vec<Delivery>> {
    let mut select = database.prepare(
        "SELECT firing, made FROM delivery WHERE receiver = ?1 ORDER BY made, alert, count",
    )?;
    let found = select.query_map([receiver], |row| {
        let firing = serde_json::from_str::<Firing>(row.get_ref(0)?.as_str()?);
        let firing = firing.map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into())
        })?;
        Ok(Delivery::new(
            Arc::new(firing),
            super::columns::time(row, 1)?,
        ))
    })?;
    found.collect()
}

/// Adds a delivery of each firing for every receiver.
pub(super) fn write<'f>(
    database: &Connection,
    receivers: &[Arc<Deliveries>],
    firings: impl Iterator<Item = &'f Arc<Firing>>,
) -> rusqlite::Result<()> {
    if receivers.is_empty() {
        return Ok(());
    }
    let mut write = database.prepare_cached(
        "INSERT INTO delivery (receiver, alert, count, firing, made)
         VALUES (:receiver, :alert, :count, :firing, :made) ON CONFLICT DO NOTHING",
    )?;
    for firing in firings {
        let json = serde_json::to_string(firing)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        for receiver in receivers {
            write.execute(named_params! {
                ":receiver": receiver.id(),
                ":alert": firing.id,
                ":count": firing.count,
                ":firing": json,
                ":made": firing.at().micros(),
            })?;
        }
    }
    Ok(())
}

/// Deletes the settled deliveries of a receiver.
pub(super) fn delete(
    database: &Connection,
    receiver: &str,
    settled: &VecDeque<FiringName>,
) -> rusqlite::Result<()> {
    let mut delete = database
        .prepare_cached("DELETE FROM delivery WHERE receiver = ?1 AND alert = ?2 AND count = ?3")?;
    for (alert, count) in settled {
        delete.execute((receiver, alert, count))?;
    }
    Ok(())
}

/// Deletes deliveries that are too old at `now` for receivers that are not
/// configured any more. Configured receivers give up old deliveries themselves.
pub(super) fn forget_old(
    database: &Connection,
    receivers: &[Arc<Deliveries>],
    now: Time,
) -> rusqlite::Result<()> {
    let oldest = now - Span::from(AGE_MAX);
    let mut known = database.prepare_cached("SELECT DISTINCT receiver FROM delivery")?;
    let known = known.query_map((), |row| row.get::<_, String>(0))?;
    let known = known.collect::<rusqlite::Result<Vec<_>>>()?;
    let is_named = |id: &String| receivers.iter().any(|receiver| receiver.id() == id);
    let mut forget =
        database.prepare_cached("DELETE FROM delivery WHERE receiver = ?1 AND made < ?2")?;
    for id in known.iter().filter(|id| !is_named(id)) {
        forget.execute((id, oldest.micros()))?;
    }
    Ok(())
}
