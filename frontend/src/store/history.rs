//! The candles of the charts: which series are kept, and what they request.

use shared::CandlesAnswer;

use super::{Series, Store};
use crate::faults::CallError;
use crate::requests::{HistoryRequest, SeriesKey};

impl Store {
    /// Keeps the candles of these series only, and requests those that are
    /// missing.
    pub fn keep_series(&self, keys: &[SeriesKey]) {
        let mut all = self.series.borrow_mut();
        all.retain(|series| keys.contains(&series.key));
        for key in keys {
            if !all.iter().any(|series| series.key == *key) {
                let mut series = Series::new(key.clone());
                self.begin(&mut series);
                all.push(series);
            }
        }
    }

    /// Reads these series as they are to be shown; `None` for those that are
    /// not kept.
    pub fn with_series<T>(
        &self,
        keys: &[SeriesKey],
        read: impl FnOnce(&[Option<&Series>]) -> T,
    ) -> T {
        let (all, held) = (self.series.borrow(), self.held.borrow());
        // A series that was started while the store is held is shown as it is.
        let all = || held.iter().flatten().chain(&*all);
        let find = |key: &SeriesKey| all().find(|series| series.key == *key);
        let found: Vec<_> = keys.iter().map(find).collect();
        read(&found)
    }

    /// Requests candles older than those that the series has.
    pub fn want_older(&self, key: &SeriesKey) {
        let mut all = self.series.borrow_mut();
        let series = all.iter_mut().find(|series| series.key == *key);
        self.request(series.and_then(Series::want_older));
    }

    pub(super) fn begin(&self, series: &mut Series) {
        self.beginnings.set(self.beginnings.get() + 1);
        self.request(Some(series.begin(self.beginnings.get())));
    }

    fn request(&self, request: Option<HistoryRequest>) {
        if let Some(request) = request {
            // The receiver of requests lives as long as the page.
            let _ = self.requests.unbounded_send(request);
        }
    }

    /// Whether a series still waits for this request.
    pub fn waits_for(&self, request: &HistoryRequest) -> bool {
        self.series
            .borrow()
            .iter()
            .any(|series| series.waits_for(request))
    }

    /// Applies candles, or the reason why there are none.
    pub fn answer(&self, request: &HistoryRequest, answer: Result<CandlesAnswer, CallError>) {
        let mut all = self.series.borrow_mut();
        let Some(series) = all.iter_mut().find(|series| series.waits_for(request)) else {
            return;
        };
        match answer {
            Ok(answer) => self.request(series.answer(request, &answer)),
            Err(fault) => series.fail(fault),
        }
    }
}
