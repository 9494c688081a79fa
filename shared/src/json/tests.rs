use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #[test]
    fn it_reads_what_the_usual_reader_reads(value in values(), pretty: bool) {
        let json = match pretty {
            true => serde_json::to_vec_pretty(&value).unwrap(),
            false => serde_json::to_vec(&value).unwrap(),
        };
        prop_assert_eq!(from_json::<Value>(&json), Ok(value));
    }

    /// What this parser accepts, the usual parser accepts as well, with the
    /// same result.
    #[test]
    fn it_takes_nothing_that_is_not_json(
        value in values(),
        at: proptest::sample::Index,
        byte in prop_oneof![any::<u8>(), proptest::sample::select(&b"\"\\{}[],:0-.eEutn "[..])],
    ) {
        let mut json = serde_json::to_vec(&value).unwrap();
        let at = at.index(json.len());
        json[at] = byte;
        if let Ok(read) = from_json::<Value>(&json) {
            prop_assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), read);
        }
        json.truncate(at);
        if let Ok(read) = from_json::<Value>(&json) {
            prop_assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), read);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = from_json::<Value>(&bytes);
    }
}

#[test]
fn escapes() {
    let json = br#""\u00e9\ud83d\ude00\n\/\"\\""#;
    assert_eq!(from_json::<String>(json), Ok("é😀\n/\"\\".to_owned()));
    for wrong in [
        r#""\ud83d""#,
        r#""\ude00""#,
        r#""\ud83d\u0041""#,
        r#""\x""#,
        r#""\u12""#,
        "\"\n\"",
    ] {
        assert!(from_json::<String>(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn what_it_does_not_take_it_names() {
    fn check<T: for<'a> Deserialize<'a> + fmt::Debug>(json: &str, says: &str) {
        let error = from_json::<T>(json.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, says, "{json}");
    }
    check::<Value>("1.5", "a number that is not whole at byte 1");
    check::<Value>(
        "18446744073709551616",
        "a number of more than 64 bits at byte 19",
    );
    check::<Value>(
        "-9223372036854775809",
        "a number of more than 64 bits at byte 20",
    );
    check::<Value>("01", "not JSON at byte 2");
    check::<Value>("[1,]", "not JSON at byte 3");
    check::<Value>("{1:2}", "a value of another type at byte 1");
    check::<Value>("1 2", "something after the end at byte 2");
    check::<Value>("", "the end at byte 0");
    check::<u8>("256", "a value that is not allowed at byte 3");
    check::<u8>("\"1\"", "a value of another type at byte 3");
    check::<crate::Side>("\"hold\"", "a word that is not known at byte 6");
    check::<crate::Instrument>("{}", "no field symbol at byte 1");
    check::<Value>(
        &"[".repeat(40),
        "too many values inside each other at byte 33",
    );
    assert_eq!(from_json::<Value>(b" [ ] "), Ok(json!([])));
}
