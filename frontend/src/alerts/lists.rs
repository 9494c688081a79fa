//! The lists of alerts and of firings.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{Alert, AlertSpec, Firing};

use super::{Entry, Panel, SHOWN, State};
use crate::client::api;
use crate::format;
use crate::settings::Settings;
use crate::views::chart::recent;
use crate::words;

/// A table with these headings. It scrolls by itself where the page is too
/// narrow.
#[component]
fn Scrolled(
    name: &'static str,
    headings: &'static [&'static str],
    hidden: Signal<bool>,
    children: Children,
) -> impl IntoView {
    let headings = headings
        .iter()
        .map(|heading| view! { <th scope="col">{*heading}</th> })
        .collect_view();
    view! {
        <div
            class="scrolled"
            tabindex="0"
            role="group"
            aria-label=name
            hidden=move || hidden.get()
        >
            <table aria-label=name>
                <thead>
                    <tr>{headings}</tr>
                </thead>
                <tbody>{children()}</tbody>
            </table>
        </div>
    }
}

/// The table of all alerts, where they can be switched on and off, edited and
/// deleted.
#[component]
pub(super) fn Alerts(state: State) -> impl IntoView {
    let is_empty = Signal::derive(move || {
        let alerts = state.alerts;
        alerts.with(|all| all.as_ref().is_none_or(Vec::is_empty))
    });
    let nothing = move || match state.alerts.with(Option::is_none) {
        true => words::LOADING,
        false => words::NO_ALERTS,
    };
    let more = move |_| {
        state.wanted.update(|wanted| *wanted += SHOWN);
        spawn_local(state.refresh());
    };
    view! {
        <Panel heading=words::ALERTS>
            <p class="muted" hidden=move || !is_empty.get()>
                {move || nothing()}
            </p>
            <Scrolled name=words::ALERTS headings=&words::ALERT_HEADINGS hidden=is_empty>
                <For
                    each=move || state.alerts.get().unwrap_or_default()
                    key=|(id, _)| *id
                    children=move |entry| row(state, entry)
                />
            </Scrolled>
            <button type="button" hidden=move || !state.has_more.get() on:click=more>
                {words::SHOW_MORE}
            </button>
        </Panel>
    }
}

fn row(state: State, (id, alert): Entry) -> impl IntoView {
    let of = move |read: fn(&Alert) -> String| move || alert.with(read);
    let switch = move |enabled: bool| {
        let alert = alert.get_untracked();
        let spec = AlertSpec {
            enabled,
            ..alert.spec.clone()
        };
        let replace = async move { api::replace_alert(&alert, &spec).await };
        state.act(replace, |_| ());
    };
    let delete = move |_| {
        let edited = state.edited;
        state.act(api::delete_alert(id), move |()| {
            if edited.with_untracked(|alert| alert.as_ref().is_some_and(|a| a.id == id)) {
                edited.set(None);
            }
        });
    };
    view! {
        <tr data-alert=id.to_string()>
            <td>
                <input
                    type="checkbox"
                    aria-label=of(words::switch_of)
                    prop:checked=move || alert.with(|alert| alert.spec.enabled)
                    on:change:target=move |event| switch(event.target().checked())
                />
            </td>
            <td>{of(|alert| alert.spec.symbol.clone())}</td>
            <td>{of(|alert| words::condition(alert.spec.on, &alert.spec.condition))}</td>
            <td>{of(|alert| words::repeats(&alert.spec))}</td>
            <td>{of(|alert| alert.fired.to_string())}</td>
            <td>{of(|alert| alert.spec.note.clone())}</td>
            <td class="line">
                <button
                    type="button"
                    aria-label=of(words::edit_of)
                    on:click=move |_| state.edited.set(Some(alert.get_untracked()))
                >
                    {words::EDIT}
                </button>
                <button type="button" aria-label=of(words::delete_of) on:click=delete>
                    {words::DELETE}
                </button>
            </td>
        </tr>
    }
}

/// The table of firings, newest first.
#[component]
pub(super) fn Fired(state: State, settings: Settings) -> impl IntoView {
    let is_empty = Signal::derive(move || {
        let fired = state.fired;
        fired.with(|all| all.as_ref().is_none_or(Vec::is_empty))
    });
    let rows = move || {
        let local = !settings.zone.is("utc");
        let fired = state.fired.get().unwrap_or_default().into_iter();
        fired
            .map(|firing| firing_row(&firing, local))
            .collect_view()
    };
    view! {
        <Panel heading=words::FIRED>
            <p class="muted" hidden=move || !is_empty.get()>
                {words::NOTHING_FIRED}
            </p>
            <Scrolled name=words::FIRED headings=&words::FIRED_HEADINGS hidden=is_empty>
                {move || rows()}
            </Scrolled>
        </Panel>
    }
}

fn firing_row(firing: &Firing, local: bool) -> impl IntoView + use<> {
    let price = firing
        .price
        .map(|price| format::fixed(price, price.scale()));
    let cells: [String; 5] = [
        recent(firing.time.micros() as f64, local),
        firing.symbol.clone(),
        words::condition(firing.on, &firing.condition),
        price.unwrap_or_default(),
        firing.note.clone(),
    ];
    view! { <tr>{cells.map(|text| view! { <td>{text}</td> }).collect_view()}</tr> }
}
