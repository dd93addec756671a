//! Who may depend on whom, read from `cargo metadata`: the rules of ARCHITECTURE.md as a test.

#![allow(clippy::unwrap_used)] // a test that cannot read the workspace has failed

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--locked".to_owned()])
        .exec()
        .unwrap()
}

/// For each of our crates, which other crates of ours it may use (besides in its tests).
const OURS: [(&str, &[&str]); 19] = [
    ("tarim-recipe", &[]),
    ("tarim-sampling", &["tarim-recipe"]),
    ("tarim-tokenizer", &["tarim-recipe"]),
    ("tarim-checkpoint", &["tarim-recipe"]),
    ("tarim-diffusion", &["tarim-checkpoint", "tarim-recipe", "tarim-sampling", "tarim-tokenizer"]),
    ("tarim-render", &["tarim-recipe"]),
    ("tarim-farm", &["tarim-recipe", "tarim-render"]),
    (
        "tarim-renderer",
        &["tarim-checkpoint", "tarim-diffusion", "tarim-farm", "tarim-recipe", "tarim-render"],
    ),
    ("tarim-library", &["tarim-recipe"]),
    ("tarim-export", &[]),
    ("tarim-sets", &["tarim-recipe"]),
    (
        "tarim-studio",
        &[
            "tarim-checkpoint",
            "tarim-export",
            "tarim-farm",
            "tarim-library",
            "tarim-recipe",
            "tarim-render",
            "tarim-sets",
            "tarim-tokenizer",
        ],
    ),
    ("tarim-api", &["tarim-library", "tarim-recipe", "tarim-render", "tarim-sets", "tarim-studio"]),
    ("tarim-machine", &["tarim-recipe", "tarim-render", "tarim-studio"]),
    ("tarim-server", &["tarim-api", "tarim-studio"]),
    ("tarim-desktop", &["tarim-api", "tarim-machine", "tarim-studio"]),
    (
        "tarim-cli",
        &[
            "tarim-api",
            "tarim-checkpoint",
            "tarim-farm",
            "tarim-library",
            "tarim-machine",
            "tarim-recipe",
            "tarim-render",
            "tarim-server",
            "tarim-sets",
            "tarim-studio",
            "tarim-tokenizer",
        ],
    ),
    ("tarim-acceptance", &["tarim-farm", "tarim-library", "tarim-recipe", "tarim-render", "tarim-studio"]),
    ("xtask", &[]),
];

/// Crates of others that only some of ours may name.
const OTHERS: [(&str, &[&str]); 8] = [
    ("tch", &["tarim-diffusion"]),
    ("torch-sys", &["tarim-diffusion"]),
    ("clap", &["tarim-cli", "tarim-renderer", "xtask"]),
    ("indicatif", &["tarim-cli"]),
    ("rusqlite", &["tarim-library"]),
    ("async-nats", &["tarim-farm"]),
    ("axum", &["tarim-server"]),
    ("tauri", &["tarim-desktop"]),
];

/// Crates that may switch the lint on unsafe code off, for what they give as a reason beside it.
const UNSAFE: [&str; 4] = ["tarim-checkpoint", "tarim-diffusion", "tarim-render", "tarim-renderer"];

/// Crates whose programs may print and exit.
const PRINTING: [&str; 5] = ["tarim-cli", "tarim-desktop", "tarim-renderer", "tarim-render", "xtask"];

#[test]
fn crates_depend_only_on_what_their_layer_allows() {
    let metadata = metadata();
    let rules: BTreeMap<&str, &[&str]> = OURS.into_iter().collect();
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let Some(allowed) = rules.get(name) else {
            wrong.push(format!(
                "{name} is in no rule: say in this test, and in ARCHITECTURE.md, where it belongs"
            ));
            continue;
        };
        for dependency in &package.dependencies {
            if dependency.kind == DependencyKind::Development {
                continue;
            }
            let used = dependency.name.as_str();
            if rules.contains_key(used) && !allowed.contains(&used) {
                wrong.push(format!("{name} depends on {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn guarded_crates_are_named_only_where_they_belong() {
    let mut wrong = Vec::new();
    for package in metadata().workspace_packages() {
        for dependency in &package.dependencies {
            let rule = OTHERS.iter().find(|(name, _)| *name == dependency.name);
            if rule.is_some_and(|(_, allowed)| !allowed.contains(&package.name.as_str())) {
                wrong.push(format!("{} depends on {}", package.name, dependency.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    let metadata = metadata();
    let without: Vec<_> = metadata
        .workspace_packages()
        .into_iter()
        .filter(|package| {
            !fs::read_to_string(&package.manifest_path).unwrap().contains("[lints]\nworkspace = true")
        })
        .map(|package| package.name.to_string())
        .collect();
    assert!(without.is_empty(), "{without:?}");
}

/// Every file of Rust below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The crates whose sources hold one of `words`.
fn crates_holding(words: &[&str]) -> BTreeSet<String> {
    let metadata = metadata();
    let packages = metadata.workspace_packages().into_iter();
    packages
        .filter(|package| {
            let folder = package.manifest_path.parent().unwrap().as_std_path().join("src");
            sources(&folder).iter().any(|file| {
                let text = fs::read_to_string(file).unwrap();
                words.iter().any(|word| text.contains(word))
            })
        })
        .map(|package| package.name.to_string())
        .collect()
}

#[test]
fn unsafe_code_stays_where_it_is_needed() {
    let found = crates_holding(&["allow(unsafe_code"]);
    let allowed: BTreeSet<String> = UNSAFE.into_iter().map(str::to_owned).collect();
    assert!(found.is_subset(&allowed), "unsafe code in {found:?}");
}

#[test]
fn only_programs_print_and_exit() {
    let found = crates_holding(&["println!(", "eprintln!(", "process::exit("]);
    let allowed: BTreeSet<String> = PRINTING.into_iter().map(str::to_owned).collect();
    assert!(found.is_subset(&allowed), "{found:?} print or exit");
}

#[test]
fn the_recipe_is_pure() {
    let folder = root().join("crates/recipe/src");
    let mut impure = Vec::new();
    for file in sources(&folder) {
        let text = fs::read_to_string(&file).unwrap();
        for word in
            ["std::fs", "std::net", "std::thread", "std::env", "std::process", "SystemTime", "Instant::now"]
        {
            if text.contains(word) {
                impure.push(format!("{} names {word}", file.display()));
            }
        }
    }
    assert!(impure.is_empty(), "{impure:#?}");
}

#[test]
fn licences_and_sources_are_those_that_deny_toml_allows() {
    // A quick stand-in for `cargo xtask deny`, which needs a tool that takes minutes to build.
    let text = fs::read_to_string(root().join("deny.toml")).unwrap();
    let rules: toml::Table = text.parse().unwrap();
    let allowed: BTreeSet<&str> =
        rules["licenses"]["allow"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let mut wrong = Vec::new();
    for package in metadata().packages {
        let licence = package.license.clone().unwrap_or_default().replace('/', " OR ");
        // Every part of an AND must offer an allowed alternative of its OR. No dependency nests deeper.
        let fine = licence.split(" AND ").all(|part| {
            part.split(" OR ").any(|name| {
                let name = name.trim_matches(['(', ')', ' ']);
                allowed.contains(name.split(" WITH ").next().unwrap_or(name))
            })
        });
        if !fine {
            wrong.push(format!("{} {}: {licence:?}", package.name, package.version));
        }
        if package.source.is_some_and(|source| !source.is_crates_io()) {
            wrong.push(format!("{} is not from crates.io", package.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
