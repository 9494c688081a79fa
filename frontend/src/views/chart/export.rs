//! Saving a chart as a file.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlCanvasElement;

use super::state::Chart;
use crate::download;
use crate::format;
use crate::plot::{Bar, DAY_US, date_of};
use crate::views::canvas::Surface;

/// The most decimals of a quantity.
const QUANTITY_DECIMALS: u32 = 8;
const QUANTITY_LARGE: f64 = 1e10;

impl Chart {
    /// Saves the chart as a picture.
    pub(crate) fn save_picture(&self) -> Option<()> {
        let painter = self.painter.borrow();
        let background = self.parts.looks.palette.get_untracked().panel;
        let picture = picture(painter.as_ref()?.canvas(), &background)?;
        download::save(&self.file_name(".png")?, &picture)
    }

    /// Saves the chart's bars as CSV.
    pub(crate) fn save_table(&self) -> Option<()> {
        let spec = self.spec.borrow();
        let spec = spec.as_ref()?;
        let decimals = self
            .parts
            .store
            .state(spec.symbol(), |state| state.decimals)?;
        let table = self.parts.store.with_series(&spec.keys(), |all| {
            Some(table(&(*all.first()?)?.bars, decimals))
        })?;
        download::save_text(&self.file_name(".csv")?, &table)
    }

    fn file_name(&self, end: &str) -> Option<String> {
        let spec = self.spec.borrow();
        let spec = spec.as_ref()?;
        Some([spec.symbol(), "-", spec.interval.name(), end].concat())
    }
}

/// The chart as it is drawn, as PNG in a data URL.
fn picture(chart: &HtmlCanvasElement, background: &str) -> Option<String> {
    let canvas = document().create_element("canvas").ok()?;
    let copy = Surface::of(canvas.dyn_into().ok()?)?;
    let (width, height) = (chart.width(), chart.height());
    copy.clear((width, height));
    copy.fill(background);
    copy.rect(0.0, 0.0, width.into(), height.into());
    let drawn = copy
        .context
        .draw_image_with_html_canvas_element(chart, 0.0, 0.0);
    drawn.ok()?;
    copy.png()
}

/// The bars as CSV: prices with the symbol's decimals, times in UTC.
fn table(bars: &[Bar], decimals: u32) -> String {
    let mut text = "time,open,high,low,close,volume\n".to_owned();
    for bar in bars {
        text += &iso(bar.time);
        for price in [bar.open, bar.high, bar.low, bar.close] {
            text.push(',');
            text += &format::plain(price, decimals);
        }
        text.push(',');
        // At large volumes a double does not have that many decimals.
        let is_large = bar.volume >= QUANTITY_LARGE;
        let decimals = if is_large { 0 } else { QUANTITY_DECIMALS };
        let volume = format::plain(bar.volume, decimals);
        match is_large {
            true => text += &volume,
            false => text += volume.trim_end_matches('0').trim_end_matches('.'),
        }
        text.push('\n');
    }
    text
}

/// `2026-11-22T14:03:27Z`.
fn iso(time_us: f64) -> String {
    let days = (time_us / DAY_US).floor();
    let (year, month, day) = date_of(days as i64);
    let second = ((time_us - days * DAY_US) / 1e6) as u32;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv() {
        let bar = Bar {
            time: 1_763_836_800e6,
            open: 64_010.0,
            high: 64_020.5,
            low: 64_001.0,
            close: 64_012.75,
            volume: 12.0417,
        };
        let expect = "time,open,high,low,close,volume\n\
            2025-11-22T18:40:00Z,64010.00,64020.50,64001.00,64012.75,12.0417\n";
        assert_eq!(table(&[bar], 2), expect);
    }
}
