//! The table of all symbols. The page contains only the rows that are visible;
//! they are filled again as one scrolls.

use std::cell::Cell;
use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, MouseEvent};

use super::button::{menu, toggle};
use super::canvas::observe_size;
use super::chart::ChartGrid;
use super::columns::{Layout, columns_menu, head, row};
use super::sparks::draw_sparks;
use crate::dom::{Html, html};
use crate::frames::Frames;
use crate::react::effect;
use crate::settings::Settings;
use crate::store::{Arrangement, Field, SortKey, Store};
use crate::theme::{DENSITIES, Looks};

/// The row heights in CSS pixels, as in the style sheet.
const COMPACT_PX: f64 = 28.0;
const ROOMY_PX: f64 = 36.0;
/// How many more rows than visible are filled, above and below. The rows are
/// filled again after half of them have been scrolled away.
const SPARE: usize = 8;

/// The rows, and the scroll position.
pub(crate) struct Rows {
    store: Rc<Store>,
    grid: Rc<ChartGrid>,
    settings: Settings,
    /// The element that scrolls.
    scroll: Html,
    /// The visible height, in CSS pixels.
    height: Cell<f64>,
    /// The index of the first row that is filled.
    first: RwSignal<usize>,
    /// An element as wide as ten digits.
    probe: Html,
    layout: Layout,
}

impl Rows {
    pub(crate) fn new(store: Rc<Store>, grid: Rc<ChartGrid>) -> Rc<Self> {
        let settings = grid.settings();
        Rc::new(Self {
            settings,
            layout: Layout::new(settings),
            probe: html(r#"<span class="probe" aria-hidden="true">0000000000</span>"#),
            store,
            grid,
            scroll: html(r#"<div class="scroll" tabindex="-1"></div>"#),
            height: Cell::new(0.0),
            first: RwSignal::new(0),
        })
    }

    fn row_px(&self) -> f64 {
        untrack(|| row_px(self.settings))
    }

    /// Measures the width of a digit and that of the table.
    fn measure(&self, height: f64) {
        self.height.set(height);
        let figure_px = self.probe.node().get_bounding_client_rect().width() / 10.0;
        if figure_px > 0.0 {
            self.layout.widths.figure_px.set(figure_px);
        }
        // Without the scrollbar, if that takes up space.
        let room_px = f64::from(self.scroll.node().client_width());
        self.layout.widths.room_px.set(room_px);
    }

    /// Fills the visible rows.
    fn look(&self) {
        let scroll = self.scroll.node();
        let row_px = self.row_px();
        let at = (f64::from(scroll.scroll_top()) / row_px) as usize;
        let step = SPARE / 2;
        // When the list becomes shorter, the scroll position may still be
        // beyond its end.
        let at = at.min(self.store.counts.get_untracked().1);
        let first = (at / step * step).saturating_sub(SPARE);
        let count = (self.height.get() / row_px) as usize + 2 * SPARE + step;
        self.store.look(first, count);
        if self.first.get_untracked() != first {
            self.first.set(first);
        }
    }

    /// Shows the symbol `by` rows below the one that is shown, among those that
    /// match the search; the first one if that is not among them.
    pub(crate) fn step(&self, by: isize) {
        let shown = self.store.shown.get_untracked();
        let place = shown.and_then(|symbol| self.store.position_of(&symbol));
        let (_, found) = self.store.counts.get_untracked();
        let place = place.map_or(0, |place| place.saturating_add_signed(by));
        let place = place.min(found.saturating_sub(1));
        if let Some(symbol) = self.store.symbol_at(place) {
            self.grid.show(&symbol);
            self.bring_into_view(place);
        }
    }

    fn bring_into_view(&self, place: usize) {
        let scroll = self.scroll.node();
        let row_px = self.row_px();
        let top = place as f64 * row_px;
        // The heading covers the height of a row.
        let lowest = top + 2.0 * row_px - self.height.get();
        let now = f64::from(scroll.scroll_top());
        scroll.set_scroll_top(now.max(lowest).min(top) as i32);
        self.look();
    }

    /// Makes the shown symbol a favourite, or not one any more.
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

/// The sort key, and whether the order is descending; tracked.
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
    let (store, settings) = (&rows.store, rows.settings);
    let counts = store.counts;
    arrange(Rc::clone(store), settings, search);
    let looker = Rc::clone(&rows);
    effect(move || {
        counts.track();
        settings.density.get();
        looker.look();
    });
    let sized = Rc::clone(&rows);
    observe_size(rows.scroll.node(), move |_, height| {
        let ratio = window().device_pixel_ratio();
        sized.measure(f64::from(height) / ratio);
        sized.look();
    });
    let count = move || {
        let (all, found) = counts.get();
        format!("{found} of {all}")
    };
    let head = html(r#"<div class="panel-head"><h2>Watchlist</h2></div>"#)
        .with([html(r#"<span class="muted"></span>"#).text(count)])
        .with(menu(
            "columns",
            "Columns",
            columns_menu(settings, rows.layout.all),
        ))
        .with([density_button(settings)]);
    let rows_px = move |rows: usize| (rows * row_px(settings) as usize).to_string() + "px";
    let height = move || Some(rows_px(counts.get().1 + 1));
    let skeleton = html(r#"<div class="skeleton" aria-hidden="true"></div>"#)
        .flag("hidden", move || counts.get().0 > 0);
    let nothing_found = html(r#"<p class="empty"></p>"#)
        .flag("hidden", move || {
            let (all, found) = counts.get();
            all == 0 || found > 0
        })
        .text(move || ["No symbol matches '", &search.get(), "'"].concat());
    let first = rows.first;
    let table = table(&rows, frames, looks).style("margin-top", move || Some(rows_px(first.get())));
    let scrolled = Rc::clone(&rows);
    let scroll = rows
        .scroll
        .clone()
        .on("scroll", move |_: Event| scrolled.look());
    html(r#"<section class="panel watchlist" aria-label="Markets"></section>"#).with([
        head,
        scroll.with([
            html("<div></div>").style("height", height).with([table]),
            rows.probe.clone(),
            skeleton,
            nothing_found,
        ]),
    ])
}

/// The headings, and the rows of the slots. The number of rows never becomes
/// smaller.
fn table(rows: &Rc<Rows>, frames: Frames, looks: Looks) -> Html {
    let (store, settings) = (&rows.store, rows.settings);
    let (counts, slots, shown) = (store.counts, store.slots, store.shown);
    let layout = rows.layout;
    let heads = html(r#"<tr aria-rowindex="1"></tr>"#).children(move || {
        let keys = layout.all.get().into_iter();
        keys.map(|key| head(key, settings, layout)).collect()
    });
    let clicked = Rc::clone(rows);
    let body = html("<tbody></tbody>").on("click", move |event: MouseEvent| {
        clicked.click(&event);
    });
    draw_sparks(Rc::clone(store), &frames, body.node().clone(), looks);
    let table = html(r#"<table aria-label="Watchlist"></table>"#)
        .attr("aria-rowcount", move || {
            Some((counts.get().1 + 1).to_string())
        })
        .with([html("<thead></thead>").with([heads]), body.clone()]);
    // The bindings of a row have to outlive the effect that adds it.
    let owner = Owner::current();
    effect(move || {
        slots.with(|slots| {
            let there = body.node().child_element_count() as usize;
            for slot in slots.iter().skip(there) {
                let add = || body.add(&row(*slot, shown, layout));
                match &owner {
                    Some(owner) => owner.with(add),
                    None => add(),
                }
            }
        });
    });
    table
}

/// Applies search, sorting and favourites to the store.
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
    /// Shows the symbol of the row that was clicked, or switches its star.
    fn click(&self, event: &MouseEvent) -> Option<()> {
        let target = event.target()?.dyn_into::<Element>().ok()?;
        let symbol = target
            .closest("tr[data-symbol]")
            .ok()??
            .get_attribute("data-symbol")?;
        if target.closest(".star").ok()?.is_some() {
            self.settings.favourites.toggle(&symbol);
        } else {
            self.grid.show(&symbol);
        }
        Some(())
    }
}

fn density_button(settings: Settings) -> Html {
    toggle(
        "Roomy",
        "More room for each row",
        move || settings.density.is("roomy"),
        move || settings.density.cycle(&DENSITIES),
    )
}
