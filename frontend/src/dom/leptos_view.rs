//! An element as a view of Leptos, so that components and `view!` accept it.

use leptos::attr::Attribute;
use leptos::attr::any_attribute::AnyAttribute;
use leptos::prelude::*;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::view::{Position, PositionState};
use web_sys::Element;

use super::Html;

impl Render for Html {
    type State = Element;

    fn build(self) -> Element {
        self.0.into()
    }

    fn rebuild(self, state: &mut Element) {
        let mut new = self.build();
        state.insert_before_this(&mut new);
        state.unmount();
        *state = new;
    }
}

impl AddAnyAttr for Html {
    type Output<SomeNewAttr: Attribute> = Self;

    fn add_any_attr<NewAttr: Attribute>(self, attr: NewAttr) -> Self {
        // What is bound to the attribute lives as long as the element.
        std::mem::forget(attr.build(&self.0));
        self
    }
}

impl RenderHtml for Html {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(
        self,
        buf: &mut String,
        position: &mut Position,
        _escape: bool,
        _mark_branches: bool,
        _extra_attrs: Vec<AnyAttribute>,
    ) {
        buf.push_str(&self.0.outer_html());
        *position = Position::NextChild;
    }

    /// No server renders this page, so there is nothing to hydrate.
    fn hydrate<const FROM_SERVER: bool>(
        self,
        _cursor: &Cursor,
        _position: &PositionState,
    ) -> Element {
        self.build()
    }

    fn into_owned(self) -> Self {
        self
    }
}
