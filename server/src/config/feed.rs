//! The source of prices, and what is done with them.

use std::path::PathBuf;

use rand::RngExt as _;
use shared::Time;

use super::{ConfigError, Values, parse};
use crate::cluster::SharedLogConfig;
use crate::feed::{
    ExchangeConfig, FeedConfig, RelayConfig, ReplayConfig, SimConfig, SimSymbols, UpstreamAddress,
    VenueConfig, venue_names,
};

/// How many times as large a file that is brought may be when it is unpacked.
const UNPACKED: u64 = 20;
/// How many lines of a file that is brought are looked through: 160 MB of memory.
const UPLOADED_LINES_MAX: u64 = 10_000_000;

/// Where the log is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordConfig {
    /// A folder, which is made if it is not there.
    pub folder: PathBuf,
    /// After so many bytes, a new file is begun.
    pub bytes_max: u64,
}

/// The files of prices that people may bring while the server runs.
#[derive(Clone, Debug, PartialEq)]
pub struct UploadConfig {
    /// The size of the largest.
    pub bytes_max: u64,
    /// How such a file is replayed.
    pub replay: ReplayConfig,
}

impl Values {
    pub(super) fn feed(&self) -> Result<FeedConfig, ConfigError> {
        // All settings are validated, even those that this feed does not use.
        let rate = self.need("rate", parse::rate)?;
        let quotes = self.need("quotes", parse::quotes)?;
        let replay = self.replay()?;
        let seed = self.get("seed", parse::seed)?;
        let past = self.need("past", parse::on_or_off)?;
        let addresses = self.addresses()?;
        let is_kept = self.need("store", parse::store)?.is_some()
            || self.get("log", parse::shared_log)?.is_some();
        match self.need("feed", parse::feed)? {
            parse::FeedKind::Sim => Ok(FeedConfig::Sim(SimConfig {
                symbols: self
                    .get("symbols", parse::symbols)?
                    .unwrap_or(SimSymbols::First(50)),
                rate,
                quotes,
                // 53 bits, which every JSON parser and spreadsheet represents
                // exactly.
                seed: seed.unwrap_or_else(|| rand::random::<u64>() >> 11),
                past,
                goes_on: seed.is_none() && is_kept,
            })),
            parse::FeedKind::Replay(paths) => Ok(FeedConfig::Replay(ReplayConfig {
                paths,
                symbol: self.get("symbols", parse::one_symbol)?,
                ..replay
            })),
            parse::FeedKind::Exchange(names) => {
                let chosen = |venue: &VenueConfig| names.iter().any(|name| name == venue.name());
                let venues: Vec<_> = addresses.into_iter().filter(chosen).collect();
                let symbols = self.get("symbols", |text| parse::wanted_symbols(text, &venues))?;
                Ok(FeedConfig::Exchange(ExchangeConfig { venues, symbols }))
            }
            parse::FeedKind::Relay(address) => self.relay(address),
        }
    }

    /// The log that several servers share.
    pub(super) fn shared_log(
        &self,
        feed: &FeedConfig,
    ) -> Result<Option<SharedLogConfig>, ConfigError> {
        let bytes_max = self.need("log-mb", parse::megabytes)?;
        let Some(log) = self.get("log", parse::shared_log)? else {
            return Ok(None);
        };
        if let FeedConfig::Relay(_) = feed {
            let message = "--log and --feed tickwire contradict each other: a server that \
                           mirrors a log numbers nothing";
            return Err(ConfigError(message.to_owned()));
        }
        if let FeedConfig::Replay(_) = feed {
            let message = "--log and --feed replay contradict each other: a replay would begin \
                           again with each server that leads; relays can mirror it instead";
            return Err(ConfigError(message.to_owned()));
        }
        if self.need("allow-upload", parse::on_or_off)? {
            let message = "--log and --allow-upload contradict each other: a file that is \
                           brought is on one server only";
            return Err(ConfigError(message.to_owned()));
        }
        Ok(Some(log.keeping(bytes_max)))
    }

    /// Another server, to which most belongs that could be set here.
    fn relay(&self, address: UpstreamAddress) -> Result<FeedConfig, ConfigError> {
        for name in ["symbols", "webhook", "allow-upload"] {
            if let Some((source, _)) = self.0.get(name).filter(|(source, _)| source.is_given()) {
                return Err(ConfigError(format!(
                    "{source} belongs to the server at {address}, whose log is mirrored here"
                )));
            }
        }
        let store = self.0.get("store").filter(|(source, _)| source.is_given());
        if let Some((source, _)) = store
            && self.need("store", parse::store)?.is_some()
        {
            return Err(ConfigError(format!(
                "{source}: history is kept by the server at {address}, and asked for there; \
                 only none is possible here"
            )));
        }
        let tokens = self.tokens("upstream-token-file")?;
        Ok(FeedConfig::Relay(RelayConfig { address, tokens }))
    }

    /// All exchanges, each with its addresses.
    fn addresses(&self) -> Result<Vec<VenueConfig>, ConfigError> {
        let mut venues = Vec::new();
        for name in venue_names() {
            let ws = self.get(&format!("{name}-ws"), |text| parse::base_url(text, "ws"))?;
            let rest = self.get(&format!("{name}-rest"), |text| {
                parse::base_url(text, "http")
            })?;
            venues.extend(VenueConfig::new(name).map(|venue| venue.at(ws, rest)));
        }
        Ok(venues)
    }

    /// How files are replayed, still without the files.
    fn replay(&self) -> Result<ReplayConfig, ConfigError> {
        Ok(ReplayConfig {
            paths: Vec::new(),
            symbol: None,
            options: pricefile::Options {
                dates: self.get("dates", parse::dates)?,
                zone: self.get("tz", parse::zone)?,
                mark: self.get("decimals", parse::decimals)?,
                bytes_max: None,
                lines_max: None,
            },
            speed: self.need("speed", parse::speed)?,
            range: (
                self.get("from", parse::moment)?.unwrap_or(Time::MIN),
                self.get("to", parse::moment)?.unwrap_or(Time::MAX),
            ),
            repeats: self.need("loop", parse::on_or_off)?,
        })
    }

    pub(super) fn record(&self) -> Result<Option<RecordConfig>, ConfigError> {
        let bytes_max = self.need("record-mb", parse::megabytes)?;
        let folder = self.get("record", parse::folder)?;
        Ok(folder.map(|folder| RecordConfig { folder, bytes_max }))
    }

    pub(super) fn upload(&self) -> Result<Option<UploadConfig>, ConfigError> {
        let bytes_max = self.need("upload-mb", parse::megabytes)?;
        let is_allowed = self.need("allow-upload", parse::on_or_off)?;
        let mut replay = self.replay()?;
        // What part is played is said of the files that the server starts with.
        replay.range = (Time::MIN, Time::MAX);
        replay.options.lines_max = Some(UPLOADED_LINES_MAX);
        replay.options.bytes_max = Some(UNPACKED * bytes_max);
        Ok(is_allowed.then_some(UploadConfig { bytes_max, replay }))
    }
}

#[cfg(unix)]
fn machine_name() -> String {
    let machine = rustix::system::uname();
    machine.nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn machine_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "node".to_owned())
}

/// A name for this server among others: that of the machine, and some letters, since
/// several may run on it.
pub(super) fn node_name() -> String {
    let machine: String = machine_name().chars().take(30).collect();
    let letters = rand::rng().sample_iter(rand::distr::Alphanumeric).take(4);
    let letters: String = letters.map(char::from).collect();
    format!("{machine}-{}", letters.to_lowercase())
}
