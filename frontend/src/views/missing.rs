//! Symbols that a link or the person's favourites name, and that the server
//! does not have.

use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{Found, Lookup};

use super::chart::spec::{self, ChartSpec};
use super::controls::Button;
use crate::client::api;
use crate::settings::Settings;
use crate::store::Store;
use crate::words;

/// A line that names those symbols, with a button to remove them. They are also
/// written to `gone`. A symbol that differs from the server's only in case is
/// corrected.
#[component]
pub(crate) fn Missing<'s>(
    store: &'s Rc<Store>,
    settings: Settings,
    gone: RwSignal<Vec<String>>,
) -> impl IntoView + use<> {
    find(Rc::clone(store), settings, gone);
    let take_out = move |()| {
        let gone_now = gone.get_untracked();
        replace(settings, |symbol| {
            (!gone_now.contains(&symbol)).then_some(symbol)
        });
        gone.set(Vec::new());
    };
    view! {
        <div class="missing" role="alert" hidden=move || gone.with(Vec::is_empty)>
            <span>{move || words::missing_symbols(&gone.get())}</span>
            <Button label=words::TAKE_OUT title=words::TAKE_OUT_TITLE act=take_out />
        </div>
    }
}

/// Writes to `gone` the symbols in the settings that the server does not have,
/// whenever there is another catalogue.
fn find(store: Rc<Store>, settings: Settings, gone: RwSignal<Vec<String>>) {
    let catalogued = store.catalogue;
    Effect::new(move || {
        // There is no catalogue before the first snapshot.
        if catalogued.get() == 0 {
            return;
        }
        let named = untrack(|| named(settings));
        let unknown: Vec<_> = named
            .into_iter()
            .filter(|symbol| store.state(symbol, |_| ()).is_none())
            .collect();
        if unknown.is_empty() {
            gone.set(Vec::new());
            return;
        }
        // The page may have subscribed to only a part of the server's symbols.
        spawn_local(async move {
            if let Ok(symbols) = api::symbols().await {
                gone.set(put_right(settings, &unknown, &symbols));
            }
        });
    });
}

/// All symbols in the settings, each once.
fn named(settings: Settings) -> Vec<String> {
    let mut named = settings.symbols.list();
    named.extend(settings.favourites.list());
    let charts = settings.chart.list();
    named.extend(charts.iter().flat_map(|text| spec::symbols_of(text)));
    named.sort_unstable();
    named.dedup();
    named
}

/// Writes the symbols in the settings as the server does. Returns those of
/// `unknown` that the server does not have.
fn put_right(settings: Settings, unknown: &[String], symbols: &[String]) -> Vec<String> {
    let lookup = Lookup::new(symbols.iter().map(String::as_str));
    replace(settings, |symbol| match lookup.find(&symbol) {
        Found::One(place) => Some(symbols[place].clone()),
        _ => Some(symbol),
    });
    let is_gone = |symbol: &&String| !matches!(lookup.find(symbol), Found::One(_));
    unknown.iter().filter(is_gone).cloned().collect()
}

/// Replaces each symbol in the settings by what `make` returns, or removes it.
fn replace(settings: Settings, make: impl Fn(String) -> Option<String>) {
    for setting in [settings.symbols, settings.favourites] {
        let list = setting.list_untracked().into_iter();
        setting.set_list(&list.filter_map(&make).collect::<Vec<_>>());
    }
    let charts = settings.chart.list_untracked().into_iter().map(|text| {
        let symbols = spec::symbols_of(&text).into_iter();
        ChartSpec::join(&symbols.filter_map(&make).collect::<Vec<_>>())
    });
    settings.chart.set_list(&charts.collect::<Vec<_>>());
}
