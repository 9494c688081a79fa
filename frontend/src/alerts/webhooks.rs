//! The programs that the server notifies of alerts, and whether they accept the
//! notifications.

use leptos::prelude::*;
use shared::WebhookStatus;

use super::{State, panel};
use crate::dom::{Html, html};
use crate::settings::Settings;
use crate::views::chart::recent;

/// One line for each webhook; hidden where there are none.
pub(super) fn webhooks(state: State, settings: Settings) -> Html {
    let list = html(r#"<ul class="webhooks"></ul>"#).children(move || {
        let local = !settings.zone.is("utc");
        let all = state.webhooks.get();
        all.iter().map(|webhook| line(webhook, local)).collect()
    });
    panel("Webhooks")
        .with([html(r#"<div aria-live="polite"></div>"#).with([list])])
        .flag("hidden", move || state.webhooks.with(Vec::is_empty))
}

fn line(webhook: &WebhookStatus, local: bool) -> Html {
    let receiver = html("<b></b>").say(&webhook.receiver);
    html("<li></li>")
        .attr("class", {
            let is_failing = webhook.failing_since.is_some();
            move || is_failing.then(|| "fault".to_owned())
        })
        .with([receiver])
        .say(&[": ", &words(webhook, local)].concat())
}

/// The state of a webhook in words, as in `takes alerts; 12 taken`.
fn words(webhook: &WebhookStatus, local: bool) -> String {
    let mut words = match webhook.failing_since {
        None => "takes alerts".to_owned(),
        Some(since) => {
            let since = recent(since.micros() as f64, local);
            format!("takes none since {since}: {}", webhook.detail)
        }
    };
    for (count, what) in [
        (webhook.taken, "taken"),
        (webhook.waiting, "waiting"),
        (webhook.given_up, "given up"),
    ] {
        if count > 0 {
            words += &format!("; {count} {what}");
        }
    }
    words
}
