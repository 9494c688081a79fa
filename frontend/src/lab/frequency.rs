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
use crate::client::{Choice, Counters, Link, Session};
use crate::clock::{BrowserClock, now_ms};
use crate::faults::CallError;
use crate::format;
use crate::words;

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

/// The figures of a reader: a key, and the number of decimals of each.
const FIGURES: [(&str, u32); 6] = [
    ("messages", 1),
    ("kilobytes", 1),
    ("ticks", 0),
    ("skipped", 0),
    ("age_p50_ms", 0),
    ("missed", 0),
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
        let session = Session::new(BrowserClock, Vec::new(), move |message, verdict| {
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

/// What the pace saves and costs, as a sentence.
fn outcome([all, paced]: [Figures; 2]) -> String {
    let less = |place: usize| {
        let share = 1.0 - paced[place]? / all[place].filter(|all| *all > 0.0)?;
        Some(100.0 * share.max(0.0))
    };
    let (Some(messages), Some(bytes)) = (less(0), less(1)) else {
        return words::MEASURING.to_owned();
    };
    let older_ms = paced[4]
        .zip(all[4])
        .map(|(paced, all)| (paced - all).max(0.0));
    let missed = [all[5], paced[5]].into_iter().flatten().sum::<f64>();
    words::pace_outcome(messages, bytes, older_ms, missed)
}

/// The two readers: at once, and at the pace; `None` while nothing is compared.
type Readers = StoredValue<Option<[Reader; 2]>, LocalStorage>;

/// The panel with the comparison.
#[component]
pub(super) fn Frequency() -> impl IntoView {
    let fault = RwSignal::new(String::new());
    let wanted = Wanted {
        transport: RwSignal::new(Transport::WebSocket),
        step: RwSignal::new(FIRST_STEP),
        latest: RwSignal::new(false),
    };
    let figures = RwSignal::new(None::<[Figures; 2]>);
    let is_running = RwSignal::new(false);
    let readers: Readers = StoredValue::new_local(None);
    follow(readers, wanted, figures);
    refresh(readers, wanted, figures);
    // Which start is the newest: an older one that still waits does nothing more.
    let newest = Rc::new(Cell::new(0));
    let start = move |()| {
        let own = newest.get() + 1;
        newest.set(own);
        fault.set(String::new());
        figures.set(None);
        is_running.set(true);
        let newest = Rc::clone(&newest);
        spawn_local(async move {
            let both = start_readers(wanted).await;
            if newest.get() != own || !is_running.get_untracked() {
                return;
            }
            if both.is_none() {
                fault.set(words::not_measured(&CallError::Late));
                is_running.set(false);
            }
            readers.set_value(both);
        });
    };
    let stop = move |()| {
        readers.set_value(None);
        is_running.set(false);
    };
    view! {
        <section class="panel plan" aria-label=words::FREQUENCY>
            <h2>{words::FREQUENCY_HEADING}</h2>
            <p class="muted">{words::FREQUENCY_EXPLAINED}</p>
            <TransportLine wanted is_running />
            <PaceLine wanted />
            <Buttons is_running start stop />
            <p class="fault" role="alert">
                {move || fault.get()}
            </p>
            <p class="outcome">{move || figures.get().map(outcome)}</p>
            <div class="scrolled" hidden=move || figures.with(Option::is_none)>
                <Table figures wanted />
            </div>
        </section>
    }
}

/// The buttons that start and stop the comparison.
#[component]
fn Buttons(
    is_running: RwSignal<bool>,
    #[prop(into)] start: UnsyncCallback<()>,
    #[prop(into)] stop: UnsyncCallback<()>,
) -> impl IntoView {
    view! {
        <div class="line">
            <button
                type="button"
                class="start"
                disabled=is_running
                on:click=move |_| start.run(())
            >
                {words::COMPARE_READERS}
            </button>
            <button
                type="button"
                disabled=move || !is_running.get()
                on:click=move |_| stop.run(())
            >
                {words::STOP}
            </button>
        </div>
    }
}

/// Starts both readers; `None` if the server does not answer.
async fn start_readers(wanted: Wanted) -> Option<[Reader; 2]> {
    let offset = clock::measure().await?;
    let transport = wanted.transport.get_untracked();
    let both = [(); 2].map(|()| Reader::start(transport, offset));
    both[1].link.use_pace(untrack(|| wanted.pace()));
    Some(both)
}

/// The radio buttons for the transport.
#[component]
fn TransportLine(wanted: Wanted, is_running: RwSignal<bool>) -> impl IntoView {
    let choices = Transport::ALL.map(|transport| {
        view! {
            <label>
                <input
                    type="radio"
                    name="frequency-transport"
                    prop:checked=move || wanted.transport.get() == transport
                    disabled=move || is_running.get()
                    on:change=move |_| wanted.transport.set(transport)
                />
                {transport.label()}
            </label>
        }
    });
    view! {
        <div class="line" role="radiogroup" aria-label=words::TRANSPORT_OF_BOTH>
            <span>{words::TRANSPORT}</span>
            {choices.collect_view()}
        </div>
    }
}

/// The slider, and whether only the newest is wanted.
#[component]
fn PaceLine(wanted: Wanted) -> impl IntoView {
    let often = move || words::often(wanted.every_ms());
    let choose = move |text: String| wanted.step.set(text.parse().unwrap_or(FIRST_STEP));
    view! {
        <div class="line">
            <label class="line">
                <span>{words::AT_MOST}</span>
                <input
                    type="range"
                    min="0"
                    max=(STEPS_MS.len() - 1).to_string()
                    step="1"
                    value=FIRST_STEP.to_string()
                    aria-label=words::FREQUENCY
                    aria-valuetext=often
                    on:input:target=move |event| choose(event.target().value())
                />
                <output>{move || often()}</output>
            </label>
            <label>
                <input type="checkbox" bind:checked=wanted.latest />
                {words::ONLY_NEWEST}
            </label>
        </div>
    }
}

/// Whenever the pace changes, sends it to the server for the second reader, and
/// resets the figures of both.
fn follow(readers: Readers, wanted: Wanted, figures: RwSignal<Option<[Figures; 2]>>) {
    Effect::new(move || {
        let pace = wanted.pace();
        // Those of another pace would stand under the name of this one.
        figures.set(None);
        readers.update_value(|readers| {
            if let Some(both) = readers {
                both[1].link.use_pace(pace);
                both.iter_mut().for_each(Reader::begin);
            }
        });
    });
}

/// Updates the figures as long as the page lives.
fn refresh(readers: Readers, wanted: Wanted, figures: RwSignal<Option<[Figures; 2]>>) {
    let refresh = move || {
        let every_ms = untrack(|| wanted.every_ms());
        let now = readers.with_value(|readers| {
            let both = readers.as_ref()?;
            Some(both.each_ref().map(|reader| reader.figures(every_ms)))
        });
        if now.is_some() {
            figures.set(now);
        }
    };
    let refreshing = set_interval_with_handle(refresh, REFRESH);
    on_cleanup(move || _ = refreshing.map(|refreshing| refreshing.clear()));
}

/// The table: a row for each figure, a column for each reader.
#[component]
fn Table(figures: RwSignal<Option<[Figures; 2]>>, wanted: Wanted) -> impl IntoView {
    let cell = move |row: usize, column: usize| {
        let decimals = FIGURES[row].1;
        let value = move || figures.with(|figures| figures.as_ref()?[column][row]);
        let text = move || match value() {
            Some(value) => format::rounded(value, decimals),
            None => format::NOTHING.to_owned(),
        };
        view! {
            <td data-value=move || value().map(|value| format::plain(value, decimals))>
                {move || text()}
            </td>
        }
    };
    let rows = (0..FIGURES.len()).map(|row| {
        view! {
            <tr data-figure=FIGURES[row].0>
                <th scope="row">{words::PACE_FIGURES[row]}</th>
                {cell(row, 0)}
                {cell(row, 1)}
            </tr>
        }
    });
    view! {
        <table aria-label=words::PACE_TABLE>
            <thead>
                <tr>
                    <th scope="col">{words::FIGURE}</th>
                    <th scope="col">{words::AT_ONCE}</th>
                    <th scope="col">{move || words::often(wanted.every_ms())}</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pace_saves_and_costs_is_said() {
        let all = [60.0, 20.0, 1_000.0, 0.0, 12.0, 0.0].map(Some);
        let paced = [2.0, 18.0, 1_000.0, 0.0, 260.0, 0.0].map(Some);
        assert_eq!(
            outcome([all, paced]),
            "Saves 97% of the messages and 10% of the bytes; half of the prices come at \
             least 248 ms later than they could; 0 missed."
        );
        assert_eq!(outcome([[None; 6], paced]), words::MEASURING);
        assert_eq!(STEPS_MS.map(words::often)[..2], ["at once", "every 50 ms"]);
        assert_eq!(words::often(10_000), "every 10 s");
    }
}
