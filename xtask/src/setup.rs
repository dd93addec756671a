//! `setup`: everything a fresh machine lacks, then the two programs built.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::libtorch::Libtorch;
use crate::process::{cargo, root, step};
use crate::system;

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

    /// Builds `tarim` and `tarim-renderer` optimised.
    pub(crate) fn build(&self) -> Result<()> {
        step("Building tarim and tarim-renderer");
        crate::process::run(self.cargo().args([
            "build",
            "--release",
            "-p",
            "tarim-cli",
            "-p",
            "tarim-renderer",
        ]))
    }

    /// A program that [`Tools::build`] built.
    #[allow(clippy::unused_self)] // proof that there are tools to have built it with
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
        root().join(target).join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}
