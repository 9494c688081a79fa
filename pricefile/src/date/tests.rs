use super::*;
use proptest::prelude::*;

fn read(column: &[&str], named: Option<DateOrder>) -> Result<Vec<i64>, DateError> {
    let form = DateForm::of_column(column.iter().copied(), named)?;
    column
        .iter()
        .map(|text| Ok(form.read(text)?.time.micros()))
        .collect()
}

#[test]
fn dates_of_many_sources() {
    const DAY: i64 = 1_735_776_000_000_000; // 2025-01-02
    const MINUTE: i64 = 60_000_000;
    for (text, expect) in [
        ("2025-01-02", DAY),
        ("2025.01.02", DAY),
        ("20250102", DAY),
        ("20250102 000100", DAY + MINUTE),
        ("20250102 000003660", DAY + 3_660_000),
        ("2025-01-02 00:01", DAY + MINUTE),
        ("2025-01-02T00:01:00Z", DAY + MINUTE),
        ("2025-01-02T01:01:00+01:00", DAY + MINUTE),
        ("2025-01-01 19:01:00-05:00", DAY + MINUTE),
        ("2025-01-02T00:00:01.000000000Z", DAY + 1_000_000),
        ("Jan 02, 2025", DAY),
        ("1735776000", DAY),
        ("1735776000.5", DAY + 500_000),
        ("1735776000000", DAY),
        ("1735776000000000", DAY),
        ("1735776000000000000", DAY),
        ("2025-01-02 09-AM", DAY + 540 * MINUTE),
        ("2025-01-02 12-AM", DAY),
        ("2025-01-02 12-PM", DAY + 720 * MINUTE),
    ] {
        assert_eq!(read(&[text], None), Ok(vec![expect]), "{text}");
    }
}

#[test]
fn a_column_settles_what_a_date_does_not() {
    let days = |column: &[&str], named| {
        read(column, named).map(|days| {
            let days = days.into_iter().map(|day| day / 86_400_000_000);
            days.collect::<Vec<_>>()
        })
    };
    // The second of January, and the first of February.
    assert_eq!(
        days(&["02.01.2025", "13.01.2025"], None),
        Ok(vec![20_090, 20_101])
    );
    assert_eq!(
        days(&["02/01/2025", "01/13/2025"], None),
        Ok(vec![20_120, 20_101])
    );
    assert_eq!(
        days(&["1/4/1999", "12/31/1999"], None),
        Ok(vec![10_595, 10_956])
    );
    let error = days(&["02/01/2025", "03/04/2025"], None).unwrap_err();
    assert!(
        error.to_string().contains("--dates dmy or --dates mdy"),
        "{error}"
    );
    let named = Some(DateOrder::DayFirst);
    assert_eq!(days(&["02/01/2025"], named), Ok(vec![20_090]));
    // What was named and what is there contradict each other.
    assert!(days(&["01/13/2025"], named).is_err());
    assert!(days(&["13/13/2025"], None).is_err());
    assert!(days(&["01/13/2025", "13/01/2025"], None).is_err());
    assert!(days(&["30.02.2025"], None).is_err());
}

#[test]
fn what_is_no_date_is_refused() {
    for text in [
        "",
        "x",
        "2025",
        "2025-13-01",
        "2025-1",
        "25-01-02",
        "2025-01-02 25:00",
        "2025-01-02 1",
        "123",
        "2025/01/02/03",
        "Foo 01, 2025",
        "2025-01-02 13-PM",
    ] {
        assert!(read(&[text], None).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(text in ".{0,40}", digits in "[0-9]{0,20}[ .:T+-]{0,2}[0-9]{0,12}") {
        for text in [&*text, &*digits] {
            let _ = read(&[text], None);
            let _ = read(&[text], Some(DateOrder::MonthFirst));
        }
    }
}
