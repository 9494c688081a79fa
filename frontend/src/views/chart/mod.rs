//! Charts: a canvas for the data and one above it for the crosshair, so that a
//! moving mouse never draws the data again.

mod cross;
mod desk;
mod export;
mod gestures;
mod layout;
mod legend;
mod marks;
mod painter;
mod scene;
mod spec;
mod state;
mod study;
mod text;
mod toolbar;

use std::rc::Rc;
use std::time::Duration;

use leptos::html::{Canvas, Div};
use leptos::prelude::*;
use web_sys::{PointerEvent, WheelEvent};

use self::gestures::Gestures;
use super::canvas::{Surface, observe_size};
use crate::react::{effect, flag, text};

pub use self::cross::Cross;
pub(crate) use self::desk::Desk;
pub use self::painter::Painter;
pub use self::scene::{Compared, Kind, Scene};
pub(crate) use self::state::Parts;
pub use self::study::{StudyKind, StudySpec};
pub(super) use self::text::recent;
pub(crate) use self::toolbar::toolbar;

/// How often a chart's name for assistive technology follows the price: a
/// screen reader that hears forty prices a second hears none.
const NAME_INTERVAL: Duration = Duration::from_millis(1_000);

/// The charts of the layout.
#[component]
pub(crate) fn Charts(desk: Rc<Desk>) -> impl IntoView {
    let specs = desk.specs;
    let speaker = Rc::clone(&desk);
    let beat = set_interval_with_handle(move || speaker.speak(), NAME_INTERVAL);
    on_cleanup(move || {
        if let Ok(beat) = beat {
            beat.clear();
        }
    });
    let charts: Vec<_> = (0..desk.charts.len())
        .map(|place| chart(&desk, place))
        .collect();
    view! { <div class="charts" data-layout=text(move || specs.with(Vec::len).to_string())>{charts}</div> }
}

fn chart(desk: &Rc<Desk>, place: usize) -> AnyView {
    let chart = Rc::clone(&desk.charts[place]);
    let (specs, active) = (desk.specs, desk.active);
    let (name, note, follows) = (chart.name, chart.note, chart.follows);
    let frame = NodeRef::<Div>::new();
    let (data, cross) = (NodeRef::<Canvas>::new(), NodeRef::<Canvas>::new());
    let painted = Rc::clone(&chart);
    effect(move || {
        if let (Some(frame), Some(data), Some(cross)) = (frame.get(), data.get(), cross.get())
            && let (Some(data), Some(cross)) = (Surface::of(data), Surface::of(cross))
        {
            painted.attach(data, cross);
            let sized = Rc::clone(&painted);
            observe_size(&frame, move |width, height| sized.resize(width, height));
        }
    });
    let gestures = Gestures::default();
    let (pressed, released, left) = (gestures.clone(), gestures.clone(), gestures.clone());
    let (moved, wheeled, gone, home, back) = (
        Rc::clone(&chart),
        Rc::clone(&chart),
        Rc::clone(&chart),
        Rc::clone(&chart),
        chart,
    );
    let press = move |event: PointerEvent| {
        active.set(place);
        pressed.down(&event);
    };
    let leave = move |event: PointerEvent| {
        left.up(&event);
        gone.point(None);
    };
    let is_active = flag(move || specs.with(Vec::len) > 1 && active.get() == place);
    let is_absent = flag(move || specs.with(Vec::len) <= place);
    let has_bars = flag(move || note.with(String::is_empty));
    let live = move || {
        let back = Rc::clone(&back);
        view! {
            <button
                type="button"
                class="live"
                title="Follow the newest bar (End)"
                hidden=flag(move || follows.get())
                on:click=move |_| back.go_live()
            >
                "Back to live"
            </button>
        }
    };
    view! {
        <div
            class="frame"
            role="group"
            aria-label=format!("Chart {}", place + 1)
            tabindex="0"
            class:active=is_active
            hidden=is_absent
            on:focusin=move |_| active.set(place)
        >
            <div class="chart" role="img" aria-label=text(move || name.get()) node_ref=frame>
                <canvas class="data" node_ref=data></canvas>
                <canvas
                    class="cross"
                    node_ref=cross
                    on:pointerdown=press
                    on:pointermove=move |event: PointerEvent| gestures.moved(&event, &moved)
                    on:pointerup=move |event: PointerEvent| released.up(&event)
                    on:pointercancel=leave.clone()
                    on:pointerleave=leave
                    on:wheel=move |event: WheelEvent| Gestures::wheel(&event, &wheeled)
                    on:dblclick=move |_| home.go_live()
                ></canvas>
            </div>
            <p class="empty" hidden=has_bars>{text(move || note.get())}</p>
            {live()}
        </div>
    }
    .into_any()
}
