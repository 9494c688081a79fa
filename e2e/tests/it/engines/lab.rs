//! The lab.

use e2e::Browser;
use shared::Channel;
use testkit::TestServer;

use super::save;

/// All transports race in all encodings, and each brings the same ticks.
pub(crate) async fn a_run(browser: &Browser, server: &TestServer) -> anyhow::Result<()> {
    let page = browser.open(&server.url("/lab.html")).await?;
    let start = "document.querySelector('.start')";
    page.until("the lab is ready", &format!("{start} && !{start}.disabled"))
        .await?;
    let number =
        |place: u32| format!("document.querySelectorAll('.plan input[type=number]')[{place}]");
    page.fill(&number(0), 250).await?;
    page.fill(&number(1), 3).await?;
    page.click(".start").await?;
    let done = "document.querySelector('[data-measure=cpu_us] [data-value]')";
    page.until("the run is over", &format!("{done} && !{start}.disabled"))
        .await?;
    let of = |measure: &str| {
        format!(
            "return [...document.querySelectorAll('tr[data-measure={measure}] [data-value]')].map(cell => Number(cell.dataset.value));"
        )
    };
    let ticks: Vec<f64> = serde_json::from_value(page.run(&of("ticks")).await?)?;
    assert_eq!(ticks.len(), Channel::ALL.len());
    assert!(ticks.iter().all(|count| *count > 0.0), "{ticks:?}");
    for measure in ["missed", "repeated"] {
        let counts: Vec<f64> = serde_json::from_value(page.run(&of(measure)).await?)?;
        assert_eq!(counts, [0.0; Channel::ALL.len()], "{measure}");
    }
    save(&page, browser.engine(), "lab").await
}
