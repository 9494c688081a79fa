//! The lists of alerts and of firings.

use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{Alert, AlertSpec, Firing};

use super::form::Form;
use super::{Entry, SHOWN, State, panel};
use crate::client::alerts as calls;
use crate::dom::{Html, html};
use crate::format;
use crate::settings::Settings;
use crate::views::chart::recent;

/// A table with these headings. It scrolls by itself where the page is too
/// narrow.
fn table(name: &str, headings: &[&str], body: Html) -> Html {
    let headings = headings
        .iter()
        .map(|heading| html(r#"<th scope="col"></th>"#).say(heading));
    let row = html("<tr></tr>").with(headings);
    let table = html("<table></table>")
        .set("aria-label", name)
        .with([html("<thead></thead>").with([row]), body]);
    html(r#"<div class="scrolled" tabindex="0" role="group"></div>"#)
        .set("aria-label", name)
        .with([table])
}

fn cell(text: impl Fn() -> String + 'static) -> Html {
    html("<td></td>").text(text)
}

/// The table of all alerts, where they can be switched on and off, edited and
/// deleted.
pub(super) fn alerts(state: State, form: Rc<Form>) -> Html {
    let body = html("<tbody></tbody>").children(move || {
        let all = state.alerts.get().unwrap_or_default();
        all.into_iter().map(|entry| row(state, entry)).collect()
    });
    let headings = [
        "On",
        "Symbol",
        "Fires when it",
        "Again",
        "Fired",
        "Note",
        "Actions",
    ];
    // The form has to live as long as the effects that fill it.
    std::mem::forget(form);
    panel("Alerts").with([
        html(r#"<p class="muted"></p>"#)
            .flag("hidden", move || {
                state
                    .alerts
                    .with(|all| all.as_ref().is_some_and(|all| !all.is_empty()))
            })
            .text(move || {
                let is_loading = state.alerts.with(Option::is_none);
                let words = if is_loading {
                    "Loading"
                } else {
                    "There are no alerts. Make one above, or press n at a chart."
                };
                words.to_owned()
            }),
        table("Alerts", &headings, body).flag("hidden", move || {
            state
                .alerts
                .with(|all| all.as_ref().is_none_or(Vec::is_empty))
        }),
        html(r#"<button type="button">Show more</button>"#)
            .flag("hidden", move || !state.has_more.get())
            .click(move || {
                state.wanted.update(|wanted| *wanted += SHOWN);
                spawn_local(state.refresh());
            }),
    ])
}

fn row(state: State, (id, alert): Entry) -> Html {
    let of = move |read: fn(&Alert) -> String| move || alert.with(read);
    let switch = html(r#"<input type="checkbox">"#)
        .attr("aria-label", move || {
            Some(alert.with(|a| "On: ".to_owned() + &words(a)))
        })
        .checked(move || alert.with(|alert| alert.spec.enabled))
        .input("change", move |input| {
            let alert = alert.get_untracked();
            let spec = AlertSpec {
                enabled: input.checked(),
                ..alert.spec.clone()
            };
            let replace = async move { calls::replace(&alert, &spec).await };
            state.act(replace, |_| ());
        });
    let edit = html(r#"<button type="button">Edit</button>"#)
        .attr("aria-label", move || {
            Some(alert.with(|a| "Edit ".to_owned() + &words(a)))
        })
        .click(move || state.edited.set(Some(alert.get_untracked())));
    let delete = html(r#"<button type="button">Delete</button>"#)
        .attr("aria-label", move || {
            Some(alert.with(|a| "Delete ".to_owned() + &words(a)))
        })
        .click(move || {
            let edited = state.edited;
            state.act(calls::delete(id), move |()| {
                if edited.with_untracked(|alert| alert.as_ref().is_some_and(|a| a.id == id)) {
                    edited.set(None);
                }
            });
        });
    html("<tr></tr>").set("data-alert", &id.to_string()).with([
        html("<td></td>").with([switch]),
        cell(of(|alert| alert.spec.symbol.clone())),
        cell(of(|alert| {
            format::condition(alert.spec.on, &alert.spec.condition)
        })),
        cell(of(|alert| {
            if alert.spec.repeat {
                "after ".to_owned() + &format::seconds(alert.spec.cooldown_s)
            } else {
                "once".to_owned()
            }
        })),
        cell(of(|alert| alert.fired.to_string())),
        cell(of(|alert| alert.spec.note.clone())),
        html(r#"<td class="line"></td>"#).with([edit, delete]),
    ])
}

fn words(alert: &Alert) -> String {
    [
        &alert.spec.symbol,
        " ",
        &format::condition(alert.spec.on, &alert.spec.condition),
    ]
    .concat()
}

/// The table of firings, newest first.
pub(super) fn fired(state: State, settings: Settings) -> Html {
    let body = html("<tbody></tbody>").children(move || {
        let local = !settings.zone.is("utc");
        let fired = state.fired.get().unwrap_or_default();
        fired
            .iter()
            .map(|firing| firing_row(firing, local))
            .collect()
    });
    let is_empty = move || {
        state
            .fired
            .with(|all| all.as_ref().is_none_or(Vec::is_empty))
    };
    let headings = ["Time", "Symbol", "What happened", "At", "Note"];
    panel("Fired").with([
        html(r#"<p class="muted">Nothing has fired yet.</p>"#).flag("hidden", move || !is_empty()),
        table("Fired", &headings, body).flag("hidden", is_empty),
    ])
}

fn firing_row(firing: &Firing, local: bool) -> Html {
    let price = firing
        .price
        .map(|price| format::fixed(price, price.scale()));
    let cells: [String; 5] = [
        recent(firing.time.micros() as f64, local),
        firing.symbol.clone(),
        format::condition(firing.on, &firing.condition),
        price.unwrap_or_default(),
        firing.note.clone(),
    ];
    html("<tr></tr>").with(cells.map(|text| html("<td></td>").say(&text)))
}
