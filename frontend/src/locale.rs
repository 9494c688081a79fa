//! The person's language and time zone, as the browser knows them.

use js_sys::{Array, Date, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use crate::format::Separators;

/// Makes numbers appear as the person's language writes them.
pub(crate) fn start() {
    let options = options(&[("numberingSystem", "latn")]);
    let Some(format) = format_of("NumberFormat", &options) else {
        return;
    };
    let write = |number: f64| call(&format, &number.into()).unwrap_or_default();
    Separators::of_samples(&write(1_234_567.5), &write(1_234.5)).apply();
}

thread_local! {
    // Making a formatter takes longer than drawing a chart.
    static MONTH: Option<Function> = date_format(&[("month", "short")]);
    static DAY: Option<Function> = date_format(&[("month", "short"), ("day", "numeric")]);
}

/// The month of a wall-clock time, as in `Nov`.
pub(crate) fn month(wall_us: f64) -> String {
    let written = MONTH.with(|format| call(format.as_ref()?, &date(wall_us)));
    written.unwrap_or_else(|| date(wall_us).to_iso_string().slice(0, 7).into())
}

/// The month and day of a wall-clock time, as in `Nov 22`.
pub(crate) fn day(wall_us: f64) -> String {
    let written = DAY.with(|format| call(format.as_ref()?, &date(wall_us)));
    written.unwrap_or_else(|| date(wall_us).to_iso_string().slice(5, 10).into())
}

fn date_format(parts: &[(&str, &str)]) -> Option<Function> {
    let options = options(parts);
    // Wall-clock times are passed as if they were UTC, so that no zone is added
    // twice. Years and days are those of the other labels, whatever calendar
    // and digits the language uses.
    set(&options, "timeZone", "UTC");
    set(&options, "calendar", "gregory");
    set(&options, "numberingSystem", "latn");
    format_of("DateTimeFormat", &options)
}

/// The offset from UTC to the person's wall-clock time at this moment, in µs.
pub(crate) fn zone_offset_us(time_us: f64) -> f64 {
    -60e6 * date(time_us).get_timezone_offset()
}

fn date(time_us: f64) -> Date {
    Date::new(&JsValue::from_f64(time_us / 1e3))
}

/// The `format` function of an `Intl` object of this kind, for the person's
/// language. `None` where this browser has no such object, or does not accept
/// the options.
fn format_of(kind: &str, options: &Object) -> Option<Function> {
    let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
    let class = Reflect::get(&intl, &kind.into()).ok()?;
    let arguments = Array::of2(&JsValue::UNDEFINED, options);
    let object = Reflect::construct(class.dyn_ref::<Function>()?, &arguments).ok()?;
    Reflect::get(&object, &"format".into())
        .ok()?
        .dyn_into()
        .ok()
}

fn call(format: &Function, value: &JsValue) -> Option<String> {
    format.call1(&JsValue::UNDEFINED, value).ok()?.as_string()
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
