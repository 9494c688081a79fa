//! The exchanges that prices come from.

use leptos::prelude::*;
use shared::{FeedState, VenueStatus};

use super::Store;

impl Store {
    /// Takes in which of them are lost: the prices of those are old.
    pub(super) fn apply_venues(&self, venues: &[VenueStatus]) {
        let lost = venues.iter();
        let lost = lost.filter(|venue| venue.state != FeedState::Live);
        let lost = lost.map(|venue| venue.venue.clone()).collect();
        if !self.table.borrow_mut().lose(lost) {
            return;
        }
        if let Some(symbol) = self.shown.get_untracked() {
            let table = self.table.borrow();
            let is_lost = self.with_row(&symbol, |row| table.is_lost(row));
            self.headline.listing.update(|listing| {
                if let (Some(listing), Some(is_lost)) = (listing, is_lost) {
                    listing.is_lost = is_lost;
                }
            });
        }
    }

    /// Whether the exchange that the shown symbol's prices come from is lost.
    pub fn is_shown_lost(&self) -> bool {
        let listing = self.headline.listing;
        listing.with_untracked(|listing| listing.as_ref().is_some_and(|l| l.is_lost))
    }
}
