//! Charts: a canvas for the data, and one above it for the crosshair, so that
//! moving the mouse never redraws the data.

mod cross;
mod export;
mod gestures;
mod grid;
mod layout;
mod legend;
mod marks;
mod painter;
mod scene;
pub(crate) mod spec;
mod state;
mod study;
mod text;
mod toolbar;

use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, PointerEvent, WheelEvent};

use self::gestures::Gestures;
use self::state::Chart;
use super::button::button;
use super::canvas::{Surface, observe_size};
use crate::dom::{Html, html};

pub use self::cross::Cross;
pub(crate) use self::grid::ChartGrid;
pub use self::painter::Painter;
pub use self::scene::{AlertLine, Compared, Kind, Scene};
pub(crate) use self::state::Parts;
pub use self::study::{StudyKind, StudySpec};
pub(crate) use self::text::recent;
pub(crate) use self::toolbar::Toolbar;

/// How often a chart's name for assistive technology follows the price. A
/// screen reader cannot read forty prices a second.
const NAME_INTERVAL: Duration = Duration::from_millis(1_000);

/// The charts of the layout.
#[component]
pub(crate) fn Charts(grid: Rc<ChartGrid>) -> impl IntoView {
    let specs = grid.specs;
    let speaker = Rc::clone(&grid);
    let beat = set_interval_with_handle(move || speaker.speak(), NAME_INTERVAL);
    on_cleanup(move || {
        if let Ok(beat) = beat {
            beat.clear();
        }
    });
    html(r#"<div class="charts"></div>"#)
        .attr("data-layout", move || {
            Some(specs.with(Vec::len).to_string())
        })
        .with((0..grid.charts.len()).map(|place| frame(&grid, place)))
}

/// A chart, and the controls above it.
fn frame(grid: &Rc<ChartGrid>, place: usize) -> Html {
    let chart = &grid.charts[place];
    let (specs, active) = (grid.specs, grid.active);
    let (name, note, follows) = (chart.name, chart.note, chart.follows);
    let back = Rc::clone(chart);
    html(r#"<div class="frame" role="group" tabindex="0"></div>"#)
        .set("aria-label", &format!("Chart {}", place + 1))
        .class("active", move || specs.with(Vec::len) > 1 && active.get() == place)
        .flag("hidden", move || specs.with(Vec::len) <= place)
        .on("focusin", move |_: Event| active.set(place))
        .with([
            html(r#"<div class="chart" role="img"></div>"#)
                .attr("aria-label", move || Some(name.get()))
                .with(canvases(chart, move || active.set(place))),
            html(r#"<p class="empty"></p>"#)
                .flag("hidden", move || note.with(String::is_empty))
                .text(move || note.get()),
            steps(chart),
            html(r#"<button type="button" class="live" title="Follow the newest bar (End)">Back to live</button>"#)
                .flag("hidden", move || follows.get())
                .click(move || back.go_live()),
        ])
}

/// Buttons for the actions of keys and gestures on the view.
fn steps(chart: &Rc<Chart>) -> Html {
    let steps = [
        ("⇤", "The oldest bar (Home)", "Home"),
        ("←", "Back in time (←)", "ArrowLeft"),
        ("−", "Zoom out (−)", "-"),
        ("+", "Zoom in (+)", "+"),
        ("→", "Forward in time (→)", "ArrowRight"),
    ];
    let steps = steps.map(|(label, title, key)| {
        let chart = Rc::clone(chart);
        button(label, title, move || _ = chart.key(key))
    });
    html(r#"<div class="group steps" role="group" aria-label="Zoom and scroll"></div>"#).with(steps)
}

/// The two canvases of a chart, and the gestures on them.
fn canvases(chart: &Rc<Chart>, activate: impl Fn() + 'static) -> [Html; 2] {
    let data = html(r#"<canvas class="data"></canvas>"#);
    let cross = html(r#"<canvas class="cross"></canvas>"#);
    let surface = |canvas: &Html| Surface::of(canvas.node().clone().unchecked_into());
    if let (Some(data), Some(cross)) = (surface(&data), surface(&cross)) {
        chart.attach(data, cross);
    }
    // Both canvases have the size of the chart.
    let sized = Rc::clone(chart);
    observe_size(data.node(), move |width, height| {
        sized.resize(width, height);
    });
    let gestures = Gestures::default();
    let with = |act: fn(&Gestures, &PointerEvent, &Chart)| {
        let (gestures, chart) = (gestures.clone(), Rc::clone(chart));
        move |event: PointerEvent| act(&gestures, &event, &chart)
    };
    let leave = |gestures: &Gestures, event: &PointerEvent, chart: &Chart| {
        gestures.cancel(event, chart);
        chart.point(None);
    };
    let touched = gestures.clone();
    let (wheeled, home) = (Rc::clone(chart), Rc::clone(chart));
    let cross = cross
        .on("pointerdown", move |_: Event| activate())
        .on("pointerdown", with(Gestures::down))
        .on("touchstart", move |event: Event| touched.touch(&event))
        .on("pointermove", with(Gestures::moved))
        .on("pointerup", with(Gestures::up))
        .on("pointercancel", with(leave))
        .on("pointerleave", with(leave))
        .on("wheel", move |event: WheelEvent| {
            Gestures::wheel(&event, &wheeled);
        })
        .on("dblclick", move |_: Event| home.go_live());
    [data, cross]
}
