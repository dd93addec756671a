//! `parity`: the reference programs (HF diffusers, transformers, k-diffusion) beside ours.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::process::{self, command, output, root, step};
use crate::python::{Python, explain_pip};
use crate::setup;
use crate::{system, test};

/// What makes the recordings in `tests/goldens`, in the order in which they need each other.
const RECORDERS: [&str; 6] = ["models", "sampling", "prompt", "tokenizer", "infotext", "pictures"];

/// Records the reference's outputs (unless told not to) and runs our comparisons with them.
pub(crate) fn run(full: bool, record: bool) -> Result<()> {
    let tools = setup::prepare(false)?;
    if record || full {
        let python = environment()?;
        if record {
            for name in RECORDERS {
                step(format!("Recording tests/goldens from tests/parity/{name}.py"));
                process::run(command(&python).arg(script(name)))?;
            }
            let changed = output(command("git").args(["status", "--short", "--", "tests/goldens"]))?;
            if changed.is_empty() {
                step("The recordings are as they were");
            } else {
                step(format!("Recordings that changed; look at them before committing:\n{changed}"));
            }
        }
        if full {
            let models = root().join(".deps").join("models");
            system::disk_space(&root(), 20.0, "comparing at full size")?;
            step("Comparing at the shapes of SD 1.5 and SD 2.1");
            process::run(command(&python).arg(script("full_models")).arg(&models))?;
            tools.build()?;
            let mut compare = command(&python);
            tools.libtorch.apply(&mut compare);
            compare.arg(script("full")).arg(&models).arg("--tarim").arg(tools.program("tarim"));
            process::run(&mut compare)?;
        }
    }
    test::recordings(&tools)
}

/// The reference environment's Python, with the packages of `tests/parity/requirements.txt`.
pub(crate) fn environment() -> Result<PathBuf> {
    let folder = root().join(".deps").join("parity");
    let requirements = root().join("tests/parity/requirements.txt");
    if !folder.exists() {
        std::fs::create_dir_all(root().join(".deps"))?;
        system::disk_space(&root(), 14.0, "the reference environment (torch with its CUDA libraries)")?;
    }
    let python = Python::find()?.environment(&folder)?;
    step("Reference environment: pip install -r tests/parity/requirements.txt");
    process::run(
        command(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(&requirements),
    )
    .map_err(|error| explain_pip(error, "the reference environment"))?;
    Ok(python)
}

/// The path of a script of `tests/parity`.
pub(crate) fn script(name: &str) -> PathBuf {
    root().join(Path::new("tests/parity").join(name)).with_extension("py")
}
