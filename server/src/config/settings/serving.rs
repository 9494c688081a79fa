//! The settings of how the server serves, stores and tells.

use super::Setting;

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
