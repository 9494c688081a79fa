//! Studies: what is computed from a chart's bars and drawn over or below the
//! prices. Each is one file, which defines everything about it; menu, legend,
//! layout and painter read the definition, and know no study by name.

mod averages;

use super::{Bar, Growable, Growing};

/// The files of this folder that define a study, in the order of the menu and of
/// the panes.
macro_rules! studies {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// All studies.
        pub const STUDIES: &[&Study] = &[$(&$name::STUDY),*];
    };
}

studies![volume, sma, ema, vwap, bollinger, rsi, macd, atr];

/// The value where there is none, as before the first full period.
const NONE: f64 = f64::NAN;

/// The values of a study at one bar: up to three lines, NaN where there is no
/// value.
pub type Values = [f64; 3];

/// The values of a study with one line.
fn one(value: f64) -> Values {
    [value, NONE, NONE]
}

/// What a study is.
pub struct Study {
    /// Its name in settings and links, in lower-case letters.
    pub key: &'static str,
    /// Its name in the menu.
    pub name: &'static str,
    /// Its name in the legend, to which the period is added.
    pub label: &'static str,
    /// The number of bars, unless a person chooses another; `None` where there
    /// is nothing to choose.
    pub period: Option<usize>,
    /// Where it is drawn.
    pub pane: Pane,
    /// Its lines, in the order of the legend. The first is drawn last, on top.
    pub lines: &'static [Line],
    /// Where its values come from.
    pub values: Source,
    /// The bars before the visible ones that it needs.
    pub since: Since,
}

/// Where a study is drawn.
pub enum Pane {
    /// Over the prices, with their scale.
    Price,
    /// In a pane of its own.
    Own {
        /// The values from the lower to the upper edge.
        range: Range,
        /// The values that are marked by a line across the pane.
        guides: &'static [f64],
        /// How values are written.
        text: Text,
    },
}

/// The values from the lower to the upper edge of a pane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// Always these.
    Fixed(f64, f64),
    /// From zero to the highest visible value.
    FromZero,
    /// Zero in the middle, and room for all visible values.
    AroundZero,
    /// From the lowest to the highest visible value.
    Visible,
}

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// As prices of the symbol.
    Price,
    /// As quantities, as in `1.89K`.
    Quantity,
    /// With this many decimals.
    Decimals(u32),
}

/// A line of a study.
pub struct Line {
    /// Its colour, as an index into the palette's lines; columns have the
    /// colours of rising and falling prices.
    pub colour: usize,
    /// How it is drawn.
    pub style: Style,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A thin line.
    Thin,
    /// A column from zero for each bar, in the colour of the value's sign.
    BySign,
    /// A column from zero for each bar, in the colour of the bar.
    ByBar,
}

/// Where the values of a study come from.
pub enum Source {
    /// From each bar by itself. Where bars are merged, it is read from the
    /// merged bar.
    Bar(fn(&Bar) -> f64),
    /// From the bars up to this one, for a number of bars.
    Bars(fn(usize) -> Box<dyn Growable<Values>>),
}

/// The bars before the visible ones that a study needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// Its values soon do not depend on them any more.
    Any,
    /// Those since the beginning of the UTC day.
    Day,
}

/// A study over a number of bars.
#[derive(Clone, Copy)]
pub struct StudySpec {
    /// The study.
    pub study: &'static Study,
    /// The number of bars; 0 where there is nothing to choose.
    pub period: usize,
}

impl PartialEq for StudySpec {
    fn eq(&self, other: &Self) -> bool {
        self.study.key == other.study.key && self.period == other.period
    }
}

/// The longest period.
pub const PERIOD_MAX: usize = 500;

impl StudySpec {
    /// Reads a study from text such as `sma20`; `None` if there is no such
    /// study.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.trim_end_matches(|c: char| c.is_ascii_digit());
        let study = *STUDIES.iter().find(|study| study.key == name)?;
        let usual = study.period.unwrap_or(0);
        let period = text[name.len()..].parse().unwrap_or(usual);
        let period = study.period.map_or(0, |_| period.clamp(1, PERIOD_MAX));
        Some(Self { study, period })
    }

    /// The text from which it is read, as in `sma20`.
    pub fn text(self) -> String {
        match self.period {
            0 => self.study.key.to_owned(),
            period => format!("{}{period}", self.study.key),
        }
    }

    /// The label in the legend, as in `SMA 20`.
    pub fn label(self) -> String {
        match self.period {
            0 => self.study.label.to_owned(),
            period => format!("{} {period}", self.study.label),
        }
    }

    /// The values, to be computed from bars; `None` for a study of single bars.
    pub fn growing(self) -> Option<Growing<Values>> {
        match self.study.values {
            Source::Bar(_) => None,
            Source::Bars(new) => Some(Growing::new(new(self.period))),
        }
    }
}

#[cfg(test)]
mod tests;
