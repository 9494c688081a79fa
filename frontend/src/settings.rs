//! What the person set: shown at once, kept by the browser, and, where it says
//! what is looked at, carried by the page's address.

use leptos::prelude::*;

use crate::react::effect;
use web_sys::UrlSearchParams;

/// Where the browser keeps all of it, as one query string.
const STORAGE_KEY: &str = "tickwire";

/// The value of what is on; else it is empty.
pub(crate) const ON: &str = "on";

/// One thing that can be set. All of them are short texts, lists with commas
/// between: so they go into a link as they are.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    key: &'static str,
    default: &'static str,
    /// Whether a link carries it: what one looks at, not how one likes it.
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

    /// Sets the next of these values.
    pub(crate) fn cycle(self, values: &[&str]) {
        let now = self.get_untracked();
        let place = values.iter().position(|value| *value == now);
        let next = place.map_or(1, |place| place + 1) % values.len();
        self.set(values[next]);
    }

    /// Adds the entry to its list, or takes it out.
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

/// A text without this separator in it, from which [`unescape`] makes what it
/// was: `%` and two hexadecimal digits stand for what is in the way.
pub(crate) fn escape(text: &str, separator: char) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '%' || c == separator {
            // Both are ASCII.
            escape_byte(&mut escaped, c as u8);
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// What [`escape`] was given. Anything else stays as it is.
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
    /// Each chart's symbol, and after `~` those compared with it.
    pub(crate) chart: Setting,
    /// Each chart's interval.
    pub(crate) interval: Setting,
    /// `candles`, `line` or `area`.
    pub(crate) kind: Setting,
    /// Volume, overlays and oscillators, as in `volume,sma20`.
    pub(crate) studies: Setting,
    /// How many charts: `1`, `2` or `4`.
    pub(crate) layout: Setting,
    /// The transport's name; `auto` for the best that gets through.
    pub(crate) transport: Setting,
    /// The interval of plain polling, in ms.
    pub(crate) poll: Setting,
    /// `dark` or `light`; empty follows the system.
    pub(crate) theme: Setting,
    /// `green` for green and red, `blue` for blue and orange.
    pub(crate) palette: Setting,
    /// `utc` or `local`.
    pub(crate) zone: Setting,
    /// `compact` or `roomy`.
    pub(crate) density: Setting,
    /// A column's key; a minus before it sorts from the highest down.
    pub(crate) sort: Setting,
    /// The columns that are shown, in order; empty means as many as fit.
    pub(crate) columns: Setting,
    /// The symbols on top of the watchlist.
    pub(crate) favourites: Setting,
    /// The watchlist's share of the width, in per cent.
    pub(crate) split: Setting,
    /// [`ON`] if an alert that fires is to be heard.
    pub(crate) sound: Setting,
    /// [`ON`] if the system is to tell of it, where the browser allows that.
    pub(crate) notify: Setting,
}

impl Settings {
    /// What was kept, and over it what the link says. From here on, changes are
    /// kept and written into the address.
    pub(crate) fn start() -> Self {
        let settings = Self::kept();
        let link = window().location().search().unwrap_or_default();
        settings.read(&link, |setting| setting.in_link);
        effect(move || settings.write_link());
        settings
    }

    /// What was kept. From here on, changes are kept.
    pub(crate) fn kept() -> Self {
        let link = |key, default| Setting::new(key, default, true);
        let own = |key, default| Setting::new(key, default, false);
        let settings = Self {
            symbols: link("symbols", ""),
            chart: link("chart", ""),
            interval: link("interval", "1m"),
            kind: link("kind", "candles"),
            studies: link("studies", "volume"),
            layout: link("layout", "1"),
            transport: link("transport", "auto"),
            poll: link("poll", "1000"),
            theme: own("theme", ""),
            palette: own("palette", "green"),
            zone: own("zone", "local"),
            density: own("density", "compact"),
            sort: own("sort", ""),
            columns: own("columns", ""),
            favourites: own("favourites", ""),
            split: own("split", "50"),
            sound: own("sound", ""),
            notify: own("notify", ""),
        };
        settings.read(&kept(), |_| true);
        effect(move || settings.keep());
        // What is set on another page holds here, too, but for what is looked
        // at.
        let listener = window_event_listener_untyped("storage", move |_| {
            settings.read(&kept(), |setting| !setting.in_link);
        });
        // The page never ends before its window.
        std::mem::forget(listener);
        settings
    }

    fn all(self) -> [Setting; 18] {
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
            self.density,
            self.sort,
            self.columns,
            self.favourites,
            self.split,
            self.sound,
            self.notify,
        ]
    }

    fn read(self, query: &str, takes: impl Fn(&Setting) -> bool) {
        let Ok(query) = UrlSearchParams::new_with_str(query) else {
            return;
        };
        for setting in self.all() {
            if let Some(value) = query.get(setting.key)
                && takes(&setting)
            {
                setting.set(&value);
            }
        }
    }

    /// Writes what differs from the defaults into the browser's storage.
    fn keep(self) {
        let mut kept = String::new();
        for setting in self.all() {
            let value = setting.get();
            // What to subscribe to is only a link's: there is nothing on the page
            // to take it back with.
            if value != setting.default && setting.key != self.symbols.key {
                append(&mut kept, setting.key, &value);
            }
        }
        if let Some(storage) = storage() {
            // Without a place to keep it, a setting lasts as long as the page.
            let _ = storage.set_item(STORAGE_KEY, &kept);
        }
    }

    /// Writes all of what a link carries into the address.
    fn write_link(self) {
        let mut link = String::new();
        for setting in self.all() {
            let value = setting.get();
            if setting.in_link && !value.is_empty() {
                append(&mut link, setting.key, &value);
            }
        }
        if let Ok(history) = window().history() {
            // Fails only for pages that are no pages of a server.
            let state = &wasm_bindgen::JsValue::NULL;
            let _ = history.replace_state_with_url(state, "", Some(&format!("?{link}")));
        }
    }
}

/// Adds `key=value`. Only what a query cannot hold is escaped, so that a link
/// can be read by people.
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

/// What the browser has kept.
fn kept() -> String {
    let kept = storage().and_then(|storage| storage.get_item(STORAGE_KEY).ok().flatten());
    kept.unwrap_or_default()
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
