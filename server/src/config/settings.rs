//! The list of settings, from which flags, variables and keys are made.

/// A setting: its flag; its key in the file and its environment variable are
/// derived from that.
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) value_name: &'static str,
    pub(super) default: Option<&'static str>,
    pub(super) help: &'static str,
    /// Whether it can be given more than once.
    pub(super) many: bool,
}

/// Settings whose values are never displayed.
pub(super) const SECRET: [&str; 2] = ["webhook", "webhook-secret"];

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "listen",
        value_name: "[HOST:]PORT",
        default: Some("127.0.0.1:8080"),
        help: "Where to listen: 8080 on this machine only, :8080 for everybody who can reach it, \
               or an address or a name and a port; port 0 takes any free one; more than once is \
               allowed",
        many: true,
    },
    Setting {
        name: "admin-listen",
        value_name: "[HOST:]PORT",
        default: None,
        help: "Where metrics, health and the API's description are instead, as in 9100: never \
               encrypted, and without tokens; more than once is allowed",
        many: true,
    },
    Setting {
        name: "feed",
        value_name: "FEED",
        default: Some("sim"),
        help: "Where prices come from: sim, or replay:PATH for files of bars, trades or quotes, \
               also in a folder or packed; more than one path is allowed",
        many: true,
    },
    Setting {
        name: "symbols",
        value_name: "N|LIST",
        default: None,
        help: "How many symbols to simulate (50 unless set), or which, as in BTC-USD,ETH-USD; \
               with replay, one name for the file's prices",
        many: false,
    },
    Setting {
        name: "rate",
        value_name: "TRADES",
        default: Some("2000"),
        help: "Simulated trades a second, over all symbols",
        many: false,
    },
    Setting {
        name: "quotes",
        value_name: "RATIO",
        default: Some("1"),
        help: "How often a simulated bid and ask change between two trades, on average; 0 for \
               trades only",
        many: false,
    },
    Setting {
        name: "seed",
        value_name: "NUMBER",
        default: None,
        help: "What the simulation draws its chance from; a new one at each start unless set",
        many: false,
    },
    Setting {
        name: "past",
        value_name: "on|off",
        default: Some("on"),
        help: "Whether simulated symbols begin with a past: two years of candles",
        many: false,
    },
    Setting {
        name: "speed",
        value_name: "SPEED",
        default: Some("1"),
        help: "How fast a replay goes: bars a second as in 2, times real time as in 60x, or max",
        many: false,
    },
    Setting {
        name: "from",
        value_name: "DATE",
        default: None,
        help: "Where a replay begins, as in 2020-04-17 or 2020-04-17T09:30",
        many: false,
    },
    Setting {
        name: "to",
        value_name: "DATE",
        default: None,
        help: "Before what a replay ends",
        many: false,
    },
    Setting {
        name: "loop",
        value_name: "on|off",
        default: Some("off"),
        help: "Whether a replay begins again at its end",
        many: false,
    },
    Setting {
        name: "allow-upload",
        value_name: "on|off",
        default: Some("off"),
        help: "Whether those who may change things may bring a file of prices to the page, which \
               is replayed then",
        many: false,
    },
    Setting {
        name: "upload-mb",
        value_name: "MB",
        default: Some("100"),
        help: "How large such a file may be",
        many: false,
    },
    Setting {
        name: "record",
        value_name: "FOLDER",
        default: None,
        help: "Where everything that is sent to readers is recorded, to be replayed later",
        many: false,
    },
    Setting {
        name: "record-mb",
        value_name: "MB",
        default: Some("256"),
        help: "After how much a recording goes on in a new file",
        many: false,
    },
    Setting {
        name: "dates",
        value_name: "dmy|mdy",
        default: None,
        help: "Whether days come before months in files where nothing tells",
        many: false,
    },
    Setting {
        name: "decimals",
        value_name: "comma|point",
        default: None,
        help: "What separates decimals in files where nothing tells",
        many: false,
    },
    Setting {
        name: "tz",
        value_name: "ZONE",
        default: None,
        help: "The time zone of a file's times, as in America/New_York; those of days stay as they \
               are",
        many: false,
    },
    Setting {
        name: "flush-ms",
        value_name: "MS",
        default: Some("16"),
        help: "Shortest time between two batches of ticks; 0 sends each tick by itself",
        many: false,
    },
    Setting {
        name: "log-capacity",
        value_name: "TICKS",
        default: Some("131072"),
        help: "How many ticks are kept for readers who fall behind or come back",
        many: false,
    },
    Setting {
        name: "store",
        value_name: "FILE|none",
        default: Some("./tickwire.db"),
        help: "The SQLite file that keeps candles and alerts from one run to the next; none for memory only",
        many: false,
    },
    Setting {
        name: "retain",
        value_name: "LIST",
        default: None,
        help: "How long candles are kept, by interval, instead of 1s=1h,5s=6h,1m=30d,5m=90d,15m=1y,\
               1h=5y,1d=50y; those that are not named stay as they are",
        many: false,
    },
    Setting {
        name: "webhook",
        value_name: "URL",
        default: None,
        help: "Where to POST each alert that fires, as JSON; http or https, with a name and a \
               password if need be; more than once is allowed",
        many: true,
    },
    Setting {
        name: "webhook-template",
        value_name: "TEXT",
        default: None,
        help: "What the body of such a POST is made of, as in '{\"text\":\"{{text}}\"}'",
        many: false,
    },
    Setting {
        name: "webhook-secret",
        value_name: "TEXT",
        default: None,
        help: "What the body of such a POST is signed with, in the header X-Tickwire-Signature; \
               better set in the environment or the file",
        many: false,
    },
    Setting {
        name: "allow-host",
        value_name: "NAME",
        default: None,
        help: "A name under which this server is reached, besides localhost, this machine's name \
               and addresses; more than once is allowed",
        many: true,
    },
    Setting {
        name: "allow-origin",
        value_name: "ORIGIN",
        default: None,
        help: "A page of another server that may open the WebSocket and change things, as in \
               https://example.org; more than once is allowed",
        many: true,
    },
    Setting {
        name: "trust-proxy",
        value_name: "ADDRESS",
        default: None,
        help: "A proxy whose X-Forwarded-Host is believed, as in 10.0.0.5 or 10.0.0.0/8, instead \
               of those on this machine; more than once is allowed",
        many: true,
    },
    Setting {
        name: "token-file",
        value_name: "FILE",
        default: None,
        help: "A file with a line read = \"…\" and a line write = \"…\": the tokens that reading \
               and changing things take",
        many: false,
    },
    Setting {
        name: "tls-cert",
        value_name: "FILE",
        default: None,
        help: "A PEM file with the server's certificate and those that it was signed with: \
               everything is encrypted then; needs --tls-key; read again when it changes",
        many: false,
    },
    Setting {
        name: "tls-key",
        value_name: "FILE",
        default: None,
        help: "A PEM file with the private key of --tls-cert",
        many: false,
    },
    Setting {
        name: "public",
        value_name: "read|all",
        default: None,
        help: "What somebody may do who has no token: read, or all; needed to listen beyond this \
               machine without tokens",
        many: false,
    },
    Setting {
        name: "base-path",
        value_name: "PATH",
        default: None,
        help: "The path under which a proxy shows this server, as in /tickwire",
        many: false,
    },
    Setting {
        name: "keep-alive-s",
        value_name: "SECONDS",
        default: Some("150"),
        help: "How long a connection may stay open between two requests",
        many: false,
    },
    Setting {
        name: "max-connections",
        value_name: "COUNT",
        default: Some("10000"),
        help: "Connections at once, as far as the system's limit of open files allows",
        many: false,
    },
    Setting {
        name: "max-connections-each",
        value_name: "COUNT",
        default: Some("1000"),
        help: "Connections at once from one address that is no proxy's",
        many: false,
    },
    Setting {
        name: "max-head-bytes",
        value_name: "BYTES",
        default: Some("16384"),
        help: "The longest line and headers of a request",
        many: false,
    },
    Setting {
        name: "head-limit-s",
        value_name: "SECONDS",
        default: Some("10"),
        help: "How long the line and the headers of a request may take",
        many: false,
    },
    Setting {
        name: "body-limit-s",
        value_name: "SECONDS",
        default: Some("10"),
        help: "How long the body of a request may take",
        many: false,
    },
    Setting {
        name: "slow-limit-s",
        value_name: "SECONDS",
        default: Some("30"),
        help: "How long a client may take nothing of what it is sent",
        many: false,
    },
    Setting {
        name: "max-answer-bytes",
        value_name: "BYTES",
        default: Some("4194304"),
        help: "About how long an answer with ticks can be; the next one goes on from there",
        many: false,
    },
    Setting {
        name: "max-unsent-bytes",
        value_name: "BYTES",
        default: Some("268435456"),
        help: "The bytes of all answers together that clients have not taken yet",
        many: false,
    },
    Setting {
        name: "max-streams",
        value_name: "COUNT",
        default: Some("10000"),
        help: "WebSockets and event streams at once",
        many: false,
    },
    Setting {
        name: "max-symbols",
        value_name: "COUNT",
        default: Some("10000"),
        help: "Symbols that a request or a subscription can name",
        many: false,
    },
    Setting {
        name: "max-commands",
        value_name: "COUNT",
        default: Some("50"),
        help: "Commands a second over one WebSocket",
        many: false,
    },
    Setting {
        name: "max-long-polls",
        value_name: "COUNT",
        default: Some("5000"),
        help: "Long polls that wait at once",
        many: false,
    },
    Setting {
        name: "max-history-calls",
        value_name: "COUNT",
        default: Some("32"),
        help: "Calls for candles that are answered at once",
        many: false,
    },
    Setting {
        name: "max-alerts",
        value_name: "COUNT",
        default: Some("100000"),
        help: "Alerts at once",
        many: false,
    },
    Setting {
        name: "max-alerts-a-minute",
        value_name: "COUNT",
        default: Some("600"),
        help: "Alerts that one address makes or changes in a minute",
        many: false,
    },
    Setting {
        name: "log-format",
        value_name: "text|json",
        default: Some("text"),
        help: "How the log is written; RUST_LOG says what is",
        many: false,
    },
    Setting {
        name: "access-log",
        value_name: "off|on",
        default: Some("off"),
        help: "Whether each request is logged, with the client's address and user agent",
        many: false,
    },
];

impl Setting {
    /// Its environment variable.
    pub(super) fn variable(&self) -> String {
        format!("TICKWIRE_{}", self.key().to_uppercase())
    }

    /// Its key in the file.
    pub(super) fn key(&self) -> String {
        self.name.replace('-', "_")
    }
}
