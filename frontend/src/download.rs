//! Files that the page has the browser save.

use std::time::Duration;

use js_sys::Array;
use leptos::prelude::{document, set_timeout};
use wasm_bindgen::JsCast;
use web_sys::{Blob, HtmlAnchorElement, Url};

/// How long the browser may take to begin to read the file.
const KEPT: Duration = Duration::from_secs(60);

/// A URL for content that the page made. It is revoked after a minute.
fn address_of(content: &Blob) -> Option<String> {
    let url = Url::create_object_url_with_blob(content).ok()?;
    let old = url.clone();
    let forget = move || {
        // Fails only for what is not a URL.
        let _ = Url::revoke_object_url(&old);
    };
    set_timeout(forget, KEPT);
    Some(url)
}

/// Saves a text as a file.
pub(crate) fn save_text(name: &str, text: &str) -> Option<()> {
    let blob = Blob::new_with_str_sequence(&Array::of1(&text.into())).ok()?;
    save(name, &address_of(&blob)?)
}

/// Saves what a URL points to as a file.
pub(crate) fn save(name: &str, url: &str) -> Option<()> {
    let link = document().create_element("a").ok()?;
    let link: HtmlAnchorElement = link.dyn_into().ok()?;
    link.set_href(url);
    link.set_download(&file_name(name));
    link.click();
    Some(())
}

/// A file name that every system accepts: characters that are allowed in a
/// symbol but not in a file name become `_`.
fn file_name(name: &str) -> String {
    let taken = |c: char| c.is_control() || r#"/\:*?"<>|%"#.contains(c);
    let name: String = name
        .chars()
        .map(|c| if taken(c) { '_' } else { c })
        .collect();
    // Names longer than 255 bytes are refused. The extension is kept.
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
