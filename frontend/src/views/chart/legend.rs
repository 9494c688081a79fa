//! The values at a bar, written on the chart.

use super::layout::{Layout, PADDING, base, percent_of, value_label};
use super::scene::Scene;
use super::study::StudyKind;
use crate::format;
use crate::plot::{PaneKind, nearest};
use crate::views::canvas::Surface;

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
    let Some(bar) = scene.bars.get(index) else {
        return;
    };
    let palette = scene.palette;
    let is_narrow = layout.right < NARROW * layout.ratio;
    let mut line = Writer::at(surface, layout, 0.0);
    line.piece(scene.title, &palette.text);
    if scene.compared.is_empty() {
        let before = index
            .checked_sub(1)
            .and_then(|before| scene.bars.get(before));
        let change = bar.close - before.map_or(bar.open, |before| before.close);
        let percent = 100.0 * change / (bar.close - change);
        let colour = if bar.rose() {
            &palette.up
        } else {
            &palette.down
        };
        let names = ["O ", "  H ", "  L ", "  C "];
        let prices = [bar.open, bar.high, bar.low, bar.close];
        let mut text = String::new();
        let parts = names.into_iter().zip(prices);
        for (name, price) in parts.skip(if is_narrow { 3 } else { 0 }) {
            text += name;
            text += &value_label(scene, price);
        }
        text += "  ";
        text += &format::rough_percent(percent);
        // The text is one piece, since each piece is measured, which takes
        // longer than drawing it.
        line.piece(text.trim_start(), colour);
        let volume = "Vol ".to_owned() + &format::rough_compact(bar.volume);
        line.piece(&volume, &palette.muted);
    } else {
        let from = layout.x.value(0.0);
        let all = scene
            .compared
            .iter()
            .map(|compared| (compared.symbol, compared.bars));
        for (place, (symbol, bars)) in std::iter::once(("", scene.bars)).chain(all).enumerate() {
            let middle = bar.time + scene.interval_us / 2.0;
            let near = nearest(bars, scene.interval_us, middle).and_then(|near| bars.get(near));
            let percent = near.map_or(f64::NAN, |near| {
                percent_of(near.close, Some(base(bars, from)))
            });
            let text = symbol.to_owned() + " " + &format::rough_percent(percent);
            line.piece(
                text.trim_start(),
                &palette.lines[place % palette.lines.len()],
            );
        }
    }
    for (spec, values) in scene
        .studies
        .iter()
        .filter(|study| study.0.kind != StudyKind::Volume)
    {
        let values = values.get(index).copied().unwrap_or([f64::NAN; 3]);
        let lines = match spec.kind {
            StudyKind::Bollinger | StudyKind::Macd if !is_narrow => 3,
            _ => 1,
        };
        let write = |line: &mut Writer<'_>, decimals| {
            let mut text = spec.label();
            for value in &values[..lines] {
                text.push(' ');
                text += &match value.is_nan() {
                    true => format::NOTHING.to_owned(),
                    false => format::rounded(*value, decimals),
                };
            }
            line.piece(&text, &palette.lines[spec.colour()]);
        };
        match spec.pane() {
            None if scene.compared.is_empty() => write(&mut line, scene.decimals),
            None => {}
            Some(kind) => {
                let room = layout.rooms.iter().find(|room| room.pane.kind == kind);
                if let Some(room) = room {
                    let decimals = if kind == PaneKind::Rsi {
                        2
                    } else {
                        scene.decimals
                    };
                    write(&mut Writer::at(surface, layout, room.pane.top), decimals);
                }
            }
        }
    }
}
