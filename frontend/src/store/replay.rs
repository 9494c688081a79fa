//! What the page knows of a replay.

use leptos::prelude::*;
use shared::{FeedStatus, Interval};

use super::Store;

impl Store {
    /// Takes in what the feed is doing.
    pub(super) fn apply_status(&self, status: &FeedStatus) {
        let replay = status.replay.clone();
        // Where it is when it stands still, or after a jump, no tick says.
        if let Some(at) = replay.as_ref().map(|replay| replay.at) {
            self.newest.set(at);
            self.replayed_to.set(at);
        }
        let replay = replay.map(|replay| (status.state, replay));
        if self.replay.with_untracked(|known| *known != replay) {
            self.replay.set(replay);
        }
        self.apply_venues(&status.venues);
        self.feed.replace(Some(status.clone()));
    }

    /// Shows where the replay is, if there is one.
    pub(super) fn show_replayed(&self) {
        let newest = self.newest.get();
        let is_news = self.replayed_to.get_untracked() != newest;
        if is_news && self.replay.with_untracked(Option::is_some) {
            self.replayed_to.set(newest);
        }
    }

    /// The length of bars that fits the prices, while nobody has chosen one: that
    /// of the replayed file. Tracked.
    pub fn bars(&self) -> Interval {
        let of_file = self.replay.with(|replay| {
            let (_, status) = replay.as_ref()?;
            status.bars.as_ref()?.parse().ok()
        });
        of_file.unwrap_or(Interval::M1)
    }
}
