//! The web UI: its packages, its build, its checks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::process::{command, output, root, run, step};

/// The oldest Node.js that the UI's tools run on.
const OLDEST_NODE: (u32, u32) = (20, 19);

fn folder() -> PathBuf {
    root().join("ui")
}

/// `npm` with arguments, in a folder of the repository that has a `package.json`.
pub(crate) fn npm(folder: &Path, arguments: &[&str]) -> Command {
    // On Windows npm is a batch file, which is found only by its full name.
    let mut npm = command(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.current_dir(folder).args(arguments);
    npm
}

/// Fails with what to do when Node.js or npm is missing or too old.
fn node() -> Result<()> {
    const HINT: &str = "hint: install Node.js 20 or later with npm (Debian and Ubuntu: `apt-get install nodejs npm` where \
         that gives 20 or later, else from nodejs.org) and try again";
    let Ok(version) = output(command("node").arg("--version")) else {
        bail!("Node.js is missing; the UI is built with it\n{HINT}");
    };
    let mut parts = version.trim_start_matches('v').split('.').map(|part| part.parse().unwrap_or(0));
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if found < OLDEST_NODE {
        let (major, minor) = OLDEST_NODE;
        bail!("Node.js is {version}; the UI's tools need {major}.{minor} or later\n{HINT}");
    }
    if output(&mut npm(&root(), &["--version"])).is_err() {
        bail!("npm is missing; it comes with Node.js\n{HINT}");
    }
    Ok(())
}

/// Installs the packages that a folder's lock file names, unless they are there.
pub(crate) fn packages(folder: &Path) -> Result<()> {
    node()?;
    // npm writes this file last; it is as new as what was installed.
    let installed = modified(&folder.join("node_modules/.package-lock.json"));
    let wanted = modified(&folder.join("package-lock.json"));
    if installed.is_some() && installed >= wanted {
        return Ok(());
    }
    step(format!("Packages of {}: npm ci", folder.strip_prefix(root()).unwrap_or(folder).display()));
    run(&mut npm(folder, &["ci", "--no-audit", "--no-fund"]))
        .context("the packages could not be installed; npm's message above says why")
}

/// Builds `ui/dist`, unless it is newer than everything it is made of.
pub(crate) fn build() -> Result<()> {
    let folder = folder();
    packages(&folder)?;
    let built = modified(&folder.join("dist/index.html"));
    let newest = ["src", "public", "index.html", "package-lock.json", "vite.config.ts", "svelte.config.js"]
        .iter()
        .filter_map(|part| newest(&folder.join(part)))
        .max();
    if built.is_some() && built >= newest {
        return Ok(());
    }
    step("Building the UI");
    run(&mut npm(&folder, &["run", "build"]))
}

/// Types, lints and component tests.
pub(crate) fn check() -> Result<()> {
    let folder = folder();
    packages(&folder)?;
    for (name, script) in [("types", "check"), ("lints", "lint"), ("component tests", "test")] {
        step(format!("The UI's {name}"));
        run(&mut npm(&folder, &["run", script]))?;
    }
    Ok(())
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}

/// The time of the latest change below a path.
fn newest(path: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter_map(|entry| newest(&entry.path())).chain(modified(path)).max()
}
