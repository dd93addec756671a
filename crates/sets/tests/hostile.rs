//! Input that is meant to harm, and input by chance: no panic, no hang, no time that grows with the square.

#![allow(clippy::unwrap_used, clippy::expect_used)] // what fails here is the test

use std::{
    io::{Cursor, Write},
    time::{Duration, Instant},
};

use proptest::prelude::*;
use tarim_sets::{
    Axis, AxisSpec, Checker, Defaults, Format, ReadOptions, Table, WriteOptions, read, read_cells, write,
};

/// Reads and checks; the time it may take is far above what it does take, and far below what a square would.
fn digest(bytes: &[u8], name: &str) {
    let start = Instant::now();
    for format in [None, Some(Format::Csv), Some(Format::Tsv), Some(Format::Text), Some(Format::JsonLines)] {
        if let Ok(set) = read(bytes, name, &ReadOptions { format, ..ReadOptions::default() }) {
            let defaults = Defaults::default();
            let checker = Checker::new(&set.table, &defaults, name);
            for checked in checker.rows() {
                for problem in checked.problems {
                    assert!(problem.to_string().len() < 2000, "{problem}");
                }
            }
        }
    }
    assert!(start.elapsed() < Duration::from_mins(1), "{name}: {:?}", start.elapsed());
}

#[test]
fn a_megabyte_of_anything() {
    let repeated = |piece: &str| piece.repeat((1 << 20) / piece.len());
    for piece in [
        "\"",
        "\"\n",
        "a\"",
        ",",
        "\t",
        ";\n",
        "\r",
        "{",
        "[",
        "{\"a\":",
        "--a ",
        "--prompt ",
        "' ",
        "\\",
        "=",
        "'",
        "::",
        "(",
        "<lora:a:1>",
        "<",
        "\u{feff}",
        "提示词,",
        "\"\"",
        ",\"",
        "prompt,",
        "\n",
        "a,b\"c\n",
        "0",
        "🦊",
    ] {
        let body = repeated(piece);
        digest(body.as_bytes(), "a.txt");
        digest(format!("prompt,size,seed,loras,steps\n{body}").as_bytes(), "a.csv");
        let _ = read_cells(&body);
    }
    let names = (0..100_000).map(|index| format!("column {index}")).collect::<Vec<_>>().join(",");
    digest(names.as_bytes(), "a.csv");
    let objects = (0..40_000).map(|index| format!("{{\"key {index}\": 1}}")).collect::<Vec<_>>().join("\n");
    digest(objects.as_bytes(), "a.jsonl");
    for cell in [
        "1,".repeat(1 << 19),
        "9".repeat(1 << 20),
        "<lora:a:1>".repeat(100_000),
        "x".repeat(1 << 20),
        "１".repeat(1 << 18),
    ] {
        for field in [
            "size",
            "seed",
            "loras",
            "steps",
            "sampler",
            "cfg",
            "width",
            "tags",
            "name",
            "precision",
            "rating",
        ] {
            digest(format!("prompt;{field}\na;\"{cell}\"\n").as_bytes(), "a.csv");
        }
    }
}

#[test]
fn axes_of_a_megabyte() {
    for values in ["1,", "1-5,", "\"", "\"a\",", "1-2 (+0.0000000001),", "-", "9"] {
        for axis in ["Steps", "CFG", "Prompt S/R", "Prompt order", "Size"] {
            let start = Instant::now();
            let spec = AxisSpec { axis: axis.to_owned(), values: values.repeat((1 << 20) / values.len()) };
            let _ = Axis::parse(&spec);
            assert!(start.elapsed() < Duration::from_secs(20), "{axis} {values}");
        }
    }
}

fn workbook(format: Format) -> Vec<u8> {
    let mut table = Table::new(["prompt", "steps", "notes"].map(tarim_sets::Column::named));
    table.push(["a fox & <b>", "20", "two\nlines"]);
    table.push(["a crane", "30", ""]);
    write(&table, format, &WriteOptions::default()).unwrap().bytes
}

/// The parts of an archive, unpacked, so that changes meet the XML and not only the packing.
fn unpacked(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut parts = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let mut part = Vec::new();
        std::io::copy(&mut file, &mut part).unwrap();
        parts.push((file.name().unwrap().into_owned(), part));
    }
    parts
}

fn packed(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        archive.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        digest(&bytes, "a.csv");
        digest(&bytes, "");
    }

    #[test]
    fn any_text(text in "[a-z\"',;{}<>\\[\\]=\\\\\t\r\n -]{0,300}", header in any::<bool>()) {
        let text = if header { format!("prompt,steps,size,loras\n{text}") } else { text };
        digest(text.as_bytes(), "a.txt");
    }

    #[test]
    fn damaged_archives(ods in any::<bool>(), changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), cut in any::<prop::sample::Index>(), cuts in any::<bool>()) {
        let mut bytes = workbook(if ods { Format::Ods } else { Format::Xlsx });
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len()).max(4));
        }
        let _ = read(&bytes, "a.xlsx", &ReadOptions::default());
    }

    #[test]
    fn damaged_parts(ods in any::<bool>(), part in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), length in 0_usize..12, piece in prop::sample::select(vec!["", "<", ">", "\"", "99999999999", "-1", "&", "&#xffffff;", "</", "A1", "\u{0}", "<c r=\"XFD9999999\"><v>1</v></c>", "r=\"\"", "t=\"s\""])) {
        let mut parts = unpacked(&workbook(if ods { Format::Ods } else { Format::Xlsx }));
        let chosen = part.index(parts.len());
        let bytes = &mut parts[chosen].1;
        let from = place.index(bytes.len().max(1)).min(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, piece.bytes());
        let _ = read(&packed(&parts), "a.xlsx", &ReadOptions::default());
    }
}
