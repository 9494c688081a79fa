//! Sends a file, and tells how much of it has been sent. `fetch` cannot tell that.

use futures_channel::oneshot;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{File, ProgressEvent, XmlHttpRequest};

use super::http::refused;
use crate::faults::CallError;

/// Sends the file with `PUT`, and returns the body of the answer, if that is a
/// success. `progress` is told how much has been sent, from 0 to 1.
pub(super) async fn put(
    url: &str,
    file: &File,
    progress: impl Fn(f64) + 'static,
) -> Result<Vec<u8>, CallError> {
    let request = XmlHttpRequest::new().map_err(|_| CallError::Unsupported)?;
    request
        .open("PUT", url)
        .map_err(|_| CallError::Unsupported)?;
    let told = Closure::<dyn Fn(ProgressEvent)>::new(move |event: ProgressEvent| {
        if event.length_computable() {
            progress(event.loaded() / event.total());
        }
    });
    if let Ok(upload) = request.upload() {
        upload.set_onprogress(Some(told.as_ref().unchecked_ref()));
    }
    let (done, is_done) = oneshot::channel();
    let ended = Closure::once(move |_: ProgressEvent| {
        // Nobody waits any more if the page is being closed.
        let _ = done.send(());
    });
    request.set_onloadend(Some(ended.as_ref().unchecked_ref()));
    request
        .send_with_opt_blob(Some(file))
        .map_err(|_| CallError::Unreachable)?;
    is_done.await.map_err(|_| CallError::BrokeOff)?;
    let body = request.response_text().ok().flatten().unwrap_or_default();
    match request.status().unwrap_or(0) {
        // No answer came: what a browser knows of the reason, it does not tell.
        0 => Err(CallError::Unreachable),
        200..=299 => Ok(body.into_bytes()),
        status => Err(refused(status, body.as_bytes())),
    }
}
