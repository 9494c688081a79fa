//! The program of the pages beside the dashboard: alerts, the lab and the
//! guide. The document says which page it is.

fn main() {
    frontend::broken::tell();
    frontend::side::start();
}
