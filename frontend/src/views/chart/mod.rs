//! The price chart: a canvas for the data and one above it for the crosshair,
//! so that a moving mouse never draws the data again.

mod draw;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::html::{Canvas, Div};
use leptos::prelude::*;
use shared::Decimal;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{PointerEvent, ResizeObserver};

use self::draw::{Crosshair, DataLayer, Layout};
use super::quote::selected_row;
use crate::format;
use crate::frames::Frames;
use crate::store::Store;
use crate::theme::{Palette, ThemeChoice};

pub(super) use self::draw::recent_label;

/// How often the chart's name for assistive technology follows the price.
const NAME_INTERVAL: std::time::Duration = std::time::Duration::from_millis(1_000);

/// What the data layer was drawn from; drawn again when it differs.
#[derive(Clone, Debug, PartialEq)]
struct Drawn {
    symbol: String,
    version: u64,
    size: (i32, i32),
    ratio: f64,
    appearance: u64,
}

/// What both layers share.
struct ChartState {
    store: Rc<Store>,
    drawn: RefCell<Option<Drawn>>,
    layout: RefCell<Option<Layout>>,
    palette: RefCell<Option<Palette>>,
    /// Goes up when colours change.
    appearance: Cell<u64>,
    /// Where the pointer is over the chart, in CSS pixels.
    pointer: Cell<Option<(f64, f64)>>,
    crosshair_dirty: Cell<bool>,
}

/// A live line of the selected symbol's prices.
#[component]
pub(crate) fn Chart(store: Rc<Store>, frames: Frames, theme: ThemeChoice) -> impl IntoView {
    let row = selected_row(&store);
    let data = NodeRef::<Canvas>::new();
    let cross = NodeRef::<Canvas>::new();
    let frame = NodeRef::<Div>::new();
    let state = Rc::new(ChartState {
        store: Rc::clone(&store),
        drawn: RefCell::default(),
        layout: RefCell::default(),
        palette: RefCell::default(),
        appearance: Cell::new(0),
        pointer: Cell::new(None),
        crosshair_dirty: Cell::new(false),
    });
    follow(&state, &frames, theme, store.selected);
    observe_size(frame, frames.clone());
    frames.add({
        let state = Rc::clone(&state);
        move || {
            let selected = row.get_untracked();
            if let (Some(row), Some(data), Some(cross)) =
                (selected, data.get_untracked(), cross.get_untracked())
            {
                state.paint(&row.symbol, row.decimals, &data, &cross);
            }
        }
    });
    let move_pointer = {
        let (state, frames) = (Rc::clone(&state), frames.clone());
        move |event: PointerEvent| {
            let place = (f64::from(event.offset_x()), f64::from(event.offset_y()));
            state.point_at(Some(place), &frames);
        }
    };
    let leave = move |_: PointerEvent| state.point_at(None, &frames);
    let name = spoken_name(row);
    let empty = move || {
        let no_price = row.get().is_none_or(|row| row.last.get().is_none());
        no_price.then(|| view! { <p class="empty">"Waiting for the first price"</p> })
    };
    view! {
        <div class="chart" role="img" aria-label=name node_ref=frame>
            <canvas class="data" node_ref=data></canvas>
            <canvas
                class="cross"
                node_ref=cross
                on:pointermove=move_pointer
                on:pointerleave=leave
            ></canvas>
            {empty}
        </div>
    }
}

impl ChartState {
    fn point_at(&self, place: Option<(f64, f64)>, frames: &Frames) {
        self.pointer.set(place);
        self.crosshair_dirty.set(true);
        frames.request();
    }

    fn paint(
        &self,
        symbol: &str,
        decimals: u32,
        data: &web_sys::HtmlCanvasElement,
        cross: &web_sys::HtmlCanvasElement,
    ) -> Option<()> {
        let palette = self.palette.borrow();
        let palette = palette.as_ref()?;
        let wanted = Drawn {
            symbol: symbol.to_owned(),
            version: self.store.version(symbol)?,
            size: (data.client_width(), data.client_height()),
            ratio: window().device_pixel_ratio(),
            appearance: self.appearance.get(),
        };
        if self.drawn.borrow().as_ref() != Some(&wanted) {
            let layout = self.store.with_history(symbol, |history| {
                DataLayer { palette, decimals }.draw(data, history)
            })?;
            *self.layout.borrow_mut() = layout;
            *self.drawn.borrow_mut() = Some(wanted);
            // What lies under the pointer has moved.
            self.crosshair_dirty.set(true);
        }
        if self.crosshair_dirty.replace(false) {
            let layout = self.layout.borrow();
            let crosshair = Crosshair {
                palette,
                decimals,
                layout: layout.as_ref(),
                pointer: self.pointer.get(),
            };
            self.store
                .with_history(symbol, |history| crosshair.draw(cross, history))?;
        }
        Some(())
    }
}

/// Draws again when the theme or the selection changes.
fn follow(
    state: &Rc<ChartState>,
    frames: &Frames,
    theme: ThemeChoice,
    selected: RwSignal<Option<String>>,
) {
    let (state, frames) = (Rc::clone(state), frames.clone());
    Effect::new(move |_| {
        theme.get();
        selected.track();
        *state.palette.borrow_mut() = Palette::read();
        state.appearance.set(state.appearance.get() + 1);
        frames.request();
    });
}

/// Asks for a frame when the chart's place changes its size.
fn observe_size(frame: NodeRef<Div>, frames: Frames) {
    let on_resize = Closure::<dyn FnMut(JsValue)>::new(move |_| frames.request());
    let observer = ResizeObserver::new(on_resize.as_ref().unchecked_ref()).ok();
    Effect::new(move |_| {
        // The effect owns the closure, and lives as long as the chart.
        let _ = &on_resize;
        if let (Some(frame), Some(observer)) = (frame.get(), &observer) {
            observer.observe(&frame);
        }
    });
}

/// `BTC-USD, ticks, last 64,012.50`: follows the price once a second, since a
/// screen reader that hears forty prices a second hears none.
fn spoken_name(row: Memo<Option<crate::store::RowSignals>>) -> impl Fn() -> String + Send {
    let beat = RwSignal::new(0u32);
    let interval = set_interval_with_handle(
        move || beat.update(|b| *b = b.wrapping_add(1)),
        NAME_INTERVAL,
    );
    on_cleanup(move || {
        if let Ok(interval) = interval {
            interval.clear();
        }
    });
    move || {
        beat.track();
        let Some(row) = row.get() else {
            return "Chart, no symbol yet".to_owned();
        };
        let last: Option<Decimal> = row.last.get_untracked();
        let last = last.map_or("none yet".to_owned(), |last| {
            format::fixed(last, row.decimals)
        });
        format!("{}, ticks, last {last}", row.symbol)
    }
}
