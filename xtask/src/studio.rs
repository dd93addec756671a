//! `studio`: from a fresh machine to the studio's window, or to its page where there is no screen.

use anyhow::Result;

use crate::process::{self, command, root, step};
use crate::setup::{self, Tools};

/// Sets up and opens the studio on the starter model. `headless` serves the page even where there is a screen.
pub(crate) fn run(headless: bool) -> Result<()> {
    let tools = setup::prepare(false)?;
    tools.build()?;
    if headless || !has_screen() {
        if !headless {
            step(
                "There is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set), so the studio is served to a browser",
            );
        }
        step("Open the address below in a browser on this machine");
        return start(&tools, "tarim", &["serve"]);
    }
    tools.build_window()?;
    step("Opening the studio");
    start(&tools, "tarim-studio", &[])
}

/// Draws one picture with the starter model and says where it is.
pub(crate) fn draw(prompt: &str) -> Result<()> {
    let tools = setup::prepare(false)?;
    tools.build()?;
    step(format!("Rendering “{prompt}” with the starter model"));
    let out = root().join("out");
    std::fs::create_dir_all(&out)?;
    let model = root().join("models/starter");
    let paths = [&model, &out].map(|path| path.display().to_string());
    start(&tools, "tarim", &["render", prompt, "--model", &paths[0], "--out", &paths[1]])
}

fn start(tools: &Tools, program: &str, arguments: &[&str]) -> Result<()> {
    let mut program = command(tools.program(program));
    tools.libtorch.apply(&mut program);
    process::run(program.args(arguments))
}

fn has_screen() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}
