//! A library in a temporary folder, and pictures to put into it.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::needless_pass_by_value)] // each test uses some of it

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use tarim_library::{
    Claim, Id, Job, Labels, Library, Moment, NameTemplate, NewJob, NewRequest, Picture, Save, SaveStep,
    Saved,
    search::{self, Sort},
};
use tarim_recipe::{Prompt, Recipe};
use tempfile::TempDir;

/// 2026-11-24 01:15 in a place 8 hours ahead.
pub const NOW: Moment = Moment { ms: 1_795_454_100_123, offset_minutes: 480 };
pub const LEASE_MS: i64 = 30_000;

pub fn later(seconds: i64) -> Moment {
    NOW.plus_ms(seconds * 1000)
}

pub fn id(n: u32) -> Id {
    let mut bytes = [0x11; 16];
    bytes[12..].copy_from_slice(&n.to_be_bytes());
    Id::from_bytes(bytes)
}

static NEXT: AtomicU32 = AtomicU32::new(1);

pub fn new_id() -> Id {
    id(NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn recipe(prompt: &str) -> Recipe {
    let json = r#"{"tarim_recipe":1,"model":{"name":"starter"},"prompt":"","negative_prompt":"blurry",
        "size":{"width":64,"height":64},"sampler":"DPM++ 2M","steps":20,"guidance_scale":7,"seed":7,"precision":"fp32"}"#;
    let mut recipe = Recipe::from_json(json).unwrap();
    recipe.prompt = Prompt::from(prompt);
    recipe
}

pub fn pixels(shade: u8) -> Picture {
    let rgb = (0..64 * 64 * 3).map(|n| (n as u8).wrapping_mul(shade)).collect();
    Picture { width: 64, height: 64, rgb }
}

pub struct World {
    pub folder: TempDir,
    pub library: Library,
}

pub fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let (library, report) = Library::open(folder.path(), NOW).unwrap();
    assert_eq!(report.damaged, None);
    World { folder, library }
}

impl World {
    pub fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub fn reopened(self) -> Self {
        let Self { folder, library } = self;
        drop(library);
        let (library, _) = Library::open(folder.path(), NOW).unwrap();
        Self { folder, library }
    }

    /// Queues a request of `count` pictures and returns its id and its jobs'.
    pub fn enqueue(&self, prompt: &str, count: usize) -> (Id, Vec<Id>) {
        self.enqueue_at(NOW, recipe(prompt), count)
    }

    pub fn enqueue_at(&self, created: Moment, recipe: Recipe, count: usize) -> (Id, Vec<Id>) {
        self.enqueue_of("/models/starter", created, recipe, count)
    }

    pub fn enqueue_of(&self, model: &str, created: Moment, recipe: Recipe, count: usize) -> (Id, Vec<Id>) {
        let request = NewRequest {
            id: new_id(),
            created,
            origin: "test".to_owned(),
            draft: "{}".to_owned(),
            template: None,
            prompt: recipe.prompt.text.clone(),
            negative: recipe.negative_prompt.text.clone(),
            project: None,
            warnings: Vec::new(),
        };
        let jobs: Vec<_> = (0..count)
            .map(|n| NewJob {
                id: new_id(),
                recipe: recipe.nth(n as u64),
                open_precision: false,
                model_path: model.into(),
                preview: false,
                priority: 0,
                parent: None,
                derivation: None,
            })
            .collect();
        self.library.enqueue(&request, &jobs).unwrap();
        (request.id, jobs.into_iter().map(|job| job.id).collect())
    }

    pub fn claim(&self, worker: &str) -> Option<Job> {
        let claim = Claim::new(worker, NOW, LEASE_MS);
        self.library.claim(&claim).unwrap()
    }

    pub fn save(&self, job: &Job, worker: &str) -> Saved {
        self.save_at(job, worker, NOW, &|_| Ok(())).unwrap()
    }

    pub fn save_at(
        &self,
        job: &Job,
        worker: &str,
        now: Moment,
        at: &dyn Fn(SaveStep) -> std::io::Result<()>,
    ) -> tarim_library::Result<Saved> {
        let recipe = Recipe::from_json(&job.recipe).unwrap();
        let save = Save {
            job,
            worker,
            recipe: &recipe,
            pixels: &pixels(job.number as u8 + 3),
            labels: &Labels::new(&recipe, "Tarim test"),
            template: &NameTemplate::default(),
            project: None,
            count: 1,
            timings: None,
            now,
            lease_until: now.ms + LEASE_MS,
        };
        self.library.save_with(&save, at)
    }

    /// Renders `count` pictures and returns their ids.
    pub fn render(&self, prompt: &str, count: usize) -> Vec<Id> {
        self.render_at(NOW, recipe(prompt), count)
    }

    pub fn render_at(&self, now: Moment, recipe: Recipe, count: usize) -> Vec<Id> {
        let (_, ids) = self.enqueue_at(now, recipe, count);
        for _ in 0..count {
            let job = self.claim("worker").unwrap();
            let saved = self.save_at(&job, "worker", now, &|_| Ok(())).unwrap();
            assert!(matches!(saved, Saved::Recorded { .. }));
        }
        ids
    }

    /// The ids that a query finds, the newest first.
    pub fn find(&self, query: &str) -> Vec<Id> {
        let found = self.library.pictures(&search::parse(query), Sort::Newest, None, 1000).unwrap();
        found.into_iter().map(|picture| picture.id).collect()
    }

    /// The prompts that a query finds, by name.
    pub fn prompts(&self, query: &str) -> Vec<String> {
        let found = self.library.pictures(&search::parse(query), Sort::Newest, None, 1000).unwrap();
        let mut prompts: Vec<_> = found.into_iter().map(|picture| picture.prompt).collect();
        prompts.sort();
        prompts
    }

    pub fn reconcile(&self) -> tarim_library::ScanReport {
        self.library.reconcile(NOW, &mut |_| true).unwrap()
    }

    pub fn rebuild(&self) -> tarim_library::ScanReport {
        self.library.rebuild(NOW, &mut |_| true).unwrap()
    }

    /// Files that the user sees, by path.
    pub fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.root()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && path.file_name().unwrap() != ".tarim" {
                    folders.push(path);
                } else if path.is_file() {
                    found.push(relative(&self.root(), &path));
                }
            }
        }
        found.sort();
        found
    }
}

pub fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/")
}
