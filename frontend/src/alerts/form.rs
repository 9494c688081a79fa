//! The form in which an alert is made or changed.

use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{
    AlertSpec, Condition, ConditionKind, Decimal, Found, Lookup, Make, Moves, Parameters, PriceKind,
};

use super::State;
use crate::client::api;
use crate::faults::{FormFault, PageFault};
use crate::format::{self, NumberFault};
use crate::words;

/// The fields of the form, as they are written.
#[derive(Clone, Copy)]
struct Fields {
    symbol: RwSignal<String>,
    /// Which of the symbol's prices the alert watches.
    on: RwSignal<PriceKind>,
    kind: RwSignal<&'static ConditionKind>,
    price: RwSignal<String>,
    percent: RwSignal<String>,
    window_s: RwSignal<String>,
    silent_s: RwSignal<String>,
    repeat: RwSignal<bool>,
    cooldown_s: RwSignal<String>,
    note: RwSignal<String>,
}

impl Fields {
    fn new() -> Self {
        let text = |text: &str| RwSignal::new(text.to_owned());
        Self {
            symbol: text(""),
            on: RwSignal::new(PriceKind::Last),
            kind: RwSignal::new(&Condition::KINDS[0]),
            price: text(""),
            percent: text("2"),
            window_s: text("300"),
            silent_s: text("30"),
            repeat: RwSignal::new(false),
            cooldown_s: text("60"),
            note: text(""),
        }
    }

    /// Fills the fields from the alert that is edited; clears those that belong
    /// to one alert if there is none.
    fn fill(self, spec: Option<AlertSpec>) {
        self.price.set(String::new());
        let Some(spec) = spec else {
            self.symbol.set(String::new());
            self.note.set(String::new());
            self.repeat.set(false);
            return;
        };
        match spec.condition.parameters() {
            Parameters::Level(level) => self.price.set(format::editable(level)),
            Parameters::Moves(Moves { percent, window_s }) => {
                self.percent.set(format::editable(percent));
                self.window_s.set(window_s.to_string());
            }
            Parameters::Seconds(seconds) => self.silent_s.set(seconds.to_string()),
        }
        self.kind.set(spec.condition.kind());
        self.on.set(spec.on);
        self.repeat.set(spec.repeat);
        self.cooldown_s.set(spec.cooldown_s.to_string());
        self.symbol.set(spec.symbol);
        self.note.set(spec.note);
    }

    /// The alert that the fields describe. The server checks it again.
    fn read(self, symbols: &[String], enabled: bool) -> Result<AlertSpec, FormFault> {
        let condition = match self.kind.get_untracked().make {
            Make::Level(make) => make(number(self.price, words::THE_PRICE)?),
            Make::Moves(make) => make(Moves {
                percent: number(self.percent, words::THE_MOVE)?,
                window_s: seconds(self.window_s, words::THE_TIME)?,
            }),
            Make::Seconds(make) => make(seconds(self.silent_s, words::THE_SILENCE)?),
        };
        Ok(AlertSpec {
            symbol: known_symbol(symbols, self.symbol.get_untracked().trim())?,
            condition,
            on: self.on.get_untracked(),
            repeat: self.repeat.get_untracked(),
            cooldown_s: seconds(self.cooldown_s, words::THE_PAUSE)?,
            enabled,
            note: self.note.get_untracked().trim().to_owned(),
        })
    }
}

fn number(field: RwSignal<String>, name: &'static str) -> Result<Decimal, FormFault> {
    let text = field.get_untracked().trim().to_owned();
    format::number(&text).map_err(|fault| match fault {
        NumberFault::NoNumber => FormFault::NotANumber(name),
        NumberFault::TwoWays(one, other) => FormFault::TwoWays(name, text, [one, other]),
    })
}

fn seconds(field: RwSignal<String>, name: &'static str) -> Result<u32, FormFault> {
    let value = field.with_untracked(|text| text.trim().parse());
    value.map_err(|_| FormFault::NotSeconds(name))
}

/// The symbol as the server writes it, in whichever case it was typed.
fn known_symbol(known: &[String], typed: &str) -> Result<String, FormFault> {
    let lookup = Lookup::new(known.iter().map(String::as_str));
    match lookup.find(typed) {
        Found::One(place) => Ok(known[place].clone()),
        Found::Several(one, other) => Err(FormFault::Several(
            typed.to_owned(),
            known[one].clone(),
            known[other].clone(),
        )),
        // The list may be missing; the server will check the symbol.
        Found::None => Ok(typed.to_owned()),
    }
}

/// The form.
#[component]
pub(super) fn AlertForm(state: State) -> impl IntoView {
    let fields = Fields::new();
    // Empty until the server has answered; without it the symbol has to be typed.
    let symbols = RwSignal::new(Vec::new());
    spawn_local(async move { symbols.set(api::symbols().await.unwrap_or_default()) });
    let first = NodeRef::<html::Input>::new();
    Effect::new(move || {
        let edited = state.edited.get();
        let is_edited = edited.is_some();
        fields.fill(edited.map(|alert| alert.spec));
        if let Some(first) = first.get_untracked().filter(|_| is_edited) {
            // Fails only for elements that cannot have the focus.
            let _ = first.focus();
        }
    });
    let heading = move || match state.edited.get() {
        Some(alert) => words::alert_number(alert.id),
        None => words::NEW_ALERT.to_owned(),
    };
    let is_new = move || state.edited.with(Option::is_none);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        save(state, fields, symbols);
    };
    let fault = move || state.fault.get().as_ref().map(words::alerts_page_fault);
    view! {
        <section class="panel plan" aria-label=words::ALERT>
            <h2>{move || heading()}</h2>
            <p class="muted">{words::ALERTS_EXPLAINED}</p>
            <form on:submit=submit>
                <ConditionLine fields symbols first />
                <RepeatLine fields />
                <div class="line">
                    <button type="submit" class="start">
                        {move || if is_new() { words::CREATE_ALERT } else { words::SAVE }}
                    </button>
                    <button
                        type="button"
                        hidden=is_new
                        on:click=move |_| state.edited.set(None)
                    >
                        {words::CANCEL}
                    </button>
                    <p class="fault" role="alert">
                        {move || fault()}
                    </p>
                </div>
            </form>
        </section>
    }
}

/// Makes or replaces the alert that the fields describe.
fn save(state: State, fields: Fields, symbols: RwSignal<Vec<String>>) {
    let edited = state.edited.get_untracked();
    let enabled = edited.as_ref().is_none_or(|alert| alert.spec.enabled);
    let spec = match symbols.with_untracked(|symbols| fields.read(symbols, enabled)) {
        Ok(spec) => spec,
        Err(fault) => return state.fault.set(Some(PageFault::Form(fault))),
    };
    match edited {
        Some(alert) => {
            let replace = async move { api::replace_alert(&alert, &spec).await };
            state.act(replace, move |_| state.edited.set(None));
        }
        // The symbol stays in its field, for the next alert.
        None => state.act(async move { api::create_alert(&spec).await }, move |made| {
            state.made.set(Some(made.id));
            fields.price.set(String::new());
            fields.note.set(String::new());
        }),
    }
}

/// Which symbol, which of its prices, and the condition.
#[component]
fn ConditionLine(
    fields: Fields,
    symbols: RwSignal<Vec<String>>,
    first: NodeRef<html::Input>,
) -> impl IntoView {
    let make = move || fields.kind.get().make;
    let is_level = move || matches!(make(), Make::Level(_));
    let is_move = move || matches!(make(), Make::Moves(_));
    let is_silence = move || matches!(make(), Make::Seconds(_));
    let known = move || {
        let symbols = symbols.get().into_iter();
        symbols
            .map(|symbol| view! { <option value=symbol></option> })
            .collect_view()
    };
    view! {
        <div class="line">
            <input
                type="text"
                list="symbols"
                aria-label=words::SYMBOL
                placeholder=words::SYMBOL
                autocomplete="off"
                spellcheck="false"
                node_ref=first
                bind:value=fields.symbol
            />
            <datalist id="symbols">{move || known()}</datalist>
            <span hidden=is_silence>
                <PriceChoice on=fields.on />
            </span>
            <KindChoice kind=fields.kind />
            <span hidden=move || !is_level()>
                <input
                    type="text"
                    inputmode="decimal"
                    aria-label=words::PRICE
                    placeholder=words::PRICE
                    autocomplete="off"
                    bind:value=fields.price
                />
            </span>
            <span hidden=move || !is_move()>
                <input
                    type="text"
                    inputmode="decimal"
                    aria-label=words::PER_CENT
                    bind:value=fields.percent
                />
                <span>{words::PER_CENT_WITHIN}</span>
                <SecondsField label=words::WITHIN_SECONDS value=fields.window_s />
                <span>{words::UNIT_S}</span>
            </span>
            <span hidden=move || !is_silence()>
                <SecondsField label=words::SECONDS value=fields.silent_s />
                <span>{words::UNIT_S}</span>
            </span>
        </div>
    }
}

/// Which of the symbol's prices the alert watches.
#[component]
fn PriceChoice(on: RwSignal<PriceKind>) -> impl IntoView {
    let options = words::PRICE_KINDS.map(|(kind, label)| {
        view! {
            <option value=kind.name() prop:selected=move || on.get() == kind>
                {label}
            </option>
        }
    });
    let choose = move |name: String| on.set(PriceKind::of_name(&name).unwrap_or_default());
    view! {
        <select
            aria-label=words::PRICE_KIND
            on:change:target=move |event| choose(event.target().value())
        >
            {options.collect_view()}
        </select>
    }
}

#[component]
fn KindChoice(kind: RwSignal<&'static ConditionKind>) -> impl IntoView {
    let options = Condition::KINDS.iter().map(|known| {
        view! {
            <option value=known.name prop:selected=move || kind.get().name == known.name>
                {known.choice}
            </option>
        }
    });
    let choose = move |name: String| {
        if let Some(known) = ConditionKind::of_name(&name) {
            kind.set(known);
        }
    };
    view! {
        <select
            aria-label=words::CONDITION
            on:change:target=move |event| choose(event.target().value())
        >
            {options.collect_view()}
        </select>
    }
}

#[component]
fn SecondsField(label: &'static str, value: RwSignal<String>) -> impl IntoView {
    view! { <input type="number" min="1" max="86400" aria-label=label bind:value=value /> }
}

/// Whether it fires again, how soon, and a note.
#[component]
fn RepeatLine(fields: Fields) -> impl IntoView {
    view! {
        <div class="line">
            <label>
                <input type="checkbox" bind:checked=fields.repeat />
                {words::AGAIN_AT_MOST}
            </label>
            <SecondsField label=words::QUIET_SECONDS value=fields.cooldown_s />
            <span>{words::UNIT_S}</span>
            <input
                type="text"
                maxlength="200"
                aria-label=words::NOTE
                placeholder=words::NOTE
                bind:value=fields.note
            />
        </div>
    }
}
