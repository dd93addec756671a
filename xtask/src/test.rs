//! `test`: formatting, lints, tests; the whole of what CI runs.

use anyhow::{Context, Result};

use crate::process::{self, cargo, output, root, step, succeeds};
use crate::setup::{self, Tools};
use crate::{system, ui};

/// The crates that need libtorch to build or to run; the rest is the everyday loop.
pub(crate) const WITH_LIBTORCH: [&str; 3] = ["tarim-diffusion", "tarim-renderer", "tarim-acceptance"];

/// The window, which needs the system's web view to build.
const WINDOW: &str = "tarim-desktop";

/// Runs everything, or (`fast`) everything that needs no libtorch and no window.
pub(crate) fn run(fast: bool) -> Result<()> {
    step("Formatting");
    process::run(cargo().args(["fmt", "--all", "--check"])).context("run `cargo fmt --all`")?;
    if fast {
        everyday(&mut || cargo())?;
        return ui::check();
    }
    // Everything that may have to be installed, before anything takes time.
    let tools = setup::prepare(false)?;
    system::window()?;
    system::browsers()?;
    ui::build()?;
    everyday(&mut || tools.cargo())?;
    ui::check()?;
    with_libtorch(&tools)?;
    end_to_end()
}

fn everyday(cargo: &mut dyn FnMut() -> std::process::Command) -> Result<()> {
    let without: Vec<&str> =
        WITH_LIBTORCH.iter().chain([&WINDOW]).flat_map(|name| ["--exclude", *name]).collect();
    step("Lints, without libtorch and window");
    let mut clippy = cargo();
    clippy.args(["clippy", "--workspace", "--all-targets"]).args(&without).args(["--", "-D", "warnings"]);
    process::run(&mut clippy)?;
    crate::nats::find_or_fetch()?;
    step("Tests, without libtorch and window");
    tests(cargo(), &["--workspace"], &without)?;
    step("Documentation examples");
    process::run(cargo().args(["test", "--doc", "--quiet", "--workspace"]).args(&without))
}

fn with_libtorch(tools: &Tools) -> Result<()> {
    let packages: Vec<&str> = WITH_LIBTORCH.iter().flat_map(|name| ["-p", *name]).collect();
    step("Lints, with libtorch and window");
    process::run(
        tools
            .cargo()
            .args(["clippy", "--all-targets", "-p", WINDOW])
            .args(&packages)
            .args(["--", "-D", "warnings"]),
    )?;
    step("Programs");
    process::run(tools.cargo().args(["build", "-p", "tarim-cli", "-p", "tarim-renderer", "-p", WINDOW]))?;
    step("Tests, with libtorch");
    tests(tools.cargo(), &packages, &[])
}

/// The programs as people meet them: the UI in Chromium, the window through WebDriver.
fn end_to_end() -> Result<()> {
    let folder = root().join("tests/e2e");
    ui::packages(&folder)?;
    step("End to end");
    process::run(&mut ui::npm(&folder, &["run", "check"]))?;
    process::run(&mut ui::npm(&folder, &["test"]))
}

/// Has the test that compares the UI's types with the contract write them instead.
pub(crate) fn types() -> Result<()> {
    step("TypeScript of the contract");
    process::run(
        cargo()
            .args(["test", "--quiet", "-p", "tarim-api", "--test", "contract"])
            .env("TARIM_WRITE_TYPES", "1"),
    )
}

/// Runs tests with cargo-nextest where it is installed, which is faster and says more, else with `cargo test`.
fn tests(mut cargo_with: std::process::Command, packages: &[&str], more: &[&str]) -> Result<()> {
    if succeeds(cargo().args(["nextest", "--version"])) {
        process::run(cargo_with.args(["nextest", "run", "--no-fail-fast"]).args(packages).args(more))
    } else {
        eprintln!("    (cargo-nextest is not installed; using cargo test)");
        process::run(
            cargo_with
                .args(["test", "--no-fail-fast", "--lib", "--bins", "--tests"])
                .args(packages)
                .args(more),
        )
    }
}

/// Licences, sources and bans of all dependencies. Advisories are not asked for: their database is on another network.
pub(crate) fn deny() -> Result<()> {
    if output(cargo().args(["deny", "--version"])).is_err() {
        step("Installing cargo-deny");
        process::run(cargo().args(["install", "--locked", "cargo-deny"]))?;
    }
    process::run(cargo().args(["deny", "check", "bans", "licenses", "sources"]))
}

/// The tests that compare with the reference's recordings.
pub(crate) fn recordings(tools: &Tools) -> Result<()> {
    step("Comparing with the recordings");
    let packages = ["recipe", "tokenizer", "sampling", "checkpoint", "library", "diffusion"]
        .map(|n| format!("tarim-{n}"));
    let packages: Vec<&str> = packages.iter().flat_map(|name| ["-p", name.as_str()]).collect();
    tests(tools.cargo(), &packages, &[])
}
