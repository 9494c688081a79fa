//! Opens what settings name. The errors name the setting.

use std::path::Path;

use super::{Config, ConfigError};
use crate::recording::Recorder;
use crate::store::{self, Restored, Store, StoreError};
use crate::webhook::Webhooks;

impl Config {
    /// Opens the store, if one is configured.
    ///
    /// # Errors
    ///
    /// The file cannot be used.
    pub(crate) fn open_store(
        &self,
        source: store::StoredFeed<'_>,
    ) -> Result<Option<(Store, Restored)>, ConfigError> {
        let Some(path) = &self.store else {
            return Ok(None);
        };
        let opened = Store::open(path, self.retain, source);
        opened.map(Some).map_err(|error| self.store_error(&error))
    }

    /// Writes down what the feed has to know to make the same past again.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn keep_origin(&self, store: &mut Store, origin: &str) -> Result<(), ConfigError> {
        let kept = store.keep_origin(origin);
        kept.map_err(|error| self.store_error(&error))
    }

    /// Writes down that the server was down, and that nobody has what came meanwhile.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn note_break(&self, store: &mut Store) -> Result<(), ConfigError> {
        let noted = store.note_break();
        noted.map_err(|error| self.store_error(&error))
    }

    /// Gives the receivers of webhooks their pending deliveries of an earlier
    /// run.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn resume_deliveries(
        &self,
        store: &Store,
        webhooks: &Webhooks,
    ) -> Result<(), ConfigError> {
        let told = store.resume_deliveries(&webhooks.deliveries());
        told.map_err(|error| self.store_error(&error))
    }

    fn store_error(&self, error: &StoreError) -> ConfigError {
        let path = self.store.as_deref().unwrap_or(Path::new("")).display();
        ConfigError(format!("--store {path}: {error}"))
    }

    /// Prepares the receivers of webhooks.
    ///
    /// # Errors
    ///
    /// This machine cannot send requests.
    pub(crate) fn open_webhooks(&self) -> Result<Webhooks, ConfigError> {
        let webhooks = Webhooks::new(&self.webhook, self.store.is_some());
        webhooks.map_err(|error| ConfigError(format!("--webhook: {error}")))
    }

    /// Prepares the recording, if one is configured.
    ///
    /// # Errors
    ///
    /// No file can be made there.
    pub(crate) fn open_recorder(&self) -> Result<Option<Recorder>, ConfigError> {
        let Some(record) = &self.record else {
            return Ok(None);
        };
        let path = record.folder.display();
        let opened = Recorder::open(&record.folder, record.bytes_max);
        let refused = |error| {
            let allowed = "name a folder in which files can be made";
            ConfigError(format!("--record {path}: {error}; {allowed}"))
        };
        opened.map(Some).map_err(refused)
    }
}
