//! How long a large set takes to read and check, and files for other programs to read.
//!
//! `cargo run --release -p tarim-sets --example measure -- [ROWS] [FOLDER]`

#![allow(clippy::print_stdout, clippy::unwrap_used)] // a program for developers

use std::{fmt::Write as _, path::Path, time::Instant};

use tarim_sets::{Checker, Defaults, Format, ReadOptions, WriteOptions, read, write};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let rows: usize = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let mut text = String::from("提示词,negative_prompt,seed,size,sampler,steps,cfg,name,tags,hair\n");
    for row in 0..rows {
        let _ = writeln!(
            text,
            "\"a portrait of traveller {row}, (neon:1.2), {{red|blue}} coat\",blurry,{row},512x768,DPM++ 2M Karras,30,7.5,avatar-{row},\"a, b\",red"
        );
    }
    let start = Instant::now();
    let set = read(text.as_bytes(), "set.csv", &ReadOptions::default()).unwrap();
    let parsed = start.elapsed();
    let defaults = Defaults::default();
    let good = Checker::new(&set.table, &defaults, "set.csv").rows().filter(|row| row.row.is_some()).count();
    println!(
        "{rows} rows, {} MiB of CSV: read in {parsed:?}, {good} drafts after {:?}",
        text.len() >> 20,
        start.elapsed()
    );
    for format in Format::ALL {
        let start = Instant::now();
        let bytes = write(&set.table, format, &WriteOptions::default()).unwrap().bytes;
        let written = start.elapsed();
        let start = Instant::now();
        let again = read(&bytes, &format!("set.{}", format.extension()), &ReadOptions::default()).unwrap();
        println!(
            "{format:?}: written in {written:?}, {} rows read in {:?}",
            again.table.rows.len(),
            start.elapsed()
        );
        if let Some(folder) = std::env::args().nth(2) {
            std::fs::write(Path::new(&folder).join(format!("set.{}", format.extension())), bytes).unwrap();
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
}
