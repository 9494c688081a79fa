//! The form of a plan, and the progress of a run.

use std::cell::Cell;
use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;

use shared::{Transport, WireFormat};

use super::frequency::Frequency;
use super::plan::{BUSY_PERCENT, Bounds, DELAY_MS, INTERVAL_MS, Plan, SECONDS};
use super::race::{self, Progress};
use super::report::Report;
use super::results::Results;
use crate::theme::Looks;
use crate::words;

/// The lab.
#[component]
pub(crate) fn Lab(looks: Looks) -> impl IntoView {
    let progress = RwSignal::new(None::<f64>);
    let report = RwSignal::new(None::<Report>);
    let saved = RwSignal::new(None::<Report>);
    let fault = RwSignal::new(String::new());
    let is_running = Signal::derive(move || progress.with(Option::is_some));
    let fields = Fields::new();
    let stopped = Rc::new(Cell::new(false));
    let stop = Rc::clone(&stopped);
    let start = move |_| start(fields.plan(), progress, report, fault, &stop);
    view! {
        <main class="lab">
            <section class="panel plan" aria-label=words::PLAN>
                <h2>{words::PLAN_HEADING}</h2>
                <p class="muted">{words::PLAN_EXPLAINED}</p>
                <Form fields />
                <div class="line">
                    <button
                        type="button"
                        class="start"
                        disabled=move || is_running.get()
                        on:click=start
                    >
                        {words::START}
                    </button>
                    <button
                        type="button"
                        disabled=move || !is_running.get()
                        on:click=move |_| stopped.set(true)
                    >
                        {words::STOP}
                    </button>
                    <progress
                        max="1"
                        aria-label=words::PROGRESS
                        value=move || progress.get().map(|share| share.to_string())
                        class:unseen=move || !is_running.get()
                    ></progress>
                </div>
                <p class="fault" role="alert">
                    {move || fault.get()}
                </p>
            </section>
            <Results report saved is_running fault looks />
            <Frequency />
        </main>
    }
}

/// Starts a run, which writes its progress and its results. `stopped` ends it.
fn start(
    plan: Plan,
    progress: RwSignal<Option<f64>>,
    report: RwSignal<Option<Report>>,
    fault: RwSignal<String>,
    stopped: &Rc<Cell<bool>>,
) {
    if plan.channels().is_empty() {
        return fault.set(words::NOTHING_CHOSEN.to_owned());
    }
    fault.set(String::new());
    report.set(None);
    progress.set(Some(0.0));
    stopped.set(false);
    let tell = move |now: Progress| {
        progress.set(Some(now.share));
        report.set(Some(now.report));
    };
    let run = race::run(plan, tell, Rc::clone(stopped));
    spawn_local(async move {
        match run.await {
            Ok(result) => report.set(Some(result)),
            Err(error) => fault.set(words::not_measured(&error)),
        }
        progress.set(None);
    });
}

/// The fields of the form, as they are written.
#[derive(Clone, Copy)]
struct Fields {
    transports: [RwSignal<bool>; Transport::ALL.len()],
    encodings: [RwSignal<bool>; WireFormat::ALL.len()],
    symbols: RwSignal<String>,
    interval_ms: Number,
    seconds: Number,
    busy_percent: Number,
    delay_ms: Number,
}

/// A field for a number.
#[derive(Clone, Copy)]
struct Number {
    text: RwSignal<String>,
    bounds: Bounds,
}

impl Number {
    fn new(bounds: Bounds) -> Self {
        Self {
            text: RwSignal::new(bounds.usual.to_string()),
            bounds,
        }
    }

    /// The number, within its bounds, which is also written into the field.
    fn read(self) -> u32 {
        let number = self.text.with_untracked(|text| self.bounds.read(text));
        self.text.set(number.to_string());
        number
    }
}

impl Fields {
    fn new() -> Self {
        Self {
            transports: Transport::ALL.map(|_| RwSignal::new(true)),
            encodings: WireFormat::ALL.map(|_| RwSignal::new(true)),
            symbols: RwSignal::new("*".to_owned()),
            interval_ms: Number::new(INTERVAL_MS),
            seconds: Number::new(SECONDS),
            busy_percent: Number::new(BUSY_PERCENT),
            delay_ms: Number::new(DELAY_MS),
        }
    }

    fn plan(self) -> Plan {
        let symbols = self.symbols.get_untracked();
        let symbols = symbols.split([',', ' ']).filter(|s| !s.is_empty());
        let symbols = symbols.collect::<Vec<_>>().join(",");
        Plan {
            transports: chosen(Transport::ALL, self.transports),
            encodings: chosen(WireFormat::ALL, self.encodings),
            symbols: if symbols.is_empty() {
                "*".to_owned()
            } else {
                symbols
            },
            interval_ms: self.interval_ms.read(),
            seconds: self.seconds.read(),
            busy_percent: self.busy_percent.read(),
            delay_ms: self.delay_ms.read(),
        }
    }
}

/// What is ticked.
fn chosen<T, const N: usize>(all: [T; N], ticks: [RwSignal<bool>; N]) -> Vec<T> {
    let chosen = all.into_iter().zip(ticks);
    let chosen = chosen.filter(|(_, tick)| tick.get_untracked());
    chosen.map(|(one, _)| one).collect()
}

#[component]
fn Form(fields: Fields) -> impl IntoView {
    let transports = Transport::ALL.map(|transport| (transport.key(), transport.label()));
    let encodings = WireFormat::ALL.map(|format| (format.key(), format.label()));
    view! {
        <Ticks
            label=words::TRANSPORTS
            ticks=transports.into_iter().zip(fields.transports).collect()
        />
        <Ticks
            label=words::ENCODINGS
            ticks=encodings.into_iter().zip(fields.encodings).collect()
        />
        <label class="line">
            <span>{words::SYMBOLS}</span>
            <input type="text" spellcheck="false" bind:value=fields.symbols />
            <span class="muted">{words::SYMBOLS_HINT}</span>
        </label>
        <NumberLine
            label=words::POLLING_INTERVAL
            hint=words::POLLING_INTERVAL_HINT
            field=fields.interval_ms
        />
        <NumberLine label=words::DURATION hint=words::DURATION_HINT field=fields.seconds />
        <NumberLine label=words::LOAD hint=words::LOAD_HINT field=fields.busy_percent />
        <NumberLine label=words::DELAY hint=words::DELAY_HINT field=fields.delay_ms />
    }
}

/// A line of checkboxes, each with its value and its label.
#[component]
fn Ticks(
    label: &'static str,
    ticks: Vec<((&'static str, &'static str), RwSignal<bool>)>,
) -> impl IntoView {
    let ticks = ticks.into_iter().map(|((value, label), tick)| {
        view! {
            <label>
                <input type="checkbox" value=value bind:checked=tick />
                {label}
            </label>
        }
    });
    view! {
        <div class="line" role="group" aria-label=label>
            <span>{label}</span>
            {ticks.collect_view()}
        </div>
    }
}

#[component]
fn NumberLine(label: &'static str, hint: &'static str, field: Number) -> impl IntoView {
    view! {
        <label class="line">
            <span>{label}</span>
            <input
                type="number"
                min=field.bounds.least.to_string()
                max=field.bounds.most.to_string()
                bind:value=field.text
            />
            <span class="muted">{hint}</span>
        </label>
    }
}
