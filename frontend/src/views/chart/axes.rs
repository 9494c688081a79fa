//! The grid, the borders, and the labels of the axes.

use super::drawing::Drawing;
use super::layout::{Layout, PADDING, TIME_AXIS};
use super::text;
use crate::format;
use crate::plot::{Mark, time_marks, value_ticks};
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
        let span = (x.value(0.0), x.value(*right));
        let count = (right / (TIME_SPACING * ratio)).max(2.0) as usize;
        let local = self.layout.local;
        let moments = time_marks(span, count, |time| text::offset_us(local, time));
        let (values, step) = self.values();
        self.grid(&moments, &values);
        self.value_labels(&values, step);
        self.time_labels(moments);
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

    fn grid(&self, moments: &[(f64, Mark)], values: &[f64]) {
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
        for (moment, _) in moments {
            surface.rect(x.pixel(*moment).round(), 0.0, thin, *bottom);
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

    fn time_labels(&self, moments: Vec<(f64, Mark)>) {
        let (layout, surface, palette) = (self.layout, self.surface, self.scene.palette);
        let middle = layout.bottom + TIME_AXIS * layout.ratio / 2.0;
        let edge = TIME_EDGE * layout.ratio;
        surface.align("center");
        // Small labels first: changing the colour takes as long as writing a
        // label.
        let mut large = Vec::new();
        for (moment, mark) in moments {
            let at = layout.x.pixel(moment);
            if at > edge && at < layout.right - edge {
                let wall = moment + text::offset_us(layout.local, moment);
                let (label, is_large) = text::mark(mark, wall);
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
