//! The watchlist's columns: headings, cells, and the menu to choose them.

use leptos::prelude::*;
use shared::Decimal;

use super::button::{button, named};
use crate::format;
use crate::react::{flag, maybe, text};
use crate::settings::Settings;
use crate::store::{Field, Flash, Listing, Number, Slot};

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

/// The columns that are shown, in order; tracked.
pub(super) fn columns(settings: Settings) -> Vec<&'static str> {
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

/// A heading, which sorts.
pub(super) fn head(key: &'static str, settings: Settings) -> AnyView {
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

pub(super) fn row(slot: Slot, shown: RwSignal<Option<String>>, settings: Settings) -> AnyView {
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
pub(super) fn columns_menu(settings: Settings) -> AnyView {
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
