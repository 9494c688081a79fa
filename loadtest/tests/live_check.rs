//! The check of the real exchanges, tried with mock ones.

use std::process::Command;
use std::time::SystemTime;

use anyhow::ensure;
use rand::SeedableRng as _;
use shared::Time;
use testkit::{MockVenue, Protocol, Truth};

#[tokio::test(flavor = "multi_thread")]
async fn it_says_what_it_saw() -> anyhow::Result<()> {
    let now = SystemTime::UNIX_EPOCH.elapsed()?;
    let now = Time::from_micros(i64::try_from(now.as_micros())?);
    let mut random = rand::rngs::SmallRng::seed_from_u64(1);
    for protocol in Protocol::ALL {
        let truth = Truth::with_past(&["BTC", "ETH"], 1, now, &mut random);
        let venue = MockVenue::start(protocol, truth).await?;
        let mut check = Command::new(env!("CARGO_BIN_EXE_live_check"));
        check
            .args(["--seconds", "4", "--only", protocol.name(), "--"])
            .args(venue.arguments().split_off(2));
        let output = tokio::task::spawn_blocking(move || check.output()).await??;
        let said = String::from_utf8(output.stdout)?;
        let begins = said.starts_with(&format!("{}: first price after ", protocol.name()));
        ensure!(begins && said.contains(" of 2 symbols, "), "{said}");
        ensure!(said.contains("2 with a past; missed 0, filled 0"), "{said}");
    }
    let nowhere = ["--kraken-rest", "http://127.0.0.1:9"];
    let mut check = Command::new(env!("CARGO_BIN_EXE_live_check"));
    check.args(["--only", "kraken", "--"]).args(nowhere);
    let output = tokio::task::spawn_blocking(move || check.output()).await??;
    let said = String::from_utf8(output.stdout)?;
    ensure!(
        said.starts_with("kraken: not seen: --feed kraken: "),
        "{said}"
    );
    Ok(())
}
