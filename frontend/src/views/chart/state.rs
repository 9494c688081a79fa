//! One chart: what it shows, where it is scrolled to, and when it is redrawn.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use shared::Decimal;

use super::cross::Cross;
use super::export;
use super::painter::Painter;
use super::scene::{AlertLine, Compared, Kind, Scene};
use super::spec::ChartSpec;
use super::study::{StudyKind, StudySpec};
use crate::download;
use crate::format;
use crate::frames::Frames;
use crate::plot::{DAY_US, Span, Study, Values, Viewport};
use crate::settings::Settings;
use crate::store::{PriceAlert, Series, SeriesKey, Store};
use crate::theme::Looks;
use crate::views::canvas::Surface;

/// The initial width of a bar, in CSS pixels.
const BAR_PX: f64 = 7.0;
/// Older bars are requested when less than this many screens of them are left.
const SCREENS_AHEAD: f64 = 1.0;
/// How far a key scrolls, in CSS pixels, and the factor by which it zooms.
const STEP_PX: f64 = 60.0;
const ZOOM_STEP: f64 = 1.25;

/// The distance of a new alert from the top, in CSS pixels.
const NEW_ALERT_PX: f64 = 60.0;

/// An alert that is being dragged, or was dropped and waits for the server's
/// answer.
struct Held {
    /// The alert, at its present price on the chart.
    alert: PriceAlert,
    was_at: f64,
    is_dropped: bool,
}

/// The part that has to be redrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Dirty {
    Nothing,
    Cross,
    All,
}

/// The position of the crosshair: the chart under the pointer, and the time on
/// all charts.
pub(crate) type SharedCross = Rc<Cell<Option<(usize, Cross)>>>;

/// What all charts share.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) store: Rc<Store>,
    pub(crate) frames: Frames,
    pub(crate) settings: Settings,
    pub(crate) looks: Looks,
    /// The symbols in the settings that the server does not have.
    pub(crate) gone: RwSignal<Vec<String>>,
}

/// One chart of the layout.
pub(crate) struct Chart {
    parts: Parts,
    place: usize,
    shared_cross: SharedCross,
    spec: RefCell<Option<ChartSpec>>,
    kind: Cell<Kind>,
    /// The volume has no [`Study`], since the bars contain it.
    studies: RefCell<Vec<(StudySpec, Option<Study>)>>,
    painter: RefCell<Option<Painter>>,
    view: Cell<Option<Viewport>>,
    /// In device pixels.
    size: Cell<(u32, u32)>,
    dirty: Cell<Dirty>,
    held: RefCell<Option<Held>>,
    /// The position of the pointer, in CSS pixels, while it is on the chart.
    pointer: Cell<Option<(f64, f64)>>,
    /// The version of the series, and the crosshair, when last drawn.
    drawn: Cell<(u64, Option<Cross>)>,
    /// Whether the view follows the newest bar.
    pub(crate) follows: RwSignal<bool>,
    /// The text shown instead of bars; empty if there is none.
    pub(crate) note: RwSignal<String>,
    /// The chart's name for assistive technology.
    pub(crate) name: RwSignal<String>,
}

impl Chart {
    pub(super) fn new(parts: Parts, place: usize, shared_cross: SharedCross) -> Rc<Self> {
        let chart = Rc::new(Self {
            parts,
            place,
            shared_cross,
            spec: RefCell::default(),
            kind: Cell::default(),
            studies: RefCell::default(),
            painter: RefCell::default(),
            view: Cell::new(None),
            size: Cell::new((0, 0)),
            dirty: Cell::new(Dirty::All),
            held: RefCell::default(),
            pointer: Cell::new(None),
            drawn: Cell::new((0, None)),
            follows: RwSignal::new(true),
            note: RwSignal::new(String::new()),
            name: RwSignal::new("Chart".to_owned()),
        });
        let painted = Rc::clone(&chart);
        chart.parts.frames.add(move || {
            painted.frame();
        });
        chart
    }

    /// Draws onto these canvases from now on.
    pub(super) fn attach(&self, data: Surface, cross: Surface) {
        *self.painter.borrow_mut() = Some(Painter::new(data, cross));
        self.mark(Dirty::All);
    }

    /// Changes what the chart shows.
    pub(super) fn set(&self, spec: Option<ChartSpec>, kind: Kind, studies: &[StudySpec]) {
        if *self.spec.borrow() != spec {
            let before = self.spec.replace(spec.clone());
            let what = |spec: Option<ChartSpec>| spec.map(|s| (s.symbol().to_owned(), s.interval));
            if what(before) != what(spec) {
                self.view.set(None);
            }
            let specs: Vec<_> = self.studies.borrow().iter().map(|study| study.0).collect();
            self.set_studies(&specs);
            if let Some(painter) = &mut *self.painter.borrow_mut() {
                painter.forget();
            }
        }
        if self.kind.replace(kind) != kind
            && let Some(painter) = &mut *self.painter.borrow_mut()
        {
            painter.forget();
        }
        let same = self
            .studies
            .borrow()
            .iter()
            .map(|s| s.0)
            .eq(studies.iter().copied());
        if !same {
            self.set_studies(studies);
        }
        self.speak();
        self.mark(Dirty::All);
    }

    fn set_studies(&self, specs: &[StudySpec]) {
        let study = |spec: &StudySpec| spec.indicator().map(Study::new);
        let studies = specs.iter().map(|spec| (*spec, study(spec)));
        *self.studies.borrow_mut() = studies.collect();
    }

    /// Marks everything to be redrawn.
    pub(super) fn repaint(&self) {
        self.mark(Dirty::All);
    }

    pub(super) fn resize(&self, width: u32, height: u32) {
        self.size.set((width, height));
        self.mark(Dirty::All);
    }

    fn mark(&self, dirty: Dirty) {
        self.dirty.set(self.dirty.get().max(dirty));
        self.parts.frames.request();
    }

    /// Redraws what has changed.
    fn frame(&self) -> Option<()> {
        let size = self.size.get();
        let spec = self.spec.borrow();
        let keys = spec.as_ref()?.keys();
        if size.0 == 0 || size.1 == 0 {
            return None;
        }
        let cross = self.shared_cross.get().map(|(owner, cross)| Cross {
            y: cross.y.filter(|_| owner == self.place),
            ..cross
        });
        let wants_older = self.parts.store.with_series(&keys, |all| {
            let version = all.iter().flatten().map(|series| series.version).sum();
            let (drawn_version, drawn_cross) = self.drawn.replace((version, cross));
            let mut dirty = self.dirty.replace(Dirty::Nothing);
            if drawn_version != version || drawn_cross.is_some() != cross.is_some() {
                dirty = Dirty::All;
            } else if drawn_cross != cross {
                dirty = dirty.max(Dirty::Cross);
            }
            let is_dirty = dirty > Dirty::Nothing;
            is_dirty.then(|| self.paint(all, dirty, size, cross))?
        });
        if wants_older == Some(true) {
            keys.iter().for_each(|key| self.parts.store.want_older(key));
        }
        Some(())
    }

    /// Draws; returns whether the view is near the oldest bar.
    fn paint(
        &self,
        all: &[Option<&Series>],
        dirty: Dirty,
        size: (u32, u32),
        mut cross: Option<Cross>,
    ) -> Option<bool> {
        let mut painter = self.painter.borrow_mut();
        let painter = painter.as_mut()?;
        let main = (*all.first()?)?;
        let span = span_of(main);
        self.tell(main, span.is_some());
        let view = span.map(|span| {
            let mut view = self
                .view
                .get()
                .unwrap_or(Viewport::following(&span, BAR_PX));
            view.update(&span);
            view
        });
        self.view.set(view);
        // If the view has moved, another time is under the pointer.
        if let Some(under) = self.cross_at_pointer(painter.plot_width())
            && cross.is_some_and(|cross| cross != under)
        {
            self.shared_cross.set(Some((self.place, under)));
            // The other charts follow, and so does this chart's data layer.
            self.parts.frames.request();
            cross = Some(under);
        }
        let following = view.is_none_or(|view| view.follows());
        if self.follows.get_untracked() != following {
            self.follows.set(following);
        }
        let mut studies = self.studies.borrow_mut();
        let studies: Vec<(StudySpec, &[Values])> = studies
            .iter_mut()
            .map(|(spec, study)| {
                let values = study.as_mut().map(|study| study.update(&main.bars));
                (*spec, values.unwrap_or_default())
            })
            .collect();
        let others = all.iter().skip(1).flatten();
        let compared: Vec<_> = others
            .map(|series| Compared {
                symbol: &series.key.symbol,
                bars: &series.bars,
            })
            .collect();
        let SeriesKey { symbol, interval } = &main.key;
        let held = self.held.borrow();
        let alerts = self.parts.store.alerts.of(symbol, |alert| AlertLine {
            level: level_of(held.as_ref(), &alert),
            kind: alert.alert.spec.condition.kind().name,
        });
        let decimals = self.parts.store.state(symbol, |state| state.decimals);
        let interval_us = interval.span().micros() as f64;
        self.parts.looks.palette.with_untracked(|palette| {
            let mut title = symbol.clone() + " " + interval.name();
            if decimals.is_none() {
                // A link can name a symbol that this page does not subscribe
                // to.
                title += ", history only";
            }
            let scene = Scene {
                title: &title,
                bars: &main.bars,
                interval_us,
                decimals: decimals.unwrap_or(2),
                kind: self.kind.get(),
                studies: &studies,
                alerts: &alerts,
                compared: &compared,
                view: view.unwrap_or(Viewport::following(
                    &Span {
                        first_us: 0.0,
                        last_us: 0.0,
                        interval_us,
                    },
                    BAR_PX,
                )),
                local: !self.parts.settings.zone.is_untracked("utc"),
                palette,
            };
            if dirty == Dirty::All {
                let ratio = window().device_pixel_ratio();
                painter.paint(&scene, size, ratio, cross.is_none());
            }
            painter.paint_cross(&scene, cross);
        });
        let (from, to) = view?.times(painter.plot_width());
        let mut wanted = from - SCREENS_AHEAD * (to - from);
        if studies.iter().any(|study| study.0.kind == StudyKind::Vwap) {
            // VWAP is summed from the beginning of the day.
            wanted = wanted.min((from / DAY_US).floor() * DAY_US);
        }
        let series = all.iter().flatten();
        let mut firsts = series.filter_map(|series| series.bars.first());
        Some(firsts.any(|first| wanted < first.time))
    }

    /// Sets the text that is shown instead of bars.
    fn tell(&self, main: &Series, has_bars: bool) {
        let note = match &main.fault {
            Some(fault) => "No history: ".to_owned() + fault,
            None if has_bars => String::new(),
            None if main.is_loading() => "Loading candles".to_owned(),
            None => "Waiting for the first trade".to_owned(),
        };
        if self.note.with_untracked(|old| *old != note) {
            self.note.set(note);
        }
    }

    /// Updates the chart's name: `BTC-USD, 1m candles, last 64,012.50`.
    pub(super) fn speak(&self) {
        let spec = self.spec.borrow();
        let Some(spec) = spec.as_ref() else {
            return;
        };
        let last = self.parts.store.state(spec.symbol(), |state| {
            state.last.map(|last| format::fixed(last, state.decimals))
        });
        let last = last.flatten().unwrap_or("none yet".to_owned());
        let kind = Kind::ALL.into_iter().find(|kind| kind.0 == self.kind.get());
        let kind = kind.map_or("", |kind| kind.1);
        let interval = spec.interval.name();
        let name = [spec.symbol(), ", ", interval, " ", kind, ", last ", &last].concat();
        if self.name.with_untracked(|old| *old != name) {
            self.name.set(name);
        }
    }

    /// Changes the view, if there are bars.
    fn look(&self, change: impl FnOnce(&mut Viewport, &Span, f64)) {
        let spec = self.spec.borrow();
        let key = spec
            .as_ref()
            .and_then(|spec| spec.keys().into_iter().next());
        let span = key.and_then(|key| {
            let keys = [key];
            self.parts.store.with_series(&keys, |all| span_of(all[0]?))
        });
        let width = self
            .painter
            .borrow()
            .as_ref()
            .map_or(0.0, Painter::plot_width);
        if let (Some(mut view), Some(span)) = (self.view.get(), span) {
            change(&mut view, &span, width);
            self.view.set(Some(view));
            self.mark(Dirty::All);
        }
    }

    /// Scrolls back in time by this many CSS pixels.
    pub(super) fn pan(&self, px: f64) {
        self.look(|view, span, width| view.pan(px, span, width));
    }

    /// Makes bars wider by a factor; the time at `x` keeps its place.
    pub(super) fn zoom(&self, factor: f64, x: f64) {
        self.look(|view, span, width| view.zoom(factor, x, span, width));
    }

    fn zoom_about_middle(&self, factor: f64) {
        self.look(|view, span, width| view.zoom(factor, width / 2.0, span, width));
    }

    /// Makes the view follow the newest bar.
    pub(crate) fn go_live(&self) {
        self.look(|view, span, _| view.go_live(span));
    }

    /// Applies a key to the view; returns whether the key does anything.
    pub(crate) fn key(&self, key: &str) -> bool {
        match key {
            "ArrowLeft" => self.pan(STEP_PX),
            "ArrowRight" => self.pan(-STEP_PX),
            "+" | "=" => self.zoom_about_middle(ZOOM_STEP),
            "-" => self.zoom_about_middle(1.0 / ZOOM_STEP),
            "Home" => self.look(|view, span, width| view.go_to_start(span, width)),
            "End" => self.go_live(),
            _ => return false,
        }
        true
    }

    /// Moves the crosshair of all charts to this chart's pointer, in CSS
    /// pixels, or removes it.
    pub(super) fn point(&self, place: Option<(f64, f64)>) {
        let width = self
            .painter
            .borrow()
            .as_ref()
            .map_or(0.0, Painter::plot_width);
        self.pointer.set(place.filter(|(x, _)| *x <= width));
        let cross = self.cross_at_pointer(width);
        self.shared_cross
            .set(cross.map(|cross| (self.place, cross)));
        self.parts.frames.request();
    }

    /// The crosshair at the pointer, for a plot of this width.
    fn cross_at_pointer(&self, width: f64) -> Option<Cross> {
        let ((x, y), view) = self.pointer.get().zip(self.view.get())?;
        Some(Cross {
            time_us: view.times(width).0 + x * view.us_per_px(),
            y: Some(y),
        })
    }

    /// The alert whose line is within `grip_px` of this vertical position, in
    /// CSS pixels from the top. A chart in per cent has no such lines.
    fn alert_at(&self, y: f64, grip_px: f64) -> Option<PriceAlert> {
        let (spec, painter) = (self.spec.borrow(), self.painter.borrow());
        let (spec, painter) = (spec.as_ref()?, painter.as_ref()?);
        if spec.symbols.len() > 1 {
            return None;
        }
        let held = self.held.borrow();
        let near = |alert: PriceAlert| {
            let distance = (painter.y_of(level_of(held.as_ref(), &alert))? - y).abs();
            (distance <= grip_px).then_some(alert)
        };
        let all = self.parts.store.alerts.of(spec.symbol(), near);
        all.into_iter().flatten().next()
    }

    /// Whether there is an alert's line to grab.
    pub(super) fn has_alert_at(&self, y: f64, grip_px: f64) -> bool {
        self.held.borrow().is_some() || self.alert_at(y, grip_px).is_some()
    }

    /// Grabs the alert whose line is there; returns whether there is one.
    pub(super) fn take_alert(&self, y: f64, grip_px: f64) -> bool {
        let found = self.alert_at(y, grip_px).map(|alert| Held {
            was_at: alert.level,
            alert,
            is_dropped: false,
        });
        let is_found = found.is_some();
        *self.held.borrow_mut() = found;
        is_found
    }

    /// Moves the alert that was grabbed.
    pub(super) fn move_alert(&self, y: f64) -> Option<()> {
        let price = self.painter.borrow().as_ref()?.price_at(y)?;
        self.held.borrow_mut().as_mut()?.alert.level = price;
        self.mark(Dirty::All);
        Some(())
    }

    /// Drops the alert at its present price, where it stays until the server
    /// confirms the move.
    pub(super) fn drop_alert(&self) -> Option<()> {
        let mut all_held = self.held.borrow_mut();
        let held = all_held.as_mut()?;
        // The comparison is exact: the price is the same until the alert is
        // moved.
        if held.alert.level == held.was_at {
            all_held.take();
            return None;
        }
        held.is_dropped = true;
        let alert = Rc::clone(&held.alert.alert);
        let level = self.price(&alert.spec.symbol, held.alert.level)?;
        self.parts.store.alerts.move_to(alert, level);
        Some(())
    }

    /// Cancels the drag: the alert returns to its price on the server.
    pub(super) fn release_alert(&self) {
        if self.held.take().is_some() {
            self.mark(Dirty::All);
        }
    }

    /// The server's alerts have changed. If the one that was dropped has
    /// changed, too, it is shown as the server has it.
    pub(super) fn show_alerts(&self) {
        let alerts = &self.parts.store.alerts;
        let is_over = |held: &mut Held| held.is_dropped && !alerts.is_current(&held.alert.alert);
        self.held.borrow_mut().take_if(is_over);
        self.repaint();
    }

    /// Adds an alert at a price in the upper part of the chart, from where it
    /// can be moved.
    pub(crate) fn add_alert(&self) -> Option<()> {
        let symbol = {
            let spec = self.spec.borrow();
            let spec = spec.as_ref()?;
            if spec.symbols.len() > 1 {
                let why = "a chart in per cent has no prices; stop comparing first";
                self.parts.store.alerts.fail(why);
                return None;
            }
            spec.symbol().to_owned()
        };
        let price = self.painter.borrow().as_ref()?.price_at(NEW_ALERT_PX)?;
        let level = self.price(&symbol, price)?;
        self.parts.store.alerts.add(symbol, level);
        Some(())
    }

    /// The nearest price with the symbol's decimals.
    fn price(&self, symbol: &str, price: f64) -> Option<Decimal> {
        let decimals = self.parts.store.state(symbol, |state| state.decimals)?;
        str::parse::<Decimal>(&format::plain(price, decimals)).ok()
    }

    /// Saves the chart as a picture.
    pub(crate) fn save_picture(&self) -> Option<()> {
        let painter = self.painter.borrow();
        let background = self.parts.looks.palette.get_untracked().panel;
        let picture = export::picture(painter.as_ref()?.canvas(), &background)?;
        download::save(&self.file_name(".png")?, &picture)
    }

    /// Saves the chart's bars as CSV.
    pub(crate) fn save_table(&self) -> Option<()> {
        let spec = self.spec.borrow();
        let spec = spec.as_ref()?;
        let decimals = self
            .parts
            .store
            .state(spec.symbol(), |state| state.decimals)?;
        let table = self.parts.store.with_series(&spec.keys(), |all| {
            Some(export::table(&(*all.first()?)?.bars, decimals))
        })?;
        download::save_text(&self.file_name(".csv")?, &table)
    }

    fn file_name(&self, end: &str) -> Option<String> {
        let spec = self.spec.borrow();
        let spec = spec.as_ref()?;
        Some([spec.symbol(), "-", spec.interval.name(), end].concat())
    }
}

/// The price of an alert, also while it is being moved.
fn level_of(held: Option<&Held>, alert: &PriceAlert) -> f64 {
    let held = held.map(|held| &held.alert);
    held.filter(|held| held.is(alert)).unwrap_or(alert).level
}

fn span_of(series: &Series) -> Option<Span> {
    Some(Span {
        first_us: series.bars.first()?.time,
        last_us: series.bars.last()?.time,
        interval_us: series.key.interval.span().micros() as f64,
    })
}
