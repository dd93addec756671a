//! A studio of a test's own: a temporary folder, the starter model, and a renderer that only pretends.
#![allow(dead_code, clippy::unused_self, clippy::unwrap_used)] // not every test uses all of it, and a test that cannot begin has failed

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// The commands about prompt sets, which have a test of their own.
pub(crate) const SETS: [&str; 29] = [
    "list_sets",
    "get_set",
    "create_set",
    "import_set",
    "rename_set",
    "duplicate_set",
    "trash_set",
    "restore_set",
    "delete_set",
    "change_set",
    "page_rows",
    "edit_set",
    "undo_set",
    "redo_set",
    "check_rows",
    "preview_template",
    "list_wildcards",
    "read_axis",
    "plan_set",
    "run_set",
    "list_batches",
    "get_batch",
    "pause_batch",
    "change_batch",
    "cancel_batch",
    "retry_batch",
    "dismiss_batch",
    "page_batch",
    "get_grid",
];

use serde_json::{Value, json};
use tarim_api::{Caller, ErrorCode, WireError, dispatch};
use tarim_render::Renderer;
use tarim_render::fake::{FakeRenderer, Script};
use tarim_studio::{How, Origin, Role, Studio, Surroundings, Timing};

pub(crate) struct Home {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) studio: Arc<Studio>,
    pub(crate) caller: Caller,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("library");
        Self::with(folder, &library, Script::default())
    }

    pub(crate) fn with(folder: tempfile::TempDir, library: &Path, script: Script) -> Self {
        let starter: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/starter");
        let state = Mutex::new(7_u64);
        let studio = Studio::open(Surroundings {
            config_folder: folder.path().join("config"),
            default_library: library.to_owned(),
            library: None,
            starter_model: Some(starter),
            model_folders: Vec::new(),
            renderers: Arc::new(move || Ok(Arc::new(FakeRenderer::new(script.clone())) as Arc<dyn Renderer>)),
            clock: Arc::new(SystemTime::now),
            random: Arc::new(move |bytes| {
                let mut state = state.lock().unwrap();
                for byte in bytes {
                    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    *byte = (*state >> 33) as u8;
                }
            }),
            utc_offset_minutes: Arc::new(|_| 480),
            machine: "here".to_owned(),
            presence: tarim_studio::sets::Presence::default(),
            origin: Origin::Window,
            role: Role::Owner,
            timing: Timing::default(),
        })
        .unwrap();
        Self { folder, studio, caller: Caller::here(Origin::Window) }
    }

    pub(crate) fn ask(&self, command: &str, request: &Value) -> Result<Value, WireError> {
        dispatch(&self.studio, &self.caller, command, request)
    }

    #[track_caller]
    pub(crate) fn get(&self, command: &str, request: &Value) -> Value {
        self.ask(command, request).unwrap_or_else(|error| panic!("{command} {request}: {error:?}"))
    }

    #[track_caller]
    pub(crate) fn refused(&self, command: &str, request: &Value, code: ErrorCode) -> WireError {
        match self.ask(command, request) {
            Ok(answer) => panic!("{command} {request} was answered: {answer}"),
            Err(error) => {
                assert_eq!(error.code, code, "{command} {request}: {error:?}");
                error
            }
        }
    }

    /// Has pictures made, and returns the submission's answer.
    #[track_caller]
    pub(crate) fn make(&self, prompt: &str, count: u32) -> Value {
        let draft = json!({"prompt": prompt, "steps": 2, "width": 64, "height": 128, "seed": "5"});
        let made = self.get("submit", &json!({"draft": draft, "count": count}));
        self.wait_until("the queue is empty", || {
            let queue = self.get("get_queue", &Value::Null);
            queue["waiting_total"] == 0 && queue["running"].as_array().unwrap().is_empty()
        });
        made
    }

    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_so() {
            assert!(Instant::now() < deadline, "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.studio.close(How::StopNow);
    }
}

/// A small PNG.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let picture =
        image::RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 3) as u8, (y * 3) as u8, 90]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}
