//! Toasts: what has just fired, shown over the page.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;

use super::chart::ChartGrid;
use super::controls::Button;
use crate::store::Store;
use crate::words;

/// How long a toast stays.
const STAY: Duration = Duration::from_secs(30);
/// The most toasts at once: as many as fit above each other.
const TOASTS_MAX: usize = 4;

/// What a toast says.
#[derive(Clone)]
enum Content {
    /// An alert has fired: what happened, its note, and its symbol.
    Fired(String, String, String),
    /// So many more alerts have fired.
    More(usize),
    /// A command has failed, for this reason.
    Failed(String),
}

/// The toasts, the newest first, each with a number of its own.
#[derive(Clone)]
struct Stack {
    shown: RwSignal<Vec<(u64, Content)>>,
    next: Rc<Cell<u64>>,
}

impl Stack {
    /// Adds a toast on top, and removes it when its time is over.
    fn add(&self, content: Content) {
        let (shown, number) = (self.shown, self.next.get());
        self.next.set(number + 1);
        shown.update(|toasts| {
            toasts.insert(0, (number, content));
            toasts.truncate(TOASTS_MAX);
        });
        set_timeout(move || remove(shown, number), STAY);
    }
}

fn remove(shown: RwSignal<Vec<(u64, Content)>>, number: u64) {
    shown.update(|toasts| toasts.retain(|toast| toast.0 != number));
}

/// Toasts for the newest firings, and for failed alert commands.
#[component]
pub(crate) fn Toasts<'s>(store: &'s Store, grid: Rc<ChartGrid>) -> impl IntoView + use<> {
    let shown = RwSignal::new(Vec::new());
    let stack = Stack {
        shown,
        next: Rc::default(),
    };
    let failed = stack.clone();
    store.alerts.on_fired(move |firings| {
        // Firings whose toasts would be pushed out at once are only counted.
        let more = firings.len().saturating_sub(TOASTS_MAX);
        let counted = if more > 0 { more + 1 } else { 0 };
        for firing in &firings[counted..] {
            stack.add(Content::Fired(
                words::firing(firing),
                firing.note.clone(),
                firing.symbol.clone(),
            ));
        }
        if counted > 0 {
            stack.add(Content::More(counted));
        }
    });
    store
        .alerts
        .on_failed(move |reason| failed.add(Content::Failed(words::alert_fault(reason))));
    let grid = StoredValue::new_local(grid);
    view! {
        <div class="toasts" role="log" aria-label=words::ALERTS aria-live="polite">
            <For
                each=move || shown.get()
                key=|(number, _)| *number
                children=move |(number, content)| view! { <Toast shown number content grid /> }
            />
        </div>
    }
}

/// A toast, and the button that removes it.
#[component]
fn Toast(
    shown: RwSignal<Vec<(u64, Content)>>,
    number: u64,
    content: Content,
    grid: StoredValue<Rc<ChartGrid>, LocalStorage>,
) -> impl IntoView {
    view! {
        <div class="toast">
            {inside(content, grid)} <Button label="×" title=words::CLOSE act=move |()| remove(shown, number) />
        </div>
    }
}

fn inside(content: Content, grid: StoredValue<Rc<ChartGrid>, LocalStorage>) -> AnyView {
    match content {
        Content::Fired(what, note, symbol) => {
            let show = move |_| grid.with_value(|grid| grid.show(&symbol));
            view! {
                <button type="button" title=words::SHOW_CHART on:click=show>
                    {what}
                </button>
                <span>{note}</span>
            }
            .into_any()
        }
        Content::More(count) => {
            view! { <span>{words::more_firings_elsewhere(count)}</span> }.into_any()
        }
        Content::Failed(reason) => {
            view! { <span class="fault">{words::ALERTS_FAILED} {reason}</span> }.into_any()
        }
    }
}
