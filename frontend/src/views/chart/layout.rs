//! The positions of everything on a chart: the bars in view, panes, and scales.

use std::ops::Range;

use super::scene::{Kind, Scene};
use super::study::StudyKind;
use crate::format;
use crate::plot::{
    Bar, DAY_US, Detail, Pane, PaneKind, Scale, bucket_us, panes, price_extent, visible,
};

/// Lengths in CSS pixels.
pub(super) const TIME_AXIS: f64 = 22.0;
const PANE_LEAST: f64 = 48.0;
pub(super) const PADDING: f64 = 6.0;
pub(super) const LABEL_HEIGHT: f64 = 18.0;
/// The space that prices leave free at the top, for the legend, and at the
/// bottom.
const MARGIN_ABOVE: f64 = 26.0;
const MARGIN_BELOW: f64 = 10.0;

/// A pane with the scale of its values, in device pixels.
pub(super) struct Room {
    pub(super) pane: Pane,
    pub(super) y: Scale,
}

/// The positions of everything on a chart, in device pixels.
pub(super) struct Layout {
    /// Device pixels in a CSS pixel.
    pub(super) ratio: f64,
    pub(super) width: f64,
    /// The right edge of the plot, where the price axis begins.
    pub(super) right: f64,
    /// The lower edge of the plot, where the time axis begins.
    pub(super) bottom: f64,
    pub(super) x: Scale,
    /// The panes with their scales; that of the prices is the first.
    pub(super) rooms: Vec<Room>,
    /// Whether times are shown in the person's zone.
    pub(super) local: bool,
}

/// The visible data, and its layout.
pub(super) struct Content<'a> {
    scene: &'a Scene<'a>,
    pub(super) layout: Layout,
    /// The range of the drawn bars that is visible, for the chart's own symbol
    /// and for each symbol compared with it.
    pub(super) shown: Vec<Range<usize>>,
    pub(super) bucket_us: f64,
    extent: (f64, f64),
}

impl<'a> Content<'a> {
    pub(super) fn of(
        scene: &'a Scene<'a>,
        details: &mut [Detail],
        axis_width: f64,
        (width, height): (u32, u32),
        ratio: f64,
    ) -> Self {
        let (width, height) = (f64::from(width), f64::from(height));
        let right = (width - axis_width).max(1.0).round();
        let bottom = (height - TIME_AXIS * ratio).max(1.0).round();
        let (from, to) = scene.view.times(right / ratio);
        let bucket_us = bucket_us(scene.interval_us, scene.view.us_per_px() / ratio, 1.0);
        let in_percent = !scene.compared.is_empty();
        let closes = scene.kind != Kind::Candles || in_percent;
        let mut shown = Vec::new();
        let mut extent: Option<(f64, f64)> = None;
        let mut include = |value: f64| {
            if value.is_finite() {
                let (low, high) = extent.unwrap_or((value, value));
                extent = Some((low.min(value), high.max(value)));
            }
        };
        let all = std::iter::once(scene.bars).chain(scene.compared.iter().map(|c| c.bars));
        for (source, detail) in all.zip(&mut *details) {
            if bucket_us > scene.interval_us {
                detail.update(source, bucket_us, closes);
            }
            let bars = drawn_bars(source, detail, scene.interval_us, bucket_us);
            let range = visible(bars, from - bucket_us, to);
            let seen = &bars[range.clone()];
            let base = in_percent.then(|| base(seen, from));
            if closes {
                seen.iter()
                    .for_each(|bar| include(percent_of(bar.close, base)));
            }
            if !closes || bucket_us > scene.interval_us {
                let (low, high) = price_extent(seen).unwrap_or((f64::NAN, f64::NAN));
                include(percent_of(low, base));
                include(percent_of(high, base));
            }
            shown.push(range);
        }
        if !in_percent {
            let seen = visible(scene.bars, from, to);
            let stride = (seen.len() / 1_000).max(1);
            for (spec, values) in scene
                .studies
                .iter()
                .filter(|study| study.0.pane().is_none())
            {
                let lines = if spec.kind == StudyKind::Bollinger {
                    3
                } else {
                    1
                };
                let seen = values.get(seen.clone()).unwrap_or_default();
                seen.iter()
                    .step_by(stride)
                    .flat_map(|v| &v[..lines])
                    .copied()
                    .for_each(&mut include);
            }
        }
        let decimals = if in_percent { 2 } else { scene.decimals };
        let extent = opened(extent.unwrap_or((0.0, 1.0)), decimals);
        let mut below: Vec<PaneKind> = scene.studies.iter().filter_map(|s| s.0.pane()).collect();
        below.dedup();
        let panes = panes(bottom, &below, PANE_LEAST * ratio);
        let bars = drawn_bars(scene.bars, &details[0], scene.interval_us, bucket_us);
        let seen = &bars[shown[0].clone()];
        let rooms = panes.into_iter().map(|pane| Room {
            y: scale_of(pane, extent, seen, scene, ratio),
            pane,
        });
        let layout = Layout {
            ratio,
            width,
            right,
            bottom,
            x: Scale::new((from, to), (0.0, right)),
            rooms: rooms.collect(),
            // Daily bars are UTC days, in whichever zone the person is.
            local: scene.local && scene.interval_us < DAY_US,
        };
        Self {
            scene,
            layout,
            shown,
            bucket_us,
            extent,
        }
    }

    /// The widest label of the price axis. All digits have the same width, so
    /// it is the one with the most characters.
    pub(super) fn widest_label(&self) -> String {
        let [low, high] =
            [self.extent.0, self.extent.1].map(|value| value_label(self.scene, value));
        if low.chars().count() > high.chars().count() {
            low
        } else {
            high
        }
    }
}

/// The bars as they are drawn: merged where a bar would be narrower than a
/// pixel.
pub(super) fn drawn_bars<'a>(
    source: &'a [Bar],
    detail: &'a Detail,
    interval_us: f64,
    bucket_us: f64,
) -> &'a [Bar] {
    if bucket_us > interval_us {
        detail.bars()
    } else {
        source
    }
}

/// Widens an empty range of prices, so that it can have an axis; a price that
/// does not change is in the middle.
fn opened((low, high): (f64, f64), decimals: u32) -> (f64, f64) {
    let least = 0.1f64.powi(decimals.cast_signed());
    if high - low >= least / 2.0 {
        return (low, high);
    }
    let middle = f64::midpoint(low, high);
    // As wide as the range of a calm day, and wide enough for some labels.
    let around = (middle.abs() * 0.01).max(5.0 * least);
    (middle - around, middle + around)
}

/// The price that percentages are relative to: the first one in view.
pub(super) fn base(bars: &[Bar], from: f64) -> f64 {
    let first = bars.iter().find(|bar| bar.time >= from).or(bars.last());
    first.map_or(f64::NAN, |bar| bar.close)
}

pub(super) fn percent_of(price: f64, base: Option<f64>) -> f64 {
    // The sign is that of the change, also for prices below zero.
    base.map_or(price, |base| 100.0 * (price - base) / base.abs())
}

fn scale_of(pane: Pane, extent: (f64, f64), seen: &[Bar], scene: &Scene<'_>, ratio: f64) -> Scale {
    let lower = (pane.bottom - 2.0 * ratio, pane.top + LABEL_HEIGHT * ratio);
    match pane.kind {
        PaneKind::Price => {
            let edges = (
                pane.bottom - MARGIN_BELOW * ratio,
                pane.top + MARGIN_ABOVE * ratio,
            );
            Scale::new(extent, edges)
        }
        PaneKind::Volume => {
            let most = seen
                .iter()
                .fold(f64::MIN_POSITIVE, |most, bar| most.max(bar.volume));
            Scale::new((0.0, most), (pane.bottom, lower.1))
        }
        PaneKind::Rsi => Scale::new((0.0, 100.0), lower),
        PaneKind::Macd => {
            let first = seen.first().map_or(0.0, |bar| bar.time);
            let last = seen.last().map_or(0.0, |bar| bar.time);
            let all = scene
                .studies
                .iter()
                .filter(|study| study.0.kind == StudyKind::Macd);
            let most = all
                .flat_map(|(_, values)| {
                    values
                        .get(visible(scene.bars, first, last))
                        .unwrap_or_default()
                })
                .flatten()
                .filter(|value| value.is_finite())
                .fold(f64::MIN_POSITIVE, |most, value| most.max(value.abs()));
            Scale::new((-most, most), lower)
        }
    }
}

/// A price with the symbol's decimals, or a percentage with two.
pub(super) fn value_label(scene: &Scene<'_>, value: f64) -> String {
    if scene.compared.is_empty() {
        format::rounded(value, scene.decimals)
    } else {
        format::rough_percent(value)
    }
}
