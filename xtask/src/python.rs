//! Finding Python and pip, and virtual environments for the reference programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{command, output, run, step, succeeds};
use crate::system;

/// The oldest Python that PyPI's torch 2.11 supports.
const OLDEST: (u32, u32) = (3, 10);

/// A Python that has pip.
pub(crate) struct Python {
    program: PathBuf,
    version: (u32, u32),
}

impl Python {
    /// The first Python on the path that is new enough.
    pub(crate) fn find() -> Result<Self> {
        let names = if cfg!(windows) { ["python", "py"] } else { ["python3", "python"] };
        let mut too_old = None;
        for name in names {
            match version(Path::new(name)) {
                Some(version) if version >= OLDEST => return Ok(Self { program: name.into(), version }),
                Some((major, minor)) => too_old = Some(format!("{name} is {major}.{minor}")),
                None => {}
            }
        }
        let (major, minor) = OLDEST;
        match too_old {
            Some(found) => bail!(
                "Python {major}.{minor} or newer is needed to fetch libtorch; {found}\nhint: install a newer Python \
                 from your system's packages or python.org"
            ),
            None => bail!(
                "Python is missing; its package installer fetches libtorch\nhint: install Python {major}.{minor} or \
                 newer (Debian, Ubuntu: `sudo apt-get install python3 python3-pip python3-venv`), or set LIBTORCH to \
                 a libtorch {} you have",
                crate::libtorch::VERSION
            ),
        }
    }

    /// `python -m pip`, after making sure that there is one.
    pub(crate) fn pip(&self) -> Result<Command> {
        if !succeeds(command(&self.program).args(["-m", "pip", "--version"])) {
            let missing = "pip, Python's package installer,";
            if cfg!(target_os = "linux") {
                system::install("python3-pip", missing)?;
            } else {
                bail!("{missing} is missing\nhint: run `{} -m ensurepip`", self.program.display());
            }
        }
        Ok(self.module("pip"))
    }

    /// Version as "3.11", for pip's `--python-version`.
    pub(crate) fn version(&self) -> String {
        format!("{}.{}", self.version.0, self.version.1)
    }

    /// `python -m NAME`.
    fn module(&self, name: &str) -> Command {
        let mut command = command(&self.program);
        command.args(["-m", name]);
        command
    }

    /// A virtual environment in `folder`, made when it is not there.
    pub(crate) fn environment(&self, folder: &Path) -> Result<PathBuf> {
        let inside = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
        let program = folder.join(inside);
        if !succeeds(command(&program).args(["-m", "pip", "--version"])) {
            step(format!("Making a Python environment in {}", folder.display()));
            if !succeeds(self.module("venv").arg("--help")) {
                system::install("python3-venv", "Python's venv module")?;
            }
            run(self.module("venv").arg("--clear").arg(folder)).context(
                "could not make a virtual environment (Debian, Ubuntu: `apt-get install python3-venv`)",
            )?;
        }
        Ok(program)
    }
}

fn version(program: &Path) -> Option<(u32, u32)> {
    let said = output(command(program).args(["-c", "import sys; print(*sys.version_info[:2])"])).ok()?;
    let (major, minor) = said.split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Turns a failure of pip into what the user can do about it.
pub(crate) fn explain_pip(error: anyhow::Error, what: &str) -> anyhow::Error {
    error.context(format!(
        "{what} could not be fetched with pip; its own message is above\nhint: if it says that no version was found or \
         that a connection failed, check the network or the mirror that `pip config list` names; run this again to go \
         on where it stopped"
    ))
}
