//! The form in which an alert is made or changed.

use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{
    AlertSpec, Condition, ConditionKind, Found, Lookup, Make, Moves, Parameters, PriceKind,
};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement, HtmlSelectElement};

use super::State;
use crate::client::alerts as calls;
use crate::client::catalogue;
use crate::dom::{Html, html};
use crate::format;
use crate::react::effect;

/// The prices of a symbol: the kind of each, and its label.
const PRICES: [(PriceKind, &str); 3] = [
    (PriceKind::Last, "last price"),
    (PriceKind::Bid, "bid"),
    (PriceKind::Ask, "ask"),
];

/// The fields of the form. What a person typed is kept in them and nowhere
/// else.
pub(super) struct Form {
    state: State,
    symbol: Html,
    /// The symbols that the server has; empty until it has answered.
    symbols: RwSignal<Vec<String>>,
    /// Which of the symbol's prices the alert watches.
    which: Html,
    kind: Html,
    /// The kind selected in `kind`.
    chosen: RwSignal<&'static ConditionKind>,
    price: Html,
    percent: Html,
    window_s: Html,
    silent_s: Html,
    repeat: Html,
    cooldown_s: Html,
    note: Html,
}

fn input(field: &Html) -> HtmlInputElement {
    field.node().clone().unchecked_into()
}

fn select(field: &Html) -> HtmlSelectElement {
    field.node().clone().unchecked_into()
}

/// The field that selects the kind of price.
fn which() -> Html {
    let of = |(kind, label): (PriceKind, &str)| {
        html("<option></option>")
            .set("value", kind.name())
            .say(label)
    };
    html(r#"<select aria-label="Price kind"></select>"#).with(PRICES.map(of))
}

impl Form {
    pub(super) fn new(state: State) -> Self {
        let chosen = RwSignal::new(&Condition::KINDS[0]);
        let kinds = Condition::KINDS.iter().map(|kind| {
            html("<option></option>")
                .set("value", kind.name)
                .say(kind.choice)
        });
        let kind = html(r#"<select aria-label="Condition"></select>"#).with(kinds);
        let element = select(&kind);
        let kind = kind.on("change", move |_: Event| {
            if let Some(kind) = ConditionKind::of_name(&element.value()) {
                chosen.set(kind);
            }
        });
        Self {
            state,
            symbol: html(
                r#"<input type="text" list="symbols" aria-label="Symbol" placeholder="Symbol" autocomplete="off" spellcheck="false">"#,
            ),
            symbols: RwSignal::new(Vec::new()),
            which: which(),
            kind,
            chosen,
            price: html(
                r#"<input type="text" inputmode="decimal" aria-label="Price" placeholder="Price" autocomplete="off">"#,
            ),
            percent: html(
                r#"<input type="text" inputmode="decimal" aria-label="Per cent" value="2">"#,
            ),
            window_s: html(
                r#"<input type="number" min="1" max="86400" value="300" aria-label="Within seconds">"#,
            ),
            silent_s: html(
                r#"<input type="number" min="1" max="86400" value="30" aria-label="Seconds">"#,
            ),
            repeat: html(r#"<input type="checkbox">"#),
            cooldown_s: html(
                r#"<input type="number" min="1" max="86400" value="60" aria-label="Quiet for seconds after it fired">"#,
            ),
            note: html(
                r#"<input type="text" maxlength="200" aria-label="Note" placeholder="Note">"#,
            ),
        }
    }

    pub(super) fn view(self: Rc<Self>) -> Html {
        let state = self.state;
        let chosen = self.chosen;
        let make = move || chosen.get().make;
        let on_price = move || matches!(make(), Make::Level(_));
        let on_move = move || matches!(make(), Make::Moves(_));
        let on_silence = move || matches!(make(), Make::Seconds(_));
        let part = |shown: Box<dyn Fn() -> bool>, inside: Vec<Html>| {
            html("<span></span>")
                .flag("hidden", move || !shown())
                .with(inside)
        };
        let word = |word: &str| html("<span></span>").say(word);
        let symbols = html(r#"<datalist id="symbols"></datalist>"#);
        let list = symbols.clone();
        let known = self.symbols;
        spawn_local(async move {
            // Without this list the symbol has to be typed.
            let symbols = catalogue::symbols().await.unwrap_or_default();
            for symbol in &symbols {
                list.add(&html("<option></option>").set("value", symbol));
            }
            known.set(symbols);
        });
        let condition = html(r#"<div class="line"></div>"#).with([
            self.symbol.clone(),
            symbols,
            part(Box::new(move || !on_silence()), vec![self.which.clone()]),
            self.kind.clone(),
            part(Box::new(on_price), vec![self.price.clone()]),
            part(
                Box::new(on_move),
                vec![
                    self.percent.clone(),
                    word(" % within "),
                    self.window_s.clone(),
                    word(" s"),
                ],
            ),
            part(
                Box::new(on_silence),
                vec![self.silent_s.clone(), word(" s")],
            ),
        ]);
        let again = html(r#"<div class="line"></div>"#).with([
            html("<label></label>")
                .with([self.repeat.clone()])
                .say("again and again, at most every"),
            self.cooldown_s.clone(),
            word("s"),
            self.note.clone(),
        ]);
        let saver = Rc::clone(&self);
        let buttons = html(r#"<div class="line"></div>"#).with([
            html(r#"<button type="submit" class="start"></button>"#).text(move || {
                let edited = state.edited.with(Option::is_some);
                if edited { "Save" } else { "Create alert" }.to_owned()
            }),
            html(r#"<button type="button">Cancel</button>"#)
                .flag("hidden", move || state.edited.with(Option::is_none))
                .click(move || state.edited.set(None)),
            html(r#"<p class="fault" role="alert"></p>"#).text(move || state.fault.get()),
        ]);
        let filler = Rc::clone(&self);
        effect(move || filler.fill());
        let form = html("<form></form>").with([condition, again, buttons]).on(
            "submit",
            move |event: Event| {
                event.prevent_default();
                saver.save();
            },
        );
        html(r#"<section class="panel plan" aria-label="Alert"></section>"#).with([
            html("<h2></h2>").text(move || {
                let edited = state.edited.get();
                edited.map_or("New alert".to_owned(), |alert| format!("Alert {}", alert.id))
            }),
            html(r#"<p class="muted">The server watches, whether or not a page is open. An alert fires when its condition comes true, and again only after it was not.</p>"#),
            form,
        ])
    }

    /// Fills the fields from the alert that is being edited, or clears them.
    fn fill(&self) {
        let alert = self.state.edited.get();
        let set = |field: &Html, value: &str| input(field).set_value(value);
        let spec = alert.map(|alert| alert.spec);
        set(&self.symbol, spec.as_ref().map_or("", |spec| &spec.symbol));
        set(&self.note, spec.as_ref().map_or("", |spec| &spec.note));
        input(&self.repeat).set_checked(spec.as_ref().is_some_and(|spec| spec.repeat));
        set(&self.price, "");
        let Some(spec) = spec else {
            return;
        };
        set(&self.cooldown_s, &spec.cooldown_s.to_string());
        match spec.condition.parameters() {
            Parameters::Level(level) => set(&self.price, &format::editable(level)),
            Parameters::Moves(Moves { percent, window_s }) => {
                set(&self.percent, &format::editable(percent));
                set(&self.window_s, &window_s.to_string());
            }
            Parameters::Seconds(seconds) => set(&self.silent_s, &seconds.to_string()),
        }
        let kind = spec.condition.kind();
        select(&self.kind).set_value(kind.name);
        select(&self.which).set_value(spec.on.name());
        self.chosen.set(kind);
        // Fails only for elements that cannot have the focus.
        let _ = self.symbol.node().focus();
    }

    /// The alert that the fields describe. The server checks it again.
    fn read(&self) -> Result<AlertSpec, String> {
        let text = |field: &Html| input(field).value().trim().to_owned();
        let exact = |field: &Html, name: &str| {
            let text = text(field);
            let value = format::number(&text);
            value.map_err(|fault| unread(name, &text, fault))
        };
        let seconds = |field: &Html, name: &str| {
            let value = text(field).parse();
            value.map_err(|_| format!("{name} has to be whole seconds"))
        };
        let condition = match self.chosen.get_untracked().make {
            Make::Level(make) => make(exact(&self.price, "The price")?),
            Make::Moves(make) => make(Moves {
                percent: exact(&self.percent, "The move")?,
                window_s: seconds(&self.window_s, "The time")?,
            }),
            Make::Seconds(make) => make(seconds(&self.silent_s, "The silence")?),
        };
        Ok(AlertSpec {
            symbol: self.known_symbol(&text(&self.symbol))?,
            condition,
            on: PriceKind::of_name(&select(&self.which).value()).unwrap_or_default(),
            repeat: input(&self.repeat).checked(),
            cooldown_s: seconds(&self.cooldown_s, "The pause")?,
            enabled: self
                .state
                .edited
                .with_untracked(|alert| alert.as_ref().is_none_or(|alert| alert.spec.enabled)),
            note: text(&self.note),
        })
    }

    /// The symbol as the server writes it, in whichever case it was typed.
    fn known_symbol(&self, typed: &str) -> Result<String, String> {
        self.symbols.with_untracked(|known| {
            let lookup = Lookup::new(known.iter().map(String::as_str));
            match lookup.find(typed) {
                Found::One(place) => Ok(known[place].clone()),
                Found::Several(one, other) => Err(format!(
                    "'{typed}' may be {} or {}; choose one",
                    known[one], known[other]
                )),
                // The list may be missing; the server will check the symbol.
                Found::None => Ok(typed.to_owned()),
            }
        })
    }

    fn save(&self) {
        let state = self.state;
        let spec = match self.read() {
            Ok(spec) => spec,
            Err(fault) => return state.fault.set(fault),
        };
        let (price, note) = (input(&self.price), input(&self.note));
        match state.edited.get_untracked() {
            Some(alert) => {
                let replace = async move { calls::replace(&alert, &spec).await };
                state.act(replace, move |_| state.edited.set(None));
            }
            // The symbol stays in its field, for the next alert.
            None => state.act(async move { calls::create(&spec).await }, move |made| {
                state.made.set(Some(made.id));
                price.set_value("");
                note.set_value("");
            }),
        }
    }
}

/// The message for text that cannot be read as a number.
fn unread(name: &str, text: &str, fault: format::NumberFault) -> String {
    match fault {
        format::NumberFault::NoNumber => {
            let example = format::editable(shared::Decimal::new(6_400_050, 2));
            format!("{name} has to be a number, as in {example}")
        }
        format::NumberFault::TwoWays(one, other) => {
            let [one, other] = [one, other].map(format::editable);
            format!("{name} {text} can be read as {one} and as {other}; write one of these")
        }
    }
}
