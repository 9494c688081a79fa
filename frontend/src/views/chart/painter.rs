//! The layer with the data: bars, studies, axes.

use std::ops::Range;

use web_sys::HtmlCanvasElement;

use super::layout::{
    Content, LABEL_HEIGHT, Layout, PADDING, Room, TIME_AXIS, base, drawn_bars, percent_of,
    value_label,
};
use super::legend;
use super::marks::Marks;
use super::scene::{Compared, Kind, Scene};
use super::study::StudyKind;
use super::text;
use crate::format;
use crate::plot::{Bar, Detail, PaneKind, time_marks, value_ticks, visible, within};
use crate::views::canvas::Surface;

/// Lengths in CSS pixels.
const FONT: f64 = 11.0;
/// The least distance between two labels on the price axis and on the time
/// axis.
const VALUE_SPACING: f64 = 44.0;
const TIME_SPACING: f64 = 84.0;

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
        let is_inside = (room.pane.top..=room.pane.bottom).contains(&at);
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
        let series = 1 + scene.compared.len();
        details.resize_with(series, Detail::default);
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
        drawn.axes();
        // Bars at the edge would extend beyond the plot.
        data.context.save();
        data.context.begin_path();
        data.context.rect(0.0, 0.0, layout.right, layout.bottom);
        data.context.clip();
        drawn.lower_panes();
        drawn.prices();
        data.context.restore();
        drawn.labels();
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

/// The levels that are marked in a pane.
fn levels(kind: PaneKind) -> &'static [f64] {
    match kind {
        PaneKind::Rsi => &[30.0, 70.0],
        PaneKind::Macd => &[0.0],
        PaneKind::Price | PaneKind::Volume => &[],
    }
}

/// One drawing of the data layer.
struct Drawing<'a> {
    surface: &'a Surface,
    scene: &'a Scene<'a>,
    layout: &'a Layout,
    shown: &'a [Range<usize>],
    details: &'a [Detail],
    bucket_us: f64,
}

impl Drawing<'_> {
    fn thin(&self) -> f64 {
        self.layout.ratio.floor().max(1.0)
    }

    fn marks(&self, bucket_us: f64) -> Marks<'_> {
        let x = self.layout.x;
        Marks {
            surface: self.surface,
            palette: self.scene.palette,
            x,
            bucket_us,
            bar_px: x.pixel(bucket_us) - x.pixel(0.0),
            thin: self.thin(),
        }
    }

    /// The visible bars of the chart's own symbol, or of one compared with it.
    fn bars(&self, series: usize) -> &[Bar] {
        let source = match series.checked_sub(1) {
            Some(other) => self.scene.compared[other].bars,
            None => self.scene.bars,
        };
        let bars = drawn_bars(
            source,
            &self.details[series],
            self.scene.interval_us,
            self.bucket_us,
        );
        &bars[self.shown[series].clone()]
    }

    /// Draws the grid, the borders, and the labels of the axes.
    fn axes(&self) {
        let Layout {
            ratio,
            width,
            right,
            bottom,
            x,
            rooms,
            local,
        } = self.layout;
        let (surface, palette, thin) = (self.surface, self.scene.palette, self.thin());
        let span = (x.value(0.0), x.value(*right));
        let count = (right / (TIME_SPACING * ratio)).max(2.0) as usize;
        let moments = time_marks(span, count, |time| text::offset_us(*local, time));
        let price = &rooms[0];
        let span = (
            price.y.value(price.pane.bottom),
            price.y.value(price.pane.top),
        );
        let height = price.pane.bottom - price.pane.top;
        let count = (height / (VALUE_SPACING * ratio)).max(2.0) as usize;
        // Labels closer to each other than the last decimal would read the
        // same.
        let decimals = if self.scene.compared.is_empty() {
            self.scene.decimals
        } else {
            2
        };
        let least = 0.1f64.powi(decimals.cast_signed());
        let (values, step) = value_ticks(span, count, least);
        surface.fill(&palette.border);
        for (moment, _) in &moments {
            surface.rect(x.pixel(*moment).round(), 0.0, thin, *bottom);
        }
        for value in &values {
            surface.rect(0.0, price.y.pixel(*value).round(), *right, thin);
        }
        for room in rooms {
            surface.rect(0.0, room.pane.bottom.round(), *width, thin);
        }
        surface.rect(*right, 0.0, thin, *bottom);
        surface.fill(&palette.muted);
        let left = right + PADDING * ratio;
        let edge = 8.0 * ratio;
        for value in values {
            let y = price.y.pixel(value);
            if y > edge && y < price.pane.bottom - edge {
                surface.write(&self.axis_label(value, step), left, y);
            }
        }
        let middle = bottom + TIME_AXIS * ratio / 2.0;
        surface.align("center");
        // Small labels first: changing the colour takes as long as writing a
        // label.
        let mut large = Vec::new();
        for (moment, mark) in moments {
            let at = x.pixel(moment);
            if at > 24.0 * ratio && at < right - 24.0 * ratio {
                let wall = moment + text::offset_us(*local, moment);
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
        surface.write(if *local { "local" } else { "UTC" }, left, middle);
    }

    fn axis_label(&self, value: f64, step: f64) -> String {
        if self.scene.compared.is_empty() {
            format::axis(value, step, self.scene.decimals)
        } else {
            format::rough_percent(value)
        }
    }

    /// Draws volume and oscillators.
    fn lower_panes(&self) {
        let palette = self.scene.palette;
        for Room { pane, y } in &self.layout.rooms[1..] {
            if pane.kind == PaneKind::Volume {
                self.marks(self.bucket_us).volumes(self.bars(0), y);
                continue;
            }
            let thin = self.thin();
            for level in levels(pane.kind) {
                self.surface.fill(&palette.border);
                self.surface
                    .rect(0.0, y.pixel(*level).round(), self.layout.right, thin);
            }
            let (bars, seen) = self.source();
            let studies = self
                .scene
                .studies
                .iter()
                .filter(|s| s.0.pane() == Some(pane.kind));
            for (spec, values) in studies {
                let values = values.get(seen.clone()).unwrap_or_default();
                let marks = self.marks(self.scene.interval_us);
                if spec.kind == StudyKind::Macd {
                    marks.histogram(bars, values, 2, y);
                    marks.study(bars, values, 1, y, &palette.lines[1]);
                }
                marks.study(bars, values, 0, y, &palette.lines[spec.colour()]);
            }
        }
    }

    /// The visible part of the bars from which studies were computed.
    fn source(&self) -> (&[Bar], Range<usize>) {
        let x = self.layout.x;
        let seen = visible(self.scene.bars, x.value(0.0), x.value(self.layout.right));
        (&self.scene.bars[seen.clone()], seen)
    }

    fn prices(&self) {
        let palette = self.scene.palette;
        let y = &self.layout.rooms[0].y;
        let marks = self.marks(self.bucket_us);
        let from = self.layout.x.value(0.0);
        let merged = self.bucket_us > self.scene.interval_us;
        if !self.scene.compared.is_empty() {
            for series in (0..self.shown.len()).rev() {
                let bars = self.bars(series);
                let base = base(bars, from);
                let colour = &palette.lines[series % palette.lines.len()];
                let value = |price| percent_of(price, Some(base));
                marks.closes(bars, merged, y, colour, None, &value);
            }
            return;
        }
        let accent = &palette.lines[0];
        match self.scene.kind {
            Kind::Candles => marks.candles(self.bars(0), y),
            Kind::Line | Kind::Area => {
                let bottom = self.layout.rooms[0].pane.bottom;
                let bottom = (self.scene.kind == Kind::Area).then_some(bottom);
                marks.closes(self.bars(0), merged, y, accent, bottom, &|price| price);
            }
        }
        let (bars, seen) = self.source();
        for (spec, values) in self
            .scene
            .studies
            .iter()
            .filter(|study| study.0.pane().is_none())
        {
            let values = values.get(seen.clone()).unwrap_or_default();
            let lines = if spec.kind == StudyKind::Bollinger {
                0..3
            } else {
                0..1
            };
            for line in lines {
                let marks = self.marks(self.scene.interval_us);
                marks.study(bars, values, line, y, &palette.lines[spec.colour()]);
            }
        }
    }

    /// Draws what is on the price axis besides its labels: the levels of
    /// oscillators, alerts, and the last price or the last value of each
    /// compared symbol.
    fn labels(&self) {
        let palette = self.scene.palette;
        let left = self.layout.right + PADDING * self.layout.ratio;
        self.surface.fill(&palette.muted);
        for Room { pane, y } in &self.layout.rooms {
            for level in levels(pane.kind) {
                self.surface
                    .write(&format::whole(*level), left, y.pixel(*level));
            }
        }
        let Some(newest) = self.scene.bars.last() else {
            return;
        };
        if self.scene.compared.is_empty() {
            self.alerts();
            let colour = if newest.rose() {
                &palette.up
            } else {
                &palette.down
            };
            self.last_value(newest.close, colour);
            return;
        }
        let from = self.layout.x.value(0.0);
        for series in (0..self.shown.len()).rev() {
            let bars = self.bars(series);
            let all = self
                .scene
                .compared
                .iter()
                .map(|Compared { bars, .. }| *bars);
            let newest = std::iter::once(self.scene.bars).chain(all).nth(series);
            if let Some(newest) = newest.and_then(<[Bar]>::last) {
                let value = percent_of(newest.close, Some(base(bars, from)));
                self.last_value(value, &palette.lines[series % palette.lines.len()]);
            }
        }
    }

    /// Draws the alerts on the price, each with the kind of its condition.
    fn alerts(&self) {
        let accent = &self.scene.palette.lines[0];
        let (surface, ratio) = (self.surface, self.layout.ratio);
        for alert in self.scene.alerts {
            if let Some(at) = self.value_line(alert.level, accent, 4.0) {
                surface.fill(accent);
                surface.write(alert.kind, PADDING * ratio, at - LABEL_HEIGHT * ratio / 2.0);
            }
        }
    }

    fn last_value(&self, value: f64, colour: &str) {
        self.value_line(value, colour, 1.0);
    }

    /// Draws a dashed horizontal line at a price, with a label on the axis.
    /// `dash` is the length of a dash. Returns its vertical position, if that
    /// is in view.
    fn value_line(&self, value: f64, colour: &str, dash: f64) -> Option<f64> {
        let Room { pane, y } = &self.layout.rooms[0];
        let (surface, thin) = (self.surface, self.thin());
        let at = y.pixel(value).round();
        if at < pane.top || at > pane.bottom {
            return None;
        }
        surface.context.set_stroke_style_str(colour);
        surface.context.set_line_width(thin);
        surface.dash(dash * thin, 3.0 * thin);
        surface.context.begin_path();
        surface.context.move_to(0.0, at + thin / 2.0);
        surface.context.line_to(self.layout.right, at + thin / 2.0);
        surface.context.stroke();
        surface.dash(0.0, 0.0);
        let label = value_label(self.scene, value);
        tag(
            self.surface,
            self.layout,
            at,
            &label,
            (colour, &self.scene.palette.panel),
        );
        Some(at)
    }
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
