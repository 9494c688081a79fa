//! Drawing the two layers.

use wasm_bindgen::JsValue;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use crate::format;
use crate::plot::{Column, Point, Scale, columns, time_ticks, value_ticks};
use crate::store::History;
use crate::theme::Palette;
use crate::views::canvas::Surface;
use crate::views::watchlist::extent;

const FONT: &str = "12px system-ui, sans-serif";
/// Height of the time axis.
const TIME_AXIS: f64 = 24.0;
/// Space on both sides of a price label.
const LABEL_PADDING: f64 = 8.0;
const LABEL_HEIGHT: f64 = 20.0;
/// Room above and below the line, as a share of its height.
const HEADROOM: f64 = 0.08;
const VALUE_SPACING: f64 = 56.0;
const TIME_SPACING: f64 = 110.0;
/// A wider band would look like bars.
const BAND_WIDTH_MAX: f64 = 5.0;
const DAY_US: f64 = 86_400e6;

/// Where the data layer put things, for the crosshair.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    x: Scale,
    y: Scale,
    /// The edges of the plot: right and bottom; left and top are 0.
    right: f64,
    bottom: f64,
    width: f64,
    /// Where the last price is; its label hides others.
    last_y: f64,
}

/// The layer of prices and axes.
pub(super) struct DataLayer<'a> {
    pub(super) palette: &'a Palette,
    pub(super) decimals: u32,
}

impl DataLayer<'_> {
    /// Draws everything; `None` when there is nothing to draw or no room.
    pub(super) fn draw(&self, canvas: &HtmlCanvasElement, history: &History) -> Option<Layout> {
        let surface = Surface::of(canvas)?;
        let (first, last, low, high) = extent(history)?;
        let context = &surface.context;
        context.set_font(FONT);
        context.set_text_baseline("middle");
        let widest = format!("{}0", self.price(high));
        let axis = text_width(context, &widest) + 2.0 * LABEL_PADDING;
        let (right, bottom) = (surface.width - axis, surface.height - TIME_AXIS);
        if right < 40.0 || bottom < 40.0 {
            return None;
        }
        // A flat line still has a scale: that of its last decimal.
        let room = ((high - low) * HEADROOM).max(2.0 * 0.1f64.powi(self.decimals.cast_signed()));
        let y = Scale::new((low - room, high + room), (bottom, 0.0));
        let layout = Layout {
            x: Scale::new((first.time, last.time), (0.0, right - 1.0)),
            y,
            last_y: y.pixel(last.close),
            right,
            bottom,
            width: surface.width,
        };
        self.axes(
            context,
            &layout,
            (first.time, last.time),
            (low - room, high + room),
        );
        let mut out: Vec<Column> = Vec::new();
        columns(history.points(), &layout.x, &mut out);
        context.set_stroke_style_str(&self.palette.accent);
        surface.band(&out, &layout.y, BAND_WIDTH_MAX);
        surface.line(&out, &layout.y, 1.5);
        let rose = last.close >= first.close;
        self.last_price(context, &layout, last.close, rose);
        Some(layout)
    }

    fn axes(
        &self,
        context: &CanvasRenderingContext2d,
        layout: &Layout,
        times: (f64, f64),
        prices: (f64, f64),
    ) {
        let (right, bottom) = (layout.right, layout.bottom);
        let (values, step) = value_ticks(prices, (bottom / VALUE_SPACING).max(2.0) as usize);
        let (moments, time_step) = time_ticks(times, (right / TIME_SPACING).max(2.0) as usize);
        context.set_stroke_style_str(&self.palette.border);
        context.set_line_width(1.0);
        context.begin_path();
        for value in &values {
            let y = crisp(layout.y.pixel(*value));
            context.move_to(0.0, y);
            context.line_to(right, y);
        }
        for moment in &moments {
            let x = crisp(layout.x.pixel(*moment));
            context.move_to(x, 0.0);
            context.line_to(x, bottom);
        }
        context.move_to(crisp(right), 0.0);
        context.line_to(crisp(right), bottom);
        context.move_to(0.0, crisp(bottom));
        context.line_to(layout.width, crisp(bottom));
        context.stroke();
        context.set_fill_style_str(&self.palette.muted);
        context.set_text_align("left");
        for value in values {
            let y = layout.y.pixel(value);
            let is_free = (y - layout.last_y).abs() > LABEL_HEIGHT;
            if is_free && y > 8.0 && y < bottom - 8.0 {
                let label = format::axis(value, step, self.decimals);
                write(context, &label, right + LABEL_PADDING, y);
            }
        }
        context.set_text_align("center");
        for moment in moments {
            let x = layout.x.pixel(moment);
            if x > 28.0 && x < right - 28.0 {
                let label = axis_time_label(moment, time_step);
                write(context, &label, x, bottom + TIME_AXIS / 2.0);
            }
        }
        context.set_text_align("left");
        write(
            context,
            "UTC",
            right + LABEL_PADDING,
            bottom + TIME_AXIS / 2.0,
        );
    }

    fn last_price(
        &self,
        context: &CanvasRenderingContext2d,
        layout: &Layout,
        price: f64,
        rose: bool,
    ) {
        let colour = if rose {
            &self.palette.up
        } else {
            &self.palette.down
        };
        let y = layout.last_y;
        context.set_stroke_style_str(colour);
        dash(context, &[2.0, 3.0]);
        context.begin_path();
        context.move_to(0.0, crisp(y));
        context.line_to(layout.right, crisp(y));
        context.stroke();
        dash(context, &[]);
        price_label(
            context,
            layout,
            y,
            &self.price(price),
            colour,
            &self.palette.panel,
        );
    }

    fn price(&self, price: f64) -> String {
        fixed(price, self.decimals)
    }
}

/// The layer of the crosshair and the legend.
pub(super) struct Crosshair<'a> {
    pub(super) palette: &'a Palette,
    pub(super) decimals: u32,
    pub(super) layout: Option<&'a Layout>,
    pub(super) pointer: Option<(f64, f64)>,
}

impl Crosshair<'_> {
    /// Clears the layer and, if the pointer is over the plot, draws the cross
    /// at the nearest point.
    pub(super) fn draw(&self, canvas: &HtmlCanvasElement, history: &History) {
        let Some(surface) = Surface::of(canvas) else {
            return;
        };
        let (Some(layout), Some((x, y))) = (self.layout, self.pointer) else {
            return;
        };
        if x > layout.right || y > layout.bottom {
            return;
        }
        let Some(point) = nearest(history, layout.x.value(x)) else {
            return;
        };
        let context = &surface.context;
        context.set_font(FONT);
        context.set_text_baseline("middle");
        context.set_stroke_style_str(&self.palette.muted);
        context.set_line_width(1.0);
        let x = layout.x.pixel(point.time);
        dash(context, &[4.0, 4.0]);
        context.begin_path();
        context.move_to(crisp(x), 0.0);
        context.line_to(crisp(x), layout.bottom);
        context.move_to(0.0, crisp(y));
        context.line_to(layout.right, crisp(y));
        context.stroke();
        dash(context, &[]);
        let price = fixed(layout.y.value(y), self.decimals);
        let Palette { raised, text, .. } = self.palette;
        price_label(context, layout, y, &price, raised, text);
        let time = format!("{} {}", date_label(point.time), time_label(point.time));
        let width = text_width(context, &time) + 2.0 * LABEL_PADDING;
        let left = (x - width / 2.0).clamp(0.0, (layout.right - width).max(0.0));
        context.set_fill_style_str(raised);
        context.fill_rect(left, layout.bottom + 2.0, width, LABEL_HEIGHT);
        context.set_fill_style_str(text);
        write(
            context,
            &time,
            left + LABEL_PADDING,
            layout.bottom + TIME_AXIS / 2.0,
        );
        let legend = format!("Price {}", fixed(point.close, self.decimals));
        write(context, &legend, LABEL_PADDING, 12.0);
    }
}

/// The known point whose time is nearest.
fn nearest(history: &History, time: f64) -> Option<Point> {
    let known = history.points().filter(|point| !point.close.is_nan());
    let distance = |point: &Point| (point.time - time).abs();
    known
        .copied()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

fn price_label(
    context: &CanvasRenderingContext2d,
    layout: &Layout,
    y: f64,
    text: &str,
    background: &str,
    colour: &str,
) {
    let top = (y - LABEL_HEIGHT / 2.0).clamp(0.0, layout.bottom - LABEL_HEIGHT);
    context.set_fill_style_str(background);
    let width = layout.width - layout.right - 1.0;
    context.fill_rect(layout.right + 1.0, top, width, LABEL_HEIGHT);
    context.set_fill_style_str(colour);
    context.set_text_align("left");
    write(
        context,
        text,
        layout.right + LABEL_PADDING,
        top + LABEL_HEIGHT / 2.0,
    );
}

/// A price that came from a decimal and has been rounded to no more than a
/// double's 15 digits since.
fn fixed(price: f64, decimals: u32) -> String {
    // A step of the last decimal shows all of them.
    format::axis(price, 0.1f64.powi(decimals.cast_signed()), decimals)
}

fn write(context: &CanvasRenderingContext2d, text: &str, x: f64, y: f64) {
    // Fails only for a context without a document.
    let _ = context.fill_text(text, x, y);
}

fn text_width(context: &CanvasRenderingContext2d, text: &str) -> f64 {
    context
        .measure_text(text)
        .map_or(60.0, |metrics| metrics.width())
}

fn dash(context: &CanvasRenderingContext2d, pattern: &[f64]) {
    let pattern: js_sys::Array = pattern.iter().map(|n| JsValue::from_f64(*n)).collect();
    // Fails only for lengths below zero.
    let _ = context.set_line_dash(&pattern);
}

/// The middle of a pixel, where a line one pixel wide is sharp.
fn crisp(pixel: f64) -> f64 {
    pixel.floor() + 0.5
}

fn date_of(time_us: f64) -> js_sys::Date {
    js_sys::Date::new(&JsValue::from_f64(time_us / 1e3))
}

/// `14:03:27`, UTC.
fn time_label(time_us: f64) -> String {
    let date = date_of(time_us);
    let (hours, minutes, seconds) = (
        date.get_utc_hours(),
        date.get_utc_minutes(),
        date.get_utc_seconds(),
    );
    format!("{hours:02}:{minutes:02}:{seconds:02}")
}

/// `14:03:27` for what happened within a day, `2020-04-17 14:03` for what did
/// not, UTC.
pub(in crate::views) fn recent_label(time_us: f64) -> String {
    if (js_sys::Date::now() * 1e3 - time_us).abs() < DAY_US {
        return time_label(time_us);
    }
    let mut label = format!("{} {}", date_label(time_us), time_label(time_us));
    label.truncate(16);
    label
}

/// `2020-04-17`, UTC.
fn date_label(time_us: f64) -> String {
    let date = date_of(time_us);
    let (year, month, day) = (
        date.get_utc_full_year(),
        date.get_utc_month() + 1,
        date.get_utc_date(),
    );
    format!("{year}-{month:02}-{day:02}")
}

/// A moment, as finely as the axis needs it.
fn axis_time_label(time_us: f64, step_us: f64) -> String {
    if step_us >= DAY_US || time_us % DAY_US == 0.0 {
        return date_label(time_us);
    }
    let mut label = time_label(time_us);
    if step_us >= 60e6 {
        label.truncate(5);
    }
    label
}
