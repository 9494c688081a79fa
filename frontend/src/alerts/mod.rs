//! The page of alerts: the alerts, what fired, and how to be notified.

#![allow(
    unreachable_pub,
    reason = "the component macro makes what it generates public"
)]

mod form;
mod lists;
mod telling;
mod webhooks;

use std::collections::BTreeMap;

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{Alert, Firing, WebhookStatus};

use crate::client::api::{self, Outcome};
use crate::faults::PageFault;
use crate::settings::Settings;
use form::AlertForm;
use lists::{Alerts, Fired};
use telling::Telling;
use webhooks::Webhooks;

/// How often the lists are refreshed: they change when something fires.
const REFRESH_MS: u32 = 2_000;
/// How many alerts are shown at first, and how many more each time that more
/// are asked for.
const SHOWN: usize = 200;
/// How many firings are shown.
const FIRED_SHOWN: u32 = 100;

/// An alert in the list. The row stays the same element when the alert changes,
/// so that the focus stays on its button.
type Entry = (u64, RwSignal<Alert>);

/// What the page shows.
#[derive(Clone, Copy)]
struct State {
    /// `None` until the first answer.
    alerts: RwSignal<Option<Vec<Entry>>>,
    fired: RwSignal<Option<Vec<Firing>>>,
    /// How many alerts are to be shown.
    wanted: RwSignal<usize>,
    /// The newest alert that was made here. It is shown even if it is beyond
    /// `wanted`.
    made: RwSignal<Option<u64>>,
    has_more: RwSignal<bool>,
    /// The other programs that the server notifies.
    webhooks: RwSignal<Vec<WebhookStatus>>,
    /// What went wrong.
    fault: RwSignal<Option<PageFault>>,
    /// The alert that the form edits; if `None`, the form makes a new one.
    edited: RwSignal<Option<Alert>>,
}

impl State {
    fn new() -> Self {
        Self {
            alerts: RwSignal::new(None),
            fired: RwSignal::new(None),
            wanted: RwSignal::new(SHOWN),
            made: RwSignal::new(None),
            has_more: RwSignal::new(false),
            webhooks: RwSignal::new(Vec::new()),
            fault: RwSignal::new(None),
            edited: RwSignal::new(None),
        }
    }

    /// Refreshes all lists.
    async fn refresh(self) {
        match self.ask().await {
            Ok(()) => {
                let is_over = |fault: &PageFault| matches!(fault, PageFault::OutOfDate(_));
                if self
                    .fault
                    .with_untracked(|fault| fault.as_ref().is_some_and(is_over))
                {
                    self.fault.set(None);
                }
            }
            Err(error) => self.fault.set(Some(PageFault::OutOfDate(error))),
        }
    }

    async fn ask(self) -> Outcome<()> {
        let (mut alerts, has_more) = api::alerts(self.wanted.get_untracked()).await?;
        if let Some(made) = self.made.get_untracked().filter(|_| has_more)
            && alerts.last().is_some_and(|last| last.id < made)
        {
            // It may have been deleted.
            alerts.extend(api::alert(made).await);
        }
        self.show(alerts);
        set_if_other(self.has_more, has_more);
        set_if_other(self.fired, Some(api::fired(FIRED_SHOWN).await?));
        set_if_other(self.webhooks, api::webhooks().await?);
        Ok(())
    }

    fn show(self, alerts: Vec<Alert>) {
        let known = self.alerts.get_untracked().unwrap_or_default();
        let known: BTreeMap<u64, RwSignal<Alert>> = known.into_iter().collect();
        let entry = |alert: Alert| match known.get(&alert.id) {
            Some(shown) => {
                let id = alert.id;
                set_if_other(*shown, alert);
                (id, *shown)
            }
            None => (alert.id, RwSignal::new(alert)),
        };
        let entries: Vec<Entry> = alerts.into_iter().map(entry).collect();
        let same = self.alerts.with_untracked(|old| {
            let old = old.iter().flatten().map(|entry| entry.0);
            old.eq(entries.iter().map(|entry| entry.0))
        });
        if !same || known.is_empty() {
            self.alerts.set(Some(entries));
        }
    }

    /// Shows all alerts as they are.
    fn show_again(self) {
        self.alerts.with_untracked(|alerts| {
            for (_, alert) in alerts.iter().flatten() {
                alert.notify();
            }
        });
    }

    /// Carries out a call to the server, refreshes the lists, and calls `done`
    /// if the call succeeded.
    fn act<T: 'static>(
        self,
        call: impl Future<Output = Outcome<T>> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        spawn_local(async move {
            match call.await {
                Ok(result) => {
                    self.fault.set(None);
                    done(result);
                }
                Err(error) => {
                    self.fault.set(Some(PageFault::Call(error)));
                    // A person has changed what a row shows, and nothing else.
                    self.show_again();
                }
            }
            self.refresh().await;
        });
    }
}

/// Sets a signal only if the value differs, so that nothing is redrawn for an
/// equal one.
fn set_if_other<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}

/// The page.
#[component]
pub(crate) fn AlertsPage(settings: Settings) -> impl IntoView {
    let state = State::new();
    spawn_local(async move {
        loop {
            if !document().hidden() {
                state.refresh().await;
            }
            TimeoutFuture::new(REFRESH_MS).await;
        }
    });
    view! {
        <main class="lab alerts">
            <AlertForm state />
            <Alerts state />
            <Fired state settings />
            <Webhooks state settings />
            <Telling settings />
        </main>
    }
}

/// A panel with a heading.
#[component]
fn Panel(
    heading: &'static str,
    #[prop(default = Signal::stored(false))] hidden: Signal<bool>,
    children: Children,
) -> impl IntoView {
    view! {
        <section class="panel" aria-label=heading hidden=move || hidden.get()>
            <h2>{heading}</h2>
            {children()}
        </section>
    }
}
