//! The page: built by trunk, made smaller, and put where the server embeds it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::tools::Tools;
use crate::{root, say, small, target_directory};

/// Smaller files are not compressed, since it would gain nothing.
const COMPRESS_BYTES_MIN: usize = 256;

/// The most that a whole page may weigh: HTML, CSS, JavaScript and WebAssembly,
/// as brotli.
const BUDGET_BYTES: usize = 230_000;
/// The script that starts the dashboard.
const START: &str = "dashboard.js";
/// The files that only the dashboard loads, and those that only the other pages
/// load.
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
    /// Files that only the other pages load.
    side: usize,
    /// Files that all pages load.
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

    /// The dashboard and the other pages: their names and sizes.
    fn pages(self) -> [(&'static str, usize); 2] {
        [
            ("the dashboard", self.dashboard + self.both),
            ("alerts, the lab and the guide", self.side + self.both),
        ]
    }

    /// Fails if a page is larger than its budget.
    pub(crate) fn check(self) -> anyhow::Result<()> {
        for (name, bytes) in self.pages() {
            if bytes > BUDGET_BYTES {
                bail!("{name}: {bytes} bytes as brotli; {BUDGET_BYTES} at most are allowed");
            }
        }
        Ok(())
    }
}

/// Builds the pages into `server/page`; returns their sizes.
pub(crate) fn build() -> anyhow::Result<Weight> {
    let tools = Tools::find_or_install()?;
    // Not `target/page`: cargo uses that folder for the profile of that name.
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
        // trunk rejects any value but true and false.
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

/// Moves the script that trunk writes into the page to a file of its own: a
/// strict Content-Security-Policy forbids inline scripts.
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

/// Makes the files in `dist` smaller: each `NAME_bg.wasm` with its `NAME.js`,
/// and style sheets.
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

/// Writes a file, unless it has this content already: an unchanged page does
/// not cause the server to be built again.
fn replace(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    fs::write(path, content).with_context(|| path.display().to_string())
}

/// Removes the files of earlier builds.
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
