//! The studio with renderers that only pretend.

mod derive;
mod ends;
mod events;
mod farm;
mod lanes;
mod order;
mod sets;
mod several;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant, SystemTime};

use tarim_library::{Id, Job, Library, State};
use tarim_recipe::Draft;
use tarim_render::Renderer;
use tarim_render::fake::{FakeRenderer, Script};

use crate::surroundings::{Origin, Role, Surroundings, Timing};
use crate::{Studio, Submission, Submitted, lock};

/// A library, settings and renderers of a test's own.
struct Bench {
    folder: tempfile::TempDir,
    script: Mutex<Script>,
    /// Renderers made so far; those that were given back are gone.
    made: Arc<Mutex<Vec<Weak<FakeRenderer>>>>,
    timing: Timing,
}

impl Bench {
    fn new(script: Script) -> Self {
        let timing = Timing {
            lease: Duration::from_secs(2),
            poll: Duration::from_millis(20),
            progress: Duration::from_millis(20),
            minute: Duration::from_mins(1),
            retry: Duration::from_millis(50),
        };
        Self {
            folder: tempfile::tempdir().unwrap(),
            script: Mutex::new(script),
            made: Arc::default(),
            timing,
        }
    }

    fn library_folder(&self) -> PathBuf {
        self.folder.path().join("Pictures/楼兰")
    }

    fn surroundings(&self) -> Surroundings {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let made = Arc::clone(&self.made);
        let script = lock(&self.script).clone();
        Surroundings {
            config_folder: self.folder.path().join("config"),
            default_library: self.library_folder(),
            library: None,
            starter_model: Some(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/starter"))),
            model_folders: Vec::new(),
            renderers: Arc::new(move || {
                let renderer = Arc::new(FakeRenderer::new(script.clone()));
                lock(&made).push(Arc::downgrade(&renderer));
                Ok(renderer as Arc<dyn Renderer>)
            }),
            clock: Arc::new(SystemTime::now),
            random: Arc::new(|bytes| {
                // Different everywhere and every time is all that is asked of it here.
                let mut state = COUNT.fetch_add(1, Ordering::Relaxed);
                for byte in bytes {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    *byte = (state >> 56) as u8;
                }
            }),
            utc_offset_minutes: Arc::new(|_| 480),
            machine: "test".to_owned(),
            presence: crate::sets::Presence::default(),
            origin: Origin::Window,
            role: Role::Owner,
            timing: self.timing,
        }
    }

    fn open(&self) -> Arc<Studio> {
        Studio::open(self.surroundings()).unwrap()
    }

    /// Renderers that are alive.
    fn renderers(&self) -> Vec<Arc<FakeRenderer>> {
        lock(&self.made).iter().filter_map(Weak::upgrade).collect()
    }
}

/// A request for small pictures.
fn pictures(prompt: &str, count: u32, steps: u32) -> Submission {
    let draft = Draft {
        prompt: Some(prompt.into()),
        width: Some(64),
        height: Some(64),
        steps: Some(steps),
        ..Draft::default()
    };
    Submission { draft, count, ..Submission::default() }
}

/// Waits until something is so.
#[track_caller]
fn until(what: &str, so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn job(studio: &Studio, id: Id) -> Job {
    studio.library().unwrap().job(id).unwrap()
}

fn state(studio: &Studio, id: Id) -> State {
    job(studio, id).state
}

fn states(studio: &Studio, submitted: &Submitted) -> Vec<State> {
    submitted.jobs.iter().map(|id| state(studio, *id)).collect()
}

/// Waits until all of a request are done.
#[track_caller]
fn until_done(studio: &Studio, submitted: &Submitted) {
    until("all pictures are done", || states(studio, submitted).iter().all(|state| *state == State::Done));
}

/// All picture files of a library, none of which may be anything but a whole picture.
fn files(library: &Library) -> Vec<PathBuf> {
    fn walk(folder: &std::path::Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if path.ends_with(".tarim") => {}
                true => walk(&path, found),
                false => found.push(path),
            }
        }
    }
    let mut found = Vec::new();
    walk(library.root(), &mut found);
    for path in &found {
        tarim_library::pixels::load(path).unwrap();
    }
    found
}
