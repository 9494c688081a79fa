//! How often is often enough? Two readers of the same ticks run side by side:
//! one receives everything at once, the other at the pace that is set by the
//! slider.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{Pace, Transport};

use super::clock::{self, Offset};
use super::meter::Meter;
use crate::client::{Choice, Counters, Link, Session, now_ms};
use crate::dom::{Html, html};
use crate::format;

/// The steps of the slider: at most one message in this many ms.
const STEPS_MS: [u32; 9] = [0, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];
/// How often the figures are updated.
const REFRESH: Duration = Duration::from_millis(500);
/// No figures are shown before this time has passed, in ms.
const LEAST_MS: f64 = 1_500.0;
/// The first position of the slider: half a second.
const FIRST_STEP: usize = 4;
/// The interval of plain polling: short, so that it does not determine the
/// figures.
const POLL_INTERVAL_MS: u32 = 100;

/// The figures of a reader: a key, the name with the unit, and the number of
/// decimals of each.
const FIGURES: [(&str, &str, u32); 6] = [
    ("messages", "Messages a second", 1),
    ("kilobytes", "KB a second", 1),
    ("ticks", "Ticks a second", 0),
    ("skipped", "Left out and counted, a second", 0),
    ("age_p50_ms", "Age of a tick, median (ms)", 0),
    ("missed", "Ticks missed", 0),
];

/// What a reader received since the slider was moved, in the order of
/// [`FIGURES`].
type Figures = [Option<f64>; FIGURES.len()];

/// One of the two readers.
struct Reader {
    session: Rc<Session>,
    meter: Rc<RefCell<Option<Meter>>>,
    link: Link,
    /// Its counters when the slider was moved, and the ticks missed by then.
    before: Counters,
    missed_before: u64,
    since_ms: f64,
}

impl Reader {
    fn start(transport: Transport, offset: Offset) -> Self {
        let meter = Rc::new(RefCell::new(Meter::new()));
        let seen = Rc::clone(&meter);
        let session = Session::new(Vec::new(), move |message, verdict| {
            if let Some(meter) = seen.borrow_mut().as_mut() {
                meter.observe(message, verdict, (now_ms() + offset.ms) * 1e3);
            }
        });
        let session = Rc::new(session);
        let choice = Choice::Only(transport);
        let link = Link::start(Rc::clone(&session), choice, POLL_INTERVAL_MS);
        Self {
            before: session.counters(),
            missed_before: 0,
            since_ms: now_ms(),
            session,
            meter,
            link,
        }
    }

    /// Resets the figures.
    fn begin(&mut self) {
        self.before = self.session.counters();
        self.missed_before = self.missed();
        self.since_ms = now_ms();
        self.meter.replace(Meter::new());
    }

    /// The reader's figures. `every_ms` is the interval of the slower reader.
    fn figures(&self, every_ms: u32) -> Figures {
        let (before, now) = (&self.before, self.session.counters());
        let passed_ms = now_ms() - self.since_ms;
        // Figures over less than one interval would be those of a burst.
        let is_enough = passed_ms > LEAST_MS + f64::from(every_ms);
        let rate = |grown: u64| is_enough.then(|| 1e3 * grown as f64 / passed_ms);
        let meter = self.meter.borrow();
        let age_ms = meter.as_ref().and_then(|meter| meter.age_ms(0.5));
        [
            rate(now.messages - before.messages),
            rate(now.bytes - before.bytes).map(|bytes| bytes / 1e3),
            rate(now.ticks - before.ticks),
            rate(now.skipped - before.skipped),
            age_ms.filter(|_| is_enough),
            Some((self.missed() - self.missed_before) as f64),
        ]
    }

    /// Ticks missed since the reader began.
    fn missed(&self) -> u64 {
        self.session.missed_and_repeated().0
    }
}

/// What the person has set.
#[derive(Clone, Copy)]
struct Wanted {
    transport: RwSignal<Transport>,
    step: RwSignal<usize>,
    latest: RwSignal<bool>,
}

impl Wanted {
    fn every_ms(self) -> u32 {
        STEPS_MS[self.step.get().min(STEPS_MS.len() - 1)]
    }

    fn pace(self) -> Pace {
        Pace {
            every_ms: self.every_ms(),
            latest: self.latest.get(),
        }
    }
}

/// A pace in words.
fn often(every_ms: u32) -> String {
    match every_ms {
        0 => "at once".to_owned(),
        ms if ms < 1_000 => format!("every {ms} ms"),
        ms => format!("every {} s", ms / 1_000),
    }
}

/// What the pace saves and costs, as a sentence.
fn words([all, paced]: [Figures; 2]) -> String {
    let less = |place: usize| {
        let share = 1.0 - paced[place]? / all[place].filter(|all| *all > 0.0)?;
        Some(format::whole(100.0 * share.max(0.0)) + "%")
    };
    let (Some(messages), Some(bytes)) = (less(0), less(1)) else {
        return "Measuring".to_owned();
    };
    let mut text = format!("Saves {messages} of the messages and {bytes} of the bytes");
    if let (Some(all), Some(paced)) = (all[4], paced[4]) {
        let older = format::whole((paced - all).max(0.0));
        text += &format!("; half of the prices come at least {older} ms later than they could");
    }
    let lost = [all[5], paced[5]].into_iter().flatten().sum::<f64>();
    text + &format!("; {} missed.", format::whole(lost))
}

/// The panel with the comparison.
pub(super) fn frequency() -> Html {
    let fault = RwSignal::new(String::new());
    let wanted = Wanted {
        transport: RwSignal::new(Transport::WebSocket),
        step: RwSignal::new(FIRST_STEP),
        latest: RwSignal::new(false),
    };
    let figures = RwSignal::new(None::<[Figures; 2]>);
    let is_running = RwSignal::new(false);
    let readers = Rc::new(RefCell::new(None::<[Reader; 2]>));
    follow(&readers, wanted, figures);
    refresh(&readers, wanted, figures);
    let (starting, stopping) = (Rc::clone(&readers), readers);
    // Which start is the newest: an older one that still waits does nothing more.
    let newest = Rc::new(Cell::new(0));
    let start = move || {
        let own = newest.get() + 1;
        newest.set(own);
        fault.set(String::new());
        figures.set(None);
        is_running.set(true);
        let (readers, newest) = (Rc::clone(&starting), Rc::clone(&newest));
        spawn_local(async move {
            let measured = clock::measure().await;
            if newest.get() != own || !is_running.get_untracked() {
                return;
            }
            let Some(offset) = measured else {
                fault.set("Nothing was measured: the server does not answer".to_owned());
                is_running.set(false);
                return;
            };
            let transport = wanted.transport.get_untracked();
            let both = [(); 2].map(|()| Reader::start(transport, offset));
            both[1].link.use_pace(untrack(|| wanted.pace()));
            readers.replace(Some(both));
        });
    };
    let stop = move || {
        stopping.replace(None);
        is_running.set(false);
    };
    html(r#"<section class="panel plan" aria-label="Frequency"><h2>How often is often enough?</h2><p class="muted">Two readers of all symbols run side by side in this browser: one is told what happens at once, the other in at most one message for each interval. Nothing is lost by that; prices only come later. If only the newest of each symbol is wanted, the rest is left out, and counted. Move the slider while it runs.</p></section>"#).with([
        settings(wanted, is_running),
        slider(wanted),
        html(r#"<div class="line"></div>"#).with([
            html(r#"<button type="button" class="start">Compare</button>"#)
                .flag("disabled", move || is_running.get())
                .click(start),
            html(r#"<button type="button">Stop</button>"#)
                .flag("disabled", move || !is_running.get())
                .click(stop),
        ]),
        html(r#"<p class="fault" role="alert"></p>"#).text(move || fault.get()),
        html(r#"<p class="outcome"></p>"#)
            .text(move || figures.get().map(words).unwrap_or_default()),
        html(r#"<div class="scrolled"></div>"#)
            .flag("hidden", move || figures.with(Option::is_none))
            .with([table(figures, wanted)]),
    ])
}

/// The radio buttons for the transport.
fn settings(wanted: Wanted, is_running: RwSignal<bool>) -> Html {
    let choices = Transport::ALL.map(|transport| {
        let choose = html(r#"<input type="radio" name="frequency-transport">"#)
            .checked(move || wanted.transport.get() == transport)
            .flag("disabled", move || is_running.get())
            .input("change", move |_| wanted.transport.set(transport));
        html("<label></label>")
            .with([choose])
            .say(transport.label())
    });
    html(r#"<div class="line" role="radiogroup" aria-label="Transport of both"><span>Transport</span></div>"#)
        .with(choices)
}

fn slider(wanted: Wanted) -> Html {
    let slider = html(r#"<input type="range" min="0" step="1" aria-label="Frequency">"#)
        .set("max", &(STEPS_MS.len() - 1).to_string())
        .set("value", &FIRST_STEP.to_string())
        .attr("aria-valuetext", move || Some(often(wanted.every_ms())))
        .input("input", move |input| {
            wanted.step.set(input.value().parse().unwrap_or(FIRST_STEP));
        });
    let latest = html(r#"<input type="checkbox">"#)
        .input("change", move |input| wanted.latest.set(input.checked()));
    html(r#"<div class="line"></div>"#).with([
        html(r#"<label class="line"><span>At most</span></label>"#).with([
            slider,
            html("<output></output>").text(move || often(wanted.every_ms())),
        ]),
        html("<label></label>")
            .with([latest])
            .say("only the newest of each symbol"),
    ])
}

/// Whenever the pace changes, sends it to the server for the second reader, and
/// resets the figures of both.
fn follow(
    readers: &Rc<RefCell<Option<[Reader; 2]>>>,
    wanted: Wanted,
    figures: RwSignal<Option<[Figures; 2]>>,
) {
    let readers = Rc::clone(readers);
    crate::react::effect(move || {
        let pace = wanted.pace();
        // Those of another pace would stand under the name of this one.
        figures.set(None);
        if let Some(both) = readers.borrow_mut().as_mut() {
            both[1].link.use_pace(pace);
            both.iter_mut().for_each(Reader::begin);
        }
    });
}

/// Updates the figures as long as the page lives.
fn refresh(
    readers: &Rc<RefCell<Option<[Reader; 2]>>>,
    wanted: Wanted,
    figures: RwSignal<Option<[Figures; 2]>>,
) {
    let readers = Rc::clone(readers);
    let refresh = move || {
        if let Some(both) = readers.borrow().as_ref() {
            let every_ms = untrack(|| wanted.every_ms());
            let now = both.each_ref().map(|reader| reader.figures(every_ms));
            figures.set(Some(now));
        }
    };
    let interval = set_interval_with_handle(refresh, REFRESH);
    on_cleanup(move || {
        if let Ok(interval) = interval {
            interval.clear();
        }
    });
}

/// The table: a row for each figure, a column for each reader.
fn table(figures: RwSignal<Option<[Figures; 2]>>, wanted: Wanted) -> Html {
    let cell = move |row: usize, column: usize| {
        let decimals = FIGURES[row].2;
        let value = move || figures.with(|figures| figures.as_ref()?[column][row]);
        html("<td></td>")
            .attr("data-value", move || {
                value().map(|value| format::plain(value, decimals))
            })
            .text(move || {
                let text = value().map(|value| format::rounded(value, decimals));
                text.unwrap_or_else(|| format::NOTHING.to_owned())
            })
    };
    let rows = (0..FIGURES.len()).map(|row| {
        let (key, name, _) = FIGURES[row];
        html("<tr></tr>")
            .set("data-figure", key)
            .with([html(r#"<th scope="row"></th>"#).say(name)])
            .with([0, 1].map(|column| cell(row, column)))
    });
    html(r#"<table aria-label="What the pace saves and costs"></table>"#).with([
        html("<thead></thead>").with([html("<tr></tr>").with([
            html(r#"<th scope="col">Figure</th>"#),
            html(r#"<th scope="col">At once</th>"#),
            html(r#"<th scope="col"></th>"#).text(move || often(wanted.every_ms())),
        ])]),
        html("<tbody></tbody>").with(rows),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pace_saves_and_costs_is_said() {
        let all = [60.0, 20.0, 1_000.0, 0.0, 12.0, 0.0].map(Some);
        let paced = [2.0, 18.0, 1_000.0, 0.0, 260.0, 0.0].map(Some);
        assert_eq!(
            words([all, paced]),
            "Saves 97% of the messages and 10% of the bytes; half of the prices come at \
             least 248 ms later than they could; 0 missed."
        );
        assert_eq!(words([[None; 6], paced]), "Measuring");
        assert_eq!(STEPS_MS.map(often)[..2], ["at once", "every 50 ms"]);
        assert_eq!(often(10_000), "every 10 s");
    }
}
