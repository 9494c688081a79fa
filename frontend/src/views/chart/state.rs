//! One chart: what it shows, where it is scrolled to, and when it is redrawn.

use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;

use leptos::prelude::*;

use super::cross::Cross;
use super::held::Held;
use super::kinds::Kind;
use super::painter::Painter;
use super::placed::Placed;
use super::scene::{Compared, Scene};
use super::spec::ChartSpec;
use crate::format;
use crate::frames::Frames;
use crate::plot::studies::{Since, StudySpec, Values};
use crate::plot::{Bar, DAY_US, Growing, Span, TimeAxis, Viewport};
use crate::requests::SeriesKey;
use crate::settings::Settings;
use crate::store::{Series, Store};
use crate::theme::Looks;
use crate::views::canvas::Surface;
use crate::words;

/// The setting of an axis on which each time is its own place.
pub(super) const TRUE_TIME: &str = "time";
/// The initial width of a bar, in CSS pixels.
const BAR_PX: f64 = 7.0;
/// Older bars are requested when less than this many screens of them are left.
const SCREENS_AHEAD: f64 = 1.0;

/// The part that has to be redrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dirty {
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
    pub(super) parts: Parts,
    pub(super) place: usize,
    pub(super) shared_cross: SharedCross,
    pub(super) spec: RefCell<Option<ChartSpec>>,
    kind: Cell<&'static Kind>,
    pub(super) placed: RefCell<Placed>,
    /// The bars that the kind of chart makes of the symbol's; `None` if it shows
    /// those.
    shown: RefCell<Option<Growing<Bar>>>,
    /// A study of single bars has no values of its own.
    studies: RefCell<Vec<(StudySpec, Option<Growing<Values>>)>>,
    pub(super) painter: RefCell<Option<Painter>>,
    pub(super) view: Cell<Option<Viewport>>,
    /// In device pixels.
    size: Cell<(u32, u32)>,
    dirty: Cell<Dirty>,
    pub(super) held: RefCell<Option<Held>>,
    /// The position of the pointer, in CSS pixels, while it is on the chart.
    pub(super) pointer: Cell<Option<(f64, f64)>>,
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
            kind: Cell::new(Kind::of_key("")),
            placed: RefCell::new(Placed::new(1.0, false)),
            shown: RefCell::default(),
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
            name: RwSignal::new(words::CHART.to_owned()),
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
    pub(super) fn set(&self, spec: Option<ChartSpec>, kind: &'static Kind, studies: &[StudySpec]) {
        let is_other_spec = *self.spec.borrow() != spec;
        if is_other_spec {
            self.placed.borrow_mut().forget();
            let before = self.spec.replace(spec.clone());
            let what = |spec: Option<ChartSpec>| spec.map(|s| (s.symbol().to_owned(), s.interval));
            if what(before) != what(spec) {
                self.view.set(None);
            }
        }
        if self.kind.replace(kind) != kind || is_other_spec {
            *self.shown.borrow_mut() = kind.bars.map(|new| Growing::new(new()));
            if let Some(painter) = &mut *self.painter.borrow_mut() {
                painter.forget();
            }
        }
        let before = self.studies.borrow();
        let is_same = before.iter().map(|s| s.0).eq(studies.iter().copied());
        drop(before);
        if is_other_spec || !is_same {
            let studies = studies.iter().map(|spec| (*spec, spec.growing()));
            *self.studies.borrow_mut() = studies.collect();
        }
        self.speak();
        self.mark(Dirty::All);
    }

    /// Marks everything to be redrawn.
    pub(super) fn repaint(&self) {
        self.mark(Dirty::All);
    }

    pub(super) fn resize(&self, width: u32, height: u32) {
        self.size.set((width, height));
        self.mark(Dirty::All);
    }

    pub(super) fn mark(&self, dirty: Dirty) {
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
        cross: Option<Cross>,
    ) -> Option<bool> {
        let mut painter = self.painter.borrow_mut();
        let painter = painter.as_mut()?;
        let main = (*all.first()?)?;
        let all: Vec<&Series> = all.iter().copied().flatten().collect();
        let interval_us = main.key.interval.span().micros() as f64;
        let placed = self.place_bars(&all, interval_us);
        let span = placed.span();
        self.tell(main, span.is_some());
        let view = self.follow(span);
        let cross = self.cross_now(cross, &placed.axis, painter.plot_width());
        let mut studies = self.studies.borrow_mut();
        let studies: Vec<(StudySpec, &[Values])> = studies
            .iter_mut()
            .map(|(spec, values)| {
                let values = values.as_mut().map(|values| values.update(&main.bars));
                (*spec, values.unwrap_or_default())
            })
            .collect();
        let mut shown = self.shown.borrow_mut();
        let bars = placed.bars(0);
        let drawn = shown.as_mut().map(|shown| shown.update(bars));
        let compared = compared(&all, &placed);
        let SeriesKey { symbol, interval } = &main.key;
        let alerts = self.alert_lines(symbol);
        let decimals = self.parts.store.state(symbol, |state| state.decimals);
        self.parts.looks.palette.with_untracked(|palette| {
            // A link can name a symbol that this page does not subscribe to.
            let title = words::chart_title(symbol, interval.name(), decimals.is_some());
            let scene = Scene {
                title: &title,
                axis: &placed.axis,
                bars,
                drawn: drawn.unwrap_or(bars),
                interval_us,
                decimals: decimals.unwrap_or(2),
                kind: self.kind.get(),
                studies: &studies,
                alerts: &alerts,
                compared: &compared,
                view: view.unwrap_or(Viewport::following(&Span::empty(interval_us), BAR_PX)),
                local: !self.parts.settings.zone.is_untracked("utc"),
                palette,
            };
            if dirty == Dirty::All {
                let ratio = window().device_pixel_ratio();
                painter.paint(&scene, size, ratio, cross.is_none());
            }
            painter.paint_cross(&scene, cross);
        });
        let wanted = wanted_from(view?.times(painter.plot_width()), &placed.axis, &studies);
        let mut firsts = (0..all.len()).filter_map(|place| placed.bars(place).first());
        Some(firsts.any(|first| wanted < first.time))
    }

    /// Brings the bars to their places on the axis.
    fn place_bars(&self, all: &[&Series], interval_us: f64) -> RefMut<'_, Placed> {
        let mut placed = self.placed.borrow_mut();
        let is_true = self.parts.settings.axis.is_untracked(TRUE_TIME);
        if !placed.is_for(interval_us, is_true) {
            *placed = Placed::new(interval_us, is_true);
            self.view.set(None);
        }
        placed.update(all);
        placed
    }

    /// The view of these data; it follows the newest bar, or stays where a
    /// person has scrolled to.
    fn follow(&self, span: Option<Span>) -> Option<Viewport> {
        let view = span.map(|span| {
            let view = self.view.get();
            let mut view = view.unwrap_or(Viewport::following(&span, BAR_PX));
            view.update(&span);
            view
        });
        self.view.set(view);
        let following = view.is_none_or(|view| view.follows());
        if self.follows.get_untracked() != following {
            self.follows.set(following);
        }
        view
    }

    /// The crosshair. If the view has moved, another time is under the pointer.
    fn cross_now(&self, cross: Option<Cross>, axis: &TimeAxis, width: f64) -> Option<Cross> {
        let under = self.cross_at_pointer(axis, width);
        if under.is_none() || cross.is_none() || cross == under {
            return cross;
        }
        self.shared_cross
            .set(under.map(|under| (self.place, under)));
        // The other charts follow, and so does this chart's data layer.
        self.parts.frames.request();
        under
    }

    /// Sets the text that is shown instead of bars.
    fn tell(&self, main: &Series, has_bars: bool) {
        let note = match &main.fault {
            Some(fault) => words::no_history(fault),
            None if has_bars => String::new(),
            None if main.is_loading() => words::LOADING_CANDLES.to_owned(),
            None => words::WAITING_FOR_FIRST_TRADE.to_owned(),
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
        let (interval, kind) = (spec.interval.name(), self.kind.get().name);
        let name = words::chart_name(spec.symbol(), interval, kind, last.flatten());
        if self.name.with_untracked(|old| *old != name) {
            self.name.set(name);
        }
    }
}

/// The place from which on bars are wanted: some screens before the first
/// visible one, and all that the studies need.
fn wanted_from((from, to): (f64, f64), axis: &TimeAxis, studies: &[(StudySpec, &[Values])]) -> f64 {
    let wanted = from - SCREENS_AHEAD * (to - from);
    let needs_day = |study: &(StudySpec, _)| study.0.study.since == Since::Day;
    if studies.iter().any(needs_day) {
        let day = (axis.time(from) / DAY_US).floor() * DAY_US;
        wanted.min(axis.place(day))
    } else {
        wanted
    }
}

/// The symbols that are compared with the first one.
fn compared<'s>(all: &[&'s Series], placed: &'s Placed) -> Vec<Compared<'s>> {
    let others = all.iter().enumerate().skip(1);
    let compared = others.map(|(place, series)| Compared {
        symbol: &series.key.symbol,
        bars: placed.bars(place),
    });
    compared.collect()
}
