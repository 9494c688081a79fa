//! Bodies in the format of a receiver, made from a template.

use std::str::FromStr;

use serde_json::Value;
use shared::{Firing, Moves, Parameters, Time};

/// The names that may stand in a template.
const NAMES: [&str; 9] = [
    "text",
    "symbol",
    "condition",
    "price",
    "note",
    "time",
    "utc",
    "id",
    "count",
];

/// A body with names in double braces; each stands for a value of the firing.
///
/// A JSON template stays valid JSON whatever a note contains: names are
/// replaced only in its strings, and each string is escaped as a whole. Any
/// other template is plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Json(Value),
    Text(String),
}

/// A template that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It starts like JSON, but is not valid JSON.
    #[error("it begins like JSON and is none: {0}")]
    Json(#[from] serde_json::Error),
    /// An unknown name.
    #[error("there is no '{{{{{0}}}}}'; there are {list}", list = NAMES.map(|name| format!("{{{{{name}}}}}")).join(", "))]
    Unknown(String),
    /// Braces that are not closed.
    #[error("a '{{{{' has no '}}}}'")]
    Open,
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let kind = match text.trim_start().as_bytes().first() {
            None => return Err(TemplateError::Empty),
            Some(b'{' | b'[') if !text.trim_start().starts_with("{{") => {
                Kind::Json(serde_json::from_str(text)?)
            }
            Some(_) => Kind::Text(text.to_owned()),
        };
        let template = Self { kind };
        // The values do not matter here, only whether the names are known.
        template.fill(&|name| NAMES.contains(&name).then(String::new))?;
        Ok(template)
    }
}

impl Template {
    /// Whether it is plain text.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text(_))
    }

    /// The body for a firing.
    pub(super) fn body(&self, firing: &Firing) -> String {
        let body = self.fill(&|name| value(name, firing));
        // Cannot fail: names and braces were checked when the template was
        // parsed.
        body.unwrap_or_default()
    }

    fn fill(&self, value: &Values<'_>) -> Result<String, TemplateError> {
        match &self.kind {
            Kind::Json(json) => Ok(fill_json(json, value)?.to_string()),
            Kind::Text(text) => fill_text(text, value),
        }
    }
}

/// Gives the value of a name.
type Values<'v> = dyn Fn(&str) -> Option<String> + 'v;

fn fill_json(json: &Value, value: &Values<'_>) -> Result<Value, TemplateError> {
    Ok(match json {
        Value::String(text) => Value::String(fill_text(text, value)?),
        Value::Array(items) => {
            let items = items.iter().map(|item| fill_json(item, value));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, item)| Ok((name.clone(), fill_json(item, value)?)));
            Value::Object(fields.collect::<Result<_, TemplateError>>()?)
        }
        other => other.clone(),
    })
}

fn fill_text(text: &str, value: &Values<'_>) -> Result<String, TemplateError> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or(TemplateError::Open)?;
        let name = name.trim();
        let unknown = || TemplateError::Unknown(name.chars().take(40).collect());
        filled.push_str(before);
        filled.push_str(&value(name).ok_or_else(unknown)?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn value(name: &str, firing: &Firing) -> Option<String> {
    let price = || {
        firing
            .price
            .map(|price| price.to_string())
            .unwrap_or_default()
    };
    Some(match name {
        "text" => text(firing),
        "symbol" => firing.symbol.clone(),
        "condition" => condition(firing),
        "price" => price(),
        "note" => firing.note.clone(),
        "time" => firing.time.to_string(),
        "utc" => utc(firing),
        "id" => firing.id.to_string(),
        "count" => firing.count.to_string(),
        _ => return None,
    })
}

/// A sentence that describes the firing.
fn text(firing: &Firing) -> String {
    let mut text = format!("{} {}", firing.symbol, condition(firing));
    if let Some(price) = firing.price {
        text += &format!(", at {price}");
    }
    if !firing.note.is_empty() {
        text += &format!(": {}", firing.note);
    }
    text
}

fn condition(firing: &Firing) -> String {
    let which = firing.condition.price_words(firing.on);
    let what = firing.condition.kind().fired;
    match firing.condition.parameters() {
        Parameters::Level(level) => format!("{which}{what} {level}"),
        Parameters::Moves(Moves { percent, window_s }) => {
            format!("{which}{what} {percent} % within {window_s} s")
        }
        Parameters::Seconds(seconds) => format!("{what} {seconds} s"),
    }
}

fn utc(firing: &Firing) -> String {
    let since = (firing.time - Time::EPOCH).to_duration();
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + since)
}

#[cfg(test)]
mod tests {
    use shared::{Condition, Decimal, PriceKind};

    use super::*;

    fn firing() -> Firing {
        Firing {
            id: 7,
            symbol: "BTC-USD".to_owned(),
            condition: Condition::Above(Decimal::new(6_400_050, 2)),
            on: PriceKind::Last,
            price: Some(Decimal::new(6_401_275, 2)),
            time: Time::from_micros(1_763_836_800_012_345),
            at: None,
            count: 3,
            note: "say \"hm\"\n{{price}}".to_owned(),
        }
    }

    #[test]
    fn names_stand_for_what_fired() {
        for (template, body) in [
            (
                r#"{"content":"{{text}}","tts":false}"#,
                r#"{"content":"BTC-USD is above 64000.50, at 64012.75: say \"hm\"\n{{price}}","tts":false}"#,
            ),
            (
                r#"{"a":["{{ id }}/{{count}}",{"b":"{{time}}"}],"{{id}}":null}"#,
                r#"{"a":["7/3",{"b":"1763836800012345"}],"{{id}}":null}"#,
            ),
            (
                "{{symbol}} {{condition}} ({{price}}) } {",
                "BTC-USD is above 64000.50 (64012.75) } {",
            ),
            ("{{utc}}", "Sat, 22 Nov 2025 18:40:00 GMT"),
        ] {
            let template: Template = template.parse().unwrap();
            assert_eq!(template.body(&firing()), body);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (template, expect) in [
            ("{\"text\": {{text}}}", "it begins like JSON and is none"),
            ("[1,", "it begins like JSON and is none"),
            (
                "{{prize}}",
                "there is no '{{prize}}'; there are {{text}}, {{symbol}}",
            ),
            (r#"{"a":[{"b":"{{x}}"}]}"#, "there is no '{{x}}'"),
            ("{{text", "a '{{' has no '}}'"),
            ("  ", "it is empty"),
        ] {
            let error = template.parse::<Template>().unwrap_err().to_string();
            assert!(error.contains(expect), "{template}: {error}");
        }
    }
}
