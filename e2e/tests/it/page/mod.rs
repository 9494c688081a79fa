//! The page in a real browser, against the real server.

mod alerts;
mod chart;
mod exchanges;
mod looks;
mod machines;
mod many;
mod pace;
mod prices;
mod replay;
mod settings;
mod watchlist;

use std::collections::BTreeMap;

use e2e::{Browser, Page};
use serde_json::Value;
use shared::{Decimal, SnapshotAnswer, Span};
use testkit::TestServer;

const TRANSPORTS: [&str; 4] = ["WebSocket", "SSE", "Long polling", "Polling"];
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/sp500-daily.csv");

/// Waits until every row's last price has changed since now.
async fn until_all_rows_moved(page: &Page, why: &str) -> anyhow::Result<()> {
    page.run(
        "window.moved = new Set();\
         window.watch?.disconnect();\
         window.watch = new MutationObserver(changes => changes.forEach(change => {\
             if (change.target.dataset.col === 'last')\
                 window.moved.add(change.target.closest('tr').dataset.symbol);\
         }));\
         window.watch.observe(document.querySelector('table[aria-label=Watchlist] tbody'),\
             { subtree: true, attributeFilter: ['data-value'] });",
    )
    .await?;
    let rows = "[...document.querySelectorAll('tr[data-symbol]')]";
    let all = format!("{rows}.every(row => window.moved.has(row.dataset.symbol))");
    page.until(why, &all).await?;
    Ok(())
}

async fn open(arguments: &[&str]) -> anyhow::Result<(TestServer, Browser, Page)> {
    open_at(arguments, "/").await
}

async fn open_at(arguments: &[&str], path: &str) -> anyhow::Result<(TestServer, Browser, Page)> {
    // The browser first: a replay does not wait for it.
    let browser = Browser::start(1440, 900).await?;
    let server = TestServer::start(arguments).await?;
    let page = browser.open(&server.url(path)).await?;
    page.until(
        "there are rows",
        "document.querySelector('tr[data-symbol]')",
    )
    .await?;
    Ok((server, browser, page))
}

async fn close(server: TestServer, browser: Browser) -> anyhow::Result<()> {
    browser.close().await?;
    server.stop().await
}

async fn nothing_lost(page: &Page) -> anyhow::Result<()> {
    let counts = (page.stat("missed").await?, page.stat("repeated").await?);
    assert_eq!(counts, (Some(0.0), Some(0.0)), "missed and repeated");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_price_moves() -> anyhow::Result<()> {
    let (server, browser, page) = open(&[]).await?;
    assert_eq!(
        page.text(".watchlist .panel-head .muted").await?,
        "50 of 50"
    );
    until_all_rows_moved(&page, "every price moves").await?;
    let chart = r"/^BTC-USD, 1m candles, last [\d,]+\.\d\d$/";
    let name = "document.querySelector('.chart[role=img]').getAttribute('aria-label')";
    page.until(
        "the chart's name tells the price",
        &format!("{chart}.test({name})"),
    )
    .await?;
    let drawn = "[...document.querySelectorAll('.frame:not([hidden]) canvas.data, canvas[data-spark]')].slice(0, 8)\
        .every(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(b => b > 0))";
    page.until("chart and sparklines are drawn", drawn).await?;
    nothing_lost(&page).await?;
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_transport_brings_prices() -> anyhow::Result<()> {
    let (server, browser, page) = open(&[]).await?;
    for transport in TRANSPORTS.iter().cycle().skip(1).take(4) {
        page.choose(transport).await?;
        let used = format!(
            "document.querySelector('[data-stat=transport]').dataset.value === '{transport}'"
        );
        page.until(transport, &used).await?;
        until_all_rows_moved(&page, transport).await?;
        page.until_live().await?;
        let rate =
            "Number(document.querySelector('[data-stat=requests_per_second]').dataset.value)";
        let polls = transport.contains("olling");
        let expected = if polls {
            format!("{rate} > 0")
        } else {
            format!("{rate} === 0")
        };
        page.until("requests a second", &expected).await?;
        let stats: Value = reqwest::get(server.url("/api/stats")).await?.json().await?;
        let open: Vec<_> = stats["transports"]
            .as_array()
            .into_iter()
            .flatten()
            .collect();
        let name = ["ws", "sse", "long_poll", "poll"]
            [TRANSPORTS.iter().position(|t| t == transport).unwrap_or(0)];
        // In whatever encoding.
        let of = open
            .iter()
            .filter(|t| t["transport"] == name)
            .filter_map(|t| t["ticks"].as_u64());
        assert!(
            of.sum::<u64>() > 0,
            "{transport}: the server sent no ticks over {name}: {stats}"
        );
    }
    nothing_lost(&page).await?;
    assert_eq!(page.stat("reconnects").await?, Some(0.0));
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interval_of_polling_can_be_changed() -> anyhow::Result<()> {
    let (server, browser, page) = open(&[]).await?;
    page.choose("Polling").await?;
    let slider = "document.querySelector('[aria-label=\"Polling interval\"]')";
    let rate = "Number(document.querySelector('[data-stat=requests_per_second]').dataset.value)";
    // Ten a second at most, and more than the one that it was; fewer if the machine is
    // busy.
    page.fill(slider, 0).await?;
    page.until("many requests", &format!("{rate} > 1.5"))
        .await?;
    page.fill(slider, 40).await?;
    page.until("few requests", &format!("{rate} < 1")).await?;
    page.fill(slider, 0).await?;
    page.until(
        "many requests again, before the ten seconds are over",
        &format!("{rate} > 1.5"),
    )
    .await?;
    nothing_lost(&page).await?;
    close(server, browser).await
}

/// The state of the one row, as the server's snapshot has it.
async fn check_row(page: &Page, server: &TestServer) -> anyhow::Result<()> {
    let snapshot: SnapshotAnswer = reqwest::get(server.url("/api/snapshot"))
        .await?
        .json()
        .await?;
    let state = &snapshot.symbols[0];
    for (column, expected) in [
        ("last", state.last),
        ("high", state.high),
        ("low", state.low),
        ("volume", Some(state.volume)),
        ("bid", state.bid),
    ] {
        let cell = format!(
            "return document.querySelector('td[data-col={column}]').dataset.value ?? null;"
        );
        let value = page.run(&cell).await?;
        let value = value.as_str().map(str::parse::<Decimal>).transpose()?;
        assert_eq!(value, expected, "{column}");
    }
    Ok(())
}

/// Notes every trade that is ever on screen, and every last price.
const NOTE_PRICES: &str = "window.trades = new Set(); window.prices = new Set();\
    const note = () => {\
        for (const row of document.querySelectorAll('.tape tbody tr')) {\
            const value = name => row.querySelector(`[data-tape=${name}]`).dataset.value;\
            window.trades.add(`${value('time')} ${value('price')}`);\
        }\
        for (const cell of document.querySelectorAll('tr[data-symbol] :is([data-col=last], [data-col=high], [data-col=low])'))\
            window.prices.add(cell.dataset.value);\
    };\
    new MutationObserver(note).observe(document.querySelector('main'),\
        { subtree: true, childList: true, attributeFilter: ['data-value'] });";

/// Each trade that was noted is within the bar of its day, and each price in one
/// of the bars.
async fn each_price_is_in_its_bar(page: &Page) -> anyhow::Result<()> {
    let bars = bars()?;
    let trades = page.run("return [...window.trades];").await?;
    let trades = trades.as_array().map(Vec::as_slice).unwrap_or_default();
    assert!(
        trades.len() > 1_000,
        "only {} trades were seen",
        trades.len()
    );
    for trade in trades.iter().filter_map(Value::as_str) {
        let (time, price) = trade.split_once(' ').unwrap_or_default();
        let (low, high) = bars[&(time.parse::<i64>()? / Span::DAY.micros())];
        let price: Decimal = price.parse()?;
        assert!(
            low <= price && price <= high,
            "{price} is not between {low} and {high}"
        );
    }
    let prices = page.run("return [...window.prices];").await?;
    for price in prices
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        let price: Decimal = price.parse()?;
        let inside = bars
            .values()
            .any(|(low, high)| *low <= price && price <= *high);
        assert!(inside, "{price} is in no bar of the file");
    }
    println!(
        "{} trades on screen, each within its day's bar",
        trades.len()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn switching_loses_nothing_and_every_price_is_one_of_the_file() -> anyhow::Result<()> {
    let feed = format!("replay:{SAMPLE}");
    let (server, browser, page) = open(&["--feed", &feed, "--speed", "15"]).await?;
    page.run(NOTE_PRICES).await?;
    let ended = "document.querySelector('[data-stat=state]')?.dataset.value === 'ended'";
    let mut switches = 0;
    for transport in TRANSPORTS.iter().cycle().skip(1) {
        page.choose(transport).await?;
        switches += 1;
        let seen = page.run("return window.trades.size;").await?;
        let more = format!("{ended} || window.trades.size > {seen}");
        page.until("the switch brings more trades", &more).await?;
        if page.run(&format!("return {ended};")).await? == true {
            break;
        }
    }
    println!("{switches} switches during the replay");
    // How many there are depends on the machine; each transport had a turn.
    assert!(switches >= TRANSPORTS.len(), "only {switches} switches");
    nothing_lost(&page).await?;
    check_row(&page, &server).await?;

    each_price_is_in_its_bar(&page).await?;
    close(server, browser).await
}

/// Low and high of each day of the sample, by days since the epoch.
fn bars() -> anyhow::Result<BTreeMap<i64, (Decimal, Decimal)>> {
    let file = std::fs::read_to_string(SAMPLE)?;
    let mut bars = BTreeMap::new();
    for line in file.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        bars.insert(
            days_since_epoch(fields[0])?,
            (fields[3].parse()?, fields[2].parse()?),
        );
    }
    Ok(bars)
}

/// Counted year by year and month by month: slow, plain, and not the server's
/// way.
fn days_since_epoch(date: &str) -> anyhow::Result<i64> {
    let parts: Vec<i64> = date.split('-').map(str::parse).collect::<Result<_, _>>()?;
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let years: i64 = (1970..parts[0])
        .map(|year| 365 + i64::from(leap(year)))
        .sum();
    let february = 28 + i64::from(leap(parts[0]));
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let months: i64 = months.iter().take(usize::try_from(parts[1] - 1)?).sum();
    Ok(years + months + parts[2] - 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_is_found_again() -> anyhow::Result<()> {
    let (server, browser, page) = open(&[]).await?;
    let address = server.address();
    for transport in TRANSPORTS {
        page.choose(transport).await?;
        page.until_live().await?;
    }
    server.stop().await?;
    let state = "document.querySelector('[data-stat=state]')";
    let waits = format!(
        "{state}.dataset.value === 'reconnecting' && /reconnecting in \\d+ s/.test({state}.textContent)"
    );
    page.until("the page says when it tries again", &waits)
        .await?;
    let button =
        "[...document.querySelectorAll('button')].some(b => b.textContent === 'Retry now')";
    page.until("a button to retry now", button).await?;
    // Other symbols than before: nothing of the old run may stay.
    let server = TestServer::start_on(address, &["--symbols", "AAPL,NEW-ONE"]).await?;
    page.until_live().await?;
    let symbols = "[...document.querySelectorAll('tr[data-symbol]')].map(r => r.dataset.symbol).join() === 'AAPL,NEW-ONE'";
    page.until("the new catalogue", symbols).await?;
    until_all_rows_moved(&page, "its prices move").await?;
    nothing_lost(&page).await?;
    assert!(page.stat("reconnects").await? >= Some(1.0));
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn search_theme_and_keys() -> anyhow::Result<()> {
    let (server, browser, page) = open(&[]).await?;
    page.press("/").await?;
    page.press("bit").await?;
    let shown =
        "[...document.querySelectorAll('tr[data-symbol]')].map(r => r.dataset.symbol).join()";
    page.until("only Bitcoin is found", &format!("{shown} === 'BTC-USD'"))
        .await?;
    page.press("xyz").await?;
    let nothing = "document.querySelector('.watchlist .empty')?.textContent === \"No symbol matches 'bitxyz'\"";
    page.until("nothing is found, in words", nothing).await?;
    page.press("\u{e00c}").await?;
    let all = "document.querySelector('.watchlist .panel-head .muted').textContent === '50 of 50'";
    page.until("all are back", all).await?;
    page.press("\u{e015}").await?;
    let second = "document.querySelector('tr[aria-current]').dataset.symbol";
    page.until("the next row is shown", &format!("{second} === 'EUR-USD' && document.querySelector('.quote h2').textContent === 'EUR-USD'")).await?;
    page.click("tr[data-symbol=AAPL]").await?;
    page.until(
        "the row that was clicked on",
        &format!("{second} === 'AAPL'"),
    )
    .await?;
    // From Auto to the WebSocket, and on.
    page.press("tt").await?;
    let sse = "[...document.querySelectorAll('[role=radiogroup] label')].find(l => l.textContent === 'SSE').querySelector('input').checked";
    page.until("the next transport", sse).await?;
    let theme = page
        .run("return document.documentElement.dataset.theme;")
        .await?;
    page.press("d").await?;
    let other = format!("document.documentElement.dataset.theme !== {theme}");
    page.until("the other theme", &other).await?;
    let page = browser.open(&server.url("/")).await?;
    page.until_live().await?;
    page.until("the theme is kept", &other).await?;
    page.press("?").await?;
    page.until("the list of keys", "document.querySelector('dialog').open")
        .await?;
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_shows_what_matters() -> anyhow::Result<()> {
    let server = TestServer::start(&[]).await?;
    let browser = Browser::start_phone(360, 740).await?;
    let page = browser.open(&server.url("/")).await?;
    page.until_live().await?;
    assert_eq!(page.run("return window.innerWidth;").await?, 360);
    let columns = "return [...document.querySelectorAll('thead th[data-col]')]\
        .filter(cell => cell.offsetWidth > 0).map(cell => cell.dataset.col).join();";
    assert_eq!(page.run(columns).await?, "symbol,last,change_percent");
    let overflow = "return document.documentElement.scrollWidth - window.innerWidth;";
    assert_eq!(page.run(overflow).await?, 0, "nothing sticks out");
    close(server, browser).await
}
