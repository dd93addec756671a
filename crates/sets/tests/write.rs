//! What is written reads back equal, in every format.

#![allow(clippy::unwrap_used, clippy::expect_used)] // what fails here is the test

use proptest::prelude::*;
use tarim_sets::{Code, Column, Field, Format, ReadOptions, Table, WriteOptions, read, write};

fn table(columns: &[&str], rows: &[&[&str]]) -> Table {
    let mut table = Table::new(columns.iter().map(|name| Column::named(*name)));
    for row in rows {
        table.push(row.iter().copied());
    }
    table
}

/// Columns and cells, without what is empty at the end.
fn content(table: &Table) -> (Vec<String>, Vec<Vec<String>>) {
    let rows = table.rows.iter().map(|row| {
        let mut cells = row.cells.clone();
        while cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        cells
    });
    (table.columns.iter().map(|column| column.name.clone()).collect(), rows.collect())
}

fn round_trip(table: &Table, format: Format, options: &WriteOptions) {
    let written = write(table, format, options).unwrap();
    let name = format!("set.{}", format.extension());
    let read = read(&written.bytes, &name, &ReadOptions::default())
        .unwrap_or_else(|error| panic!("{format:?}: {error}"));
    assert_eq!(read.format, format);
    assert_eq!(content(&read.table), content(table), "{format:?}");
}

fn variants() -> Vec<(Format, WriteOptions)> {
    let plain = WriteOptions::default();
    let excel = WriteOptions { for_excel: true, ..plain.clone() };
    let semicolon = WriteOptions { delimiter: Some(';'), ..plain.clone() };
    let mut all: Vec<_> = Format::ALL
        .into_iter()
        .filter(|format| *format != Format::Text)
        .map(|format| (format, plain.clone()))
        .collect();
    all.extend([(Format::Csv, excel.clone()), (Format::Tsv, excel), (Format::Csv, semicolon)]);
    all
}

#[test]
fn every_format() {
    let table = table(
        &["prompt", "负面提示词", "seed", "steps", "hair colour", "notes"],
        &[
            &["a fox, \"red\"; (neon:1.2)", "blurry", "18446744073709551615", "20", "red", "=1+1"],
            &["两行\n第二行\t制表  两格 ", "", "-1", "20.0", "007", "-5 apples"],
            &["{a|b} __wild__ <lora:x:0.5>", "x", "42", "", "", "'=quoted"],
            &["@home", "+plus", "1e3", "30", "", "''-x"],
        ],
    );
    for (format, options) in variants() {
        round_trip(&table, format, &options);
    }
}

#[test]
fn for_excel() {
    let table = table(&["prompt", "notes", "seed"], &[&["a", "=HYPERLINK(\"x\")", "-1"]]);
    let options = WriteOptions { for_excel: true, ..WriteOptions::default() };
    let written = write(&table, Format::Csv, &options).unwrap();
    assert_eq!(
        String::from_utf8(written.bytes).unwrap(),
        "\u{feff}prompt,notes,seed\r\na,\"'=HYPERLINK(\"\"x\"\")\",-1\r\n"
    );
}

#[test]
fn lines_of_flags() {
    let table = table(
        &["prompt", "negative_prompt", "steps", "sampler", "hair colour"],
        &[
            &["a fox", "", "", "", ""],
            &["a \"big\" fox\\", "two\nlines", "20", "Euler a", "dark red"],
            &["a -- b", "", "", "", ""],
        ],
    );
    let written = write(&table, Format::Text, &WriteOptions::default()).unwrap();
    assert_eq!(
        String::from_utf8(written.bytes.clone()).unwrap(),
        "a fox\n--prompt \"a \\\"big\\\" fox\\\\\" --negative_prompt \"two lines\" --steps 20 --sampler_name \"Euler a\" \
         \"--hair colour\" \"dark red\"\n--prompt \"a -- b\"\n"
    );
    assert_eq!(
        written.problems.iter().map(|problem| problem.code).collect::<Vec<_>>(),
        [Code::Lossy, Code::Lossy]
    );
    let back = read(&written.bytes, "a.txt", &ReadOptions::default()).unwrap().table;
    assert_eq!(
        back.columns.iter().map(|column| column.field).collect::<Vec<_>>(),
        [Some(Field::Prompt), Some(Field::NegativePrompt), Some(Field::Steps), Some(Field::Sampler), None]
    );
    assert_eq!(back.rows[1].cells, ["a \"big\" fox\\", "two lines", "20", "Euler a", "dark red"]);
}

#[test]
fn too_much_for_a_workbook() {
    let long = "狐".repeat(40_000);
    let long = table(&["prompt"], &[&[long.as_str()]]);
    let written = write(&long, Format::Xlsx, &WriteOptions::default()).unwrap();
    assert_eq!(written.problems[0].code, Code::Lossy);
    let back = read(&written.bytes, "a.xlsx", &ReadOptions::default()).unwrap();
    assert_eq!(back.table.rows[0].cell(0).chars().count(), 32_767);
    let wide = Table::new((0..20_000).map(|index| Column::named(index.to_string())));
    assert!(write(&wide, Format::Xlsx, &WriteOptions::default()).is_err());
}

fn cell() -> impl Strategy<Value = String> {
    // What a cell can hold in all formats: no control characters but line ends and tabs, and not only white space, since
    // a row of blanks is no row.
    let free = proptest::string::string_regex("[^\\p{C}]{0,12}").unwrap();
    let hostile =
        proptest::string::string_regex("['\"=+@;,|\\\\\n\t -]{0,8}x['\"=+@;,|\n\t -]{0,4}").unwrap();
    let number = proptest::num::f64::NORMAL.prop_map(|value| value.to_string());
    prop_oneof![free, hostile, number, Just(String::new())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_table(rows in proptest::collection::vec(proptest::collection::vec(cell(), 4), 1..8)) {
        let mut table = Table::new(["prompt", "steps", "notes", "hair"].map(Column::named));
        for mut row in rows {
            row[0].insert(0, 'p');
            table.push(row);
        }
        for (format, options) in variants() {
            round_trip(&table, format, &options);
        }
    }
}
