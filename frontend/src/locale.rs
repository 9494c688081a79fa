//! The person's language and time zone, as the browser knows them.

use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use wasm_bindgen::JsValue;

use crate::format::Separators;

/// Makes numbers look as the person's language writes them.
pub(crate) fn start() {
    let options = options(&[("numberingSystem", "latn")]);
    let format = Intl::NumberFormat::new(&Array::new(), &options).format();
    let write = |number: f64| call(&format, &number.into());
    Separators::of_samples(&write(1_234_567.5), &write(1_234.5)).apply();
}

thread_local! {
    // Making one takes longer than drawing a chart.
    static MONTH: Function = date_format(&[("month", "short")]);
    static DAY: Function = date_format(&[("month", "short"), ("day", "numeric")]);
}

/// `Nov` of the wall clock's time.
pub(crate) fn month(wall_us: f64) -> String {
    MONTH.with(|format| call(format, &date(wall_us)))
}

/// `Nov 22` of the wall clock's time.
pub(crate) fn day(wall_us: f64) -> String {
    DAY.with(|format| call(format, &date(wall_us)))
}

fn date_format(parts: &[(&str, &str)]) -> Function {
    // The wall clock's time is taken for UTC, so no zone is added twice.
    let options = options(parts);
    set(&options, "timeZone", "UTC");
    Intl::DateTimeFormat::new(&Array::new(), &options).format()
}

/// What to add to a time to get the clock on the person's wall, in µs.
pub(crate) fn zone_offset_us(time_us: f64) -> f64 {
    -60e6 * date(time_us).get_timezone_offset()
}

fn date(time_us: f64) -> Date {
    Date::new(&JsValue::from_f64(time_us / 1e3))
}

fn call(format: &Function, value: &JsValue) -> String {
    let text = format.call1(&JsValue::UNDEFINED, value);
    text.ok()
        .and_then(|text| text.as_string())
        .unwrap_or_default()
}

fn options(pairs: &[(&str, &str)]) -> Object {
    let options = Object::new();
    for (key, value) in pairs {
        set(&options, key, value);
    }
    options
}

fn set(options: &Object, key: &str, value: &str) {
    // Setting a field of a plain object cannot fail.
    let _ = Reflect::set(options, &key.into(), &value.into());
}
