//! The values at a bar, written on the chart.

use super::layout::{Layout, PADDING, base, percent_of, study_label, value_label};
use super::scene::Scene;
use crate::format;
use crate::plot::studies::{Pane, Source};
use crate::plot::{Bar, nearest};
use crate::views::canvas::Surface;
use crate::words;

const LINE_HEIGHT: f64 = 16.0;
const GAP: f64 = 8.0;
/// A plot narrower than this, in CSS pixels, has a shorter legend.
const NARROW: f64 = 440.0;

/// Writes texts one after the other, and continues on the next line where there
/// is no more room.
struct Writer<'a> {
    surface: &'a Surface,
    layout: &'a Layout,
    x: f64,
    y: f64,
}

impl<'a> Writer<'a> {
    fn at(surface: &'a Surface, layout: &'a Layout, top: f64) -> Self {
        Self {
            surface,
            layout,
            x: PADDING * layout.ratio,
            y: top + (2.0 + LINE_HEIGHT / 2.0) * layout.ratio,
        }
    }

    fn piece(&mut self, text: &str, colour: &str) {
        let ratio = self.layout.ratio;
        let width = self.surface.text_width(text);
        let first = PADDING * ratio;
        if self.x + width > self.layout.right && self.x > first {
            self.x = first;
            self.y += LINE_HEIGHT * ratio;
        }
        self.surface.fill(colour);
        self.surface.write(text, self.x, self.y);
        self.x += width + GAP * ratio;
    }
}

/// Writes the values at the bar with this index, in each pane.
pub(super) fn draw(surface: &Surface, scene: &Scene<'_>, layout: &Layout, index: usize) {
    let (Some(bar), Some(drawn)) = (scene.bars.get(index), scene.drawn.get(index)) else {
        return;
    };
    let is_narrow = layout.right < NARROW * layout.ratio;
    let mut line = Writer::at(surface, layout, 0.0);
    line.piece(scene.title, &scene.palette.text);
    if scene.is_in_percent() {
        percentages(&mut line, scene, bar);
    } else {
        prices(&mut line, scene, drawn, index, is_narrow);
        of_the_bar(&mut line, scene, bar);
    }
    for (place, (spec, values)) in scene.studies.iter().enumerate() {
        if matches!(spec.study.values, Source::Bar(_)) {
            // It is in the line of the bar.
            continue;
        }
        let values = values.get(index).copied().unwrap_or([f64::NAN; 3]);
        let count = if is_narrow { 1 } else { spec.study.lines.len() };
        let mut text = spec.label();
        for value in &values[..count] {
            text.push(' ');
            text += &study_label(*spec, scene.decimals, *value);
        }
        let colour = &scene.palette.lines[spec.study.lines[0].colour];
        match spec.study.pane {
            Pane::Price if scene.is_in_percent() => {}
            Pane::Price => line.piece(&text, colour),
            Pane::Own { .. } => {
                let room = layout.rooms.iter().find(|room| room.study == Some(place));
                if let Some(room) = room {
                    Writer::at(surface, layout, room.band.top).piece(&text, colour);
                }
            }
        }
    }
}

/// The studies whose values come from the bar by itself.
fn of_the_bar(line: &mut Writer<'_>, scene: &Scene<'_>, bar: &Bar) {
    for (spec, _) in scene.studies {
        if let Source::Bar(value) = spec.study.values {
            let value = study_label(*spec, scene.decimals, value(bar));
            let text = format!("{} {value}", spec.label());
            line.piece(&text, &scene.palette.muted);
        }
    }
}

/// The four prices of a bar, and its change.
fn prices(line: &mut Writer<'_>, scene: &Scene<'_>, bar: &Bar, index: usize, is_narrow: bool) {
    let before = index
        .checked_sub(1)
        .and_then(|index| scene.drawn.get(index));
    let base = before.map_or(bar.open, |before| before.close);
    let percent = percent_of(bar.close, Some(base));
    let palette = scene.palette;
    let colour = if bar.rose() {
        &palette.up
    } else {
        &palette.down
    };
    let prices = [bar.open, bar.high, bar.low, bar.close];
    let parts = words::BAR_PRICES.into_iter().zip(prices);
    let mut text = String::new();
    for (name, price) in parts.skip(if is_narrow { 3 } else { 0 }) {
        text += name;
        text += &value_label(scene, price);
    }
    text += "  ";
    text += &format::rough_percent(percent);
    // The text is one piece, since each piece is measured, which takes longer
    // than drawing it.
    line.piece(text.trim_start(), colour);
}

/// The change of each compared symbol since the first bar in view.
fn percentages(line: &mut Writer<'_>, scene: &Scene<'_>, bar: &Bar) {
    let from = line.layout.x.value(0.0);
    let middle = bar.time + scene.interval_us / 2.0;
    for series in 0..scene.series_count() {
        let bars = scene.series(series);
        let near = nearest(bars, scene.interval_us, middle).and_then(|near| bars.get(near));
        let percent = near.map_or(f64::NAN, |near| {
            percent_of(near.close, Some(base(bars, from)))
        });
        let other = series
            .checked_sub(1)
            .map(|other| scene.compared[other].symbol);
        let text = format!("{} {}", other.unwrap_or(""), format::rough_percent(percent));
        let colours = &scene.palette.lines;
        line.piece(text.trim_start(), &colours[series % colours.len()]);
    }
}
