//! Measures the whole local queue with renderers that take no time: `queue_bench FAKE_RENDERER [PICTURES]` prints
//! pictures a second as JSON. From the claim over messages and previews to files that are synced and rows that say so.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // a program; a failure ends it

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use tarim_recipe::Draft;
use tarim_render::fake::{FakeRenderer, SCRIPT_VARIABLE, Script};
use tarim_render::{ProcessOptions, Renderer};
use tarim_studio::{How, Origin, Renderers, Role, Studio, Submission, Surroundings, Timing, sets::Presence};

fn open(folder: &Path, renderers: Renderers) -> Arc<Studio> {
    let count = AtomicU64::new(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64);
    Studio::open(Surroundings {
        config_folder: folder.join("config"),
        default_library: folder.join("library"),
        library: None,
        starter_model: Some(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/starter"))),
        model_folders: Vec::new(),
        renderers,
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
        role: Role::Owner,
        timing: Timing::default(),
    })
    .unwrap()
}

/// Pictures a second.
fn measure(renderers: Renderers, pictures: u32, side: u32, devices: &[&str], at_once: u32) -> f64 {
    let folder = tempfile::tempdir_in(std::env::current_dir().unwrap().join("target")).unwrap();
    let studio = open(folder.path(), renderers);
    let before = studio.settings();
    studio
        .settings_store()
        .change(|settings| {
            settings.device = devices[0].parse().unwrap();
            settings.more_devices = devices[1..].iter().map(|device| device.parse().unwrap()).collect();
            settings.pictures_at_once = at_once;
        })
        .unwrap();
    studio.settings_changed(&before).unwrap();
    let draft = Draft {
        prompt: Some("a fox in the dunes".into()),
        width: Some(side),
        height: Some(side),
        steps: Some(1),
        ..Draft::default()
    };
    let submit = |count| {
        let submission = Submission { draft: draft.clone(), count, ..Submission::default() };
        let request = studio.submit(&submission).unwrap().request;
        let library = studio.library().unwrap();
        while library.request(request).unwrap().outcome.done < count {
            sleep(Duration::from_millis(2));
        }
    };
    // Renderers start, models are hashed.
    submit(8);
    let began = Instant::now();
    submit(pictures);
    let rate = f64::from(pictures) / began.elapsed().as_secs_f64();
    studio.close(How::FinishCurrent);
    rate
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().unwrap();
    let pictures = arguments.next().map_or(400, |count| count.parse().unwrap());
    let script = Script { has_cuda: true, ..Script::default() };
    let own = script.clone();
    let within: Renderers =
        Arc::new(move || Ok(Arc::new(FakeRenderer::new(own.clone())) as Arc<dyn Renderer>));
    let mut options = ProcessOptions::new(program);
    options.environment.push((SCRIPT_VARIABLE.into(), serde_json::to_string(&script).unwrap().into()));
    let processes = Surroundings::processes(Ok(options));
    // The first one pays for what the system reads for the first time.
    measure(Arc::clone(&within), 50, 64, &["cuda:0"], 1);
    let mut rows: Vec<Value> = Vec::new();
    for side in [64, 512] {
        let count = if side == 64 { pictures } else { pictures / 4 };
        for (what, devices, at_once) in [
            ("one device, one picture at once", &["cuda:0"][..], 1),
            ("one device, eight pictures at once", &["cuda:0"], 8),
            ("two devices, one picture at once each", &["cuda:0", "cpu"], 1),
        ] {
            rows.push(json!({
                "what": what,
                "side": side,
                "within": measure(Arc::clone(&within), count, side, devices, at_once),
                "processes": measure(Arc::clone(&processes), count, side, devices, at_once),
            }));
        }
    }
    println!("{}", json!({ "pictures": pictures, "rows": rows }));
}
