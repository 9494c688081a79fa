//! One pending animation frame for the whole page; none when nothing has
//! changed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::request_animation_frame;

/// A callback that draws. It decides itself whether it has to.
type Painter = Rc<dyn Fn()>;

/// Requests at most one animation frame at a time, and then calls all painters.
/// Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Frames(Rc<Inner>);

#[derive(Default)]
struct Inner {
    pending: Cell<bool>,
    /// One for the store and one for each part of the page. They live as long
    /// as the page.
    painters: RefCell<Vec<Painter>>,
}

impl Frames {
    /// Adds a painter. Each frame calls it after the painters added before.
    pub(crate) fn add(&self, painter: impl Fn() + 'static) {
        self.0.painters.borrow_mut().push(Rc::new(painter));
        self.request();
    }

    /// Requests a frame, unless one is pending already.
    pub(crate) fn request(&self) {
        if self.0.pending.replace(true) {
            return;
        }
        let inner = Rc::clone(&self.0);
        request_animation_frame(move || {
            inner.pending.set(false);
            // The list is copied, since a painter may add another one.
            let painters = inner.painters.borrow().clone();
            for painter in painters {
                painter();
            }
        });
    }
}
