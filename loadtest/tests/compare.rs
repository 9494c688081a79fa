//! The comparison from the command line, against what went over the wire.

#![allow(clippy::unwrap_used, reason = "a test that panics fails")]

use serde_json::Value;
use shared::Transport;
use testkit::{Proxy, TestServer};
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn four_transports_are_compared() {
    let server = TestServer::start(&["--symbols", "5", "--rate", "50"])
        .await
        .unwrap();
    let proxy = Proxy::start(server.address()).await.unwrap();
    let mut compare = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    compare.args([
        "compare",
        "--host",
        &proxy.host(),
        "--json",
        "--clients",
        "4",
    ]);
    compare.args(["--duration", "3s", "--interval", "100ms"]);
    let output = compare.output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let outcomes: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let kinds = Transport::ALL.map(Some);
    assert_eq!(outcomes.len(), kinds.len());
    for (outcome, kind) in outcomes.iter().zip(kinds) {
        let truth = proxy.seen(kind);
        let of = |name: &str| outcome[name].as_f64().unwrap();
        assert!(of("ticks") > 0.0 && of("cpu_us") > 0.0, "{outcome}");
        // What is asked at the end has no answer.
        let open = truth.requests as f64 - of("requests");
        assert!((0.0..=4.0).contains(&open), "{truth:?}: {outcome}");
        assert_eq!(of("empty_answers"), truth.empty as f64, "{outcome}");
        for name in ["missed", "repeated", "lost"] {
            assert_eq!(of(name), 0.0, "{name}: {outcome}");
        }
        for (found, truth) in [(of("down_bytes"), truth.down), (of("up_bytes"), truth.up)] {
            let truth = truth as f64;
            assert!(
                (found - truth).abs() <= 0.05 * truth,
                "{truth} bytes: {outcome}"
            );
        }
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_not_allowed_is_refused() {
    for arguments in [
        ["--duration", "soon"],
        ["--duration", "1ms"],
        ["--clients", "0"],
    ] {
        let mut compare = Command::new(env!("CARGO_BIN_EXE_loadtest"));
        let output = compare
            .arg("compare")
            .args(arguments)
            .output()
            .await
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_is_lost_is_no_success() {
    let server = TestServer::start(&[]).await.unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    run.args([
        "run",
        "--host",
        &server.address().to_string(),
        "--symbols",
        "NOPE",
    ]);
    run.args(["--clients", "3", "--duration", "100ms"]);
    let output = run.output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("no symbol 'NOPE'"), "{told}");
    assert!(told.contains("3 clients were lost"), "{told}");
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(table.contains("age p50 (ms)                  –"), "{table}");
    server.stop().await.unwrap();
}
