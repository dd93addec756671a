//! Lets this crate's own tests and examples find the libtorch that they were linked with.
//!
//! Programs that ship choose libtorch at run time instead: whoever starts them names its `lib` folder in
//! `LD_LIBRARY_PATH` (Linux), `DYLD_LIBRARY_PATH` (macOS) or `PATH` (Windows). Those go before this run path.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let unix = std::env::var_os("CARGO_CFG_UNIX").is_some();
    if let (Ok(libtorch), true) = (std::env::var("LIBTORCH"), unix) {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{libtorch}/lib");
    }
}
