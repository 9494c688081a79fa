//! Charts: the candles are the server's, and one can move about in them.

use e2e::Page;
use serde_json::Value;
use shared::CandlesAnswer;
use shared::Decimal;
use testkit::TestServer;

use super::{SAMPLE, close, open, open_at};

/// What the page saves as the chart's data: time, open, high, low, close and
/// volume of each bar.
async fn saved(page: &Page) -> anyhow::Result<Vec<(String, [Decimal; 5])>> {
    page.run(
        "window.saved = null;\
         URL.createObjectURL = blob => { blob.text().then(text => window.saved = text); return 'data:,'; };\
         [...document.querySelectorAll('.menu button')].find(b => b.textContent === 'CSV').click();",
    )
    .await?;
    let text = page.until("the data is saved", "window.saved").await?;
    let mut lines = text.as_str().unwrap_or_default().lines();
    assert_eq!(lines.next(), Some("time,open,high,low,close,volume"));
    let bar = |line: &str| -> anyhow::Result<_> {
        let (time, numbers) = line.split_once(',').unwrap_or_default();
        let numbers: Vec<Decimal> = numbers
            .split(',')
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let numbers = numbers.try_into();
        Ok((
            time.to_owned(),
            numbers.map_err(|_| anyhow::anyhow!("{line}"))?,
        ))
    };
    lines.map(bar).collect()
}

/// How many bars of the page are also the server's, closed, and the same.
async fn compare(
    page: &Page,
    server: &TestServer,
    symbol: &str,
    interval: &str,
) -> anyhow::Result<usize> {
    let bars = saved(page).await?;
    let path = format!("/api/candles?symbol={symbol}&interval={interval}&limit=10000");
    let answer: CandlesAnswer = reqwest::get(server.url(&path)).await?.json().await?;
    let (_, closed) = bars.split_last().unwrap_or((&bars[0], &[]));
    for (time, numbers) in closed {
        let same = answer
            .candles
            .iter()
            .find(|candle| iso(candle.time.micros()) == *time);
        let candle = same.unwrap_or_else(|| panic!("the server has no bar of {time}"));
        let expect = [
            candle.open,
            candle.high,
            candle.low,
            candle.close,
            candle.volume,
        ];
        assert_eq!(*numbers, expect, "{symbol} {interval} {time}");
    }
    Ok(closed.len())
}

/// A day's time of day is enough for bars of one day; the date is the page's.
fn iso(time_us: i64) -> String {
    let seconds = time_us.div_euclid(1_000_000);
    let days = seconds.div_euclid(86_400);
    // Counted down from a known day, year by year and month by month: slow,
    // plain, and not the page's way.
    let (mut year, mut month, mut left) = (1970, 1, days);
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    while left >= 365 + i64::from(leap(year)) {
        left -= 365 + i64::from(leap(year));
        year += 1;
    }
    let lengths = [
        31,
        28 + i64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    for length in lengths {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!(
        "{year}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z",
        left + 1
    )
}

async fn until_bars(page: &Page, count: usize) -> anyhow::Result<()> {
    while saved(page).await?.len() < count {
        let frames = "new Promise(done => setTimeout(done, 200))";
        page.run(&format!("return {frames};")).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn candles_are_the_servers_whatever_brings_them() -> anyhow::Result<()> {
    let (server, browser, page) = open_at(&[], "/?chart=BTC-USD&interval=1s").await?;
    until_bars(&page, 5).await?;
    for transport in ["SSE", "Polling", "WebSocket"] {
        page.choose(transport).await?;
        let before = saved(&page).await?.len();
        until_bars(&page, before + 3).await?;
        let same = compare(&page, &server, "BTC-USD", "1s").await?;
        assert!(same >= before, "{same} bars after {before}");
    }
    page.press("2").await?;
    let name = "document.querySelector('.chart').getAttribute('aria-label')";
    page.until(
        "another interval",
        &format!("{name}.startsWith('BTC-USD, 5s candles, last ')"),
    )
    .await?;
    until_bars(&page, 4).await?;
    assert!(compare(&page, &server, "BTC-USD", "5s").await? >= 3);
    page.press("l").await?;
    page.until(
        "a line",
        &format!("{name}.startsWith('BTC-USD, 5s line, last ')"),
    )
    .await?;
    close(server, browser).await
}

/// How many frames the chart draws in 30 frames of the browser.
const COUNT_DRAWN: &str = "const settle = n => new Promise(done => {\
    const step = () => n-- > 0 ? requestAnimationFrame(step) : done(); step(); });\
    await settle(10);\
    let drawn = 0;\
    const clear = CanvasRenderingContext2D.prototype.clearRect;\
    CanvasRenderingContext2D.prototype.clearRect = function (...place) {\
    if (this.canvas.matches('.chart canvas')) drawn += 1;\
    return clear.apply(this, place);\
    };\
    await settle(30);\
    return drawn;";

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_sees_full_charts() -> anyhow::Result<()> {
    let arguments = ["--past", "on", "--symbols", "5"];
    let (server, browser, page) = open_at(&arguments, "/?interval=1h").await?;
    until_bars(&page, 600).await?;
    for interval in ["1m", "1d"] {
        let page = browser
            .open(&server.url(&format!("/?interval={interval}")))
            .await?;
        page.until(
            "there are rows",
            "document.querySelector('tr[data-symbol]')",
        )
        .await?;
        until_bars(&page, 600).await?;
    }
    // Changes are against the close of the day before.
    let answer = reqwest::get(server.url("/api/snapshot")).await?;
    let answer: shared::SnapshotAnswer = answer.json().await?;
    assert!(answer.symbols.iter().all(|state| state.previous.is_some()));
    browser.close().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn older_candles_come_as_one_scrolls_back() -> anyhow::Result<()> {
    let feed = format!("replay:{SAMPLE}");
    let arguments = ["--feed", &feed, "--speed", "250"];
    let (server, browser, page) = open_at(&arguments, "/?interval=1h").await?;
    let ended = "document.querySelector('[data-stat=state]')?.dataset.value === 'ended'";
    page.until("the replay has ended", ended).await?;
    // Once more, so that all of it is history.
    let page = browser.open(&server.url("/?interval=1h")).await?;
    page.until(
        "there are rows",
        "document.querySelector('tr[data-symbol]')",
    )
    .await?;
    until_bars(&page, 600).await?;
    let live = "document.querySelector('.frame:not([hidden]) .live')";
    assert_eq!(page.run(&format!("return {live}.hidden;")).await?, true);
    let all = reqwest::get(server.url("/api/candles?symbol=SP500-DAILY&interval=1h&limit=10000"));
    let all: CandlesAnswer = all.await?.json().await?;
    assert!(all.candles.len() > 5_000);
    while saved(&page).await?.len() < all.candles.len() {
        page.press("\u{e011}").await?;
    }
    assert_eq!(
        compare(&page, &server, "SP500-DAILY", "1h").await?,
        all.candles.len() - 1
    );
    assert_eq!(page.run(&format!("return {live}.hidden;")).await?, false);
    page.click(".frame:not([hidden]) .live").await?;
    page.until("back to live", &format!("{live}.hidden"))
        .await?;

    // A wheel to the side scrolls as well, and End comes back.
    page.run(
        "document.querySelector('.cross').dispatchEvent(\
             new WheelEvent('wheel', { deltaX: -400, bubbles: true, cancelable: true }));",
    )
    .await?;
    page.until("scrolled away", &format!("!{live}.hidden"))
        .await?;
    page.press("\u{e010}").await?;
    page.until("back to live", &format!("{live}.hidden"))
        .await?;

    // Nothing has changed since: nothing is drawn.
    let drawn = page.run(COUNT_DRAWN).await?;
    assert_eq!(drawn, 0, "frames drawn while nothing changed");
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_carries_the_charts_and_the_browser_keeps_them() -> anyhow::Result<()> {
    let link = "/?chart=BTC-USD~ETH-USD,AAPL,EUR-USD,XAU-USD&interval=1s,5s,1m,1h&layout=4\
        &studies=volume,sma5,rsi14&kind=area&transport=sse";
    let (server, browser, page) = open_at(&[], link).await?;
    let names = "[...document.querySelectorAll('.frame:not([hidden]) .chart')]\
        .map(chart => chart.getAttribute('aria-label').split(', last ')[0]).join('; ')";
    let expect = "BTC-USD, 1s area; AAPL, 5s area; EUR-USD, 1m area; XAU-USD, 1h area";
    page.until("four charts", &format!("{names} === '{expect}'"))
        .await?;
    page.until(
        "the link's transport",
        "document.querySelector('[data-stat=transport]').dataset.value === 'SSE'",
    )
    .await?;
    // Another chart is the active one, and shows another symbol.
    page.run(
        "document.querySelectorAll('.cross')[1].dispatchEvent(\
             new PointerEvent('pointerdown', { bubbles: true, button: 0, pointerId: 1 }));",
    )
    .await?;
    page.until(
        "its symbol is the one in large",
        "document.querySelector('.quote h2').textContent === 'AAPL'",
    )
    .await?;
    page.click("tr[data-symbol=JPM]").await?;
    let expect = expect.replace("AAPL", "JPM");
    page.until("its symbol changes", &format!("{names} === '{expect}'"))
        .await?;
    let address = page.run("return location.search;").await?;
    let address = address.as_str().unwrap_or_default().to_owned();
    assert!(
        address.contains("chart=BTC-USD~ETH-USD,JPM,EUR-USD,XAU-USD&interval=1s,5s,1m,1h"),
        "{address}"
    );

    let page = browser.open(&server.url("/")).await?;
    page.until(
        "the browser has kept them",
        &format!("{names} === '{expect}'"),
    )
    .await?;
    let unknown = browser
        .open(&server.url("/?chart=NO-SUCH,BTC-USD&interval=1s,1s&layout=2"))
        .await?;
    let words = "(line => !line.hidden && line.textContent)(document.querySelector('.missing'))";
    let words = unknown.until("an unknown symbol, in words", words).await?;
    assert_eq!(words, "This server does not have NO-SUCH.Take out");
    let others = "BTC-USD, 1s area; BTC-USD, 1s area";
    unknown
        .until(
            "charts of what there is",
            &format!("{names} === '{others}'"),
        )
        .await?;
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn crosshairs_go_in_step_and_pause_holds_what_is_shown() -> anyhow::Result<()> {
    let (server, browser, page) =
        open_at(&[], "/?chart=BTC-USD,ETH-USD&interval=1s&layout=2").await?;
    until_bars(&page, 3).await?;
    let drawn = |place: usize| {
        format!(
            "(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(b => b > 0))\
             (document.querySelectorAll('.cross')[{place}])"
        )
    };
    assert_eq!(page.run(&format!("return {};", drawn(1))).await?, false);
    page.run(
        "document.querySelectorAll('.cross')[0].dispatchEvent(\
             new PointerEvent('pointermove', { bubbles: true, clientX: 900, clientY: 300, pointerId: 1 }));",
    )
    .await?;
    page.until("a crosshair on the other chart, too", &drawn(1))
        .await?;
    page.press("p").await?;
    let words = "document.querySelector('[data-stat=state]')?.textContent";
    page.until(
        "it says that it is paused",
        &format!("{words} === 'live, simulated, paused'"),
    )
    .await?;
    let last =
        "return document.querySelector('tr[data-symbol=BTC-USD] [data-col=last]').dataset.value;";
    let held = page.run(last).await?;
    let picture = "document.querySelector('.data').toDataURL()";
    let held_picture = page
        .run(&format!("return window.held = {picture};"))
        .await?;
    let before = page.stat("ticks_per_second").await?;
    assert!(before > Some(0.0), "ticks go on coming");
    // Prices of a symbol that trades twenty times a second stand still, also
    // when the rows in view are looked for anew.
    page.run(
        "return new Promise(done => setTimeout(done, 1500)).then(() =>\
             document.querySelectorAll('*').forEach(any => any.dispatchEvent(new Event('scroll'))));",
    )
    .await?;
    assert_eq!(page.run(last).await?, held);
    assert_eq!(page.run(&format!("return {picture};")).await?, held_picture);
    // One can move about in what is held.
    page.run("document.querySelector('[title^=\"Zoom in\"]').click();")
        .await?;
    page.until("the chart is zoomed", &format!("{picture} !== window.held"))
        .await?;
    page.press("p").await?;
    page.until("and goes on", &format!("(() => {{ {last} }})() !== {held}"))
        .await?;
    let missed: Value = page.stat("missed").await?.into();
    assert_eq!(missed, 0.0);
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_is_old_is_said_to_be_old() -> anyhow::Result<()> {
    let feed = format!("replay:{SAMPLE}");
    // A price every six seconds.
    let (server, browser, page) = open(&["--feed", &feed, "--speed", "0.01"]).await?;
    page.until(
        "the age in words",
        "/^Prices are \\d+ s old$/.test(document.querySelector('.old').textContent)",
    )
    .await?;
    let grey = "getComputedStyle(document.querySelector('.chart')).filter";
    assert_eq!(page.run(&format!("return {grey};")).await?, "grayscale(1)");
    close(server, browser).await
}
