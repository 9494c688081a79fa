//! The table of all symbols. Only rows that can be seen are in the page; they
//! are filled anew as one scrolls.

use std::cell::Cell;
use std::rc::Rc;

use leptos::html::{Div, Tbody};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, MouseEvent};

use super::button::{menu, named};
use super::canvas::observe_size;
use super::chart::Desk;
use super::columns::{columns, columns_menu, head, row};
use super::sparks::draw_sparks;
use crate::frames::Frames;
use crate::react::{effect, flag, text};
use crate::settings::Settings;
use crate::store::{Arrangement, Field, SortKey, Store};
use crate::theme::Looks;

/// The heights of rows in CSS pixels, as in the style sheet.
const COMPACT_PX: f64 = 28.0;
const ROOMY_PX: f64 = 36.0;
/// So many rows more than can be seen are filled, above and below; the table
/// is filled anew when half of them have been scrolled away.
const SPARE: usize = 8;

/// The rows, and where one has scrolled to.
pub(crate) struct Rows {
    store: Rc<Store>,
    desk: Rc<Desk>,
    settings: Settings,
    scroll: NodeRef<Div>,
    /// The height of what can be seen, in CSS pixels.
    height: Cell<f64>,
    /// The first row that is filled.
    first: RwSignal<usize>,
}

impl Rows {
    pub(crate) fn new(store: Rc<Store>, desk: Rc<Desk>) -> Rc<Self> {
        Rc::new(Self {
            settings: desk.settings(),
            store,
            desk,
            scroll: NodeRef::new(),
            height: Cell::new(0.0),
            first: RwSignal::new(0),
        })
    }

    fn row_px(&self) -> f64 {
        untrack(|| row_px(self.settings))
    }

    /// Fills the rows that can be seen.
    fn look(&self) {
        let Some(scroll) = self.scroll.get_untracked() else {
            return;
        };
        let row_px = self.row_px();
        let at = (f64::from(scroll.scroll_top()) / row_px) as usize;
        let step = SPARE / 2;
        // A shorter list may not have come down to its end yet.
        let at = at.min(self.store.counts.get_untracked().1);
        let first = (at / step * step).saturating_sub(SPARE);
        let count = (self.height.get() / row_px) as usize + 2 * SPARE + step;
        self.store.look(first, count);
        if self.first.get_untracked() != first {
            self.first.set(first);
        }
    }

    /// Shows the row so many below the one that is shown, among those found;
    /// the first one if that is not among them.
    pub(crate) fn step(&self, by: isize) {
        let shown = self.store.shown.get_untracked();
        let place = shown.and_then(|symbol| self.store.position_of(&symbol));
        let (_, found) = self.store.counts.get_untracked();
        let place = place.map_or(0, |place| place.saturating_add_signed(by));
        let place = place.min(found.saturating_sub(1));
        if let Some(symbol) = self.store.symbol_at(place) {
            self.desk.show(&symbol);
            self.bring_into_view(place);
        }
    }

    fn bring_into_view(&self, place: usize) {
        let Some(scroll) = self.scroll.get_untracked() else {
            return;
        };
        let row_px = self.row_px();
        let top = place as f64 * row_px;
        // The heading covers a row's height.
        let lowest = top + 2.0 * row_px - self.height.get();
        let now = f64::from(scroll.scroll_top());
        scroll.set_scroll_top(now.max(lowest).min(top) as i32);
        self.look();
    }

    /// Puts the symbol on top, or back.
    pub(crate) fn toggle_favourite(&self) {
        if let Some(symbol) = self.store.shown.get_untracked() {
            self.settings.favourites.toggle(&symbol);
        }
    }
}

fn row_px(settings: Settings) -> f64 {
    if settings.density.is("roomy") {
        ROOMY_PX
    } else {
        COMPACT_PX
    }
}

/// What the rows are ordered by, and whether from the highest down; tracked.
fn sorting(settings: Settings) -> (SortKey, bool) {
    let text = settings.sort.get();
    let name = text.trim_start_matches('-');
    let field = Field::ALL.into_iter().find(|field| field.key() == name);
    let key = match (field, name) {
        (Some(field), _) => SortKey::Number(field),
        (None, "symbol") => SortKey::Symbol,
        (None, "name") => SortKey::Name,
        (None, _) => SortKey::Catalogue,
    };
    (key, text.starts_with('-'))
}

/// The watchlist.
#[component]
pub(crate) fn Watchlist(
    rows: Rc<Rows>,
    frames: Frames,
    looks: Looks,
    search: RwSignal<String>,
) -> impl IntoView {
    let Rows {
        store,
        settings,
        scroll,
        first,
        ..
    } = &*rows;
    let (settings, scroll, first) = (*settings, *scroll, *first);
    let (counts, slots, shown) = (store.counts, store.slots, store.shown);
    arrange(Rc::clone(store), settings, search);
    let looker = Rc::clone(&rows);
    effect(move || {
        counts.track();
        settings.density.get();
        looker.look();
    });
    let sized = Rc::clone(&rows);
    effect(move || {
        if let Some(scroll) = scroll.get() {
            let rows = Rc::clone(&sized);
            observe_size(&scroll, move |_, height| {
                let ratio = window().device_pixel_ratio();
                rows.height.set(f64::from(height) / ratio);
                rows.look();
            });
        }
    });
    let body = NodeRef::<Tbody>::new();
    draw_sparks(Rc::clone(store), &frames, body, looks);
    let heads = move || {
        columns(settings)
            .into_iter()
            .map(|key| head(key, settings))
            .collect::<Vec<_>>()
    };
    let count = text(move || {
        let (all, found) = counts.get();
        format!("{found} of {all}")
    });
    let found_some = flag(move || {
        let (all, found) = counts.get();
        all == 0 || found > 0
    });
    let nothing_found = text(move || ["No symbol matches '", &search.get(), "'"].concat());
    let has_loaded = flag(move || counts.get().0 > 0);
    let rows_px =
        move |name: &str, rows: usize| format!("{name}:{}px", rows * row_px(settings) as usize);
    let height = text(move || rows_px("height", counts.get().1 + 1));
    let offset = text(move || rows_px("margin-top", first.get()));
    let is_chosen = flag(move || !settings.columns.is(""));
    let row_count = text(move || (counts.get().1 + 1).to_string());
    let scrolled = Rc::clone(&rows);
    let click = move |event: MouseEvent| _ = rows.click(&event);
    view! {
        <section class="panel watchlist" aria-label="Markets" class:chosen=is_chosen>
            <div class="panel-head">
                <h2>"Watchlist"</h2>
                <span class="muted">{count}</span>
                {menu("columns", "Columns", columns_menu(settings))}
                {density_button(settings)}
            </div>
            <div class="scroll" node_ref=scroll tabindex="-1" on:scroll=move |_| scrolled.look()>
                <div style=height>
                    <table
                        aria-label="Watchlist"
                        aria-rowcount=row_count
                        style=offset
                    >
                        <thead><tr aria-rowindex="1">{heads}</tr></thead>
                        <tbody node_ref=body on:click=click>
                            <For
                                each=move || slots.get().into_iter().enumerate()
                                key=|(place, _)| *place
                                children=move |(_, slot)| row(slot, shown, settings)
                            />
                        </tbody>
                    </table>
                </div>
                <div class="skeleton" hidden=has_loaded aria-hidden="true"></div>
                <p class="empty" hidden=found_some>{nothing_found}</p>
            </div>
        </section>
    }
}

/// Brings search, sorting and favourites to the store.
fn arrange(store: Rc<Store>, settings: Settings, search: RwSignal<String>) {
    effect(move || {
        let (key, descending) = sorting(settings);
        store.arrange(Arrangement {
            filter: search.get(),
            key,
            descending,
            favourites: settings.favourites.list(),
        });
    });
}

impl Rows {
    /// Shows the row that was clicked on, or its star.
    fn click(&self, event: &MouseEvent) -> Option<()> {
        let target = event.target()?.dyn_into::<Element>().ok()?;
        let symbol = target
            .closest("tr[data-symbol]")
            .ok()??
            .get_attribute("data-symbol")?;
        if target.closest(".star").ok()?.is_some() {
            self.settings.favourites.toggle(&symbol);
        } else {
            self.desk.show(&symbol);
        }
        Some(())
    }
}

fn density_button(settings: Settings) -> AnyView {
    let roomy = flag(move || settings.density.is("roomy"));
    let act = move || settings.density.cycle(&crate::theme::DENSITIES);
    named(
        "Roomy",
        "More room for each row",
        Some(roomy),
        Box::new(act),
    )
}
