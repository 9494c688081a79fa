//! Servers on networks of their own, whose links go down. For root, on Linux.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use shared::NodeAnswer;
use tempfile::TempDir;
use testkit::Process;
use tokio::process::{Child, Command};

use super::MARKET;
use super::laws::Book;
use super::nodes::{Node, until};

/// How many servers there are.
const NODES: usize = 3;
/// The longest name of a link has 15 bytes, so they are short.
const NATS: &str = "nats";

/// Networks: one for NATS, and one for each server, which has a link to NATS and another
/// one to its readers.
struct Networks {
    /// What all names begin with.
    prefix: String,
    /// What all addresses begin with.
    base: String,
}

async fn run(program: &str, arguments: &str) -> anyhow::Result<()> {
    let output = Command::new(program)
        .args(arguments.split_whitespace())
        .output()
        .await
        .with_context(|| program.to_owned())?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} {arguments}: {said}");
    Ok(())
}

impl Networks {
    async fn new() -> anyhow::Result<Self> {
        let number = std::process::id();
        let networks = Self {
            prefix: format!("tw{}", number % 100_000),
            base: format!("10.{}.{}", 64 + number % 64, number / 64 % 200),
        };
        networks.add(NATS).await?;
        for at in 0..NODES {
            networks.add(&at.to_string()).await?;
            let nats = networks.name(NATS);
            networks.link(at, "n", &format!("netns {nats}")).await?;
            networks.link(at, "r", "netns 1").await?;
        }
        Ok(networks)
    }

    fn name(&self, of: &str) -> String {
        format!("{}{of}", self.prefix)
    }

    async fn add(&self, of: &str) -> anyhow::Result<()> {
        let name = self.name(of);
        run("ip", &format!("netns add {name}")).await?;
        run("ip", &format!("-n {name} link set lo up")).await
    }

    /// The address of a server, on its link to NATS (`n`) or to its readers (`r`); and
    /// that of the other end.
    fn addresses(&self, at: usize, kind: &str) -> (String, String) {
        let first = 8 * at + if kind == "n" { 0 } else { 4 };
        let address = |more: usize| format!("{}.{}", self.base, first + more);
        (address(2), address(1))
    }

    /// The name of the other end of a link.
    fn end(&self, at: usize, kind: &str) -> String {
        self.name(&format!("{kind}{at}"))
    }

    async fn link(&self, at: usize, kind: &str, there: &str) -> anyhow::Result<()> {
        let (server, end) = (self.name(&at.to_string()), self.end(at, kind));
        let (inside, outside) = self.addresses(at, kind);
        let other = format!("{kind}in");
        run(
            "ip",
            &format!("-n {server} link add {other} type veth peer name {end} {there}"),
        )
        .await?;
        run(
            "ip",
            &format!("-n {server} addr add {inside}/30 dev {other}"),
        )
        .await?;
        run("ip", &format!("-n {server} link set {other} up")).await?;
        let outer = match kind {
            "n" => format!("-n {} ", self.name(NATS)),
            _ => String::new(),
        };
        run("ip", &format!("{outer}addr add {outside}/30 dev {end}")).await?;
        run("ip", &format!("{outer}link set {end} up")).await
    }

    /// Lets a server's link to NATS go down, or come up again. Nobody is told.
    async fn set(&self, at: usize, state: &str) -> anyhow::Result<()> {
        let (nats, end) = (self.name(NATS), self.end(at, "n"));
        run("ip", &format!("-n {nats} link set {end} {state}")).await
    }

    /// A command that runs in this network.
    fn command(&self, of: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name(of)]);
        command
    }

    async fn server(&self, at: usize) -> anyhow::Result<Node> {
        let (_, nats) = self.addresses(at, "n");
        let (inside, _) = self.addresses(at, "r");
        let name = ["a", "b", "c"][at];
        let mut command = self.command(&at.to_string());
        command
            .arg(env!("CARGO_BIN_EXE_tickwire"))
            .args(["--node", name, "--log", &format!("nats://{nats}:4222")])
            .args(["--store", "none", "--public", "all"])
            .args(MARKET);
        Ok(Node {
            name: name.to_owned(),
            process: Process::start_on(&format!("{inside}:8080"), command).await?,
        })
    }

    async fn nats(&self, folder: &TempDir) -> anyhow::Result<Child> {
        let program = std::env::var_os("NATS_SERVER").map(PathBuf::from);
        let child = self
            .command(NATS)
            .arg(program.context("NATS_SERVER")?)
            .args(["--addr", "0.0.0.0", "--port", "4222", "--jetstream"])
            .arg("--store_dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        Ok(child)
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        let all = [NATS.to_owned()].into_iter();
        for of in all.chain((0..NODES).map(|at| at.to_string())) {
            // Its links go with it.
            let delete = std::process::Command::new("ip")
                .args(["netns", "delete", &self.name(&of)])
                .status();
            if !delete.is_ok_and(|status| status.success()) {
                eprintln!("{} is still there", self.name(&of));
            }
        }
    }
}

/// Links go down and nobody is told: the leader's while its readers reach it, then
/// another server's.
#[tokio::test(flavor = "multi_thread")]
async fn nats_links_go_down() -> anyhow::Result<()> {
    let (networks, folder) = (Networks::new().await?, tempfile::tempdir()?);
    let _nats = networks.nats(&folder).await?;
    let (mut nodes, mut book) = (Vec::new(), Book::default());
    for at in 0..NODES {
        let node = networks.server(at).await?;
        book.watch(&node);
        nodes.push(node);
    }
    book.until(&nodes, "all have shown some", 300).await?;
    let leader = Node::leader(&nodes).await?;
    networks.set(leader, "down").await?;
    let mut others: Vec<_> = nodes.iter().map(|node| &*node.name).collect();
    others.remove(leader);
    let head = book.head();
    book.until_all(&others, "the others go on", head.seq + 500)
        .await?;
    until("it says that nobody leads", async || {
        let node: NodeAnswer = nodes[leader].get("/api/node").await?;
        Ok(node.leader.is_none())
    })
    .await?;
    networks.set(leader, "up").await?;
    let head = book.head();
    book.until(&nodes, "it goes on with the others", head.seq + 500)
        .await?;
    let leader = Node::leader(&nodes).await?;
    let another = (leader + 1) % NODES;
    networks.set(another, "down").await?;
    let head = book.head();
    book.until(
        &nodes[leader..=leader],
        "the leader goes on",
        head.seq + 2_000,
    )
    .await?;
    networks.set(another, "up").await?;
    let head = book.head();
    book.until(&nodes, "all go on", head.seq + 500).await?;
    ensure!(book.epochs() == 1, "another run was begun");
    book.check()
}
