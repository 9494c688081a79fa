//! The page: built by trunk, made small, and laid where the server embeds it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::tools::Tools;
use crate::{root, say, small, target_directory};

/// Smaller files gain nothing.
const COMPRESS_BYTES_MIN: usize = 256;

/// The most that a whole page may weigh: HTML, CSS, JavaScript and WebAssembly,
/// as brotli.
const BUDGET_BYTES: usize = 230_000;
/// What starts the dashboard.
const START: &str = "dashboard.js";
/// What only the dashboard loads, and what only the others do.
const DASHBOARD: [&str; 4] = ["index.html", START, "frontend.js", "frontend_bg.wasm"];
const SIDE: [&str; 7] = [
    "side.js",
    "alerts.html",
    "lab.html",
    "guide.html",
    "side.css",
    "lab.js",
    "lab_bg.wasm",
];

/// What pages weigh, in bytes, as brotli.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weight {
    /// Files that only the dashboard loads.
    dashboard: usize,
    /// Files that only the pages beside it load.
    side: usize,
    /// What all of them load.
    both: usize,
}

impl Weight {
    fn add(&mut self, name: &str, bytes: usize) {
        if DASHBOARD.contains(&name) {
            self.dashboard += bytes;
        } else if SIDE.contains(&name) {
            self.side += bytes;
        } else {
            self.both += bytes;
        }
    }

    /// The dashboard as a whole, and the pages beside it.
    fn pages(self) -> [(&'static str, usize); 2] {
        [
            ("the dashboard", self.dashboard + self.both),
            ("alerts, the lab and the guide", self.side + self.both),
        ]
    }

    /// Fails if a page is heavier than it may be.
    pub(crate) fn check(self) -> anyhow::Result<()> {
        for (name, bytes) in self.pages() {
            if bytes > BUDGET_BYTES {
                bail!("{name}: {bytes} bytes as brotli; {BUDGET_BYTES} at most are allowed");
            }
        }
        Ok(())
    }
}

/// Builds the pages into `server/page`; what they weigh.
pub(crate) fn build() -> anyhow::Result<Weight> {
    let tools = Tools::find_or_install()?;
    // Not `target/page`: that is where cargo keeps what it builds for the
    // profile of that name.
    let dist = target_directory()?.join("dist");
    let mut trunk = Command::new(&tools.trunk);
    trunk
        .args([
            "build",
            "--release",
            "--offline",
            "--cargo-profile",
            "page",
            "--dist",
        ])
        .arg(&dist)
        // It takes any value but true and false for a mistake.
        .env_remove("NO_COLOR")
        .current_dir(root());
    tools.give_to(&mut trunk)?;
    say::step(
        "building the page (two to four minutes the first time)",
        &mut trunk,
    )?;
    let mut names = Vec::new();
    let embedded = root().join("server").join("page");
    let mut weight = Weight::default();
    move_script_out(&dist)?;
    optimise(&tools, &dist)?;
    for entry in fs::read_dir(&dist).with_context(|| dist.display().to_string())? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let content = fs::read(&path).with_context(|| path.display().to_string())?;
        replace(&embedded.join(name), &content)?;
        names.push(name.to_owned());
        if content.len() >= COMPRESS_BYTES_MIN {
            for (ending, small) in small::compress(&content)? {
                if ending == "br" {
                    weight.add(name, small.len());
                }
                let name = format!("{name}.{ending}");
                replace(&embedded.join(&name), &small)?;
                names.push(name);
            }
        } else {
            weight.add(name, content.len());
        }
    }
    remove_others(&embedded, &names)?;
    for (name, bytes) in weight.pages() {
        say::line(&format!("{name}: {:.1} KB as brotli", bytes as f64 / 1e3));
    }
    Ok(weight)
}

/// Gives the script that trunk writes into the page a file of its own: a strict
/// Content-Security-Policy forbids scripts inside a page.
fn move_script_out(dist: &Path) -> anyhow::Result<()> {
    let page = dist.join("index.html");
    let html = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    let open = r#"<script type="module">"#;
    let parts = html.split_once(open).and_then(|(before, rest)| {
        let (script, after) = rest.split_once("</script>")?;
        Some((before, script, after))
    });
    let Some((before, script, after)) = parts else {
        bail!("{}: trunk writes its script in another way", page.display());
    };
    fs::write(dist.join(START), script)?;
    let html = format!(r#"{before}<script type="module" src="{START}"></script>{after}"#);
    fs::write(&page, html)?;
    Ok(())
}

/// Makes the files in `dist` small: each `NAME_bg.wasm` with its `NAME.js`, and
/// style sheets.
fn optimise(tools: &Tools, dist: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(dist).with_context(|| dist.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name else {
            continue;
        };
        if let Some(stem) = name.strip_suffix("_bg.wasm") {
            small::optimise(tools, &path, &path.with_file_name(format!("{stem}.js")))?;
        } else if name.ends_with(".css") {
            small::minify(tools, &path)?;
        }
    }
    Ok(())
}

/// Writes a file unless it has this content already: an unchanged page does
/// not build the server again.
fn replace(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    fs::write(path, content).with_context(|| path.display().to_string())
}

/// Removes the files of older pages.
fn remove_others(folder: &Path, names: &[String]) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name();
        let keep = name == ".gitkeep" || names.iter().any(|kept| name == kept.as_str());
        if !keep {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
