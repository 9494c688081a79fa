//! The toolbar of the charts.

use std::rc::Rc;

use leptos::prelude::*;
use shared::Interval;

use super::grid::ChartGrid;
use super::scene::Kind;
use super::spec::SYMBOLS_MAX;
use super::study::{STUDIES, StudyKind, StudySpec};
use crate::dom::{Html, html};
use crate::settings::{Setting, Settings};
use crate::views::button::{button, menu, toggle};

/// Buttons and menus for intervals, kinds, studies, comparison, layout, zone
/// and files.
#[component]
pub(crate) fn Toolbar(grid: Rc<ChartGrid>) -> impl IntoView {
    let settings = grid.settings();
    let (specs, active) = (grid.specs, grid.active);
    let intervals = Interval::ALL.map(|interval| {
        let grid = Rc::clone(&grid);
        let is_set =
            move || specs.with(|s| s.get(active.get()).is_some_and(|s| s.interval == interval));
        let act = move || grid.set_interval(interval);
        toggle(interval.name(), "Interval (1 to 7)", is_set, act)
    });
    let adder = Rc::clone(&grid);
    let kinds = Kind::ALL.map(|(_, name)| (name, name));
    let views = [
        (
            "Charts",
            choices(
                "Number of charts",
                settings.layout,
                [("1", "1"), ("2", "2"), ("4", "4")],
            ),
        ),
        (
            "Times in",
            choices(
                "Time zone",
                settings.zone,
                [("utc", "UTC"), ("local", "Local")],
            ),
        ),
        ("Save as", files(&grid)),
    ];
    let views = views.map(|(label, buttons)| {
        html(r#"<div class="line"></div>"#)
            .with([html("<span></span>").say(label), group(label, buttons)])
    });
    html(r#"<div class="toolbar" role="toolbar" aria-label="Chart"></div>"#)
        .with([
            group("Interval", intervals.into()),
            group(
                "Kind",
                choices("Kind of chart (c, l, a)", settings.kind, kinds),
            ),
        ])
        .with(menu("studies", "Indicators", studies(settings)))
        .with(menu("compare", "Compare", compare(&grid)))
        .with(menu("view", "View", views))
        .with([button(
            "+ Alert",
            "An alert on the price, to be dragged to where it is wanted (n)",
            move || _ = adder.active_chart().add_alert(),
        )])
}

fn group(label: &str, buttons: Vec<Html>) -> Html {
    html(r#"<div class="group" role="group"></div>"#)
        .set("aria-label", label)
        .with(buttons)
}

/// A button for each value of a setting, with its label.
fn choices<const N: usize>(
    title: &str,
    setting: Setting,
    values: [(&'static str, &'static str); N],
) -> Vec<Html> {
    let values = values.map(|(value, label)| {
        toggle(
            label,
            title,
            move || setting.is(value),
            move || setting.set(value),
        )
    });
    values.into()
}

fn files(grid: &Rc<ChartGrid>) -> Vec<Html> {
    let (picture, table) = (Rc::clone(grid), Rc::clone(grid));
    let picture = move || _ = picture.active_chart().save_picture();
    let table = move || _ = table.active_chart().save_table();
    vec![
        button("PNG", "Save a picture of the chart", picture),
        button("CSV", "Save the chart's data", table),
    ]
}

/// A switch for each study, with its period.
fn studies(settings: Settings) -> impl Iterator<Item = Html> {
    STUDIES
        .into_iter()
        .map(move |(kind, _, label, usual)| study(settings.studies, kind, label, usual))
}

fn study(setting: Setting, kind: StudyKind, label: &str, usual: usize) -> Html {
    let own = move || {
        let all = setting.list();
        let mut found = all.into_iter().filter_map(|text| StudySpec::parse(&text));
        found.find(|spec| spec.kind == kind)
    };
    let write = move |period: Option<usize>| {
        let all = setting.list_untracked();
        // Panes and legend have a fixed order, whatever was chosen first.
        let all = STUDIES.into_iter().filter_map(|(other, name, _, usual)| {
            let spec = || {
                all.iter()
                    .find_map(|text| StudySpec::parse(text).filter(|s| s.kind == other))
            };
            let period = if other == kind {
                period
            } else {
                spec().map(|spec| spec.period)
            };
            let period = period.map(|period| {
                if usual == 0 {
                    String::new()
                } else {
                    period.to_string()
                }
            });
            Some(name.to_owned() + &period?)
        });
        let all: Vec<String> = all.collect();
        setting.set_list(&all);
    };
    let tick = html(r#"<input type="checkbox">"#)
        .checked(move || own().is_some())
        .input("change", move |input| {
            write(input.checked().then_some(usual));
        });
    let length = (usual > 0).then(|| {
        html(r#"<input type="number" min="1" max="500">"#)
            .set("aria-label", &(label.to_owned() + ", number of bars"))
            .value(move || own().map_or(usual, |spec| spec.period).to_string())
            .input("change", move |input| {
                write(input.value().parse().ok().or(Some(usual)));
            })
    });
    html(r#"<div class="line"></div>"#)
        .with([html("<label></label>").with([tick]).say(label)])
        .with(length)
}

/// The menu to compare the chart's symbol with others.
fn compare(grid: &Rc<ChartGrid>) -> [Html; 2] {
    let (specs, active) = (grid.specs, grid.active);
    let others = move || {
        let others =
            specs.with(|specs| Some(specs.get(active.get())?.symbols.get(1..)?.join(", ")));
        others.unwrap_or_default()
    };
    let writer = Rc::clone(grid);
    let fault = RwSignal::new(String::new());
    let write = move |text: &str| {
        let wanted = text.split([',', ' ']).filter(|symbol| !symbol.is_empty());
        let (mut known, mut faults) = (Vec::new(), Vec::new());
        for symbol in wanted.take(SYMBOLS_MAX - 1) {
            match writer.find(symbol) {
                Ok(symbol) => known.push(symbol),
                Err(why) => faults.push(why),
            }
        }
        fault.set(faults.join("; "));
        writer.compare_with(&known);
    };
    let field = html(r#"<input type="text" placeholder="ETH-USD, AAPL">"#)
        .value(others)
        .input("change", move |input| write(&input.value()));
    [
        html(r#"<label class="line">In per cent beside</label>"#).with([field]),
        html(r#"<p class="fault" role="alert"></p>"#).text(move || fault.get()),
    ]
}
