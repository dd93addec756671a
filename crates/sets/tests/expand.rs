//! Rows with templates.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::result_large_err)] // what fails here is the test

use tarim_recipe::{
    Draft, Seed,
    template::{Config, NoWildcards, Value, WildcardSet},
};
use tarim_sets::{Checker, Code, Defaults, Problem, ReadOptions, RowDraft, RowExpansion, read};

fn row(text: &str) -> RowDraft {
    let set = read(text.as_bytes(), "set.csv", &ReadOptions::default()).unwrap();
    let defaults = Defaults::default();
    Checker::new(&set.table, &defaults, "").row(0).row.unwrap()
}

fn expand(text: &str, most: u64) -> Result<RowExpansion, Problem> {
    RowExpansion::new(row(text), &NoWildcards, &Config::default(), most)
}

fn prompts(expansion: &RowExpansion) -> Vec<String> {
    expansion.pictures(Seed(7)).map(|draft| draft.prompt.unwrap().text).collect()
}

#[test]
fn plain_rows() {
    let expansion = expand("prompt,count,seed\na fox,3,10\n", 100).unwrap();
    let drafts: Vec<Draft> = expansion.pictures(Seed(7)).collect();
    assert_eq!(drafts.iter().map(|draft| draft.seed.unwrap().0).collect::<Vec<_>>(), [10, 11, 12]);
    assert!(drafts.iter().all(|draft| draft.prompt.as_ref().unwrap().template.is_none()));
    let varied = expand("prompt,count,seed,subseed,subseed_strength\na,2,10,5,0.3\n", 100).unwrap();
    let seeds = |draft: Draft| (draft.seed.unwrap().0, draft.variation_seed.unwrap().0);
    assert_eq!(varied.pictures(Seed(7)).map(seeds).collect::<Vec<_>>(), [(10, 5), (10, 6)]);
}

#[test]
fn modes() {
    let all = expand("prompt;template_mode;count\n{a|b} {c|d};combinatorial;2\n", 100).unwrap();
    assert_eq!((all.count(), all.combinations()), (8, 4));
    assert_eq!(prompts(&all), ["a c", "a c", "a d", "a d", "b c", "b c", "b d", "b d"]);
    let first = all.picture(0, Seed(7)).prompt.unwrap();
    assert_eq!(first.template.as_deref(), Some("{a|b} {c|d}"));
    let limited = expand("prompt;mode;limit\n{a|b} {c|d};组合;3\n", 2000).unwrap();
    assert_eq!(prompts(&limited), ["a c", "a d", "b c"]);
    let random = expand("prompt;count\n{a|b|c|d|e|f};50\n", 100).unwrap();
    assert_eq!(random.count(), 50);
    assert_eq!(prompts(&random), prompts(&random));
    assert!(prompts(&random).iter().collect::<std::collections::HashSet<_>>().len() > 2);
    let cyclic = expand("prompt;mode;count\n{a|b|c};循环;5\n", 100).unwrap();
    assert_eq!(prompts(&cyclic), ["a", "b", "c", "a", "b"]);
    assert_eq!(prompts(&expand("prompt;mode\n{a|b};off\n", 100).unwrap()), ["{a|b}"]);
}

#[test]
fn too_many_and_broken() {
    let digits = "{0|1|2|3|4|5|6|7|8|9}".repeat(30);
    let huge = format!("prompt;mode\n{digits};combinatorial\n");
    let problem = expand(&huge, 100_000).unwrap_err();
    assert_eq!(
        (problem.code, problem.row, problem.column.as_deref()),
        (Code::TooMany, Some(2), Some("prompt"))
    );
    assert!(problem.message.contains("10^30"), "{problem}");
    let limited = format!("prompt;mode;limit\n{digits};combinatorial;5\n");
    assert_eq!(prompts(&expand(&limited, 100_000).unwrap()).len(), 5);
    assert_eq!(expand("prompt\n__nowhere__\n", 10).unwrap_err().code, Code::Template);
    let mut wildcards = WildcardSet::new();
    wildcards.insert("colour", ["red", "blue"].map(Value::new));
    let row = row("prompt;mode\n__colour__ fox;combinatorial\n");
    let found = RowExpansion::new(row, &wildcards, &Config::default(), 10).unwrap();
    assert_eq!(found.count(), 2);
}
