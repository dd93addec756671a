//! The farm's throughput, measured by an example of its crate against a server of its own.

use anyhow::Result;

use crate::nats;
use crate::process::{cargo, run, step};

/// Builds and runs it; it prints its table.
pub(crate) fn run_bench() -> Result<()> {
    let server = nats::find_or_fetch()?;
    step("Measuring the farm");
    let mut bench = cargo();
    bench.args(["run", "--release", "--quiet", "-p", "tarim-farm", "--example", "farm_bench"]);
    run(bench.env("TARIM_NATS_SERVER", server))
}
