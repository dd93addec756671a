//! `bundle`: an installable package of the studio, with everything it needs but libtorch.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::process::{self, command, root, step};
use crate::{setup, ui};

/// Sets up, builds everything, and makes `target/release/bundle/deb/*.deb`.
pub(crate) fn run() -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("only the Debian package is made so far\nhint: run this on Linux");
    }
    let tools = setup::prepare(false)?;
    tools.build()?;
    tools.build_window()?;
    let folder = root().join("ui");
    ui::packages(&folder)?;

    // Beside the window: the renderer and the command line; the starter model where both look for it.
    let mut files = serde_json::Map::new();
    for program in ["tarim", "tarim-renderer"] {
        files.insert(format!("/usr/bin/{program}"), json!(tools.program(program)));
    }
    // Tells file managers what a recipe is; the desktop entry alone names a type that nothing has.
    let mime = root().join("src-tauri/tarim-mime.xml");
    files.insert("/usr/share/mime/packages/tarim.xml".to_owned(), json!(mime));
    let starter = root().join("models/starter");
    collect(&starter, &starter, &mut files)?;
    let config = json!({ "bundle": { "linux": { "deb": { "files": files } } } });
    let config_file = root().join("target/bundle.json");
    fs::write(&config_file, config.to_string()).context("the bundle's list of files cannot be written")?;

    step("Bundling");
    let tauri = folder.join("node_modules/.bin/tauri");
    let mut bundle = command(tauri);
    tools.libtorch.apply(&mut bundle);
    process::run(bundle.args(["bundle", "--bundles", "deb", "--config"]).arg(&config_file))?;
    step(
        "The package is in target/release/bundle/deb. It holds the window, the command line, the renderer and the starter \
          model. libtorch 2.11.0 is not in it: set LIBTORCH to its folder, or put the folder at /usr/bin/libtorch",
    );
    Ok(())
}

/// Every file of the starter model that a renderer reads, with its place in the package.
fn collect(top: &Path, folder: &Path, files: &mut serde_json::Map<String, serde_json::Value>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        let name = path.strip_prefix(top).unwrap_or(&path);
        if name == Path::new("training") {
            continue;
        }
        if path.is_dir() {
            collect(top, &path, files)?;
        } else {
            files.insert(format!("/usr/share/tarim/models/starter/{}", name.display()), json!(path));
        }
    }
    Ok(())
}
