//! How the page looks, in both themes and palettes and on a phone: pictures
//! for people, colours and accessibility for the test.

use e2e::{Browser, Page};
use testkit::TestServer;

use super::{close, open_at};

/// Where the pictures go: below cargo's own folder for tests.
const PICTURES: &str = env!("CARGO_TARGET_TMPDIR");

pub(crate) async fn save(page: &Page, name: &str) -> anyhow::Result<()> {
    page.save_picture(PICTURES.as_ref(), name).await
}

pub(crate) async fn check_accessibility(page: &Page, state: &str) -> anyhow::Result<()> {
    let faults = page.accessibility_faults().await?;
    assert!(faults.is_empty(), "{state}: {faults:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn both_themes_and_both_palettes() -> anyhow::Result<()> {
    let link = "/?chart=BTC-USD&interval=1s&studies=volume,sma5,bollinger5,rsi5";
    let (server, browser, page) = open_at(&["--seed", "7"], link).await?;
    let colour = "return getComputedStyle(document.querySelector('.top .up')).color;";
    let mut colours = Vec::new();
    for (theme, palette) in [
        ("dark", "green"),
        ("dark", "blue"),
        ("light", "blue"),
        ("light", "green"),
    ] {
        let root = "document.documentElement.dataset";
        for (name, key, wanted) in [("Theme", "theme", theme), ("Palette", "palette", palette)] {
            if page.run(&format!("return {root}.{key};")).await? != wanted {
                page.click(&format!("button[aria-label={name}]")).await?;
            }
            page.until(name, &format!("{root}.{key} === '{wanted}'"))
                .await?;
        }
        page.until(
            "bars are drawn",
            r"/last [\d,.]+$/.test(document.querySelector('.chart').getAttribute('aria-label'))",
        )
        .await?;
        colours.push(page.run(colour).await?);
        save(&page, &format!("{theme}-{palette}")).await?;
        check_accessibility(&page, &format!("{theme} {palette}")).await?;
    }
    colours.dedup();
    assert_eq!(
        colours.len(),
        4,
        "each has its own colour for up: {colours:?}"
    );
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn menus_dialog_and_charts_are_accessible() -> anyhow::Result<()> {
    let link = "/?chart=BTC-USD~ETH-USD,AAPL&interval=1s&layout=2";
    let (server, browser, page) = open_at(&["--seed", "7"], link).await?;
    for menu in ["Columns", "Indicators", "Compare", "View"] {
        page.run(&format!(
            "[...document.querySelectorAll('.opens')].find(b => b.textContent === '{menu}').click();"
        ))
        .await?;
        page.until(menu, "document.querySelector('.menu:popover-open')")
            .await?;
        save(&page, &format!("menu-{}", menu.to_lowercase())).await?;
        check_accessibility(&page, menu).await?;
        page.run("document.querySelector('.menu:popover-open').hidePopover();")
            .await?;
    }
    page.press("?").await?;
    page.until("the list of keys", "document.querySelector('dialog').open")
        .await?;
    save(&page, "keys").await?;
    check_accessibility(&page, "keys").await?;
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone() -> anyhow::Result<()> {
    let server = TestServer::start(&["--seed", "7"]).await?;
    let browser = Browser::start_phone(360, 740).await?;
    let page = browser
        .open(&server.url("/?chart=BTC-USD&interval=1s"))
        .await?;
    page.until_live().await?;
    save(&page, "phone").await?;
    check_accessibility(&page, "phone").await?;
    page.run("document.querySelector('.watchlist').scrollIntoView();")
        .await?;
    save(&page, "phone-watchlist").await?;
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_in_the_persons_language() -> anyhow::Result<()> {
    let (server, browser, page) = open_at(&["--seed", "7"], "/").await?;
    for (locale, shape) in [
        ("de-DE", r"/^\d\d\.\d\d\d,\d\d$/"),
        ("en-IN", r"/^\d\d,\d\d\d\.\d\d$/"),
        ("fr-FR", r"/^\d\d\s\d\d\d,\d\d$/"),
    ] {
        let parameters = serde_json::json!({ "locale": locale });
        page.devtools("Emulation.setLocaleOverride", parameters)
            .await?;
        let page = browser.open(&server.url("/")).await?;
        page.until(
            locale,
            &format!("{shape}.test(document.querySelector('tr[data-symbol=BTC-USD] [data-col=last]')?.textContent)"),
        )
        .await?;
        let none = serde_json::json!({});
        page.devtools("Emulation.setLocaleOverride", none).await?;
    }
    close(server, browser).await
}
