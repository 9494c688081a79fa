//! One pending animation frame for the whole page, none when nothing changed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::request_animation_frame;

/// Something that draws; it decides by itself whether it has to.
type Painter = Rc<dyn Fn()>;

/// Asks the browser for a frame at most once, and then lets everybody draw.
/// Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Frames(Rc<Inner>);

#[derive(Default)]
struct Inner {
    pending: Cell<bool>,
    /// One each for the store and the parts of the page; they live as long.
    painters: RefCell<Vec<Painter>>,
}

impl Frames {
    /// Adds a painter, called in each frame after those before it.
    pub(crate) fn add(&self, painter: impl Fn() + 'static) {
        self.0.painters.borrow_mut().push(Rc::new(painter));
        self.request();
    }

    /// Asks for a frame, unless one is coming already.
    pub(crate) fn request(&self) {
        if self.0.pending.replace(true) {
            return;
        }
        let inner = Rc::clone(&self.0);
        request_animation_frame(move || {
            inner.pending.set(false);
            // A painter may add another.
            let painters = inner.painters.borrow().clone();
            for painter in painters {
                painter();
            }
        });
    }
}
