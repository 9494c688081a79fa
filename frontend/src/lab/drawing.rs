//! A report as a picture, for example for a slide.

use std::fmt::Write as _;

use super::meter::BAR_GROWTH;
use super::report::{Line, Report};
use crate::format::{NOTHING, short};
use crate::theme::Palette;
use crate::words;

/// In the units of the picture, which are CSS pixels at its natural size.
pub(crate) const WIDTH: f64 = 960.0;
const MARGIN: f64 = 24.0;
const LABEL: f64 = 136.0;
/// The height of a channel's row in the histograms of ages.
const ROW: f64 = 56.0;
/// The height of a channel's bar.
const BAR: f64 = 22.0;
const GAP: f64 = 28.0;
const TITLE: f64 = 30.0;
/// The height of the line with the conditions of the run.
const FOOT: f64 = 32.0;
/// The range that the axis of ages always covers, in ms.
const AGES_MS: (f64, f64) = (1.0, 100.0);

/// A bar chart: its title, and the value of each line.
type Bars = (&'static str, fn(&Line) -> Option<f64>);

const BARS: [Bars; 3] = [
    (words::BYTES_TITLE, Line::bytes_per_tick),
    (words::EMPTY_TITLE, Line::empty_percent),
    (words::CPU_TITLE, Line::cpu_us_per_tick),
];

/// The height of the picture.
pub(crate) fn height(report: &Report) -> f64 {
    let rows = report.lines.len() as f64;
    2.0 * MARGIN + 2.0 * TITLE + rows * ROW + 24.0 + GAP + rows * (BAR + 8.0) + FOOT
}

/// The start and the end of an axis of ages, in ms, that has room for all of
/// these runs: powers of ten.
pub(crate) fn axis<'r>(reports: impl Iterator<Item = &'r Report>) -> (f64, f64) {
    let lines = reports.flat_map(|report| &report.lines);
    let bars = lines.flat_map(|line| &line.ages);
    let (low, high) = bars.fold(AGES_MS, |(low, high), (ms, _)| {
        (low.min(*ms), high.max(*ms))
    });
    (
        10f64.powf(low.log10().floor()),
        10f64.powf(high.log10().ceil()),
    )
}

/// The picture as SVG, without any external resource.
pub(crate) fn picture(report: &Report, axis: (f64, f64), palette: &Palette) -> String {
    let height = height(report);
    let mut svg = Svg {
        text: format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
             font-family=\"system-ui,sans-serif\" font-size=\"12\">"
        ),
        palette,
    };
    svg.rect((0.0, 0.0), (WIDTH, height), &palette.panel);
    let bottom = ages(&mut svg, report, axis);
    let width = (WIDTH - 2.0 * MARGIN - 2.0 * GAP) / 3.0;
    for (bars, place) in BARS.iter().zip([0.0, 1.0, 2.0]) {
        let left = MARGIN + place * (width + GAP);
        draw_bars(&mut svg, report, bars, (left, bottom + GAP), width);
    }
    let (foot, muted) = ((MARGIN, height - MARGIN), palette.muted.clone());
    svg.write(foot, "start", &muted, &escape(&report.conditions()));
    svg.text + "</svg>"
}

/// Escapes a text for SVG, since it may come from a file.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

struct Svg<'p> {
    text: String,
    palette: &'p Palette,
}

impl Svg<'_> {
    fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), colour: &str) {
        let (width, height) = (width.max(0.0), height.max(0.0));
        // Writing into a string cannot fail.
        let _ = write!(
            self.text,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\"/>"
        );
    }

    fn write(&mut self, (x, y): (f64, f64), anchor: &str, colour: &str, text: &str) {
        let _ = write!(
            self.text,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>"
        );
    }

    fn title(&mut self, (x, y): (f64, f64), text: &str) {
        let colour = &self.palette.text;
        let _ = write!(
            self.text,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"14\" font-weight=\"600\" fill=\"{colour}\">{text}</text>"
        );
    }

    fn colour(&self, line: &Line) -> String {
        self.palette.lines[line.channel.transport as usize].clone()
    }
}

/// Draws the histograms of ages, a row for each channel, over one logarithmic
/// axis; returns the lower edge.
fn ages(svg: &mut Svg<'_>, report: &Report, (low, high): (f64, f64)) -> f64 {
    svg.title((MARGIN, MARGIN + 14.0), words::AGES_TITLE);
    let top = MARGIN + TITLE;
    let bottom = top + report.lines.len() as f64 * ROW;
    let (left, right) = (MARGIN + LABEL, WIDTH - MARGIN);
    let x = |ms: f64| left + (right - left) * (ms.max(low) / low).ln() / (high / low).ln();
    let (border, muted) = (svg.palette.border.clone(), svg.palette.muted.clone());
    let mut step = low;
    while step <= high * 1.001 {
        svg.rect((x(step), top), (1.0, bottom - top), &border);
        let label = words::duration(step);
        svg.write((x(step), bottom + 18.0), "middle", &muted, &label);
        step *= 10.0;
    }
    for (line, place) in report.lines.iter().zip(0u32..) {
        let base = top + f64::from(place + 1) * ROW;
        svg.rect((left, base), (right - left, 1.0), &border);
        row_of_ages(svg, line, base, &x);
    }
    bottom + 24.0
}

fn row_of_ages(svg: &mut Svg<'_>, line: &Line, base: f64, x: &impl Fn(f64) -> f64) {
    let (text, colour) = (svg.palette.text.clone(), svg.colour(line));
    let label = (MARGIN + LABEL - 12.0, base - 8.0);
    svg.write(label, "end", &text, &line.channel.label());
    let most = line.ages.iter().map(|(_, count)| *count).max();
    let most = most.unwrap_or(1) as f64;
    for (ms, count) in &line.ages {
        let (from, to) = (x(ms / BAR_GROWTH), x(*ms));
        let tall = (ROW - 20.0) * *count as f64 / most;
        svg.rect(
            (from, base - tall.max(1.0)),
            (to - from - 1.0, tall.max(1.0)),
            &colour,
        );
    }
    if let Some(ms) = line.age_p50_ms {
        let at = x(ms);
        svg.rect((at - 1.0, base - ROW + 18.0), (2.0, ROW - 18.0), &text);
        let median = words::milliseconds(ms);
        svg.write((at, base - ROW + 14.0), "middle", &text, &median);
    }
}

fn draw_bars(svg: &mut Svg<'_>, report: &Report, (title, read): &Bars, at: (f64, f64), width: f64) {
    let (left, top) = at;
    svg.title((left, top + 14.0), title);
    let (text, muted) = (svg.palette.text.clone(), svg.palette.muted.clone());
    let values = report.lines.iter().filter_map(read);
    let most = values.fold(0.0, f64::max);
    let begin = left + LABEL - 4.0;
    let room = width - LABEL - 52.0;
    for (line, place) in report.lines.iter().zip(0u32..) {
        let y = top + TITLE + f64::from(place) * (BAR + 8.0);
        svg.write(
            (begin - 8.0, y + 15.0),
            "end",
            &muted,
            &line.channel.label(),
        );
        let Some(value) = read(line) else {
            svg.write((begin, y + 15.0), "start", &muted, NOTHING);
            continue;
        };
        let long = if most > 0.0 { room * value / most } else { 0.0 };
        let colour = svg.colour(line);
        svg.rect((begin, y), (long.max(1.0), BAR), &colour);
        svg.write(
            (begin + long + 6.0, y + 15.0),
            "start",
            &text,
            &short(value),
        );
    }
}
