//! The layer with the data: bars, studies, and what is marked on the price axis.

use std::ops::Range;

use super::kinds::Shown;
use super::layout::{
    LABEL_HEIGHT, Layout, PADDING, Room, base, drawn_bars, percent_of, value_label,
};
use super::marks::Marks;
use super::painter::tag;
use super::scene::{Scene, value_at};
use crate::format;
use crate::plot::studies::{Pane, Source, StudySpec, Style, Values};
use crate::plot::{Bar, Detail, Scale, visible};
use crate::views::canvas::Surface;

/// The length of the dashes of an alert's line and of that of the last price, in
/// thin lines, and of the gaps between them.
const ALERT_DASH: f64 = 4.0;
const LAST_DASH: f64 = 1.0;
const DASH_GAP: f64 = 3.0;

/// One drawing of the data layer.
pub(super) struct Drawing<'a> {
    pub(super) surface: &'a Surface,
    pub(super) scene: &'a Scene<'a>,
    pub(super) layout: &'a Layout,
    /// The range of each symbol's drawn bars that is visible.
    pub(super) shown: &'a [Range<usize>],
    pub(super) details: &'a [Detail],
    /// The length of the bars as they are drawn.
    pub(super) bucket_us: f64,
}

impl Drawing<'_> {
    /// Draws everything but the legend.
    pub(super) fn all(&self) {
        self.axes();
        // Bars at the edge would extend beyond the plot.
        let (context, layout) = (&self.surface.context, self.layout);
        context.save();
        context.begin_path();
        context.rect(0.0, 0.0, layout.right, layout.bottom);
        context.clip();
        self.lower_panes();
        self.prices();
        context.restore();
        self.labels();
    }

    /// The width of a thin line, in device pixels.
    pub(super) fn thin(&self) -> f64 {
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
    pub(super) fn bars(&self, series: usize) -> &[Bar] {
        let source = self.scene.series(series);
        let detail = &self.details[series];
        let bars = drawn_bars(source, detail, self.scene.interval_us, self.bucket_us);
        &bars[self.shown[series].clone()]
    }

    /// Draws the studies that have a pane of their own.
    fn lower_panes(&self) {
        for Room { y, study, .. } in &self.layout.rooms[1..] {
            let Some((spec, values)) = study.map(|study| self.scene.studies[study]) else {
                continue;
            };
            self.surface.fill(&self.scene.palette.border);
            for guide in guides(spec) {
                let at = y.pixel(*guide).round();
                self.surface.rect(0.0, at, self.layout.right, self.thin());
            }
            self.study(spec, values, y);
        }
    }

    /// Draws the lines of a study, the first one on top.
    fn study(&self, spec: StudySpec, values: &[Values], y: &Scale) {
        let (bars, values, length_us) = match spec.study.values {
            Source::Bar(_) => (self.bars(0), values, self.bucket_us),
            Source::Bars(_) => {
                let x = self.layout.x;
                let seen = visible(self.scene.bars, x.value(0.0), x.value(self.layout.right));
                let values = values.get(seen.clone()).unwrap_or_default();
                (&self.scene.bars[seen], values, self.scene.interval_us)
            }
        };
        let marks = self.marks(length_us);
        for (index, line) in spec.study.lines.iter().enumerate().rev() {
            let value = |bar: usize| value_at(spec, &bars[bar], values, bar, index);
            match line.style {
                Style::Thin => {
                    let colour = &self.scene.palette.lines[line.colour];
                    marks.study(bars, &value, y, colour);
                }
                Style::BySign => marks.columns(bars, &value, &|bar| value(bar) >= 0.0, y),
                Style::ByBar => marks.columns(bars, &value, &|bar| bars[bar].rose(), y),
            }
        }
    }

    fn prices(&self) {
        let Room { y, band, .. } = &self.layout.rooms[0];
        let marks = self.marks(self.bucket_us);
        let shown = |series| Shown {
            bars: self.bars(series),
            are_merged: self.bucket_us > self.scene.interval_us,
            y,
            bottom: band.bottom,
        };
        if self.scene.is_in_percent() {
            let (from, colours) = (self.layout.x.value(0.0), &self.scene.palette.lines);
            for series in (0..self.shown.len()).rev() {
                let shown = shown(series);
                let base = base(shown.bars, from);
                let value = |price| percent_of(price, Some(base));
                marks.line(&shown, &colours[series % colours.len()], None, &value);
            }
            return;
        }
        (self.scene.kind.draw)(&marks, &shown(0));
        for (spec, values) in self.scene.studies {
            if matches!(spec.study.pane, Pane::Price) {
                self.study(*spec, values, y);
            }
        }
    }

    /// Draws what is on the price axis besides its labels: the guides of
    /// studies, alerts, and the last price or the last value of each compared
    /// symbol.
    fn labels(&self) {
        let palette = self.scene.palette;
        let left = self.layout.right + PADDING * self.layout.ratio;
        self.surface.fill(&palette.muted);
        for Room { y, study, .. } in &self.layout.rooms {
            let spec = study.map(|study| self.scene.studies[study].0);
            for guide in spec.map_or(&[][..], guides) {
                self.surface
                    .write(&format::shortest(*guide), left, y.pixel(*guide));
            }
        }
        if self.scene.is_in_percent() {
            return self.last_values();
        }
        if let Some(newest) = self.scene.bars.last() {
            self.alerts();
            let colour = if newest.rose() {
                &palette.up
            } else {
                &palette.down
            };
            self.value_line(newest.close, colour, LAST_DASH);
        }
    }

    /// Draws the last value of each compared symbol.
    fn last_values(&self) {
        let (from, colours) = (self.layout.x.value(0.0), &self.scene.palette.lines);
        for series in (0..self.shown.len()).rev() {
            if let Some(newest) = self.scene.series(series).last() {
                let value = percent_of(newest.close, Some(base(self.bars(series), from)));
                self.value_line(value, &colours[series % colours.len()], LAST_DASH);
            }
        }
    }

    /// Draws the alerts on the price, each with the kind of its condition.
    fn alerts(&self) {
        let accent = &self.scene.palette.lines[0];
        let (surface, ratio) = (self.surface, self.layout.ratio);
        for alert in self.scene.alerts {
            if let Some(at) = self.value_line(alert.level, accent, ALERT_DASH) {
                surface.fill(accent);
                surface.write(alert.kind, PADDING * ratio, at - LABEL_HEIGHT * ratio / 2.0);
            }
        }
    }

    /// Draws a dashed horizontal line at a price, with a label on the axis.
    /// `dash` is the length of a dash. Returns its vertical position, if that
    /// is in view.
    fn value_line(&self, value: f64, colour: &str, dash: f64) -> Option<f64> {
        let Room { band, y, .. } = &self.layout.rooms[0];
        let (surface, thin) = (self.surface, self.thin());
        let at = y.pixel(value).round();
        if at < band.top || at > band.bottom {
            return None;
        }
        surface.context.set_stroke_style_str(colour);
        surface.context.set_line_width(thin);
        surface.dash(dash * thin, DASH_GAP * thin);
        surface.context.begin_path();
        surface.context.move_to(0.0, at + thin / 2.0);
        surface.context.line_to(self.layout.right, at + thin / 2.0);
        surface.context.stroke();
        surface.dash(0.0, 0.0);
        let label = value_label(self.scene, value);
        let colours = (colour, self.scene.palette.panel.as_str());
        tag(surface, self.layout, at, &label, colours);
        Some(at)
    }
}

/// The values that are marked in a study's pane.
fn guides(spec: StudySpec) -> &'static [f64] {
    match spec.study.pane {
        Pane::Price => &[],
        Pane::Own { guides, .. } => guides,
    }
}
