//! Exchanges behind a proxy, as the usual variables name it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, ensure};
use client::Follower;
use shared::{ServerMessage, Transport};
use testkit::{Deal, Process, Protocol};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use super::{chance, now, until, venue};

/// A host that exists for the proxy only.
const NOWHERE: &str = "venue.invalid:80";

/// Takes a connection to [`NOWHERE`] to this address.
async fn tunnel(mut client: TcpStream, to: SocketAddr) -> anyhow::Result<()> {
    let mut lines = BufReader::new(&mut client).lines();
    let first = lines.next_line().await?.context("no request")?;
    ensure!(first == format!("CONNECT {NOWHERE} HTTP/1.1"), "{first}");
    while lines
        .next_line()
        .await?
        .is_some_and(|line| !line.is_empty())
    {}
    let mut venue = TcpStream::connect(to).await?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut venue).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_prices_go_through_a_proxy() -> anyhow::Result<()> {
    let venue = venue(Protocol::Kraken, &["BTC"]).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let proxy = listener.local_addr()?;
    let (to, tunnels) = (venue.address(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&tunnels);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            // What is cut at the end of the test is no fault.
            tokio::spawn(async move { _ = tunnel(client, to).await });
        }
    });
    let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
    let (ws, rest) = (format!("ws://{NOWHERE}"), format!("http://{NOWHERE}"));
    command
        .env("ALL_PROXY", format!("http://{proxy}"))
        .args(["--feed", "kraken", "--store", "none"])
        .args(["--kraken-ws", &ws, "--kraken-rest", &rest]);
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
    ensure!(tunnels.load(Ordering::Relaxed) >= 2, "{tunnels:?}");
    server.kill().await
}
