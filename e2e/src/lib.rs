//! What end-to-end tests and measurements share: the real server on a free
//! port, and a real browser.

mod browser;
mod page;
mod server;

pub use browser::Browser;
pub use page::{Page, Stat};
pub use server::TestServer;
