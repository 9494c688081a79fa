//! All texts that a person reads, in this folder and nowhere else. The exceptions
//! are the names of studies and of kinds of charts, which stand in their files;
//! the names of transports and of the conditions of alerts, which the server uses,
//! too (`shared`); names of formats, as in CSV; and the titles and texts of the HTML
//! documents, most of all the guide (`guide.html`).

mod alerts;
mod charts;
mod connection;
mod lab;
mod page;
mod replay;

pub(crate) use alerts::*;
pub(crate) use charts::*;
pub(crate) use connection::*;
pub(crate) use lab::*;
pub(crate) use page::*;
pub(crate) use replay::*;
