//! Files that the page lets the browser save.

use std::time::Duration;

use js_sys::Array;
use leptos::prelude::{document, set_timeout};
use wasm_bindgen::JsCast;
use web_sys::{Blob, HtmlAnchorElement, Url};

/// How long the browser has to begin reading what it is to save.
const KEPT: Duration = Duration::from_secs(60);

/// A file that the page made, and an address of it that is good for a minute.
fn address_of(content: &Blob) -> Option<String> {
    let url = Url::create_object_url_with_blob(content).ok()?;
    let old = url.clone();
    let forget = move || {
        // Fails only for what is no address.
        let _ = Url::revoke_object_url(&old);
    };
    set_timeout(forget, KEPT);
    Some(url)
}

/// Lets the browser save a text.
pub(crate) fn save_text(name: &str, text: &str) -> Option<()> {
    let blob = Blob::new_with_str_sequence(&Array::of1(&text.into())).ok()?;
    save(name, &address_of(&blob)?)
}

/// Lets the browser save what a URL leads to.
pub(crate) fn save(name: &str, url: &str) -> Option<()> {
    let link = document().create_element("a").ok()?;
    let link: HtmlAnchorElement = link.dyn_into().ok()?;
    link.set_href(url);
    link.set_download(&file_name(name));
    link.click();
    Some(())
}

/// A name that every system takes for a file: what a symbol may have and a
/// file may not becomes `_`.
fn file_name(name: &str) -> String {
    let taken = |c: char| c.is_control() || r#"/\:*?"<>|%"#.contains(c);
    let name: String = name
        .chars()
        .map(|c| if taken(c) { '_' } else { c })
        .collect();
    // Names longer than 255 bytes are refused; the ending is to stay.
    let (stem, end) = name.rsplit_once('.').unwrap_or((&name, ""));
    let mut stem = stem.to_owned();
    while stem.len() > 200 {
        stem.pop();
    }
    stem + "." + end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        assert_eq!(file_name("BTC-USD-1m.csv"), "BTC-USD-1m.csv");
        assert_eq!(file_name("BTC/USD \"x\"-1m.csv"), "BTC_USD _x_-1m.csv");
        let long = file_name(&("é".repeat(300) + "-1m.png"));
        assert!(long.len() <= 204 && long.ends_with(".png"), "{long}");
    }
}
