//! The page's files: gathered, made small, and put where the server embeds them.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::SystemTime;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::build::{bindgen, wasm_folder};
use crate::progress::quietly;
use crate::stamp::Stamp;
use crate::tools::Small;
use crate::{root, say, small, target_directory};

/// Smaller files are not compressed, since it would gain nothing.
const COMPRESS_BYTES_MIN: usize = 256;

/// The most that a whole page may weigh: HTML, CSS, JavaScript and WebAssembly,
/// as brotli. The goal is 230,000; docs/performance.md says what weighs how much.
const BUDGET_BYTES: usize = 315_000;
/// The files that only the dashboard loads, and those that only the other pages
/// load.
const DASHBOARD: [&str; 4] = [
    "index.html",
    "dashboard.js",
    "frontend.js",
    "frontend_bg.wasm",
];
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
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
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

    /// Says what the pages weigh.
    pub(crate) fn tell(self) {
        for (name, bytes) in self.pages() {
            say::line(&format!("{name}: {:.1} KB as brotli", bytes as f64 / 1e3));
        }
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

/// Makes the pages of what was compiled, in `server/page`; returns their sizes.
/// What is there already is not made again.
///
/// # Errors
///
/// A file cannot be read or written, or a tool fails.
pub(crate) fn assemble(small: &Small) -> anyhow::Result<Weight> {
    let target = target_directory()?;
    let (from, kept) = (sources(small)?, target.join("page.stamp"));
    let text = Stamp::of(&from, &embedded())?.text(&kept);
    if let Some(weight) = text.and_then(|text| serde_json::from_str(&text).ok()) {
        return Ok(weight);
    }
    // Not `target/page`: cargo uses that folder for the profile of that name.
    let dist = target.join("dist");
    gather(&dist)?;
    optimise(small, &dist)?;
    let weight = embed(&dist)?;
    Stamp::of(&from, &embedded())?.keep(&kept, &serde_json::to_string(&weight)?)?;
    Ok(weight)
}

/// Where the server embeds the page's files.
fn embedded() -> PathBuf {
    root().join("server").join("page")
}

/// All files of which the page is made, and the tools that make it.
fn sources(small: &Small) -> anyhow::Result<Vec<PathBuf>> {
    let frontend = root().join("frontend");
    let mut files = files_in(&frontend)?;
    files.extend(files_in(&frontend.join("style"))?);
    files.extend(files_in(&wasm_folder("page")?)?);
    // cargo's own notes in these folders do not matter.
    files.retain(|path| path.is_file() && path.extension().is_none_or(|ending| ending != "d"));
    files.extend(
        [&small.wasm_opt, &small.esbuild]
            .into_iter()
            .flatten()
            .cloned(),
    );
    files.push(bindgen()?.get_program().into());
    files.sort();
    Ok(files)
}

/// Gathers the files of the pages, as trunk does: those that `index.html` names,
/// and a script and a WebAssembly file of each program.
fn gather(dist: &Path) -> anyhow::Result<()> {
    let sources = root().join("frontend");
    if dist.exists() {
        fs::remove_dir_all(dist).with_context(|| dist.display().to_string())?;
    }
    fs::create_dir_all(dist).with_context(|| dist.display().to_string())?;
    let page = read(&sources.join("index.html"))?;
    let mut programs = Vec::new();
    let mut html = String::new();
    for line in page.lines() {
        let Some(link) = Link::of(line) else {
            html += line;
            html.push('\n');
            continue;
        };
        match link.rel {
            "rust" => programs.push(link.program.context("index.html: rust without data-bin")?),
            rel => {
                let from = sources.join(link.href);
                let name = from
                    .file_name()
                    .context("index.html: a file without a name")?;
                fs::copy(&from, dist.join(name)).with_context(|| from.display().to_string())?;
                if let Some(rel) = html_rel(rel)? {
                    let name = name.to_string_lossy();
                    html += &format!("    <link rel=\"{rel}\" href=\"{name}\" />\n");
                }
            }
        }
    }
    let (head, body) = html
        .split_once("  </head>")
        .context("index.html has no </head>")?;
    let html = format!("{head}{STARTS}  </head>{body}");
    fs::write(dist.join("index.html"), html)?;
    let compiled = wasm_folder("page")?;
    let programs = programs
        .iter()
        .map(|name| compiled.join(format!("{name}.wasm")));
    quietly(bindgen()?.arg("--short").arg(dist).args(programs))
}

/// What the dashboard's document loads besides the files that it names.
const STARTS: &str = r#"    <link rel="modulepreload" href="frontend.js" />
    <link rel="preload" href="frontend_bg.wasm" as="fetch" type="application/wasm" crossorigin />
    <script type="module" src="dashboard.js"></script>
"#;

/// A line of `index.html` that is for trunk.
struct Link<'a> {
    rel: &'a str,
    href: &'a str,
    /// The program that is compiled.
    program: Option<&'a str>,
}

impl<'a> Link<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let attribute = |name: &str| {
            let (_, rest) = line.split_once(&format!(" {name}=\""))?;
            rest.split('"').next()
        };
        line.contains("data-trunk").then(|| Self {
            rel: attribute("rel").unwrap_or_default(),
            href: attribute("href").unwrap_or_default(),
            program: attribute("data-bin"),
        })
    }
}

/// The `rel` of a link in the built document; `None` for a file that is only
/// copied.
fn html_rel(rel: &str) -> anyhow::Result<Option<&str>> {
    match rel {
        "css" => Ok(Some("stylesheet")),
        "icon" => Ok(Some("icon")),
        "copy-file" => Ok(None),
        _ => bail!("index.html: rel=\"{rel}\" is not known; rust, css, icon and copy-file are"),
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// Puts the files, and their compressed forms, where the server embeds them.
fn embed(dist: &Path) -> anyhow::Result<Weight> {
    let embedded = embedded();
    let paths = files_in(dist)?;
    // Each on a thread of its own: compressing takes seconds.
    let made = for_each(&paths, |path| {
        let content = fs::read(path).with_context(|| path.display().to_string())?;
        let small = if content.len() >= COMPRESS_BYTES_MIN {
            small::compress(&content)?.into()
        } else {
            Vec::new()
        };
        Ok((content, small))
    })?;
    let had = files_in(&embedded)?.len() - 1;
    let mut names = Vec::new();
    let mut weight = Weight::default();
    for (path, (content, small)) in paths.iter().zip(made) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        replace(&embedded.join(&*name), &content)?;
        names.push(name.to_string());
        let brotli = small.iter().find(|(ending, _)| *ending == "br");
        weight.add(
            &name,
            brotli.map_or(content.len(), |(_, small)| small.len()),
        );
        for (ending, small) in small {
            let name = format!("{name}.{ending}");
            replace(&embedded.join(&name), &small)?;
            names.push(name);
        }
    }
    if remove_others(&embedded, &names)? || had != names.len() {
        notice_other_names()?;
    }
    Ok(weight)
}

/// The files in a folder.
fn files_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// What `act` makes of each file, all at the same time.
fn for_each<T: Send>(
    paths: &[PathBuf],
    act: impl Fn(&Path) -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    thread::scope(|scope| {
        let act = &act;
        let started = paths.iter().map(|path| scope.spawn(move || act(path)));
        let started: Vec<_> = started.collect();
        let ended = started.into_iter().map(|one| {
            let ended = one.join();
            ended.unwrap_or_else(|_| bail!("making a file small panicked"))
        });
        ended.collect()
    })
}

/// Makes the files in `dist` smaller: each `NAME_bg.wasm` with its `NAME.js`,
/// and style sheets.
fn optimise(tools: &Small, dist: &Path) -> anyhow::Result<()> {
    for_each(&files_in(dist)?, |path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(stem) = name.strip_suffix("_bg.wasm") {
            small::optimise(tools, path, &path.with_file_name(format!("{stem}.js")))
        } else if name.ends_with(".css") {
            small::minify(tools, path)
        } else {
            Ok(())
        }
    })
    .map(drop)
}

/// Writes a file, unless it has this content already: an unchanged page does
/// not cause the server to be built again.
fn replace(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    fs::write(path, content).with_context(|| path.display().to_string())
}

/// The sources that embed the page. Cargo notices when an embedded file changes,
/// but not when there is another one.
const EMBEDDERS: [&str; 2] = ["server/src/main.rs", "testkit/src/lib.rs"];

/// Has the page embedded again. A build script of the server would compile all of
/// it again.
fn notice_other_names() -> anyhow::Result<()> {
    for source in EMBEDDERS {
        let file = fs::File::options().append(true).open(root().join(source));
        let file = file.with_context(|| source.to_owned())?;
        file.set_modified(SystemTime::now())?;
    }
    Ok(())
}

/// Removes the files of earlier builds; returns whether there were any.
fn remove_others(folder: &Path, names: &[String]) -> anyhow::Result<bool> {
    let mut removed = false;
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name();
        let keep = name == ".gitkeep" || names.iter().any(|kept| name == kept.as_str());
        if !keep {
            fs::remove_file(entry.path())?;
            removed = true;
        }
    }
    Ok(removed)
}
