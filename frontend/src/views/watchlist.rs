//! The table of all symbols. Only rows that can be seen are in the page; they
//! are filled anew as one scrolls.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::html::{Div, Tbody};
use leptos::prelude::*;
use shared::Decimal;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlCanvasElement, MouseEvent};

use super::button::{button, menu, named};
use super::canvas::{Surface, observe_size};
use super::chart::Desk;
use crate::format;
use crate::frames::Frames;
use crate::plot::Scale;
use crate::react::{effect, flag, maybe, text};
use crate::settings::Settings;
use crate::store::{Arrangement, Field, Flash, Listing, Number, Slot, SortKey, Store};
use crate::theme::{Looks, Palette};

/// Key of a column, its heading, and what it is, for whoever hovers over it.
const COLUMNS: [(&str, &str, &str); 11] = [
    ("symbol", "Symbol", "Symbol"),
    ("name", "Name", "Name"),
    ("last", "Last", "Last price"),
    ("change", "Chg", "Change since the session's open"),
    (
        "change_percent",
        "Chg%",
        "Change since the session's open, in per cent",
    ),
    ("bid", "Bid", "Best bid"),
    ("ask", "Ask", "Best ask"),
    ("high", "High", "Highest price of the session (UTC day)"),
    ("low", "Low", "Lowest price of the session (UTC day)"),
    (
        "volume",
        "Volume",
        "Quantity traded in the session (UTC day)",
    ),
    ("spark", "Trend", "Price since the page was opened"),
];

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

/// The columns that are shown, in order; tracked.
fn columns(settings: Settings) -> Vec<&'static str> {
    let chosen = settings.columns.list();
    let all = COLUMNS.map(|(key, ..)| key);
    if chosen.is_empty() {
        return all.into();
    }
    let known = |key: &String| all.into_iter().find(|known| known == key);
    let others = chosen
        .iter()
        .filter_map(known)
        .filter(|key| *key != "symbol");
    std::iter::once("symbol").chain(others).collect()
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

/// A heading, which sorts.
fn head(key: &'static str, settings: Settings) -> AnyView {
    let (_, heading, title) = COLUMNS
        .into_iter()
        .find(|column| column.0 == key)
        .unwrap_or(COLUMNS[0]);
    if key == "spark" {
        return view! { <th scope="col" data-col=key title=title>{heading}</th> }.into_any();
    }
    let is_text = key == "symbol" || key == "name";
    let order = maybe(move || {
        let sort = settings.sort.get();
        let is_own = sort.trim_start_matches('-') == key;
        let order = if sort.starts_with('-') {
            "descending"
        } else {
            "ascending"
        };
        is_own.then(|| order.to_owned())
    });
    let sign = text(move || match order.get().as_deref() {
        Some("descending") => " ▾".to_owned(),
        Some(_) => " ▴".to_owned(),
        None => String::new(),
    });
    // Numbers from the highest down first, text from A; then the other way, then
    // as the server has them.
    let act = move |_| {
        let down = "-".to_owned() + key;
        let turns = if is_text {
            [key, &down, ""]
        } else {
            [&down, key, ""]
        };
        let now = settings.sort.get_untracked();
        let place = turns
            .iter()
            .position(|turn| *turn == now && !now.is_empty());
        settings.sort.set(turns[place.map_or(0, |place| place + 1)]);
    };
    view! {
        <th scope="col" data-col=key title=title aria-sort=order>
            <button type="button" on:click=act>{heading}<span aria-hidden="true">{sign}</span></button>
        </th>
    }
    .into_any()
}

fn row(slot: Slot, shown: RwSignal<Option<String>>, settings: Settings) -> AnyView {
    let listing = slot.listing;
    let of = move |read: fn(&Listing) -> String| listing.with(|listing| listing.as_ref().map(read));
    let symbol = maybe(move || of(|l| l.symbol.clone()));
    let current = maybe(move || {
        let is_shown = shown.with(|shown| shown.is_some() && *shown == symbol.get());
        is_shown.then(|| "true".to_owned())
    });
    let index = maybe(move || of(|l| (l.position + 2).to_string()));
    let is_free = flag(move || listing.with(Option::is_none));
    let cells = move || {
        let keys = columns(settings).into_iter();
        keys.map(|key| cell(key, slot)).collect::<Vec<_>>()
    };
    view! {
        <tr data-symbol=symbol aria-current=current aria-rowindex=index hidden=is_free>{cells}</tr>
    }
    .into_any()
}

fn cell(key: &'static str, slot: Slot) -> AnyView {
    let listing = slot.listing;
    let of = move |read: fn(&Listing) -> String| {
        text(move || listing.with(|listing| listing.as_ref().map(read).unwrap_or_default()))
    };
    let field = Field::ALL.into_iter().find(|field| field.key() == key);
    match (field, key) {
        (Some(field), _) => number_cell(field, slot),
        (None, "symbol") => view! {
            <th scope="row" data-col="symbol" title=of(|l| l.name.clone())>
                // The arrow keys and `f` do the same, so Tab need not stop at
                // each row.
                <button
                    type="button"
                    class="star"
                    tabindex="-1"
                    aria-label="Favourite"
                    aria-pressed=of(|l| l.favourite.to_string())
                >
                    {of(|l| if l.favourite { "★" } else { "☆" }.to_owned())}
                </button>
                <button type="button" tabindex="-1">{of(|l| l.symbol.clone())}</button>
            </th>
        }
        .into_any(),
        (None, "name") => view! { <td data-col="name">{of(|l| l.name.clone())}</td> }.into_any(),
        (None, _) => view! {
            <td data-col="spark">
                <canvas data-spark=of(|l| l.symbol.clone()) aria-hidden="true"></canvas>
            </td>
        }
        .into_any(),
    }
}

fn number_cell(field: Field, slot: Slot) -> AnyView {
    let value = maybe(move || slot.number(field).map(|number| number.value.to_string()));
    let class = text(move || match field {
        Field::Change | Field::ChangePercent => direction_of(slot.number(Field::Change)).to_owned(),
        _ => String::new(),
    });
    let flash = text(move || match field {
        Field::Last => flash_class(slot.flash.get()).to_owned(),
        _ => String::new(),
    });
    let shown = text(move || {
        let number = slot.number(field);
        number.map_or_else(|| format::NOTHING.to_owned(), |n| text_of(field, n))
    });
    view! {
        <td data-col=field.key() data-value=value class=class><span class=flash>{shown}</span></td>
    }
    .into_any()
}

/// A number as people read it.
pub(super) fn text_of(field: Field, Number { value, decimals }: Number) -> String {
    match field {
        Field::Change => {
            let mut text = arrow(value).to_owned();
            text.push('\u{2009}');
            text + &format::signed(value, decimals)
        }
        Field::ChangePercent => format::percent(value),
        Field::Volume => format::compact(value),
        _ => format::fixed(value, decimals),
    }
}

/// An arrow besides the colour, for those who see no difference between two
/// colours.
pub(super) fn arrow(change: Decimal) -> &'static str {
    match change {
        change if change.is_zero() => "\u{2002}",
        change if change.is_sign_positive() => "▲",
        _ => "▼",
    }
}

/// The class that colours a change.
pub(super) fn direction_of(change: Option<Number>) -> &'static str {
    match change {
        Some(change) if change.value > Decimal::ZERO => "up",
        Some(change) if change.value < Decimal::ZERO => "down",
        _ => "",
    }
}

/// Two classes with the same animation in turn: a change of class starts the
/// animation again without asking the browser for a layout.
fn flash_class(flash: Flash) -> &'static str {
    match flash {
        Flash::None => "",
        Flash::Up(count) if count % 2 == 0 => "flash-up-a",
        Flash::Up(_) => "flash-up-b",
        Flash::Down(count) if count % 2 == 0 => "flash-down-a",
        Flash::Down(_) => "flash-down-b",
    }
}

/// Which columns are shown, and in which order.
fn columns_menu(settings: Settings) -> AnyView {
    let setting = settings.columns;
    let lines = move || {
        let shown = columns(settings);
        let others = COLUMNS
            .map(|column| column.0)
            .into_iter()
            .filter(|key| !shown.contains(key));
        let all: Vec<_> = shown.iter().copied().chain(others).collect();
        let lines = all.into_iter().filter(|key| *key != "symbol").map(|key| {
            let title = COLUMNS.into_iter().find(|column| column.0 == key).map_or(key, |column| column.2);
            let place = shown.iter().position(|shown| *shown == key);
            let write = move |shown: Vec<&str>| setting.set(&shown.join(","));
            let shift = |label, title, by: isize| {
                let mut order = shown.clone();
                // The symbol stays where it is.
                let end = place.and_then(|place| place.checked_add_signed(by)).filter(|end| *end > 0 && *end < order.len());
                if let (Some(place), Some(end)) = (place, end) {
                    order.swap(place, end);
                }
                named(label, title, None, Box::new(move || write(order.clone())))
            };
            let mut toggled = shown.clone();
            match place {
                Some(place) => drop(toggled.remove(place)),
                None => toggled.push(key),
            }
            view! {
                <div class="line">
                    <label>
                        <input
                            type="checkbox"
                            prop:checked=place.is_some()
                            on:change=move |_| write(toggled.clone())
                        />
                        {title}
                    </label>
                    {place.map(|_| [shift("↑", "To the left", -1), shift("↓", "To the right", 1)].into_iter().collect_view())}
                </div>
            }
            .into_any()
        });
        lines.collect::<Vec<_>>()
    };
    let reset = button(
        Signal::stored("As many as fit".to_owned()),
        "Show the columns for which there is room",
        None,
        Box::new(move || setting.set("")),
    );
    view! { <div>{lines}</div>{reset} }.into_any()
}

/// How many sparklines are drawn again in each frame, in turn, so that no frame
/// draws them all; and how many of those that have another symbol.
const SPARKS_PER_FRAME: u32 = 2;
const NEW_SPARKS_PER_FRAME: u32 = 16;

fn draw_sparks(store: Rc<Store>, frames: &Frames, body: NodeRef<Tbody>, looks: Looks) {
    let turn = Cell::new(0);
    // What each canvas shows.
    let drawn = Rc::new(RefCell::new(Vec::<String>::new()));
    let requested = frames.clone();
    effect({
        let (drawn, frames) = (Rc::clone(&drawn), frames.clone());
        move || {
            looks.palette.track();
            drawn.borrow_mut().clear();
            frames.request();
        }
    });
    let paint = move || {
        let sparks = body.get_untracked()?.query_selector_all("canvas").ok()?;
        let (mut drawn, count) = (drawn.borrow_mut(), sparks.length());
        drawn.resize(count as usize, String::new());
        let (mut due, mut fresh) = (SPARKS_PER_FRAME.min(count), NEW_SPARKS_PER_FRAME);
        for step in 0..count {
            let place = (turn.get() + step) % count;
            let canvas = sparks.item(place)?.dyn_into::<HtmlCanvasElement>().ok()?;
            let symbol = canvas.get_attribute("data-spark").unwrap_or_default();
            let shown = &mut drawn[place as usize];
            if *shown != symbol && fresh > 0 {
                fresh -= 1;
            } else if due > 0 {
                due -= 1;
            } else {
                continue;
            }
            looks
                .palette
                .with_untracked(|palette| draw_spark(&store, canvas, &symbol, palette));
            *shown = symbol;
        }
        turn.set(turn.get().wrapping_add(SPARKS_PER_FRAME) % count.max(1));
        if fresh == 0 {
            requested.request();
        }
        Some(())
    };
    frames.add(move || _ = paint());
}

fn draw_spark(
    store: &Store,
    canvas: HtmlCanvasElement,
    symbol: &str,
    palette: &Palette,
) -> Option<()> {
    let (width, height) = (canvas.client_width(), canvas.client_height());
    if width == 0 {
        return None;
    }
    let ratio = window().device_pixel_ratio();
    let device = |length: i32| (f64::from(length) * ratio).round();
    let (width, height) = (device(width), device(height));
    let surface = Surface::of(canvas)?;
    surface.clear((width as u32, height as u32));
    store.with_spark(symbol, |spark| {
        let points = spark.points();
        let (first, last) = (points.first()?, points.last()?);
        let (low, high) = points
            .iter()
            .fold((first.1, first.1), |(low, high), point| {
                (low.min(point.1), high.max(point.1))
            });
        let x = Scale::new((first.0, last.0), (1.0, width - 2.0));
        let y = Scale::new((low, high), (height - 2.0, 2.0));
        let context = &surface.context;
        let rose = last.1 >= first.1;
        context.set_stroke_style_str(if rose { &palette.up } else { &palette.down });
        context.set_line_width(ratio);
        context.begin_path();
        for (time, price) in points {
            context.line_to(x.pixel(*time), y.pixel(*price));
        }
        context.stroke();
        Some(())
    })?
}
