//! How people sign in: a page asks once for a token, and the browser keeps a
//! cookie, with which event streams and WebSockets work, too.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::{Extension, Form};
use serde::Deserialize;

use super::Peer;
use super::tokens::{COOKIE, cookie_of};
use crate::app::App;

/// The page, with a place for what went wrong.
const PAGE: &str = include_str!("sign_in.html");
/// Marks that place.
const FAULT: &str = "<!-- fault -->";
/// How long a browser stays signed in, in seconds: 90 days.
const MAX_AGE_S: u32 = 90 * 86_400;

/// The page that asks for a token.
pub(crate) fn page() -> Response {
    answer("")
}

fn answer(fault: &'static str) -> Response {
    let page = Html(PAGE.replace(FAULT, fault));
    let headers = [
        (header::WWW_AUTHENTICATE, "Bearer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (StatusCode::UNAUTHORIZED, headers, page).into_response()
}

#[derive(Deserialize)]
pub(crate) struct SignIn {
    token: String,
}

/// Takes a token from the page, and gives the browser a cookie.
pub(crate) async fn sign_in(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Form(SignIn { token }): Form<SignIn>,
) -> Response {
    let token = token.trim();
    if app.access.of_token(token).is_none() {
        return answer("That is not one of this server's tokens.");
    }
    // Behind a proxy, only that can tell.
    let forwarded = headers.get("x-forwarded-proto");
    let is_encrypted =
        peer.is_encrypted || forwarded.is_some_and(|scheme| scheme.as_bytes() == b"https");
    let secure = match is_encrypted {
        true => "; Secure",
        false => "",
    };
    let path = match &*app.base_path {
        "" => "/",
        path => path,
    };
    let cookie = format!(
        "{COOKIE}={}; Path={path}; Max-Age={MAX_AGE_S}; HttpOnly; SameSite=Strict{secure}",
        cookie_of(token)
    );
    let headers = [
        (header::SET_COOKIE, cookie),
        // Relative: a proxy may serve this below a path of its own.
        (header::LOCATION, "./".to_owned()),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}
