//! What the operating system must provide: a C++ compiler, the window's libraries, browsers for tests, disk space.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{run, step, succeeds};

/// A C++ compiler for the bindings to libtorch; installed where that needs no password, else named.
pub(crate) fn compiler() -> Result<()> {
    if cfg!(windows) {
        return Ok(()); // rustc's own MSVC toolchain brings cl.exe, and `cc` finds it
    }
    let named = std::env::var("CXX").ok();
    let found = named.iter().map(String::as_str).chain(["c++", "g++", "clang++"]).find(|name| answers(name));
    match found {
        Some(name) => {
            step(format!("C++ compiler: {name}"));
            Ok(())
        }
        None if cfg!(target_os = "macos") => {
            bail!("no C++ compiler found\nhint: run `xcode-select --install` and try again")
        }
        None => install("build-essential", "a C++ compiler"),
    }
}

/// A thing that a package brings: how to tell that it is there, and the Debian package.
type Need = (fn() -> bool, &'static str);

/// What the window is built with on Linux; macOS and Windows bring theirs.
const WINDOW: [Need; 2] = [
    (|| answers("pkg-config"), "pkg-config"),
    (|| succeeds(Command::new("pkg-config").args(["--exists", "webkit2gtk-4.1"])), "libwebkit2gtk-4.1-dev"),
];

/// What the tests of window and browser UI are driven with.
const TESTS: [Need; 4] = [
    (|| on_path("chromium"), "chromium"),
    (|| on_path("Xvfb"), "xvfb"),
    (|| on_path("WebKitWebDriver"), "webkit2gtk-driver"),
    (has_chinese_font, "fonts-noto-cjk"),
];

/// The libraries that the window is built with; installed where that needs no password, else named.
pub(crate) fn window() -> Result<()> {
    if cfg!(target_os = "linux") { needs(&WINDOW, "what the window is built with") } else { Ok(()) }
}

/// Browsers, a virtual screen and a font for the tests of the UI; installed where that needs no password, else named.
pub(crate) fn browsers() -> Result<()> {
    if cfg!(target_os = "linux") { needs(&TESTS, "what the UI's tests are driven with") } else { Ok(()) }
}

fn needs(all: &[Need], what: &str) -> Result<()> {
    let missing: Vec<&str> = all.iter().filter(|(there, _)| !there()).map(|(_, package)| *package).collect();
    if missing.is_empty() { Ok(()) } else { install(&missing.join(" "), what) }
}

/// Not every program answers `--version`, and some open a window when asked.
fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn has_chinese_font() -> bool {
    crate::process::output(Command::new("fc-list").arg(":lang=zh")).is_ok_and(|fonts| !fonts.is_empty())
}

/// Installs Debian packages when this is Debian and we are root; otherwise says exactly what to type.
pub(crate) fn install(packages: &str, what: &str) -> Result<()> {
    let debian = Path::new("/etc/debian_version").exists();
    if !debian {
        bail!("{what} is missing\nhint: install your system's packages for it (Debian: {packages})");
    }
    if !is_root() {
        bail!("{what} is missing\nhint: run `sudo apt-get install {packages}` and try again");
    }
    step(format!("Installing {what}: apt-get install {packages}"));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        run(&mut command)
    };
    apt(&["update", "-q"])?;
    let names = packages.split(' ');
    apt(&["install", "-y", "-q", "--no-install-recommends"].into_iter().chain(names).collect::<Vec<_>>())
        .with_context(|| format!("{what} could not be installed; see apt-get's message above"))
}

/// Fails when the file system that holds `folder` has less than `gigabytes` left.
pub(crate) fn disk_space(folder: &Path, gigabytes: f64, what: &str) -> Result<()> {
    let free = fs4::available_space(folder)
        .with_context(|| format!("could not ask for the free space of {}", folder.display()))?;
    let free = free as f64 / 1e9;
    if free < gigabytes {
        bail!(
            "{what} needs {gigabytes} GB of disk space; {free:.1} GB are free\nhint: make room on the disk that \
             holds {}",
            folder.display()
        );
    }
    Ok(())
}

fn answers(program: &str) -> bool {
    succeeds(Command::new(program).arg("--version"))
}

fn is_root() -> bool {
    crate::process::output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0")
}
