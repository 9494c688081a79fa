//! The choice of transport: five radio buttons, and the polling interval.

use leptos::prelude::*;

use shared::Transport;

use crate::client::{Choice, LinkState};
use crate::plot::within;
use crate::settings::Settings;
use crate::words;

/// The interval's bounds, in ms.
const INTERVAL_MS: (f64, f64) = (100.0, 10_000.0);
/// The steps of the slider. Equal steps are equal factors of the interval.
const STEPS: u32 = 40;

/// The radio group "Transport" and the slider "Polling interval". They show the
/// link's state, and change the settings.
#[component]
pub(super) fn TransportSwitch(state: RwSignal<LinkState>, settings: Settings) -> impl IntoView {
    let interval_ms = move || state.with(|state| state.interval_ms);
    let seconds = move || words::seconds_short(f64::from(interval_ms()) / 1e3);
    let is_inactive = move || state.with(|state| state.transport != Transport::Poll);
    let set_interval = move |text: String| {
        if let Ok(step) = text.parse() {
            settings.poll.set(&interval_of(step).to_string());
        }
    };
    let radios = Choice::ALL.map(|choice| view! { <Radio choice state settings /> });
    view! {
        <div class="transports" role="radiogroup" aria-label=words::TRANSPORT>
            {radios.collect_view()}
        </div>
        <label class="interval" class:inactive=is_inactive>
            <input
                type="range"
                aria-label=words::POLLING_INTERVAL
                min="0"
                max=STEPS.to_string()
                step="1"
                prop:value=move || step_of(interval_ms()).to_string()
                aria-valuetext=seconds
                on:input:target=move |event| set_interval(event.target().value())
            />
            <output>{move || seconds()}</output>
        </label>
    }
}

/// A choice of transport.
#[component]
fn Radio(choice: Choice, state: RwSignal<LinkState>, settings: Settings) -> impl IntoView {
    view! {
        <label>
            <input
                type="radio"
                name="transport"
                prop:checked=move || state.with(|state| state.choice == choice)
                on:change=move |_| settings.transport.set(choice.key())
            />
            {words::transport_choice(choice)}
        </label>
    }
}

/// The polling interval in a setting's text, in ms, limited to the slider's
/// bounds.
pub(crate) fn interval_ms_of(setting: &str) -> u32 {
    // Whole milliseconds, as the slider sets them.
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
