//! The table of all symbols.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::html::Tbody;
use leptos::prelude::*;
use shared::Decimal;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlCanvasElement, MouseEvent};

use super::canvas::Surface;
use crate::format;
use crate::frames::Frames;
use crate::plot::{Point, Scale, columns};
use crate::store::{Flash, History, RowSignals, Store};
use crate::theme::{Palette, ThemeChoice};

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

/// Every symbol, a row each.
#[component]
pub(crate) fn Watchlist(
    store: Rc<Store>,
    frames: Frames,
    theme: ThemeChoice,
    search: RwSignal<String>,
) -> impl IntoView {
    let rows = store.row_signals;
    let selected = store.selected;
    let shown = Memo::new_with_compare(
        move |_| {
            let wanted = search.get().trim().to_lowercase();
            let matches = |row: &&RowSignals| {
                row.symbol.to_lowercase().contains(&wanted)
                    || row.name.to_lowercase().contains(&wanted)
            };
            rows.with(|rows| rows.iter().filter(matches).cloned().collect::<Vec<_>>())
        },
        // Rows have no equality worth computing; new rows or a new search
        // always mean a new list.
        |_, _| true,
    );
    let body = NodeRef::<Tbody>::new();
    draw_sparks(Rc::clone(&store), &frames, body, theme, shown);
    let count = move || {
        let all = rows.with(Vec::len);
        format!("{} of {all}", shown.with(Vec::len))
    };
    let nothing_found = move || {
        let found = shown.with(|shown| !shown.is_empty()) || rows.with(Vec::is_empty);
        (!found).then(
            || view! { <p class="empty">{format!("No symbol matches '{}'", search.get())}</p> },
        )
    };
    let loading = move || {
        rows.with(Vec::is_empty).then(|| {
            (0..14)
                .map(|_| view! { <div class="skeleton" aria-hidden="true"></div> })
                .collect_view()
        })
    };
    let select = move |event: MouseEvent| {
        if let Some(symbol) = symbol_at(&event) {
            store.select(&symbol);
        }
    };
    view! {
        <section class="panel watchlist" aria-label="Markets">
            <div class="panel-head"><h2>"Watchlist"</h2><span class="muted">{count}</span></div>
            <div class="scroll">
                <table aria-label="Watchlist">
                    <thead>
                        <tr>
                            {COLUMNS.map(|(column, heading, title)| view! {
                                <th scope="col" data-col=column title=title>{heading}</th>
                            }).collect_view()}
                        </tr>
                    </thead>
                    <tbody node_ref=body on:click=select>
                        <For
                            each=move || shown.get()
                            key=|row| (row.symbol.clone(), row.catalogue)
                            children=move |row| view! { <WatchlistRow row selected /> }
                        />
                    </tbody>
                </table>
                {loading}
                {nothing_found}
            </div>
        </section>
    }
}

/// The symbol of the row that was clicked on.
fn symbol_at(event: &MouseEvent) -> Option<String> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    let row = target.closest("tr[data-symbol]").ok().flatten()?;
    row.get_attribute("data-symbol")
}

#[component]
fn WatchlistRow(row: RowSignals, selected: RwSignal<Option<String>>) -> impl IntoView {
    let decimals = row.decimals;
    let price = move |value| format::fixed(value, decimals);
    let symbol = row.symbol.clone();
    let current = move || {
        let is_current = selected.with(|s| s.as_deref() == Some(symbol.as_str()));
        is_current.then_some("true")
    };
    let direction = |signal: &ArcRwSignal<Option<Decimal>>| {
        let signal = signal.clone();
        move || direction_of(signal.get())
    };
    let flash = row.flash.clone();
    let change = row.change.clone();
    let change_value = row.change.clone();
    let percent = row.change_percent.clone();
    let percent_value = row.change_percent.clone();
    let last = row.last.clone();
    let last_value = row.last.clone();
    view! {
        <tr data-symbol=row.symbol.clone() aria-current=current>
            <th scope="row" data-col="symbol" title=row.name.clone()>
                // The arrow keys reach it, so Tab need not stop at each row.
                <button type="button" tabindex="-1">{row.symbol.clone()}</button>
            </th>
            <td data-col="name">{row.name.clone()}</td>
            <td data-col="last" data-value=plain(last_value)>
                <span class=move || flash_class(flash.get())>{shown(last, price)}</span>
            </td>
            <td data-col="change" data-value=plain(change_value) class=direction(&row.change)>
                {shown(change, move |value| format!("{}\u{2009}{}", arrow(value), format::signed(value, decimals)))}
            </td>
            <td data-col="change_percent" data-value=plain(percent_value) class=direction(&row.change)>
                {shown(percent, format::percent)}
            </td>
            <NumberCell column="bid" value=row.bid show=price />
            <NumberCell column="ask" value=row.ask show=price />
            <NumberCell column="high" value=row.high show=price />
            <NumberCell column="low" value=row.low show=price />
            <NumberCell column="volume" value=row.volume show=format::compact />
            <td data-col="spark"><canvas data-spark=row.symbol.clone() aria-hidden="true"></canvas></td>
        </tr>
    }
}

#[component]
fn NumberCell(
    column: &'static str,
    value: ArcRwSignal<Option<Decimal>>,
    show: impl Fn(Decimal) -> String + Send + 'static,
) -> impl IntoView {
    let text = value.clone();
    view! { <td data-col=column data-value=plain(value)>{shown(text, show)}</td> }
}

/// The plain decimal, for machines; no attribute where there is no number.
fn plain(value: ArcRwSignal<Option<Decimal>>) -> impl Fn() -> Option<String> + Send {
    move || value.get().map(|value| value.to_string())
}

/// The number as people read it.
fn shown(
    value: ArcRwSignal<Option<Decimal>>,
    show: impl Fn(Decimal) -> String + Send,
) -> impl Fn() -> String + Send {
    move || {
        value
            .get()
            .map_or_else(|| format::NOTHING.to_owned(), &show)
    }
}

/// An arrow besides the colour, for those who see no difference between two
/// colours.
pub(super) fn arrow(change: Decimal) -> char {
    match change {
        change if change.is_zero() => '\u{2002}',
        change if change.is_sign_positive() => '▲',
        _ => '▼',
    }
}

/// The class that colours a change.
pub(super) fn direction_of(change: Option<Decimal>) -> &'static str {
    match change {
        Some(change) if change > Decimal::ZERO => "up",
        Some(change) if change < Decimal::ZERO => "down",
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

/// How many sparklines are drawn again in each frame, in turn, so that no frame
/// draws them all.
const SPARKS_PER_FRAME: u32 = 2;

fn draw_sparks(
    store: Rc<Store>,
    frames: &Frames,
    body: NodeRef<Tbody>,
    theme: ThemeChoice,
    shown: Memo<Vec<RowSignals>>,
) {
    let turn = Cell::new(0);
    // How many have to be drawn again even if no price moves.
    let due = Rc::new(Cell::new(0));
    let palette = Rc::new(RefCell::new(None));
    let requested = frames.clone();
    Effect::new({
        let (palette, due, requested) = (Rc::clone(&palette), Rc::clone(&due), requested.clone());
        move |_| {
            theme.get();
            *palette.borrow_mut() = Palette::read();
            due.set(shown.with(Vec::len));
            requested.request();
        }
    });
    frames.add(move || {
        let palette = palette.borrow();
        let (Some(body), Some(palette)) = (body.get_untracked(), palette.as_ref()) else {
            return;
        };
        let rows = body.child_element_count();
        for _ in 0..SPARKS_PER_FRAME.min(rows) {
            let index = turn.get() % rows;
            turn.set(index + 1);
            let row = body.children().item(index);
            let canvas = row.and_then(|row| row.query_selector("canvas").ok().flatten());
            if let Some(canvas) = canvas.and_then(|c| c.dyn_into::<HtmlCanvasElement>().ok()) {
                draw_spark(&store, &canvas, palette);
            }
        }
        due.set(due.get().saturating_sub(SPARKS_PER_FRAME as usize));
        if due.get() > 0 {
            requested.request();
        }
    });
}

fn draw_spark(store: &Store, canvas: &HtmlCanvasElement, palette: &Palette) -> Option<()> {
    let symbol = canvas.get_attribute("data-spark")?;
    let surface = Surface::of(canvas)?;
    let (width, height) = (surface.width, surface.height);
    store.with_history(&symbol, |history| {
        let (first, last, low, high) = extent(history)?;
        let x = Scale::new((first.time, last.time), (1.0, width - 2.0));
        let y = Scale::new((low, high), (height - 2.0, 2.0));
        let mut out = Vec::new();
        columns(history.points(), &x, &mut out);
        let rose = last.close >= first.close;
        surface
            .context
            .set_stroke_style_str(if rose { &palette.up } else { &palette.down });
        surface.line(&out, &y, 1.0);
        Some(())
    })?
}

/// First and last known point, lowest and highest price.
pub(super) fn extent(history: &History) -> Option<(Point, Point, f64, f64)> {
    let mut known = history.points().filter(|point| !point.close.is_nan());
    let first = *known.next()?;
    let mut all = (first, first, first.low, first.high);
    for point in known {
        all = (first, *point, all.2.min(point.low), all.3.max(point.high));
    }
    Some(all)
}
