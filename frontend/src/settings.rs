//! The person's settings: applied at once, kept by the browser, and, if they
//! define what is shown, part of the page's address.

use leptos::ev;
use leptos::prelude::*;
use web_sys::UrlSearchParams;

/// What the keys of settings begin with in the browser's storage. Each setting
/// has an entry of its own there: pages that are open side by side change one
/// without writing back what the others were when the page was opened.
const STORAGE_PREFIX: &str = "tickwire.";

/// The value of a setting that is on; off is empty.
pub(crate) const ON: &str = "on";

/// A setting. All values are short texts, and lists are separated by commas, so
/// they can be put into a link as they are.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    key: &'static str,
    default: &'static str,
    /// Whether it is part of a link: true if it defines what is shown, not how
    /// that looks.
    in_link: bool,
    value: RwSignal<String>,
}

impl Setting {
    fn new(key: &'static str, default: &'static str, in_link: bool) -> Self {
        Self {
            key,
            default,
            in_link,
            value: RwSignal::new(default.to_owned()),
        }
    }

    /// Its value; tracked.
    pub(crate) fn get(self) -> String {
        self.value.get()
    }

    /// Its value.
    pub(crate) fn get_untracked(self) -> String {
        self.value.get_untracked()
    }

    /// Whether it has this value; tracked.
    pub(crate) fn is(self, value: &str) -> bool {
        self.value.with(|own| own == value)
    }

    /// Whether it has this value.
    pub(crate) fn is_untracked(self, value: &str) -> bool {
        self.value.with_untracked(|own| own == value)
    }

    /// The entries of its list; tracked.
    pub(crate) fn list(self) -> Vec<String> {
        self.value.with(|own| entries(own))
    }

    /// The entries of its list.
    pub(crate) fn list_untracked(self) -> Vec<String> {
        self.value.with_untracked(|own| entries(own))
    }

    /// Sets it.
    pub(crate) fn set(self, value: &str) {
        if self.value.with_untracked(|own| own != value) {
            self.value.set(value.to_owned());
        }
    }

    /// Sets its list.
    pub(crate) fn set_list(self, list: &[String]) {
        let entries: Vec<_> = list.iter().map(|entry| escape(entry, ',')).collect();
        self.set(&entries.join(","));
    }

    /// Sets the value after the present one in `values`, the first one after
    /// the last.
    pub(crate) fn cycle(self, values: &[&str]) {
        let now = self.get_untracked();
        let place = values.iter().position(|value| *value == now);
        let next = place.map_or(1, |place| place + 1) % values.len();
        self.set(values[next]);
    }

    fn storage_key(self) -> String {
        format!("{STORAGE_PREFIX}{}", self.key)
    }

    /// The value in the browser's storage, or the default.
    fn kept(self) -> String {
        let kept = storage().and_then(|all| all.get_item(&self.storage_key()).ok().flatten());
        kept.unwrap_or_else(|| self.default.to_owned())
    }

    /// Writes the value there; tracked. Without storage, or room in it, a setting
    /// lasts as long as the page.
    fn keep(self) {
        let value = self.get();
        let Some(storage) = storage() else {
            return;
        };
        let key = self.storage_key();
        let _ = match value == self.default {
            true => storage.remove_item(&key),
            false => storage.set_item(&key, &value),
        };
    }

    /// Adds an entry to its list, or removes it.
    pub(crate) fn toggle(self, entry: &str) {
        let mut list = self.list_untracked();
        let before = list.len();
        list.retain(|known| known != entry);
        if list.len() == before {
            list.push(entry.to_owned());
        }
        self.set_list(&list);
    }
}

fn entries(list: &str) -> Vec<String> {
    let entries = list.split(',').filter(|entry| !entry.is_empty());
    entries.map(unescape).collect()
}

/// Replaces the separator and `%` in a text by `%` and two hexadecimal digits;
/// [`unescape`] reverses this.
pub(crate) fn escape(text: &str, separator: char) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '%' || c == separator {
            // Both characters are ASCII.
            escape_byte(&mut escaped, c as u8);
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Reverses [`escape`]. Text that is not escaped stays as it is.
pub(crate) fn unescape(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part
            .get(..2)
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match code.filter(u8::is_ascii) {
            Some(byte) => {
                plain.push(byte.into());
                plain += &part[2..];
            }
            None => {
                plain.push('%');
                plain += part;
            }
        }
    }
    plain
}

fn escape_byte(text: &mut String, byte: u8) {
    text.push('%');
    for digit in [byte >> 4, byte & 15] {
        let digit = char::from_digit(digit.into(), 16).unwrap_or('0');
        text.push(digit.to_ascii_uppercase());
    }
}

/// All settings.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    /// The symbols to subscribe to; empty means all.
    pub(crate) symbols: Setting,
    /// Each chart's symbol, followed by `~` and each symbol compared with it.
    pub(crate) chart: Setting,
    /// Each chart's interval; empty for the one that fits the prices.
    pub(crate) interval: Setting,
    /// The key of a kind of chart.
    pub(crate) kind: Setting,
    /// Volume, overlays and oscillators, as in `volume,sma20`.
    pub(crate) studies: Setting,
    /// How many charts: `1`, `2` or `4`.
    pub(crate) layout: Setting,
    /// The transport's name; `auto` for the best one that gets through.
    pub(crate) transport: Setting,
    /// The interval of plain polling, in ms.
    pub(crate) poll: Setting,
    /// `dark` or `light`; empty follows the system.
    pub(crate) theme: Setting,
    /// `green` for green and red, `blue` for blue and orange.
    pub(crate) palette: Setting,
    /// `utc` or `local`.
    pub(crate) zone: Setting,
    /// `bars` for an index of bars, `time` for true time.
    pub(crate) axis: Setting,
    /// `compact` or `roomy`.
    pub(crate) density: Setting,
    /// A column's key; a minus before it sorts in descending order.
    pub(crate) sort: Setting,
    /// The columns that are shown, in order; empty means as many as fit.
    pub(crate) columns: Setting,
    /// The symbols on top of the watchlist.
    pub(crate) favourites: Setting,
    /// The watchlist's share of the width, in per cent.
    pub(crate) split: Setting,
    /// [`ON`] if an alert that fires plays a sound.
    pub(crate) sound: Setting,
    /// [`ON`] if the system shows a notification of it, where the browser
    /// allows that.
    pub(crate) notify: Setting,
}

impl Settings {
    /// The settings that the browser kept, overridden by those in the link.
    /// From here on, changes are kept and written into the address.
    pub(crate) fn start() -> Self {
        let settings = Self::kept();
        let link = window().location().search().unwrap_or_default();
        settings.read_link(&link);
        Effect::new(move || settings.write_link());
        settings
    }

    /// The settings that the browser kept. From here on, changes are kept.
    pub(crate) fn kept() -> Self {
        let link = |key, default| Setting::new(key, default, true);
        let own = |key, default| Setting::new(key, default, false);
        let settings = Self {
            symbols: link("symbols", ""),
            chart: link("chart", ""),
            interval: link("interval", ""),
            kind: link("kind", "candles"),
            studies: link("studies", "volume"),
            layout: link("layout", "1"),
            transport: link("transport", "auto"),
            poll: link("poll", "1000"),
            theme: own("theme", ""),
            palette: own("palette", "green"),
            zone: own("zone", "local"),
            axis: own("axis", "bars"),
            density: own("density", "compact"),
            sort: own("sort", ""),
            columns: own("columns", ""),
            favourites: own("favourites", ""),
            split: own("split", "50"),
            sound: own("sound", ""),
            notify: own("notify", ""),
        };
        for setting in settings.all() {
            // The subscribed symbols come only from a link, and are not kept:
            // the page has no means to reset them.
            if setting.key != settings.symbols.key {
                setting.set(&setting.kept());
                Effect::new(move || setting.keep());
            }
        }
        // Changes on another page apply here, too, except to what is shown. The
        // handle could remove the listener, which lives as long as the page.
        let _ = window_event_listener(ev::storage, move |event| {
            let changed = event.key();
            let own = settings.all().into_iter().filter(|own| !own.in_link);
            for setting in own {
                // Without a key, all were taken away.
                let is_it = |key: &String| *key == setting.storage_key();
                if changed.as_ref().is_none_or(is_it) {
                    setting.set(&setting.kept());
                }
            }
        });
        settings
    }

    fn all(self) -> [Setting; 19] {
        [
            self.symbols,
            self.chart,
            self.interval,
            self.kind,
            self.studies,
            self.layout,
            self.transport,
            self.poll,
            self.theme,
            self.palette,
            self.zone,
            self.axis,
            self.density,
            self.sort,
            self.columns,
            self.favourites,
            self.split,
            self.sound,
            self.notify,
        ]
    }

    fn read_link(self, link: &str) {
        let Ok(link) = UrlSearchParams::new_with_str(link) else {
            return;
        };
        for setting in self.all().into_iter().filter(|setting| setting.in_link) {
            if let Some(value) = link.get(setting.key) {
                setting.set(&value);
            }
        }
    }

    /// Writes the settings that belong in a link into the address.
    fn write_link(self) {
        let mut link = String::new();
        for setting in self.all() {
            let value = setting.get();
            if setting.in_link && !value.is_empty() {
                append(&mut link, setting.key, &value);
            }
        }
        if let Ok(history) = window().history() {
            // Fails only for pages that were not loaded from a server.
            let state = &wasm_bindgen::JsValue::NULL;
            let _ = history.replace_state_with_url(state, "", Some(&format!("?{link}")));
        }
    }
}

/// Appends `key=value`. Only what a query cannot contain is escaped, so that
/// people can read the link.
fn append(query: &mut String, key: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(key);
    query.push('=');
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~,:/*".contains(&byte) {
            query.push(byte.into());
        } else {
            escape_byte(query, byte);
        }
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn links_can_be_read() {
        let mut query = String::new();
        append(&mut query, "chart", "BTC-USD~ETH-USD,AAPL");
        append(&mut query, "symbols", "É&B");
        assert_eq!(query, "chart=BTC-USD~ETH-USD,AAPL&symbols=%C3%89%26B");
    }

    proptest! {
        #[test]
        fn lists_lead_back(list in proptest::collection::vec("[^\\pC]{1,6}|[~,%*&+\" 0-9A-F]{1,6}", 0..5)) {
            let joined: Vec<_> = list.iter().map(|entry| escape(entry, ',')).collect();
            prop_assert_eq!(entries(&joined.join(",")), list.clone());
            let joined: Vec<_> = list.iter().map(|entry| escape(entry, '~')).collect();
            let joined = joined.join("~");
            let parts: Vec<_> = joined.split('~').filter(|part| !part.is_empty()).map(unescape).collect();
            prop_assert_eq!(parts, list);
        }

        #[test]
        fn any_list_can_be_read(text in any::<String>()) {
            let _ = entries(&text);
        }
    }

    #[test]
    fn lists() {
        assert_eq!(entries(""), Vec::<String>::new());
        assert_eq!(entries("a,,b"), ["a", "b"]);
    }
}
