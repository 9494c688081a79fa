//! Puts the page into the browser's document.

fn main() {
    frontend::broken::tell();
    leptos::mount::mount_to_body(frontend::app::App);
}
