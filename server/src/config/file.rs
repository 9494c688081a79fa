//! Reads the TOML file: each key with its line.

use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::settings::{self, Setting};

/// The settings in the file at `path`: each with its location (`file:line`) and
/// its value as text.
pub(super) fn read(path: &str) -> Result<Vec<(&'static Setting, String, String)>, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError(format!("--config {path}: {error}")))?;
    let place = |offset: usize| {
        let before = text.as_bytes().iter().take(offset);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        format!("{path}:{line}")
    };
    let table = DeTable::parse(&text).map_err(|error| {
        let place = place(error.span().map_or(0, |span| span.start));
        let message = error.message().replace('\n', ", ");
        ConfigError(format!("{place}: not TOML: {message}"))
    })?;
    let mut found = Vec::new();
    for (key, value) in table.get_ref() {
        let place = place(key.span().start);
        let setting = settings::all().find(|s| s.key() == *key.get_ref().as_ref());
        let setting = setting.ok_or_else(|| {
            let known: Vec<_> = settings::all().map(Setting::key).collect();
            let (key, known) = (key.get_ref(), known.join(", "));
            ConfigError(format!("{place}: no setting '{key}'; there are {known}"))
        })?;
        let value = text_of(value.get_ref()).ok_or_else(|| {
            let key = key.get_ref();
            ConfigError(format!(
                "{place}: {key} has to be a text, a number or a list of texts"
            ))
        })?;
        found.push((setting, place, value));
    }
    Ok(found)
}

/// A value as it would be written after a flag.
fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Array(items) => {
            let texts = items.iter().map(|item| item.get_ref().as_str());
            Some(texts.collect::<Option<Vec<_>>>()?.join(","))
        }
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}
