//! Reads file, environment and flags into one validated [`Config`].
//!
//! A flag overrides the environment, the environment overrides the file, and
//! the file overrides the default. Every value is validated in the same way
//! wherever it came from. Every error is one line that names the source, the
//! value and what is allowed.

mod access;
mod command;
mod feed;
mod file;
mod limits;
mod listen;
mod opening;
mod parse;
mod settings;
mod tools;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use self::access::{AccessConfig, Public, TlsConfig};
pub use self::feed::{RecordConfig, UploadConfig};
pub use self::limits::Limits;
pub use self::listen::{Listen, url_of};
pub(crate) use self::parse::{
    dates as parse_dates, decimals as parse_decimals, zone as parse_zone,
};
use self::settings::SECRET;
pub use self::tools::{Tool, ToolJob};

use crate::cluster::SharedLogConfig;
use crate::feed::FeedConfig;
use crate::store::Retention;
use crate::webhook::{Template, WebhookConfig};

/// All settings, validated.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The addresses to listen at.
    pub listen: Vec<Listen>,
    /// The addresses of metrics, health and the description of the API, if they
    /// have some of their own.
    pub admin_listen: Vec<Listen>,
    /// Which requests are allowed.
    pub access: AccessConfig,
    /// The files of TLS, if connections are encrypted.
    pub tls: Option<TlsConfig>,
    /// What clients can take of the server, at most.
    pub limits: Limits,
    /// The path prefix under which a proxy serves the server, as in
    /// `/tickwire`; empty for none.
    pub base_path: String,
    /// How long a connection may stay open between two requests.
    pub keep_alive: Duration,
    /// The format of the server's log.
    pub log_format: LogFormat,
    /// Warnings, one line each: settings that are valid but probably a mistake.
    pub warnings: Vec<String>,
    /// The source of prices.
    pub feed: FeedConfig,
    /// The log that several servers share, if they do.
    pub log: Option<SharedLogConfig>,
    /// The server's name among them.
    pub node: String,
    /// The minimum time between two batches.
    pub flush: Duration,
    /// How many ticks the log keeps.
    pub log_capacity: u64,
    /// The file in which history is stored, if any.
    pub store: Option<PathBuf>,
    /// How long history is kept.
    pub retain: Retention,
    /// Where the log is recorded, if it is.
    pub record: Option<RecordConfig>,
    /// The files of prices that people may bring, if they may.
    pub upload: Option<UploadConfig>,
    /// The webhooks that receive alerts, if any.
    pub webhook: WebhookConfig,
}

/// The format of the server's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Plain text lines.
    Text,
    /// One JSON object per line.
    Json,
}

/// An invalid setting, described in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", in_one_line_of(.0))]
pub struct ConfigError(String);

/// A text without control characters: a value may have line breaks.
fn in_one_line_of(text: &str) -> String {
    let shown = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(shown).collect()
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Invocation {
    /// Run with these settings.
    Run(Box<Config>),
    /// Print this text and exit: `--help` and `--version`.
    Print(String),
    /// Do something with the store's file, and exit.
    Tool(Tool),
}

/// The source of a value, for error messages.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    Flag(&'static str),
    Environment(String),
    File { place: String, key: &'static str },
    Default(&'static str),
}

impl Origin {
    /// Whether somebody said it.
    fn is_given(&self) -> bool {
        !matches!(self, Self::Default(_))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Environment(name) => f.write_str(name),
            Self::File { place, key } => write!(f, "{place}: {key}"),
            Self::Default(name) => write!(f, "the default of --{name}"),
        }
    }
}

impl Config {
    /// Reads the command line, the environment, and the file that one of them
    /// names. `variables` are the process's environment.
    ///
    /// # Errors
    ///
    /// The first setting that is unknown or invalid.
    pub fn load(
        arguments: impl IntoIterator<Item = OsString>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Invocation, ConfigError> {
        let matches = match command::command().try_get_matches_from(arguments) {
            Ok(matches) => matches,
            Err(error) if !error.use_stderr() => return Ok(Invocation::Print(error.to_string())),
            Err(error) => return Err(ConfigError(in_one_line(&error))),
        };
        let (variables, warnings) = tickwire_variables(variables)?;
        let mut values = Values::default();
        let file = matches.get_one::<String>("config").cloned();
        let file = file.or_else(|| variables.get("TICKWIRE_CONFIG").cloned());
        for setting in settings::all() {
            if let Some(default) = setting.default {
                values.set(
                    setting.name,
                    Origin::Default(setting.name),
                    default.to_owned(),
                );
            }
        }
        if let Some(file) = file {
            values.read_file(&file)?;
        }
        for setting in settings::all() {
            let variable = setting.variable();
            if let Some(value) = variables.get(&variable) {
                values.set(setting.name, Origin::Environment(variable), value.clone());
            }
            if let Some(given) = matches.get_many::<String>(setting.name) {
                let value = given.cloned().collect::<Vec<_>>().join(",");
                values.set(setting.name, Origin::Flag(setting.name), value);
            }
        }
        if let Some((name, arguments)) = matches.subcommand() {
            return tools::tool(name, arguments, &values).map(Invocation::Tool);
        }
        let mut config = values.check()?;
        config.warnings = warnings;
        Ok(Invocation::Run(Box::new(config)))
    }
}

/// The value of each setting by name, with its source.
#[derive(Debug, Default)]
struct Values(BTreeMap<&'static str, (Origin, String)>);

impl Values {
    fn set(&mut self, name: &'static str, source: Origin, value: String) {
        self.0.insert(name, (source, value));
    }

    fn read_file(&mut self, path: &str) -> Result<(), ConfigError> {
        for (setting, place, value) in file::read(path)? {
            let key = setting.name;
            self.set(setting.name, Origin::File { place, key }, value);
        }
        Ok(())
    }

    /// The validated value of a setting, if it was set.
    fn get<T, A: fmt::Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, A>,
    ) -> Result<Option<T>, ConfigError> {
        let Some((source, value)) = self.0.get(name) else {
            return Ok(None);
        };
        let parsed = parse(value).map_err(|allowed| {
            // Error messages end up in logs.
            let value = if SECRET.contains(&name) {
                "the value".to_owned()
            } else {
                format!("'{value}'")
            };
            ConfigError(format!("{source}: {value} is not allowed; {allowed}"))
        });
        parsed.map(Some)
    }

    /// The validated value of a setting that has a default.
    fn need<T, A: fmt::Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, A>,
    ) -> Result<T, ConfigError> {
        let value = self.get(name, parse)?;
        value.ok_or_else(|| ConfigError(format!("--{name} is not set")))
    }

    fn check(&self) -> Result<Config, ConfigError> {
        let feed = self.feed()?;
        Ok(Config {
            listen: self.need("listen", listen::parse)?,
            admin_listen: self.get("admin-listen", listen::parse)?.unwrap_or_default(),
            access: self.access()?,
            tls: self.tls()?,
            limits: self.limits()?,
            base_path: self.get("base-path", parse::base_path)?.unwrap_or_default(),
            keep_alive: self.need("keep-alive-s", parse::keep_alive)?,
            log_format: self.need("log-format", parse::log_format)?,
            warnings: Vec::new(),
            record: self.record()?,
            upload: self.upload()?,
            flush: self.need("flush-ms", parse::flush)?,
            log_capacity: self.need("log-capacity", parse::log_capacity)?,
            store: match feed {
                // History is kept by the server that is mirrored.
                FeedConfig::Relay(_) => None,
                _ => self.need("store", parse::store)?,
            },
            log: self.shared_log(&feed)?,
            node: self
                .get("node", parse::node)?
                .unwrap_or_else(feed::node_name),
            feed,
            webhook: WebhookConfig {
                addresses: self.get("webhook", parse::webhooks)?.unwrap_or_default(),
                template: self.webhook_template()?,
                secret: self.get("webhook-secret", parse::secret)?,
            },
            retain: self.get("retain", parse::retain)?.unwrap_or_default(),
        })
    }

    fn webhook_template(&self) -> Result<Option<Template>, ConfigError> {
        let Some((source, text)) = self.0.get("webhook-template") else {
            return Ok(None);
        };
        let template = text.parse::<Template>();
        let template = template.map_err(|error| ConfigError(format!("{source}: {error}")));
        template.map(Some)
    }
}

/// The variables of the environment that belong to Tickwire, and a warning for
/// each that only has the same prefix: container platforms set some for every
/// service of that name.
fn tickwire_variables(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(BTreeMap<String, String>, Vec<String>), ConfigError> {
    let mut known: Vec<_> = settings::all().map(settings::Setting::variable).collect();
    known.push("TICKWIRE_CONFIG".to_owned());
    let mut found = BTreeMap::new();
    let mut warnings = Vec::new();
    for (name, value) in variables {
        let Ok(name) = name.into_string() else {
            continue;
        };
        if !name.starts_with("TICKWIRE_") {
            continue;
        }
        if !known.contains(&name) {
            let likeness = |known: &&String| (1e6 * strsim::jaro_winkler(known, &name)) as u32;
            let nearest = known.iter().max_by_key(likeness);
            let nearest = nearest.map_or("", String::as_str);
            warnings.push(format!(
                "{name} in the environment is no setting and is ignored; the nearest is {nearest}"
            ));
            continue;
        }
        let value = value
            .into_string()
            .map_err(|_| ConfigError(format!("{name}: its value is not UTF-8")))?;
        found.insert(name, value);
    }
    Ok((found, warnings))
}

/// Clap's error message, without its usage and tips.
fn in_one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    format!("{line}; --help lists what there is")
}

#[cfg(test)]
mod tests;
