//! How prices come: four radios and the polling interval.

use leptos::prelude::*;

use crate::client::{Link, Transport};
use crate::format;
use crate::react::{flag, text};
use crate::settings::Settings;

/// The interval's bounds, in ms.
const INTERVAL_MS: (f64, f64) = (100.0, 10_000.0);
/// The slider's own steps: equal steps of it are equal factors of the interval.
const STEPS: u32 = 40;

/// The radio group "Transport" and the slider "Polling interval". They show
/// what the link does, and set what it is to do.
pub(super) fn transport_switch(link: &Link, settings: Settings) -> AnyView {
    let state = link.state;
    let transport = move || state.with(|state| state.transport);
    let interval_ms = move || state.with(|state| state.interval_ms);
    let radios = Transport::ALL.map(|kind| {
        view! {
            <label>
                <input
                    type="radio"
                    name="transport"
                    prop:checked=flag(move || transport() == kind)
                    on:change=move |_| settings.transport.set(kind.key())
                />
                {kind.label()}
            </label>
        }
        .into_any()
    });
    let slide = move |step: String| {
        if let Ok(step) = step.parse() {
            settings.poll.set(&interval_of(step).to_string());
        }
    };
    let seconds = text(move || format::rounded(f64::from(interval_ms()) / 1e3, 1) + " s");
    let is_idle = flag(move || transport() != Transport::Polling);
    view! {
        <div class="transports" role="radiogroup" aria-label="Transport">{Vec::from(radios)}</div>
        <label class="interval" class:inactive=is_idle>
            <input
                type="range"
                aria-label="Polling interval"
                min="0"
                max="40"
                step="1"
                prop:value=text(move || step_of(interval_ms()).to_string())
                aria-valuetext=seconds
                on:input:target=move |event| slide(event.target().value())
            />
            <output>{seconds}</output>
        </label>
    }
    .into_any()
}

/// The interval of a setting, in ms, within the slider's bounds.
pub(crate) fn interval_ms_of(setting: &str) -> u32 {
    // Digits only: the standard library's parser of floats weighs ten kilobytes.
    let interval = setting.parse().unwrap_or(1_000u32);
    f64::from(interval).clamp(INTERVAL_MS.0, INTERVAL_MS.1) as u32
}

fn interval_of(step: u32) -> u32 {
    let (min, max) = INTERVAL_MS;
    let share = f64::from(step.min(STEPS)) / f64::from(STEPS);
    let interval = min * (share * (max / min).ln()).exp();
    // Two figures are all that the label shows and a person wants.
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
