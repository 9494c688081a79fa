//! The watchlist's columns: headings, cells, and the menu to choose them.

use leptos::prelude::*;
use shared::Decimal;

use super::button::button;
use crate::dom::{Html, html};
use crate::format;
use crate::settings::{Setting, Settings};
use crate::store::{Field, Flash, Listing, Number, Slot};

/// A column's key, its heading, and the text shown when one hovers over it.
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

/// Which columns are shown if there is room, the most important first. The
/// columns of a line are shown or hidden together. The first line is always
/// shown.
const WANTED: [&[&str]; 6] = [
    &["symbol", "last", "change_percent"],
    &["spark"],
    &["bid", "ask"],
    &["volume", "change"],
    &["high", "low"],
    &["name"],
];

/// The padding of a cell, both sides together, and the additional padding at
/// each of the table's edges, in CSS pixels, as in the style sheet.
const CELL_PX: f64 = 8.0;
const EDGE_PX: f64 = 8.0;
/// The width of the star with its padding.
const STAR_PX: f64 = 28.0;
const NAME_PX: f64 = 120.0;
const SPARK_PX: f64 = 84.0;
/// The least and the most characters of a symbol for which the column has room.
/// The title shows a longer symbol in full.
const SYMBOL_CHARS: (usize, usize) = (10, 26);

/// The widths of columns. Each is as wide as the longest text that was ever in
/// it, so that nothing is cut off, and nothing moves when a number becomes
/// shorter.
#[derive(Clone, Copy)]
pub(super) struct Widths {
    /// The width of a digit, in CSS pixels; all digits have the same width.
    pub(super) figure_px: RwSignal<f64>,
    /// The width that the table may take, in CSS pixels.
    pub(super) room_px: RwSignal<f64>,
    /// The longest symbol, in characters.
    symbol: RwSignal<usize>,
    /// The longest text of each field, in characters.
    numbers: [RwSignal<usize>; Field::ALL.len()],
}

impl Widths {
    pub(super) fn new() -> Self {
        Self {
            figure_px: RwSignal::new(7.0),
            room_px: RwSignal::new(0.0),
            symbol: RwSignal::new(SYMBOL_CHARS.0),
            // Room for the heading, and for the arrow that shows the order.
            numbers: Field::ALL.map(|field| RwSignal::new(heading_of(field.key()).len() + 2)),
        }
    }

    fn note(self, field: Field, text: &str) {
        let mut chars = text.chars().count();
        if field == Field::Change {
            // An arrow is wider than a digit.
            chars += 1;
        }
        grow(self.numbers[field as usize], chars);
    }

    fn note_symbol(self, symbol: &str) {
        grow(self.symbol, symbol.chars().count().min(SYMBOL_CHARS.1));
    }

    /// The width of a column, in CSS pixels; tracked.
    fn of(self, key: &str) -> f64 {
        let figure_px = self.figure_px.get();
        let field = Field::ALL.into_iter().find(|field| field.key() == key);
        match (field, key) {
            (Some(field), _) => {
                (self.numbers[field as usize].get() as f64 * figure_px).ceil() + CELL_PX
            }
            (None, "symbol") => {
                // Symbols are bold, and letters are wider than digits.
                let letter_px = 1.2 * figure_px;
                STAR_PX + CELL_PX + EDGE_PX + (self.symbol.get() as f64 * letter_px).ceil()
            }
            (None, "name") => NAME_PX,
            (None, _) => SPARK_PX,
        }
    }
}

fn grow(longest: RwSignal<usize>, chars: usize) {
    if longest.get_untracked() < chars {
        longest.set(chars);
    }
}

fn heading_of(key: &str) -> &'static str {
    let column = COLUMNS.into_iter().find(|column| column.0 == key);
    column.map_or("", |column| column.1)
}

/// The table's columns: all of them, and those that are visible.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// The columns in order: those that the person chose, or all.
    pub(super) all: Memo<Vec<&'static str>>,
    /// The visible ones: all that the person chose, or as many as there is room
    /// for.
    pub(super) seen: Memo<Vec<&'static str>>,
    pub(super) widths: Widths,
}

impl Layout {
    pub(super) fn new(settings: Settings) -> Self {
        let widths = Widths::new();
        let all = Memo::new(move |_| columns(settings));
        let seen = Memo::new(move |_| {
            if settings.columns.is("") {
                fitting(widths)
            } else {
                all.get()
            }
        });
        Self { all, seen, widths }
    }

    /// Hides a cell while its column is not visible.
    fn hides(self, cell: Html, key: &'static str) -> Html {
        cell.flag("hidden", move || {
            self.seen.with(|seen| !seen.contains(&key))
        })
    }
}

/// The columns of the table, in order; tracked.
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

/// The columns for which there is room; tracked.
fn fitting(widths: Widths) -> Vec<&'static str> {
    let mut left_px = widths.room_px.get() - EDGE_PX;
    let mut seen = Vec::new();
    for (rank, keys) in WANTED.into_iter().enumerate() {
        left_px -= keys.iter().map(|key| widths.of(key)).sum::<f64>();
        if left_px < 0.0 && rank > 0 {
            break;
        }
        seen.extend(keys);
    }
    seen
}

/// A column's heading, with a button that sorts by the column.
pub(super) fn head(key: &'static str, settings: Settings, layout: Layout) -> Html {
    let widths = layout.widths;
    let (_, heading, title) = COLUMNS
        .into_iter()
        .find(|column| column.0 == key)
        .unwrap_or(COLUMNS[0]);
    let cell = html(r#"<th scope="col"></th>"#)
        .set("data-col", key)
        .set("title", title)
        .style("width", move || Some(format!("{}px", widths.of(key))));
    let cell = layout.hides(cell, key);
    if key == "spark" {
        return cell.say(heading);
    }
    let order = move || {
        let sort = settings.sort.get();
        let is_own = sort.trim_start_matches('-') == key;
        let is_falling = sort.starts_with('-');
        is_own.then_some(if is_falling {
            "descending"
        } else {
            "ascending"
        })
    };
    let sign = move || match order() {
        Some("descending") => " ▾".to_owned(),
        Some(_) => " ▴".to_owned(),
        None => String::new(),
    };
    // The first click sorts numbers in descending and text in ascending order,
    // the second one the other way, and the third one restores the server's
    // order.
    let act = move || {
        let down = "-".to_owned() + key;
        let turns = if key == "symbol" || key == "name" {
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
    let sign = html(r#"<span aria-hidden="true"></span>"#).text(sign);
    let button = html(r#"<button type="button"></button>"#).say(heading);
    cell.attr("aria-sort", move || order().map(str::to_owned))
        .with([button.with([sign]).click(act)])
}

/// The row of a slot.
pub(super) fn row(slot: Slot, shown: RwSignal<Option<String>>, layout: Layout) -> Html {
    let listing = slot.listing;
    let of = move |read: fn(&Listing) -> String| listing.with(|listing| listing.as_ref().map(read));
    let symbol = move || of(|l| l.symbol.clone());
    let current = move || {
        let is_shown = shown.with(|shown| shown.is_some() && *shown == symbol());
        is_shown.then(|| "true".to_owned())
    };
    html("<tr></tr>")
        .attr("data-symbol", symbol)
        .attr("aria-current", current)
        .attr("aria-rowindex", move || {
            of(|l| (l.position + 2).to_string())
        })
        .flag("hidden", move || listing.with(Option::is_none))
        .children(move || {
            let keys = layout.all.get().into_iter();
            keys.map(|key| layout.hides(cell(key, slot, layout.widths), key))
                .collect()
        })
}

fn cell(key: &'static str, slot: Slot, widths: Widths) -> Html {
    let listing = slot.listing;
    let of = move |read: fn(&Listing) -> String| {
        move || listing.with(|listing| listing.as_ref().map(read).unwrap_or_default())
    };
    let symbol = of(|l| l.symbol.clone());
    let field = Field::ALL.into_iter().find(|field| field.key() == key);
    match (field, key) {
        (Some(field), _) => number_cell(field, slot, widths),
        // The arrow keys and `f` do the same as the buttons of a row, so Tab
        // need not stop there.
        (None, "symbol") => html(r#"<th scope="row" data-col="symbol"></th>"#)
            .attr("title", move || Some(of(|l| [&l.symbol, ": ", &l.name].concat())()))
            .with([
                html(r#"<button type="button" class="star" tabindex="-1" aria-label="Favourite"></button>"#)
                    .attr("aria-pressed", move || Some(of(|l| l.favourite.to_string())()))
                    .text(of(|l| if l.favourite { "★" } else { "☆" }.to_owned())),
                html(r#"<button type="button" tabindex="-1"></button>"#).text(move || {
                    let symbol = symbol();
                    widths.note_symbol(&symbol);
                    symbol
                }),
            ]),
        (None, "name") => html(r#"<td data-col="name"></td>"#).text(of(|l| l.name.clone())),
        (None, _) => html(r#"<td data-col="spark"></td>"#).with([
            html(r#"<canvas aria-hidden="true"></canvas>"#)
                .attr("data-spark", move || Some(symbol())),
        ]),
    }
}

fn number_cell(field: Field, slot: Slot, widths: Widths) -> Html {
    let shown = html("<span></span>").text(move || {
        let number = slot.number(field);
        let text = number.map_or_else(|| format::NOTHING.to_owned(), |n| text_of(field, n));
        widths.note(field, &text);
        text
    });
    let cell = html("<td></td>")
        .set("data-col", field.key())
        .attr("data-value", move || {
            slot.number(field).map(|number| number.value.to_string())
        });
    match field {
        Field::Last => cell.with([shown.attr("class", move || {
            Some(flash_class(slot.flash.get()).to_owned())
        })]),
        Field::Change | Field::ChangePercent => cell.with([shown]).attr("class", move || {
            Some(direction_of(slot.number(Field::Change)).to_owned())
        }),
        _ => cell.with([shown]),
    }
}

/// A number as text.
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

/// An arrow in addition to the colour, for people who cannot tell the two
/// colours apart.
pub(super) fn arrow(change: Decimal) -> &'static str {
    match change {
        change if change.is_zero() => "\u{2002}",
        change if change > Decimal::ZERO => "▲",
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

/// Two classes with the same animation, used alternately: changing the class
/// restarts the animation without forcing the browser to compute the layout.
fn flash_class(flash: Flash) -> &'static str {
    match flash {
        Flash::None => "",
        Flash::Up(count) if count % 2 == 0 => "flash-up-a",
        Flash::Up(_) => "flash-up-b",
        Flash::Down(count) if count % 2 == 0 => "flash-down-a",
        Flash::Down(_) => "flash-down-b",
    }
}

/// The menu in which columns are chosen and ordered.
pub(super) fn columns_menu(settings: Settings, columns: Memo<Vec<&'static str>>) -> [Html; 2] {
    let setting = settings.columns;
    let lines = move || {
        let shown = columns.get();
        let others = COLUMNS
            .map(|column| column.0)
            .into_iter()
            .filter(|key| !shown.contains(key));
        let all: Vec<_> = shown.iter().copied().chain(others).collect();
        let all = all.into_iter().filter(|key| *key != "symbol");
        all.map(|key| menu_line(key, &shown, setting)).collect()
    };
    let reset = button(
        "As many as fit",
        "Show the columns for which there is room",
        move || setting.set(""),
    );
    [html("<div></div>").children(lines), reset]
}

/// A column in the menu: its checkbox, and the buttons that move it.
fn menu_line(key: &'static str, shown: &[&'static str], setting: Setting) -> Html {
    let title = COLUMNS
        .into_iter()
        .find(|column| column.0 == key)
        .map_or(key, |column| column.2);
    let place = shown.iter().position(|shown| *shown == key);
    let shift = |label, title, by: isize| {
        let mut order = shown.to_vec();
        // The symbol is always the first column.
        let end = place.and_then(|place| place.checked_add_signed(by));
        let end = end.filter(|end| *end > 0 && *end < order.len());
        if let (Some(place), Some(end)) = (place, end) {
            order.swap(place, end);
        }
        button(label, title, move || setting.set(&order.join(",")))
    };
    let shifts = place.map(|_| [shift("↑", "To the left", -1), shift("↓", "To the right", 1)]);
    let mut toggled = shown.to_vec();
    match place {
        Some(place) => drop(toggled.remove(place)),
        None => toggled.push(key),
    }
    let tick = html(r#"<input type="checkbox">"#)
        .checked(move || place.is_some())
        .input("change", move |_| setting.set(&toggled.join(",")));
    html(r#"<div class="line"></div>"#)
        .with([html("<label></label>").with([tick]).say(title)])
        .with(shifts.into_iter().flatten())
}
