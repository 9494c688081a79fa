//! Mouse, wheel, trackpad and touch on a chart.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, PointerEvent, WheelEvent};

use super::state::Chart;

/// The height of a line in CSS pixels, for a wheel that reports lines.
const LINE_PX: f64 = 16.0;
/// How much one pixel of the wheel zooms. A pinch on a trackpad arrives as a
/// wheel event with the control key, in smaller steps.
const WHEEL_ZOOM: f64 = 0.0015;
const PINCH_ZOOM: f64 = 0.01;

/// How near to an alert's line the pointer has to be to grab it, in CSS pixels.
fn grip_px(event: &PointerEvent) -> f64 {
    if event.pointer_type() == "mouse" {
        6.0
    } else {
        16.0
    }
}

/// The pointers that are down on a chart: a mouse, or one or two fingers.
#[derive(Clone, Default)]
pub(super) struct Gestures {
    pointers: Rc<RefCell<Vec<Pointer>>>,
    /// Whether an alert is being dragged, and not the chart.
    alert: Rc<Cell<bool>>,
}

#[derive(Clone, Copy)]
struct Pointer {
    id: i32,
    x: f64,
}

impl Gestures {
    /// Grabs the chart, or an alert on it.
    pub(super) fn down(&self, event: &PointerEvent, chart: &Chart) {
        if event.button() != 0 {
            return;
        }
        let held = chart.take_alert(event.offset_y().into(), grip_px(event));
        self.alert.set(held);
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        if let Some(target) = target {
            // Without pointer capture the drag would end at the chart's edge.
            let _ = target.set_pointer_capture(event.pointer_id());
        }
        let mut pointers = self.pointers.borrow_mut();
        pointers.retain(|pointer| pointer.id != event.pointer_id());
        pointers.push(Pointer {
            id: event.pointer_id(),
            x: event.offset_x().into(),
        });
    }

    /// A finger that drags an alert must not scroll the page.
    pub(super) fn touch(&self, event: &Event) {
        if self.alert.get() {
            event.prevent_default();
        }
    }

    pub(super) fn up(&self, event: &PointerEvent, chart: &Chart) {
        if self.alert.take() {
            chart.drop_alert();
        }
        self.leave(event);
    }

    /// Cancels the drag.
    pub(super) fn cancel(&self, event: &PointerEvent, chart: &Chart) {
        if self.alert.take() {
            chart.release_alert();
        }
        self.leave(event);
    }

    fn leave(&self, event: &PointerEvent) {
        let mut pointers = self.pointers.borrow_mut();
        pointers.retain(|pointer| pointer.id != event.pointer_id());
    }

    /// Scrolls with one pointer, zooms with two. The crosshair follows the
    /// pointer.
    pub(super) fn moved(&self, event: &PointerEvent, chart: &Chart) {
        let place = (f64::from(event.offset_x()), f64::from(event.offset_y()));
        if self.alert.get() {
            chart.move_alert(place.1);
            return chart.point(Some(place));
        }
        let mut pointers = self.pointers.borrow_mut();
        let own = pointers
            .iter()
            .position(|pointer| pointer.id == event.pointer_id());
        if let Some(own) = own {
            let before = pointers[own].x;
            pointers[own].x = place.0;
            match pointers.iter().enumerate().find(|(index, _)| *index != own) {
                None => chart.pan(place.0 - before),
                Some((_, other)) => {
                    let (was, is) = ((before - other.x).abs(), (place.0 - other.x).abs());
                    if was > 1.0 && is > 1.0 {
                        chart.zoom(is / was, f64::midpoint(place.0, other.x));
                    }
                    chart.pan((place.0 - before) / 2.0);
                }
            }
        }
        chart.point(Some(place));
        let target = event.target();
        if let Some(target) = target.and_then(|target| target.dyn_into::<Element>().ok()) {
            // Fails only for invalid attribute names.
            let _ = target.toggle_attribute_with_force(
                "data-grip",
                chart.has_alert_at(place.1, grip_px(event)),
            );
        }
    }

    pub(super) fn wheel(event: &WheelEvent, chart: &Chart) {
        event.prevent_default();
        let scale = if event.delta_mode() == WheelEvent::DOM_DELTA_LINE {
            LINE_PX
        } else {
            1.0
        };
        let (x, y) = (event.delta_x() * scale, event.delta_y() * scale);
        if x.abs() > y.abs() {
            chart.pan(-x);
        } else if event.shift_key() {
            chart.pan(-y);
        } else {
            let strength = if event.ctrl_key() {
                PINCH_ZOOM
            } else {
                WHEEL_ZOOM
            };
            chart.zoom((-y * strength).exp(), event.offset_x().into());
        }
    }
}
