use super::*;
use crate::jobs::State;

fn terms(text: &str) -> Vec<String> {
    let one = |term: &Term| format!("{}{:?}", if term.negated { "-" } else { "" }, term.filter);
    parse(text).terms.iter().map(one).collect()
}

#[test]
fn queries() {
    let check = |text: &str, expected: &[&str]| assert_eq!(terms(text), expected, "{text}");
    check("", &[]);
    check("  　 ", &[]);
    check("fox Snow", &[r#"Text("fox")"#, r#"Text("snow")"#]);
    check(r#""in the snow" -blurry"#, &[r#"Text("in the snow")"#, r#"-Text("blurry")"#]);
    check(r#"-"bad hands""#, &[r#"-Text("bad hands")"#]);
    check("“赛博 楼兰”　－模糊", &[r#"Text("赛博 楼兰")"#, r#"-Text("模糊")"#]);
    check("「楼兰」", &[r#"Text("楼兰")"#]);
    check("\"still open", &[r#"Text("still open")"#]);
    check("ＦＯＸ", &[r#"Text("fox")"#]);
    check("- fox -", &[r#"Text("-")"#, r#"Text("fox")"#, r#"Text("-")"#]);
    check("model:dream", &[r#"Model("dream")"#]);
    check("model：“Dream Shaper”", &[r#"Model("dream shaper")"#]);
    check("模型：梦", &[r#"Model("梦")"#]);
    check("-model:xl", &[r#"-Model("xl")"#]);
    check("size:512x768", &["Size(Pixels { width: Some(512), height: Some(768) })"]);
    check("size:512×", &["Size(Pixels { width: Some(512), height: None })"]);
    check("size:portrait", &["Size(Portrait)"]);
    check("rating:>=4", &["Rating(Numbers { least: 4.0, most: inf })"]);
    check("评分：≥４", &["Rating(Numbers { least: 4.0, most: inf })"]);
    check("steps:20..30", &["Steps(Numbers { least: 20.0, most: 30.0 })"]);
    check("cfg:7.5", &["Guidance(Numbers { least: 7.5, most: 7.5 })"]);
    check("date:2026-11", &["Days(Days { first: 20261100, last: 20261131 })"]);
    check("date:2026", &["Days(Days { first: 20260000, last: 20261231 })"]);
    check("date:>=2026-11-01", &["Days(Days { first: 20261101, last: 2147483647 })"]);
    check("date:<2026-11", &["Days(Days { first: -2147483648, last: 20261099 })"]);
    check("date:2026-10..2026-11-03", &["Days(Days { first: 20261000, last: 20261103 })"]);
    check("seed:18446744073709551615", &["Seed(18446744073709551615)"]);
    check("tag:Loulan project:none", &[r#"Tag("loulan")"#, r#"Project("none")"#]);
    check("collection:\"Best of\"", &[r#"Collection("Best of")"#]);
    check("is:pick is:trashed is:img2img", &["Is(Pick)", "Is(Trashed)", "Is(Derived(Img2Img))"]);
    check("outcome:failed", &[&format!("Outcome({:?})", State::Failed)]);
    check("model:", &[]);
    check("negative:blurry", &[r#"Negative("blurry")"#]);
    // Pasted from a prompt.
    check("(fox:1.2)", &[r#"Text("(fox:1.2)")"#]);
    check("masterpiece:1.2", &[r#"Text("masterpiece:1.2")"#]);
}

#[test]
fn remarks() {
    let check = |text: &str, expected: &[(&str, Option<&str>)]| {
        let query = parse(text);
        let found: Vec<_> =
            query.diagnostics.iter().map(|d| (&text[d.span.clone()], d.suggestion.as_deref())).collect();
        assert_eq!(found, expected, "{text}");
    };
    check("fox model:dream", &[]);
    check("fox modle:dream", &[("modle", Some("model"))]);
    check("ratnig：4 fox", &[("ratnig", Some("rating"))]);
    check("rating:good", &[("good", Some(">=4"))]);
    check("rating：good", &[("good", Some(">=4"))]);
    check("date:2026-13", &[("2026-13", None)]);
    check("date:2026-02-30", &[("2026-02-30", None)]);
    check("is:picked", &[("picked", Some("pick"))]);
    check("outcome:faild", &[("faild", Some("failed"))]);
    check("https://x.y", &[("https", None)]);
    check("size:big", &[("big", Some("512x768"))]);
    check("model:", &[]);
}

#[test]
fn left_out_terms_do_not_empty_the_view() {
    for text in ["modle:dream", "rating:good", "date:soon", "is:nothing", "size:", "\"\"", "-\"\""] {
        assert_eq!(terms(text), [""; 0], "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_query(text in ".{0,80}", mixed in "([a-z]{0,3}|[:：\"“”「」 　>=<.-]|[楼兰]|[0-9]){0,30}") {
        for text in [text, mixed] {
            let query = parse(&text);
            for remark in &query.diagnostics {
                proptest::prop_assert!(text.get(remark.span.clone()).is_some());
            }
        }
    }
}
