//! `bench queue`: what the local queue costs beside rendering, and what rendering several pictures at once gains on a CPU.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use super::library::with_part;
use super::{date, machine};
use crate::process::{cargo, output, root, run as must, step};

/// The part of `BENCHMARKS.md` that is written.
const HEADING: &str = "## The queue\n";

/// Measures and prints; with `write` also puts the tables into `BENCHMARKS.md`.
pub(super) fn run(write: bool) -> Result<()> {
    step("Building the queue's benchmark");
    must(cargo().args(["build", "--release", "-p", "tarim-render", "--bin", "tarim-fake-renderer"]))?;
    let fake = root().join("target/release/tarim-fake-renderer");
    let measure = |package: &str, example: &str, argument: &std::path::Path| -> Result<Value> {
        let said = output(
            cargo()
                .args(["run", "--release", "--quiet", "-p", package, "--example", example, "--"])
                .arg(argument),
        )?;
        serde_json::from_str(&said).with_context(|| format!("{example} printed no JSON: {said}"))
    };
    step("Measuring the queue with renderers that take no time");
    let queue = measure("tarim-studio", "queue_bench", &fake)?;
    step("Measuring pictures at once with the starter model");
    let batch = measure("tarim-diffusion", "batch_bench", &root().join("models/starter"))?;
    let report = report(&queue, &batch);
    println!("{report}");
    if write {
        let path = root().join("BENCHMARKS.md");
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(&path, with_part(&before, HEADING, &report))
            .with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}

fn report(queue: &Value, batch: &Value) -> String {
    let mut text = format!(
        "{HEADING}\nMade by `cargo xtask bench queue --write`: pictures a second through the whole local queue with renderers\n\
         that take no time, from the claim to a synced file and a row that says so.\n\n- machine: {}\n- date: {}\n\n\
         | | picture | renderer within | renderer process |\n|---|---|---|---|\n",
        machine(),
        date()
    );
    for row in queue["rows"].as_array().into_iter().flatten() {
        let (what, side) = (row["what"].as_str().unwrap_or_default(), &row["side"]);
        text += &format!(
            "| {what} | {side}x{side} | {} | {} |\n",
            number(&row["within"]),
            number(&row["processes"])
        );
    }
    text += "\n### Pictures at once\n\nThe starter model on the CPU, 128x128 in 10 steps with guidance, pictures a second:\n\n\
             | share a call | fp32 | bf16 |\n|---|---|---|\n";
    let rate = |precision: &str, together: u64| {
        let rows = batch["rows"].as_array().into_iter().flatten();
        let found = rows
            .filter(|row| row["precision"] == precision && row["together"] == together)
            .map(|row| number(&row["pictures_per_second"]))
            .next();
        found.unwrap_or_default()
    };
    for together in [1, 2, 4, 8] {
        text += &format!("| {together} | {} | {} |\n", rate("fp32", together), rate("bf16", together));
    }
    text
}

fn number(value: &Value) -> String {
    let number = value.as_f64().unwrap_or(f64::NAN);
    if number < 10.0 { format!("{number:.2}") } else { format!("{number:.0}") }
}
