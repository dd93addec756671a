//! Tells the loader where libtorch lies when the program is started by hand, as a worker of a farm: beside the program, or where
//! `cargo xtask setup` put it. A renderer that another program starts gets its library path from that.

fn main() {
    // The version of `tarim_render::locate::LIBTORCH_VERSION`, which a build script cannot read.
    const VERSION: &str = "2.11.0";
    println!("cargo:rerun-if-changed=build.rs");
    let origin = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux") => "$ORIGIN",
        Ok("macos") => "@loader_path",
        // Windows looks beside the program by itself.
        _ => return,
    };
    let fetched = ["cuda", "cpu"].map(|build| format!("../../.deps/libtorch-{VERSION}-{build}/torch/lib"));
    for place in ["libtorch/lib".to_owned()].iter().chain(&fetched) {
        println!("cargo:rustc-link-arg-bins=-Wl,-rpath,{origin}/{place}");
    }
}
