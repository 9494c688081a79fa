//! The choice of transport: five radio buttons, and the polling interval.

use leptos::prelude::*;

use shared::Transport;

use crate::client::{Choice, Link};
use crate::dom::{Html, html};
use crate::format;
use crate::plot::within;
use crate::settings::Settings;

/// The interval's bounds, in ms.
const INTERVAL_MS: (f64, f64) = (100.0, 10_000.0);
/// The steps of the slider. Equal steps are equal factors of the interval.
const STEPS: u32 = 40;

/// The radio group "Transport" and the slider "Polling interval". They show the
/// link's state, and change the settings.
pub(super) fn transport_switch(link: &Link, settings: Settings) -> [Html; 2] {
    let state = link.state;
    let choice = move || state.with(|state| state.choice);
    let interval_ms = move || state.with(|state| state.interval_ms);
    let radios = Choice::ALL.map(|kind| {
        let radio = html(r#"<input type="radio" name="transport">"#)
            .checked(move || choice() == kind)
            .input("change", move |_| settings.transport.set(kind.key()));
        html("<label></label>").with([radio]).say(kind.label())
    });
    let seconds = move || format::rounded(f64::from(interval_ms()) / 1e3, 1) + " s";
    let slider =
        html(r#"<input type="range" aria-label="Polling interval" min="0" max="40" step="1">"#)
            .value(move || step_of(interval_ms()).to_string())
            .attr("aria-valuetext", move || Some(seconds()))
            .input("input", move |input| {
                if let Ok(step) = input.value().parse() {
                    settings.poll.set(&interval_of(step).to_string());
                }
            });
    [
        html(r#"<div class="transports" role="radiogroup" aria-label="Transport"></div>"#)
            .with(radios),
        html(r#"<label class="interval"></label>"#)
            .class("inactive", move || {
                state.with(|state| state.transport != Transport::Poll)
            })
            .with([slider, html("<output></output>").text(seconds)]),
    ]
}

/// The polling interval in a setting's text, in ms, limited to the slider's
/// bounds.
pub(crate) fn interval_ms_of(setting: &str) -> u32 {
    // Digits only: the standard library's parser of floats would add ten
    // kilobytes.
    let interval = setting.parse().unwrap_or(1_000u32);
    within(f64::from(interval), INTERVAL_MS) as u32
}

fn interval_of(step: u32) -> u32 {
    let (min, max) = INTERVAL_MS;
    let share = f64::from(step.min(STEPS)) / f64::from(STEPS);
    let interval = min * (share * (max / min).ln()).exp();
    // Two significant digits: the label shows no more, and nobody needs more.
    let unit = if interval < 1_000.0 { 10.0 } else { 100.0 };
    ((interval / unit).round() * unit) as u32
}

fn step_of(interval_ms: u32) -> u32 {
    let (min, max) = INTERVAL_MS;
    let share = (f64::from(interval_ms) / min).ln() / (max / min).ln();
    (share * f64::from(STEPS)).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slider_spans_its_bounds() {
        assert_eq!(interval_of(0), 100);
        assert_eq!(interval_of(20), 1_000);
        assert_eq!(interval_of(STEPS), 10_000);
        for step in 0..=STEPS {
            assert_eq!(step_of(interval_of(step)), step);
        }
    }
}
