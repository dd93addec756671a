//! Measures prompt sets: `sets_bench [ROWS]` reads a CSV of so many rows, plans it and puts it into the queue, twice, and
//! prints seconds and the memory in use as JSON.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // a program; a failure ends it

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use serde_json::json;
use tarim_render::RenderError;
use tarim_sets::ReadOptions;
use tarim_studio::sets::{Into, Presence, RunOptions};
use tarim_studio::{How, Origin, Role, Studio, Surroundings, Timing};

fn main() {
    let rows: u32 = std::env::args().nth(1).map_or(10_000, |rows| rows.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let count = AtomicU64::new(1);
    let studio = Studio::open(Surroundings {
        config_folder: folder.path().join("config"),
        default_library: folder.path().join("library"),
        library: None,
        starter_model: Some(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/starter"))),
        model_folders: Vec::new(),
        renderers: Surroundings::processes(Err(RenderError::ProgramMissing { tried: Vec::new() })),
        clock: Arc::new(SystemTime::now),
        random: Arc::new(move |bytes| {
            let mut state = count.fetch_add(1, Ordering::Relaxed);
            for byte in bytes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 56) as u8;
            }
        }),
        utc_offset_minutes: Arc::new(|_| 0),
        machine: "bench".to_owned(),
        presence: Presence::default(),
        origin: Origin::Cli,
        role: Role::Guest,
        timing: Timing::default(),
    })
    .unwrap();
    let mut csv = String::from("prompt,negative_prompt,size,steps,seed,tags\n");
    for row in 0..rows {
        let _ = writeln!(
            csv,
            "\"portrait of character {row}, wearing a red coat, in the snow, golden hour, detailed\",\"blurry, low quality\",512x512,20,{row},avatar"
        );
    }
    let began = Instant::now();
    let read = studio.import_set("bench.csv", csv.as_bytes(), &ReadOptions::default(), Into::New).unwrap();
    let import = began.elapsed().as_secs_f64();
    let id = read.set.summary.id;
    let timed = |work: &dyn Fn()| {
        let began = Instant::now();
        work();
        began.elapsed().as_secs_f64()
    };
    let before = memory();
    let plan =
        timed(&|| assert_eq!(studio.plan_set(id, &RunOptions::default()).unwrap().new, u64::from(rows)));
    let after_plan = memory();
    let submit = timed(&|| {
        let batch = studio.run_set(id, RunOptions::default(), None).unwrap();
        assert_eq!(batch.batch.planned, u64::from(rows));
    });
    let after_submit = memory();
    let again = timed(&|| {
        let batch = studio.run_set(id, RunOptions::default(), None).unwrap();
        assert_eq!(batch.batch.skipped, u64::from(rows));
    });
    studio.close(How::StopNow);
    println!(
        "{}",
        json!({ "rows": rows, "import": import, "plan": plan, "submit": submit, "again": again,
            "mib": { "before": before, "after_plan": after_plan, "after_submit": after_submit } })
    );
}

/// Memory in use, in MiB, where the system tells.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}
