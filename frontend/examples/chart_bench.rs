//! The page's chart without the page, for `cargo xtask bench ui`: hangs a
//! `tickwire` object on the window, which a script plays other libraries'
//! charts against.

use std::cell::RefCell;
use std::rc::Rc;

use frontend::chart::{Kind, Painter, Palette, Scene, Surface};
use frontend::plot::{Bar, Span, TimeAxis, Viewport};
use js_sys::{Float64Array, Object, Reflect};
use leptos::prelude::{document, window};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlCanvasElement;

/// The length of a bar, in µs.
const INTERVAL_US: f64 = 60e6;
/// Numbers of a bar: time in µs, open, high, low, close.
const FIELDS: usize = 5;

struct Bench {
    painter: Painter,
    palette: Palette,
    bars: Vec<Bar>,
    kind: &'static Kind,
    view: Viewport,
    size: (u32, u32),
}

impl Bench {
    fn span(&self) -> Span {
        let time = |bar: Option<&Bar>| bar.map_or(0.0, |bar| bar.time);
        Span {
            first_us: time(self.bars.first()),
            last_us: time(self.bars.last()),
            interval_us: INTERVAL_US,
        }
    }

    /// Shows `count` bars that end `back` bars before the newest.
    fn show(&mut self, count: f64, back: f64) {
        let (span, width) = (self.span(), f64::from(self.size.0));
        let wanted = count * INTERVAL_US / width;
        self.view.go_live(&span);
        self.view
            .zoom(self.view.us_per_px() / wanted, width, &span, width);
        self.view.pan(back * INTERVAL_US / wanted, &span, width);
    }

    /// A trade in the bar that begins at `time`.
    fn trade(&mut self, time: f64, price: f64) {
        match self.bars.last_mut() {
            Some(bar) if bar.time == time => {
                bar.high = bar.high.max(price);
                bar.low = bar.low.min(price);
                bar.close = price;
            }
            _ => self.bars.push(Bar {
                time,
                open: price,
                high: price,
                low: price,
                close: price,
                volume: 1.0,
            }),
        }
    }

    fn paint(&mut self) {
        self.view.update(&self.span());
        let scene = Scene {
            title: "BENCH 1m",
            // Without gaps, each time is its own place.
            axis: &TimeAxis::new(INTERVAL_US, true),
            bars: &self.bars,
            drawn: &self.bars,
            interval_us: INTERVAL_US,
            decimals: 2,
            kind: self.kind,
            studies: &[],
            alerts: &[],
            compared: &[],
            view: self.view,
            local: false,
            palette: &self.palette,
        };
        let ratio = window().device_pixel_ratio();
        self.painter.paint(&scene, self.size, ratio, true);
    }
}

fn canvas(id: &str) -> Option<HtmlCanvasElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

fn start() -> Option<()> {
    let (data, cross) = (canvas("data")?, canvas("cross")?);
    let ratio = window().device_pixel_ratio();
    let device = |css: i32| (f64::from(css) * ratio).round() as u32;
    let size = (device(data.client_width()), device(data.client_height()));
    let bench = Bench {
        painter: Painter::new(Surface::of(data)?, Surface::of(cross)?),
        palette: palette(),
        bars: Vec::new(),
        kind: Kind::of_key("candles"),
        view: Viewport::following(
            &Span {
                first_us: 0.0,
                last_us: 0.0,
                interval_us: INTERVAL_US,
            },
            7.0,
        ),
        size,
    };
    let bench = Rc::new(RefCell::new(bench));
    let api = Object::new();
    let own = Rc::clone(&bench);
    let set = move |kind: JsValue, bars: JsValue| {
        let mut bench = own.borrow_mut();
        bench.kind = Kind::of_key(&kind.as_string().unwrap_or_default());
        let numbers = Float64Array::new(&bars).to_vec();
        bench.bars = numbers.chunks_exact(FIELDS).map(bar).collect();
        bench.painter.forget();
        let span = bench.span();
        bench.view = Viewport::following(&span, 7.0);
    };
    offer(&api, "set", set);
    let own = Rc::clone(&bench);
    let show = move |count: JsValue, back: JsValue| {
        let (count, back) = (count.as_f64().unwrap_or(1.0), back.as_f64().unwrap_or(0.0));
        own.borrow_mut().show(count, back);
    };
    offer(&api, "show", show);
    let own = Rc::clone(&bench);
    let trade = move |time: JsValue, price: JsValue| {
        let (time, price) = (time.as_f64().unwrap_or(0.0), price.as_f64().unwrap_or(0.0));
        own.borrow_mut().trade(time, price);
    };
    offer(&api, "trade", trade);
    offer(&api, "paint", move |_, _| bench.borrow_mut().paint());
    Reflect::set(&window(), &"tickwire".into(), &api).ok()?;
    Some(())
}

fn bar(numbers: &[f64]) -> Bar {
    Bar {
        time: numbers[0],
        open: numbers[1],
        high: numbers[2],
        low: numbers[3],
        close: numbers[4],
        volume: 1.0,
    }
}

fn palette() -> Palette {
    let [panel, border, text, up, down, line] = [
        "#151a21", "#262e3a", "#93a0b4", "#2ebd85", "#f6465d", "#4c9aff",
    ]
    .map(str::to_owned);
    Palette {
        raised: panel.clone(),
        panel,
        border,
        muted: text.clone(),
        text,
        up,
        down,
        lines: std::array::from_fn(|_| line.clone()),
    }
}

fn offer(api: &Object, name: &str, function: impl FnMut(JsValue, JsValue) + 'static) {
    let function = Closure::<dyn FnMut(JsValue, JsValue)>::new(function);
    // Setting a field of a plain object cannot fail.
    let _ = Reflect::set(api, &name.into(), function.as_ref());
    // It is called as long as the page lives.
    function.forget();
}

fn main() {
    console_error_panic_hook::set_once();
    // Without the canvases there is no `tickwire`, and the script says so.
    let _ = start();
}
