//! Whoever is told of alerts, and those who are hard to tell.

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use shared::{Alert, FiredAnswer, Firing, WebhookStatus, WebhooksAnswer};
use testkit::TestServer;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Duration, sleep, timeout};

/// A request that came.
#[derive(Debug)]
struct Request {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Request {
    fn firing(&self) -> Firing {
        serde_json::from_slice(&self.body).expect("a firing")
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What it is answered, by the number of the request, from 0.
type Answers = dyn Fn(usize, &Request) -> Option<Response> + Send + Sync;

/// A program that is told of alerts.
struct Receiver {
    address: String,
    requests: mpsc::UnboundedReceiver<Request>,
    open: Arc<Open>,
    running: JoinHandle<()>,
}

/// How many requests have no answer yet, and at most had none.
#[derive(Default)]
struct Open {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// A request that has no answer yet, and whose sender still waits.
struct Waits(Arc<Open>);

impl Waits {
    fn new(open: &Arc<Open>) -> Self {
        let now = 1 + open.now.fetch_add(1, Ordering::Relaxed);
        open.most.fetch_max(now, Ordering::Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Receiver {
    /// One that answers so; to `None`, never.
    async fn start(
        answer: impl Fn(usize, &Request) -> Option<Response> + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let (sender, requests) = mpsc::unbounded_channel();
        let answer: Arc<Answers> = Arc::new(answer);
        let count = Arc::new(AtomicUsize::new(0));
        let open = Arc::<Open>::default();
        let opened = Arc::clone(&open);
        let handler =
            async move |State(()): State<()>, uri: Uri, headers: HeaderMap, body: Bytes| {
                let _waits = Waits::new(&opened);
                let path = uri.to_string();
                let request = Request {
                    path,
                    headers,
                    body,
                };
                let answer = answer(count.fetch_add(1, Ordering::Relaxed), &request);
                // Nobody may listen any more.
                let _ = sender.send(request);
                match answer {
                    Some(answer) => answer,
                    None => pending().await,
                }
            };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let router = Router::new().fallback(handler);
        let running = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            requests,
            open,
            running,
        })
    }

    async fn next(&mut self) -> anyhow::Result<Request> {
        let request = timeout(Duration::from_secs(60), self.requests.recv()).await;
        request
            .context("nothing came in a minute")?
            .context("it ended")
    }
}

fn ok() -> Option<Response> {
    Some(StatusCode::OK.into_response())
}

fn to(status: u16, place: &str) -> Option<Response> {
    let status = StatusCode::from_u16(status).expect("a status");
    Some((status, [("location", place.to_owned())]).into_response())
}

/// Makes an alert that fires at the next tick.
async fn alert(server: &TestServer, note: &str) -> anyhow::Result<Alert> {
    let body = json!({"symbol": "BTC-USD", "above": "0.01", "note": note});
    let made = reqwest::Client::new()
        .post(server.url("/api/alerts"))
        .json(&body);
    Ok(made.send().await?.error_for_status()?.json().await?)
}

async fn status(server: &TestServer) -> anyhow::Result<Vec<WebhookStatus>> {
    let answer = reqwest::get(server.url("/api/webhooks")).await?;
    let answer: WebhooksAnswer = answer.error_for_status()?.json().await?;
    Ok(answer.webhooks)
}

async fn until_status(
    server: &TestServer,
    is_so: impl Fn(&[WebhookStatus]) -> bool,
) -> anyhow::Result<Vec<WebhookStatus>> {
    let found = async {
        loop {
            let status = status(server).await?;
            if is_so(&status) {
                return anyhow::Ok(status);
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(60), found)
        .await
        .context("not in a minute")?
}

async fn start(webhooks: &[&str], more: &[&str]) -> anyhow::Result<TestServer> {
    let webhooks: Vec<_> = webhooks
        .iter()
        .map(|url| format!("--webhook={url}"))
        .collect();
    let webhooks = webhooks.iter().map(String::as_str);
    let arguments = ["--symbols=BTC-USD", "--rate=2000"].into_iter();
    let arguments: Vec<_> = arguments
        .chain(webhooks)
        .chain(more.iter().copied())
        .collect();
    TestServer::start(&arguments).await
}

#[tokio::test]
async fn it_is_told_again_until_it_takes_it() -> anyhow::Result<()> {
    let mut receiver = Receiver::start(|number, _| match number {
        0 => Some(StatusCode::TOO_MANY_REQUESTS.into_response()),
        1 => Some(StatusCode::BAD_GATEWAY.into_response()),
        _ => ok(),
    })
    .await?;
    let server = start(&[&format!("http://{}/secret", receiver.address)], &[]).await?;
    let alert = alert(&server, "up").await?;
    receiver.next().await?;
    receiver.next().await?;
    let request = receiver.next().await?;
    assert_eq!(request.path, "/secret");
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("x-tickwire-signature"), None);
    let firing = request.firing();
    assert_eq!(
        (firing.id, firing.count, firing.note.as_str()),
        (alert.id, 1, "up")
    );
    let well = until_status(&server, |all| all[0].taken == 1).await?;
    assert_eq!((well[0].waiting, well[0].failing_since), (0, None));
    assert_eq!(well[0].receiver, "127.0.0.1", "the rest may be a secret");
    let fired = reqwest::get(server.url("/api/alerts/fired")).await?;
    let fired: FiredAnswer = fired.json().await?;
    assert_eq!(fired.fired, [firing]);
    server.stop().await
}

#[tokio::test]
async fn its_name_and_password_a_body_and_a_signature_are_sent() -> anyhow::Result<()> {
    let mut receiver = Receiver::start(|_, _| ok()).await?;
    let url = format!("http://me:p%40ss@{}/hook", receiver.address);
    let template = r#"--webhook-template={"content":"{{text}}","n":1}"#;
    let server = start(
        &[&url],
        &[template, "--webhook-secret=It's a Secret to Everybody"],
    )
    .await?;
    alert(&server, "a \"note\"").await?;
    let request = receiver.next().await?;
    // me:p@ss
    assert_eq!(request.header("authorization"), Some("Basic bWU6cEBzcw=="));
    let body: serde_json::Value = serde_json::from_slice(&request.body)?;
    let text = body["content"].as_str().context("a text")?;
    assert!(text.starts_with("BTC-USD is above 0.01, at "), "{text}");
    assert!(text.ends_with(": a \"note\""), "{text}");
    assert_eq!(body["n"], 1);
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"It's a Secret to Everybody");
    let signature = request.header("x-tickwire-signature").context("signed")?;
    let signature = signature.strip_prefix("sha256=").context("sha256")?;
    let digits = signature
        .as_bytes()
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap());
    let signature: Vec<_> = digits.collect();
    assert!(ring::hmac::verify(&key, &request.body, &signature).is_ok());
    server.stop().await
}

#[tokio::test]
async fn it_is_followed_on_its_host_and_nowhere_else() -> anyhow::Result<()> {
    let mut receiver = Receiver::start(|_, request| match request.path.as_str() {
        "/307" => to(307, "/308?x=1"),
        "/308?x=1" => to(308, "end"),
        "/301" => to(301, "/end"),
        "/other" => to(307, "http://localhost:1/end"),
        "/circle" => to(308, "/circle"),
        _ => ok(),
    })
    .await?;
    let url = |path: &str| format!("http://me:secret@{}{path}", receiver.address);
    let server = start(&[&url("/307")], &[]).await?;
    let made = alert(&server, "").await?;
    for path in ["/307", "/308?x=1", "/end"] {
        let request = receiver.next().await?;
        assert_eq!(request.path, path);
        assert_eq!(request.firing().id, made.id);
        assert_eq!(request.header("authorization"), Some("Basic bWU6c2VjcmV0"));
    }
    server.stop().await?;

    for (path, times, words) in [
        (
            "/301",
            1,
            "it answered 301 Moved Permanently, which sends the request on to 127.0.0.1",
        ),
        (
            "/other",
            1,
            "it answered 307 Temporary Redirect, which sends the request on to localhost",
        ),
        ("/circle", 4, "it sends requests on, more than 3 times"),
    ] {
        let url = format!("http://me:secret@{}{path}", receiver.address);
        let server = start(&[&url], &[]).await?;
        alert(&server, "").await?;
        for _ in 0..times {
            assert_eq!(receiver.next().await?.path, path);
        }
        let refused = until_status(&server, |all| all[0].given_up == 1).await?;
        assert!(refused[0].detail.starts_with(words), "{refused:?}");
        assert_eq!(refused[0].waiting, 0, "once is enough");
        server.stop().await?;
        assert!(receiver.requests.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn one_that_hangs_or_refuses_holds_up_nobody() -> anyhow::Result<()> {
    let mut slow = Receiver::start(|_, request| match request.firing().note.as_str() {
        "hang" => None,
        "no" => Some(StatusCode::GONE.into_response()),
        _ => ok(),
    })
    .await?;
    let mut hung = Receiver::start(|_, _| None).await?;
    let urls = [&hung, &slow].map(|receiver| format!("http://{}/", receiver.address));
    let server = start(&[&urls[0], &urls[1]], &[]).await?;
    for note in ["hang", "no", "1", "2", "3", "4", "5", "6"] {
        alert(&server, note).await?;
    }
    // One that hangs is tried again sooner or later; the others come once.
    let mut notes = BTreeSet::new();
    while notes.len() < 8 {
        let note = slow.next().await?.firing().note;
        assert!(notes.insert(note.clone()) || note == "hang", "{note} again");
    }
    for _ in 0..4 {
        hung.next().await?;
    }
    let most = hung.open.most.load(Ordering::Relaxed);
    assert_eq!(most, 4, "so many at once");
    let status = until_status(&server, |all| all[1].taken == 6).await?;
    let names: Vec<_> = status
        .iter()
        .map(|webhook| webhook.receiver.as_str())
        .collect();
    assert_eq!(names, ["127.0.0.1", "127.0.0.1 (2)"]);
    assert_eq!((status[0].waiting, status[0].taken), (8, 0));
    assert_eq!((status[1].waiting, status[1].given_up), (1, 1));
    let metrics = reqwest::get(server.url("/metrics")).await?.text().await?;
    for line in [
        r#"tickwire_webhook_waiting{receiver="127.0.0.1"} 8"#,
        r#"tickwire_webhook_taken_total{receiver="127.0.0.1 (2)"} 6"#,
        r#"tickwire_webhook_given_up_total{receiver="127.0.0.1 (2)"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    server.stop().await
}

#[tokio::test]
async fn what_was_not_told_is_told_by_the_next_run() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let store = format!("--store={}", folder.path().join("a.db").display());
    let is_well = Arc::new(AtomicBool::new(false));
    let is_so = Arc::clone(&is_well);
    let answer = move |_, request: &Request| {
        let hangs = request.firing().note == "one" && !is_so.load(Ordering::Relaxed);
        if hangs { None } else { ok() }
    };
    let mut receiver = Receiver::start(answer).await?;
    let url = format!("http://{}/", receiver.address);
    // Nobody is there, and with the other the first one hangs.
    let gone = TcpListener::bind("127.0.0.1:0").await?;
    let nobody = format!("http://{}/", gone.local_addr()?);
    drop(gone);
    let server = start(&[&nobody, &url], &[&store]).await?;
    let one = alert(&server, "one").await?;
    assert_eq!(receiver.next().await?.firing().id, one.id);
    let two = alert(&server, "two").await?;
    assert_eq!(receiver.next().await?.firing().id, two.id);
    until_status(&server, |all| {
        all[1].taken == 1 && !all[0].detail.is_empty()
    })
    .await?;
    server.stop().await?;
    while receiver.requests.try_recv().is_ok() {}
    is_well.store(true, Ordering::Relaxed);

    let server = start(&[&nobody, &url], &[&store]).await?;
    let again = receiver.next().await?.firing();
    assert_eq!((again.id, again.note.as_str()), (one.id, "one"));
    let status = until_status(&server, |all| all[1].taken == 1).await?;
    assert_eq!((status[0].waiting, status[1].waiting), (2, 0));
    server.stop().await?;

    // Nothing comes twice.
    let server = start(&[&nobody, &url], &[&store]).await?;
    let status = status_of_a_new_run(&server).await?;
    assert_eq!((status[0].waiting, status[1].waiting), (2, 0));
    server.stop().await?;
    receiver.running.abort();
    assert!(receiver.requests.is_empty());
    Ok(())
}

async fn status_of_a_new_run(server: &TestServer) -> anyhow::Result<Vec<WebhookStatus>> {
    let status = status(server).await?;
    assert_eq!(status[1].taken, 0);
    Ok(status)
}
