//! Files of prices that people bring while the server runs: each becomes what is
//! replayed.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::catalogue::Catalogue;
use crate::config::UploadConfig;
use crate::feed::{self, Feed, FeedConfig, FeedError, Heir as _};
use crate::successor::Successor;

/// Takes files in, one at a time. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Uploads(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: UploadConfig,
    one: Arc<Semaphore>,
    successor: Arc<Successor>,
}

impl Uploads {
    /// With these settings. What is brought goes to the successor.
    pub(crate) fn new(config: UploadConfig, successor: Arc<Successor>) -> Self {
        Self(Arc::new(Inner {
            config,
            one: Arc::new(Semaphore::new(1)),
            successor,
        }))
    }

    /// How many bytes a file may have.
    pub(crate) fn bytes_max(&self) -> u64 {
        self.0.config.bytes_max
    }

    /// A place for one file; `None` while another one is being brought.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.one).try_acquire_owned().ok()
    }

    /// Opens a file of this folder, which is kept as long as it is replayed; in its
    /// `place`. `options` is what is said of it besides the settings.
    ///
    /// # Errors
    ///
    /// It cannot be replayed.
    pub(crate) async fn open(
        &self,
        folder: TempDir,
        file: &Path,
        options: pricefile::Options,
        place: OwnedSemaphorePermit,
    ) -> Result<(Catalogue, Feed), FeedError> {
        let mut replay = self.0.config.replay.clone();
        replay.paths = vec![file.to_owned()];
        replay.options.dates = options.dates.or(replay.options.dates);
        replay.options.zone = options.zone.or(replay.options.zone);
        replay.options.mark = options.mark.or(replay.options.mark);
        // In a task of its own: whoever sent the file may have gone, and no other
        // one is looked through until this one is.
        let opening = tokio::spawn(async move {
            let opened = feed::open(&FeedConfig::Replay(replay)).await;
            drop(place);
            opened.map(|(catalogue, mut feed)| {
                feed.keep(folder);
                (catalogue, feed)
            })
        });
        opening.await?
    }

    /// Lets the server go on with this feed.
    pub(crate) fn go_on_with(&self, opened: (Catalogue, Feed)) {
        self.0.successor.begin_again(opened);
    }
}
