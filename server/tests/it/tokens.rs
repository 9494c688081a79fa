//! Who may do what: tokens, cookies, and what everybody may.

use std::io::Write as _;

use anyhow::Context as _;
use reqwest::header::{AUTHORIZATION, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Client, Method, StatusCode, redirect};
use serde_json::{Value, json};
use testkit::TestServer;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

const READ: &str = "read-read-read-read-read";
const WRITE: &str = "write_write_write_write_1";
const ALERTS: &str = "/api/alerts";

struct Tried {
    server: TestServer,
    client: Client,
}

impl Tried {
    async fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let server = TestServer::start(arguments).await?;
        let client = Client::builder().redirect(redirect::Policy::none());
        Ok(Self {
            server,
            client: client.build()?,
        })
    }

    fn ask(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, self.server.url(path))
    }

    /// The statuses of reading and of changing with this header.
    async fn rights(&self, header: Option<(&str, &str)>) -> anyhow::Result<[u16; 2]> {
        let alert = json!({"symbol": "BTC-USD", "above": "1"});
        let reads = self.ask(Method::GET, "/api/snapshot");
        let changes = self.ask(Method::POST, ALERTS).json(&alert);
        let mut statuses = [0; 2];
        for (status, request) in statuses.iter_mut().zip([reads, changes]) {
            let request = match header {
                Some((name, value)) => request.header(name, value),
                None => request,
            };
            *status = request.send().await?.status().as_u16();
        }
        Ok(statuses)
    }

    /// The status of a WebSocket handshake with these subprotocols.
    async fn handshake(&self, protocols: &str) -> anyhow::Result<(u16, Option<String>)> {
        let url = self.server.url("/ws?symbols=*").replace("http", "ws");
        let mut request = url.into_client_request()?;
        if !protocols.is_empty() {
            let headers = request.headers_mut();
            headers.insert("sec-websocket-protocol", protocols.parse()?);
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((_, response)) => {
                let chosen = response.headers().get("sec-websocket-protocol");
                let chosen = chosen
                    .and_then(|name| name.to_str().ok())
                    .map(str::to_owned);
                Ok((response.status().as_u16(), chosen))
            }
            Err(tungstenite::Error::Http(response)) => Ok((response.status().as_u16(), None)),
            Err(error) => Err(error.into()),
        }
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.server.stop().await
    }
}

fn token_file() -> anyhow::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new()?;
    write!(file, "read = \"{READ}\"\nwrite = \"{WRITE}\"\n")?;
    Ok(file)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn tokens_say_who_may_do_what() -> anyhow::Result<()> {
    let file = token_file()?;
    let path = file.path().to_str().context("a path")?;
    for (arguments, nothing) in [
        (vec!["--token-file", path], [401, 401]),
        (vec!["--token-file", path, "--public", "read"], [200, 401]),
        (vec!["--public", "read"], [200, 403]),
        (vec!["--public", "all"], [200, 201]),
        (vec![], [200, 201]),
    ] {
        let tried = Tried::start(&arguments).await?;
        let of = |name, value: &str| {
            let value = value.to_owned();
            let tried = &tried;
            async move { tried.rights(Some((name, &value))).await }
        };
        assert_eq!(tried.rights(None).await?, nothing, "{arguments:?}");
        if arguments.first() == Some(&"--token-file") {
            let authorization = AUTHORIZATION.as_str();
            assert_eq!(of(authorization, &bearer(READ)).await?, [200, 403]);
            assert_eq!(of(authorization, &bearer(WRITE)).await?, [200, 201]);
            assert_eq!(of(authorization, &bearer("wrong")).await?, [401, 401]);
            assert_eq!(of("cookie", "tickwire=wrong").await?, nothing);
        }
        tried.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_websocket_takes_a_token_too() -> anyhow::Result<()> {
    let file = token_file()?;
    let tried = Tried::start(&["--token-file", file.path().to_str().context("a path")?]).await?;
    assert_eq!(tried.handshake("").await?, (401, None));
    assert_eq!(tried.handshake("tickwire.token.wrong").await?, (401, None));
    let both = format!("tickwire.bin.v1, tickwire.token.{READ}");
    let chosen = Some("tickwire.bin.v1".to_owned());
    assert_eq!(tried.handshake(&both).await?, (101, chosen));
    tried.stop().await
}

#[tokio::test]
async fn a_person_signs_in_once() -> anyhow::Result<()> {
    let file = token_file()?;
    let tried = Tried::start(&["--token-file", file.path().to_str().context("a path")?]).await?;
    for document in ["/", "/lab.html", "/no-such.html"] {
        let asked = tried.ask(Method::GET, document).send().await?;
        assert_eq!(asked.status(), StatusCode::UNAUTHORIZED, "{document}");
        assert!(asked.text().await?.contains("action=\"sign-in\""));
    }
    let sign_in = |token: &str| {
        tried
            .ask(Method::POST, "/sign-in")
            .form(&[("token", token)])
    };
    let wrong = sign_in("wrong").send().await?;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    assert!(wrong.headers().get(SET_COOKIE).is_none());
    assert!(wrong.text().await?.contains("not one of this server"));
    for (token, rights, scheme) in [(READ, [200, 403], "http"), (WRITE, [200, 201], "https")] {
        let request = sign_in(token).header("x-forwarded-proto", scheme);
        let signed_in = request.send().await?;
        assert_eq!(signed_in.status(), StatusCode::SEE_OTHER);
        assert_eq!(signed_in.headers()[LOCATION], "./");
        let cookie = signed_in.headers()[SET_COOKIE].to_str()?;
        let (pair, attributes) = cookie.split_once("; ").context("no attributes")?;
        let secure = if scheme == "https" { "; Secure" } else { "" };
        assert_eq!(
            attributes,
            format!("Path=/; Max-Age=7776000; HttpOnly; SameSite=Strict{secure}")
        );
        assert!(!cookie.contains(token));
        assert_eq!(tried.rights(Some((COOKIE.as_str(), pair))).await?, rights);
    }
    tried.stop().await
}

#[tokio::test]
async fn what_is_refused_says_why() -> anyhow::Result<()> {
    let file = token_file()?;
    let tried = Tried::start(&["--token-file", file.path().to_str().context("a path")?]).await?;
    let nothing = tried.ask(Method::GET, ALERTS).send().await?;
    assert_eq!(nothing.headers()["www-authenticate"], "Bearer");
    let body: Value = nothing.json().await?;
    assert_eq!(body["code"], "unauthorized");
    let reader = tried.ask(Method::DELETE, "/api/alerts/1");
    let reader = reader.bearer_auth(READ).send().await?;
    let body: Value = reader.json().await?;
    assert_eq!(
        body,
        json!({"code": "forbidden", "message": "to change something takes the write token"})
    );
    for open in ["/healthz", "/readyz", "/api/none", "/none.js"] {
        let status = tried.ask(Method::GET, open).send().await?.status();
        assert_ne!(status, StatusCode::UNAUTHORIZED, "{open}");
    }
    for closed in [
        "/metrics",
        "/api/docs/",
        "/api/openapi.json",
        "/api/stream",
        "/ws/echo",
    ] {
        let status = tried.ask(Method::GET, closed).send().await?.status();
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{closed}");
    }
    tried.stop().await
}

#[tokio::test]
async fn every_answer_tells_browsers_what_they_may() -> anyhow::Result<()> {
    let tried = Tried::start(&["--allow-origin", "https://friend.example"]).await?;
    for path in [
        "/",
        "/none",
        "/api/snapshot",
        "/api/snapshot?symbols=none",
        "/metrics",
    ] {
        let answer = tried.ask(Method::GET, path).send().await?;
        let headers = answer.headers();
        let policy = headers["content-security-policy"].to_str()?;
        assert!(policy.contains("frame-ancestors 'self'"), "{path}");
        assert!(!policy.contains("unsafe-inline"), "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert_eq!(
            headers["cross-origin-resource-policy"], "same-origin",
            "{path}"
        );
    }
    let from = |origin: &'static str| {
        tried
            .ask(Method::GET, "/api/snapshot")
            .header(ORIGIN, origin)
    };
    let friend = from("https://friend.example").send().await?;
    assert_eq!(
        friend.headers()["access-control-allow-origin"],
        "https://friend.example"
    );
    let other = from("https://evil.example").send().await?;
    assert!(other.headers().get("access-control-allow-origin").is_none());
    let before = tried.ask(Method::OPTIONS, ALERTS);
    let before = before
        .header(ORIGIN, "https://friend.example")
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "authorization,if-match");
    let before = before.send().await?;
    assert!(before.status().is_success());
    let methods = before.headers()["access-control-allow-methods"].to_str();
    assert!(methods?.contains("PUT"));
    tried.stop().await
}
