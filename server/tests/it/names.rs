//! The names that a store can have: links, and those that mean something else to
//! SQLite.

#![cfg(unix)]

use std::path::Path;
use std::process::Output;

use testkit::{Process, TestServer};
use tokio::process::Command;

/// A server in this folder, with this store.
fn command(folder: &Path, store: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
    command
        .current_dir(folder)
        .args(["--store", store, "--symbols=1"]);
    command
}

async fn refused(folder: &Path, store: &str) -> anyhow::Result<String> {
    let Output { status, stderr, .. } = command(folder, store)
        .args(["--listen", "127.0.0.1:0"])
        .output()
        .await?;
    let text = String::from_utf8(stderr)?;
    assert_eq!(
        (status.code(), text.lines().count()),
        (Some(2), 1),
        "{text}"
    );
    Ok(text)
}

#[tokio::test]
async fn two_names_of_one_file_are_one_store() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("history.db");
    let server = TestServer::start(&[&format!("--store={}", file.display())]).await?;
    std::os::unix::fs::symlink("history.db", folder.path().join("link.db"))?;
    let text = refused(folder.path(), "link.db").await?;
    assert!(text.contains("another server uses it"), "{text}");
    let text = refused(folder.path(), "./history.db").await?;
    assert!(text.contains("another server uses it"), "{text}");
    server.stop().await?;
    std::fs::hard_link(&file, folder.path().join("hard.db"))?;
    let text = refused(folder.path(), "hard.db").await?;
    assert!(text.contains("2 names"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_file_is_the_one_that_was_named() -> anyhow::Result<()> {
    for name in [
        ":memory:",
        "file:x.db",
        "file:y.db?mode=memory",
        "a b%20c.db",
    ] {
        let folder = tempfile::tempdir()?;
        let server = Process::start(command(folder.path(), name)).await?;
        let file = std::fs::read(folder.path().join(name))?;
        assert!(file.starts_with(b"SQLite format 3"), "{name}");
        server.kill().await?;
    }
    Ok(())
}
