//! The crosshair's layer.

use super::layout::{LABEL_HEIGHT, Layout, PADDING, study_label, value_label};
use super::painter::{Painter, set_font, tag};
use super::scene::Scene;
use super::{legend, text};
use crate::plot::{nearest, within};
use crate::views::canvas::Surface;

/// The position of the crosshair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cross {
    /// The time, which is the same on all charts.
    pub time_us: f64,
    /// The vertical position on the chart under the pointer, in CSS pixels.
    pub y: Option<f64>,
}

impl Painter {
    /// Draws the crosshair at the bar nearest to its time, or clears it.
    pub fn paint_cross(&mut self, scene: &Scene<'_>, cross: Option<Cross>) {
        let Some(layout) = &self.layout else {
            return;
        };
        let surface = &self.cross;
        if !std::mem::replace(&mut self.cross_is_clear, cross.is_none()) {
            surface.clear((surface.canvas.width(), surface.canvas.height()));
        }
        let Some(cross) = cross else {
            return;
        };
        let place = scene.axis.place(cross.time_us);
        let Some(index) = nearest(scene.bars, scene.interval_us, place) else {
            return;
        };
        set_font(surface, layout.ratio);
        legend::draw(surface, scene, layout, index);
        let bar = &scene.bars[index];
        let x = layout.x.pixel(bar.time + scene.interval_us / 2.0);
        let y = cross
            .y
            .map(|y| y * layout.ratio)
            .filter(|y| *y < layout.bottom);
        lines(surface, scene, layout, x, y);
        if let Some(y) = y {
            let label = label_at(scene, layout, y);
            let colours = (scene.palette.raised.as_str(), scene.palette.text.as_str());
            tag(surface, layout, y, &label, colours);
        }
        time_label(surface, scene, layout, x, scene.axis.time(bar.time));
    }
}

fn lines(surface: &Surface, scene: &Scene<'_>, layout: &Layout, x: f64, y: Option<f64>) {
    let (context, ratio) = (&surface.context, layout.ratio);
    context.set_stroke_style_str(&scene.palette.muted);
    context.set_line_width(ratio.floor().max(1.0));
    surface.dash(4.0 * ratio, 4.0 * ratio);
    context.begin_path();
    if x >= 0.0 && x <= layout.right {
        context.move_to(x.floor() + 0.5, 0.0);
        context.line_to(x.floor() + 0.5, layout.bottom);
    }
    if let Some(y) = y {
        context.move_to(0.0, y.floor() + 0.5);
        context.line_to(layout.right, y.floor() + 0.5);
    }
    context.stroke();
}

/// The label for the value at a vertical position, formatted as in its pane.
fn label_at(scene: &Scene<'_>, layout: &Layout, y: f64) -> String {
    let room = layout.rooms.iter().find(|room| y < room.band.bottom);
    let Some(room) = room else {
        return String::new();
    };
    let value = room.y.value(y);
    match room.study {
        None => value_label(scene, value),
        Some(study) => study_label(scene.studies[study].0, scene.decimals, value),
    }
}

fn time_label(surface: &Surface, scene: &Scene<'_>, layout: &Layout, x: f64, time_us: f64) {
    let ratio = layout.ratio;
    let label = text::moment(time_us, scene.interval_us, layout.local);
    let width = surface.text_width(&label) + 2.0 * PADDING * ratio;
    let left = within(x - width / 2.0, (0.0, layout.right - width));
    let (top, height) = (layout.bottom + 2.0 * ratio, LABEL_HEIGHT * ratio);
    surface.fill(&scene.palette.raised);
    surface.rect(left, top, width, height);
    surface.fill(&scene.palette.text);
    surface.write(&label, left + PADDING * ratio, top + height / 2.0);
}
