//! The template language: where it departs from the package, errors, and what holds for any text.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::HashSet;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tarim_recipe::template::{
    BigUint, Code, Config, Count, ExpandError, Expansion, Method, NoWildcards, Problem, Severity, Value,
    WildcardSet, parse,
};

fn wildcards() -> WildcardSet {
    let mut set = WildcardSet::new();
    for (path, text) in [
        ("colours.txt", "red\nblue\nred\n3::green\n"),
        ("circle/a.txt", "x\n__circle/b__\n"),
        ("circle/b.txt", "__circle/a__\n"),
        ("warm.txt", "fire\n"),
        ("cold.txt", "ice\nsnow\n"),
        ("me.txt", "${who} and ${who}\n"),
        ("broken.txt", "fine\n{a|b\n"),
        ("years.yaml", "years: [1990, 2000s, {text: now, weight: 2}]\n"),
        ("deep.json", r#"{"a": {"b": ["c", "5::d"]}}"#),
    ] {
        set.insert_file(path, text).unwrap();
    }
    set
}

fn expand(template: &str, method: Method) -> Result<Expansion, ExpandError> {
    parse(template, &Config::default()).expand(&wildcards(), method)
}

fn combinations(template: &str) -> Vec<String> {
    let expansion = expand(template, Method::Combinatorial).unwrap();
    let count = expansion.count().unwrap().try_into().unwrap();
    expansion.prompts(0).take(count).collect()
}

fn problem(template: &str) -> (String, String) {
    let error = expand(template, Method::Random).unwrap_err();
    (error.span.of(template).to_owned(), error.to_string())
}

fn codes(template: &str) -> Vec<(Code, String)> {
    let template = parse(template, &Config::default());
    let found = template.diagnostics().iter();
    found.map(|it| (it.code, it.span.of(template.source()).to_owned())).collect()
}

#[test]
fn departures_from_the_package() {
    assert_eq!(combinations("${x=!{a|b}}${x}${x}"), ["aa", "bb"]);
    assert_eq!(combinations("{[a|b]|c}"), ["[a|b]", "c"]);
    assert_eq!(combinations("{[a|{b|c}]|[d}"), ["[a|b]", "[a|c]", "[d"]);
    assert_eq!(combinations("5% of $3 for a_b a__b $$ | }"), ["5% of $3 for a_b a__b $$ | }"]);
    assert_eq!(combinations("${5|10} %{a|b}"), ["$5 %a", "$5 %b", "$10 %a", "$10 %b"]);
    assert_eq!(combinations("${x=a}"), [""]);
    assert_eq!(combinations("{3$$a|a|b}"), ["a,b", "b,a"]);
    assert_eq!(combinations("{0::a|b|c}"), ["b", "c"]);
    assert_eq!(combinations("__{warm|cold}__"), ["fire", "ice", "snow"]);
    assert_eq!(combinations("${t=!{warm|cold}}${t}: __${t}__"), ["warm: fire", "cold: ice", "cold: snow"]);
    assert_eq!(combinations("__colours__"), ["blue", "green", "red"]);
    assert_eq!(combinations("${x=he}__me(who=${x})__"), ["he and he"]);
    assert_eq!(combinations("{a ${y=b}${y}|c}"), ["a b", "c"]);
    assert_eq!(combinations("${颜色=红}${颜色}"), ["红"]);
    assert_eq!(combinations("__years__ __a/b__").len(), 6);
}

#[test]
fn weights_and_duplicates_decide_how_often() {
    let expansion = expand("__colours__", Method::Random).unwrap();
    let green = expansion.prompts(5).take(6000).filter(|it| it == "green").count();
    let red = expansion.prompts(5).take(6000).filter(|it| it == "red").count();
    assert!((2800..3200).contains(&green), "{green}");
    assert!((1850..2150).contains(&red), "{red}");
}

/// The law of the lots: these texts may never change.
#[test]
fn draws_are_fixed() {
    let text = "{a|b|c} {2$$x|y|z} {0.2::p|q} {~1-3$$k|l|m}";
    let expansion = expand(text, Method::Random).unwrap();
    let drawn: Vec<String> = (0..4).map(|index| expansion.prompt(2026, index as u64)).collect();
    assert_eq!(drawn, FIXED);
}

const FIXED: [&str; 4] = ["c x,z q l,m", "a z,x q m,k,l", "b z,x q k", "c y,z q k"];

#[test]
fn errors_say_where_and_what_next() {
    let (place, text) = problem("a __nothing__ b");
    assert_eq!(place, "__nothing__");
    assert_eq!(text, "there is no wildcard \"nothing\"; add a file of that name or correct the name");
    assert!(problem("__colour__").1.contains("but \"colours\""));
    let error = expand("a {b|__circle/a__}", Method::Random).unwrap_err();
    let path = ["circle/a", "circle/b", "circle/a"].map(str::to_owned).to_vec();
    assert_eq!(error.problem, Problem::WildcardCycle { path });
    assert_eq!(problem("x ${x}").0, "${x}");
    assert!(matches!(
        expand("${x={${x}|a}}${x}", Method::Random).unwrap_err().problem,
        Problem::VariableCycle { .. }
    ));
    assert!(problem("__broken__").1.contains("{a|b"));
    assert_eq!(problem("a {b|c").0, "{");
    let nested = format!("{}a{}", "{".repeat(200), "}".repeat(200));
    assert!(codes(&nested).iter().any(|(code, _)| *code == Code::NestedTooDeep));
}

#[test]
fn diagnostics() {
    assert_eq!(codes("a {b|c"), [(Code::UnclosedVariants, "{".into())]);
    assert_eq!(codes("a} b"), [(Code::UnopenedBrace, "}".into())]);
    assert_eq!(codes("__a b"), [(Code::UnclosedWildcard, "__".into())]);
    assert_eq!(codes("${x=a|b}"), [(Code::PipeOutsideVariants, "|".into())]);
    assert_eq!(codes("%{a$$b}"), [(Code::NoWrapMarker, "a".into())]);
    assert_eq!(codes("{3$$a|b}"), [(Code::MoreThanThereAre, "{3$$a|b}".into())]);
    assert_eq!(codes("{0::a|0::b}"), [(Code::NoWeight, "{0::a|0::b}".into())]);
    assert_eq!(codes("{x$$a|b}"), [(Code::NotARange, "{x$$a|b}".into())]);
    assert_eq!(codes("(a:1.2), [b:c:0.5], [d|e] BREAK <lora:x:1> {f|g} AND h"), []);
}

/// 10^12 combinations are counted and found at once, and 500 different prompts come out.
#[test]
fn large_templates() {
    let start = Instant::now();
    let text = "{0|1|2|3|4|5|6|7|8|9}".repeat(12);
    let expansion = expand(&text, Method::Combinatorial).unwrap();
    let count = expansion.combinations();
    assert_eq!(count.short(), "10^12");
    assert_eq!(expansion.nth(&BigUint::from(123_456_789_012_u64)).unwrap(), "123456789012");
    let distinct = expansion.distinct_prompts(7, 500);
    assert_eq!(distinct.iter().collect::<HashSet<_>>().len(), 500);
    assert_eq!(distinct, expansion.distinct_prompts(7, 500));
    let huge = expand(&text.repeat(3), Method::Random).unwrap();
    assert!(huge.combinations().refusal(100_000).unwrap().to_string().contains("10^36"));
    let mut set = WildcardSet::new();
    set.insert("w", (0..3000).map(|it| Value::new(format!("value {it}"))));
    let many = parse("{3$$__w__} {2$$__w__|a}", &Config::default()).expand(&set, Method::Random).unwrap();
    let three = BigUint::from(3000_u64 * 2999 * 2998);
    assert_eq!(many.combinations(), Count::Exact(three * 6000_u32));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn distinct_prompts_come_to_an_end() {
    let expansion = expand("{a|b|c}{d|e}{0.0001::f|g}", Method::Random).unwrap();
    let all = expansion.distinct_prompts(1, 100);
    assert_eq!(all.len(), 12);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 12);
    assert_eq!(expand("{a|aa}{a|aa}", Method::Random).unwrap().distinct_prompts(1, 9).len(), 3);
}

/// Inputs of a megabyte that are meant to hurt: read, counted and drawn in time in proportion to their length.
#[test]
fn hostile_inputs() {
    let million = 1 << 20;
    let units = [
        "{",
        "}",
        "|",
        "[",
        "__",
        "${",
        "%{",
        "#",
        "(",
        "__a(",
        "{a|b}",
        "{[|",
        "]",
        "$$",
        "{1$$",
        "${a=",
        "${a=!{b|c}}",
        "{a|",
        "a__b",
        "{2$$a|b|c}",
        "%{a$$",
        "{[a|b]|c}",
        "${x=a}${x}",
        "\n#",
        "{0.5::",
        "{a|b}__",
        "{__[[[ |",
    ];
    for unit in units {
        let text = unit.repeat(million / unit.len());
        let start = Instant::now();
        let template = parse(&text, &Config::default());
        if let Ok(expansion) = template.expand(&NoWildcards, Method::Random) {
            expansion.prompt(1, 1_u32);
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{unit:?} {:?}", start.elapsed());
    }
    // Values that double at each step.
    let mut doubling = String::from("${a0=x}");
    let mut set = WildcardSet::new();
    for i in 0..60 {
        doubling.push_str(&format!("${{a{}=${{a{i}}}${{a{i}}}}}", i + 1));
        set.insert(format!("w{i}"), [Value::new(format!("__w{0}__ __w{0}__", i + 1))]);
    }
    set.insert("w60", [Value::new("{a|b}")]);
    let text = format!("{doubling}${{a60}}");
    let error = parse(&text, &Config::default()).expand(&NoWildcards, Method::Random).unwrap_err();
    assert!(matches!(error.problem, Problem::TooLong { .. }), "{error}");
    let error = parse("__w0__", &Config::default()).expand(&set, Method::Random).unwrap_err();
    assert!(matches!(error.problem, Problem::TooLong { .. } | Problem::TooManyCombinations), "{error}");
}

/// Templates with little in them, so that all their combinations can be listed.
fn small() -> impl Strategy<Value = String> {
    let leaf = prop_oneof!["[a-c]{0,2}", Just("__colours__".to_owned()), Just("${x}".to_owned())];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|it| format!("{{{}}}", it.join("|"))),
            (0..3_u8, 1..3_u8, prop::collection::vec(inner.clone(), 1..4))
                .prop_map(|(a, b, it)| format!("{{{a}-{b}$$/$${}}}", it.join("|"))),
            prop::collection::vec(inner.clone(), 2..3).prop_map(|it| it.concat()),
            (inner.clone(), inner).prop_map(|(a, b)| format!("%{{{a}...$${b}}}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in r"([{}|\[\]$%!~@_#:.\\(),=? \n0-9a-c猫]|__|\$\$|\$\{|%\{|::|\.\.\.|__colours__){0,60}") {
        let template = parse(&text, &Config::default());
        for it in template.diagnostics() {
            prop_assert!(text.get(it.span.start..it.span.end).is_some(), "{it:?}");
        }
        for it in template.tokens() {
            prop_assert!(text.get(it.span.start..it.span.end).is_some(), "{it:?}");
        }
        for method in [Method::Random, Method::Combinatorial, Method::Cyclic] {
            if let Ok(expansion) = template.expand(&wildcards(), method) {
                expansion.prompt(1, 3_u32);
                expansion.nth(&BigUint::ZERO);
            }
        }
        let broken = template.diagnostics().iter().any(|it| it.severity == Severity::Error);
        prop_assert!(!broken || template.expand(&wildcards(), Method::Random).is_err());
    }

    #[test]
    fn text_without_syntax_is_itself(text in r"[a-z猫 ,.()\[\]:|<>&!@~'\n\\$%0-9-]{0,80}") {
        prop_assume!(!text.contains("$$"));
        let expansion = parse(&text, &Config::default()).expand(&NoWildcards, Method::Random).unwrap();
        prop_assert_eq!(expansion.prompt(3, 4_u32), text.clone());
        prop_assert_eq!(expansion.combinations(), Count::Exact(BigUint::from(1_u8)));
    }

    #[test]
    fn combinations_and_draws_agree(text in small(), seed: u64) {
        let text = format!("${{x={{p|q}}}}{text}");
        let expansion = expand(&text, Method::Combinatorial).unwrap();
        if let Some(count) = expansion.combinations().to_u64().filter(|it| *it <= 2000) {
            let all: Vec<String> = (0..count).map(|it| expansion.nth(&BigUint::from(it)).unwrap()).collect();
            let run: Vec<String> = expansion.prompts(seed).take(all.len()).collect();
            prop_assert_eq!(&all, &run);
            prop_assert!(expansion.nth(&BigUint::from(count)).is_none());
            let texts: HashSet<&String> = all.iter().collect();
            let distinct = expansion.distinct_prompts(seed, all.len() + 1);
            prop_assert_eq!(distinct.iter().collect::<HashSet<_>>().len(), distinct.len());
            prop_assert!(texts.iter().all(|text| distinct.contains(text)), "{:?} {:?}", all, distinct);
        }
    }
}
