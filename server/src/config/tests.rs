mod random;

use std::io::Write as _;

use super::*;
use crate::feed::{SimConfig, SimSymbols};

fn load(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let arguments = std::iter::once(&"tickwire").chain(arguments);
    let variables = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    match Config::load(arguments.map(OsString::from), variables)? {
        Invocation::Run(config) => Ok(*config),
        Invocation::Print(text) => Err(ConfigError(text)),
        Invocation::Tool(tool) => Err(ConfigError(format!("{tool:?}"))),
    }
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn sim(config: &Config) -> &SimConfig {
    match &config.feed {
        FeedConfig::Sim(sim) => sim,
        _ => panic!("not the simulation"),
    }
}

#[test]
fn the_defaults_are_those_of_the_readme() {
    let config = load(&[], &[]).unwrap();
    let places: Vec<_> = config.listen.iter().map(Listen::to_string).collect();
    assert_eq!(places, ["127.0.0.1:8080"]);
    assert_eq!(config.keep_alive, Duration::from_secs(150));
    assert_eq!(config.base_path, "");
    assert_eq!(config.flush, Duration::from_millis(16));
    assert_eq!(config.store, Some(PathBuf::from("./tickwire.db")));
    assert_eq!(config.webhook, WebhookConfig::default());
    assert_eq!(sim(&config).symbols, SimSymbols::First(50));
    assert_eq!(sim(&config).rate, 2000.0);
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let file = file("rate = 1\nseed = 1\nflush_ms = 1\nsymbols = [\"A\", \"B\"]\n");
    let path = file.path().to_str().unwrap();
    let environment = [
        ("TICKWIRE_RATE", "2"),
        ("TICKWIRE_SEED", "2"),
        ("PATH", "/bin"),
    ];
    let config = load(&["--config", path, "--rate", "3"], &environment).unwrap();
    assert_eq!(sim(&config).rate, 3.0);
    assert_eq!(sim(&config).seed, 2);
    assert_eq!(config.flush, Duration::from_millis(1));
    let named = SimSymbols::Named(vec!["A".into(), "B".into()]);
    assert_eq!(sim(&config).symbols, named);
}

#[test]
fn the_environment_can_name_the_file() {
    let file = file("rate = 7.5");
    let path = file.path().to_str().unwrap();
    let config = load(&[], &[("TICKWIRE_CONFIG", path)]).unwrap();
    assert_eq!(sim(&config).rate, 7.5);
}

/// Checks that the error is one line that contains all of `parts`.
fn check_fault(arguments: &[&str], variables: &[(&str, &str)], parts: &[&str]) {
    let message = load(arguments, variables).unwrap_err().to_string();
    assert_eq!(message.lines().count(), 1, "{message}");
    for part in parts {
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    }
}

#[test]
fn a_fault_names_the_flag_the_value_and_what_is_allowed() {
    check_fault(
        &["--rate", "-1"],
        &[],
        &["--rate", "'-1'", "0.001 to 1000000"],
    );
    check_fault(&["--rate=-1"], &[], &["--rate", "'-1'"]);
    check_fault(&["--rate", "NaN"], &[], &["--rate", "'NaN'"]);
    check_fault(&["--rate", "inf"], &[], &["--rate", "'inf'"]);
    check_fault(
        &["--listen", "here"],
        &[],
        &["--listen", "'here'", "127.0.0.1:8080"],
    );
    check_fault(&["--feed", "x"], &[], &["--feed", "'x'", "replay:PATH"]);
    check_fault(&["--feed", "replay:"], &[], &["--feed", "replay:PATH"]);
    check_fault(
        &["--symbols", "0"],
        &[],
        &["--symbols", "'0'", "1 to 10000"],
    );
    check_fault(&["--symbols", "A,A"], &[], &["--symbols", "different"]);
    check_fault(&["--symbols", "A,*"], &[], &["--symbols", "'A,*'"]);
    check_fault(&["--flush-ms", "1.5"], &[], &["--flush-ms", "'1.5'"]);
    check_fault(&["--log-capacity", "0"], &[], &["--log-capacity", "'0'"]);
    check_fault(&["--seed", "x"], &[], &["--seed", "'x'"]);
    check_fault(&["--speed", "0"], &[], &["--speed", "'0'"]);
    check_fault(&["--store", ""], &[], &["--store", "none"]);
    check_fault(
        &["--retain", "1s=1"],
        &[],
        &["--retain", "'1s=1'", "1s=1h,1m=30d"],
    );
    check_fault(
        &["--webhook", "ftp://x"],
        &[],
        &["--webhook: the value is not allowed", "https://"],
    );
    check_fault(
        &["--webhook", "http://a/,http://a/"],
        &[],
        &["--webhook", "different"],
    );
    check_fault(
        &["--webhook-template", "{{prize}}"],
        &[],
        &["--webhook-template: there is no '{{prize}}'", "{{price}}"],
    );
    check_fault(&["--webhook-secret", " "], &[], &["--webhook-secret"]);
    check_fault(&["--colour"], &[], &["--colour", "--help"]);
    check_fault(&["--rate"], &[], &["--rate"]);
    check_fault(
        &["--feed", "replay:a.csv", "--symbols", "A,B"],
        &[],
        &["--symbols", "'A,B'", "one name"],
    );
}

#[test]
fn a_list_of_webhooks() {
    let load = |list: &str| load(&[], &[("TICKWIRE_WEBHOOK", list)]);
    for (list, expect) in [
        ("https://a.example/x", 1),
        ("https://a.example/x,y", 1),
        ("https://a.example/x, https://b.example/y", 2),
        (" http://a.example/x,y ,HTTPS://b.example/?q=1,2", 2),
    ] {
        let config = load(list).unwrap();
        assert_eq!(config.webhook.addresses.len(), expect, "{list}");
    }
    let error = load("https://me:secret@a.example/x,https://").unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn the_files_in_the_readme_can_be_used() {
    let readme = include_str!("../../../README.md");
    let blocks = readme.split("```toml\n").skip(1);
    let mut webhooks = 0;
    for block in blocks {
        let (block, _) = block.split_once("```").unwrap();
        let file = file(block);
        let path = file.path().to_str().unwrap();
        let config = load(&["--config", path], &[]).unwrap();
        webhooks += usize::from(config.webhook.template.is_some());
    }
    assert_eq!(webhooks, 3);
}

#[test]
fn a_fault_names_the_variable() {
    check_fault(&[], &[("TICKWIRE_RATE", "x")], &["TICKWIRE_RATE", "'x'"]);
}

#[test]
fn a_fault_names_the_file_and_the_line() {
    for (text, parts) in [
        ("seed = 1\nrate = -1\n", [":2:", "'-1'"]),
        ("\n\nrates = 1\n", [":3:", "no setting 'rates'"]),
        ("rate = = 1\n", [":1:", "not TOML"]),
        ("seed = 1\nrate = true\n", [":2:", "rate has to be"]),
    ] {
        let file = file(text);
        let path = file.path().to_str().unwrap();
        check_fault(&["--config", path], &[], &parts);
        check_fault(&["--config", path], &[], &[path]);
    }
    check_fault(
        &["--config", "no-such.toml"],
        &[],
        &["no-such.toml", "No such file"],
    );
}

#[tokio::test]
async fn a_missing_file_of_bars_is_named() {
    let config = load(&["--feed", "replay:no-such.csv"], &[]).unwrap();
    let fault = crate::feed::open(&config.feed)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        fault.contains("--feed") && fault.contains("no-such.csv"),
        "{fault}"
    );
}

#[test]
fn a_variable_that_only_looks_like_ours_is_a_warning() {
    let environment = [
        ("TICKWIRE_SERVICE_HOST", "10.0.0.1"),
        ("TICKWIRE_SERVICE_PORT", "8080"),
        ("TICKWIRE_PORT", "tcp://10.0.0.1:8080"),
        ("TICKWIRE_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("TICKWIRE_RATES", "1"),
        ("TICKWIRE_RATE", "2"),
    ];
    let config = load(&[], &environment).unwrap();
    assert_eq!(sim(&config).rate, 2.0);
    assert_eq!(config.warnings.len(), 5, "{:?}", config.warnings);
    let rates = config.warnings.last().unwrap();
    assert!(
        rates.contains("TICKWIRE_RATES") && rates.ends_with("TICKWIRE_RATE"),
        "{rates}"
    );
}

#[test]
fn who_may_ask() {
    let config = load(
        &[
            "--listen",
            "8080",
            "--listen",
            "[::1]:8081",
            "--allow-host",
            "Prices.Example.org",
            "--allow-origin",
            "https://a.example",
            "--allow-origin",
            "http://b.example:8080",
            "--trust-proxy",
            "10.0.0.5,192.168.0.0/16",
            "--base-path",
            "/tickwire/",
        ],
        &[],
    )
    .unwrap();
    let places: Vec<_> = config.listen.iter().map(Listen::to_string).collect();
    assert_eq!(places, ["127.0.0.1:8080", "[::1]:8081"]);
    assert_eq!(config.access.hosts, ["prices.example.org"]);
    assert_eq!(
        config.access.origins,
        ["https://a.example", "http://b.example:8080"]
    );
    assert_eq!(config.access.proxies.len(), 2);
    assert_eq!(config.base_path, "/tickwire");
    for (flag, value) in [
        ("--allow-host", "http://x"),
        ("--allow-origin", "example.org"),
        ("--allow-origin", "https://x/path"),
        ("--allow-origin", "*"),
        ("--trust-proxy", "proxy"),
        ("--base-path", "tickwire"),
        ("--base-path", "/../x"),
        ("--keep-alive-s", "0"),
        ("--log-format", "xml"),
    ] {
        check_fault(
            &[flag, value],
            &[],
            &[flag, &format!("'{value}'"), "as in"][..2],
        );
    }
}

#[test]
fn exchanges_and_their_symbols() {
    let feed = |arguments: &[&str]| load(arguments, &[]).map(|config| config.feed);
    let Ok(FeedConfig::Exchange(exchanges)) = feed(&[
        "--feed",
        "kraken",
        "--feed",
        "binance",
        "--symbols",
        "BTC-USD, eth/usd@kraken",
        "--kraken-rest",
        "http://[::1]:8000/",
    ]) else {
        panic!("no exchanges");
    };
    let names: Vec<_> = exchanges.venues.iter().map(|venue| venue.name()).collect();
    assert_eq!(names, ["kraken", "binance"]);
    assert!(exchanges.symbols.is_some_and(|symbols| symbols.len() == 2));
    for (arguments, words) in [
        (&["--feed", "kraken,kraken"][..], "--feed: 'kraken,kraken'"),
        (&["--feed", "kraken,sim"], "--feed: 'kraken,sim'"),
        (&["--feed", "krakn"], "sim; kraken, coinbase and binance"),
        (
            &["--feed", "kraken", "--symbols", "BTC-USD@coinbase"],
            "what follows @ is an exchange of --feed",
        ),
        (&["--feed", "kraken", "--symbols", "50"], "a list"),
        (&["--feed", "kraken", "--symbols", "A-B,A-B"], "different"),
        (&["--kraken-ws", "https://x"], "an address of ws or wss"),
        (&["--kraken-rest", "wss://x"], "an address of http or https"),
        (
            &["--binance-rest", "https://"],
            "an address of http or https",
        ),
        (&["--binance-rest", "https://x/?y=1"], "an address of http"),
    ] {
        let error = feed(arguments).unwrap_err().to_string();
        assert!(error.contains(words), "{arguments:?}: {error}");
    }
}

#[test]
fn beyond_this_machine_it_is_said_who_may_do_what() {
    let tokens = file("write = \"0123456789012345678901\"");
    let tokens = tokens.path().to_str().unwrap();
    for (arguments, expect) in [
        (&["--listen", "8080"][..], Ok(None)),
        (&["--listen", "[::1]:8080,localhost:8081"], Ok(None)),
        (&["--listen", ":8080"], Err("--listen :8080: say what")),
        (
            &["--listen", "8080,192.168.1.7:80"],
            Err("--listen 192.168.1.7:80: say what"),
        ),
        (
            &["--listen", "my-host:80"],
            Err("--listen my-host:80: say what"),
        ),
        (
            &["--listen", ":8080", "--public", "read"],
            Ok(Some("may read, and nobody")),
        ),
        (
            &["--listen", ":8080", "--public", "all"],
            Ok(Some("may read and change everything")),
        ),
        (
            &["--listen", ":8080", "--token-file", tokens],
            Ok(Some("takes a token")),
        ),
        (
            &["--public", "read", "--token-file", tokens],
            Ok(Some("to change something takes the write token")),
        ),
        (
            &["--public", "all", "--token-file", tokens],
            Err("--public all and --token-file contradict"),
        ),
        (
            &["--public", "none"],
            Err("--public: 'none' is not allowed; read"),
        ),
        (
            &["--token-file", "/no/such/file"],
            Err("--token-file: /no/such/file: "),
        ),
    ] {
        let found = load(arguments, &[]).map(|config| config.access.words());
        match (found, expect) {
            (Ok(None), Ok(None)) => {}
            (Ok(Some(words)), Ok(Some(expect))) => {
                assert!(words.contains(expect), "{arguments:?}: {words}");
            }
            (Err(error), Err(expect)) => {
                let error = error.to_string();
                assert!(error.starts_with(expect), "{arguments:?}: {error}");
            }
            (found, _) => panic!("{arguments:?}: {found:?}"),
        }
    }
}
