//! The results: a picture, sentences, a table and files; beside them those of a
//! saved run.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, HtmlCanvasElement, HtmlImageElement, HtmlInputElement, Url};

use super::drawing::{self, WIDTH};
use super::report::{Line, MEASURES, Measure, Report};
use crate::download;
use crate::format;
use crate::theme::Looks;
use crate::views::canvas::Surface;
use crate::words;

/// The scale of the saved picture, which is enlarged on a slide.
const PICTURE_SCALE: f64 = 2.0;

/// The results of the present run, and of a saved one.
#[component]
pub(super) fn Results(
    report: RwSignal<Option<Report>>,
    saved: RwSignal<Option<Report>>,
    is_running: Signal<bool>,
    fault: RwSignal<String>,
    looks: Looks,
) -> impl IntoView {
    let is_empty = move || report.with(Option::is_none) && saved.with(Option::is_none);
    let axis = Signal::derive(move || {
        let runs = [report.get(), saved.get()];
        drawing::axis(runs.iter().flatten())
    });
    let table = move || {
        let runs = [report.get(), saved.get()];
        let has_any = runs.iter().any(Option::is_some);
        has_any.then(|| table(&runs))
    };
    view! {
        <section class="panel results" aria-label=words::RESULTS>
            <h2>{words::RESULTS}</h2>
            <p class="empty" hidden=move || !is_empty()>
                {words::NO_RESULTS}
            </p>
            <div class="runs">
                <Run title=words::THIS_RUN report axis looks />
                <Run title=words::SAVED_RUN report=saved axis looks />
            </div>
            <div class="scrolled" role="region" aria-label=words::TABLE tabindex="0">
                {move || table()}
            </div>
            <Files report saved is_running fault looks />
            <p class="muted">{words::RESULTS_EXPLAINED}</p>
        </section>
    }
}

/// The buttons that save the run, and the one that loads another.
#[component]
fn Files(
    report: RwSignal<Option<Report>>,
    saved: RwSignal<Option<Report>>,
    is_running: Signal<bool>,
    fault: RwSignal<String>,
    looks: Looks,
) -> impl IntoView {
    type Act = fn(&Report, Looks);
    let acts: [(&str, Act); 3] = [
        ("CSV", |report, _| {
            _ = download::save_text("tickwire-lab.csv", &report.csv());
        }),
        ("JSON", |report, _| {
            if let Ok(json) = serde_json::to_string_pretty(report) {
                download::save_text("tickwire-lab.json", &json);
            }
        }),
        ("PNG", save_picture),
    ];
    let buttons = acts.map(|(label, act)| {
        let save = move |_| {
            report.with_untracked(|report| {
                if let Some(report) = report {
                    act(report, looks);
                }
            });
        };
        view! {
            <button
                type="button"
                disabled=move || report.with(Option::is_none) || is_running.get()
                on:click=save
            >
                {label}
            </button>
        }
    });
    view! {
        <div class="line">
            {buttons.collect_view()}
            <label class="line">
                {words::COMPARE_RUN}
                <input
                    type="file"
                    accept=".json,application/json"
                    aria-label=words::LOAD_RUN
                    on:change:target=move |event| load(&event.target(), saved, fault)
                />
            </label>
        </div>
    }
}

/// A run: its conditions, picture and sentences. Its content changes while the
/// run goes on, but the elements stay, so that a reader keeps their place.
#[component]
fn Run(
    title: &'static str,
    report: RwSignal<Option<Report>>,
    axis: Signal<(f64, f64)>,
    looks: Looks,
) -> impl IntoView {
    let of = move |read: fn(&Report) -> String| {
        report.with(|report| report.as_ref().map(read).unwrap_or_default())
    };
    let picture = move || {
        report.with(|report| {
            let report = report.as_ref()?;
            let draw = |palette: &_| drawing::picture(report, axis.get(), palette);
            Some(looks.palette.with(draw))
        })
    };
    let sentences = move || {
        let sentences = report.with(|report| report.as_ref().map(Report::sentences));
        let sentences = sentences.unwrap_or_default().into_iter();
        sentences
            .map(|sentence| view! { <li>{sentence}</li> })
            .collect_view()
    };
    // The picture consists of numbers and this page's own texts; text from a
    // file is escaped.
    view! {
        <section aria-label=title hidden=move || report.with(Option::is_none)>
            <header>
                <h3>{title}</h3>
                <span class="muted">{move || of(Report::conditions)}</span>
            </header>
            <div
                class="picture"
                role="img"
                tabindex="0"
                aria-label=move || of(|report| report.sentences().join(" "))
                inner_html=move || picture().unwrap_or_default()
            ></div>
            <ul>{move || sentences()}</ul>
        </section>
    }
}

/// The table: a row for each figure, a column for each channel of each run.
fn table(runs: &[Option<Report>; 2]) -> impl IntoView + use<> {
    let columns: Vec<(usize, &Line)> = runs
        .iter()
        .zip(0..)
        .filter_map(|(report, run)| Some((run, report.as_ref()?)))
        .flat_map(|(run, report)| report.lines.iter().map(move |line| (run, line)))
        .collect();
    let heads = columns.iter().map(|(run, line)| {
        let suffix = if *run == 1 { words::SAVED_SUFFIX } else { "" };
        view! { <th scope="col">{line.channel.label() + suffix}</th> }
    });
    let rows = MEASURES.iter().map(|measure| row(measure, &columns));
    view! {
        <table aria-label=words::MEASURES_LABEL>
            <thead>
                <tr>
                    <th scope="col">{words::MEASURE}</th>
                    {heads.collect_view()}
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
}

fn row(measure: &Measure, columns: &[(usize, &Line)]) -> impl IntoView + use<> {
    let cells = columns.iter().map(|(run, line)| {
        let value = (measure.read)(line);
        let text = value.map_or(format::NOTHING.to_owned(), |value| {
            format::rounded(value, measure.decimals)
        });
        view! {
            <td
                data-value=value.map(|value| format::plain(value, measure.decimals))
                data-transport=line.channel.transport.key()
                data-encoding=line.channel.format.key()
                data-run=["now", "saved"][*run]
            >
                {text}
            </td>
        }
    });
    view! {
        <tr data-measure=measure.key>
            <th scope="row">{words::measure(measure.key)}</th>
            {cells.collect_view()}
        </tr>
    }
}

/// Reads a saved run from a file that the person chose.
fn load(input: &HtmlInputElement, saved: RwSignal<Option<Report>>, fault: RwSignal<String>) {
    let Some(file) = input.files().and_then(|files| files.get(0)) else {
        return;
    };
    spawn_local(async move {
        let text = JsFuture::from(file.text()).await;
        let text = text.ok().and_then(|text| text.as_string());
        let report = serde_json::from_str::<Report>(&text.unwrap_or_default());
        let refuse = |reason: &str| fault.set(words::not_a_run(&file.name(), reason));
        match report {
            Ok(report) if report.is_sound() => {
                saved.set(Some(report));
                fault.set(String::new());
            }
            Ok(_) => refuse(words::IMPOSSIBLE_NUMBERS),
            Err(error) => refuse(&error.to_string()),
        }
    });
}

/// Draws the picture onto a canvas and saves it as PNG.
fn save_picture(report: &Report, looks: Looks) {
    let picture = looks.palette.with_untracked(|palette| {
        drawing::picture(report, drawing::axis([report].into_iter()), palette)
    });
    // If the browser refuses, there is nothing else to do.
    let _ = draw(&picture, drawing::height(report));
}

fn draw(picture: &str, height: f64) -> Option<()> {
    let parts = js_sys::Array::of1(&JsValue::from_str(picture));
    let kind = BlobPropertyBag::new();
    kind.set_type("image/svg+xml");
    let blob = Blob::new_with_str_sequence_and_options(&parts, &kind).ok()?;
    let url = Url::create_object_url_with_blob(&blob).ok()?;
    let image = HtmlImageElement::new().ok()?;
    let (drawn, address) = (image.clone(), url.clone());
    let save = move || {
        let canvas = document().create_element("canvas").ok()?;
        let surface = Surface::of(canvas.dyn_into::<HtmlCanvasElement>().ok()?)?;
        let (width, height) = (WIDTH * PICTURE_SCALE, height * PICTURE_SCALE);
        surface.clear((width as u32, height as u32));
        surface.image(&drawn, width, height);
        Url::revoke_object_url(&address).ok()?;
        download::save("tickwire-lab.png", &surface.png()?)
    };
    let loaded = Closure::once_into_js(move || _ = save());
    image.set_onload(Some(loaded.unchecked_ref()));
    // A strict proxy forbids images that are not the server's own. Then the SVG
    // itself is saved.
    let drawing = picture.to_owned();
    let refused = Closure::once_into_js(move || {
        _ = download::save_text("tickwire-lab.svg", &drawing);
    });
    image.set_onerror(Some(refused.unchecked_ref()));
    image.set_src(&url);
    Some(())
}
