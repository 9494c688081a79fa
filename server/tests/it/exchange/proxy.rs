//! Exchanges behind a proxy, as the usual variables name it, and encrypted.

use anyhow::ensure;
use client::Follower;
use shared::{ServerMessage, Transport};
use testkit::{Authority, Deal, Process, Protocol, Tunnel};
use tokio::process::Command;

use super::{chance, now, until, venue};

/// A host that exists for the proxy only.
const NOWHERE: &str = "venue.invalid";

async fn goes_through_a_proxy(authority: Option<&Authority>) -> anyhow::Result<()> {
    let venue = venue(Protocol::Kraken, &["BTC"]).await?;
    let acceptor = authority.map(|authority| authority.acceptor(NOWHERE));
    let (port, s) = if authority.is_some() {
        (443, "s")
    } else {
        (80, "")
    };
    let host = format!("{NOWHERE}:{port}");
    let proxy = Tunnel::start(&host, venue.address(), acceptor.transpose()?).await?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
    let (ws, rest) = (format!("ws{s}://{host}"), format!("http{s}://{host}"));
    command
        .env("ALL_PROXY", proxy.url())
        .args(["--feed", "kraken", "--store", "none"])
        .args(["--kraken-ws", &ws, "--kraken-rest", &rest]);
    if let Some(authority) = authority {
        command.env("SSL_CERT_FILE", authority.file()?);
    }
    let server = Process::start(command).await?;
    until("it is connected", || venue.listeners("BTC") > 0).await?;
    let mut follower = Follower::new(&server.host, "*", None);
    follower.switch(Transport::WebSocket).await?;
    let newest = venue.trade("BTC", Deal::at(now(), &mut chance(1))).id;
    let id = newest.to_string();
    'reading: loop {
        for message in follower.next().await? {
            if let ServerMessage::Ticks { ticks, .. } = message {
                let mut trades = ticks.iter().filter_map(|tick| tick.trade());
                if trades.any(|trade| trade.id.as_deref() == Some(&id)) {
                    break 'reading;
                }
            }
        }
    }
    ensure!(proxy.taken() >= 2, "{proxy:?}");
    server.kill().await
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_prices_go_through_a_proxy() -> anyhow::Result<()> {
    goes_through_a_proxy(None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_prices_are_encrypted() -> anyhow::Result<()> {
    goes_through_a_proxy(Some(&Authority::new()?)).await
}
