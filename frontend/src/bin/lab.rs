//! The pages beside the dashboard: the lab and the guide, which one the
//! document says.

fn main() {
    console_error_panic_hook::set_once();
    frontend::side::start();
}
