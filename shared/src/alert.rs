use serde::{Deserialize, Serialize};

use crate::{Condition, Decimal, Moves, PriceKind, Time};

/// The settings of an alert that a user can change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertSpec {
    /// The symbol that it watches.
    pub symbol: String,
    /// The condition under which it fires.
    #[serde(flatten)]
    pub condition: Condition,
    /// The price that the condition is about; absent if that is the last one.
    #[serde(skip_serializing_if = "crate::is_default")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub on: PriceKind,
    /// Whether it stays enabled after it fired.
    pub repeat: bool,
    /// The cooldown: it does not fire again for this many seconds after it
    /// fired.
    pub cooldown_s: u32,
    /// Whether it is enabled.
    pub enabled: bool,
    /// A text to show when it fires.
    pub note: String,
}

/// An alert.
///
/// ```json
/// {"id":7,"version":1,"symbol":"BTC-USD","above":"64000.00","repeat":false,"cooldown_s":60,"enabled":true,"note":"","created":1763836800000000,"fired":0}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "Fields")]
pub struct Alert {
    /// Its number, from 1; never reused.
    pub id: u64,
    /// Increases by one with every change of the settings, and when an alert
    /// that does not repeat is disabled because it fired.
    pub version: u64,
    /// The settings.
    #[serde(flatten)]
    pub spec: AlertSpec,
    /// When it was created.
    pub created: Time,
    /// How often it has fired.
    pub fired: u64,
    /// When it last fired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_fired: Option<Time>,
}

impl Alert {
    /// Applies a firing: counts it, and disables an alert that does not repeat.
    pub fn apply(&mut self, firing: &Firing) {
        self.fired = firing.count;
        self.last_fired = Some(firing.at());
        if !self.spec.repeat && self.spec.enabled {
            self.spec.enabled = false;
            self.version += 1;
        }
    }
}

/// Changes that users made to alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertChanges {
    /// New and changed alerts as they are now, by number.
    pub changed: Vec<Alert>,
    /// The numbers of deleted alerts.
    pub deleted: Vec<u64>,
    /// Whether there were too many changes to list; `GET /api/alerts` has all
    /// alerts.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub more: bool,
}

/// A firing of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "Fields")]
pub struct Firing {
    /// The alert's number.
    pub id: u64,
    /// The symbol that it watches.
    pub symbol: String,
    /// The condition that was met.
    #[serde(flatten)]
    pub condition: Condition,
    /// The price that the condition is about; absent if that is the last one.
    #[serde(skip_serializing_if = "crate::is_default")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub on: PriceKind,
    /// The price at which it fired; absent if there is none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Decimal>,
    /// The tick's time; for silence, the time when it was detected.
    pub time: Time,
    /// When the server received that tick; absent if equal to `time`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<Time>,
    /// How often the alert has fired, including this firing. Together with
    /// `id`, it identifies the firing.
    pub count: u64,
    /// The alert's note.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Firing {
    /// When it fired, by the server's clock.
    pub fn at(&self) -> Time {
        self.at.unwrap_or(self.time)
    }
}

/// The answer of `GET /api/alerts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertsAnswer {
    /// By number, starting with the first after `after`.
    pub alerts: Vec<Alert>,
    /// The `after` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<u64>,
}

/// The answer of `GET /api/alerts/fired`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FiredAnswer {
    /// The firings, newest first.
    pub fired: Vec<Firing>,
}

/// All fields of alerts and firings, read in one pass. They are not buffered to
/// find out the kind first.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    id: u64,
    version: u64,
    symbol: String,
    above: Option<Decimal>,
    below: Option<Decimal>,
    crosses: Option<Decimal>,
    moves: Option<Moves>,
    silent_s: Option<u32>,
    on: PriceKind,
    repeat: bool,
    cooldown_s: u32,
    enabled: bool,
    note: String,
    created: Time,
    fired: u64,
    last_fired: Option<Time>,
    price: Option<Decimal>,
    time: Time,
    at: Option<Time>,
    count: u64,
}

/// An alert or a firing without a known condition.
#[derive(Debug, thiserror::Error)]
#[error("none of above, below, crosses, moves and silent_s")]
struct NoCondition;

/// The first condition that is present among these fields.
fn condition(
    [above, below, crosses]: [Option<Decimal>; 3],
    moves: Option<Moves>,
    silent_s: Option<u32>,
) -> Option<Condition> {
    let levels = [
        above.map(Condition::Above),
        below.map(Condition::Below),
        crosses.map(Condition::Crosses),
    ];
    let others = [
        moves.map(Condition::Moves),
        silent_s.map(Condition::SilentS),
    ];
    levels.into_iter().chain(others).flatten().next()
}

impl Fields {
    fn condition(&mut self) -> Result<Condition, NoCondition> {
        let levels = [self.above, self.below, self.crosses];
        condition(levels, self.moves.take(), self.silent_s).ok_or(NoCondition)
    }
}

impl TryFrom<Fields> for Alert {
    type Error = NoCondition;

    fn try_from(mut fields: Fields) -> Result<Self, NoCondition> {
        let condition = fields.condition()?;
        Ok(Self {
            id: fields.id,
            version: fields.version,
            spec: AlertSpec {
                symbol: fields.symbol,
                condition,
                on: fields.on,
                repeat: fields.repeat,
                cooldown_s: fields.cooldown_s,
                enabled: fields.enabled,
                note: fields.note,
            },
            created: fields.created,
            fired: fields.fired,
            last_fired: fields.last_fired,
        })
    }
}

impl TryFrom<Fields> for Firing {
    type Error = NoCondition;

    fn try_from(mut fields: Fields) -> Result<Self, NoCondition> {
        let condition = fields.condition()?;
        Ok(Self {
            id: fields.id,
            symbol: fields.symbol,
            condition,
            on: fields.on,
            price: fields.price,
            time: fields.time,
            at: fields.at,
            count: fields.count,
            note: fields.note,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_and_firings_survive_a_round_trip() {
        for json in [
            r#"{"id":7,"version":1,"symbol":"BTC-USD","above":"64000.00","repeat":false,"cooldown_s":60,"enabled":true,"note":"","created":1763836800000000,"fired":0}"#,
            r#"{"id":8,"version":3,"symbol":"A","moves":{"percent":"2.5","window_s":300},"repeat":true,"cooldown_s":0,"enabled":false,"note":"\"x\"","created":1,"fired":2,"last_fired":5}"#,
            r#"{"id":8,"version":1,"symbol":"A","above":"5","on":"bid","repeat":false,"cooldown_s":9,"enabled":true,"note":"","created":1,"fired":0}"#,
            r#"{"id":9,"version":1,"symbol":"A","silent_s":30,"repeat":true,"cooldown_s":0,"enabled":true,"note":"","created":1,"fired":0}"#,
        ] {
            let alert: Alert = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&alert).unwrap(), json);
        }
        let json =
            r#"{"id":7,"symbol":"A","below":"1.50","price":"1.49","time":5,"count":1,"note":"n"}"#;
        let firing: Firing = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&firing).unwrap(), json);
        assert!(serde_json::from_str::<Alert>(r#"{"id":7}"#).is_err());
    }
}
