//! The template language: what the package does not say, errors, and what holds for any text.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use tarim_recipe::template::{Config, Method, NoWildcards, parse};

fn combinations(template: &str) -> Vec<String> {
    let template = parse(template, &Config::default());
    let expansion = template.expand(&NoWildcards, Method::Combinatorial).unwrap();
    let count = expansion.count().unwrap().try_into().unwrap();
    expansion.prompts(0).take(count).collect()
}

#[test]
fn smoke() {
    assert_eq!(combinations("{a|b} {2$$, $$x|y}"), ["a x, y", "a y, x", "b x, y", "b y, x"]);
    assert_eq!(combinations("${x=!{a|b}}${x}${x}"), ["aa", "bb"]);
    assert_eq!(combinations("{[a|b]|c}"), ["[a|b]", "c"]);
    assert_eq!(combinations("5% of $3 for a_b"), ["5% of $3 for a_b"]);
}
