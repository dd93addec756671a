//! `bench`: the engine as ratios against named peers, measured in one run on one machine; the library in milliseconds.

mod farm;
mod library;
mod queue;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde_json::Value;

use crate::parity;
use crate::process::{command, output, root, step};
use crate::setup::{self, Tools};

/// What can be measured.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Subject {
    /// The diffusion engine at the shapes of SD 1.5, 512x512, guidance on.
    Engine,
    /// The library's index with 100,000 and 1,000,000 synthetic pictures.
    Library,
    /// The local queue with renderers that take no time, and pictures at once on the CPU.
    Queue,
    /// The render farm on this machine: 1, 2, 4 and 8 workers with renders of a fixed time, and of no time at all.
    Farm,
}

/// One engine at one precision, as its program reported it.
struct Measured {
    engine: &'static str,
    precision: &'static str,
    figures: Value,
}

/// The figures of a row: the key in the programs' JSON, its title, and how many of its units make the shown one.
const COLUMNS: [(&str, &str, f64); 5] = [
    ("step_seconds", "step, s", 1.0),
    ("decode_seconds", "VAE decode, s", 1.0),
    ("text_seconds", "text, s", 1.0),
    ("cold_start_seconds", "cold start to first step, s", 1.0),
    ("peak_rss_bytes", "peak memory, GB", 1e9),
];

/// Where the written part of `BENCHMARKS.md` begins.
const REMARKS: &str = "\n## Remarks";

/// Measures and prints; with `write` also rewrites `BENCHMARKS.md`.
pub(crate) fn run(subject: Subject, steps: u32, write: bool) -> Result<()> {
    match subject {
        Subject::Engine => engine(steps, write),
        Subject::Library => library::run(write),
        Subject::Farm => farm::run_bench(),
        Subject::Queue => queue::run(write),
    }
}

fn engine(steps: u32, write: bool) -> Result<()> {
    let tools = setup::prepare(false)?;
    let python = parity::environment()?;
    let model = parity::model_of_true_size(&python, "sd15")?;
    step("Building the engine's benchmark");
    crate::process::run(tools.cargo().args([
        "build",
        "--release",
        "-p",
        "tarim-diffusion",
        "--example",
        "engine_bench",
    ]))?;
    let ours = tools.program("examples/engine_bench");

    let peer = parity::build_peer(&tools)?;

    let mut groups = Vec::new();
    for precision in ["bf16", "fp32"] {
        // One after another for each precision, so that a machine that grows slower over the run does so for all.
        let prepared = |program| with(&tools, program, &model, precision, steps);
        let script = |name| {
            let mut script = command(&python);
            script.arg(parity::script(name));
            script
        };
        let mut reference = arguments(script("bench_diffusers"), &model, precision, steps);
        let mut group = vec![
            measure("Tarim", precision, &mut prepared(command(&ours)))?,
            measure("HF diffusers", precision, &mut reference)?,
        ];
        if precision == "fp32" {
            let mut script = script("bench_diffusers_rs");
            script.arg("--peer").arg(&peer);
            group.push(measure("diffusers-rs 0.3.1", precision, &mut prepared(script))?);
        }
        groups.push(group);
    }
    let report = report(&groups, steps)?;
    println!("{report}");
    if write {
        let path = root().join("BENCHMARKS.md");
        // What people wrote about earlier figures stays, and so does the library's part.
        let before = fs::read_to_string(&path).unwrap_or_default();
        let remarks = before.find(REMARKS).map_or("", |at| &before[at..]);
        fs::write(&path, report + remarks).with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}

fn with(tools: &Tools, mut program: Command, model: &Path, precision: &str, steps: u32) -> Command {
    tools.libtorch.apply(&mut program);
    arguments(program, model, precision, steps)
}

fn arguments(mut program: Command, model: &Path, precision: &str, steps: u32) -> Command {
    program.args(["--model".as_ref(), model.as_os_str()]);
    program.args(["--precision", precision, "--size", "512", "--steps", &steps.to_string()]);
    program
}

fn measure(engine: &'static str, precision: &'static str, program: &mut Command) -> Result<Measured> {
    step(format!("Measuring {engine} in {precision}"));
    let said = output(program)?;
    let last = said.lines().last().unwrap_or_default();
    let figures = serde_json::from_str(last).with_context(|| format!("{engine} printed no JSON: {last}"))?;
    Ok(Measured { engine, precision, figures })
}

/// The table in Markdown: figures, and under each pair the ratio of ours to the reference's.
fn report(groups: &[Vec<Measured>], steps: u32) -> Result<String> {
    let mut text = format!(
        "# Benchmarks\n\nMade by `cargo xtask bench engine --write`. SD 1.5 shapes, random weights, 512x512, guidance \
         on, {steps} steps timed.\nThe machines are shared: read the ratios, which come from one run, not the \
         seconds.\n\n- machine: {}\n- date: {}\n\n",
        machine(),
        date(),
    );
    let titles = COLUMNS.map(|(_, title, _)| title).join(" | ");
    text += &format!("| engine | precision | {titles} |\n|---|---|{}\n", "---|".repeat(COLUMNS.len()));
    for group in groups {
        let Some((ours, peers)) = group.split_first() else { bail!("nothing was measured") };
        for row in group {
            let cells = COLUMNS.map(|(key, _, unit)| match row.figures[key].as_f64() {
                Some(value) => format!("{:.2}", value / unit),
                None => "-".to_owned(),
            });
            text += &format!("| {} | {} | {} |\n", row.engine, row.precision, cells.join(" | "));
        }
        for peer in peers {
            let ratios =
                COLUMNS.map(|(key, ..)| match (ours.figures[key].as_f64(), peer.figures[key].as_f64()) {
                    (Some(ours), Some(theirs)) => format!("**{:.2}**", ours / theirs),
                    _ => "-".to_owned(),
                });
            text += &format!("| Tarim / {} | {} | {} |\n", peer.engine, ours.precision, ratios.join(" | "));
        }
    }
    text +=
        "\n## The floor\n\nFloating-point operations of a step over the rate measured in the same run.\n\n";
    for row in groups.iter().flatten().filter(|row| row.engine == "Tarim") {
        let number = |key: &str| row.figures[key].as_f64().unwrap_or(f64::NAN);
        text += &format!(
            "- {}: {:.2} TFLOP a step; convolutions at {:.0} GFLOP/s, matrix products at {:.0}; floor {:.2} s, measured \
             {:.2} s\n",
            row.precision,
            number("step_flop") / 1e12,
            number("conv_gflops"),
            number("matmul_gflops"),
            number("floor_seconds"),
            number("step_seconds"),
        );
    }
    Ok(text)
}

fn date() -> String {
    output(command("date").args(["-u", "+%Y-%m-%d"])).unwrap_or_default()
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpu = fs::read_to_string(PathBuf::from("/proc/cpuinfo")).unwrap_or_default();
    let name = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
    format!("{}, {cores} cores", name.trim_start_matches([' ', '\t', ':']))
}
