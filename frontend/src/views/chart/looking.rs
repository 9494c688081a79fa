//! Where a chart is scrolled to, and what the pointer is on.

use super::cross::Cross;
use super::painter::Painter;
use super::state::{Chart, Dirty};
use crate::plot::{Span, TimeAxis, Viewport};

/// How far a key scrolls, in CSS pixels, and the factor by which it zooms.
const STEP_PX: f64 = 60.0;
const ZOOM_STEP: f64 = 1.25;

impl Chart {
    /// Changes the view, if there are bars.
    fn look(&self, change: impl FnOnce(&mut Viewport, &Span, f64)) {
        let span = self.placed.borrow().span();
        let width = self
            .painter
            .borrow()
            .as_ref()
            .map_or(0.0, Painter::plot_width);
        if let (Some(mut view), Some(span)) = (self.view.get(), span) {
            change(&mut view, &span, width);
            self.view.set(Some(view));
            self.mark(Dirty::All);
        }
    }

    /// Scrolls back in time by this many CSS pixels.
    pub(super) fn pan(&self, px: f64) {
        self.look(|view, span, width| view.pan(px, span, width));
    }

    /// Makes bars wider by a factor; the time at `x` keeps its place.
    pub(super) fn zoom(&self, factor: f64, x: f64) {
        self.look(|view, span, width| view.zoom(factor, x, span, width));
    }

    fn zoom_about_middle(&self, factor: f64) {
        self.look(|view, span, width| view.zoom(factor, width / 2.0, span, width));
    }

    /// Makes the view follow the newest bar.
    pub(crate) fn go_live(&self) {
        self.look(|view, span, _| view.go_live(span));
    }

    /// Applies a key to the view; returns whether the key does anything.
    pub(crate) fn key(&self, key: &str) -> bool {
        match key {
            "ArrowLeft" => self.pan(STEP_PX),
            "ArrowRight" => self.pan(-STEP_PX),
            "+" | "=" => self.zoom_about_middle(ZOOM_STEP),
            "-" => self.zoom_about_middle(1.0 / ZOOM_STEP),
            "Home" => self.look(|view, span, width| view.go_to_start(span, width)),
            "End" => self.go_live(),
            _ => return false,
        }
        true
    }

    /// Moves the crosshair of all charts to this chart's pointer, in CSS
    /// pixels, or removes it.
    pub(super) fn point(&self, place: Option<(f64, f64)>) {
        let width = self
            .painter
            .borrow()
            .as_ref()
            .map_or(0.0, Painter::plot_width);
        self.pointer.set(place.filter(|(x, _)| *x <= width));
        let cross = self.cross_at_pointer(&self.placed.borrow().axis, width);
        self.shared_cross
            .set(cross.map(|cross| (self.place, cross)));
        self.parts.frames.request();
    }

    /// The crosshair at the pointer, for a plot of this width.
    pub(super) fn cross_at_pointer(&self, axis: &TimeAxis, width: f64) -> Option<Cross> {
        let ((x, y), view) = self.pointer.get().zip(self.view.get())?;
        Some(Cross {
            time_us: axis.time(view.times(width).0 + x * view.us_per_px()),
            y: Some(y),
        })
    }
}
