//! The watchlist: which rows it shows and in which order, and the signals of
//! the rows in view.

use leptos::prelude::*;

use super::row::{Field, Flash, Number, Row};

/// The shortest time between two changes of the rows' order, in ms: if it were
/// shorter, nobody could click on a row.
const SORT_INTERVAL_MS: f64 = 1_000.0;
/// The position of a row that the filter leaves out.
const NOWHERE: usize = usize::MAX;

/// A symbol in a slot of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The symbol.
    pub symbol: String,
    /// Its name for people.
    pub name: String,
    /// Whether it is kept on top.
    pub favourite: bool,
    /// Its position among all rows that match the filter, from 0.
    pub position: usize,
    /// Whether the exchange that its prices come from is lost.
    pub is_lost: bool,
}

/// A slot of the table, with the signals of its cells. As one scrolls, rows
/// move through the slots, so there are no more slots than can be seen.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// The symbol in this slot; `None` if the slot is not needed.
    pub listing: RwSignal<Option<Listing>>,
    /// In the order of [`Field::ALL`].
    pub numbers: [RwSignal<Option<Number>>; Field::ALL.len()],
    /// The direction of the last price's change.
    pub flash: RwSignal<Flash>,
}

impl Slot {
    pub(super) fn new() -> Self {
        Self {
            listing: RwSignal::new(None),
            numbers: Field::ALL.map(|_| RwSignal::new(None)),
            flash: RwSignal::new(Flash::None),
        }
    }

    /// The number of a field; tracked.
    pub fn number(&self, field: Field) -> Option<Number> {
        self.numbers[field as usize].get()
    }

    pub(super) fn show(&self, row: &mut Row, now_ms: f64) {
        for (field, signal) in Field::ALL.into_iter().zip(self.numbers) {
            set_if_new(signal, row.number(field));
        }
        set_if_new(self.flash, row.show(now_ms));
    }

    fn take(&self, listing: Option<Listing>) {
        if self.listing.with_untracked(|old| *old != listing) {
            // A flash of the previous symbol must not show for this one.
            set_if_new(self.flash, Flash::None);
            self.listing.set(listing);
        }
    }
}

fn set_if_new<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}

/// What the rows are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// The server's order.
    Catalogue,
    /// The symbol.
    Symbol,
    /// The name.
    Name,
    /// A number; rows without it come last.
    Number(Field),
}

/// Which rows the person wants to see, and in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrangement {
    /// Part of a symbol or of a name.
    pub filter: String,
    /// What the rows are ordered by.
    pub key: SortKey,
    /// Whether the order is descending.
    pub descending: bool,
    /// Symbols that are kept on top.
    pub favourites: Vec<String>,
}

/// The watchlist's order, and its slots in view.
pub(super) struct Table {
    arrangement: Arrangement,
    /// The row at each position.
    order: Vec<usize>,
    /// The position of each row.
    positions: Vec<usize>,
    /// The position of the first slot.
    first: usize,
    slots: Vec<Slot>,
    /// The owner of the slots' signals. They live as long as the store,
    /// whichever effect asked for the slots first.
    owner: Option<Owner>,
    sorted_ms: f64,
    /// The exchanges that are lost.
    lost: Vec<String>,
    /// The order has to be computed again before anything is shown.
    is_stale: bool,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            arrangement: Arrangement {
                filter: String::new(),
                key: SortKey::Catalogue,
                descending: false,
                favourites: Vec::new(),
            },
            order: Vec::new(),
            positions: Vec::new(),
            first: 0,
            slots: Vec::new(),
            owner: Owner::current(),
            sorted_ms: 0.0,
            lost: Vec::new(),
            is_stale: true,
        }
    }
}

impl Table {
    pub(super) fn arrange(&mut self, arrangement: Arrangement) {
        self.arrangement = arrangement;
        self.is_stale = true;
    }

    /// Other rows have replaced the old ones.
    pub(super) fn invalidate(&mut self) {
        self.is_stale = true;
    }

    /// These exchanges are lost; returns whether that is news.
    pub(super) fn lose(&mut self, venues: Vec<String>) -> bool {
        let is_news = self.lost != venues;
        self.lost = venues;
        self.is_stale |= is_news;
        is_news
    }

    /// Whether the exchange that a row's prices come from is lost.
    pub(super) fn is_lost(&self, row: &Row) -> bool {
        let venue = row.state.venue.as_ref();
        venue.is_some_and(|venue| self.lost.contains(venue))
    }

    /// The rows that match the filter, in order.
    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }

    /// Sets the part that is in view: `count` rows from `first` on. Returns the
    /// slots, if their number has grown.
    pub(super) fn look(
        &mut self,
        first: usize,
        count: usize,
        rows: &mut [Row],
        now_ms: f64,
    ) -> Option<Vec<Slot>> {
        self.first = first;
        let grows = count > self.slots.len();
        let slots = &mut self.slots;
        let mut grow = || slots.resize_with(count.max(slots.len()), Slot::new);
        match &self.owner {
            Some(owner) => owner.with(grow),
            None => grow(),
        }
        self.fill(rows, now_ms);
        grows.then(|| self.slots.clone())
    }

    /// The rows in view.
    pub(super) fn in_view(&self) -> impl Iterator<Item = usize> {
        let places = self.order.iter().skip(self.first);
        places.take(self.slots.len()).copied()
    }

    /// Updates the slot of a row that has changed, if it is in view.
    pub(super) fn show(&self, place: usize, row: &mut Row, now_ms: f64) {
        let position = self.positions.get(place).copied().unwrap_or(NOWHERE);
        match position
            .checked_sub(self.first)
            .and_then(|slot| self.slots.get(slot))
        {
            Some(slot) => slot.show(row, now_ms),
            None => {
                row.show(now_ms);
            }
        }
    }

    /// Computes the order again, if it is stale, or if it depends on numbers
    /// and is old enough. Returns whether it did.
    pub(super) fn sort(&mut self, rows: &mut [Row], now_ms: f64) -> bool {
        let follows = matches!(self.arrangement.key, SortKey::Number(_));
        let due = follows && now_ms - self.sorted_ms >= SORT_INTERVAL_MS;
        if !self.is_stale && !due {
            return false;
        }
        self.is_stale = false;
        self.sorted_ms = now_ms;
        self.order = order_of(rows, &self.arrangement);
        self.positions.clear();
        self.positions.resize(rows.len(), NOWHERE);
        for (position, place) in self.order.iter().enumerate() {
            self.positions[*place] = position;
        }
        self.fill(rows, now_ms);
        true
    }

    fn fill(&self, rows: &mut [Row], now_ms: f64) {
        for (slot, position) in self.slots.iter().zip(self.first..) {
            let row = self
                .order
                .get(position)
                .and_then(|place| rows.get_mut(*place));
            let Some(row) = row else {
                slot.take(None);
                continue;
            };
            slot.take(Some(Listing {
                symbol: row.state.symbol.clone(),
                name: row.state.name.clone(),
                favourite: self.arrangement.favourites.contains(&row.state.symbol),
                position,
                is_lost: self.is_lost(row),
            }));
            slot.show(row, now_ms);
        }
    }
}

/// The rows that match the filter, favourites first, in the order of the sort
/// key.
fn order_of(rows: &[Row], arrangement: &Arrangement) -> Vec<usize> {
    let wanted = arrangement.filter.trim().as_bytes();
    let has = |text: &str| {
        let mut places = text.as_bytes().windows(wanted.len().max(1));
        wanted.is_empty() || places.any(|part| part.eq_ignore_ascii_case(wanted))
    };
    let matches = |row: &Row| has(&row.state.symbol) || has(&row.state.name);
    let number = |row: &Row| match arrangement.key {
        SortKey::Number(field) => {
            let value = row.number(field).map(|number| number.value.to_f64());
            // Rows without the number come last in both directions.
            let sign = if arrangement.descending { -1.0 } else { 1.0 };
            value.map_or(f64::INFINITY, |value| sign * value)
        }
        _ => 0.0,
    };
    let mut found: Vec<(bool, f64, usize)> = (0..)
        .zip(rows)
        .filter(|(_, row)| matches(row))
        .map(|(place, row)| {
            let favourite = arrangement.favourites.contains(&row.state.symbol);
            (!favourite, number(row), place)
        })
        .collect();
    let text = |place: usize| match arrangement.key {
        SortKey::Name => &rows[place].state.name,
        _ => &rows[place].state.symbol,
    };
    found.sort_unstable_by(|a, b| {
        let by_text = || match arrangement.key {
            SortKey::Symbol | SortKey::Name if arrangement.descending => text(b.2).cmp(text(a.2)),
            SortKey::Symbol | SortKey::Name => text(a.2).cmp(text(b.2)),
            _ => std::cmp::Ordering::Equal,
        };
        let order = a.0.cmp(&b.0).then(a.1.total_cmp(&b.1));
        order.then_with(by_text).then(a.2.cmp(&b.2))
    });
    found.into_iter().map(|(.., place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::SymbolState;

    fn row(symbol: &str, name: &str, last: Option<i64>) -> Row {
        Row::new(&SymbolState {
            symbol: symbol.to_owned(),
            name: name.to_owned(),
            decimals: 2,
            qty_decimals: 0,
            index: 0,
            venue: None,
            last: last.map(Into::into),
            bid: None,
            bid_qty: None,
            ask: None,
            ask_qty: None,
            previous: None,
            open: Some(10.into()),
            high: None,
            low: None,
            volume: 0.into(),
            time: None,
        })
    }

    fn check(filter: &str, key: SortKey, descending: bool, expect: &str) {
        let rows = [
            row("BTC", "Bitcoin", Some(12)),
            row("ETH", "Ether", None),
            row("AAPL", "Apple", Some(9)),
            row("EUR", "Euro", Some(11)),
        ];
        let order = order_of(
            &rows,
            &Arrangement {
                filter: filter.to_owned(),
                key,
                descending,
                favourites: vec!["EUR".to_owned()],
            },
        );
        let found: Vec<_> = order
            .iter()
            .map(|place| rows[*place].state.symbol.as_str())
            .collect();
        assert_eq!(found.join(" "), expect, "{filter:?} {key:?} {descending}");
    }

    #[test]
    fn favourites_come_first_and_the_rest_as_wanted() {
        let percent = SortKey::Number(Field::ChangePercent);
        check("", SortKey::Catalogue, false, "EUR BTC ETH AAPL");
        check("", SortKey::Symbol, false, "EUR AAPL BTC ETH");
        check("", SortKey::Symbol, true, "EUR ETH BTC AAPL");
        check("", SortKey::Name, false, "EUR AAPL BTC ETH");
        check("", percent, false, "EUR AAPL BTC ETH");
        check("", percent, true, "EUR BTC AAPL ETH");
        check(" E", SortKey::Symbol, false, "EUR AAPL ETH");
        check("coin", SortKey::Catalogue, false, "BTC");
        check("xyz", SortKey::Catalogue, false, "");
    }
}
