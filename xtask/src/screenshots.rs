//! `screenshots`: pictures of every view, for the README and to be looked at.

use anyhow::Result;

use crate::process::{self, root, step};
use crate::{setup, system, ui};

/// Builds the programs and takes the pictures: the README's go to `docs/screenshots`, all to `target/screenshots`.
pub(crate) fn run() -> Result<()> {
    let tools = setup::prepare(false)?;
    system::browsers()?;
    ui::build()?;
    step("Programs");
    process::run(tools.cargo().args(["build", "-p", "tarim-cli", "-p", "tarim-renderer"]))?;
    let folder = root().join("tests/e2e");
    ui::packages(&folder)?;
    step("Screenshots");
    process::run(&mut ui::npm(&folder, &["run", "screenshots"]))
}
