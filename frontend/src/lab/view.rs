//! The form of a plan, and the progress of a run.

use std::cell::Cell;
use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

use shared::{Transport, WireFormat};

use super::frequency::frequency;
use super::plan::{BUSY_PERCENT, Bounds, DELAY_MS, INTERVAL_MS, Plan, SECONDS};
use super::race::{self, Progress};
use super::report::Report;
use super::results::results;
use crate::dom::{Html, html};
use crate::theme::Looks;

/// The lab.
#[component]
pub(crate) fn Lab(looks: Looks) -> impl IntoView {
    let progress = RwSignal::new(None::<f64>);
    let report = RwSignal::new(None::<Report>);
    let saved = RwSignal::new(None::<Report>);
    let fault = RwSignal::new(String::new());
    let stopped = Rc::new(Cell::new(false));
    let form = Rc::new(Form::new());
    let (stop, stopping) = (Rc::clone(&stopped), Rc::clone(&form));
    let start = move || {
        let plan = stopping.plan();
        if plan.channels().is_empty() {
            let reason = "Choose a transport and an encoding that it can carry: SSE is text";
            fault.set(reason.to_owned());
            return;
        }
        fault.set(String::new());
        report.set(None);
        progress.set(Some(0.0));
        stop.set(false);
        let tell = move |now: Progress| {
            progress.set(Some(now.share));
            report.set(Some(now.report));
        };
        let run = race::run(plan, tell, Rc::clone(&stop));
        spawn_local(async move {
            match run.await {
                Ok(result) => report.set(Some(result)),
                Err(reason) => fault.set("Nothing was measured: ".to_owned() + &reason),
            }
            progress.set(None);
        });
    };
    let is_running = move || progress.with(Option::is_some);
    let buttons = html(r#"<div class="line"></div>"#).with([
        html(r#"<button type="button" class="start">Start</button>"#)
            .flag("disabled", is_running)
            .click(start),
        html(r#"<button type="button">Stop</button>"#)
            .flag("disabled", move || !is_running())
            .click(move || stopped.set(true)),
        html(r#"<progress max="1" aria-label="Progress"></progress>"#)
            .attr("value", move || {
                progress.get().map(|share| share.to_string())
            })
            .class("unseen", move || !is_running()),
    ]);
    html(r#"<main class="lab"></main>"#).with([
        html(r#"<section class="panel plan" aria-label="Plan"><h2>What does each transport cost?</h2><p class="muted">All that are chosen run side by side in this browser, over the same ticks. What you see is counted here, or, for processor time, by the server; what is estimated is said below.</p></section>"#)
            .with(form.lines())
            .with([
                buttons,
                html(r#"<p class="fault" role="alert"></p>"#).text(move || fault.get()),
            ]),
        results(report, saved, is_running, fault, looks),
        frequency(),
    ])
}

/// The fields of the form.
struct Form {
    transports: [Html; Transport::ALL.len()],
    encodings: [Html; WireFormat::ALL.len()],
    symbols: Html,
    numbers: [(Html, Bounds); 4],
}

impl Form {
    fn new() -> Self {
        let number = |bounds: Bounds| {
            let field = html(r#"<input type="number">"#)
                .set("min", &bounds.least.to_string())
                .set("max", &bounds.most.to_string())
                .set("value", &bounds.usual.to_string());
            (field, bounds)
        };
        Self {
            transports: Transport::ALL.map(|transport| {
                html(r#"<input type="checkbox" checked>"#).set("value", transport.key())
            }),
            encodings: WireFormat::ALL.map(|format| {
                html(r#"<input type="checkbox" checked>"#).set("value", format.key())
            }),
            symbols: html(r#"<input type="text" value="*" spellcheck="false">"#),
            numbers: [INTERVAL_MS, SECONDS, BUSY_PERCENT, DELAY_MS].map(number),
        }
    }

    fn lines(&self) -> Vec<Html> {
        let labelled = |name: &str, hint: &str, field: &Html| {
            let name = html("<span></span>").say(name);
            let hint = html(r#"<span class="muted"></span>"#).say(hint);
            html(r#"<label class="line"></label>"#).with([name, field.clone(), hint])
        };
        let ticks = Transport::ALL.into_iter().zip(&self.transports);
        let ticks = ticks.map(|(transport, tick)| {
            html("<label></label>")
                .with([tick.clone()])
                .say(transport.label())
        });
        let encodings = WireFormat::ALL.into_iter().zip(&self.encodings);
        let encodings = encodings.map(|(format, tick)| {
            html("<label></label>")
                .with([tick.clone()])
                .say(format.label())
        });
        let [interval, seconds, busy, delay] = &self.numbers;
        vec![
            html(r#"<div class="line" role="group" aria-label="Transports"><span>Transports</span></div>"#)
                .with(ticks),
            html(r#"<div class="line" role="group" aria-label="Encodings"><span>Encodings</span></div>"#)
                .with(encodings),
            labelled("Symbols", "names with commas between, or * for all", &self.symbols),
            labelled("Polling interval", "ms, of plain polling", &interval.0),
            labelled("Duration", "s", &seconds.0),
            labelled("Load", "% of this page's time goes to other work", &busy.0),
            labelled(
                "Added delay",
                "ms each way: polls really take so much longer, what a stream brings counts as so much older",
                &delay.0,
            ),
        ]
    }

    fn plan(&self) -> Plan {
        let input = |field: &Html| field.node().clone().unchecked_into::<HtmlInputElement>();
        let chosen = Transport::ALL.into_iter().zip(&self.transports);
        let chosen = chosen.filter(|(_, tick)| input(tick).checked());
        let [interval_ms, seconds, busy_percent, delay_ms] = [0, 1, 2, 3].map(|place: usize| {
            let (field, bounds) = &self.numbers[place];
            let field = input(field);
            let number = bounds.read(&field.value());
            field.set_value(&number.to_string());
            number
        });
        let encodings = WireFormat::ALL.into_iter().zip(&self.encodings);
        let encodings = encodings.filter(|(_, tick)| input(tick).checked());
        let symbols = input(&self.symbols).value();
        let symbols: Vec<_> = symbols
            .split([',', ' '])
            .filter(|s| !s.is_empty())
            .collect();
        Plan {
            transports: chosen.map(|(transport, _)| transport).collect(),
            encodings: encodings.map(|(format, _)| format).collect(),
            symbols: if symbols.is_empty() {
                "*".to_owned()
            } else {
                symbols.join(",")
            },
            interval_ms,
            seconds,
            busy_percent,
            delay_ms,
        }
    }
}
