//! Whether the page's files have to be made again: to make them small takes most
//! of a minute.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// What files were made of, and the files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stamp(String);

impl Stamp {
    /// The stamp of files, made of others. A file that is missing counts, too.
    ///
    /// # Errors
    ///
    /// A folder cannot be read.
    pub(crate) fn of(from: &[PathBuf], made: &Path) -> anyhow::Result<Self> {
        let mut hasher = DefaultHasher::new();
        // What makes them is one of the things of which they are made.
        let own = std::env::current_exe().context("the path of this program")?;
        for path in from.iter().chain([&own]) {
            (path, fs::read(path).ok()).hash(&mut hasher);
        }
        let mut sizes = Vec::new();
        for entry in fs::read_dir(made).with_context(|| made.display().to_string())? {
            let entry = entry?;
            sizes.push((entry.file_name(), entry.metadata()?.len()));
        }
        sizes.sort();
        sizes.hash(&mut hasher);
        Ok(Self(format!("{:016x}", hasher.finish())))
    }

    /// The text that was kept beside this stamp.
    pub(crate) fn text(&self, path: &Path) -> Option<String> {
        let kept = fs::read_to_string(path).ok()?;
        let (stamp, text) = kept.split_once('\n')?;
        (stamp == self.0).then(|| text.to_owned())
    }

    /// Keeps the stamp, and a text beside it.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(crate) fn keep(&self, path: &Path, text: &str) -> anyhow::Result<()> {
        fs::write(path, format!("{}\n{text}", self.0)).with_context(|| path.display().to_string())
    }
}
