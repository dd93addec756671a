//! What the operating system must provide: a C++ compiler, disk space.

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

/// Installs a Debian package when this is Debian and we are root; otherwise says exactly what to type.
pub(crate) fn install(package: &str, what: &str) -> Result<()> {
    let debian = Path::new("/etc/debian_version").exists();
    if !debian {
        bail!("{what} is missing\nhint: install your system's package for it (Debian: {package})");
    }
    if !is_root() {
        bail!("{what} is missing\nhint: run `sudo apt-get install {package}` and try again");
    }
    step(format!("Installing {what}: apt-get install {package}"));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        run(&mut command)
    };
    apt(&["update", "-q"])?;
    apt(&["install", "-y", "-q", "--no-install-recommends", package])
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
