//! The comparison from the command line, against what went over the wire.

#![allow(clippy::unwrap_used, reason = "a test that panics fails")]

use serde_json::Value;
use testkit::{Kind, Proxy, TestServer};
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
    let kinds = [Kind::WebSocket, Kind::Sse, Kind::LongPolling, Kind::Polling];
    assert_eq!(outcomes.len(), kinds.len());
    for (outcome, kind) in outcomes.iter().zip(kinds) {
        let truth = proxy.seen(kind);
        let of = |name: &str| outcome[name].as_f64().unwrap();
        assert!(of("ticks") > 0.0 && of("cpu_us") > 0.0, "{outcome}");
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
