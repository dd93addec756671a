//! Texts of every kind, as people write them.

#![allow(clippy::unwrap_used, clippy::expect_used)] // what fails here is the test

use tarim_sets::{Checker, Code, Defaults, Field, Format, ReadError, ReadOptions, ReadSet, read};

fn set(text: &str, name: &str) -> ReadSet {
    read(text.as_bytes(), name, &ReadOptions::default()).expect(text)
}

/// Rows as `number: cell | cell`.
fn rows(set: &ReadSet) -> Vec<String> {
    let row = |row: &tarim_sets::Row| format!("{}: {}", row.number.unwrap_or(0), row.cells.join(" | "));
    set.table.rows.iter().map(row).collect()
}

fn check(text: &str, name: &str, format: Format, delimiter: Option<char>, expected: &[&str]) {
    let set = set(text, name);
    assert_eq!((set.format, set.delimiter), (format, delimiter), "{text}");
    assert_eq!(rows(&set), expected, "{text}");
}

#[test]
fn delimiters_and_quotes() {
    check("prompt,steps\na fox,20\n", "a.csv", Format::Csv, Some(','), &["2: a fox | 20"]);
    check("prompt;steps\r\na fox, red;20\r\n", "a.csv", Format::Csv, Some(';'), &["2: a fox, red | 20"]);
    check("提示词\t步数\na fox\t20", "a.csv", Format::Csv, Some('\t'), &["2: a fox | 20"]);
    check("sep=;\nprompt;steps\na;1\n", "a.csv", Format::Csv, Some(';'), &["2: a | 1"]);
    check(
        "prompt,steps\n\"a \"\"big\"\" fox,\r\nred\",20\n\nb,30\n",
        "a.csv",
        Format::Csv,
        Some(','),
        &["2: a \"big\" fox,\nred | 20", "4: b | 30"],
    );
    // A single column needs no quotation marks.
    check("prompt\na fox, red\nb\n", "a.csv", Format::Csv, None, &["2: a fox, red", "3: b"]);
    check("Prompt\tSteps\n\"a\tb\"\t20\n", "", Format::Tsv, Some('\t'), &["2: a\tb | 20"]);
    // Excel's apostrophe, which our own writer puts before what looks like a formula.
    check("prompt,notes\na,'=1+1\nb,'x\n", "a.csv", Format::Csv, Some(','), &["2: a | =1+1", "3: b | 'x"]);
}

#[test]
fn headers_are_found() {
    let titled = set("My avatars,,\n,,\nprompt,steps,hair\na,20,red\n", "a.csv");
    assert_eq!(rows(&titled), ["4: a | 20 | red"]);
    assert_eq!(titled.table.columns[2].field, None);
    let bare = set("a fox\na crane\n", "a.csv");
    assert_eq!((bare.problems[0].code, rows(&bare).len()), (Code::NoHeader, 2));
    let unknown = set("foo,bar\n1,2\n", "a.csv");
    let defaults = Defaults::default();
    let checker = Checker::new(&unknown.table, &defaults, "a.csv");
    assert!(checker.header().iter().any(|problem| problem.code == Code::NoKnownColumn));
}

#[test]
fn an_open_quotation_mark_does_not_swallow_the_file() {
    let set = set("prompt,steps\na \"fox,20\n\"b,30\nc,40\n", "a.csv");
    assert_eq!(rows(&set), ["2: a \"fox | 20", "3: \"b | 30", "4: c | 40"]);
    assert_eq!(set.problems.iter().map(|p| (p.code, p.row)).collect::<Vec<_>>(), [(Code::Quote, Some(3))]);
}

#[test]
fn ragged_rows_cannot_run() {
    let set = set("prompt,steps\na,20\nb,c,30,x\nd\n", "a.csv");
    let defaults = Defaults::default();
    let checker = Checker::new(&set.table, &defaults, "a.csv");
    let good: Vec<u32> = checker.rows().filter(|row| row.row.is_some()).map(|row| row.number).collect();
    assert_eq!(good, [2, 4]);
    let problem = checker.row(1).problems.remove(0);
    assert_eq!(
        problem.to_string().split(';').next(),
        Some("a.csv, row 3, column \"steps\": \"c\" is not a whole number")
    );
}

#[test]
fn text_with_and_without_flags() {
    check("a fox\n\na crane, ink\n", "a.txt", Format::Text, None, &["1: a fox", "3: a crane, ink"]);
    let flags = set(
        "--prompt \"a fox\" --steps 30 --sampler_name \"Euler a\"\nb\n--prompt c --cfg_scale 5\n",
        "a.txt",
    );
    assert_eq!(rows(&flags), ["1: a fox | 30 | Euler a", "2: b", "3: c |  |  | 5"]);
    assert_eq!(flags.table.columns[2].field, Some(Field::Sampler));
    check("{a|b} fox\n[cat|dog]\n", "a.txt", Format::Text, None, &["1: {a|b} fox", "2: [cat|dog]"]);
    assert_eq!(set("prompt,steps\na,20\n", "a.txt").format, Format::Csv);
    assert_eq!(set("prompt\tsteps\na\t20\n", "a.txt").format, Format::Tsv);
}

#[test]
fn json_in_every_form() {
    let list = r#"[{"prompt": "a", "seed": 18446744073709551615, "size": [512, 768]}, {"steps": 20.0, "prompt": "b", "loras": [{"name": "x", "weight": 0.5}]}]"#;
    check(
        list,
        "a.json",
        Format::Json,
        None,
        &["1: a | 18446744073709551615 | 512, 768", "2: b |  |  | 20.0 | x:0.5"],
    );
    check(
        r#"{"name": "x", "rows": [{"prompt": "a"}, "b"]}"#,
        "a.json",
        Format::Json,
        None,
        &["1: a", "2: b"],
    );
    check(
        r#"[{"prompt": {"text": "a red fox", "template": "a {red|blue} fox"}, "model": {"name": "m", "hash": "abcdef0123"}, "hair": {"colour": "red"}}]"#,
        "",
        Format::Json,
        None,
        &["1: a {red|blue} fox | m [abcdef0123] | red"],
    );
    let lines = set("{\"prompt\": \"a\"}\n{broken\n\n{\"prompt\": \"b\"}\n", "a.jsonl");
    assert_eq!((lines.format, rows(&lines)), (Format::JsonLines, vec!["1: a".to_owned(), "4: b".to_owned()]));
    assert_eq!(lines.problems[0].row, Some(2));
    assert!(matches!(read(b"{]", "a.json", &ReadOptions::default()), Err(ReadError::Damaged { .. })));
}

#[test]
fn nothing_to_read() {
    let error = |bytes: &[u8], name: &str| read(bytes, name, &ReadOptions::default()).unwrap_err();
    assert!(matches!(error(b"", "a.csv"), ReadError::Empty { .. }));
    assert!(matches!(error(b" \n\n", "a.txt"), ReadError::Empty { .. }));
    assert!(matches!(error(b"[]", "a.json"), ReadError::Empty { .. }));
    assert!(matches!(error(b"PK\x03\x04nonsense", "a.xlsx"), ReadError::Damaged { .. }));
    assert!(matches!(error(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls"), ReadError::OldWorkbook));
}
