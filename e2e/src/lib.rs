//! What end-to-end tests and measurements share: a real browser, and the page
//! in it.

mod browser;
mod driver;
mod exchanges;
mod page;

pub use browser::{Browser, Engine};
pub use exchanges::TwoExchanges;
pub use page::{Page, Stat};
