//! The list of settings, from which flags, variables and keys are made.

mod feed;
mod limits;
mod serving;

/// A setting: its flag; its key in the file and its environment variable are
/// derived from that.
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) value_name: &'static str,
    pub(super) default: Option<&'static str>,
    pub(super) help: &'static str,
    /// Whether it can be given more than once.
    pub(super) many: bool,
}

/// Settings whose values are never displayed.
pub(super) const SECRET: [&str; 2] = ["webhook", "webhook-secret"];

/// All settings, in the order in which `--help` lists them.
pub(super) fn all() -> impl Iterator<Item = &'static Setting> {
    [feed::SETTINGS, serving::SETTINGS, limits::SETTINGS]
        .into_iter()
        .flatten()
}

impl Setting {
    /// Its environment variable.
    pub(super) fn variable(&self) -> String {
        format!("TICKWIRE_{}", self.key().to_uppercase())
    }

    /// Its key in the file.
    pub(super) fn key(&self) -> String {
        self.name.replace('-', "_")
    }
}
