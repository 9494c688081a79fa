//! The charts on the page: their canvases, and the controls above them.

use std::rc::Rc;
use std::time::Duration;

use leptos::ev::{PointerEvent, WheelEvent};
use leptos::html;
use leptos::prelude::*;

use super::gestures::Gestures;
use super::grid::ChartGrid;
use super::state::Chart;
use crate::views::canvas::{Surface, observe_size};
use crate::views::controls::Button;
use crate::words;

/// How often a chart's name for assistive technology follows the price. A
/// screen reader cannot read forty prices a second.
const NAME_INTERVAL: Duration = Duration::from_secs(1);

/// The charts of the layout.
#[component]
pub(crate) fn Charts(grid: Rc<ChartGrid>) -> impl IntoView {
    let specs = grid.specs;
    let frames = (0..grid.charts.len())
        .map(|place| view! { <Frame grid=Rc::clone(&grid) place /> })
        .collect_view();
    let beat = set_interval_with_handle(move || grid.speak(), NAME_INTERVAL);
    on_cleanup(move || _ = beat.map(|beat| beat.clear()));
    view! {
        <div class="charts" data-layout=move || specs.with(Vec::len).to_string()>
            {frames}
        </div>
    }
}

/// A chart, and the controls above it.
#[component]
fn Frame(grid: Rc<ChartGrid>, place: usize) -> impl IntoView {
    let chart = Rc::clone(&grid.charts[place]);
    let (specs, active) = (grid.specs, grid.active);
    let (name, note, follows) = (chart.name, chart.note, chart.follows);
    let is_active = move || specs.with(Vec::len) > 1 && active.get() == place;
    let back = Rc::clone(&chart);
    view! {
        <div
            class="frame"
            class:active=is_active
            role="group"
            tabindex="0"
            aria-label=words::chart_number(place + 1)
            hidden=move || specs.with(Vec::len) <= place
            on:focusin=move |_| active.set(place)
        >
            <div class="chart" role="img" aria-label=name>
                <Canvases chart=Rc::clone(&chart) activate=move || active.set(place) />
            </div>
            <p class="empty" hidden=move || note.with(String::is_empty)>
                {note}
            </p>
            <Steps chart />
            <button
                type="button"
                class="live"
                title=words::BACK_TO_LIVE_TITLE
                hidden=follows
                on:click=move |_| back.go_live()
            >
                {words::BACK_TO_LIVE}
            </button>
        </div>
    }
}

/// Buttons for the actions of keys and gestures on the view.
#[component]
fn Steps(chart: Rc<Chart>) -> impl IntoView {
    let steps = words::STEPS.map(|(label, title, key)| {
        let chart = Rc::clone(&chart);
        view! { <Button label title act=move |()| _ = chart.key(key) /> }
    });
    view! {
        <div class="group steps" role="group" aria-label=words::STEPS_LABEL>
            {steps.collect_view()}
        </div>
    }
}

/// The two canvases of a chart, and the gestures on them.
#[component]
fn Canvases(
    chart: Rc<Chart>,
    /// Makes this chart the active one.
    activate: impl Fn() + 'static,
) -> impl IntoView {
    let data = NodeRef::<html::Canvas>::new();
    let cross = NodeRef::<html::Canvas>::new();
    let painted = Rc::clone(&chart);
    data.on_load(move |canvas| {
        let above = cross.get_untracked().and_then(Surface::of);
        if let (Some(data), Some(cross)) = (Surface::of(canvas.clone()), above) {
            painted.attach(data, cross);
        }
        // Both canvases have the size of the chart.
        observe_size(&canvas, move |width, height| painted.resize(width, height));
    });
    let gestures = Gestures::default();
    let with = |act: fn(&Gestures, &PointerEvent, &Chart)| {
        let (gestures, chart) = (gestures.clone(), Rc::clone(&chart));
        move |event: PointerEvent| act(&gestures, &event, &chart)
    };
    let leave = |gestures: &Gestures, event: &PointerEvent, chart: &Chart| {
        gestures.cancel(event, chart);
        chart.point(None);
    };
    let down = with(Gestures::down);
    let touched = gestures.clone();
    let (wheeled, home) = (Rc::clone(&chart), Rc::clone(&chart));
    view! {
        <canvas class="data" node_ref=data></canvas>
        <canvas
            class="cross"
            node_ref=cross
            on:pointerdown=move |event| {
                activate();
                down(event);
            }
            on:touchstart=move |event| touched.touch(&event)
            on:pointermove=with(Gestures::moved)
            on:pointerup=with(Gestures::up)
            on:pointercancel=with(leave)
            on:pointerleave=with(leave)
            on:wheel=move |event: WheelEvent| Gestures::wheel(&event, &wheeled)
            on:dblclick=move |_| home.go_live()
        ></canvas>
    }
}
