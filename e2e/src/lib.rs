//! What end-to-end tests and measurements share: a real browser, and the page
//! in it.

mod browser;
mod page;

pub use browser::Browser;
pub use page::{Page, Stat};
