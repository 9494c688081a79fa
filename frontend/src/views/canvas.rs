//! A canvas at the pixels of the device.

use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use crate::plot::{Column, Scale};

/// How strong the band is beside the line.
const BAND_ALPHA: f64 = 0.3;

/// A cleared canvas, ready to be drawn on in CSS pixels.
pub(super) struct Surface {
    pub(super) context: CanvasRenderingContext2d,
    /// In CSS pixels.
    pub(super) width: f64,
    /// In CSS pixels.
    pub(super) height: f64,
}

impl Surface {
    /// Fits the canvas to its place in the page and clears it; `None` when it
    /// is not shown.
    pub(super) fn of(canvas: &HtmlCanvasElement) -> Option<Self> {
        let (width, height) = (canvas.client_width(), canvas.client_height());
        if width == 0 || height == 0 {
            return None;
        }
        let (width, height) = (f64::from(width), f64::from(height));
        let ratio = leptos::prelude::window().device_pixel_ratio();
        let device = (
            (width * ratio).round() as u32,
            (height * ratio).round() as u32,
        );
        // Setting the size clears the canvas and its state, even to the same.
        if (canvas.width(), canvas.height()) != device {
            canvas.set_width(device.0);
            canvas.set_height(device.1);
        }
        let context = canvas.get_context("2d").ok().flatten()?;
        let context = context.dyn_into::<CanvasRenderingContext2d>().ok()?;
        context
            .set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0)
            .ok()?;
        context.clear_rect(0.0, 0.0, width, height);
        Some(Self {
            context,
            width,
            height,
        })
    }

    /// Draws how far each column reaches, as a band behind the line; a column
    /// is at most `widest` pixels wide.
    pub(super) fn band(&self, columns: &[Column], y: &Scale, widest: f64) {
        let spacing = columns.windows(2).map(|pair| pair[1].x - pair[0].x);
        let thickness = spacing.fold(widest, f64::min).max(1.0);
        self.context.set_line_width(thickness);
        self.context.set_global_alpha(BAND_ALPHA);
        self.context.begin_path();
        for column in columns.iter().filter(|column| column.low < column.high) {
            self.context.move_to(column.x + 0.5, y.pixel(column.low));
            self.context.line_to(column.x + 0.5, y.pixel(column.high));
        }
        self.context.stroke();
        self.context.set_global_alpha(1.0);
    }

    /// Draws columns as one line, from where it enters each to where it
    /// leaves.
    pub(super) fn line(&self, columns: &[Column], y: &Scale, thickness: f64) {
        let context = &self.context;
        context.set_line_width(thickness);
        context.set_line_join("round");
        context.begin_path();
        let mut pen_down = false;
        for column in columns {
            if column.last.is_nan() {
                pen_down = false;
                continue;
            }
            let pixel = column.x + 0.5;
            if pen_down {
                context.line_to(pixel, y.pixel(column.first));
            } else {
                context.move_to(pixel, y.pixel(column.first));
                pen_down = true;
            }
            if column.first != column.last {
                context.line_to(pixel, y.pixel(column.last));
            }
        }
        context.stroke();
    }
}
