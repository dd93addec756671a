//! The template language against the package `dynamicprompts`, see `tests/parity/templates.py`.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;

use serde::Deserialize;
use tarim_recipe::template::{Config, Count, Method, Template, WildcardSet, parse};

#[derive(Deserialize)]
struct Recording {
    draws: u32,
    files: BTreeMap<String, String>,
    combinatorial: Vec<Case>,
    cyclic: Vec<Case>,
    marks: Vec<Case>,
    random: Vec<Lots>,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    #[serde(default)]
    marks: Config,
    prompts: Vec<String>,
}

#[derive(Deserialize)]
struct Lots {
    template: String,
    counts: BTreeMap<String, u32>,
}

fn recording() -> (Recording, WildcardSet) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/goldens/templates/templates.json");
    let recording: Recording = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut wildcards = WildcardSet::new();
    for (path, text) in &recording.files {
        wildcards.insert_file(path, text).unwrap();
    }
    (recording, wildcards)
}

fn check(
    template: &Template,
    expected: &[String],
    wildcards: &WildcardSet,
    method: Method,
) -> Option<String> {
    let expansion = match template.expand(wildcards, method) {
        Ok(expansion) => expansion,
        Err(error) => return Some(format!("{:?}: {error}", template.source())),
    };
    let prompts: Vec<String> = expansion.prompts(1).take(expected.len()).collect();
    if prompts != expected {
        return Some(format!("{:?}:\n  {prompts:?}\n  {expected:?}", template.source()));
    }
    // The recording stops at 300.
    if method == Method::Combinatorial && expected.len() < 300 {
        let count = expansion.count().unwrap();
        if Count::Exact(count.clone()).to_u64() != Some(expected.len() as u64) {
            return Some(format!("{:?}: count {count} instead of {}", template.source(), expected.len()));
        }
    }
    None
}

fn check_all(cases: &[Case], wildcards: &WildcardSet, method: Method) {
    assert!(!cases.is_empty());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| check(&parse(&case.template, &case.marks), &case.prompts, wildcards, method))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same lists in the same order, and as many as were counted.
#[test]
fn combinations_are_those_of_the_package() {
    let (recording, wildcards) = recording();
    check_all(&recording.combinatorial, &wildcards, Method::Combinatorial);
    check_all(&recording.marks, &wildcards, Method::Combinatorial);
}

#[test]
fn turns_are_those_of_the_package() {
    let (recording, wildcards) = recording();
    check_all(&recording.cyclic, &wildcards, Method::Cyclic);
}

/// The same prompts, as often. The difference of two binomial counts of `n` draws has a deviation of at most
/// `sqrt(2 n p (1 - p))`; six of them are not met by chance.
#[test]
fn lots_are_those_of_the_package() {
    let (recording, wildcards) = recording();
    let draws = f64::from(recording.draws);
    for Lots { template, counts } in &recording.random {
        let expansion =
            parse(template, &Config::default()).expand(&wildcards, Method::Random).expect(template);
        let mut ours: BTreeMap<String, u32> = BTreeMap::new();
        for prompt in expansion.prompts(2026).take(recording.draws as usize) {
            *ours.entry(prompt).or_default() += 1;
        }
        for prompt in ours.keys().chain(counts.keys()) {
            let of = |counts: &BTreeMap<String, u32>| f64::from(counts.get(prompt).copied().unwrap_or(0));
            let (ours, theirs) = (of(&ours), of(counts));
            let share = ((ours + theirs) / (2.0 * draws)).max(3.0 / draws);
            let deviation = (2.0 * draws * share * (1.0 - share).max(0.0)).sqrt();
            assert!((ours - theirs).abs() <= 6.0 * deviation + 1.0, "{template} {prompt:?}: {ours} {theirs}");
        }
    }
}
