//! The prompt language against an independent computation of A1111's and ComfyUI's rules, see `tests/parity/prompt.py`.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;

use serde::Deserialize;
use tarim_recipe::Emphasis;
use tarim_recipe::prompt::{Item, Parsed, Role, Run, Timeline, parse};

#[derive(Deserialize)]
struct Recording {
    steps: u32,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    prompt: String,
    networks: Vec<Vec<String>>,
    parts: Vec<Part>,
    comfy: Pieces,
}

/// Weight, runs by the name of the pass (one that is missing equals the first), pieces of each text.
type Part = (f64, BTreeMap<String, Runs>, BTreeMap<String, Pieces>);

/// Last step and text.
type Runs = Vec<(u32, String)>;

/// Text and weight, or a break.
type Pieces = Vec<Option<(String, f64)>>;

fn recording() -> Recording {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/goldens/prompt/prompts.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn pieces(run: &Run) -> Pieces {
    let piece = |item: &Item| match item {
        Item::Text(segment) => Some((segment.text.as_str().to_owned(), segment.weight)),
        Item::Break(_) => None,
    };
    run.items.iter().map(piece).collect()
}

fn check_pass(case: &Case, parsed: &Parsed, pass: &str, timeline: Timeline) {
    let resolved = parsed.resolve(timeline);
    for ((weight, passes, texts), part) in case.parts.iter().zip(&resolved.conditionings) {
        assert_eq!(*weight, part.weight, "{:?}", case.prompt);
        let expected = passes.get(pass).unwrap_or(&passes["first"]);
        let found: Vec<_> =
            part.runs.iter().map(|run| (run.until_step, run.text.as_str().to_owned())).collect();
        assert_eq!(*expected, found, "{pass} pass of {:?}", case.prompt);
        for run in &part.runs {
            assert_eq!(texts[run.text.as_str()], pieces(run), "{:?} in {:?}", run.text.as_str(), case.prompt);
        }
    }
}

#[test]
fn every_recorded_prompt_means_what_a1111_makes_of_it() {
    let Recording { steps, cases } = recording();
    assert!(cases.len() > 300);
    for case in &cases {
        let parsed = parse(&case.prompt, Emphasis::Original, Role::Positive);
        let networks: Vec<Vec<String>> = parsed
            .networks
            .iter()
            .map(|it| std::iter::once(&it.name).chain(&it.arguments).cloned().collect())
            .collect();
        assert_eq!(case.networks, networks, "{:?}", case.prompt);
        assert_eq!(case.parts.len(), parsed.conditionings.len(), "{:?}", case.prompt);
        let first = Timeline::new(steps);
        check_pass(case, &parsed, "first", first);
        check_pass(case, &parsed, "second", Timeline { first_pass_steps: Some(steps), ..first });
        check_pass(case, &parsed, "old", Timeline { old_rule: true, ..first });
    }
}

#[test]
fn every_recorded_prompt_means_what_comfyui_makes_of_it() {
    for case in recording().cases {
        let resolved = parse(&case.prompt, Emphasis::ComfyUi, Role::Positive).resolve(Timeline::new(20));
        let [part] = &resolved.conditionings[..] else { panic!("one part") };
        let [run] = &part.runs[..] else { panic!("one run") };
        assert_eq!(case.comfy, pieces(run), "{:?}", case.prompt);
    }
}
