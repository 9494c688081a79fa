//! Alerts on a chart: they can be grabbed, moved, and added.

use std::rc::Rc;

use shared::Decimal;

use super::scene::AlertLine;
use super::state::{Chart, Dirty};
use crate::faults::AlertFault;
use crate::format;
use crate::store::PriceAlert;

/// The distance of a new alert from the top, in CSS pixels.
const NEW_ALERT_PX: f64 = 60.0;

/// An alert that is being dragged, or was dropped and waits for the server's
/// answer.
pub(super) struct Held {
    /// The alert, at its present price on the chart.
    alert: PriceAlert,
    was_at: f64,
    is_dropped: bool,
}

impl Chart {
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
                self.parts.store.alerts.fail(&AlertFault::ChartInPercent);
                return None;
            }
            spec.symbol().to_owned()
        };
        let price = self.painter.borrow().as_ref()?.price_at(NEW_ALERT_PX)?;
        let level = self.price(&symbol, price)?;
        self.parts.store.alerts.add(symbol, level);
        Some(())
    }

    /// The alerts on the price of a symbol, as they are drawn.
    pub(super) fn alert_lines(&self, symbol: &str) -> Vec<AlertLine> {
        let held = self.held.borrow();
        self.parts.store.alerts.of(symbol, |alert| AlertLine {
            level: level_of(held.as_ref(), &alert),
            kind: alert.alert.spec.condition.kind().name,
        })
    }

    /// The nearest price with the symbol's decimals.
    fn price(&self, symbol: &str, price: f64) -> Option<Decimal> {
        let decimals = self.parts.store.state(symbol, |state| state.decimals)?;
        str::parse::<Decimal>(&format::plain(price, decimals)).ok()
    }
}

/// The price of an alert, also while it is being moved.
fn level_of(held: Option<&Held>, alert: &PriceAlert) -> f64 {
    let held = held.map(|held| &held.alert);
    held.filter(|held| held.is(alert)).unwrap_or(alert).level
}
