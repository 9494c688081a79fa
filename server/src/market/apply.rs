//! Batches, numbered already, are appended to the log, and change the market.

use std::sync::Arc;
use std::time::Instant;

use shared::Instrument;

use super::batch::Batch;
use super::set::SymbolSet;
use super::{Market, Past, Published};
use crate::entries::{Entries, Notice};

impl Market {
    /// Appends batches that follow each other and the log, and wakes their readers.
    /// States and candles change under the same lock, so that a snapshot always
    /// matches its cursor.
    pub(super) fn apply(&self, batches: Vec<Batch>) {
        let mut touched: Vec<Arc<SymbolSet>> = Vec::new();
        let mut published = self.published_mut();
        let mut anew = None;
        for batch in batches {
            if let Entries::Anew(past) = batch.entries() {
                let past = Past::of_candles(past.clone());
                anew = Some(past.last_prices().collect::<Vec<_>>());
                published.begin_anew(past, self.run.catalogue.instruments());
                touched.extend(self.sets.touch(batch.concerned(), batch.last()));
                continue;
            }
            published.take_in(batch.entries());
            let batch = Arc::new(batch.lightened());
            published.log.append(Arc::clone(&batch));
            touched.extend(self.sets.touch(batch.concerned(), batch.last()));
        }
        let newest = published.log.head();
        drop(published);
        if let Some(head) = &self.head {
            head.send_replace(newest);
        }
        if let Some(prices) = anew {
            self.observer.begin_anew(&prices);
        }
        // Each once, also one that several batches concern.
        touched.sort_unstable_by_key(Arc::as_ptr);
        touched.dedup_by(|a, b| Arc::ptr_eq(a, b));
        touched.iter().for_each(|set| set.wake());
    }
}

impl Published {
    /// Nothing of before holds any more: every reader gets a snapshot that says so.
    fn begin_anew(&mut self, past: Past, instruments: &[Instrument]) {
        (self.states, self.history) = past.begin(instruments);
        self.progress.beginnings += 1;
        self.heard = Instant::now();
        self.log.begin_anew();
    }

    /// What entries change.
    fn take_in(&mut self, entries: &Entries) {
        match entries {
            Entries::Ticks(ticks) => {
                // A quote is a price, too.
                self.has_prices = true;
                self.heard = Instant::now();
                for (instrument, tick) in ticks {
                    self.states.apply(*instrument, tick);
                    if let Some(trade) = tick.trade() {
                        self.history.apply(*instrument, trade);
                        self.progress.trades += 1;
                    }
                }
            }
            Entries::Firings(_) | Entries::Anew(_) => {}
            Entries::Known(all) => {
                self.heard = Instant::now();
                for known in all {
                    self.states.set(known.instrument, known.state.clone());
                    self.history
                        .take_known(known.instrument, &known.candles, known.is_whole);
                }
            }
            Entries::Notice(Notice::Feed(status)) => {
                self.heard = Instant::now();
                self.feed = status.clone();
            }
            Entries::Notice(Notice::Store(status)) => {
                let is_well = status.saving && status.lost == 0 && status.lost_firings == 0;
                self.store = (!is_well).then(|| status.clone());
            }
            Entries::Notice(Notice::AlertsChanged(_)) => {}
        }
    }
}
