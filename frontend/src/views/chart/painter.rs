//! Draws a chart onto two canvases: the data, and the crosshair above it.

use web_sys::HtmlCanvasElement;

use super::drawing::Drawing;
use super::layout::{Content, LABEL_HEIGHT, Layout, PADDING};
use super::legend;
use super::scene::Scene;
use crate::format;
use crate::plot::{Detail, within};
use crate::views::canvas::Surface;

/// The size of all text, in CSS pixels.
const FONT: f64 = 11.0;

/// Draws charts onto two canvases, one above the other.
pub struct Painter {
    data: Surface,
    pub(super) cross: Surface,
    /// The bars of each symbol, merged to the detail that the zoom level can
    /// show.
    details: Vec<Detail>,
    pub(super) layout: Option<Layout>,
    /// The price axis: the number of characters that it has room for, and its
    /// width in device pixels. It is kept, so that the plot's width does not
    /// change with each label.
    axis: (usize, f64),
    pub(super) cross_is_clear: bool,
}

impl Painter {
    /// A painter that draws the data onto the first canvas and the crosshair
    /// onto the second.
    pub fn new(data: Surface, cross: Surface) -> Self {
        Self {
            data,
            cross,
            details: Vec::new(),
            layout: None,
            axis: (0, 0.0),
            cross_is_clear: true,
        }
    }

    /// The width of the plot in CSS pixels, as last drawn.
    pub fn plot_width(&self) -> f64 {
        self.layout.as_ref().map_or(0.0, |l| l.right / l.ratio)
    }

    /// The vertical position of a price, in CSS pixels from the top.
    pub(super) fn y_of(&self, price: f64) -> Option<f64> {
        let layout = self.layout.as_ref()?;
        Some(layout.rooms[0].y.pixel(price) / layout.ratio)
    }

    /// The price at a vertical position, in CSS pixels from the top; `None`
    /// outside the pane of the prices.
    pub(super) fn price_at(&self, y: f64) -> Option<f64> {
        let layout = self.layout.as_ref()?;
        let (room, at) = (&layout.rooms[0], y * layout.ratio);
        let is_inside = (room.band.top..=room.band.bottom).contains(&at);
        is_inside.then(|| room.y.value(at))
    }

    /// The canvas of the data.
    pub(super) fn canvas(&self) -> &HtmlCanvasElement {
        &self.data.canvas
    }

    /// Drops the merged bars, because others will be drawn.
    pub fn forget(&mut self) {
        self.details.iter_mut().for_each(Detail::clear);
    }

    /// Draws everything but the crosshair on canvases of `size` device pixels,
    /// `ratio` of them to a CSS pixel. `with_legend` adds a legend of the
    /// newest bar; it is not set while the crosshair has one.
    pub fn paint(&mut self, scene: &Scene<'_>, size: (u32, u32), ratio: f64, with_legend: bool) {
        if (self.data.canvas.width(), self.data.canvas.height()) != size {
            // Another size may mean another ratio, and other text widths.
            self.axis.0 = 0;
        }
        self.data.clear(size);
        if (self.cross.canvas.width(), self.cross.canvas.height()) != size {
            self.cross.clear(size);
            self.cross_is_clear = true;
        }
        set_font(&self.data, ratio);
        let Self {
            data,
            details,
            axis,
            ..
        } = self;
        details.resize_with(scene.series_count(), Detail::default);
        let mut content = Content::of(scene, details, axis.1, size, ratio);
        let widest = content.widest_label();
        let figures = widest.chars().count();
        if figures != axis.0 {
            let width = data.text_width(&widest).ceil() + 2.0 * PADDING * ratio;
            *axis = (figures, width);
            content = Content::of(scene, details, width, size, ratio);
        }
        let layout = content.layout;
        let drawn = Drawing {
            surface: data,
            scene,
            layout: &layout,
            shown: &content.shown,
            details,
            bucket_us: content.bucket_us,
        };
        drawn.all();
        if with_legend && let Some(newest) = scene.bars.len().checked_sub(1) {
            legend::draw(data, scene, &layout, newest);
        }
        self.layout = Some(layout);
    }
}

pub(super) fn set_font(surface: &Surface, ratio: f64) {
    let size = format::plain(FONT * ratio, 1);
    surface
        .context
        .set_font(&format!("{size}px system-ui, sans-serif"));
    surface.context.set_text_baseline("middle");
    surface.align("left");
}

/// Draws a label on the price axis, with these colours for background and text.
pub(super) fn tag(
    surface: &Surface,
    layout: &Layout,
    y: f64,
    label: &str,
    (back, front): (&str, &str),
) {
    let height = LABEL_HEIGHT * layout.ratio;
    let top = within(y - height / 2.0, (0.0, layout.bottom - height)).round();
    surface.fill(back);
    surface.rect(
        layout.right + 1.0,
        top,
        layout.width - layout.right - 1.0,
        height,
    );
    surface.fill(front);
    surface.write(
        label,
        layout.right + PADDING * layout.ratio,
        top + height / 2.0,
    );
}
