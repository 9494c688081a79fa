//! The clocks of browser and server, one of them wrong.

use anyhow::Context as _;
use e2e::{Browser, Page};
use shared::Transport;
use testkit::{Nginx, TestServer};

/// How far the page's clock is from the truth, in ms; the page can be told
/// another number at any moment.
const SKEW: &str = "const Real = Date;\
    window.skewMs = Number(new URLSearchParams(location.search).get('skew'));\
    window.Date = class extends Real {\
        constructor(...given) { given.length ? super(...given) : super(Real.now() + window.skewMs); }\
        static now() { return Real.now() + window.skewMs; }\
    };";

/// A proxy that puts that into the page, before anything else.
async fn skewed(server: &TestServer) -> anyhow::Result<Nginx> {
    let upstream = server.address();
    Nginx::start(&format!(
        "location = /skew.js {{ default_type text/javascript; return 200 \"{SKEW}\"; }}\n\
         location / {{ proxy_pass http://{upstream}; proxy_http_version 1.1;\n\
         proxy_set_header Host $http_host; proxy_set_header Upgrade $http_upgrade;\n\
         proxy_set_header Connection $http_connection; proxy_set_header Accept-Encoding '';\n\
         sub_filter '<head>' '<head><script src=\"skew.js\"></script>'; }}"
    ))
    .await
}

/// Waits until the status bar tells this offset, within half a round trip and 5
/// ms, and prices are as young as ever.
async fn until_known(page: &Page, truth_ms: f64, why: &str) -> anyhow::Result<()> {
    let stat = |name: &str| {
        format!("parseFloat(document.querySelector('[data-stat={name}]').dataset.value)")
    };
    let (offset, trip) = (stat("offset_ms"), stat("round_trip_ms"));
    let known = format!("Math.abs({offset} - ({truth_ms})) <= {trip} / 2 + 5");
    let age = stat("age_ms");
    page.until(why, &format!("{known} && {age} < 3000")).await?;
    Ok(())
}

pub(crate) async fn the_servers_time(browser: &Browser, server: &TestServer) -> anyhow::Result<()> {
    let nginx = skewed(server).await?;
    for (transport, skew_ms) in [
        (Transport::WebSocket, 3_600_000),
        (Transport::Sse, -3_600_000),
        (Transport::LongPoll, 90_000),
        (Transport::Poll, -250),
    ] {
        let link = format!("/?transport={transport}&skew={skew_ms}");
        let page = browser.open(&nginx.url(&link)).await?;
        page.until_live().await?;
        let truth_ms = -f64::from(skew_ms);
        let why = format!("{transport} tells a clock that is {skew_ms} ms wrong");
        until_known(&page, truth_ms, &why).await?;
        // The clock is set while the page runs, either way. `until` alone would
        // wait for a minute.
        for stepped_ms in [skew_ms + 3_600_000, skew_ms - 3_600_000] {
            page.run(&format!("window.skewMs = {stepped_ms};")).await?;
            let begun = std::time::Instant::now();
            until_known(&page, -f64::from(stepped_ms), "the clock was set").await?;
            let took = begun.elapsed();
            assert!(took.as_secs() < 10, "{transport}: noticed after {took:?}");
            page.until_live().await?;
        }
    }
    let words = browser
        .open(&nginx.url("/?skew=3600000"))
        .await?
        .until(
            "a wrong clock is told in words",
            "document.querySelector('[data-stat=offset_ms]')?.textContent || null",
        )
        .await?;
    // Or the page would look for a proxy that has gone.
    browser.open("about:blank").await?;
    let words = words.as_str().context("no words")?;
    assert!(words.starts_with("this computer's clock is 3"), "{words}");
    assert!(words.ends_with(" s ahead"), "{words}");
    Ok(())
}
