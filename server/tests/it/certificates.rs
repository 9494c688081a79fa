//! A webhook over https: whose certificate is to be trusted says the system, or
//! `SSL_CERT_FILE`.

use anyhow::Context as _;
use serde_json::json;
use shared::WebhooksAnswer;
use testkit::{Authority, Process, Tunnel};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::time::{Duration, sleep, timeout};
use tokio_rustls::TlsAcceptor;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tickwire");
const PATIENCE: Duration = Duration::from_secs(60);

/// Answers each request with 200, and tells of it.
async fn serve(listener: TcpListener, acceptor: TlsAcceptor, told: mpsc::UnboundedSender<String>) {
    while let Ok((tcp, _)) = listener.accept().await {
        let (acceptor, told) = (acceptor.clone(), told.clone());
        tokio::spawn(async move {
            let mut tls = acceptor.accept(tcp).await?;
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                let mut part = [0; 4_096];
                let count = tls.read(&mut part).await?;
                anyhow::ensure!(count > 0, "it broke off");
                request.extend_from_slice(&part[..count]);
            }
            tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .await?;
            told.send(String::from_utf8(request)?)?;
            anyhow::Ok(())
        });
    }
}

async fn start(host: &str, variables: &[(&str, &str)]) -> anyhow::Result<Process> {
    let mut command = Command::new(PROGRAM);
    command.envs(variables.iter().copied());
    command.args(["--symbols=BTC-USD", "--store=none"]);
    command.arg(format!("--webhook=https://{host}/hook"));
    let server = Process::start(command).await?;
    let alert = json!({"symbol": "BTC-USD", "above": "0.01", "note": "over https"});
    let made = reqwest::Client::new()
        .post(server.url("/api/alerts"))
        .json(&alert);
    made.send().await?.error_for_status()?;
    Ok(server)
}

#[tokio::test]
async fn a_certificate_is_trusted_that_the_machine_was_told_to_trust() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let host = format!("localhost:{}", address.port());
    let (told, mut requests) = mpsc::unbounded_channel();
    tokio::spawn(serve(listener, authority.acceptor("localhost")?, told));

    let server = start(&host, &[("SSL_CERT_FILE", authority.file()?)]).await?;
    let request = timeout(PATIENCE, requests.recv())
        .await?
        .context("it ended")?;
    assert!(request.starts_with("POST /hook HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(r#""note":"over https""#), "{request}");
    server.kill().await?;

    // Nobody else knows this authority.
    let server = start(&host, &[]).await?;
    let refused = async {
        loop {
            let answer = reqwest::get(server.url("/api/webhooks")).await?;
            let answer: WebhooksAnswer = answer.json().await?;
            let status = answer.webhooks.into_iter().next().context("a webhook")?;
            if status.failing_since.is_some() {
                return anyhow::Ok(status.detail);
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let detail = timeout(PATIENCE, refused).await??;
    assert!(detail.contains("certificate"), "{detail}");
    server.kill().await?;
    Ok(())
}

/// The proxy that the usual variables name is for webhooks, too.
#[tokio::test]
async fn a_webhook_is_told_through_a_proxy() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (told, mut requests) = mpsc::unbounded_channel();
    let acceptor = authority.acceptor("hooks.invalid")?;
    tokio::spawn(serve(listener, acceptor, told));
    let proxy = Tunnel::start("hooks.invalid:443", address, None).await?;
    let url = proxy.url();
    let variables = [("HTTPS_PROXY", &*url), ("SSL_CERT_FILE", authority.file()?)];
    let server = start("hooks.invalid", &variables).await?;
    let request = timeout(PATIENCE, requests.recv())
        .await?
        .context("it ended")?;
    assert!(request.contains("\r\nhost: hooks.invalid\r\n"), "{request}");
    assert_eq!(proxy.taken(), 1);
    server.kill().await
}
