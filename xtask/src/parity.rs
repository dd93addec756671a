//! `parity`: the reference programs (HF diffusers, transformers, k-diffusion) beside ours.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::process::{self, command, output, root, step};
use crate::python::{Python, explain_pip};
use crate::setup::{self, Tools};
use crate::{system, test};

/// What makes the recordings in `tests/goldens`, in the order in which they need each other.
const RECORDERS: [&str; 8] =
    ["models", "nets", "sampling", "prompt", "templates", "tokenizer", "infotext", "pictures"];

/// Records the reference's outputs (unless told not to) and runs our comparisons with them.
pub(crate) fn run(full: bool, peers: bool, record: bool) -> Result<()> {
    let tools = setup::prepare(false)?;
    if record || full || peers {
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
        if peers {
            compare_peers(&tools, &python)?;
        }
        if full {
            compare_full(&tools, &python)?;
        }
    }
    test::recordings(&tools)
}

/// `tarim render` beside diffusers-rs.
fn compare_peers(tools: &Tools, python: &Path) -> Result<()> {
    step("Comparing with diffusers-rs 0.3.1");
    let peer = build_peer(tools)?;
    tools.build()?;
    let mut compare = command(python);
    tools.libtorch.apply(&mut compare);
    process::run(compare.arg(script("peers")).arg(peer).arg(tools.program("tarim")))
}

/// Builds diffusers-rs' program, optimised; returns its path.
pub(crate) fn build_peer(tools: &Tools) -> Result<PathBuf> {
    let workspace = root().join("tests/peers");
    let mut cargo = tools.cargo();
    cargo.current_dir(&workspace).args(["build", "--release", "--target-dir"]).arg(workspace.join("target"));
    process::run(&mut cargo)?;
    let name = format!("peer-diffusers-rs{}", std::env::consts::EXE_SUFFIX);
    Ok(workspace.join("target/release").join(name))
}

/// Whole pictures of models of true size, live.
fn compare_full(tools: &Tools, python: &Path) -> Result<()> {
    for shape in ["sd15", "sd21"] {
        model_of_true_size(python, shape)?;
    }
    step("Comparing at the shapes of SD 1.5 and SD 2.1");
    tools.build()?;
    let mut compare = command(python);
    tools.libtorch.apply(&mut compare);
    compare.arg(script("full")).arg(models()).arg("--tarim").arg(tools.program("tarim"));
    process::run(&mut compare)
}

/// The folder of a model with the shapes of `sd15` or `sd21` and random weights, made when it is not there.
pub(crate) fn model_of_true_size(python: &Path, shape: &str) -> Result<PathBuf> {
    let model = models().join(shape);
    if !model.join("model_index.json").exists() {
        std::fs::create_dir_all(&model)?;
        system::disk_space(&model, 8.0, "a model of true size")?;
        step(format!("Making a model of {shape}'s shapes with random weights"));
        process::run(command(python).arg(script("full_models")).arg(&model).arg(shape))?;
    }
    Ok(model)
}

fn models() -> PathBuf {
    root().join(".deps").join("models")
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
