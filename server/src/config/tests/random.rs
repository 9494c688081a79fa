//! Whatever is configured.

use proptest::prelude::*;

use super::{file, load};
use crate::config::settings;

/// Something like a setting.
fn lines() -> impl Strategy<Value = String> {
    let names: Vec<_> = settings::all().map(|setting| setting.name).collect();
    let names = prop_oneof![
        8 => proptest::sample::select(names).prop_map(str::to_owned),
        1 => "[a-z-]{0,12}",
    ];
    let values = prop_oneof![
        ".{0,20}",
        "[0-9.,:a-z=/-]{0,12}",
        Just("\"x\"".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        Just("[\"a\", 1]".to_owned()),
        Just("\"a\\nb\"".to_owned()),
    ];
    (names, values, any::<bool>()).prop_map(|(name, value, is_flag)| match is_flag {
        true => format!("--{name}={value}"),
        false => format!("{} = {value}", name.replace('-', "_")),
    })
}

proptest! {
    /// Whatever a file and flags say, it is read, or refused with one line.
    #[test]
    fn what_is_refused_is_refused_with_one_line(
        of_file in proptest::collection::vec(lines(), 0..4),
        flags in proptest::collection::vec(lines(), 0..4),
    ) {
        let file = file(&of_file.join("\n"));
        let path = file.path().display().to_string();
        let arguments = flags.iter().map(String::as_str).chain(["--config", &path]);
        let arguments: Vec<_> = arguments.collect();
        if let Err(error) = load(&arguments, &[]) {
            // `--help` and `--version` are texts to be printed.
            let is_print = flags.iter().any(|flag| flag.starts_with("--help") || flag.starts_with("--version"));
            prop_assert!(is_print || error.to_string().lines().count() == 1, "{}", error);
        }
    }
}
