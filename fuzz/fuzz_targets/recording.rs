//! A recording. What is refused is refused with one line; what is not is read to
//! its end.

#![no_main]

use std::fs::File;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use server::feed::{self, FeedConfig, ReplayConfig, Speed};
use shared::Time;

const HEADER: &str = r#"{"recording":1,"epoch":"k3f9zq","feed":"sim","begun":1,"instruments":[{"symbol":"A","name":"","decimals":2}]}"#;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k3f9zq-00001.jsonl.gz");
    let file = File::create(&path).expect("a file");
    let mut packed = GzEncoder::new(file, Compression::fast());
    writeln!(packed, "{HEADER}").expect("it is written");
    packed.write_all(bytes).expect("it is written");
    packed.finish().expect("it is written");
    let config = FeedConfig::Replay(ReplayConfig {
        paths: vec![path],
        symbol: None,
        options: pricefile::Options::default(),
        speed: Speed::Max,
        range: (Time::MIN, Time::MAX),
        repeats: false,
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let opened = runtime.expect("a runtime").block_on(feed::open(&config));
    if let Err(error) = opened {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
});
