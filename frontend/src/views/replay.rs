//! The bar of a replay: where it is, and what can be done with it. It is the
//! server's replay: everybody who watches sees the same.

use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{FeedState, Replay, ReplayAnswer, ReplayDraft, ReplayStatus, Step, Time};

use super::chart::moment;
use super::controls::{Button, Menu};
use crate::client::api;
use crate::faults::CallError;
use crate::plot::DAY_US;
use crate::settings::Settings;
use crate::store::Store;
use crate::words;

/// The slider has so many steps.
const STEPS: f64 = 1_000.0;
/// The popover with rows that were left out or mended.
const ROWS: &str = "replay-rows";

/// What the bar's parts share.
#[derive(Clone, Copy)]
struct Controls {
    replay: RwSignal<Option<(FeedState, ReplayStatus)>>,
    /// Why the last order was not followed.
    fault: RwSignal<Option<CallError>>,
    /// Where a person drags the slider to, in ms since the epoch.
    dragged_ms: RwSignal<Option<f64>>,
}

impl Controls {
    /// What the replay's status says.
    fn of<T>(self, look: impl FnOnce(&FeedState, &ReplayStatus) -> T) -> Option<T> {
        self.replay
            .with(|replay| replay.as_ref().map(|(state, status)| look(state, status)))
    }

    fn plays(self) -> bool {
        self.of(|state, _| *state == FeedState::Live) == Some(true)
    }

    fn order(self, draft: ReplayDraft) {
        spawn_local(async move {
            let answer = api::move_replay(&draft).await;
            self.fault.set(answer.err());
        });
    }
}

/// The bar, which is there while prices are replayed.
#[component]
pub(crate) fn ReplayBar<'s>(
    store: &'s Rc<Store>,
    settings: Settings,
    known: RwSignal<Option<ReplayAnswer>>,
) -> impl IntoView + use<> {
    let controls = Controls {
        replay: store.replay,
        fault: RwSignal::new(None),
        dragged_ms: RwSignal::new(None),
    };
    let replayed_to = store.replayed_to;
    let is_hidden = move || controls.replay.with(Option::is_none);
    let play = move |()| {
        let playing = Some(!controls.plays());
        controls.order(ReplayDraft {
            playing,
            ..ReplayDraft::default()
        });
    };
    let step = move |step: Step| {
        controls.order(ReplayDraft {
            step: Some(step),
            ..ReplayDraft::default()
        });
    };
    view! {
        <div class="replay" role="group" aria-label=words::REPLAY hidden=is_hidden>
            <button type="button" title=words::PLAY_TITLE on:click=move |_| play(())>
                {move || if controls.plays() { words::PAUSE_REPLAY } else { words::PLAY }}
            </button>
            <Button label=words::STEP_BACK title=words::STEP_BACK_TITLE act=move |()| step(Step::Back) />
            <Button label=words::STEP title=words::STEP_TITLE act=move |()| step(Step::Ahead) />
            <SpeedChoice controls />
            <Position controls replayed_to settings />
            <ChangedRows known />
            <p role="alert" hidden=move || controls.fault.with(Option::is_none)>
                {move || controls.fault.with(|fault| fault.as_ref().map(words::call_error))}
            </p>
        </div>
    }
}

#[component]
fn SpeedChoice(controls: Controls) -> impl IntoView {
    let speed = Memo::new(move |_| controls.of(|_, status| status.speed.clone()));
    let is_speed = move |known: &str| speed.with(|speed| speed.as_deref() == Some(known));
    let is_listed = |speed: &str| words::SPEEDS.iter().any(|(known, _)| *known == speed);
    // One that was given to the server, and is not offered here.
    let other = move || speed.get().filter(|speed| !is_listed(speed));
    let options = words::SPEEDS.map(|(value, label)| {
        view! {
            <option value=value prop:selected=move || is_speed(value)>
                {label}
            </option>
        }
    });
    let choose = move |value: String| {
        controls.order(ReplayDraft {
            speed: Some(value),
            ..ReplayDraft::default()
        });
    };
    view! {
        <select
            aria-label=words::SPEED
            title=words::SPEED
            on:change:target=move |event| choose(event.target().value())
        >
            {options.collect_view()}
            {move || {
                other().map(|speed| view! { <option selected=true>{speed}</option> })
            }}
        </select>
    }
}

/// A slider over the whole replay, with its dates.
#[component]
fn Position(
    controls: Controls,
    replayed_to: RwSignal<Option<Time>>,
    settings: Settings,
) -> impl IntoView {
    let dragged_ms = controls.dragged_ms;
    let from = move || controls.of(|_, status| status.from.millis()).unwrap_or(0.0);
    let to = move || controls.of(|_, status| status.to).flatten();
    let at = move || {
        let played = replayed_to.get().map(|at| at.millis());
        dragged_ms.get().or(played).unwrap_or_else(from)
    };
    // The dates of daily bars have no time of day.
    let bar_us = move || {
        let bars = controls.of(|_, status| status.bars.clone()).flatten();
        let bars = bars.and_then(|name| name.parse::<shared::Interval>().ok());
        bars.map_or(1e6, |bars| bars.span().micros() as f64)
    };
    // A day is that of its row, wherever somebody looks at it.
    let is_local = move || !settings.zone.is("utc") && bar_us() < DAY_US;
    let shown = move |ms: f64| moment(ms * 1e3, bar_us(), is_local());
    // Of a large file that is read as it is played, nobody knows the end. Then the
    // slider reaches as far as anybody has seen.
    let furthest = Memo::new(move |before: Option<&f64>| {
        before.copied().unwrap_or(f64::NEG_INFINITY).max(at())
    });
    let known_end = move || to().map(|to| to.millis());
    let end = move || known_end().unwrap_or_else(|| furthest.get());
    let step = move || ((end() - from()) / STEPS).max(1.0).floor();
    let jump = move |ms: f64| {
        dragged_ms.set(None);
        controls.order(ReplayDraft {
            at: Some(Time::from_micros((ms * 1e3) as i64)),
            ..ReplayDraft::default()
        });
    };
    view! {
        <label class="position">
            <output>{move || shown(at())}</output>
            <input
                type="range"
                aria-label=words::POSITION
                aria-valuetext=move || shown(at())
                prop:min=from
                prop:max=end
                prop:step=step
                prop:value=at
                on:input:target=move |event| dragged_ms.set(Some(event.target().value_as_number()))
                on:change:target=move |event| jump(event.target().value_as_number())
            />
            <span class="muted">{move || known_end().map(shown)}</span>
        </label>
    }
}

/// How many files and rows were left out, or mended; a click lists them.
#[component]
fn ChangedRows(known: RwSignal<Option<ReplayAnswer>>) -> impl IntoView {
    let replay = Memo::new(move |_| {
        known.with(|known| known.as_ref().and_then(|answer| answer.replay.clone()))
    });
    let summary = move || {
        replay.with(|replay| {
            replay
                .as_ref()
                .map(words::left_out_or_mended)
                .unwrap_or_default()
        })
    };
    let all = move || replay.with(|replay| replay.as_ref().map(lines).unwrap_or_default());
    view! {
        <span class="changed" hidden=move || summary().is_empty()>
            <Menu id=ROWS label=Signal::derive(summary)>
                <ul>{move || all().into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
            </Menu>
        </span>
    }
}

fn lines(replay: &Replay) -> Vec<String> {
    let mut lines = replay.others.clone();
    for file in &replay.files {
        let told = file.told.iter();
        lines.extend(told.map(|row| words::row_changed(&file.name, row.line, &row.what)));
        let more =
            (file.left_out + file.mended + file.rounded).saturating_sub(file.told.len() as u64);
        lines.extend((more > 0).then(|| words::more_rows(more)));
    }
    lines
}

/// Asks what is replayed, whenever there is another catalogue, and when it stands
/// still or has ended: a large file tells what was left out as it is played.
pub(crate) fn follow(store: &Rc<Store>) -> RwSignal<Option<ReplayAnswer>> {
    let known = RwSignal::new(None);
    let (catalogue, replay) = (store.catalogue, store.replay);
    let state = Memo::new(move |_| replay.with(|replay| replay.as_ref().map(|(state, _)| *state)));
    Effect::new(move || {
        state.track();
        if catalogue.get() == 0 {
            return;
        }
        spawn_local(async move {
            if let Ok(answer) = api::replay().await {
                known.set(Some(answer));
            }
        });
    });
    known
}
