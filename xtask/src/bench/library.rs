//! `bench library`: the index, with synthetic pictures, and a rebuild from real files.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{date, machine};
use crate::process::{cargo, command, output, root, run as must, step};

/// How many pictures are measured.
const PICTURES: [u64; 2] = [100_000, 1_000_000];
/// How many files a rebuild reads.
const FILES: u64 = 2000;
/// The part of `BENCHMARKS.md` that is written; the next heading of its level ends it.
const HEADING: &str = "## The library\n";

/// The rows: their key in the program's JSON, and what they measure.
const ROWS: [(&str, &str); 15] = [
    ("search_english", "search, English words"),
    ("search_short_latin", "search, one or two Latin letters"),
    ("search_chinese_1", "search, one Chinese character"),
    ("search_chinese_2", "search, two Chinese characters"),
    ("search_chinese_3", "search, three and more"),
    ("filter", "filter"),
    ("search_and_filter", "search and filter"),
    ("page_newest", "page of 100 anywhere, newest first"),
    ("page_best_rated", "page of 100 anywhere, best rated first"),
    ("layout_first_100000", "places of the first 100,000"),
    ("layout_everything", "places of all"),
    ("layout_of_a_search", "places of a search"),
    ("count_of_a_search", "count of a search"),
    ("totals", "totals of the library"),
    ("insert_one_synced", "insert one, synced"),
];

/// Measures and prints; with `write` also puts the table into `BENCHMARKS.md`.
pub(super) fn run(write: bool) -> Result<()> {
    step("Building the library's benchmark");
    must(cargo().args(["build", "--release", "-p", "tarim-library", "--example", "library_bench"]))?;
    let program = root().join("target/release/examples/library_bench");
    let mut measured = Vec::new();
    for pictures in PICTURES {
        step(format!("Measuring {pictures} pictures"));
        let said = output(command(&program).args([pictures.to_string(), FILES.to_string()]))?;
        let figures: Value = serde_json::from_str(&said)
            .with_context(|| format!("the library's benchmark printed no JSON: {said}"))?;
        measured.push(figures);
    }
    let report = report(&measured);
    println!("{report}");
    if write {
        let path = root().join("BENCHMARKS.md");
        let before = fs::read_to_string(&path).unwrap_or_default();
        let whole = with_part(&before, HEADING, &report);
        fs::write(&path, whole).with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}

/// The file with this part in place of the earlier one, else at its end.
pub(super) fn with_part(before: &str, heading: &str, part: &str) -> String {
    let Some(start) = before.find(heading) else { return format!("{}\n\n{part}", before.trim_end()) };
    let after = start + heading.len();
    let end = before[after..].find("\n## ").map_or(before.len(), |at| after + at + 1);
    let rest = &before[end..];
    let gap = if rest.is_empty() { "" } else { "\n" };
    format!("{}{part}{gap}{rest}", &before[..start])
}

fn report(measured: &[Value]) -> String {
    let mut text = format!(
        "{HEADING}\nMade by `cargo xtask bench library --write`: synthetic pictures with prompts in English and Chinese,\n\
         pages of 100, milliseconds as p50 / p95 over all queries of a row.\n\n- machine: {}\n- date: {}\n\n|",
        machine(),
        date()
    );
    for figures in measured {
        text += &format!(" | {} pictures", thousands(figures["pictures"].as_u64().unwrap_or(0)));
    }
    text += &format!(" |\n|---|{}\n", "---|".repeat(measured.len()));
    let mut row = |title: &str, cell: &dyn Fn(&Value) -> String| {
        let cells: Vec<String> = measured.iter().map(cell).collect();
        text += &format!("| {title} | {} |\n", cells.join(" | "));
    };
    for (key, title) in ROWS {
        row(title, &|figures| {
            let times = &figures["milliseconds"][key];
            format!("{} / {}", times["p50"], times["p95"])
        });
    }
    row("filled, pictures a second", &|figures| whole(&figures["fill_pictures_per_second"]));
    row("index, bytes a picture", &|figures| figures["database_bytes_per_picture"].to_string());
    row("peak memory, MiB", &|figures| figures["peak_memory_mib"].to_string());
    row("rebuild from files, files a second", &|figures| whole(&figures["rebuild"]["files_per_second"]));
    row("reconcile unchanged files, files a second", &|figures| {
        whole(&figures["rebuild"]["reconcile_unchanged_files_per_second"])
    });
    text
}

fn whole(number: &Value) -> String {
    format!("{:.0}", number.as_f64().unwrap_or(f64::NAN))
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_is_replaced_where_it_stands() {
        let part = "## The library\n\nnew\n";
        assert_eq!(with_part("# B\n", HEADING, part), "# B\n\n## The library\n\nnew\n");
        let before = "# B\n\n## The library\n\nold\n\n## Remarks\n\n- x\n";
        let after = "# B\n\n## The library\n\nnew\n\n## Remarks\n\n- x\n";
        assert_eq!(with_part(before, HEADING, part), after);
        assert_eq!(with_part(after, HEADING, part), after);
        assert_eq!(thousands(1_000_000), "1,000,000");
        assert_eq!(thousands(999), "999");
    }
}
