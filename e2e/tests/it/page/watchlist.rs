//! The watchlist: thousands of symbols, sorted, chosen and kept.

use super::{close, open, open_at};

const ROWS: &str = "[...document.querySelectorAll('tr[data-symbol]')]";

#[tokio::test(flavor = "multi_thread")]
async fn of_five_thousand_rows_only_those_seen_are_in_the_page() -> anyhow::Result<()> {
    let (server, browser, page) = open(&["--symbols", "5000", "--rate", "5000"]).await?;
    let few = format!("{ROWS}.length > 10 && {ROWS}.length < 60");
    page.until("only rows in view", &few).await?;
    let count =
        "document.querySelector('table[aria-label=Watchlist]').getAttribute('aria-rowcount')";
    assert_eq!(page.run(&format!("return {count};")).await?, "5001");
    page.run("const s = document.querySelector('.scroll'); s.scrollTop = s.scrollHeight;")
        .await?;
    page.until(
        "the last row",
        &format!("{ROWS}.at(-1).dataset.symbol === 'SIM-5000'"),
    )
    .await?;
    assert_eq!(
        page.run(&format!(
            "return {ROWS}.at(-1).getAttribute('aria-rowindex');"
        ))
        .await?,
        "5001"
    );
    // It is where one sees it.
    let place = page
        .run(&format!(
            "const row = {ROWS}.at(-1).getBoundingClientRect();\
             const view = document.querySelector('.scroll').getBoundingClientRect();\
             return Math.abs(row.bottom - view.bottom);"
        ))
        .await?;
    assert!(
        place.as_f64() < Some(2.0),
        "{place} pixels from the lower edge"
    );
    page.until(
        "rows that came into view are drawn",
        &format!("{ROWS}.slice(-8).every(row => row.querySelector('[data-col=symbol] button + button').textContent === row.dataset.symbol)"),
    )
    .await?;
    page.run(&format!("{ROWS}.at(-3).click();")).await?;
    page.until(
        "a far row is shown",
        "document.querySelector('.quote h2').textContent === 'SIM-4998'",
    )
    .await?;
    page.press("\u{e015}\u{e015}").await?;
    page.until(
        "the arrow keys go on from there",
        "document.querySelector('.quote h2').textContent === 'SIM-5000'",
    )
    .await?;
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_sorted_as_prices_move_and_favourites_stay_on_top() -> anyhow::Result<()> {
    let (server, browser, page) = open(&["--symbols", "200", "--rate", "4000"]).await?;
    page.click("th[data-col=change_percent] button").await?;
    let values = format!(
        "{ROWS}.map(row => Number(row.querySelector('[data-col=change_percent]').dataset.value ?? '-999'))"
    );
    let sorted =
        format!("(v => v.length > 10 && v.every((x, i) => !i || v[i - 1] >= x))({values})");
    page.until("sorted from the highest down", &sorted).await?;
    let order = format!("return {ROWS}.slice(0, 20).map(row => row.dataset.symbol).join();");
    let before = page.run(&order).await?;
    page.until(
        "the order follows the prices",
        &format!("(() => {{ {order} }})() !== {before}"),
    )
    .await?;
    page.until("and is right again", &sorted).await?;
    let head = "document.querySelector('th[data-col=change_percent]').getAttribute('aria-sort')";
    assert_eq!(page.run(&format!("return {head};")).await?, "descending");

    page.run("const s = document.querySelector('.scroll'); s.scrollTop = s.scrollHeight;")
        .await?;
    page.until(
        "scrolled down",
        &format!("{ROWS}.at(-1).getAttribute('aria-rowindex') === '201'"),
    )
    .await?;
    let last = page
        .run(&format!("return {ROWS}.at(-1).dataset.symbol;"))
        .await?;
    let last = last.as_str().unwrap_or_default().to_owned();
    page.run(&format!(
        "document.querySelector('tr[data-symbol=\"{last}\"]').click();"
    ))
    .await?;
    page.until(
        "it is shown",
        &format!("document.querySelector('.quote h2').textContent === '{last}'"),
    )
    .await?;
    page.press("f").await?;
    page.run("document.querySelector('.scroll').scrollTop = 0;")
        .await?;
    let first = format!(
        "{ROWS}[0].dataset.symbol === '{last}' && {ROWS}[0].querySelector('.star').getAttribute('aria-pressed') === 'true'"
    );
    page.until("the favourite is on top", &first).await?;
    let page = browser.open(&server.url("/")).await?;
    page.until_live().await?;
    page.until("also after a reload", &first).await?;
    assert_eq!(page.run(&format!("return {head};")).await?, "descending");
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_density_and_symbols_are_the_persons() -> anyhow::Result<()> {
    let (server, browser, page) = open_at(&[], "/?symbols=BTC-USD,ETH-USD,AAPL").await?;
    page.until("the link's symbols", &format!("{ROWS}.map(row => row.dataset.symbol).join() === 'BTC-USD,AAPL,ETH-USD' || {ROWS}.length === 3"))
        .await?;
    let columns =
        "[...document.querySelectorAll('.watchlist thead th')].map(th => th.dataset.col).join()";
    let line = |column: &str| {
        format!(
            "[...document.querySelectorAll('#columns .line')].find(line => line.textContent.startsWith('{column}'))"
        )
    };
    page.run(&format!("{}.querySelector('input').click();", line("Name")))
        .await?;
    let expect = "symbol,last,change,change_percent,bid,ask,high,low,volume,spark";
    page.until("a column less", &format!("{columns} === '{expect}'"))
        .await?;
    page.run(&format!(
        "{}.querySelectorAll('button')[1].click();",
        line("Last price")
    ))
    .await?;
    let expect = "symbol,change,last,change_percent,bid,ask,high,low,volume,spark";
    page.until("another order", &format!("{columns} === '{expect}'"))
        .await?;
    let height = format!("{ROWS}[0].offsetHeight");
    assert_eq!(page.run(&format!("return {height};")).await?, 28);
    page.run("[...document.querySelectorAll('.panel-head button')].find(b => b.textContent === 'Roomy').click();")
        .await?;
    page.until("more room", &format!("{height} === 36")).await?;
    let page = browser.open(&server.url("/")).await?;
    page.until_live().await?;
    assert_eq!(page.run(&format!("return {columns};")).await?, expect);
    assert_eq!(page.run(&format!("return {height};")).await?, 36);
    close(server, browser).await
}
