//! The bar of a replay, and files that are dropped onto the page.

use anyhow::Context as _;
use e2e::Page;

use super::{SAMPLE, close, nothing_lost, open_at};
use crate::page::looks::{check_accessibility, save};

/// A button of the bar.
fn button(label: &str) -> String {
    format!(
        "[...document.querySelectorAll('.replay button')]\
         .find(button => button.textContent.trim() === '{label}')"
    )
}

const SLIDER: &str = "document.querySelector('.replay input[type=range]')";

async fn press(page: &Page, label: &str) -> anyhow::Result<()> {
    page.run(&format!("{}.click();", button(label))).await?;
    Ok(())
}

/// Moves the slider to a date, as a person does who drags it.
async fn drag_to(page: &Page, date: &str) -> anyhow::Result<()> {
    let drag = format!(
        "const slider = {SLIDER}; slider.step = 'any'; slider.value = Date.parse('{date}T00:00Z');\
         for (const kind of ['input', 'change'])\
             slider.dispatchEvent(new Event(kind, {{ bubbles: true }}));"
    );
    page.run(&drag).await?;
    Ok(())
}

async fn until_at(page: &Page, date: &str) -> anyhow::Result<()> {
    let at = format!("{SLIDER}.getAttribute('aria-valuetext') === '{date}'");
    page.until(date, &at).await?;
    Ok(())
}

/// The last price of the only row.
const LAST: &str = "document.querySelector('tr[data-symbol] [data-col=last]')?.dataset.value";

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_moved_by_its_bar() -> anyhow::Result<()> {
    let feed = format!("replay:{SAMPLE}");
    let arguments = ["--feed", &feed, "--speed", "0.001", "--symbols", "SPX"];
    let (server, browser, page) = open_at(&arguments, "/?zone=utc").await?;
    page.until("it plays", &button("Pause")).await?;
    // The bars are those of the file.
    page.until(
        "daily bars",
        "document.querySelector('.toolbar [aria-pressed=true]').textContent === '1d'",
    )
    .await?;
    let file = std::fs::read_to_string(SAMPLE)?;
    let rows: Vec<Vec<&str>> = file
        .lines()
        .skip(1)
        .map(|row| row.split(',').collect())
        .collect();
    let close_of = |row: usize| format!("{LAST} === '{}'", rows[row][4]);
    // A jump: the rows before that day have happened, and no others.
    drag_to(&page, rows[300][0]).await?;
    page.until("the jump", &close_of(299)).await?;
    until_at(&page, rows[299][0]).await?;
    press(&page, "Pause").await?;
    page.until("it stands still", &button("Play")).await?;
    let state = "document.querySelector('[data-stat=state]').dataset.value === 'paused'";
    page.until("it says so", state).await?;
    press(&page, "Step").await?;
    page.until("a step", &close_of(300)).await?;
    until_at(&page, rows[300][0]).await?;
    for row in [299, 298] {
        press(&page, "Step back").await?;
        page.until("a step back", &close_of(row)).await?;
    }
    save(&page, "replay").await?;
    check_accessibility(&page, "a replay").await?;
    let speed = "const speed = document.querySelector('.replay select'); speed.value = 'max';\
         speed.dispatchEvent(new Event('change', { bubbles: true }));";
    page.run(speed).await?;
    press(&page, "Play").await?;
    let state = "document.querySelector('[data-stat=state]').dataset.value === 'ended'";
    page.until("its end", state).await?;
    page.until("the last price", &close_of(rows.len() - 1))
        .await?;
    nothing_lost(&page).await?;
    close(server, browser).await
}

/// Drops a file with this name and text onto the page.
async fn drop_file(page: &Page, name: &str, text: &str) -> anyhow::Result<()> {
    let (name, text) = (serde_json::to_string(name)?, serde_json::to_string(text)?);
    let drop = format!(
        "const data = new DataTransfer(); data.items.add(new File([{text}], {name}));\
         for (const kind of ['dragover', 'drop']) document.body.dispatchEvent(\
             new DragEvent(kind, {{ dataTransfer: data, bubbles: true, cancelable: true }}));"
    );
    page.run(&drop).await?;
    Ok(())
}

/// A server that takes files.
const TAKES_FILES: [&str; 5] = ["--symbols", "3", "--allow-upload", "--speed", "20"];
/// Why the last file does not play.
const FAULT: &str = "document.querySelector('.missing:not([hidden])')?.textContent";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_play_is_refused_or_asked_about() -> anyhow::Result<()> {
    let (server, browser, page) = open_at(&TAKES_FILES, "/?chart=EUR-USD&zone=utc").await?;
    let opener = "[...document.querySelectorAll('.top button')]\
         .find(button => button.textContent === 'Open file' && !button.hidden)";
    page.until("files may be brought", opener).await?;
    drop_file(&page, "notes.txt", "Nothing to do today.").await?;
    page.until(
        "it is no file of prices",
        &format!("{FAULT}?.startsWith('notes.txt: ')"),
    )
    .await?;
    save(&page, "file-refused").await?;
    check_accessibility(&page, "a file that is refused").await?;
    // What can be read in two ways is asked.
    drop_file(
        &page,
        "DAYS.csv",
        "date,open,high,low,close\n01/02/2020,1,2,1,2\n",
    )
    .await?;
    let choice = "[...document.querySelectorAll('.missing:not([hidden]) button')]\
         .find(button => button.textContent === 'The day is first')";
    page.until("a question", choice).await?;
    save(&page, "file-asked").await?;
    check_accessibility(&page, "a file that is asked about").await?;
    page.run(&format!("{choice}.click();")).await?;
    let first = "[...document.querySelectorAll('tr[data-symbol]')]\
         .map(row => row.dataset.symbol).join() === 'DAYS'";
    page.until("its symbol", first).await?;
    page.until("no fault is left", &format!("!{FAULT}")).await?;
    // So are numbers.
    let day = |day: u32| format!("2020-02-{day:02};157,234;157,240;157,200;157,238\n");
    let text: String = (3..8).map(day).collect();
    let text = format!("date;open;high;low;close\n{text}");
    drop_file(&page, "JPY.csv", &text).await?;
    let choice = choice.replace("The day is first", "The comma is for decimals");
    page.until("a question of numbers", &choice).await?;
    page.run(&format!("{choice}.click();")).await?;
    page.until("the other symbol", &first.replace("DAYS", "JPY"))
        .await?;
    page.until("no fault is left of it", &format!("!{FAULT}"))
        .await?;
    let last = format!("{LAST} === '157.238'");
    page.until("a price with decimals", &last).await?;
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_dropped_plays() -> anyhow::Result<()> {
    let (server, browser, page) = open_at(&TAKES_FILES, "/?chart=EUR-USD&zone=utc").await?;
    let taken = "[...document.querySelectorAll('.top button')]\
         .some(button => button.textContent === 'Open file' && !button.hidden)";
    page.until("files may be brought", taken).await?;
    let mut text = "date,open,high,low,close,volume\n".to_owned();
    for day in 1..=28 {
        for month in 1..=12 {
            let close = 100 * month + day;
            text += &format!("2019-{month:02}-{day:02},{close},{close},{close},{close},5\n");
        }
    }
    text += "2020-01-01,,,,,\n";
    drop_file(&page, "MINE.csv", &text).await?;
    page.until(
        "its symbol is the only one",
        "[...document.querySelectorAll('tr[data-symbol]')]\
             .map(row => row.dataset.symbol).join() === 'MINE'",
    )
    .await?;
    page.until("it plays", &button("Pause")).await?;
    page.until("no fault is left", &format!("!{FAULT}")).await?;
    let end = "document.querySelector('[data-stat=state]').dataset.value === 'ended'";
    page.until("its end", end).await?;
    page.until("the last price", &format!("{LAST} === '1228'"))
        .await?;
    // What was left out is told.
    let changed = "document.querySelector('.replay .changed:not([hidden]) button')";
    let words = format!("{changed}?.textContent === '1 row left out'");
    page.until("rows that were left out", &words).await?;
    page.run(&format!("{changed}.click();")).await?;
    let line = "document.querySelector('.replay .menu li').textContent";
    page.until(
        "which row",
        &format!("/^MINE.csv, line 338: left out/.test({line})"),
    )
    .await?;
    save(&page, "file-played").await?;
    check_accessibility(&page, "a file that was dropped").await?;
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_files_are_taken_none_is_asked_for() -> anyhow::Result<()> {
    let (server, browser, page) = open_at(&["--symbols", "3"], "/").await?;
    let asked = "performance.getEntriesByType('resource')\
        .some(entry => entry.name.endsWith('/api/replay') && entry.responseEnd > 0)";
    page.until("the server was asked", asked).await?;
    drop_file(&page, "MINE.csv", "x").await?;
    let shown = page
        .run(
            "return ['.replay', '.drop', '.bringing'].filter(part =>\
                 !document.querySelector(part).hidden).length;",
        )
        .await?;
    assert_eq!(shown.as_u64().context("a count")?, 0);
    close(server, browser).await
}
