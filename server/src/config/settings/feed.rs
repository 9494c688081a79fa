//! The settings of where prices come from.

use super::Setting;

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "feed",
        value_name: "FEED",
        default: Some("sim"),
        help: "Where prices come from: sim; kraken, coinbase and binance, one or several; or \
               replay:PATH for files of bars, trades or quotes, also in a folder or packed; more \
               than one path is allowed; or tickwire:URL for the log of another server, as in \
               tickwire:wss://prices.example.org/ws",
        many: true,
    },
    Setting {
        name: "log",
        value_name: "URL",
        default: None,
        help: "The NATS servers by which several servers share one log, as in nats://a,b,c; all \
               of them run with the same settings",
        many: false,
    },
    Setting {
        name: "log-mb",
        value_name: "MB",
        default: Some("256"),
        help: "How much of a shared log NATS keeps for servers that were away",
        many: false,
    },
    Setting {
        name: "node",
        value_name: "NAME",
        default: None,
        help: "The name of this server among those that share a log; that of the machine and some \
               letters unless set",
        many: false,
    },
    Setting {
        name: "upstream-token-file",
        value_name: "FILE",
        default: None,
        help: "With --feed tickwire:URL, the file with the tokens of that server, as --token-file \
               has them",
        many: false,
    },
    Setting {
        name: "symbols",
        value_name: "N|LIST",
        default: None,
        help: "How many symbols to simulate (50 unless set), or which, as in BTC-USD,ETH-USD; \
               of exchanges, which to follow, as in BTC-USD or BTC-USD@kraken; with replay, one \
               name for the file's prices",
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
        name: "kraken-ws",
        value_name: "URL",
        default: None,
        help: "Where the prices of kraken come from, instead of wss://ws.kraken.com",
        many: false,
    },
    Setting {
        name: "kraken-rest",
        value_name: "URL",
        default: None,
        help: "Where kraken answers calls, instead of https://api.kraken.com",
        many: false,
    },
    Setting {
        name: "coinbase-ws",
        value_name: "URL",
        default: None,
        help: "Where the prices of coinbase come from, instead of wss://ws-feed.exchange.coinbase.com",
        many: false,
    },
    Setting {
        name: "coinbase-rest",
        value_name: "URL",
        default: None,
        help: "Where coinbase answers calls, instead of https://api.exchange.coinbase.com",
        many: false,
    },
    Setting {
        name: "binance-ws",
        value_name: "URL",
        default: None,
        help: "Where the prices of binance come from, instead of wss://data-stream.binance.vision",
        many: false,
    },
    Setting {
        name: "binance-rest",
        value_name: "URL",
        default: None,
        help: "Where binance answers calls, instead of https://data-api.binance.vision",
        many: false,
    },
];
