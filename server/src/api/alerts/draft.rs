//! Parses an alert's settings field by field, so that each error names its
//! field.

use serde_json::{Map, Value};
use shared::{AlertSpec, Condition, ConditionKind, Decimal, FieldFault, Make, Moves, PriceKind};

/// The most digits on each side of a price's point.
const DIGITS_MAX: usize = 14;
/// The longest note, in characters.
pub(super) const NOTE_CHARS_MAX: usize = 200;
/// The longest time that an alert counts over, in seconds: a day.
pub(super) const SECONDS_MAX: u32 = 86_400;
/// The shortest cooldown, in seconds. Between bid and ask, a price is crossed
/// at nearly every tick.
pub(super) const COOLDOWN_S_MIN: u32 = 1;
/// The default cooldown, in seconds.
pub(super) const COOLDOWN_S: u32 = 60;
/// The least and the greatest move, in per cent.
const PERCENT: [Decimal; 2] = [Decimal::HUNDREDTH, Decimal::whole(1_000)];

/// The other fields that may be present.
const OTHERS: [&str; 6] = ["symbol", "on", "repeat", "cooldown_s", "enabled", "note"];
/// Read-only fields of an answer. They are ignored, so that an answer can be
/// sent back with a change in it.
const READ_ONLY: [&str; 5] = ["id", "version", "created", "fired", "last_fired"];

/// Parses a body.
pub(super) fn read(body: &[u8]) -> Result<AlertSpec, Vec<FieldFault>> {
    let mut draft = Draft {
        fields: match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return Err(vec![fault("", "the body has to be a JSON object")]),
            Err(error) => return Err(vec![fault("", &format!("the body is not JSON: {error}"))]),
        },
        faults: Vec::new(),
    };
    let spec = draft.read();
    match spec {
        Some(spec) if draft.faults.is_empty() => Ok(spec),
        _ => Err(draft.faults),
    }
}

fn fault(field: &str, message: &str) -> FieldFault {
    FieldFault {
        field: field.to_owned(),
        message: message.to_owned(),
    }
}

struct Draft {
    fields: Map<String, Value>,
    faults: Vec<FieldFault>,
}

impl Draft {
    /// `None` only if there is a fault.
    fn read(&mut self) -> Option<AlertSpec> {
        let symbol = self.symbol();
        let condition = self.condition();
        let on = self.price_kind();
        let repeat = self.flag("repeat", false);
        let cooldown_s = match self.fields.remove("cooldown_s") {
            None => COOLDOWN_S,
            Some(value) => self
                .seconds("cooldown_s", &value, COOLDOWN_S_MIN)
                .unwrap_or_default(),
        };
        let enabled = self.flag("enabled", true);
        let note = self.note();
        self.refuse_others();
        Some(AlertSpec {
            symbol: symbol?,
            condition: condition?,
            on: on?,
            repeat,
            cooldown_s,
            enabled,
            note,
        })
    }

    fn say(&mut self, field: &str, message: &str) {
        self.faults.push(fault(field, message));
    }

    fn symbol(&mut self) -> Option<String> {
        match self.fields.remove("symbol") {
            Some(Value::String(symbol)) => return Some(symbol),
            None => self.say("symbol", "is missing; GET /api/symbols lists them"),
            Some(_) => self.say("symbol", "has to be a text, as in \"BTC-USD\""),
        }
        None
    }

    fn price_kind(&mut self) -> Option<PriceKind> {
        let Some(value) = self.fields.remove("on") else {
            return Some(PriceKind::Last);
        };
        let kind = value.as_str().and_then(PriceKind::of_name);
        if kind.is_none() {
            self.say("on", "has to be \"last\", \"bid\" or \"ask\"");
        }
        kind
    }

    fn condition(&mut self) -> Option<Condition> {
        let mut found = Vec::new();
        for ConditionKind { name, make, .. } in Condition::KINDS {
            if let Some(value) = self.fields.remove(*name) {
                let condition = match make {
                    Make::Level(make) => self.level(name, &value).map(make),
                    Make::Moves(make) => self.moves(name, value).map(make),
                    Make::Seconds(make) => self.seconds(name, &value, 1).map(make),
                };
                found.push((*name, condition));
            }
        }
        let names: Vec<_> = found.iter().map(|(name, _)| *name).collect();
        match found.len() {
            1 => found.pop()?.1,
            0 => {
                let all = condition_names().join(", ");
                self.say("", &format!("one of {all} has to say when it fires"));
                None
            }
            _ => {
                let names = names.join(" and ");
                self.say(
                    "",
                    &format!("{names} are there; an alert has one of them only"),
                );
                None
            }
        }
    }

    fn level(&mut self, name: &str, value: &Value) -> Option<Decimal> {
        let level = value.as_str().and_then(exact);
        if level.is_none() {
            self.say(
                name,
                "has to be a price as a text, as in \"64000.00\", with at most 14 digits on each side of the point",
            );
        }
        level
    }

    fn moves(&mut self, name: &str, value: Value) -> Option<Moves> {
        let Value::Object(mut fields) = value else {
            let message = "has to be an object, as in {\"percent\":\"2.5\",\"window_s\":300}";
            self.say(name, message);
            return None;
        };
        let percent = fields.remove("percent");
        let percent = percent.as_ref().and_then(Value::as_str).and_then(exact);
        let percent = percent.filter(|percent| (PERCENT[0]..=PERCENT[1]).contains(percent));
        if percent.is_none() {
            let message = "has to be a text from \"0.01\" to \"1000\"";
            self.say(&format!("{name}.percent"), message);
        }
        let window = fields.remove("window_s").unwrap_or_default();
        let window_s = self.seconds(&format!("{name}.window_s"), &window, 1);
        for field in fields.keys() {
            let field = format!("{name}.{}", short(field));
            self.say(&field, "is no such field; there are percent and window_s");
        }
        Some(Moves {
            percent: percent?,
            window_s: window_s?,
        })
    }

    fn seconds(&mut self, name: &str, value: &Value, least: u32) -> Option<u32> {
        // 30.0 is a whole number, too.
        let whole = value.as_f64().filter(|number| number.fract() == 0.0);
        let seconds = whole.filter(|number| (0.0..=f64::from(u32::MAX)).contains(number));
        let seconds = seconds.map(|number| number as u32);
        let seconds = seconds.filter(|seconds| (least..=SECONDS_MAX).contains(seconds));
        if seconds.is_none() {
            let message =
                format!("has to be a whole number of seconds from {least} to {SECONDS_MAX}");
            self.say(name, &message);
        }
        seconds
    }

    fn flag(&mut self, name: &str, default: bool) -> bool {
        match self.fields.remove(name) {
            None => default,
            Some(Value::Bool(flag)) => flag,
            Some(_) => {
                self.say(name, "has to be true or false");
                default
            }
        }
    }

    fn note(&mut self) -> String {
        match self.fields.remove("note") {
            None => String::new(),
            Some(Value::String(note)) if note.chars().count() <= NOTE_CHARS_MAX => note,
            Some(_) => {
                let message = format!("has to be a text of at most {NOTE_CHARS_MAX} characters");
                self.say("note", &message);
                String::new()
            }
        }
    }

    fn refuse_others(&mut self) {
        let unknown = self.fields.keys();
        let unknown = unknown.filter(|name| !READ_ONLY.contains(&name.as_str()));
        let unknown: Vec<_> = unknown.map(|name| short(name)).collect();
        let known = [&OTHERS[..], &condition_names()].concat().join(", ");
        for name in unknown {
            self.say(&name, &format!("is no such field; there are {known}"));
        }
    }
}

/// The fields of the condition: exactly one of them is present.
fn condition_names() -> Vec<&'static str> {
    Condition::KINDS.iter().map(|kind| kind.name).collect()
}

/// Errors quote only the beginning of what was sent.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A decimal in plain notation: digits, optionally a point and more digits, and
/// optionally a minus sign before.
fn exact(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = match digits.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (digits, None),
    };
    let is_good = |digits: &str| {
        (1..=DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    };
    // Leading zeros, as in 007, are probably a mistake.
    let is_plain = whole.len() == 1 || !whole.starts_with('0');
    let is_good = is_plain && is_good(whole) && part.is_none_or(is_good);
    is_good.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Checks which fields are at fault, in order; none for a valid body.
    fn check(body: &str, fields: &[&str]) {
        let faults = read(body.as_bytes()).err().unwrap_or_default();
        let found: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(found, fields, "{body}: {faults:?}");
    }

    #[test]
    fn each_fault_is_told_by_name() {
        check(r#"{"symbol":"A","above":"1.50"}"#, &[]);
        check(r#"{"symbol":"A","below":"-37.63","note":"oil"}"#, &[]);
        check(
            r#"{"symbol":"A","crosses":"1","id":7,"version":3,"fired":2,"created":1}"#,
            &[],
        );
        check(
            r#"{"symbol":"A","moves":{"percent":"2.5","window_s":300}}"#,
            &[],
        );
        check(
            r#"{"symbol":"A","silent_s":30,"repeat":true,"cooldown_s":1,"enabled":false}"#,
            &[],
        );
        check("", &[""]);
        check("[1]", &[""]);
        check("{}", &["symbol", ""]);
        check(r#"{"symbol":1,"above":1.5}"#, &["symbol", "above"]);
        check(r#"{"symbol":"A","above":"1e5"}"#, &["above"]);
        for bad in [
            "",
            ".5",
            "5.",
            "1_000",
            "+5",
            "--5",
            " 5",
            "123456789012345",
            "0x5",
            "٥",
            "007",
            "-00.5",
        ] {
            let body = serde_json::json!({"symbol": "A", "above": bad}).to_string();
            check(&body, &["above"]);
        }
        for good in ["0", "-0.5", "99999999999999.99999999999999"] {
            let body = serde_json::json!({"symbol": "A", "above": good}).to_string();
            check(&body, &[]);
        }
        check(r#"{"symbol":"A","above":"1","below":"2"}"#, &[""]);
        check(
            r#"{"symbol":"A","moves":{"percent":"0.001","window_s":0,"x":1}}"#,
            &["moves.percent", "moves.window_s", "moves.x"],
        );
        check(r#"{"symbol":"A","moves":5}"#, &["moves"]);
        check(
            r#"{"symbol":"A","silent_s":86401,"cooldown_s":0,"repeat":"yes","enabled":0}"#,
            &["silent_s", "repeat", "cooldown_s", "enabled"],
        );
        check(r#"{"symbol":"A","above":"1","cooldown":5}"#, &["cooldown"]);
        let long = format!(
            r#"{{"symbol":"A","above":"1","note":"{}"}}"#,
            "é".repeat(201)
        );
        check(&long, &["note"]);
        check(&long.replacen('é', "", 1), &[]);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(read(&bytes).is_err());
        }
    }
}
