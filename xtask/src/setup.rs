//! `setup`: everything a fresh machine lacks, then the programs built.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::libtorch::Libtorch;
use crate::process::{cargo, root, step};
use crate::{system, ui};

/// Prepares the machine and builds; every part is skipped when it is there already.
pub(crate) fn run(cuda: bool) -> Result<()> {
    let tools = prepare(cuda)?;
    tools.build()?;
    step(format!("Ready: {}", tools.program("tarim").display()));
    Ok(())
}

/// Compiler and libtorch, found or installed.
pub(crate) fn prepare(cuda: bool) -> Result<Tools> {
    system::compiler()?;
    Ok(Tools { libtorch: Libtorch::find_or_fetch(cuda)? })
}

/// What building and running Tarim needs.
pub(crate) struct Tools {
    pub(crate) libtorch: Libtorch,
}

impl Tools {
    /// `cargo`, building and running with our libtorch.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = cargo();
        self.libtorch.apply(&mut cargo);
        cargo
    }

    /// Builds `tarim` and `tarim-renderer` optimised, with the UI inside.
    pub(crate) fn build(&self) -> Result<()> {
        ui::build()?;
        step("Building tarim and tarim-renderer");
        run_cargo(self, &["build", "--release", "-p", "tarim-cli", "-p", "tarim-renderer"])
    }

    /// Builds the window, `tarim-studio`, optimised.
    pub(crate) fn build_window(&self) -> Result<()> {
        system::window()?;
        ui::build()?;
        step("Building the window");
        // Without this feature the window would look for a development server.
        run_cargo(self, &["build", "--release", "-p", "tarim-desktop", "--features", "tauri/custom-protocol"])
    }

    /// A program that [`Tools::build`] built.
    #[allow(clippy::unused_self)] // proof that there are tools to have built it with
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
        root().join(target).join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

fn run_cargo(tools: &Tools, arguments: &[&str]) -> Result<()> {
    crate::process::run(tools.cargo().args(arguments))
}
