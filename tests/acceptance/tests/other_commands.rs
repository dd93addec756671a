//! `tarim inspect`, `tokens` and `doctor` on the real thing.
#![allow(clippy::unwrap_used)]

use tarim_acceptance::{starter, tarim};

#[test]
fn doctor_tests_the_real_device() {
    let ran = tarim(&["doctor", "--json"]).ok();
    let found = ran.lines().remove(0);
    let libtorch = found["hello"]["libtorch"].as_str().unwrap();
    assert!(libtorch.starts_with("2.11.0"), "{found}");
    let text = found.to_string();
    assert!(text.contains("gflops"), "no speed was measured: {text}");
}

#[test]
fn inspect_says_that_the_starter_model_is_whole() {
    let path = starter();
    let ran = tarim(&["inspect", path.to_str().unwrap()]).ok();
    assert!(ran.out.contains("Stable Diffusion"), "{}", ran.out);
    assert!(!ran.out.to_lowercase().contains("missing tensor"), "{}", ran.out);
}

#[test]
fn tokens_shows_weights_and_chunks() {
    let ran = tarim(&["tokens", "a (neon sun:1.2) BREAK 楼兰 at night"]).ok();
    assert!(ran.out.contains("1.2"), "{}", ran.out);
    assert!(ran.out.contains("neon"), "{}", ran.out);
}
