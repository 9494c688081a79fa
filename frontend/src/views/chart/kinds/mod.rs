//! Kinds of charts: how prices are drawn. Each is one file, which defines
//! everything about it; toolbar, keyboard, layout and painter know none by name.

use super::marks::Marks;
use crate::plot::{Bar, Growable, Scale};

/// The files of this folder that define a kind of chart, in the order of the
/// toolbar. The first is the default.
macro_rules! kinds {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// All kinds.
        pub(crate) const KINDS: &[&Kind] = &[$(&$name::KIND),*];
    };
}

kinds![candles, line, area, heikin_ashi];

/// A kind of chart.
pub struct Kind {
    /// Its name in settings and links.
    pub(crate) key: &'static str,
    /// Its name for people.
    pub(crate) name: &'static str,
    /// The key on the keyboard that chooses it.
    pub(crate) shortcut: &'static str,
    /// Whether it shows closing prices only.
    pub(crate) closes: bool,
    /// Makes the bars that are shown from the chart's own; `None` if those are
    /// the chart's own.
    pub(crate) bars: Option<Make>,
    /// Draws them.
    pub(super) draw: fn(&Marks<'_>, &Shown<'_>),
}

/// Makes the state from which bars are made of other bars.
pub(crate) type Make = fn() -> Box<dyn Growable<Bar>>;

/// What is visible of a chart's bars.
pub(super) struct Shown<'a> {
    /// Oldest first.
    pub(super) bars: &'a [Bar],
    /// Whether each is made of several bars, since one would be narrower than a
    /// pixel.
    pub(super) are_merged: bool,
    pub(super) y: &'a Scale,
    /// The lower edge of the prices.
    pub(super) bottom: f64,
}

impl Kind {
    /// The kind with this name in settings; the first one if there is none.
    pub fn of_key(key: &str) -> &'static Self {
        let known = KINDS.iter().find(|kind| kind.key == key);
        known.unwrap_or(&KINDS[0])
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_name_and_a_key_of_its_own() {
        for (place, kind) in KINDS.iter().enumerate() {
            assert!(Kind::of_key(kind.key) == *kind);
            let others = &KINDS[..place];
            assert!(!others.iter().any(|other| other.shortcut == kind.shortcut));
        }
        assert!(Kind::of_key("no such kind") == KINDS[0]);
    }
}
