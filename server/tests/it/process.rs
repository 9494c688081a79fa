//! The server as a process: what it prints, how it ends.

use std::process::Output;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use testkit::Process;
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tickwire");

async fn output(arguments: &[&str]) -> anyhow::Result<Output> {
    Ok(Command::new(PROGRAM).args(arguments).output().await?)
}

/// It ends with code 2 and one line on stderr that has all of `parts`.
async fn check_refused(arguments: &[&str], parts: &[&str]) -> anyhow::Result<()> {
    let output = output(arguments).await?;
    let text = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    for part in parts {
        assert!(text.contains(part), "{text:?} lacks {part:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_is_one_line_and_code_2() -> anyhow::Result<()> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    check_refused(
        &["--listen", &address],
        &["--listen", &address, "in use", "port 0"],
    )
    .await?;
    check_refused(&["--rate", "-1"], &["--rate", "'-1'", "0.001"]).await?;
    check_refused(
        &["--feed", "replay:no-such.csv"],
        &["--feed", "no-such.csv"],
    )
    .await?;
    check_refused(&["--config", "no-such.toml"], &["--config no-such.toml"]).await?;
    check_refused(&["--colour", "red"], &["--colour"]).await?;
    let broken = tempfile::NamedTempFile::new()?;
    std::fs::write(
        &broken,
        "date,open,high,low,close,volume\n2020-01-01,1,4,1,x,5\n",
    )?;
    let path = broken.path();
    let feed = format!("replay:{}", path.display());
    let name = path.file_name().context("a name")?.display();
    check_refused(
        &["--feed", &feed],
        &["--feed", &format!("{name}:2"), "'x' is no number"],
    )
    .await
}

#[tokio::test]
async fn help_and_version_are_no_faults() -> anyhow::Result<()> {
    for flag in ["--help", "--version"] {
        let output = output(&[flag]).await?;
        assert!(output.status.success());
        assert!(!output.stdout.is_empty() && output.stderr.is_empty());
    }
    Ok(())
}

/// A running server and the address that it printed.
async fn start(arguments: &[&str]) -> anyhow::Result<(Child, String)> {
    let mut command = Command::new(PROGRAM);
    command.args(["--store", "none"]).args(arguments);
    let process = Process::start(command).await?;
    Ok((process.child, process.host))
}

#[cfg(unix)]
async fn check_ends_at(signal: &str) -> anyhow::Result<()> {
    // No ticks, so that a long poll waits.
    let (mut child, host) = start(&["--rate", "0.001", "--seed", "1"]).await?;
    let (mut socket, _) = connect_async(format!("ws://{host}/ws?symbols=*")).await?;
    let mut stream = reqwest::get(format!("http://{host}/api/stream")).await?;
    stream.chunk().await?;
    let snapshot = reqwest::get(format!("http://{host}/api/snapshot")).await?;
    let snapshot: shared::SnapshotAnswer = snapshot.json().await?;
    let url = format!(
        "http://{host}/api/ticks?wait_ms=60000&cursor={}",
        snapshot.cursor
    );
    let long_poll = tokio::spawn(reqwest::get(url));
    let polls = r#"tickwire_open{transport="long_poll",encoding="json"} 1"#;
    while !reqwest::get(format!("http://{host}/metrics"))
        .await?
        .text()
        .await?
        .contains(polls)
    {
        tokio::task::yield_now().await;
    }

    let id = child.id().context("it has ended already")?.to_string();
    let began = Instant::now();
    assert!(
        Command::new("kill")
            .args([signal, &id])
            .status()
            .await?
            .success()
    );
    let close = loop {
        // Under `nohup`, a server outlives a hang-up, and this test cannot pass.
        let message = timeout(Duration::from_secs(60), socket.next()).await;
        let message = message.with_context(|| format!("it does not end at {signal}"))?;
        let message = message.context("the socket ended without a close frame")??;
        if let Message::Close(close) = message {
            break close.context("a close frame without a code")?;
        }
    };
    assert_eq!(u16::from(close.code), 1001);
    while stream.chunk().await?.is_some() {}
    let answer: shared::TicksAnswer = long_poll.await??.json().await?;
    assert!(answer.events.is_empty());
    let status = timeout(Duration::from_secs(30), child.wait()).await??;
    assert_eq!(status.code(), Some(0));
    // What is promised is two seconds; this machine may be busy, and the parts
    // that wait are bounded by less than that in the server.
    println!("{signal}: ended after {:?}", began.elapsed());
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_ends_every_connection_properly() -> anyhow::Result<()> {
    check_ends_at("-TERM").await?;
    check_ends_at("-HUP").await?;
    check_ends_at("-INT").await
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_logged_can_be_read_by_machines() -> anyhow::Result<()> {
    use tokio::io::AsyncReadExt as _;
    let bad = Command::new(PROGRAM)
        .env("RUST_LOG", "server=loud")
        .output()
        .await?;
    let text = String::from_utf8(bad.stderr)?;
    assert_eq!(
        (bad.status.code(), text.lines().count()),
        (Some(2), 1),
        "{text}"
    );
    assert!(
        text.contains("RUST_LOG") && text.contains("server=loud"),
        "{text}"
    );

    let mut command = Command::new(PROGRAM);
    // As Kubernetes sets them for a service of that name.
    command
        .env("TICKWIRE_SERVICE_HOST", "10.0.0.1")
        .args([
            "--store",
            "none",
            "--log-format",
            "json",
            "--listen",
            "127.0.0.1:0",
        ])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let mut errors = child.stderr.take().context("stderr")?;
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        line.push(errors.read_u8().await?);
    }
    let line: serde_json::Value = serde_json::from_slice(&line)?;
    let message = line["message"].as_str().context("a message")?;
    assert!(message.contains("TICKWIRE_SERVICE_HOST"), "{message}");
    child.kill().await?;
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn it_listens_where_it_is_told() -> anyhow::Result<()> {
    for place in ["0", "localhost:0", ":0", "[::]:0", "127.0.0.1:0"] {
        let mut command = Command::new(PROGRAM);
        command.args([
            "--store",
            "none",
            "--public",
            "read",
            "--listen",
            place,
            "--listen",
            "127.0.0.1:0",
        ]);
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let output = child.stdout.take().context("stdout")?;
        let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(output));
        let mut urls = Vec::new();
        while let Some(line) = lines.next_line().await? {
            match line.strip_prefix("Tickwire is at ") {
                Some(url) => urls.push(url.to_owned()),
                None if line.starts_with("and at port") => {}
                None => break,
            }
        }
        // What is printed can be opened.
        assert!(urls.len() >= 2, "{place}: {urls:?}");
        for url in urls {
            assert!(!url.contains("0.0.0.0") && !url.contains("[::]"), "{url}");
            let alive = reqwest::get(format!("{url}/healthz")).await?;
            assert_eq!(alive.text().await?, "alive\n", "{url}");
        }
        child.kill().await?;
    }
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn a_client_that_takes_nothing_does_not_hold_up_the_end() -> anyhow::Result<()> {
    use tokio::io::AsyncWriteExt as _;
    let (mut child, host) = start(&["--rate", "200000"]).await?;
    let mut deaf = tokio::net::TcpStream::connect(&host).await?;
    deaf.write_all(b"GET /api/stream HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await?;
    let mut deaf_socket = connect_async(format!("ws://{host}/ws?symbols=*")).await?.0;
    // Until every buffer between the two is full: nothing more is sent for a
    // second, at such a rate.
    let full = |text: &str| {
        let line = text.lines().find(|l| {
            l.starts_with(r#"tickwire_payload_bytes_total{transport="ws",encoding="json"}"#)
        });
        line.and_then(|l| l.rsplit_once(' ')?.1.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let (mut before, mut looks) = (0, 0);
    while looks < 10 {
        let text = reqwest::get(format!("http://{host}/metrics"))
            .await?
            .text()
            .await?;
        let sent = full(&text);
        looks = if sent > 0 && sent == before {
            looks + 1
        } else {
            0
        };
        before = sent;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let id = child.id().context("it has ended already")?.to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .await?
            .success()
    );
    let status = timeout(Duration::from_secs(30), child.wait()).await??;
    assert_eq!(status.code(), Some(0));
    assert!(
        deaf_socket.next().await.is_some(),
        "it was connected all the time"
    );
    Ok(())
}

/// The process may have 128 descriptors: the store, health and metrics have
/// theirs all the same, and whoever gets none is told so.
#[cfg(unix)]
#[tokio::test]
async fn few_descriptors() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let store = format!("--store={}", folder.path().join("history.db").display());
    let mut command = Command::new("bash");
    command.args(["-c", r#"ulimit -n 128; exec "$0" "$@""#, PROGRAM, &store]);
    let server = Process::start(command).await?;
    let mut open = Vec::new();
    for _ in 0..300 {
        open.push(tokio::net::TcpStream::connect(&server.host).await?);
    }
    for _ in 0..20 {
        let alive = reqwest::get(server.url("/healthz")).await?.text().await?;
        assert_eq!(alive, "alive\n");
        let metrics = reqwest::get(server.url("/metrics")).await?.text().await?;
        assert!(metrics.contains("tickwire_store_failing 0\n"), "{metrics}");
    }
    let full = reqwest::get(server.url("/api/time")).await?;
    assert_eq!(full.status(), 503);
    // The store opens files now and then: it goes on saving.
    let saved = async {
        loop {
            let ready = reqwest::get(server.url("/readyz")).await?.text().await?;
            anyhow::ensure!(!ready.contains("cannot save"), "{ready}");
            if ready.contains("is sound") {
                return anyhow::Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(60), saved).await??;
    drop(open);
    let free = async {
        while reqwest::get(server.url("/api/time")).await?.status() != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(())
    };
    timeout(Duration::from_secs(60), free).await??;
    server.kill().await
}

#[tokio::test]
async fn requests_are_logged_if_that_is_asked_for() -> anyhow::Result<()> {
    for (setting, is_logged) in [("--access-log=on", true), ("--access-log=off", false)] {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("log");
        let mut command = Command::new("bash");
        command.args(["-c", r#"exec "$0" "${@:2}" 2> "$1""#, PROGRAM]);
        command
            .arg(&log)
            .args([setting, "--store=none", "--log-format=json"]);
        let server = Process::start(command).await?;
        let asked = reqwest::Client::new()
            .get(server.url("/api/time?x=%22"))
            .header("user-agent", "a\"b")
            .header("authorization", "Bearer not-to-be-logged");
        asked.send().await?;
        server.kill().await?;
        let text = std::fs::read_to_string(&log)?;
        let found = text.lines().find(|line| line.contains("server::access"));
        assert_eq!(found.is_some(), is_logged, "{text}");
        let Some(line) = found else { continue };
        let line: serde_json::Value = serde_json::from_str(line)?;
        assert_eq!(line["client"], "127.0.0.1");
        assert_eq!(line["method"], "GET");
        assert_eq!(line["status"], 200);
        assert!(
            line["agent"]
                .as_str()
                .is_some_and(|agent| agent.contains("a"))
        );
        assert!(!text.contains("not-to-be-logged"), "{text}");
    }
    Ok(())
}
