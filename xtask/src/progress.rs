//! Runs builds side by side, and shows how far each is.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::cargo;

/// How often the line is written where it is not overwritten.
const SELDOM: Duration = Duration::from_secs(20);

/// A build: its name for people, what cargo builds, and the arguments that choose
/// its packages.
pub(crate) struct Build {
    pub(crate) name: &'static str,
    pub(crate) arguments: Vec<&'static str>,
    pub(crate) packages: Vec<&'static str>,
}

impl Build {
    /// How many packages it compiles; an estimate where cargo cannot tell.
    fn size(&self) -> usize {
        let mut tree = cargo();
        tree.args(["tree", "--prefix", "none", "--format", "{p}"])
            .args(["--edges", "normal,build"])
            .args(&self.packages);
        let output = tree
            .output()
            .map(|output| output.stdout)
            .unwrap_or_default();
        let text = String::from_utf8_lossy(&output);
        let names: BTreeSet<&str> = text.lines().filter_map(|l| l.split(" (").next()).collect();
        names.len()
    }
}

/// Where all builds are, in the order in which they were started.
pub(crate) struct Progress {
    all: Mutex<Vec<State>>,
    told: Mutex<Instant>,
    begun: Instant,
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
        Self {
            all: Mutex::default(),
            told: Mutex::new(begun),
            begun,
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
            .args(&build.arguments)
            .args(&build.packages)
            .stdout(Stdio::piped());
        let mut running = command.spawn().context("cargo build")?;
        let mut packages = BTreeSet::new();
        for line in running
            .stdout
            .take()
            .map(BufReader::new)
            .into_iter()
            .flat_map(|o| o.lines())
        {
            let message: serde_json::Value = match serde_json::from_str(&line?) {
                Ok(message) => message,
                Err(_) => continue,
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

    /// Shows where all builds are: always where the line is overwritten, and
    /// otherwise only now and then.
    fn tell(&self, is_important: bool) {
        let mut told = lock(&self.told);
        let mut error = std::io::stderr().lock();
        let passed = self.begun.elapsed().as_secs();
        let text = lock(&self.all).iter().map(State::words).collect::<Vec<_>>();
        let text = format!(
            "xtask: {}:{:02}  {}",
            passed / 60,
            passed % 60,
            text.join(" · ")
        );
        // Nobody to tell is no reason to stop.
        let _ = if error.is_terminal() {
            write!(error, "\r{text}\x1b[K").and_then(|()| error.flush())
        } else if is_important || told.elapsed() > SELDOM {
            *told = Instant::now();
            writeln!(error, "{text}")
        } else {
            Ok(())
        };
    }

    /// Ends the line.
    pub(crate) fn end(&self) {
        if std::io::stderr().is_terminal() {
            eprintln!();
        }
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
