//! The table of all symbols. The page contains only the rows that are visible;
//! they are filled again as one scrolls.

use std::cell::Cell;
use std::rc::Rc;

use leptos::ev::MouseEvent;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::canvas::observe_size;
use super::chart::ChartGrid;
use super::columns::{ColumnsMenu, Head, Layout, Row};
use super::controls::{Menu, Toggle};
use super::sparks::draw_sparks;
use crate::frames::Frames;
use crate::settings::Settings;
use crate::store::{Arrangement, Field, SortKey, Store};
use crate::theme::{DENSITIES, Looks};
use crate::words;

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
    scroll: NodeRef<html::Div>,
    /// The visible height, in CSS pixels.
    height: Cell<f64>,
    /// The index of the first row that is filled.
    first: RwSignal<usize>,
    /// An element as wide as ten digits.
    probe: NodeRef<html::Span>,
    layout: Layout,
}

impl Rows {
    pub(crate) fn new(store: Rc<Store>, grid: Rc<ChartGrid>) -> Rc<Self> {
        let settings = grid.settings();
        Rc::new(Self {
            settings,
            layout: Layout::new(settings),
            store,
            grid,
            scroll: NodeRef::new(),
            probe: NodeRef::new(),
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
        let widths = self.layout.widths;
        if let Some(probe) = self.probe.get_untracked() {
            let figure_px = probe.get_bounding_client_rect().width() / 10.0;
            if figure_px > 0.0 {
                widths.figure_px.set(figure_px);
            }
        }
        if let Some(scroll) = self.scroll.get_untracked() {
            // Without the scrollbar, if that takes up space.
            widths.room_px.set(f64::from(scroll.client_width()));
        }
    }

    /// Fills the visible rows.
    fn look(&self) {
        let Some(scroll) = self.scroll.get_untracked() else {
            return;
        };
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
        let Some(scroll) = self.scroll.get_untracked() else {
            return;
        };
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
    let (settings, layout, counts) = (rows.settings, rows.layout, rows.store.counts);
    arrange(Rc::clone(&rows.store), settings, search);
    follow_view(&rows);
    let (scroll, probe, first) = (rows.scroll, rows.probe, rows.first);
    let rows_px = move |rows: usize| format!("{}px", rows * row_px(settings) as usize);
    let is_unknown = move || counts.get().0 == 0;
    let is_found = move || is_unknown() || counts.get().1 > 0;
    let cycle = move |()| settings.density.cycle(&DENSITIES);
    let scrolled = Rc::clone(&rows);
    view! {
        <section class="panel watchlist" aria-label=words::MARKETS>
            <div class="panel-head">
                <h2>{words::WATCHLIST}</h2>
                <span class="muted">{move || words::found_of(counts.get())}</span>
                <Menu id="columns" label=words::COLUMNS_LABEL>
                    <ColumnsMenu setting=settings.columns columns=layout.all />
                </Menu>
                <Toggle
                    label=words::ROOMY
                    title=words::ROOMY_TITLE
                    is_on=Signal::derive(move || settings.density.is("roomy"))
                    act=cycle
                />
            </div>
            <div class="scroll" tabindex="-1" node_ref=scroll on:scroll=move |_| scrolled.look()>
                <div style:height=move || rows_px(counts.get().1 + 1)>
                    <Table rows frames looks top=Signal::derive(move || rows_px(first.get())) />
                </div>
                <span class="probe" aria-hidden="true" node_ref=probe>
                    "0000000000"
                </span>
                <div class="skeleton" aria-hidden="true" hidden=move || !is_unknown()></div>
                <p class="empty" hidden=is_found>
                    {move || words::no_symbol_matches(&search.get())}
                </p>
            </div>
        </section>
    }
}

/// Fills the rows again when their number, their height or the table's size
/// changes.
fn follow_view(rows: &Rc<Rows>) {
    let (counts, settings) = (rows.store.counts, rows.settings);
    let looker = Rc::clone(rows);
    Effect::new(move || {
        counts.track();
        settings.density.get();
        looker.look();
    });
    let sized = Rc::clone(rows);
    rows.scroll.on_load(move |scroll| {
        observe_size(&scroll, move |_, height| {
            sized.measure(f64::from(height) / window().device_pixel_ratio());
            sized.look();
        });
    });
}

/// The headings, and the rows of the slots. The number of rows never becomes
/// smaller.
#[component]
fn Table(
    rows: Rc<Rows>,
    frames: Frames,
    looks: Looks,
    /// The table's distance from the top: the height of the rows before it.
    top: Signal<String>,
) -> impl IntoView {
    let (settings, layout) = (rows.settings, rows.layout);
    let (counts, slots, shown) = (rows.store.counts, rows.store.slots, rows.store.shown);
    let body = NodeRef::<html::Tbody>::new();
    let store = Rc::clone(&rows.store);
    body.on_load(move |body| draw_sparks(store, &frames, body, looks));
    let heads = move || {
        let keys = layout.all.get().into_iter();
        keys.map(|key| view! { <Head key settings layout /> })
            .collect_view()
    };
    view! {
        <table
            aria-label=words::WATCHLIST
            aria-rowcount=move || (counts.get().1 + 1).to_string()
            style:margin-top=move || top.get()
        >
            <thead>
                <tr aria-rowindex="1">{move || heads()}</tr>
            </thead>
            <tbody node_ref=body on:click=move |event| _ = rows.click(&event)>
                <For
                    each=move || slots.get().into_iter().enumerate()
                    key=|(place, _)| *place
                    children=move |(_, slot)| view! { <Row signals=slot shown layout /> }
                />
            </tbody>
        </table>
    }
}

/// Applies search, sorting and favourites to the store.
fn arrange(store: Rc<Store>, settings: Settings, search: RwSignal<String>) {
    Effect::new(move || {
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
