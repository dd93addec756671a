//! The whole queue with the real renderer: what is rendered beside a picture does not change it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use tarim_acceptance::{program, starter};
use tarim_recipe::{Draft, Precision, Seed};
use tarim_render::ProcessOptions;
use tarim_studio::{How, Origin, Role, Studio, Submission, Surroundings, Timing, sets::Presence};

/// For a machine that does a lot else.
const PATIENCE: Duration = Duration::from_mins(5);

fn open(folder: &Path) -> Arc<Studio> {
    let mut options = ProcessOptions::new(program("tarim-renderer"));
    options.libtorch = std::env::var_os("LIBTORCH").map(PathBuf::from);
    options.library_path = std::env::var_os(ProcessOptions::library_path_variable());
    let count = AtomicU64::new(1);
    Studio::open(Surroundings {
        config_folder: folder.join("config"),
        default_library: folder.join("library"),
        library: None,
        starter_model: Some(starter()),
        model_folders: Vec::new(),
        renderers: Surroundings::processes(Ok(options)),
        clock: Arc::new(SystemTime::now),
        random: Arc::new(move |bytes| {
            let mut state = count.fetch_add(1, Ordering::Relaxed);
            for byte in bytes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 56) as u8;
            }
        }),
        utc_offset_minutes: Arc::new(|_| 0),
        machine: "here".to_owned(),
        presence: Presence::default(),
        origin: Origin::Cli,
        role: Role::Owner,
        timing: Timing::default(),
    })
    .unwrap()
}

/// Pixels by prompt and seed, of pictures rendered so many at once.
fn render(at_once: u32, precision: Precision) -> BTreeMap<(String, u64), Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let studio = open(folder.path());
    studio.settings_store().change(|settings| settings.pictures_at_once = at_once).unwrap();
    // The device is known, so that the first claim takes as many as it may.
    studio.devices().unwrap();
    studio.pause(true, false).unwrap();
    let library = studio.library().unwrap();
    let mut wanted = Vec::new();
    for (prompt, sampler) in [("a fox in the dunes", "Euler a"), ("((a lake)) at night, 楼兰", "Euler a")] {
        let draft = Draft {
            prompt: Some(prompt.into()),
            sampler: Some(sampler.parse().unwrap()),
            width: Some(128),
            height: Some(128),
            steps: Some(5),
            seed: Some(Seed(40)),
            precision: Some(precision),
            ..Draft::default()
        };
        let submitted = studio.submit(&Submission { draft, count: 3, ..Submission::default() }).unwrap();
        wanted.extend(submitted.jobs.into_iter().zip(40..).map(|(job, seed)| (job, prompt.to_owned(), seed)));
    }
    studio.pause(false, false).unwrap();
    let deadline = Instant::now() + PATIENCE;
    let done = |job| library.job(job).unwrap().state == tarim_library::State::Done;
    while !wanted.iter().all(|(job, ..)| done(*job)) {
        assert!(Instant::now() < deadline, "{:?}", studio.queue());
        sleep(Duration::from_millis(20));
    }
    let mut claims: Vec<_> = wanted.iter().map(|(job, ..)| library.job(*job).unwrap().started).collect();
    claims.dedup();
    assert_eq!(claims.len() as u32, 6 / at_once, "they were taken so many at once");
    let pixels = |job| {
        let path = library.root().join(library.job(job).unwrap().output_path.unwrap());
        tarim_library::pixels::load(&path).unwrap().rgb
    };
    let pictures = wanted.into_iter().map(|(job, prompt, seed)| ((prompt, seed), pixels(job))).collect();
    studio.close(How::FinishCurrent);
    pictures
}

fn psnr(found: &[u8], expected: &[u8]) -> f64 {
    let squares = found.iter().zip(expected).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    let mean = squares.sum::<f64>() / found.len() as f64;
    if mean == 0.0 { f64::INFINITY } else { 10.0 * (255.0 * 255.0 / mean).log10() }
}

#[test]
fn in_float32_a_picture_is_the_same_bytes_alone_and_among_others() {
    let alone = render(1, Precision::Fp32);
    assert_eq!(alone.len(), 6);
    for at_once in [2, 6] {
        assert!(render(at_once, Precision::Fp32) == alone, "{at_once} at once are others than one");
    }
}

/// Where calls are shared, libtorch may round differently. At least 30 dB of likeness stay in bfloat16: no eye tells
/// them apart.
#[test]
fn in_bfloat16_pictures_among_others_are_nearly_the_same() {
    let (alone, together) = (render(1, Precision::Bf16), render(6, Precision::Bf16));
    for (which, pixels) in &alone {
        let likeness = psnr(&together[which], pixels);
        println!("{which:?}: {likeness:.1} dB");
        assert!(likeness > 30.0, "{which:?}: {likeness:.1} dB");
    }
}
