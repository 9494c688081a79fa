//! Dark or light: the system's choice until the person makes one.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{CssStyleDeclaration, MediaQueryList};

/// Where the choice is kept.
const STORAGE_KEY: &str = "tickwire.theme";

/// A colour scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
}

impl Theme {
    fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }

    /// The other one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Dark,
        }
    }

    fn at_start() -> Self {
        stored().unwrap_or_else(|| {
            let light = light_query().is_some_and(|query| query.matches());
            if light { Self::Light } else { Self::Dark }
        })
    }
}

/// What the person chose.
fn stored() -> Option<Theme> {
    let name = storage()?.get_item(STORAGE_KEY).ok().flatten()?;
    [Theme::Dark, Theme::Light]
        .into_iter()
        .find(|theme| theme.name() == name)
}

fn light_query() -> Option<MediaQueryList> {
    let query = window().match_media("(prefers-color-scheme: light)");
    query.ok().flatten()
}

/// The theme in use; what is set here is shown at once and kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThemeChoice(RwSignal<Theme>);

impl ThemeChoice {
    /// The theme that was chosen before, or the system's.
    pub(crate) fn start() -> Self {
        let choice = Self(RwSignal::new(Theme::at_start()));
        choice.show();
        choice.follow_system();
        choice
    }

    /// The theme in use; tracked.
    pub(crate) fn get(self) -> Theme {
        self.0.get()
    }

    /// The theme in use.
    pub(crate) fn get_untracked(self) -> Theme {
        self.0.get_untracked()
    }

    /// Changes to the other theme and remembers it.
    pub(crate) fn toggle(self) {
        self.0.update(|theme| *theme = theme.other());
        self.show();
        if let Some(storage) = storage() {
            // Without a place to keep it, the choice lasts as long as the page.
            let _ = storage.set_item(STORAGE_KEY, self.get_untracked().name());
        }
    }

    /// Changes with the system as long as the person has not chosen.
    fn follow_system(self) {
        let Some(query) = light_query() else {
            return;
        };
        let on_change = Closure::<dyn FnMut()>::new(move || {
            if stored().is_none() {
                self.0.set(Theme::at_start());
                self.show();
            }
        });
        query.set_onchange(Some(on_change.as_ref().unchecked_ref()));
        // Both live as long as the page; a query that is let go stops telling.
        on_change.forget();
        std::mem::forget(query);
    }

    fn show(self) {
        if let Some(root) = document().document_element() {
            // The attribute's name is a valid one.
            let _ = root.set_attribute("data-theme", self.get_untracked().name());
        }
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

/// The theme's colours as the style sheet has them, for canvases.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Palette {
    pub(crate) panel: String,
    pub(crate) raised: String,
    pub(crate) border: String,
    pub(crate) text: String,
    pub(crate) muted: String,
    pub(crate) accent: String,
    pub(crate) up: String,
    pub(crate) down: String,
}

impl Palette {
    /// Reads the style sheet; call it when the theme has changed, not in every
    /// frame.
    pub(crate) fn read() -> Option<Self> {
        let root = document().document_element()?;
        let style = window().get_computed_style(&root).ok().flatten()?;
        let colour = |name: &str| property(&style, name);
        Some(Self {
            panel: colour("--panel"),
            raised: colour("--raised"),
            border: colour("--border"),
            text: colour("--text"),
            muted: colour("--muted"),
            accent: colour("--accent"),
            up: colour("--up"),
            down: colour("--down"),
        })
    }
}

fn property(style: &CssStyleDeclaration, name: &str) -> String {
    let value = style.get_property_value(name).unwrap_or_default();
    value.trim().to_owned()
}
