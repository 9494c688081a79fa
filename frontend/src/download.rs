//! Files that the page lets the browser save.

use js_sys::Array;
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Blob, HtmlAnchorElement, Url};

/// Lets the browser save a text.
pub(crate) fn save_text(name: &str, text: &str) -> Option<()> {
    let blob = Blob::new_with_str_sequence(&Array::of1(&text.into())).ok()?;
    let url = Url::create_object_url_with_blob(&blob).ok()?;
    save(name, &url)?;
    Url::revoke_object_url(&url).ok()
}

/// Lets the browser save what a URL leads to.
pub(crate) fn save(name: &str, url: &str) -> Option<()> {
    let link = document().create_element("a").ok()?;
    let link: HtmlAnchorElement = link.dyn_into().ok()?;
    link.set_href(url);
    link.set_download(name);
    link.click();
    Some(())
}
