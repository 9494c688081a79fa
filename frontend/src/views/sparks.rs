//! The watchlist's sparklines.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlCanvasElement, HtmlTableSectionElement};

use super::canvas::Surface;
use crate::frames::Frames;
use crate::plot::Scale;
use crate::store::Store;
use crate::theme::{Looks, Palette};

/// How many sparklines are redrawn in each frame, in turn, so that no frame
/// redraws them all; and how many of those whose symbol has changed.
const SPARKS_PER_FRAME: u32 = 2;
const NEW_SPARKS_PER_FRAME: u32 = 16;

/// Draws the sparklines as prices change, a few in each frame.
pub(super) fn draw_sparks(
    store: Rc<Store>,
    frames: &Frames,
    body: HtmlTableSectionElement,
    looks: Looks,
) {
    let turn = Cell::new(0);
    // The symbol that each canvas shows.
    let drawn = Rc::new(RefCell::new(Vec::<String>::new()));
    let requested = frames.clone();
    Effect::new({
        let (drawn, frames) = (Rc::clone(&drawn), frames.clone());
        move || {
            looks.palette.track();
            drawn.borrow_mut().clear();
            frames.request();
        }
    });
    let paint = move || {
        let sparks = body.query_selector_all("canvas").ok()?;
        let (mut drawn, count) = (drawn.borrow_mut(), sparks.length());
        drawn.resize(count as usize, String::new());
        let due = if store.is_held() { 0 } else { SPARKS_PER_FRAME };
        let (mut due, mut fresh) = (due.min(count), NEW_SPARKS_PER_FRAME);
        for step in 0..count {
            let place = (turn.get() + step) % count;
            let canvas = sparks.item(place)?.dyn_into::<HtmlCanvasElement>().ok()?;
            let symbol = canvas.get_attribute("data-spark").unwrap_or_default();
            let shown = &mut drawn[place as usize];
            if *shown != symbol && fresh > 0 {
                fresh -= 1;
            } else if due > 0 {
                due -= 1;
            } else {
                continue;
            }
            looks
                .palette
                .with_untracked(|palette| draw_spark(&store, canvas, &symbol, palette));
            *shown = symbol;
        }
        turn.set(turn.get().wrapping_add(SPARKS_PER_FRAME) % count.max(1));
        if fresh == 0 {
            requested.request();
        }
        Some(())
    };
    frames.add(move || _ = paint());
}

fn draw_spark(
    store: &Store,
    canvas: HtmlCanvasElement,
    symbol: &str,
    palette: &Palette,
) -> Option<()> {
    let (width, height) = (canvas.client_width(), canvas.client_height());
    if width == 0 {
        return None;
    }
    let ratio = window().device_pixel_ratio();
    let device = |length: i32| (f64::from(length) * ratio).round();
    let (width, height) = (device(width), device(height));
    let surface = Surface::of(canvas)?;
    surface.clear((width as u32, height as u32));
    store.with_spark(symbol, |spark| {
        let points = spark.points();
        let (first, last) = (points.first()?, points.last()?);
        let (low, high) = points
            .iter()
            .fold((first.1, first.1), |(low, high), point| {
                (low.min(point.1), high.max(point.1))
            });
        let x = Scale::new((first.0, last.0), (1.0, width - 2.0));
        let y = Scale::new((low, high), (height - 2.0, 2.0));
        let context = &surface.context;
        let rose = last.1 >= first.1;
        context.set_stroke_style_str(if rose { &palette.up } else { &palette.down });
        context.set_line_width(ratio);
        context.begin_path();
        for (time, price) in points {
            context.line_to(x.pixel(*time), y.pixel(*price));
        }
        context.stroke();
        Some(())
    })?
}
