//! A canvas at the pixels of the device.

use js_sys::{Array, Function, Reflect};
use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    CanvasRenderingContext2d, Element, HtmlCanvasElement, HtmlImageElement, ResizeObserver,
    ResizeObserverOptions,
};

/// A canvas and the means to draw on it, in device pixels.
pub struct Surface {
    pub(super) canvas: HtmlCanvasElement,
    pub(super) context: CanvasRenderingContext2d,
}

impl Surface {
    /// `None` where there is no such context.
    pub fn of(canvas: HtmlCanvasElement) -> Option<Self> {
        let context = canvas.get_context("2d").ok().flatten()?;
        let context = context.dyn_into().ok()?;
        Some(Self { canvas, context })
    }

    /// Makes it this large, in device pixels, and clears it.
    pub fn clear(&self, (width, height): (u32, u32)) {
        // Setting the size clears the canvas, at a cost, even to the same.
        if (self.canvas.width(), self.canvas.height()) == (width, height) {
            self.context
                .clear_rect(0.0, 0.0, width.into(), height.into());
        } else {
            self.canvas.set_width(width);
            self.canvas.set_height(height);
        }
    }

    pub(super) fn fill(&self, colour: &str) {
        self.context.set_fill_style_str(colour);
    }

    pub(super) fn rect(&self, left: f64, top: f64, width: f64, height: f64) {
        self.context.fill_rect(left, top, width, height);
    }

    /// Lines are drawn for `on` pixels and left out for `off`; zeros end that.
    pub(super) fn dash(&self, on: f64, off: f64) {
        let pattern = if on > 0.0 {
            Array::of2(&on.into(), &off.into())
        } else {
            Array::new()
        };
        // Fails only for lengths below zero.
        let _ = self.context.set_line_dash(&pattern);
    }

    /// Draws an image over everything.
    pub(crate) fn image(&self, image: &HtmlImageElement, width: f64, height: f64) {
        // Fails only for an image that is broken.
        let _ = self
            .context
            .draw_image_with_html_image_element_and_dw_and_dh(image, 0.0, 0.0, width, height);
    }

    /// What is on it, as a PNG's data URL.
    pub(crate) fn png(&self) -> Option<String> {
        self.canvas.to_data_url().ok()
    }

    pub(super) fn alpha(&self, alpha: f64) {
        self.context.set_global_alpha(alpha);
    }

    pub(super) fn align(&self, align: &str) {
        self.context.set_text_align(align);
    }

    pub(super) fn write(&self, text: &str, x: f64, y: f64) {
        // Fails only for a context without a document.
        let _ = self.context.fill_text(text, x, y);
    }

    pub(super) fn text_width(&self, text: &str) -> f64 {
        let metrics = self.context.measure_text(text);
        metrics.map_or(0.0, |metrics| metrics.width())
    }
}

/// Tells the size of an element in device pixels, now and whenever it changes,
/// as long as the page lives.
pub(super) fn observe_size(element: &Element, mut tell: impl FnMut(u32, u32) + 'static) {
    let on_resize = Closure::<dyn FnMut(Array)>::new(move |entries: Array| {
        let entry = entries.get(entries.length().saturating_sub(1));
        let ratio = window().device_pixel_ratio();
        let Some((width, height)) = side(&entry, "contentBoxSize") else {
            return;
        };
        // How many pixels there are is told exactly, but not by Safari, and not
        // for a screen that is only emulated.
        let exact = side(&entry, "devicePixelContentBoxSize");
        let exact = exact.unwrap_or((width * ratio, height * ratio));
        let pick = |exact: f64, css: f64| {
            let scaled = css * ratio;
            if (exact - scaled).abs() <= 1.0 {
                exact
            } else {
                scaled
            }
        };
        let (width, height) = (pick(exact.0, width), pick(exact.1, height));
        tell(width.round() as u32, height.round() as u32);
    });
    let Ok(observer) = ResizeObserver::new(on_resize.as_ref().unchecked_ref()) else {
        return;
    };
    let options = ResizeObserverOptions::new();
    options.set_box(web_sys::ResizeObserverBoxOptions::DevicePixelContentBox);
    // Where this box is not known, the call throws.
    let observe = Reflect::get(&observer, &"observe".into());
    let observe = observe.and_then(|observe| observe.dyn_into::<Function>());
    let exact = observe.and_then(|observe| observe.call2(&observer, element, &options));
    if exact.is_err() {
        observer.observe(element);
    }
    on_resize.forget();
}

fn side(entry: &JsValue, name: &str) -> Option<(f64, f64)> {
    let sizes = Reflect::get(entry, &name.into()).ok()?;
    let size = Array::from(&sizes).get(0);
    let number = |name: &str| Reflect::get(&size, &name.into()).ok()?.as_f64();
    Some((number("inlineSize")?, number("blockSize")?))
}
