//! Bars and lines on a canvas, in device pixels.

use super::kinds::Shown;
use crate::plot::{Bar, Scale};
use crate::theme::Palette;
use crate::views::canvas::Surface;

/// A line is broken where two of its points are further apart than this many
/// bars: nothing is known about the time between them.
const GAP_BARS: f64 = 5.0;
/// The share of a bar's width that its body takes.
const BODY_SHARE: f64 = 0.75;
const COLUMN_ALPHA: f64 = 0.5;
const AREA_ALPHA: f64 = 0.15;

/// The nearest whole pixel. `f64::round` is a function call in WebAssembly,
/// this is a single instruction.
fn whole(pixel: f64) -> f64 {
    (pixel + 0.5).floor()
}

/// The scales and colours that marks are drawn with.
pub(super) struct Marks<'a> {
    pub(super) surface: &'a Surface,
    pub(super) palette: &'a Palette,
    pub(super) x: Scale,
    /// The length of the bars drawn.
    pub(super) bucket_us: f64,
    /// The width of a bar in device pixels.
    pub(super) bar_px: f64,
    /// The width of a thin line in device pixels.
    pub(super) thin: f64,
}

impl Marks<'_> {
    fn middle(&self, bar: &Bar) -> f64 {
        self.x.pixel(bar.time + self.bucket_us / 2.0)
    }

    /// The width of a body. It is odd if a thin line's width is odd, and even
    /// if that is even, so that the wick is exactly in the middle.
    fn body(&self) -> f64 {
        let wide = (self.bar_px * BODY_SHARE).round();
        let uneven = (wide - self.thin).rem_euclid(2.0);
        (wide - uneven).max(self.thin)
    }

    fn fill_direction(&self, rising: bool) {
        let Palette { up, down, .. } = self.palette;
        self.surface.fill(if rising { up } else { down });
    }

    /// Draws bodies and wicks. Rising bodies are hollow, so that colour is not
    /// the only difference. They are grouped by colour.
    pub(super) fn candles(&self, bars: &[Bar], y: &Scale) {
        let (thin, body) = (self.thin, self.body());
        let edges = |bar: &Bar| {
            let (open, close) = (whole(y.pixel(bar.open)), whole(y.pixel(bar.close)));
            (open.min(close), (open - close).abs().max(thin))
        };
        for rising in [true, false] {
            self.fill_direction(rising);
            for bar in bars.iter().filter(|bar| bar.rose() == rising) {
                let left = whole(self.middle(bar) - thin / 2.0);
                let (high, low) = (whole(y.pixel(bar.high)), whole(y.pixel(bar.low)));
                self.surface.rect(left, high, thin, (low - high).max(thin));
                if body > thin {
                    let (top, height) = edges(bar);
                    let left = left - (body - thin) / 2.0;
                    self.surface.rect(left, top, body, height);
                }
            }
        }
        let inside = body - 2.0 * thin;
        if inside < thin {
            return;
        }
        self.surface.fill(&self.palette.panel);
        for bar in bars.iter().filter(|bar| bar.rose()) {
            let (top, height) = edges(bar);
            if height > 2.0 * thin {
                let left = whole(self.middle(bar) - thin / 2.0) - (inside - thin) / 2.0;
                self.surface
                    .rect(left, top + thin, inside, height - 2.0 * thin);
            }
        }
    }

    /// Draws a column from zero to the value of each bar, at most one for each
    /// pixel, in the colour of its direction. The columns are grouped by colour.
    pub(super) fn columns(
        &self,
        bars: &[Bar],
        value: &dyn Fn(usize) -> f64,
        rises: &dyn Fn(usize) -> bool,
        y: &Scale,
    ) {
        let (body, zero) = (self.body(), whole(y.pixel(0.0)));
        let step = if self.bar_px < 1.0 { 1.0 } else { 0.0 };
        self.surface.alpha(COLUMN_ALPHA);
        for rising in [true, false] {
            self.fill_direction(rising);
            let mut before = f64::NEG_INFINITY;
            for (index, bar) in bars.iter().enumerate() {
                let value = value(index);
                if rises(index) != rising || value.is_nan() {
                    continue;
                }
                let left = whole(self.middle(bar) - self.thin / 2.0) - (body - self.thin) / 2.0;
                if left - before >= step {
                    before = left;
                    let end = whole(y.pixel(value));
                    self.surface
                        .rect(left, end.min(zero), body, (end - zero).abs());
                }
            }
        }
        self.surface.alpha(1.0);
    }

    /// Draws a line through the closing prices in the chart's own colour, and
    /// the area down to `bottom`.
    pub(super) fn closes(&self, shown: &Shown<'_>, bottom: Option<f64>) {
        self.line(shown, &self.palette.lines[0], bottom, &|price| price);
    }

    /// Draws a line through the closing prices, converted by `value`, and the
    /// area down to `bottom`. Merged bars are made of closing prices, and the
    /// line passes through all four values of each.
    pub(super) fn line(
        &self,
        shown: &Shown<'_>,
        colour: &str,
        bottom: Option<f64>,
        value: &dyn Fn(f64) -> f64,
    ) {
        let mut pen = Pen::new(self.surface, colour, 1.5 * self.thin, bottom);
        let mut before = f64::INFINITY;
        for bar in shown.bars {
            if bar.time - before > GAP_BARS * self.bucket_us {
                pen.lift();
            }
            before = bar.time;
            let x = self.middle(bar);
            if shown.are_merged && bar.low < bar.high {
                for price in [bar.open, bar.low, bar.high] {
                    pen.to(x, shown.y.pixel(value(price)));
                }
            }
            pen.to(x, shown.y.pixel(value(bar.close)));
        }
        pen.lift();
    }

    /// Draws a line through the value of each bar, with at most one point for
    /// each pixel, and breaks where there is no value.
    pub(super) fn study(
        &self,
        bars: &[Bar],
        value: &dyn Fn(usize) -> f64,
        y: &Scale,
        colour: &str,
    ) {
        let mut pen = Pen::new(self.surface, colour, self.thin, None);
        let mut before = f64::NEG_INFINITY;
        for (index, bar) in bars.iter().enumerate() {
            let (x, value) = (self.middle(bar), value(index));
            if value.is_nan() {
                pen.lift();
            } else if x - before >= 1.0 {
                before = x;
                pen.to(x, y.pixel(value));
            }
        }
        pen.lift();
    }
}

/// Draws a line that can have breaks, and the area below it.
struct Pen<'a> {
    surface: &'a Surface,
    /// The lower edge of the area.
    bottom: Option<f64>,
    start: Option<f64>,
    x: f64,
}

impl<'a> Pen<'a> {
    fn new(surface: &'a Surface, colour: &str, thickness: f64, bottom: Option<f64>) -> Self {
        surface.context.set_stroke_style_str(colour);
        surface.context.set_line_width(thickness);
        surface.context.set_line_join("bevel");
        if bottom.is_some() {
            surface.fill(colour);
        }
        Self {
            surface,
            bottom,
            start: None,
            x: 0.0,
        }
    }

    fn to(&mut self, x: f64, y: f64) {
        let context = &self.surface.context;
        self.x = x;
        if self.start.is_some() {
            context.line_to(x, y);
        } else {
            context.begin_path();
            context.move_to(x, y);
            // A single point would not be visible.
            context.line_to(x + 1.0, y);
            self.start = Some(x);
        }
    }

    fn lift(&mut self) {
        let Some(start) = self.start.take() else {
            return;
        };
        let context = &self.surface.context;
        context.stroke();
        if let Some(bottom) = self.bottom {
            context.line_to(self.x, bottom);
            context.line_to(start, bottom);
            self.surface.alpha(AREA_ALPHA);
            context.fill();
            self.surface.alpha(1.0);
        }
    }
}
