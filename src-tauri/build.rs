//! Puts the UI into the program; a page that says how to build it where it was not built.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=../ui/dist");
    println!("cargo:rerun-if-changed=../assets/missing-ui");
    if !Path::new("../ui/dist/index.html").is_file() {
        println!("cargo:warning=ui/dist is missing: the window will say so. `cargo xtask studio` builds it");
        // The macro that embeds the files reads it.
        println!(r#"cargo:rustc-env=TAURI_CONFIG={{"build":{{"frontendDist":"../assets/missing-ui"}}}}"#);
    }
    tauri_build::build();
}
