//! Alerts and firings in the database.

use std::sync::Arc;

use rusqlite::types::Type;
use rusqlite::{Connection, Row, named_params};
use shared::{
    Alert, AlertSpec, Condition, ConditionKind, Firing, Make, Moves, Parameters, PriceKind, Time,
};

use super::columns::{decimal, time};
use crate::alerts::{FIRED_MAX, PastAlerts, StoredAlert, Unsaved};

/// The number of newest firings that stay in the file.
const FIRED_STORED_MAX: i64 = 100_000;

/// A condition as columns of the database.
#[derive(Debug, Default)]
struct Columns {
    kind: &'static str,
    level: Option<String>,
    percent: Option<String>,
    window_s: Option<u32>,
    silent_s: Option<u32>,
}

impl Columns {
    fn of(condition: &Condition) -> Self {
        let columns = Self {
            kind: condition.kind().name,
            ..Self::default()
        };
        match condition.parameters() {
            Parameters::Level(level) => Self {
                level: Some(level.to_string()),
                ..columns
            },
            Parameters::Moves(Moves { percent, window_s }) => Self {
                percent: Some(percent.to_string()),
                window_s: Some(window_s),
                ..columns
            },
            Parameters::Seconds(seconds) => Self {
                silent_s: Some(seconds),
                ..columns
            },
        }
    }
}

/// Reads `kind, level, percent, window_s, silent_s` from columns that start at
/// `at`.
fn condition(row: &Row<'_>, at: usize) -> rusqlite::Result<Condition> {
    let name = row.get_ref(at)?.as_str()?;
    let kind = ConditionKind::of_name(name).ok_or_else(|| {
        let error = format!("no alert is of the kind '{name}'");
        rusqlite::Error::FromSqlConversionFailure(at, Type::Text, error.into())
    })?;
    Ok(match kind.make {
        Make::Level(make) => make(decimal(row, at + 1)?),
        Make::Moves(make) => make(Moves {
            percent: decimal(row, at + 2)?,
            window_s: row.get(at + 3)?,
        }),
        Make::Seconds(make) => make(row.get(at + 4)?),
    })
}

fn price_kind(row: &Row<'_>, at: usize) -> rusqlite::Result<PriceKind> {
    let name = row.get_ref(at)?.as_str()?;
    PriceKind::of_name(name).ok_or_else(|| {
        let error = format!("no price is of the kind '{name}'");
        rusqlite::Error::FromSqlConversionFailure(at, Type::Text, error.into())
    })
}

/// All alerts, and the newest firings.
pub(super) fn read(database: &Connection) -> rusqlite::Result<PastAlerts> {
    let mut select = database.prepare(
        "SELECT id, version, symbol, kind, level, percent, window_s, silent_s, repeat, cooldown_s,
            enabled, armed, note, created, fired, last_fired, price_kind
         FROM alert ORDER BY id",
    )?;
    let alerts = select.query_map((), |row| {
        Ok(StoredAlert {
            alert: Arc::new(Alert {
                id: row.get(0)?,
                version: row.get(1)?,
                spec: AlertSpec {
                    symbol: row.get(2)?,
                    condition: condition(row, 3)?,
                    on: price_kind(row, 16)?,
                    repeat: row.get(8)?,
                    cooldown_s: row.get(9)?,
                    enabled: row.get(10)?,
                    note: row.get(12)?,
                },
                created: time(row, 13)?,
                fired: row.get(14)?,
                last_fired: row.get::<_, Option<_>>(15)?.map(Time::from_micros),
            }),
            armed: row.get(11)?,
        })
    })?;
    let newest_id = database.query_row(
        // An alert may have fired and been deleted before it was ever written.
        "SELECT max(ifnull((SELECT max(seq) FROM sqlite_sequence WHERE name = 'alert'), 0),
                    ifnull((SELECT max(alert) FROM fired), 0))",
        (),
        |row| row.get(0),
    )?;
    Ok(PastAlerts {
        alerts: alerts.collect::<rusqlite::Result<_>>()?,
        fired: read_fired(database)?,
        newest_id,
    })
}

/// The newest firings, the oldest of them first.
fn read_fired(database: &Connection) -> rusqlite::Result<Vec<Firing>> {
    let mut newest = database.prepare(
        "SELECT alert, symbol, kind, level, percent, window_s, silent_s, price, time, count, note, at,
            price_kind
         FROM fired ORDER BY number DESC LIMIT ?1",
    )?;
    let fired = newest.query_map([FIRED_MAX as i64], |row| {
        let price = row.get::<_, Option<String>>(7)?;
        Ok(Firing {
            id: row.get(0)?,
            symbol: row.get(1)?,
            condition: condition(row, 2)?,
            on: price_kind(row, 12)?,
            price: price.map(|_| decimal(row, 7)).transpose()?,
            time: time(row, 8)?,
            at: row.get::<_, Option<_>>(11)?.map(Time::from_micros),
            count: row.get(9)?,
            note: row.get(10)?,
        })
    })?;
    let mut fired = fired.collect::<rusqlite::Result<Vec<_>>>()?;
    fired.reverse();
    Ok(fired)
}

/// Writes the unsaved changes.
pub(super) fn write(database: &Connection, unsaved: &Unsaved) -> rusqlite::Result<()> {
    let mut delete = database.prepare_cached("DELETE FROM alert WHERE id = ?1")?;
    for (id, kept) in &unsaved.alerts {
        match kept {
            Some(kept) => write_alert(database, kept)?,
            None => _ = delete.execute([id])?,
        }
    }
    for firing in &unsaved.firings {
        write_firing(database, firing)?;
    }
    if !unsaved.firings.is_empty() {
        let mut forget = database.prepare_cached(
            "DELETE FROM fired WHERE number <= (SELECT max(number) FROM fired) - ?1",
        )?;
        forget.execute([FIRED_STORED_MAX])?;
    }
    Ok(())
}

fn write_alert(database: &Connection, kept: &StoredAlert) -> rusqlite::Result<()> {
    let StoredAlert { alert, armed } = kept;
    let spec = &alert.spec;
    let columns = Columns::of(&spec.condition);
    let mut write = database.prepare_cached(
        "INSERT OR REPLACE INTO alert
            (id, version, symbol, kind, level, percent, window_s, silent_s, repeat, cooldown_s,
             enabled, armed, note, created, fired, last_fired, price_kind)
         VALUES
            (:id, :version, :symbol, :kind, :level, :percent, :window_s, :silent_s, :repeat,
             :cooldown_s, :enabled, :armed, :note, :created, :fired, :last_fired,
             :price_kind)",
    )?;
    write.execute(named_params! {
        ":id": alert.id,
        ":version": alert.version,
        ":symbol": spec.symbol,
        ":kind": columns.kind,
        ":level": columns.level,
        ":percent": columns.percent,
        ":window_s": columns.window_s,
        ":silent_s": columns.silent_s,
        ":repeat": spec.repeat,
        ":cooldown_s": spec.cooldown_s,
        ":enabled": spec.enabled,
        ":armed": armed,
        ":note": spec.note,
        ":created": alert.created.micros(),
        ":fired": alert.fired,
        ":last_fired": alert.last_fired.map(Time::micros),
        ":price_kind": spec.on.name(),
    })?;
    Ok(())
}

fn write_firing(database: &Connection, firing: &Firing) -> rusqlite::Result<()> {
    let columns = Columns::of(&firing.condition);
    let mut write = database.prepare_cached(
        "INSERT INTO fired
            (alert, count, symbol, kind, level, percent, window_s, silent_s, price, time, at, note,
             price_kind)
         VALUES
            (:alert, :count, :symbol, :kind, :level, :percent, :window_s, :silent_s, :price, :time,
             :at, :note, :price_kind)
         ON CONFLICT DO NOTHING",
    )?;
    write.execute(named_params! {
        ":alert": firing.id,
        ":count": firing.count,
        ":symbol": firing.symbol,
        ":kind": columns.kind,
        ":level": columns.level,
        ":percent": columns.percent,
        ":window_s": columns.window_s,
        ":silent_s": columns.silent_s,
        ":price": firing.price.map(|price| price.to_string()),
        ":time": firing.time.micros(),
        ":at": firing.at.map(Time::micros),
        ":note": firing.note,
        ":price_kind": firing.on.name(),
    })?;
    Ok(())
}
