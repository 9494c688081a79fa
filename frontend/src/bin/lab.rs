//! The pages beside the dashboard: the lab and the guide, which one the
//! document says.

fn main() {
    frontend::broken::tell();
    frontend::side::start();
}
