//! `studio`: from a fresh machine to a picture.

use anyhow::Result;

use crate::process::{self, command, root, step};
use crate::setup;

/// A prompt that shows what the starter model is for.
const FIRST: &str = "avatar of an orange fox with a crown and sunglasses, purple background";

/// Sets up, renders with the starter model and shows where the picture is.
pub(crate) fn run(prompt: Option<&str>) -> Result<()> {
    let tools = setup::prepare(false)?;
    tools.build()?;
    let prompt = prompt.unwrap_or(FIRST);
    step(format!("Rendering “{prompt}” with the starter model"));
    let out = root().join("out");
    std::fs::create_dir_all(&out)?;
    let mut tarim = command(tools.program("tarim"));
    tools.libtorch.apply(&mut tarim);
    tarim.args(["render", prompt, "--model"]).arg(root().join("models/starter")).arg("--out").arg(&out);
    process::run(&mut tarim)
}
