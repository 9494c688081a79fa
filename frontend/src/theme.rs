//! The page's appearance: settings as attributes of the root element, and
//! colours for canvases.

use leptos::prelude::*;
use leptos_use_media_query::use_media_query;
use web_sys::CssStyleDeclaration;

use crate::settings::Settings;

/// The two colour schemes.
pub(crate) const THEMES: [&str; 2] = ["dark", "light"];
/// The two pairs of colours for up and down.
pub(crate) const PALETTES: [&str; 2] = ["green", "blue"];
/// The two row heights.
pub(crate) const DENSITIES: [&str; 2] = ["compact", "roomy"];

/// The page's appearance.
#[derive(Clone, Copy)]
pub(crate) struct Looks {
    settings: Settings,
    /// Whether the system prefers a light page.
    system_light: Signal<bool>,
    /// The colours. They are read again when they change.
    pub(crate) palette: RwSignal<Palette>,
}

impl Looks {
    /// Applies the settings, and follows changes of the settings and of the
    /// system.
    pub(crate) fn start(settings: Settings) -> Self {
        let looks = Self {
            settings,
            system_light: use_media_query("(prefers-color-scheme: light)"),
            palette: RwSignal::new(Palette::default()),
        };
        Effect::new(move || looks.show());
        looks
    }

    /// The colour scheme in use; tracked.
    pub(crate) fn theme(self) -> &'static str {
        let system = THEMES[usize::from(self.system_light.get())];
        let chosen = self.settings.theme.get();
        THEMES
            .into_iter()
            .find(|name| *name == chosen)
            .unwrap_or(system)
    }

    /// Changes to the other theme.
    pub(crate) fn toggle_theme(self) {
        let other = THEMES[usize::from(untrack(|| self.theme()) == THEMES[0])];
        self.settings.theme.set(other);
    }

    fn show(self) {
        let Some(root) = document().document_element() else {
            return;
        };
        let Settings {
            palette, density, ..
        } = self.settings;
        for (name, value) in [
            ("data-theme", self.theme()),
            ("data-palette", &palette.get()),
            ("data-density", &density.get()),
        ] {
            // The names of the attributes are valid.
            let _ = root.set_attribute(name, value);
        }
        if let Some(palette) = Palette::read() {
            self.palette.set(palette);
        }
    }
}

/// The colours of the style sheet, for canvases.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Palette {
    /// The background.
    pub panel: String,
    /// The background of labels.
    pub raised: String,
    /// The lines of the grid.
    pub border: String,
    /// Text.
    pub text: String,
    /// Less important text.
    pub muted: String,
    /// Rising prices.
    pub up: String,
    /// Falling prices.
    pub down: String,
    /// The lines of charts; the first colour is that of the chart's own symbol.
    pub lines: [String; 5],
}

impl Palette {
    /// Reads the style sheet. Too slow for every frame; call it when a setting
    /// has changed.
    fn read() -> Option<Self> {
        let root = document().document_element()?;
        let style = window().get_computed_style(&root).ok().flatten()?;
        let colour = |name: &str| property(&style, name);
        Some(Self {
            panel: colour("--panel"),
            raised: colour("--raised"),
            border: colour("--border"),
            text: colour("--text"),
            muted: colour("--muted"),
            up: colour("--up"),
            down: colour("--down"),
            lines: ["--accent", "--line-1", "--line-2", "--line-3", "--line-4"].map(colour),
        })
    }
}

fn property(style: &CssStyleDeclaration, name: &str) -> String {
    let value = style.get_property_value(name).unwrap_or_default();
    value.trim().to_owned()
}
