//! From cells to drafts, with problems in their places.

#![allow(clippy::unwrap_used, clippy::expect_used)] // what fails here is the test

use tarim_recipe::{Draft, Prompt, Sampler, Schedule, Seed};
use tarim_sets::{Checked, Checker, Code, Defaults, ReadOptions, Severity, TemplateMode, read};

fn checked(text: &str, defaults: &Defaults) -> Vec<Checked> {
    let set = read(text.as_bytes(), "set.csv", &ReadOptions::default()).expect(text);
    Checker::new(&set.table, defaults, "set.csv").rows().collect()
}

fn only(text: &str) -> Checked {
    checked(text, &Defaults::default()).remove(0)
}

#[test]
fn every_kind_of_cell() {
    let row = only(
        "提示词,反向提示词,种子,尺寸,模型,采样器,步数,CFG Scale,clip skip,数量,标签,文件名,备注,lora,hair,title_zh\n\
         a {red|blue} fox,blurry,４２,５１２×７６８,sd/v1.safetensors [0123456789],DPM++ 2M Karras,30,７．５,2,4,\"风景, 动物\",fox-1,好,\"ink:0.8, fine\",red,狐\n",
    );
    assert_eq!(row.problems, []);
    let read = row.row.unwrap();
    let draft = read.draft.clone();
    assert_eq!(draft.prompt, Some(Prompt::from("a {red|blue} fox <lora:ink:0.8> <lora:fine:1>")));
    assert_eq!((draft.width, draft.height, draft.seed), (Some(512), Some(768), Some(Seed(42))));
    assert_eq!((draft.sampler, draft.schedule), (Some(Sampler::DpmPp2M), Some(Schedule::Karras)));
    let model = draft.model.unwrap();
    assert_eq!((model.name.as_str(), model.hash.as_deref()), ("v1", Some("0123456789")));
    assert_eq!((draft.steps, draft.guidance_scale, draft.clip_skip), (Some(30), Some(7.5), Some(2)));
    assert_eq!((read.count, read.tags.len(), read.output_name.as_deref()), (4, 2, Some("fox-1")));
    assert_eq!(read.extra, [("hair".to_owned(), "red".to_owned())]);
    assert_eq!(read.text(tarim_sets::Field::TitleZh), Some("狐"));
}

#[test]
fn defaults_lie_under_the_rows() {
    let draft =
        Draft { steps: Some(12), prompt: Some("a default".into()), width: Some(640), ..Draft::default() };
    let defaults =
        Defaults { count: Some(2), template_mode: Some(TemplateMode::Cyclic), ..Defaults::from(draft) };
    let rows = checked("prompt,steps,lora\nmine,,\n,9,x\n", &defaults);
    let rows: Vec<_> = rows.into_iter().map(|row| row.row.unwrap()).collect();
    assert_eq!((rows[0].draft.steps, rows[0].count, rows[0].draft.width), (Some(12), 2, Some(640)));
    assert_eq!(rows[1].draft.prompt, Some(Prompt::from("a default <lora:x:1>")));
    assert_eq!((rows[1].draft.steps, rows[1].template_mode), (Some(9), Some(TemplateMode::Cyclic)));
}

#[test]
fn problems_in_their_places() {
    let check = |header: &str, cell: &str, code: Code, message: &str, fix: Option<&str>| {
        let row = only(&format!("prompt;{header}\na;{cell}\n"));
        let problem = &row.problems[0];
        assert_eq!((problem.code, problem.row), (code, Some(2)), "{problem}");
        assert_eq!(problem.column.as_deref(), Some(header), "{problem}");
        assert!(problem.message.contains(message), "{problem}");
        assert_eq!(problem.fix.as_deref(), fix, "{problem}");
        assert!(row.is_bad() && row.row.is_none());
    };
    check("width", "100000", Code::OutOfRange, "width is 100000", Some("8192"));
    check("size", "100000x512", Code::OutOfRange, "width is 100000", Some("8192x512"));
    check("Size", "513x512", Code::OutOfRange, "not a multiple of 8", Some("512x512"));
    check("sampler", "DPM++ 2N", Code::UnknownName, "unknown sampler", Some("DPM++ 2M"));
    check("scheduler", "Karas", Code::UnknownName, "unknown schedule", Some("Karras"));
    check("count", "0", Code::OutOfRange, "count is 0", Some("1"));
    check("count", "1000000", Code::OutOfRange, "1000000", Some("10000"));
    check("steps", "5000", Code::OutOfRange, "steps is 5000", None);
    check("步数", "20.5", Code::NotANumber, "not a whole number", Some("21"));
    check("cfg", "seven", Code::NotANumber, "not a number", None);
    check("clip skip", "99", Code::OutOfRange, "clip_skip is 99", None);
    check("seed", "2024-01-05", Code::ChangedBySpreadsheet, "is a date", None);
    check("steps", "5-Jan", Code::ChangedBySpreadsheet, "is a date", None);
    check("mask", "m.png", Code::Conflict, "no picture", None);
    check("output_name", "a/b", Code::BadName, "may not be", Some("a_b"));
    check("template_mode", "combinatoral", Code::UnknownName, "template mode", Some("combinatorial"));
    check("rating", "9", Code::OutOfRange, "rating", Some("5"));
}

#[test]
fn bad_rows_do_not_stop_good_ones() {
    let rows = checked(
        "prompt,steps,width,name\na,20,512,x\nb,many,9,y\n,20,512,z\nc,30,512,X\n\nd,40,512,\n",
        &Defaults::default(),
    );
    let good: Vec<u32> = rows.iter().filter(|row| row.row.is_some()).map(|row| row.number).collect();
    assert_eq!(good, [2, 7]);
    let codes: Vec<_> =
        rows.iter().flat_map(|row| row.problems.iter().map(|p| (row.number, p.code))).collect();
    let expected =
        [(3, Code::NotANumber), (3, Code::OutOfRange), (4, Code::NoPrompt), (5, Code::DuplicateName)];
    assert_eq!(codes, expected);
    let duplicate = rows[3].problems[0].clone();
    assert!(duplicate.message.contains("row 2"), "{duplicate}");
    assert_eq!(duplicate.fix.as_deref(), Some("X-5"));
}

#[test]
fn several_problems_of_one_row_and_values_without_effect() {
    let row = only("prompt,steps,cfg,eta,strength\na,0,-1,7,0.5\n");
    assert_eq!(row.problems.iter().filter(|p| p.severity == Severity::Error).count(), 3);
    let row = only("prompt,strength\na,0.5\n");
    assert_eq!(
        row.problems.iter().map(|p| (p.code, p.severity)).collect::<Vec<_>>(),
        [(Code::NoEffect, Severity::Warning)]
    );
    assert!(row.row.is_some());
    let row = only("prompt,enabled,steps\na,no,many\n");
    assert!(row.row.is_none() && row.problems.is_empty());
}

#[test]
fn unknown_and_double_columns() {
    let set = read("promt,prompt,Prompt,hair\n,a,b,red\n".as_bytes(), "", &ReadOptions::default()).unwrap();
    let defaults = Defaults::default();
    let checker = Checker::new(&set.table, &defaults, "");
    let header: Vec<_> =
        checker.header().iter().map(|p| (p.code, p.column.as_deref(), p.fix.as_deref())).collect();
    assert_eq!(
        header,
        [
            (Code::UnknownColumn, Some("promt"), Some("prompt")),
            (Code::DuplicateColumn, Some("Prompt"), None),
            (Code::UnknownColumn, Some("hair"), None),
        ]
    );
    assert_eq!(checker.row(0).row.unwrap().draft.prompt, Some(Prompt::from("a")));
}
