//! The toolbar of the charts.

use std::rc::Rc;

use leptos::prelude::*;
use shared::Interval;

use super::grid::ChartGrid;
use super::kinds::KINDS;
use super::spec::SYMBOLS_MAX;
use crate::plot::studies::{PERIOD_MAX, STUDIES, Study, StudySpec};
use crate::settings::{Setting, Settings};
use crate::views::controls::{Button, Menu, Toggle};
use crate::words;

/// Buttons and menus for intervals, kinds, studies, comparison, layout, zone
/// and files.
#[component]
pub(crate) fn Toolbar(grid: Rc<ChartGrid>) -> impl IntoView {
    let settings = grid.settings();
    let kinds = KINDS.iter().map(|kind| (kind.key, kind.name)).collect();
    let adder = Rc::clone(&grid);
    let compare = view! { <Compare grid=Rc::clone(&grid) /> };
    let options = view! { <ViewOptions grid=Rc::clone(&grid) settings /> };
    view! {
        <div class="toolbar" role="toolbar" aria-label=words::CHART>
            <Intervals grid />
            <Choices
                label=words::KIND
                title=words::kind_title(KINDS.iter().map(|kind| kind.shortcut))
                setting=settings.kind
                values=kinds
            />
            <Menu id="studies" label=words::INDICATORS>
                <Studies setting=settings.studies />
            </Menu>
            <Menu id="compare" label=words::COMPARE>
                {compare}
            </Menu>
            <Menu id="view" label=words::VIEW>
                {options}
            </Menu>
            <Button
                label=words::ADD_ALERT
                title=words::ADD_ALERT_TITLE
                act=move |()| _ = adder.active_chart().add_alert()
            />
        </div>
    }
}

/// A button for each length of a bar.
#[component]
fn Intervals(grid: Rc<ChartGrid>) -> impl IntoView {
    let (specs, active) = (grid.specs, grid.active);
    let is_set = move |interval| {
        Signal::derive(move || {
            specs.with(|specs| {
                let spec = specs.get(active.get());
                spec.is_some_and(|spec| spec.interval == interval)
            })
        })
    };
    let intervals = Interval::ALL.map(|interval| {
        let grid = Rc::clone(&grid);
        view! {
            <Toggle
                label=interval.name()
                title=words::INTERVAL_TITLE
                is_on=is_set(interval)
                act=move |()| grid.set_interval(interval)
            />
        }
    });
    view! {
        <div class="group" role="group" aria-label=words::INTERVAL>
            {intervals.collect_view()}
        </div>
    }
}

/// A button for each value of a setting, with its label.
#[component]
fn Choices(
    label: &'static str,
    #[prop(into)] title: String,
    setting: Setting,
    values: Vec<(&'static str, &'static str)>,
) -> impl IntoView {
    let values = values.into_iter().map(|(value, label)| {
        let is_on = Signal::derive(move || setting.is(value));
        let title = title.clone();
        view! { <Toggle label title is_on act=move |()| setting.set(value) /> }
    });
    view! {
        <div class="group" role="group" aria-label=label>
            {values.collect_view()}
        </div>
    }
}

/// The menu of the layout, the time zone and files.
#[component]
fn ViewOptions(grid: Rc<ChartGrid>, settings: Settings) -> impl IntoView {
    let picture = Rc::clone(&grid);
    view! {
        <div class="line">
            <span>{words::CHARTS}</span>
            <Choices
                label=words::CHARTS
                title=words::CHARTS_TITLE
                setting=settings.layout
                values=vec![("1", "1"), ("2", "2"), ("4", "4")]
            />
        </div>
        <div class="line">
            <span>{words::TIMES_IN}</span>
            <Choices
                label=words::TIMES_IN
                title=words::TIME_ZONE
                setting=settings.zone
                values=words::ZONES.to_vec()
            />
        </div>
        <div class="line">
            <span>{words::TIME_AXIS}</span>
            <Choices
                label=words::TIME_AXIS
                title=words::TIME_AXIS_TITLE
                setting=settings.axis
                values=words::TIME_AXES.to_vec()
            />
        </div>
        <div class="line">
            <span>{words::SAVE_AS}</span>
            <div class="group" role="group" aria-label=words::SAVE_AS>
                <Button
                    label="PNG"
                    title=words::SAVE_PNG_TITLE
                    act=move |()| _ = picture.active_chart().save_picture()
                />
                <Button
                    label="CSV"
                    title=words::SAVE_CSV_TITLE
                    act=move |()| _ = grid.active_chart().save_table()
                />
            </div>
        </div>
    }
}

/// A switch for each study, with its period.
#[component]
fn Studies(setting: Setting) -> impl IntoView {
    STUDIES
        .iter()
        .map(|study| view! { <StudyLine setting study /> })
        .collect_view()
}

#[component]
fn StudyLine(setting: Setting, study: &'static Study) -> impl IntoView {
    let own = move || {
        let all = setting.list();
        let mut found = all.iter().filter_map(|text| StudySpec::parse(text));
        found.find(|spec| spec.study.key == study.key)
    };
    let usual = study.period.unwrap_or(0);
    let period = study.period.map(|usual| {
        view! {
            <input
                type="number"
                min="1"
                max=PERIOD_MAX.to_string()
                aria-label=words::number_of_bars(study.name)
                prop:value=move || own().map_or(usual, |spec| spec.period).to_string()
                on:change:target=move |event| {
                    let period = event.target().value().parse().unwrap_or(usual);
                    let period = period.clamp(1, PERIOD_MAX);
                    // What was written may not be what it is now.
                    event.target().set_value(&period.to_string());
                    set_study(setting, study, Some(period));
                }
            />
        }
    });
    view! {
        <div class="line">
            <label>
                <input
                    type="checkbox"
                    prop:checked=move || own().is_some()
                    on:change:target=move |event| {
                        let period = event.target().checked().then_some(usual);
                        set_study(setting, study, period);
                    }
                />
                {study.name}
            </label>
            {period}
        </div>
    }
}

/// Adds a study with this period to the setting, or removes it. Panes and legend
/// have a fixed order, whatever was chosen first.
fn set_study(setting: Setting, study: &'static Study, period: Option<usize>) {
    let before = setting.list_untracked();
    let before: Vec<_> = before
        .iter()
        .filter_map(|text| StudySpec::parse(text))
        .collect();
    let spec = |other: &&'static Study| {
        if other.key == study.key {
            return period.map(|period| StudySpec { study, period });
        }
        before
            .iter()
            .find(|spec| spec.study.key == other.key)
            .copied()
    };
    let all: Vec<String> = STUDIES
        .iter()
        .filter_map(spec)
        .map(StudySpec::text)
        .collect();
    setting.set_list(&all);
}

/// The menu to compare the chart's symbol with others.
#[component]
fn Compare(grid: Rc<ChartGrid>) -> impl IntoView {
    let (specs, active) = (grid.specs, grid.active);
    let others = move || {
        let others =
            specs.with(|specs| Some(specs.get(active.get())?.symbols.get(1..)?.join(", ")));
        others.unwrap_or_default()
    };
    let fault = RwSignal::new(String::new());
    let write = move |text: &str| {
        let wanted = text.split([',', ' ']).filter(|symbol| !symbol.is_empty());
        let (mut known, mut faults) = (Vec::new(), Vec::new());
        for symbol in wanted.take(SYMBOLS_MAX - 1) {
            match grid.find(symbol) {
                Ok(symbol) => known.push(symbol),
                Err(why) => faults.push(words::not_one_symbol(&why)),
            }
        }
        fault.set(faults.join("; "));
        grid.compare_with(&known);
    };
    view! {
        <label class="line">
            {words::COMPARE_WITH}
            <input
                type="text"
                placeholder=words::COMPARE_EXAMPLE
                prop:value=others
                on:change:target=move |event| write(&event.target().value())
            />
        </label>
        <p class="fault" role="alert">
            {move || fault.get()}
        </p>
    }
}
