//! Settings, as a file and as flags, one in each line. What is refused is refused
//! with one line.

#![no_main]

use std::ffi::OsString;
use std::io::Write as _;

use libfuzzer_sys::fuzz_target;
use server::config::Config;

fuzz_target!(|text: &str| {
    let program = || std::iter::once(OsString::from("tickwire"));
    let flags = text.lines().map(OsString::from);
    if let Err(error) = Config::load(program().chain(flags), []) {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("it is written");
    let named = [OsString::from("--config"), file.path().into()];
    if let Err(error) = Config::load(program().chain(named), []) {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
});
