//! The page in real browsers, against the real server. One program: each further one
//! would be compiled and linked with everything again.

mod engines;
mod faults;
mod lab;
mod page;
mod proxy;
