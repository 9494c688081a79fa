//! The grid, the borders, and the labels of the axes.

use super::drawing::Drawing;
use super::layout::{Layout, PADDING, TIME_AXIS};
use super::text;
use crate::format;
use crate::plot::{Label, bar_marks, time_marks, value_ticks};
use crate::words;

/// The least distance between two labels on the price axis and on the time
/// axis, and of a label from the edge, in CSS pixels.
const VALUE_SPACING: f64 = 44.0;
const TIME_SPACING: f64 = 84.0;
const VALUE_EDGE: f64 = 8.0;
const TIME_EDGE: f64 = 24.0;

impl Drawing<'_> {
    /// Draws the grid, the borders, and the labels of the axes.
    pub(super) fn axes(&self) {
        let Layout {
            ratio, right, x, ..
        } = self.layout;
        let labels = if self.scene.axis.is_true() {
            let span = (x.value(0.0), x.value(*right));
            let count = (right / (TIME_SPACING * ratio)).max(2.0) as usize;
            let local = self.layout.local;
            let marks = time_marks(span, count, |time| text::offset_us(local, time));
            let label = |(place, mark)| Label {
                place,
                mark,
                wall_us: place + text::offset_us(local, place),
            };
            marks.into_iter().map(label).collect()
        } else {
            self.bar_labels()
        };
        let (values, step) = self.values();
        self.breaks();
        self.grid(&labels, &values);
        self.value_labels(&values, step);
        self.time_labels(labels);
    }

    /// The labels of an axis that is an index of bars.
    fn bar_labels(&self) -> Vec<Label> {
        let axis = self.scene.axis;
        let x = self.layout.x;
        let bars = self
            .bars(0)
            .iter()
            .map(|bar| (bar.time, axis.time(bar.time)));
        let bars: Vec<(f64, f64)> = bars.collect();
        let (Some(first), Some(last)) = (bars.first(), bars.last()) else {
            return Vec::new();
        };
        let offset_us = text::offsets(self.layout.local, (first.1, last.1));
        let middle = self.bucket_us / 2.0;
        let walls = bars
            .iter()
            .map(|(place, time)| (place + middle, time + offset_us(*time)));
        let spacing = x.value(TIME_SPACING * self.layout.ratio) - x.value(0.0);
        bar_marks(walls, spacing)
    }

    /// Shades the room of breaks: of the time in between there are no prices.
    fn breaks(&self) {
        let (surface, x) = (self.surface, self.layout.x);
        surface.fill(&self.scene.palette.raised);
        for (from, to) in self.scene.axis.breaks() {
            let (left, right) = (x.pixel(from).max(0.0), x.pixel(to).min(self.layout.right));
            if left < right {
                surface.rect(left, 0.0, right - left, self.layout.bottom);
            }
        }
    }

    /// The values of the price axis, and the step between them.
    fn values(&self) -> (Vec<f64>, f64) {
        let price = &self.layout.rooms[0];
        let (top, bottom) = (price.band.top, price.band.bottom);
        let span = (price.y.value(bottom), price.y.value(top));
        let spacing = VALUE_SPACING * self.layout.ratio;
        let count = ((bottom - top) / spacing).max(2.0) as usize;
        // Labels closer to each other than the last decimal would read the
        // same.
        let decimals = if self.scene.is_in_percent() {
            2
        } else {
            self.scene.decimals
        };
        value_ticks(span, count, 0.1f64.powi(decimals.cast_signed()))
    }

    fn grid(&self, labels: &[Label], values: &[f64]) {
        let Layout {
            width,
            right,
            bottom,
            x,
            rooms,
            ..
        } = self.layout;
        let (surface, thin) = (self.surface, self.thin());
        surface.fill(&self.scene.palette.border);
        for label in labels {
            surface.rect(x.pixel(label.place).round(), 0.0, thin, *bottom);
        }
        for value in values {
            surface.rect(0.0, rooms[0].y.pixel(*value).round(), *right, thin);
        }
        for room in rooms {
            surface.rect(0.0, room.band.bottom.round(), *width, thin);
        }
        surface.rect(*right, 0.0, thin, *bottom);
    }

    fn value_labels(&self, values: &[f64], step: f64) {
        let (layout, price) = (self.layout, &self.layout.rooms[0]);
        let left = layout.right + PADDING * layout.ratio;
        let edge = VALUE_EDGE * layout.ratio;
        self.surface.fill(&self.scene.palette.muted);
        for value in values {
            let y = price.y.pixel(*value);
            if y > edge && y < price.band.bottom - edge {
                let label = if self.scene.is_in_percent() {
                    format::rough_percent(*value)
                } else {
                    format::axis(*value, step, self.scene.decimals)
                };
                self.surface.write(&label, left, y);
            }
        }
    }

    fn time_labels(&self, labels: Vec<Label>) {
        let (layout, surface, palette) = (self.layout, self.surface, self.scene.palette);
        let middle = layout.bottom + TIME_AXIS * layout.ratio / 2.0;
        let edge = TIME_EDGE * layout.ratio;
        surface.align("center");
        // Small labels first: changing the colour takes as long as writing a
        // label.
        let mut large = Vec::new();
        for Label {
            place,
            mark,
            wall_us,
        } in labels
        {
            let at = layout.x.pixel(place);
            if at > edge && at < layout.right - edge {
                let (label, is_large) = text::mark(mark, wall_us);
                if is_large {
                    large.push((label, at));
                } else {
                    surface.write(&label, at, middle);
                }
            }
        }
        surface.fill(&palette.text);
        for (label, at) in large {
            surface.write(&label, at, middle);
        }
        surface.align("left");
        surface.fill(&palette.muted);
        let left = layout.right + PADDING * layout.ratio;
        surface.write(words::zone_short(layout.local), left, middle);
    }
}
