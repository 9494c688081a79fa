//! What an alert waits for. A new kind is a variant of [`Condition`] with its line
//! in [`Condition::KINDS`], a field of `Fields` in `alert.rs`, which reads it, and a
//! case of the server's `alerts/engine/kinds.rs`. The test below fails until
//! the field is there.

use serde::{Deserialize, Serialize};

use crate::{Decimal, PriceKind};

/// The condition of an alert. In JSON it is one field, with the name of its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// `"above":"64000.00"`: the price becomes higher than this.
    Above(Decimal),
    /// `"below":"64000.00"`: the price becomes lower than this.
    Below(Decimal),
    /// `"crosses":"64000.00"`: the price reaches or passes this, from either
    /// side.
    Crosses(Decimal),
    /// `"moves":{"percent":"2.5","window_s":300}`: the price differs by at
    /// least this much from the highest or the lowest price within the window.
    Moves(Moves),
    /// `"silent_s":30`: for this many seconds there is neither a trade nor a
    /// quote.
    SilentS(u32),
}

/// A move of a price within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Moves {
    /// How far, in per cent of the price that it is counted from.
    pub percent: Decimal,
    /// Within how many seconds.
    pub window_s: u32,
}

/// The parameters of a condition: all kinds have one of these forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// A price.
    Level(Decimal),
    /// A move.
    Moves(Moves),
    /// A time without ticks, in seconds. It is not about a price.
    Seconds(u32),
}

/// How a condition is made of its parameters.
#[derive(Clone, Copy, Debug)]
pub enum Make {
    /// Of a price.
    Level(fn(Decimal) -> Condition),
    /// Of a move.
    Moves(fn(Moves) -> Condition),
    /// Of a time in seconds.
    Seconds(fn(u32) -> Condition),
}

/// A kind of condition.
#[derive(Clone, Copy, Debug)]
pub struct ConditionKind {
    /// Its name on the wire and in the store.
    pub name: &'static str,
    /// How one is made.
    pub make: Make,
    /// What it is, in a sentence, for the description of the API.
    pub about: &'static str,
    /// In a form, after the symbol, as in "rises above".
    pub choice: &'static str,
    /// In a list, before the parameters, as in "above".
    pub waits: &'static str,
    /// When it has come true, as in "is above".
    pub fired: &'static str,
}

const KINDS: [ConditionKind; 5] = [
    ConditionKind {
        name: "crosses",
        make: Make::Level(Condition::Crosses),
        about: "Fires when the price reaches or passes this.",
        choice: "crosses",
        waits: "crosses",
        fired: "crossed",
    },
    ConditionKind {
        name: "above",
        make: Make::Level(Condition::Above),
        about: "Fires when the price becomes higher than this.",
        choice: "rises above",
        waits: "above",
        fired: "is above",
    },
    ConditionKind {
        name: "below",
        make: Make::Level(Condition::Below),
        about: "Fires when the price becomes lower than this.",
        choice: "falls below",
        waits: "below",
        fired: "is below",
    },
    ConditionKind {
        name: "moves",
        make: Make::Moves(Condition::Moves),
        about: "Fires when the price moves this far within this many seconds.",
        choice: "moves by",
        waits: "moves",
        fired: "moved",
    },
    ConditionKind {
        name: "silent_s",
        make: Make::Seconds(Condition::SilentS),
        about: "Fires when there is neither a trade nor a quote for this many seconds.",
        choice: "is silent for",
        waits: "silent for",
        fired: "has been silent for",
    },
];

impl Condition {
    /// All kinds, the one that people set most often first.
    pub const KINDS: &'static [ConditionKind] = &KINDS;

    /// Its kind.
    pub fn kind(&self) -> &'static ConditionKind {
        match self {
            Self::Crosses(_) => &KINDS[0],
            Self::Above(_) => &KINDS[1],
            Self::Below(_) => &KINDS[2],
            Self::Moves(_) => &KINDS[3],
            Self::SilentS(_) => &KINDS[4],
        }
    }

    /// Its parameters.
    pub fn parameters(&self) -> Parameters {
        match self {
            Self::Above(level) | Self::Below(level) | Self::Crosses(level) => {
                Parameters::Level(*level)
            }
            Self::Moves(moves) => Parameters::Moves(*moves),
            Self::SilentS(seconds) => Parameters::Seconds(*seconds),
        }
    }

    /// The price of it, if it is about one.
    pub fn level(&self) -> Option<Decimal> {
        match self.parameters() {
            Parameters::Level(level) => Some(level),
            Parameters::Moves(_) | Parameters::Seconds(_) => None,
        }
    }

    /// The same with another price, if it is about one.
    #[must_use]
    pub fn at(self, level: Decimal) -> Self {
        match (self.level(), self.kind().make) {
            (Some(_), Make::Level(make)) => make(level),
            _ => self,
        }
    }

    /// Which price it is about, for people: "bid ", "ask ", or nothing for the
    /// last price and where there is none.
    pub fn price_words(&self, on: PriceKind) -> &'static str {
        match (on, self.parameters()) {
            (PriceKind::Last, _) | (_, Parameters::Seconds(_)) => "",
            (PriceKind::Bid, _) => "bid ",
            (PriceKind::Ask, _) => "ask ",
        }
    }
}

impl ConditionKind {
    /// The kind of this name.
    pub fn of_name(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_makes_conditions_of_its_own_name() {
        for kind in Condition::KINDS {
            let condition = match kind.make {
                Make::Level(make) => make(Decimal::ONE),
                Make::Moves(make) => make(Moves {
                    percent: Decimal::TWO,
                    window_s: 60,
                }),
                Make::Seconds(make) => make(30),
            };
            assert_eq!(condition.kind().name, kind.name);
            let json = serde_json::to_value(&condition).unwrap();
            assert!(json.get(kind.name).is_some(), "{json}");
            assert!(ConditionKind::of_name(kind.name).is_some());
            let alert = serde_json::json!({
                "id": 1, "version": 1, "symbol": "A", kind.name: json[kind.name],
                "repeat": false, "cooldown_s": 1, "enabled": true, "note": "",
                "created": 1, "fired": 0
            });
            let read: crate::Alert = serde_json::from_value(alert).unwrap();
            assert_eq!(read.spec.condition, condition);
        }
    }
}
