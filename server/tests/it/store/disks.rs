//! Disks that are full, that hang, that fail, that are read-only or gone: real
//! ones, or calls of the system that behave like them.

use std::path::{Path, PathBuf};

use shared::TicksAnswer;
use testkit::Process;
use tokio::process::Command;

use super::{Folder, PROGRAM, get, in_time, until_ready_says};

/// Waits until the log has so many entries more.
async fn goes_on(server: &Process, entries: u64) -> anyhow::Result<()> {
    let head = async || -> anyhow::Result<u64> {
        let answer = get(server.url("/api/ticks")).await?;
        Ok(answer.json::<TicksAnswer>().await?.cursor.seq)
    };
    let end = head().await? + entries;
    let waited = async {
        while head().await? < end {
            tokio::time::sleep(super::LOOK_AGAIN).await;
        }
        Ok(())
    };
    in_time("the market goes on", waited).await
}

/// A command in a file system of its own.
fn in_namespace(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args([
        "--user",
        "--map-root-user",
        "--mount",
        "bash",
        "-ec",
        script,
    ]);
    command
}

#[tokio::test]
async fn disk_that_is_full_and_has_room_again() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let room = folder.0.path().join("make-room");
    // A small disk in memory, most of which is taken.
    let script = r#"
        mount -t tmpfs -o size=8m none "$1"
        head -c 6m /dev/zero > "$1/filler"
        (while [ ! -e "$2" ] && kill -0 $$; do sleep 0.1; done; rm "$1/filler") &
        exec "$0" --store="$1/history.db" "${@:3}""#;
    let disk = tempfile::tempdir()?;
    let mut command = in_namespace(script);
    command.arg(PROGRAM).arg(disk.path()).arg(&room);
    command.args(["--symbols=1000", "--rate=20000"]);
    let server = Process::start(command).await?;
    let text = until_ready_says(server.url("/readyz"), "cannot save").await?;
    assert!(
        text.contains("full") && text.starts_with("ready\n"),
        "{text}"
    );
    goes_on(&server, 2_000).await?;
    std::fs::write(&room, "")?;
    until_ready_says(server.url("/readyz"), "saved").await?;
    server.kill().await
}

#[tokio::test]
async fn disk_that_is_read_only() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let script = r#"
        mount --bind "$1" "$1"
        mount -o remount,ro,bind "$1"
        exec "$0" --store="$1/history.db" --listen=127.0.0.1:0"#;
    let mut command = in_namespace(script);
    let output = command.arg(PROGRAM).arg(folder.0.path()).output().await?;
    let text = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.contains("history.db") && text.contains("Read-only"),
        "{text}"
    );
    Ok(())
}

/// Compiles the library that stands between SQLite and the system.
fn shim(folder: &Path) -> anyhow::Result<PathBuf> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/store/shim.c");
    let library = folder.join("shim.so");
    // There is a compiler of C: SQLite was compiled with it.
    let mut compile = std::process::Command::new("cc");
    compile
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library);
    let status = compile.args([source, "-ldl"]).status()?;
    anyhow::ensure!(status.success(), "cc: {status}");
    Ok(library)
}

/// A server whose disk does what is in this file.
async fn with_control(folder: &Folder) -> anyhow::Result<(Process, PathBuf)> {
    let control = folder.0.path().join("control");
    let mut command = Command::new(PROGRAM);
    command
        .env("LD_PRELOAD", shim(folder.0.path())?)
        .env("DISK_CONTROL", &control)
        .args([&*folder.argument(), "--symbols=5"]);
    let server = Process::start(command).await?;
    until_ready_says(server.url("/readyz"), "saved").await?;
    Ok((server, control))
}

#[tokio::test]
async fn disk_that_hangs() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let (server, control) = with_control(&folder).await?;
    std::fs::write(&control, "0")?;
    goes_on(&server, 10_000).await?;
    std::fs::remove_file(&control)?;
    let text = until_ready_says(server.url("/readyz"), "saved 0.").await?;
    assert!(text.contains(" 0 candles lost"), "{text}");
    server.kill().await
}

#[tokio::test]
async fn disk_that_fails() -> anyhow::Result<()> {
    // EIO, EROFS, ENOSPC.
    for error in ["5", "30", "28"] {
        let folder = Folder::new()?;
        let (server, control) = with_control(&folder).await?;
        std::fs::write(&control, error)?;
        let text = until_ready_says(server.url("/readyz"), "cannot save").await?;
        assert!(text.starts_with("ready\n"), "{text}");
        goes_on(&server, 2_000).await?;
        std::fs::remove_file(&control)?;
        let text = until_ready_says(server.url("/readyz"), "saved").await?;
        assert!(text.contains(" 0 candles lost"), "{error}: {text}");
        server.kill().await?;
        let check = "PRAGMA integrity_check";
        let check: String = folder.open()?.query_row(check, (), |row| row.get(0))?;
        assert_eq!(check, "ok", "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn disk_that_is_gone() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let mut command = Command::new(PROGRAM);
    command.args([&*folder.argument(), "--symbols=2"]);
    let server = Process::start(command).await?;
    until_ready_says(server.url("/readyz"), "saved").await?;
    std::fs::rename(folder.file(), folder.0.path().join("moved.db"))?;
    let text = until_ready_says(server.url("/readyz"), "moved or deleted").await?;
    assert!(text.starts_with("ready\n"), "{text}");
    goes_on(&server, 2_000).await?;
    std::fs::rename(folder.0.path().join("moved.db"), folder.file())?;
    until_ready_says(server.url("/readyz"), "saved").await?;
    server.kill().await
}
