//! TLS: every transport over it, certificates that change, and clients that
//! speak something else.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use shared::{Chain, ServerMessage, Verdict};
use testkit::TestServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

const PATIENCE: Duration = Duration::from_secs(60);

/// An authority, and the files of a certificate that it signed.
struct Signed {
    authority: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Signed {
    fn new() -> anyhow::Result<Self> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let signed = Self {
            authority,
            folder: tempfile::tempdir()?,
        };
        let (own, key) = signed.sign()?;
        std::fs::write(signed.chain(), own.pem())?;
        std::fs::write(signed.key(), key.serialize_pem())?;
        Ok(signed)
    }

    /// A new certificate with a new key.
    fn sign(&self) -> anyhow::Result<(Certificate, KeyPair)> {
        let key = KeyPair::generate()?;
        let own = CertificateParams::new(vec!["localhost".to_owned()])?;
        Ok((own.signed_by(&key, &self.authority)?, key))
    }

    fn chain(&self) -> PathBuf {
        self.folder.path().join("chain.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    async fn start(&self, arguments: &[&str]) -> anyhow::Result<TestServer> {
        let chain = format!("--tls-cert={}", self.chain().display());
        let key = format!("--tls-key={}", self.key().display());
        let arguments = [&[&*chain, &*key], arguments].concat();
        TestServer::start(&arguments).await
    }

    async fn connect(&self, server: &TestServer) -> anyhow::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tcp = TcpStream::connect(server.address()).await?;
        let name = ServerName::try_from("localhost")?;
        Ok(TlsConnector::from(Arc::new(config))
            .connect(name, tcp)
            .await?)
    }

    /// Sends a request, and reads the whole answer.
    async fn ask(&self, server: &TestServer, request: &str) -> anyhow::Result<String> {
        let mut tls = self.connect(server).await?;
        tls.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        timeout(PATIENCE, tls.read_to_end(&mut answer)).await??;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn what_is_asked_once_is_answered() -> anyhow::Result<()> {
    let signed = Signed::new()?;
    let token = signed.folder.path().join("tokens");
    let (read, write) = ("r".repeat(24), "w".repeat(24));
    std::fs::write(&token, format!("read = \"{read}\"\nwrite = \"{write}\"\n"))?;
    let tokens = format!("--token-file={}", token.display());
    let server = signed.start(&[&tokens]).await?;
    let answer = signed.ask(&server, &get("/healthz")).await?;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    // A long answer comes whole.
    let all = get("/api/symbols").replace(
        "connection",
        &format!("authorization: Bearer {read}\r\nconnection"),
    );
    let answer = signed.ask(&server, &all).await?;
    let (_, body) = answer.split_once("\r\n\r\n").context("a body")?;
    assert!(
        serde_json::from_str::<serde_json::Value>(body).is_ok(),
        "{answer}"
    );
    // The cookie is for encrypted connections only.
    let body = format!("token={read}");
    let form = format!(
        "POST /sign-in HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = signed.ask(&server, &form).await?;
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    assert!(
        answer.contains("; HttpOnly; SameSite=Strict; Secure"),
        "{answer}"
    );
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_read_slowly_loses_nothing() -> anyhow::Result<()> {
    let signed = Signed::new()?;
    let arguments = ["--symbols=200", "--rate=20000", "--log-capacity=5000000"];
    let server = signed.start(&arguments).await?;
    let tls = signed.connect(&server).await?;
    let url = "wss://localhost/ws?symbols=*&encoding=json";
    let (mut socket, _) = client_async(url, tls).await?;
    let (mut chain, mut ticks, mut pings, mut pongs) = (Chain::default(), 0, 0, 0);
    while ticks < 60_000 || pongs < 3 {
        let message = timeout(PATIENCE, socket.next())
            .await?
            .context("it ended")??;
        let Message::Text(text) = message else {
            continue;
        };
        let message: ServerMessage = serde_json::from_str(&text)?;
        assert_eq!(chain.follow(&message), Verdict::Apply);
        match &message {
            ServerMessage::Ticks { ticks: new, .. } => ticks += new.len(),
            ServerMessage::Pong { .. } => pongs += 1,
            _ => {}
        }
        // From time to time so slowly that nothing more can be sent, with a
        // command in between.
        if ticks / 15_000 > pings {
            sleep(Duration::from_millis(1_500)).await;
            let ping = r#"{"op":"ping","client_time":1}"#;
            socket.send(Message::text(ping)).await?;
            pings += 1;
        }
    }
    assert_eq!((chain.missed(), chain.repeated()), (0, 0));
    socket.close(None).await?;
    server.stop().await
}

#[tokio::test]
async fn an_event_stream_begins_at_once() -> anyhow::Result<()> {
    let signed = Signed::new()?;
    let server = signed.start(&[]).await?;
    let mut tls = signed.connect(&server).await?;
    tls.write_all(get("/api/stream?symbols=BTC-USD").as_bytes())
        .await?;
    let mut seen = String::new();
    while seen.matches("event: ticks").count() < 3 {
        let mut part = [0; 4_096];
        let count = timeout(PATIENCE, tls.read(&mut part)).await??;
        anyhow::ensure!(count > 0, "it ended: {seen}");
        seen += &String::from_utf8_lossy(&part[..count]);
    }
    assert!(seen.contains("event: snapshot"), "{seen}");
    server.stop().await
}

#[tokio::test]
async fn who_does_not_speak_tls_is_told_so() -> anyhow::Result<()> {
    let signed = Signed::new()?;
    let server = signed.start(&[]).await?;
    let mut tcp = TcpStream::connect(server.address()).await?;
    tcp.write_all(get("/").as_bytes()).await?;
    let mut answer = String::new();
    timeout(PATIENCE, tcp.read_to_string(&mut answer)).await??;
    let (head, body) = answer.split_once("\r\n\r\n").context("a body")?;
    assert!(head.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(
        head.contains(&format!("content-length: {}", body.len())),
        "{answer}"
    );
    assert!(body.contains("https://"), "{answer}");
    // Noise ends the connection, and harms nobody else.
    let mut tcp = TcpStream::connect(server.address()).await?;
    tcp.write_all(&[22, 3, 1, 0, 5, 1, 2, 3, 4, 5]).await?;
    let mut noise = Vec::new();
    timeout(PATIENCE, tcp.read_to_end(&mut noise)).await??;
    let answer = signed.ask(&server, &get("/healthz")).await?;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    server.stop().await
}

#[tokio::test]
async fn a_new_certificate_is_taken_and_a_broken_one_is_not() -> anyhow::Result<()> {
    let signed = Signed::new()?;
    let server = signed.start(&[]).await?;
    let shown = async || -> anyhow::Result<CertificateDer<'static>> {
        let tls = signed.connect(&server).await?;
        let certificates = tls.get_ref().1.peer_certificates();
        let first = certificates.and_then(|all| all.first());
        Ok(first.context("a certificate")?.clone().into_owned())
    };
    let first = shown().await?;
    // A certificate without its key: that of before stays, whenever the server
    // looks.
    let (second, key) = signed.sign()?;
    std::fs::write(signed.key(), "no key")?;
    std::fs::write(signed.chain(), second.pem())?;
    for _ in 0..70 {
        assert_eq!(shown().await?, first);
        sleep(Duration::from_millis(100)).await;
    }
    std::fs::write(signed.key(), key.serialize_pem())?;
    let taken = async {
        while shown().await? != *second.der() {
            sleep(Duration::from_millis(100)).await;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, taken).await??;
    server.stop().await
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() -> anyhow::Result<()> {
    let (one, other) = (Signed::new()?, Signed::new()?);
    let empty = one.folder.path().join("empty.pem");
    std::fs::write(&empty, "")?;
    let nowhere = Path::new("no-such-folder/x.pem");
    let cases: [(&Path, &Path, &str); 5] = [
        (nowhere, &one.key(), "no-such-folder"),
        (&one.chain(), nowhere, "no-such-folder"),
        (&empty, &one.key(), "empty.pem"),
        (&one.chain(), &empty, "empty.pem"),
        (&one.chain(), &other.key(), "key.pem"),
    ];
    for (chain, key, part) in cases {
        let chain = format!("--tls-cert={}", chain.display());
        let key = format!("--tls-key={}", key.display());
        let refused = TestServer::start(&[&chain, &key]).await;
        let error = refused.err().context("it started")?.to_string();
        assert!(error.contains(part) && error.contains("--tls"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    for alone in ["--tls-cert=x", "--tls-key=x"] {
        let refused = TestServer::start(&[alone]).await;
        let error = refused.err().context("it started")?.to_string();
        assert!(error.contains("needs --tls-"), "{error}");
    }
    Ok(())
}
