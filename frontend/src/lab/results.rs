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
use crate::dom::{Html, html};
use crate::download;
use crate::format;
use crate::react::effect;
use crate::theme::Looks;
use crate::views::canvas::Surface;

/// The scale of the saved picture, which is enlarged on a slide.
const PICTURE_SCALE: f64 = 2.0;

/// The results of the present run, and of a saved one.
pub(super) fn results(
    report: RwSignal<Option<Report>>,
    saved: RwSignal<Option<Report>>,
    is_running: impl Fn() -> bool + Copy + Send + Sync + 'static,
    fault: RwSignal<String>,
    looks: Looks,
) -> Html {
    let is_empty = move || report.with(Option::is_none) && saved.with(Option::is_none);
    let has_none = move || report.with(Option::is_none) || is_running();
    let save = move |act: fn(&Report, Looks)| {
        move || report.with_untracked(|report| _ = report.as_ref().map(|report| act(report, looks)))
    };
    let button = |label: &'static str, act: fn(&Report, Looks)| {
        html(r#"<button type="button"></button>"#)
            .say(label)
            .flag("disabled", has_none)
            .click(save(act))
    };
    let file = html(
        r#"<input type="file" accept=".json,application/json" aria-label="Load a saved run">"#,
    )
    .input("change", move |input| load(input, saved, fault));
    let buttons = html(r#"<div class="line"></div>"#).with([
        button("CSV", |report, _| {
            _ = download::save_text("tickwire-lab.csv", &report.csv());
        }),
        button("JSON", |report, _| {
            if let Ok(json) = serde_json::to_string_pretty(report) {
                download::save_text("tickwire-lab.json", &json);
            }
        }),
        button("PNG", save_picture),
        html(r#"<label class="line">Compare with a saved run (JSON)</label>"#).with([file]),
    ]);
    let axis = move || {
        let runs = [report.get(), saved.get()];
        drawing::axis(runs.iter().flatten())
    };
    let runs = html(r#"<div class="runs"></div>"#).with([
        run("This run", report, axis, looks),
        run("Saved run", saved, axis, looks),
    ]);
    let table =
        html(r#"<div class="scrolled" role="region" aria-label="Table" tabindex="0"></div>"#)
            .children(move || {
                let runs = [report.get(), saved.get()];
                let has_any = runs.iter().any(Option::is_some);
                has_any.then(|| table(&runs)).into_iter().collect()
            });
    html(r#"<section class="panel results" aria-label="Results"><h2>Results</h2></section>"#).with([
        html(r#"<p class="empty">Press Start, or load a run that was saved.</p>"#)
            .flag("hidden", move || !is_empty()),
        runs,
        table,
        buttons,
        html(r#"<p class="muted">Ages are counted from the moment the server took a tick in, by the server's clock: the offset of this page's clock is measured by pings before and after, and a run says by how much ages can be off. Bytes are those above TCP, as HTTP/1.1 and without encryption. Payload is exact. Heads of polls are as long as those of this browser's requests that the server tells (a browser does not tell a page, and its own transferSize adds 300 bytes whatever they were); frames of WebSockets are computed from their sizes; heads and chunks of event streams, and the handshake, are estimated. Processor time is that of all clients of this server that use the transport in the same encoding; a batch of ticks is encoded once, for whoever reads it first. No tick is left out: the lab asks for all of them.</p>"#),
    ])
}

/// A run: its conditions, picture and sentences. Its content changes while the
/// run goes on, but the elements stay, so that a reader keeps their place.
fn run(
    title: &'static str,
    report: RwSignal<Option<Report>>,
    axis: impl Fn() -> (f64, f64) + 'static,
    looks: Looks,
) -> Html {
    let of = move |read: fn(&Report) -> String| {
        move || report.with(|report| report.as_ref().map(read).unwrap_or_default())
    };
    let picture = html(r#"<div class="picture" role="img" tabindex="0"></div>"#).attr(
        "aria-label",
        move || Some(of(|r| r.sentences().join(" "))()),
    );
    let drawn = picture.clone();
    effect(move || {
        let picture = report.with(|report| {
            let report = report.as_ref()?;
            Some(
                looks
                    .palette
                    .with(|palette| drawing::picture(report, axis(), palette)),
            )
        });
        // The picture consists of numbers and this page's own texts; text from
        // a file is escaped.
        drawn.node().set_inner_html(&picture.unwrap_or_default());
    });
    let sentences = html("<ul></ul>").children(move || {
        let sentences = report.with(|report| report.as_ref().map(Report::sentences));
        let sentences = sentences.unwrap_or_default().into_iter();
        sentences
            .map(|sentence| html("<li></li>").say(&sentence))
            .collect()
    });
    let heading = html("<header></header>").with([
        html("<h3></h3>").say(title),
        html(r#"<span class="muted"></span>"#).text(of(Report::conditions)),
    ]);
    html("<section></section>")
        .set("aria-label", title)
        .flag("hidden", move || report.with(Option::is_none))
        .with([heading, picture, sentences])
}

/// The table: a row for each figure, a column for each channel of each run.
fn table(runs: &[Option<Report>; 2]) -> Html {
    let columns: Vec<(usize, &Line)> = runs
        .iter()
        .zip(0..)
        .filter_map(|(report, run)| Some((run, report.as_ref()?)))
        .flat_map(|(run, report)| report.lines.iter().map(move |line| (run, line)))
        .collect();
    let heads = columns.iter().map(|(run, line)| {
        let name = line.channel.label();
        let name = if *run == 1 { name + " (saved)" } else { name };
        html(r#"<th scope="col"></th>"#).say(&name)
    });
    let head = html("<tr></tr>")
        .with([html(r#"<th scope="col">Measure</th>"#)])
        .with(heads);
    let rows = MEASURES.iter().map(|measure| row(measure, &columns));
    html(r#"<table aria-label="Measures"></table>"#).with([
        html("<thead></thead>").with([head]),
        html("<tbody></tbody>").with(rows),
    ])
}

fn row(measure: &Measure, columns: &[(usize, &Line)]) -> Html {
    let cells = columns.iter().map(|(run, line)| {
        let value = (measure.read)(line);
        let text = value.map_or(format::NOTHING.to_owned(), |value| {
            format::rounded(value, measure.decimals)
        });
        let cell = html("<td></td>").say(&text);
        let cell = match value {
            Some(value) => cell.set("data-value", &format::plain(value, measure.decimals)),
            None => cell,
        };
        let run = ["now", "saved"][*run];
        cell.set("data-transport", line.channel.transport.key())
            .set("data-encoding", line.channel.format.key())
            .set("data-run", run)
    });
    html("<tr></tr>")
        .set("data-measure", measure.key)
        .with([html(r#"<th scope="row"></th>"#).say(measure.name)])
        .with(cells)
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
        let refuse = |reason: &str| {
            let name = file.name();
            fault.set(format!(
                "{name} is not a run that this page saved: {reason}"
            ));
        };
        match report {
            Ok(report) if report.is_sound() => {
                saved.set(Some(report));
                fault.set(String::new());
            }
            Ok(_) => refuse("it has numbers that cannot be"),
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
