//! The positions of everything on a chart: the bars in view, panes, and scales.

use std::ops::Range;

use super::scene::Scene;
use crate::format;
use crate::plot::studies::{self, Pane, Source, StudySpec, Text, Values};
use crate::plot::{Band, Bar, DAY_US, Detail, Scale, bucket_us, panes, price_extent, visible};

/// Lengths in CSS pixels.
pub(super) const TIME_AXIS: f64 = 22.0;
const PANE_LEAST: f64 = 48.0;
pub(super) const PADDING: f64 = 6.0;
pub(super) const LABEL_HEIGHT: f64 = 18.0;
/// The space that prices leave free at the top, for the legend, and at the
/// bottom.
const MARGIN_ABOVE: f64 = 26.0;
const MARGIN_BELOW: f64 = 10.0;
/// The distance of a study's lowest value from the edge of its pane.
const STUDY_MARGIN: f64 = 2.0;
/// About how many values of a study are looked at for the range of prices.
const SAMPLES: usize = 1_000;

/// A pane with the scale of its values, in device pixels.
pub(super) struct Room {
    pub(super) band: Band,
    pub(super) y: Scale,
    /// The study in it, as an index into those of the scene; `None` for prices.
    pub(super) study: Option<usize>,
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
        let times = scene.view.times(right / ratio);
        let bucket_us = bucket_us(scene.interval_us, scene.view.us_per_px() / ratio, 1.0);
        let (shown, mut extent) = shown_bars(scene, details, times, bucket_us);
        if !scene.is_in_percent() {
            include_studies(scene, times, &mut extent);
        }
        let decimals = if scene.is_in_percent() {
            2
        } else {
            scene.decimals
        };
        let extent = opened(extent.0.unwrap_or((0.0, 1.0)), decimals);
        let own = (0..).zip(scene.studies);
        let below = own.filter(|(_, study)| matches!(study.0.study.pane, Pane::Own { .. }));
        let below: Vec<usize> = below.map(|(index, _)| index).collect();
        let bands = panes(bottom, below.len(), PANE_LEAST * ratio);
        let bars = drawn_bars(scene.series(0), &details[0], scene.interval_us, bucket_us);
        let seen = &bars[shown[0].clone()];
        let studies = std::iter::once(None).chain(below.into_iter().map(Some));
        let rooms = bands.into_iter().zip(studies).map(|(band, study)| Room {
            y: match study {
                None => price_scale(band, extent, ratio),
                Some(study) => study_scale(band, &scene.studies[study], seen, scene, ratio),
            },
            band,
            study,
        });
        let layout = Layout {
            ratio,
            width,
            right,
            bottom,
            x: Scale::new(times, (0.0, right)),
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

/// The lowest and the highest of the values that were included.
#[derive(Default)]
struct Extent(Option<(f64, f64)>);

impl Extent {
    fn include(&mut self, value: f64) {
        if value.is_finite() {
            let (low, high) = self.0.unwrap_or((value, value));
            self.0 = Some((low.min(value), high.max(value)));
        }
    }
}

/// The range of each symbol's drawn bars that is visible, and the extent of
/// their prices, or of their percentages.
fn shown_bars(
    scene: &Scene<'_>,
    details: &mut [Detail],
    (from, to): (f64, f64),
    bucket_us: f64,
) -> (Vec<Range<usize>>, Extent) {
    let closes = scene.kind.closes || scene.is_in_percent();
    let mut extent = Extent::default();
    let mut shown = Vec::new();
    for (series, detail) in details.iter_mut().enumerate() {
        let source = scene.series(series);
        if bucket_us > scene.interval_us {
            detail.update(source, bucket_us, closes);
        }
        let bars = drawn_bars(source, detail, scene.interval_us, bucket_us);
        let range = visible(bars, from - bucket_us, to);
        let seen = &bars[range.clone()];
        let base = scene.is_in_percent().then(|| base(seen, from));
        if closes {
            for bar in seen {
                extent.include(percent_of(bar.close, base));
            }
        }
        if !closes || bucket_us > scene.interval_us {
            let (low, high) = price_extent(seen).unwrap_or((f64::NAN, f64::NAN));
            extent.include(percent_of(low, base));
            extent.include(percent_of(high, base));
        }
        shown.push(range);
    }
    (shown, extent)
}

/// Includes what is drawn over the prices.
fn include_studies(scene: &Scene<'_>, (from, to): (f64, f64), extent: &mut Extent) {
    let seen = visible(scene.bars, from, to);
    let stride = (seen.len() / SAMPLES).max(1);
    let over = scene.studies.iter();
    for (spec, values) in over.filter(|study| matches!(study.0.study.pane, Pane::Price)) {
        let values = values.get(seen.clone()).unwrap_or_default();
        for values in values.iter().step_by(stride) {
            for value in &values[..spec.study.lines.len()] {
                extent.include(*value);
            }
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

/// The price itself, or how far it is from the base in per cent; NaN for a base
/// that is not above zero, of which there are no percentages.
pub(super) fn percent_of(price: f64, base: Option<f64>) -> f64 {
    match base {
        None => price,
        Some(base) if base > 0.0 => 100.0 * (price - base) / base,
        Some(_) => f64::NAN,
    }
}

fn price_scale(band: Band, extent: (f64, f64), ratio: f64) -> Scale {
    let edges = (
        band.bottom - MARGIN_BELOW * ratio,
        band.top + MARGIN_ABOVE * ratio,
    );
    Scale::new(extent, edges)
}

/// The scale of a study's pane; `seen` are the visible bars as they are drawn.
fn study_scale(
    band: Band,
    (spec, values): &(StudySpec, &[Values]),
    seen: &[Bar],
    scene: &Scene<'_>,
    ratio: f64,
) -> Scale {
    let Pane::Own { range, .. } = spec.study.pane else {
        return Scale::new((0.0, 1.0), (band.bottom, band.top));
    };
    let (bottom, top) = (
        band.bottom - STUDY_MARGIN * ratio,
        band.top + LABEL_HEIGHT * ratio,
    );
    let (low, high) = match spec.study.values {
        Source::Bar(read) => extent_of(seen.iter().map(read)),
        Source::Bars(_) => {
            let time = |bar: Option<&Bar>| bar.map_or(0.0, |bar| bar.time);
            let seen = visible(scene.bars, time(seen.first()), time(seen.last()));
            let values = values.get(seen).unwrap_or_default();
            extent_of(values.iter().flatten().copied())
        }
    };
    match range {
        studies::Range::Fixed(low, high) => Scale::new((low, high), (bottom, top)),
        studies::Range::FromZero => {
            Scale::new((0.0, high.max(f64::MIN_POSITIVE)), (band.bottom, top))
        }
        studies::Range::AroundZero => {
            let most = high.max(-low).max(f64::MIN_POSITIVE);
            Scale::new((-most, most), (bottom, top))
        }
        studies::Range::Visible => Scale::new((low, high), (bottom, top)),
    }
}

/// The lowest and the highest value; zeros without any.
fn extent_of(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut extent = Extent::default();
    values.for_each(|value| extent.include(value));
    extent.0.unwrap_or_default()
}

/// A price with the symbol's decimals, or a percentage with two.
pub(super) fn value_label(scene: &Scene<'_>, value: f64) -> String {
    if scene.is_in_percent() {
        format::rough_percent(value)
    } else {
        format::rounded(value, scene.decimals)
    }
}

/// A value of a study, as it is written.
pub(super) fn study_label(spec: StudySpec, decimals: u32, value: f64) -> String {
    if value.is_nan() {
        return format::NOTHING.to_owned();
    }
    let text = match spec.study.pane {
        Pane::Price => Text::Price,
        Pane::Own { text, .. } => text,
    };
    match text {
        Text::Price => format::rounded(value, decimals),
        Text::Quantity => format::rough_compact(value.max(0.0)),
        Text::Decimals(decimals) => format::rounded(value, decimals),
    }
}
