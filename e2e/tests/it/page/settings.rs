//! Settings of two pages that are open side by side, and inputs that were not
//! taken as they were written.

use serde_json::json;

use super::{close, open};

/// The document of the other page, which is in a frame.
const OTHER: &str = "document.querySelector('iframe').contentDocument";

#[tokio::test(flavor = "multi_thread")]
async fn two_pages_do_not_undo_what_the_other_one_sets() -> anyhow::Result<()> {
    let (server, browser, page) = open(&["--symbols", "5"]).await?;
    page.run(
        "const frame = document.createElement('iframe'); frame.src = 'alerts.html';\
         document.body.append(frame);",
    )
    .await?;
    let theme = format!("{OTHER}?.querySelector('button[aria-label=Theme]')");
    // An element of a frame cannot be returned.
    page.until("the other page", &format!("!!{theme}")).await?;
    // What this page shows by now, the other one knows nothing of.
    page.press("l").await?;
    let kept = |name: &str| format!("localStorage.getItem('tickwire.{name}')");
    let is_line = format!("{} === 'line'", kept("kind"));
    page.until("a line is kept", &is_line).await?;
    let before = page
        .run("return document.documentElement.dataset.theme;")
        .await?;
    page.run(&format!("{theme}.click();")).await?;
    let changed = format!("document.documentElement.dataset.theme !== {before}");
    page.until("its theme is this page's, too", &changed)
        .await?;
    assert_eq!(page.run(&format!("return {is_line};")).await?, true);

    // What is back at its default is so on the other page, too.
    let boxes = |document: &str| {
        format!(
            "{document}.querySelector('section[aria-label=\"How to be told\"] label:has(input)')"
        )
    };
    let sound = format!("{}.querySelector('input')", boxes(OTHER));
    page.run(&format!("{sound}.click();")).await?;
    page.until("it is kept", &kept("sound")).await?;
    let alone = browser.open(&server.url("/alerts.html")).await?;
    let own = format!("{}?.querySelector('input')", boxes("document"));
    alone
        .until("the sound is on", &format!("{own}?.checked"))
        .await?;
    alone
        .run(
            "const frame = document.createElement('iframe'); frame.src = 'alerts.html';\
             document.body.append(frame);",
        )
        .await?;
    alone
        .until(
            "the other page",
            &format!("!!{OTHER}?.querySelector('form')"),
        )
        .await?;
    alone.run(&format!("{sound}.click();")).await?;
    alone
        .until("it is off here, too", &format!("!{own}.checked"))
        .await?;
    assert_eq!(
        alone.run(&format!("return {};", kept("sound"))).await?,
        json!(null)
    );
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_show_what_is() -> anyhow::Result<()> {
    let (server, browser, page) = open(&["--symbols", "5"]).await?;
    let field = "document.querySelector('input[aria-label^=\"SMA\"]')";
    let write = |value: &str| {
        format!(
            "{field}.value = '{value}'; {field}.dispatchEvent(new Event('change', {{ bubbles: true }}));"
        )
    };
    page.until("the menu", field).await?;
    for (written, shown) in [
        ("9999", "500"),
        ("9999", "500"),
        ("", "20"),
        ("-1", "20"),
        ("0", "1"),
    ] {
        page.run(&write(written)).await?;
        page.until(
            &format!("{written} is {shown}"),
            &format!("{field}.value === '{shown}'"),
        )
        .await?;
    }
    // An alert that is gone cannot be switched off.
    let client = reqwest::Client::new();
    let alert = json!({"symbol": "BTC-USD", "above": "9999999"});
    let made = client.post(server.url("/api/alerts")).json(&alert);
    made.send().await?.error_for_status()?;
    let page = browser.open(&server.url("/alerts.html")).await?;
    let switch = "document.querySelector('tr[data-alert] input')";
    page.until("its row", switch).await?;
    page.run(
        "const send = window.fetch;\
         window.fetch = (...what) => what[0].method === 'PUT' ? Promise.reject(new TypeError('cut')) : send(...what);",
    )
    .await?;
    page.run(&format!("{switch}.click();")).await?;
    let fault = "[...document.querySelectorAll('.fault')].some(line => line.textContent)";
    page.until("that it did not work", fault).await?;
    page.until("it is still on", &format!("{switch}.checked"))
        .await?;
    close(server, browser).await
}
