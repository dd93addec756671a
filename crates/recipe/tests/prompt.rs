//! The prompt language: A1111's own examples, remarks, and what holds for any text.

use proptest::prelude::*;
use tarim_recipe::Emphasis;
use tarim_recipe::prompt::{Code, Item, Resolved, Role, Span, Timeline, Traced, parse};

fn resolved(prompt: &str, timeline: Timeline) -> Resolved {
    parse(prompt, Emphasis::Original, Role::Positive).resolve(timeline)
}

fn check_runs(prompt: &str, timeline: Timeline, expected: &[(u32, &str)]) {
    let resolved = resolved(prompt, timeline);
    let runs: Vec<_> =
        resolved.conditionings[0].runs.iter().map(|run| (run.until_step, run.text.as_str())).collect();
    assert_eq!(runs, expected, "{prompt:?}");
}

/// The examples in A1111's `prompt_parser.py`, except the one that its own parser does not give
/// (`a [{b|d{:.5] c`), and the comment at its top.
#[test]
fn schedules_are_those_of_a1111s_examples() {
    let ten = Timeline::new(10);
    check_runs("test", ten, &[(10, "test")]);
    check_runs("a [b:3]", ten, &[(3, "a "), (10, "a b")]);
    check_runs("a [b: 3]", ten, &[(3, "a "), (10, "a b")]);
    check_runs("a [[[b]]:2]", ten, &[(2, "a "), (10, "a [[b]]")]);
    check_runs("[(a:2):3]", ten, &[(3, ""), (10, "(a:2)")]);
    check_runs("a [b : c : 1] d", ten, &[(1, "a b  d"), (10, "a  c  d")]);
    check_runs("a[b:[c:d:2]:1]e", ten, &[(1, "abe"), (2, "ace"), (10, "ade")]);
    check_runs("a [unbalanced", ten, &[(10, "a [unbalanced")]);
    check_runs("a [b:.5] c", ten, &[(5, "a  c"), (10, "a b c")]);
    check_runs("a [{b|d{:.5] c", ten, &[(10, "a [{b|d{:.5] c")]);
    check_runs("((a][:b:c [d:3]", ten, &[(3, "((a][:b:c "), (10, "((a][:b:c d")]);
    let four = Timeline::new(4);
    check_runs("[a|(b:1.1)]", four, &[(1, "a"), (2, "(b:1.1)"), (3, "a"), (4, "(b:1.1)")]);
    check_runs("[fe|]male", four, &[(1, "female"), (2, "male"), (3, "female"), (4, "male")]);
    check_runs("[fe|||]male", four, &[(1, "female"), (2, "male"), (3, "male"), (4, "male")]);
    let second = Timeline { first_pass_steps: Some(10), ..ten };
    check_runs("a [b:.5] c", second, &[(10, "a b c")]);
    check_runs("a [b:1.5] c", second, &[(5, "a  c"), (10, "a b c")]);
    check_runs("a [b:13] c", second, &[(3, "a  c"), (10, "a b c")]);
    let old = Timeline { old_rule: true, ..ten };
    check_runs("a [b:1.0] c", old, &[(1, "a  c"), (10, "a b c")]);
    let landscape = "fantasy landscape with a [mountain:lake:0.25] and [an oak:a christmas tree:0.75]\
                     [ in foreground::0.6][: in background:0.25] [shoddy:masterful:0.5]";
    check_runs(
        landscape,
        Timeline::new(100),
        &[
            (25, "fantasy landscape with a mountain and an oak in foreground shoddy"),
            (50, "fantasy landscape with a lake and an oak in foreground in background shoddy"),
            (60, "fantasy landscape with a lake and an oak in foreground in background masterful"),
            (75, "fantasy landscape with a lake and an oak in background masterful"),
            (100, "fantasy landscape with a lake and a christmas tree in background masterful"),
        ],
    );
}

/// What a piece is expected to be: text, weight and the place it came from, or `BREAK`.
type Piece<'a> = (&'a str, f64, (usize, usize));

const BREAK: f64 = f64::INFINITY;

fn check_pieces(prompt: &str, emphasis: Emphasis, expected: &[Piece]) {
    let resolved = parse(prompt, emphasis, Role::Positive).resolve(Timeline::new(20));
    let found: Vec<_> = resolved.conditionings[0].runs[0]
        .items
        .iter()
        .map(|item| match item {
            Item::Text(it) => (it.text.as_str(), it.weight, (it.span().start, it.span().end)),
            Item::Break(span) => ("BREAK", BREAK, (span.start, span.end)),
        })
        .collect();
    assert_eq!(found, expected, "{prompt:?}");
}

#[test]
fn emphasis_is_that_of_a1111s_examples() {
    let check = |prompt: &str, expected: &[Piece]| check_pieces(prompt, Emphasis::Original, expected);
    check("normal text", &[("normal text", 1.0, (0, 11))]);
    check(
        "an (important) word",
        &[("an ", 1.0, (0, 3)), ("important", 1.1, (4, 13)), (" word", 1.0, (14, 19))],
    );
    check("(unbalanced", &[("unbalanced", 1.1, (1, 11))]);
    check(r"\(literal\]", &[("(literal]", 1.0, (1, 11))]);
    check("(unnecessary)(parens)", &[("unnecessaryparens", 1.1, (1, 20))]);
    check(
        "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
        &[
            ("a ", 1.0, (0, 2)),
            ("house", 1.5730000000000004, (5, 10)),
            (" ", 1.1, (16, 17)),
            ("on", 1.0, (18, 20)),
            (" a ", 1.1, (21, 24)),
            ("hill", 0.55, (25, 29)),
            (", sun, ", 1.1, (34, 41)),
            ("sky", 1.4641000000000006, (44, 47)),
            (".", 1.1, (50, 51)),
        ],
    );
    check("", &[]);
    check("猫 BREAK (狗:1.2)", &[("猫", 1.0, (0, 3)), ("BREAK", BREAK, (4, 9)), ("狗", 1.2, (11, 14))]);
    // Where A1111 stops with an error.
    check("(x:1.2.3)", &[("x:1.2.3", 1.1, (1, 8))]);
    // The surprise: inside emphasis BREAK is a word of negative weight.
    check("(a BREAK b)", &[("a", 1.1, (1, 2)), ("BREAK", -1.1, (3, 8)), ("b", 1.1, (9, 10))]);
    check_pieces("(a BREAK [b])", Emphasis::None, &[("(a BREAK [b])", 1.0, (0, 13))]);
}

#[test]
fn comfyui_replaces_weights_and_knows_round_brackets_only() {
    let check = |prompt: &str, expected: &[Piece]| check_pieces(prompt, Emphasis::ComfyUi, expected);
    check("a ((b:1.3)) [c]", &[("a ", 1.0, (0, 2)), ("b", 1.3, (4, 5)), (" [c]", 1.0, (11, 15))]);
    check("(a (b) c:0.5)", &[("a ", 0.5, (1, 3)), ("b", 0.55, (4, 5)), (" c", 0.5, (6, 8))]);
    check(r"\(a\) #b AND c", &[("(a) #b AND c", 1.0, (1, 14))]);
    check("(a:x)", &[("a:x", 1.1, (1, 4))]);
    check("(a", &[("(a", 1.0, (0, 2))]);
    check("a) (b)", &[("a) (b)", 1.0, (0, 6))]);
}

#[test]
fn conditionings_networks_and_comments_are_taken_apart() {
    let text = "a cat :1.2 AND a dog # not a fox\nAND <lora:楼兰:0.8:te=1> [x|y]: -.5 ";
    let parsed = parse(text, Emphasis::Original, Role::Positive);
    let parts: Vec<_> = parsed
        .conditionings
        .iter()
        .map(|part| (part.text.as_str(), part.weight, part.text.whole()))
        .collect();
    let span = |part: &str| {
        let start = text.find(part).unwrap();
        Span { start, end: start + part.len() }
    };
    assert_eq!(
        parts,
        [
            ("a cat", 1.2, span("a cat")),
            (" a dog", 1.0, span(" a dog")),
            ("  [x|y]", -0.5, Span { start: 36, end: 65 })
        ]
    );
    assert_eq!(parsed.comments, [span("# not a fox")]);
    let [network] = &parsed.networks[..] else { panic!("one network") };
    assert_eq!((network.name.as_str(), network.span.of(text)), ("lora", "<lora:楼兰:0.8:te=1>"));
    assert_eq!(network.positional().collect::<Vec<_>>(), ["楼兰", "0.8"]);
    assert_eq!((network.named("te"), network.named("unet")), (Some("1"), None));
    assert!(parsed.is_scheduled());

    let negative = parse(text, Emphasis::Original, Role::Negative);
    assert_eq!(negative.conditionings.len(), 1);
    assert!(negative.networks.is_empty());
    assert_eq!(
        negative.conditionings[0].text.as_str(),
        "a cat :1.2 AND a dog \nAND <lora:楼兰:0.8:te=1> [x|y]: -.5 "
    );
}

fn check_remarks(prompt: &str, expected: &[(Code, &str)]) {
    let found = resolved(prompt, Timeline::new(20)).diagnostics;
    let found: Vec<_> = found.iter().map(|it| (it.code, it.span.of(prompt))).collect();
    assert_eq!(found, expected, "{prompt:?}");
}

#[test]
fn an_editor_is_told_what_is_odd() {
    check_remarks("a (sand:1.2) [dune] [day:night:0.5] [a|b] \\(x\\) BREAK y, 8k <lora:z:1>", &[]);
    check_remarks("a (b", &[(Code::UnclosedBracket, "(")]);
    check_remarks(
        "a b) c:1.2) d]",
        &[(Code::UnopenedBracket, ")"), (Code::UnopenedBracket, ")"), (Code::UnopenedBracket, "]")],
    );
    check_remarks("(a:one) (b:1.2.3)", &[(Code::WeightNotANumber, "one"), (Code::WeightNotANumber, "1.2.3")]);
    check_remarks("(a:3) (b:-1) (c:2)", &[(Code::WeightOutOfRange, "3"), (Code::WeightOutOfRange, "-1")]);
    check_remarks("a\\b", &[(Code::StrayBackslash, "\\")]);
    check_remarks("[a:b] x", &[(Code::IncompleteSchedule, "[a:b]")]);
    check_remarks("[:3] [|]", &[(Code::EmptySchedule, "[:3]"), (Code::EmptySchedule, "[|]")]);
    check_remarks(
        "[a:20] [a:b:1.5] [a:0] [猫:0.9]",
        &[
            (Code::WhenOutsideSteps, "[a:20]"),
            (Code::WhenOutsideSteps, "[a:b:1.5]"),
            (Code::WhenOutsideSteps, "[a:0]"),
        ],
    );
    check_remarks("[a:b:3] | c", &[(Code::SchedulesNotRead, "|")]);
    check_remarks("(a BREAK b)", &[(Code::BreakInsideEmphasis, "BREAK")]);
    check_remarks(
        "猫AND狗，SAND，沙BREAK",
        &[(Code::KeywordNotSeparate, "AND"), (Code::KeywordNotSeparate, "BREAK")],
    );
    check_remarks("a AND AND b", &[(Code::EmptyConditioning, " ")]);
    check_remarks("cat:2", &[(Code::ConditioningWeight, ":2")]);
    check_remarks("<lora:a", &[(Code::UnclosedNetwork, "<lora:")]);
    check_remarks("<lora:a:b> x", &[(Code::NetworkMultiplierNotANumber, "<lora:a:b>")]);
    check_remarks(
        "（猫：1.2）",
        &[
            (Code::FullWidthPunctuation, "（"),
            (Code::FullWidthPunctuation, "："),
            (Code::FullWidthPunctuation, "）"),
        ],
    );
    let negative = "a AND <lora:b:1>";
    let found = parse(negative, Emphasis::Original, Role::Negative).diagnostics;
    let found: Vec<_> = found.iter().map(|it| (it.code, it.span.of(negative))).collect();
    assert_eq!(found, [(Code::AndInNegative, "AND"), (Code::NetworkInNegative, "<lora:b:1>")]);
}

#[test]
fn depth_costs_no_stack() {
    let depth = 4_000;
    for (open, close) in
        [("(", ")"), ("[", "]"), ("[", ":1]"), ("[", "|b]"), ("(", ":1.1)"), ("(", ""), ("", "]")]
    {
        let prompt = format!("{}a{}", open.repeat(depth), close.repeat(depth));
        for emphasis in [Emphasis::Original, Emphasis::ComfyUi] {
            let resolved = parse(&prompt, emphasis, Role::Positive).resolve(Timeline::new(2));
            assert_eq!(resolved.conditionings.len(), 1);
        }
    }
}

const EMPHASES: [Emphasis; 4] = [Emphasis::Original, Emphasis::Ignore, Emphasis::None, Emphasis::ComfyUi];

/// Prompts that look like prompts.
fn prompts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "(",
            ")",
            "[",
            "]",
            ":",
            "|",
            "\\",
            "#",
            "<",
            ">",
            "\n",
            " ",
            " AND ",
            "BREAK",
            ":1.2)",
            ":0.5]",
            ":3]",
            "<lora:a:1>",
            "猫",
            "楼兰，",
            "🏜️",
            "dune",
            "1e400",
            "é",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

fn is_place(span: Span, text: &str) -> bool {
    span.start <= span.end && text.is_char_boundary(span.start) && text.is_char_boundary(span.end)
}

/// Marks what a piece covers, and checks that each of its characters is where it says it is.
fn cover(piece: &Traced, prompt: &str, covered: &mut [bool]) -> Result<(), TestCaseError> {
    for (at, c) in piece.as_str().char_indices() {
        let span = piece.span(at..at + c.len_utf8());
        prop_assert!(is_place(span, prompt));
        // A comment became a line break.
        let same = span.of(prompt).chars().eq([c]);
        prop_assert!(same || (c == '\n' && span.of(prompt).contains('#')));
        covered[span.start..span.end].fill(true);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_a_prompt(prompt in prompts(), emphasis in prop::sample::select(EMPHASES.to_vec()), steps in 1_u32..12) {
        for role in [Role::Positive, Role::Negative] {
            let parsed = parse(&prompt, emphasis, role);
            let resolved = parsed.resolve(Timeline::new(steps));
            prop_assert!(!resolved.conditionings.is_empty());
            for part in &resolved.conditionings {
                prop_assert!(part.weight.is_finite());
                let ends: Vec<_> = part.runs.iter().map(|run| run.until_step).collect();
                prop_assert!(ends.is_sorted_by(|a, b| a < b));
                prop_assert_eq!(ends.last(), Some(&steps));
                for run in &part.runs {
                    let mut covered = vec![false; prompt.len()];
                    cover(&run.text, &prompt, &mut covered)?;
                    for item in &run.items {
                        match item {
                            Item::Text(segment) => cover(&segment.text, &prompt, &mut covered)?,
                            Item::Break(span) => prop_assert_eq!(span.of(&prompt), "BREAK"),
                        }
                    }
                }
            }
            let remarks = resolved.diagnostics.iter().map(|it| it.span);
            let networks = parsed.networks.iter().map(|it| it.span);
            for span in remarks.chain(networks).chain(parsed.comments.iter().copied()) {
                prop_assert!(is_place(span, &prompt), "{span:?} of {prompt:?}");
            }
        }
    }

    /// Nothing that the user wrote is lost but markup.
    #[test]
    fn pieces_cover_the_text(pieces in prop::collection::vec(prop::sample::select(vec![
        "a", "猫", "🏜️", " ", "\n", "(", ")", "[", "]", ":1.3)", "\\", "\\(", " BREAK ", ",",
    ]), 0..40)) {
        let prompt = pieces.concat();
        let resolved = resolved(&prompt, Timeline::new(5));
        let mut covered = vec![false; prompt.len()];
        for item in &resolved.conditionings[0].runs[0].items {
            match item {
                Item::Text(segment) => cover(&segment.text, &prompt, &mut covered)?,
                Item::Break(span) => covered[span.start..span.end].fill(true),
            }
        }
        for (at, c) in prompt.char_indices() {
            prop_assert!(covered[at] || "()[]\\:1.3 \n".contains(c), "{c:?} at {at} of {prompt:?}");
        }
    }
}
