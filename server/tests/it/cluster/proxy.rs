//! Behind a real nginx, with the block of the README.

use anyhow::{Context as _, ensure};
use shared::{SnapshotReason, Transport};
use testkit::{Nats, Nginx};
use tokio::time::timeout;

use super::nodes::{Node, PATIENCE};
use super::{MARKET, some_nodes};

const README: &str = include_str!("../../../../README.md");

/// The block of the README, for these servers.
fn block(nodes: &[Node]) -> anyhow::Result<String> {
    let mut blocks = README.split("```nginx\n").skip(1);
    let block = blocks.find(|block| block.starts_with("upstream"));
    let (block, _) = block
        .and_then(|block| block.split_once("```"))
        .context("the README has no such block")?;
    let mut block = block.to_owned();
    for (at, node) in (1..).zip(nodes) {
        let machine = format!("10.0.0.{at}:8080");
        ensure!(block.contains(&machine), "no {machine}");
        block = block.replace(&machine, &node.process.host);
    }
    Ok(block)
}

/// Servers are restarted one after the other. Readers are sent on to the other one, over
/// each transport, and miss nothing.
#[tokio::test(flavor = "multi_thread")]
async fn nats_readers_move_on_when_servers_are_restarted() -> anyhow::Result<()> {
    let nats = Nats::start(1).await?;
    let (mut nodes, mut book) = some_nodes(["a", "b"], &nats.log(), 300).await?;
    let nginx = Nginx::start_with(&block(&nodes)?).await?;
    let host = nginx.address().to_string();
    let names = Transport::ALL.map(|transport| format!("over {}", transport.label()));
    for (name, transport) in names.iter().zip(Transport::ALL) {
        book.watch_at(name, &host, transport);
    }
    let names = names.each_ref().map(|name| &**name);
    let head = book.head();
    book.until_all(&names, "all read over nginx", head.seq + 300)
        .await?;
    for at in 0..nodes.len() {
        let node = &mut nodes[at];
        node.signal("TERM")?;
        let ended = timeout(PATIENCE, node.process.child.wait()).await??;
        ensure!(ended.success(), "{ended}");
        let head = book.head();
        book.until_all(&names, "they read on", head.seq + 500)
            .await?;
        // On the address that nginx knows.
        let address = nodes[at].process.host.clone();
        nodes[at] = Node::start_on(&address, &nodes[at].name, &nats.log(), &MARKET).await?;
        let head = book.head();
        book.until(&nodes[at..=at], "it is there again", head.seq + 300)
            .await?;
    }
    let others = book.reasons();
    let others = others
        .iter()
        .filter(|reason| **reason != SnapshotReason::Start);
    ensure!(others.count() == 0, "{:?}", book.reasons());
    ensure!(book.epochs() == 1, "another run was begun");
    book.check()
}
