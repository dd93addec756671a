//! Finding or fetching the libtorch that our bindings were made for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{root, run, step};
use crate::python::{Python, explain_pip};
use crate::system;

/// The version that `tch` 0.24 binds to. Another one would fail to link, or worse, link.
pub(crate) const VERSION: &str = "2.11.0";

/// The two packages beside PyPI's `torch` without which its CPU library does not load on Linux: it is built with
/// profiling hooks for CUDA. Versions as torch 2.11.0 requires them.
const LINUX_COMPANIONS: [&str; 2] = ["nvidia-cuda-runtime==13.0.96", "nvidia-cuda-cupti==13.0.85"];

/// Which build to fetch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    Cpu,
    Cuda,
}

impl Build {
    /// The git-ignored folder that holds it, below the root.
    fn folder(self) -> PathBuf {
        let kind = if self == Build::Cuda { "cuda" } else { "cpu" };
        root().join(".deps").join(format!("libtorch-{VERSION}-{kind}"))
    }
}

/// A libtorch folder that fits: it holds `lib` and `include`.
#[derive(Clone)]
pub(crate) struct Libtorch(pub(crate) PathBuf);

impl Libtorch {
    /// The user's own (`LIBTORCH`), one fetched earlier, or one fetched now. Asking for CUDA makes sure of that build.
    pub(crate) fn find_or_fetch(cuda: bool) -> Result<Self> {
        if let Some(named) = named_by_environment() {
            check(&named).with_context(|| {
                format!(
                    "LIBTORCH is set to {} and cannot be used\nhint: point it at a libtorch {VERSION} folder, or unset \
                     it to have one fetched",
                    named.display()
                )
            })?;
            step(format!("libtorch {VERSION}: {} (from LIBTORCH)", named.display()));
            return Ok(Self(named));
        }
        let wanted = if cuda { &[Build::Cuda][..] } else { &[Build::Cuda, Build::Cpu] };
        if let Some(found) =
            wanted.iter().map(|b| b.folder().join("torch")).find(|folder| check(folder).is_ok())
        {
            step(format!("libtorch {VERSION}: {}", found.display()));
            return Ok(Self(found));
        }
        fetch(if cuda { Build::Cuda } else { Build::Cpu })
    }

    /// Makes `command` and its children build and run with this libtorch.
    pub(crate) fn apply(&self, command: &mut Command) {
        command.env("LIBTORCH", &self.0);
        // As the renderer runs: threads that wait asleep, so that tests do not crawl on a machine that does other work.
        command.env("OMP_WAIT_POLICY", "passive");
        let variable = if cfg!(windows) {
            "PATH"
        } else if cfg!(target_os = "macos") {
            "DYLD_LIBRARY_PATH"
        } else {
            "LD_LIBRARY_PATH"
        };
        let before = std::env::var_os(variable).unwrap_or_default();
        let paths = std::iter::once(self.0.join("lib")).chain(std::env::split_paths(&before));
        if let Ok(joined) = std::env::join_paths(paths.filter(|p| !p.as_os_str().is_empty())) {
            command.env(variable, joined);
        }
    }
}

/// `LIBTORCH` from the user's environment. Cargo itself sets the variable to the folder that `setup` fills
/// (`.cargo/config.toml`), which is no choice of the user's.
fn named_by_environment() -> Option<PathBuf> {
    let named = PathBuf::from(std::env::var_os("LIBTORCH").filter(|value| !value.is_empty())?);
    (!named.starts_with(root().join(".deps"))).then_some(named)
}

/// Why `folder` is not the libtorch we need, or nothing.
pub(crate) fn check(folder: &Path) -> Result<()> {
    if !folder.is_dir() {
        bail!("there is no such folder");
    }
    let library = match () {
        () if cfg!(windows) => "lib/torch_cpu.lib",
        () if cfg!(target_os = "macos") => "lib/libtorch_cpu.dylib",
        () => "lib/libtorch_cpu.so",
    };
    for needed in [library, "include/torch/csrc/api/include/torch/torch.h"] {
        if !folder.join(needed).exists() {
            bail!("it is not a libtorch: {needed} is not in it");
        }
    }
    let Some(version) = version(folder) else {
        bail!("its version cannot be told: neither build-version nor version.py is in it");
    };
    // A wheel says "2.11.0+cu130", a zip from pytorch.org "2.11.0+cpu".
    if version.split('+').next() != Some(VERSION) {
        bail!("it is libtorch {version}; {VERSION} is needed");
    }
    Ok(())
}

fn version(folder: &Path) -> Option<String> {
    if let Ok(version) = fs::read_to_string(folder.join("build-version")) {
        return Some(version.trim().to_owned());
    }
    let python = fs::read_to_string(folder.join("version.py")).ok()?;
    let line = python.lines().find(|line| line.starts_with("__version__"))?;
    Some(line.split('\'').nth(1)?.to_owned())
}

/// Fetches wheels one by one (each stays when a later one fails), unpacks them beside the final folder and renames
/// the result, so that an interrupted run never leaves half a libtorch under the final name.
fn fetch(build: Build) -> Result<Libtorch> {
    let folder = build.folder();
    let deps = root().join(".deps");
    let wheels = deps.join("wheels");
    fs::create_dir_all(&wheels).with_context(|| format!("could not make {}", wheels.display()))?;
    let (gigabytes, size) = if build == Build::Cuda { (14.0, "2.5 GB") } else { (3.0, "530 MB") };
    system::disk_space(&deps, gigabytes, "libtorch")?;
    let python = Python::find()?;
    step(format!("Fetching libtorch {VERSION} ({size}) with pip into {}", folder.display()));

    let torch = format!("torch=={VERSION}");
    let companions =
        if cfg!(target_os = "linux") && cfg!(target_arch = "x86_64") { &LINUX_COMPANIONS[..] } else { &[] };
    let packages: Vec<&str> = match build {
        Build::Cpu => std::iter::once(torch.as_str()).chain(companions.iter().copied()).collect(),
        Build::Cuda => vec![&torch],
    };
    for package in &packages {
        let mut pip = python.pip()?;
        pip.args(["download", "--disable-pip-version-check", "--only-binary=:all:"]);
        pip.args(["--python-version", &python.version(), "--dest"]).arg(&wheels);
        if build == Build::Cpu {
            pip.arg("--no-deps");
        }
        run(pip.arg(package)).map_err(|error| explain_pip(error, package))?;
    }
    step("Unpacking");
    let partial = folder.with_extension("partial");
    remove(&partial)?;
    let mut pip = python.pip()?;
    pip.args([
        "install",
        "--disable-pip-version-check",
        "--quiet",
        "--no-index",
        "--no-compile",
        "--find-links",
    ]);
    pip.arg(&wheels).arg("--target").arg(&partial);
    if build == Build::Cpu {
        pip.arg("--no-deps");
    }
    run(pip.args(&packages)).map_err(|error| explain_pip(error, "libtorch"))?;
    remove(&folder)?;
    fs::rename(&partial, &folder).with_context(|| format!("could not rename {}", partial.display()))?;
    remove(&wheels)?;
    let torch = folder.join("torch");
    check(&torch).with_context(|| format!("what pip installed in {} does not fit", torch.display()))?;
    Ok(Libtorch(torch))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("could not remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_that_does_not_fit_is_refused_with_the_reason() {
        let library = if cfg!(windows) {
            "lib/torch_cpu.lib"
        } else if cfg!(target_os = "macos") {
            "lib/libtorch_cpu.dylib"
        } else {
            "lib/libtorch_cpu.so"
        };
        let header = "include/torch/csrc/api/include/torch/torch.h";
        let reason = |files: &[(&str, &str)]| check(made(files).path()).map_err(|error| error.to_string());
        assert_eq!(reason(&[]), Err(format!("it is not a libtorch: {library} is not in it")));
        assert_eq!(reason(&[(library, "")]), Err(format!("it is not a libtorch: {header} is not in it")));
        assert_eq!(
            reason(&[(library, ""), (header, "")]),
            Err("its version cannot be told: neither build-version nor version.py is in it".to_owned())
        );
        assert_eq!(
            reason(&[(library, ""), (header, ""), ("build-version", "2.6.0+cpu\n")]),
            Err("it is libtorch 2.6.0+cpu; 2.11.0 is needed".to_owned())
        );
        assert_eq!(reason(&[(library, ""), (header, ""), ("build-version", "2.11.0+cpu\n")]), Ok(()));
        let wheel = ("version.py", "from typing import Optional\n__version__ = '2.11.0+cu130'\n");
        assert_eq!(reason(&[(library, ""), (header, ""), wheel]), Ok(()));
        assert_eq!(check(Path::new("/no/such/folder")).unwrap_err().to_string(), "there is no such folder");
    }
}
