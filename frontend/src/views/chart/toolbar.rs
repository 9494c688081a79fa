//! What can be set about the charts.

use std::rc::Rc;

use leptos::prelude::*;
use shared::Interval;

use super::desk::Desk;
use super::scene::Kind;
use super::spec::SYMBOLS_MAX;
use super::study::{STUDIES, StudySpec};
use crate::react::{flag, text};
use crate::settings::Settings;
use crate::views::button::{menu, named};

/// Intervals, kinds, studies, comparison, layout, zone, files.
pub(crate) fn toolbar(desk: &Rc<Desk>) -> AnyView {
    let settings = desk.settings();
    let (specs, active) = (desk.specs, desk.active);
    let intervals = Interval::ALL.map(|interval| {
        let desk = Rc::clone(desk);
        let is_set =
            move || specs.with(|s| s.get(active.get()).is_some_and(|s| s.interval == interval));
        let act = move || desk.set_interval(interval);
        named(
            interval.name(),
            "Interval (1 to 7)",
            Some(Signal::derive(is_set)),
            Box::new(act),
        )
    });
    let kinds = Kind::ALL.map(|(_, name)| {
        let kind = settings.kind;
        let is_set = Signal::derive(move || kind.is(name));
        let act = move || kind.set(name);
        named(name, "Kind of chart (c, l, a)", Some(is_set), Box::new(act))
    });
    let layouts = ["1", "2", "4"].map(|count| {
        let layout = settings.layout;
        let is_set = Signal::derive(move || layout.is(count));
        named(
            count,
            "Number of charts",
            Some(is_set),
            Box::new(move || layout.set(count)),
        )
    });
    let zones = [("utc", "UTC"), ("local", "Local")].map(|(name, label)| {
        let zone = settings.zone;
        let is_set = Signal::derive(move || zone.is(name));
        named(
            label,
            "Time zone",
            Some(is_set),
            Box::new(move || zone.set(name)),
        )
    });
    let (picture, table) = (Rc::clone(desk), Rc::clone(desk));
    let picture = move || _ = picture.active_chart().save_picture();
    let table = move || _ = table.active_chart().save_table();
    let group = |label: &'static str, buttons: Vec<AnyView>| {
        view! { <div class="group" role="group" aria-label=label>{buttons}</div> }.into_any()
    };
    let files = vec![
        named(
            "PNG",
            "Save a picture of the chart",
            None,
            Box::new(picture),
        ),
        named("CSV", "Save the chart's data", None, Box::new(table)),
    ];
    let line = |label: &'static str, buttons: Vec<AnyView>| {
        view! { <div class="line"><span>{label}</span>{group(label, buttons)}</div> }.into_any()
    };
    let view = vec![
        line("Charts", layouts.into()),
        line("Times in", zones.into()),
        line("Save as", files),
    ];
    let view = view.into_any();
    view! {
        <div class="toolbar" role="toolbar" aria-label="Chart">
            {group("Interval", intervals.into())}
            {group("Kind", kinds.into())}
            {menu("studies", "Indicators", studies(settings))}
            {menu("compare", "Compare", compare(desk))}
            {menu("view", "View", view)}
        </div>
    }
    .into_any()
}

/// Each study with its period.
fn studies(settings: Settings) -> AnyView {
    let setting = settings.studies;
    let lines = STUDIES.map(|(kind, _, label, usual)| {
        let own = move || {
            let all = setting.list();
            let mut found = all.into_iter().filter_map(|text| StudySpec::parse(&text));
            found.find(|spec| spec.kind == kind)
        };
        let write = move |period: Option<usize>| {
            let all = setting.list_untracked();
            // Panes and legend have one order, whatever was chosen first.
            let all = STUDIES.into_iter().filter_map(|(other, name, _, usual)| {
                let spec = || all.iter().find_map(|text| StudySpec::parse(text).filter(|s| s.kind == other));
                let period = if other == kind { period } else { spec().map(|spec| spec.period) };
                let period = period.map(|period| if usual == 0 { String::new() } else { period.to_string() });
                Some(name.to_owned() + &period?)
            });
            let all: Vec<String> = all.collect();
            setting.set_list(&all);
        };
        let period = move || own().map_or(usual, |spec| spec.period).to_string();
        let length = (usual > 0).then(|| view! {
            <input
                type="number"
                min="1"
                max="500"
                aria-label=label.to_owned() + ", number of bars"
                prop:value=text(period)
                on:change:target=move |event| write(event.target().value().parse().ok().or(Some(usual)))
            />
        });
        view! {
            <div class="line">
                <label>
                    <input
                        type="checkbox"
                        prop:checked=flag(move || own().is_some())
                        on:change:target=move |event| write(event.target().checked().then_some(usual))
                    />
                    {label}
                </label>
                {length}
            </div>
        }
        .into_any()
    });
    Vec::from(lines).into_any()
}

/// The symbols beside the chart's own.
fn compare(desk: &Rc<Desk>) -> AnyView {
    let (specs, active) = (desk.specs, desk.active);
    let others = move || {
        let others =
            specs.with(|specs| Some(specs.get(active.get())?.symbols.get(1..)?.join(", ")));
        others.unwrap_or_default()
    };
    let (writer, teller) = (Rc::clone(desk), Rc::clone(desk));
    let fault = RwSignal::new(String::new());
    let write = move |text: String| {
        let wanted = text.split([',', ' ']).filter(|symbol| !symbol.is_empty());
        let wanted: Vec<String> = wanted
            .map(str::to_ascii_uppercase)
            .take(SYMBOLS_MAX - 1)
            .collect();
        let unknown = wanted.iter().find(|symbol| !teller.knows(symbol));
        fault.set(unknown.map_or(String::new(), |symbol| format!("No symbol '{symbol}'")));
        writer.compare_with(&wanted);
    };
    view! {
        <label class="line">
            "In per cent beside"
            <input
                type="text"
                placeholder="ETH-USD, AAPL"
                prop:value=text(others)
                on:change:target=move |event| write(event.target().value())
            />
        </label>
        <p class="fault" role="alert">{text(move || fault.get())}</p>
    }
    .into_any()
}
