//! The charts of the page, and which of them is the active one.

use std::cell::Cell;
use std::rc::Rc;

use leptos::prelude::*;
use shared::Interval;

use super::kinds::Kind;
use super::spec::{self, CHARTS_MAX, ChartSpec};
use super::state::{Chart, Parts};
use crate::faults::UnknownSymbol;
use crate::plot::studies::StudySpec;
use crate::settings::Settings;

/// All charts. The settings define what they show; the grid applies the
/// settings to the charts and the store.
pub(crate) struct ChartGrid {
    parts: Parts,
    /// As many as a layout can have. Those that are not in the layout have no
    /// size.
    pub(crate) charts: Vec<Rc<Chart>>,
    /// What the charts in the layout show.
    pub(crate) specs: RwSignal<Vec<ChartSpec>>,
    /// The index of the active chart, on which keys and the toolbar act.
    pub(crate) active: RwSignal<usize>,
}

impl ChartGrid {
    /// Starts the charts, which follow the settings as long as the page lives.
    pub(crate) fn start(parts: Parts) -> Rc<Self> {
        let cross = Rc::new(Cell::new(None));
        let charts =
            (0..CHARTS_MAX).map(|place| Chart::new(parts.clone(), place, Rc::clone(&cross)));
        let grid = Rc::new(Self {
            charts: charts.collect(),
            specs: RwSignal::new(Vec::new()),
            active: RwSignal::new(0),
            parts,
        });
        let follower = Rc::clone(&grid);
        Effect::new(move || follower.follow());
        let shower = Rc::clone(&grid);
        Effect::new(move || shower.show_active());
        let painter = Rc::clone(&grid);
        Effect::new(move || {
            painter.parts.looks.palette.track();
            painter.settings().zone.get();
            painter.settings().axis.get();
            painter.charts.iter().for_each(|chart| chart.repaint());
        });
        let holder = Rc::clone(&grid);
        Effect::new(move || {
            holder.parts.store.alerts.changed.track();
            holder.charts.iter().for_each(|chart| chart.show_alerts());
        });
        grid
    }

    pub(crate) fn settings(&self) -> Settings {
        self.parts.settings
    }

    /// Applies the settings to the charts and the store.
    fn follow(&self) {
        let Parts {
            store, settings, ..
        } = &self.parts;
        store.catalogue.track();
        let specs = self.parts.gone.with(|gone| {
            spec::read(*settings, gone, store.bars(), |place| {
                store.catalogued(place)
            })
        });
        let kind = Kind::of_key(&settings.kind.get());
        let studies = settings.studies.list();
        // Each kind of study at most once, whatever a link contains.
        let all = studies.iter().filter_map(|text| StudySpec::parse(text));
        let mut studies: Vec<StudySpec> = Vec::new();
        for study in all {
            if !studies
                .iter()
                .any(|known| known.study.key == study.study.key)
            {
                studies.push(study);
            }
        }
        let mut keys: Vec<_> = specs.iter().flat_map(ChartSpec::keys).collect();
        keys.dedup();
        store.keep_series(&keys);
        for (place, chart) in self.charts.iter().enumerate() {
            chart.set(specs.get(place).cloned(), kind, &studies);
        }
        if self.active.get_untracked() >= specs.len() {
            self.active.set(0);
        }
        self.specs.set(specs);
    }

    /// Shows the active chart's symbol in the headline.
    fn show_active(&self) {
        self.parts.store.catalogue.track();
        let active = self.active.get();
        let symbol = self
            .specs
            .with(|specs| specs.get(active).map(|spec| spec.symbol().to_owned()));
        if let Some(symbol) = symbol.filter(|symbol| !symbol.is_empty()) {
            self.parts.store.show(&symbol);
        }
    }

    /// The active chart, on which keys and the toolbar act.
    pub(crate) fn active_chart(&self) -> &Chart {
        &self.charts[self.active.get_untracked().min(CHARTS_MAX - 1)]
    }

    /// The symbol that a person means who types this.
    ///
    /// # Errors
    ///
    /// No symbol matches, or more than one.
    pub(crate) fn find(&self, written: &str) -> Result<String, UnknownSymbol> {
        self.parts.store.find(written)
    }

    /// Shows another symbol on the active chart.
    pub(crate) fn show(&self, symbol: &str) {
        self.change(|spec| {
            if spec.symbol() == symbol {
                return;
            }
            spec.symbols.retain(|known| known != symbol);
            match spec.symbols.first_mut() {
                Some(first) if !symbol.is_empty() => symbol.clone_into(first),
                _ => spec.symbols.push(symbol.to_owned()),
            }
        });
    }

    /// Compares the active chart's symbol with these symbols.
    pub(super) fn compare_with(&self, others: &[String]) {
        self.change(|spec| {
            spec.symbols.truncate(1);
            for other in others {
                if !spec.symbols.contains(other) {
                    spec.symbols.push(other.clone());
                }
            }
        });
    }

    /// Changes the length of the active chart's bars.
    pub(crate) fn set_interval(&self, interval: Interval) {
        self.change(|spec| spec.interval = interval);
    }

    fn change(&self, change: impl FnOnce(&mut ChartSpec)) {
        let mut specs = self.specs.get_untracked();
        if let Some(spec) = specs.get_mut(self.active.get_untracked()) {
            change(spec);
        }
        let settings = self.settings();
        let beyond = |list: Vec<String>| list.into_iter().skip(specs.len());
        // The settings keep the charts that a smaller layout does not show.
        let symbols = specs.iter().map(ChartSpec::text);
        let symbols: Vec<_> = symbols
            .chain(beyond(settings.chart.list_untracked()))
            .collect();
        let intervals = specs.iter().map(|spec| spec.interval.name().to_owned());
        let intervals: Vec<_> = intervals
            .chain(beyond(settings.interval.list_untracked()))
            .collect();
        settings.chart.set_list(&symbols);
        settings.interval.set_list(&intervals);
    }

    /// Updates the charts' names for assistive technology.
    pub(super) fn speak(&self) {
        if !self.parts.store.is_held() {
            self.charts.iter().for_each(|chart| chart.speak());
        }
    }
}
