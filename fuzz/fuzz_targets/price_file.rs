//! A file of prices. What is refused is refused with one line; what is not is
//! read to its end, in order of time.

#![no_main]

use std::io::Write as _;

use libfuzzer_sys::fuzz_target;
use pricefile::{Options, open};

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("it is written");
    let opened = match open(file.path(), &Options::default(), &mut |_, _| {}) {
        Ok(opened) => opened,
        Err(error) => return assert_eq!(error.to_string().lines().count(), 1, "{error}"),
    };
    for file in opened.files {
        assert_eq!(file.taken_for().lines().count(), 1);
        let mut last = None;
        for row in file.rows().expect("it was read before") {
            let row = row.expect("it was read before");
            assert!(last <= Some(row.time), "{row:?}");
            last = Some(row.time);
        }
    }
});
