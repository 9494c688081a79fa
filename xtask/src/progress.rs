//! Runs builds side by side, and shows how far each is.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::{cargo, say};

/// How often the line moves.
const TICK: Duration = Duration::from_secs(1);
/// How often a line is written where there is no terminal.
const SELDOM: Duration = Duration::from_secs(20);

/// A build: its name for people, what cargo builds, and the arguments that choose
/// its packages.
pub(crate) struct Build {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static [&'static str],
    pub(crate) packages: &'static [&'static str],
}

impl Build {
    /// How many packages it compiles; an estimate where cargo cannot tell.
    fn size(&self) -> usize {
        let mut tree = cargo();
        tree.args(["tree", "--prefix", "none", "--format", "{p}"])
            .args(["--edges", "normal,build"])
            .args(self.packages);
        let output = tree
            .output()
            .map(|output| output.stdout)
            .unwrap_or_default();
        let text = String::from_utf8_lossy(&output);
        let names: BTreeSet<&str> = text.lines().filter_map(|l| l.split(" (").next()).collect();
        names.len()
    }
}

/// The line that moves at the moment.
static LINE: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Prints something above the line that moves, if there is one.
pub(crate) fn aside(print: impl FnOnce()) {
    let line = lock(&LINE).clone();
    match line {
        Some(line) => line.suspend(print),
        None => print(),
    }
}

/// Where all builds are, in the order in which they were started.
pub(crate) struct Progress {
    all: Mutex<Vec<State>>,
    told: Mutex<Instant>,
    begun: Instant,
    /// The line that moves. On anything but a terminal it shows nothing.
    line: ProgressBar,
}

#[derive(Clone, Copy)]
struct State {
    name: &'static str,
    done: usize,
    of: usize,
    is_over: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let begun = Instant::now();
        let line = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("xtask: {elapsed}  {wide_msg}") {
            line.set_style(style);
        }
        line.enable_steady_tick(TICK);
        *lock(&LINE) = Some(line.clone());
        Self {
            all: Mutex::default(),
            told: Mutex::new(begun),
            begun,
            line,
        }
    }

    /// Runs a build, and counts what is compiled.
    ///
    /// # Errors
    ///
    /// It failed; what cargo says of it has been shown.
    pub(crate) fn run(&self, build: &Build) -> anyhow::Result<()> {
        let place = self.add(build.name, build.size());
        let mut command = cargo();
        command
            .args([
                "build",
                "--quiet",
                "--message-format=json-render-diagnostics",
            ])
            .args(build.arguments)
            .args(build.packages)
            .stdout(Stdio::piped());
        let mut running = command.spawn().context("cargo build")?;
        let mut packages = BTreeSet::new();
        let output = running.stdout.take().context("cargo build")?;
        for line in BufReader::new(output).lines() {
            let Ok(message) = serde_json::from_str::<Value>(&line?) else {
                continue;
            };
            if let (Some("compiler-artifact"), Some(id)) =
                (message["reason"].as_str(), message["package_id"].as_str())
                && packages.insert(id.to_owned())
            {
                self.set(place, packages.len(), false);
            }
        }
        let status = running.wait()?;
        if !status.success() {
            bail!("{}: failed ({status})", build.name);
        }
        self.set(place, packages.len(), true);
        Ok(())
    }

    /// Counts a step that is not a build of cargo's.
    ///
    /// # Errors
    ///
    /// The step failed.
    pub(crate) fn step<T>(
        &self,
        name: &'static str,
        step: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let place = self.add(name, 1);
        let outcome = step()?;
        self.set(place, 1, true);
        Ok(outcome)
    }

    fn add(&self, name: &'static str, of: usize) -> usize {
        let mut all = lock(&self.all);
        all.push(State {
            name,
            done: 0,
            of,
            is_over: false,
        });
        let place = all.len() - 1;
        drop(all);
        self.tell(true);
        place
    }

    fn set(&self, place: usize, done: usize, is_over: bool) {
        if let Some(state) = lock(&self.all).get_mut(place) {
            (state.done, state.is_over) = (done, is_over);
        }
        self.tell(is_over);
    }

    /// Shows where all builds are: always on a terminal, and otherwise only now
    /// and then.
    fn tell(&self, is_important: bool) {
        let words: Vec<_> = lock(&self.all).iter().map(State::words).collect();
        let words = words.join(" · ");
        let mut told = lock(&self.told);
        if self.line.is_hidden() && (is_important || told.elapsed() > SELDOM) {
            *told = Instant::now();
            let passed = self.begun.elapsed().as_secs();
            say::line(&format!("{}:{:02}  {words}", passed / 60, passed % 60));
        }
        self.line.set_message(words);
    }

    /// Ends the line that moves.
    pub(crate) fn end(&self) {
        self.line.abandon();
        *lock(&LINE) = None;
    }
}

impl State {
    fn words(&self) -> String {
        match self.is_over {
            true => format!("{} ✓", self.name),
            false if self.of > 1 => {
                format!("{} {} of {}", self.name, self.done.min(self.of), self.of)
            }
            false => format!("{} …", self.name),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A command whose output is shown only if it fails.
///
/// # Errors
///
/// It cannot be started, or failed.
pub(crate) fn quietly(command: &mut Command) -> anyhow::Result<()> {
    let output = command
        .output()
        .with_context(|| format!("could not start {:?}", command.get_program()))?;
    if !output.status.success() {
        eprint!("{}", String::from_utf8_lossy(&output.stdout));
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        bail!("{:?}: failed ({})", command.get_program(), output.status);
    }
    Ok(())
}
