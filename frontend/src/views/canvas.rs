//! A canvas with the resolution of the device.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Function, Reflect};
use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    AddEventListenerOptions, CanvasRenderingContext2d, Element, EventTarget, HtmlCanvasElement,
    HtmlImageElement, ResizeObserver, ResizeObserverOptions,
};

/// A canvas and its drawing context, in device pixels.
pub struct Surface {
    pub(super) canvas: HtmlCanvasElement,
    pub(super) context: CanvasRenderingContext2d,
}

impl Surface {
    /// `None` where the browser has no such context.
    pub fn of(canvas: HtmlCanvasElement) -> Option<Self> {
        let context = canvas.get_context("2d").ok().flatten()?;
        let context = context.dyn_into().ok()?;
        Some(Self { canvas, context })
    }

    /// Resizes the canvas, in device pixels, and clears it.
    pub fn clear(&self, (width, height): (u32, u32)) {
        // Setting the size also clears the canvas, but is slow, even for the
        // same size.
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

    /// Draws dashed lines from now on: `on` pixels drawn, `off` pixels left
    /// out. Zeros end that.
    pub(super) fn dash(&self, on: f64, off: f64) {
        let pattern = if on > 0.0 {
            Array::of2(&on.into(), &off.into())
        } else {
            Array::new()
        };
        // Fails only for negative lengths.
        let _ = self.context.set_line_dash(&pattern);
    }

    /// Draws an image over the whole canvas.
    pub(crate) fn image(&self, image: &HtmlImageElement, width: f64, height: f64) {
        // Fails only for a broken image.
        let _ = self
            .context
            .draw_image_with_html_image_element_and_dw_and_dh(image, 0.0, 0.0, width, height);
    }

    /// The content as PNG, in a data URL.
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

/// Calls `tell` with the size of an element in device pixels, now and whenever
/// it changes, as long as the page lives.
pub(super) fn observe_size(element: &Element, tell: impl FnMut(u32, u32) + 'static) {
    let measured = Rc::new(Measured {
        element: element.clone(),
        css: Cell::new((0.0, 0.0)),
        tell: RefCell::new(Box::new(tell)),
    });
    let resized = Rc::clone(&measured);
    let on_resize = Closure::<dyn FnMut(Array)>::new(move |entries: Array| {
        let entry = entries.get(entries.length().saturating_sub(1));
        let css = side(&entry, "contentBoxSize");
        let css = css.unwrap_or_else(|| resized.client_size());
        resized.take(css, side(&entry, "devicePixelContentBoxSize"));
    });
    // On another screen, or after zooming in the browser, the same size in CSS
    // pixels may be another one in device pixels.
    let scaled = Rc::clone(&measured);
    on_resolution(Rc::new(move || scaled.take(scaled.css.get(), None)));
    match ResizeObserver::new(on_resize.as_ref().unchecked_ref()) {
        Ok(observer) => {
            let options = ResizeObserverOptions::new();
            options.set_box(web_sys::ResizeObserverBoxOptions::DevicePixelContentBox);
            // Safari does not know this box, and throws an exception.
            let observe = Reflect::get(&observer, &"observe".into());
            let observe = observe.and_then(|observe| observe.dyn_into::<Function>());
            let exact = observe.and_then(|observe| observe.call2(&observer, element, &options));
            if exact.is_err() {
                observer.observe(element);
            }
        }
        Err(_) => {
            let resized = Rc::clone(&measured);
            let listener = window_event_listener_untyped("resize", move |_| {
                resized.take(resized.client_size(), None);
            });
            // The listener lives as long as the page.
            std::mem::forget(listener);
            request_animation_frame(move || measured.take(measured.client_size(), None));
        }
    }
    on_resize.forget();
}

/// An element whose size is observed.
struct Measured {
    element: Element,
    /// Its size as last seen, in CSS pixels.
    css: Cell<(f64, f64)>,
    tell: RefCell<Box<dyn FnMut(u32, u32)>>,
}

impl Measured {
    fn client_size(&self) -> (f64, f64) {
        let rect = self.element.get_bounding_client_rect();
        (rect.width(), rect.height())
    }

    /// Records a size in CSS pixels, and, where the browser reports it, in
    /// device pixels.
    fn take(&self, css: (f64, f64), exact: Option<(f64, f64)>) {
        self.css.set(css);
        let ratio = window().device_pixel_ratio();
        let pick = |css: f64, exact: Option<f64>| {
            let scaled = css * ratio;
            // An emulated screen reports device pixels that it does not have.
            exact
                .filter(|exact| (exact - scaled).abs() <= 1.0)
                .unwrap_or(scaled)
        };
        let width = pick(css.0, exact.map(|exact| exact.0));
        let height = pick(css.1, exact.map(|exact| exact.1));
        (self.tell.borrow_mut())(width.round() as u32, height.round() as u32);
    }
}

/// Calls `act` whenever the number of device pixels in a CSS pixel changes, as
/// long as the page lives.
fn on_resolution(act: Rc<dyn Fn()>) {
    let query = format!("(resolution: {}dppx)", window().device_pixel_ratio());
    let query = window().match_media(&query).ok().flatten();
    let Some(query) = query else {
        return;
    };
    let changed = Closure::once_into_js(move || {
        act();
        // The old query was for the old ratio.
        on_resolution(act);
    });
    let once = AddEventListenerOptions::new();
    once.set_once(true);
    let target: &EventTarget = &query;
    // Fails only for what is not a function.
    let _ = target.add_event_listener_with_callback_and_add_event_listener_options(
        "change",
        changed.unchecked_ref(),
        &once,
    );
    // A query that is dropped does not notify its listener.
    std::mem::forget(query);
}

/// A size in an entry of the observer; `None` where this browser does not
/// report it.
fn side(entry: &JsValue, name: &str) -> Option<(f64, f64)> {
    let sizes = Reflect::get(entry, &name.into()).ok()?;
    // Some browsers report one size, others a list.
    let size = match sizes.dyn_ref::<Array>() {
        Some(sizes) => sizes.get(0),
        None => sizes,
    };
    let number = |name: &str| Reflect::get(&size, &name.into()).ok()?.as_f64();
    Some((number("inlineSize")?, number("blockSize")?))
}
