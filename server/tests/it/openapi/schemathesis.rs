//! schemathesis: requests to all operations by their description, good and bad
//! ones. No answer may be an error of the server, or one that is not described.

use anyhow::Context as _;
use testkit::TestServer;
use tokio::process::Command;

const CONFIG: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/openapi/schemathesis.toml"
);
/// How many requests are made up for each operation, unless `EXAMPLES` says so.
/// `cargo xtask proof` makes up more, and others each time.
const EXAMPLES: &str = "10";

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing() -> anyhow::Result<()> {
    let packages = std::env::var_os("SCHEMATHESIS");
    let packages = packages.context("no SCHEMATHESIS: run `cargo xtask test`")?;
    let server = TestServer::start(&["--symbols=BTC-USD,ETH-USD"]).await?;
    // It writes down what it found.
    let folder = tempfile::tempdir()?;
    let mut command = Command::new("python3");
    command
        .env("PYTHONPATH", packages)
        .current_dir(folder.path())
        .args([
            "-m",
            "schemathesis.cli",
            "--config-file",
            CONFIG,
            "run",
            // Python's parser fails now and then when several threads use it.
            "--workers=1",
        ])
        .arg(server.url("/api/openapi.json"));
    match std::env::var("EXAMPLES") {
        Ok(examples) => command.args(["--max-examples", &examples]),
        // The same ones each time: the tests do not fail by chance.
        Err(_) => command.args(["--max-examples", EXAMPLES, "--seed", "7"]),
    };
    let output = command.output().await?;
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{text}\n{errors}");
    server.stop().await
}
