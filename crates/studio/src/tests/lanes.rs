//! Several devices, several pictures at once, and saving beside the next render.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use tarim_library::{NewJob, NewRequest, SaveStep};
use tarim_recipe::Recipe;
use tarim_render::fake::{Script, Trouble, TroubleKind};

use super::*;
use crate::core::SaveFault;
use crate::{Event, How, Which};

fn with_cuda(script: Script) -> Bench {
    Bench::new(Script { has_cuda: true, ..script })
}

/// The GPU, and the CPU beside it.
fn two_devices(studio: &Studio) {
    let before = studio.settings();
    studio
        .settings_store()
        .change(|settings| {
            settings.device = "cuda:0".parse().unwrap();
            settings.more_devices = vec!["cpu".parse().unwrap()];
            settings.pictures_at_once = 1;
        })
        .unwrap();
    studio.settings_changed(&before).unwrap();
}

fn at_once(studio: &Studio, pictures: u32) {
    studio.settings_store().change(|settings| settings.pictures_at_once = pictures).unwrap();
}

/// How many pictures each job of each renderer had.
fn batches(bench: &Bench) -> Vec<usize> {
    bench.renderers().iter().flat_map(|it| it.jobs()).map(|job| job.pictures.len()).collect()
}

fn rendered_seeds(bench: &Bench) -> Vec<u64> {
    let jobs = bench.renderers().into_iter().flat_map(|it| it.jobs());
    jobs.flat_map(|job| job.pictures).map(|picture| picture.recipe.seed.0).collect()
}

#[test]
fn two_devices_do_twice_as_much_and_nothing_twice() {
    let time = |two: bool| {
        let bench = with_cuda(Script { step_ms: 50, ..Script::default() });
        let studio = bench.open();
        studio.pause(true, false).unwrap();
        at_once(&studio, 1);
        if two {
            two_devices(&studio);
        }
        let submitted = studio.submit(&pictures("a", 12, 4)).unwrap();
        let began = Instant::now();
        studio.pause(false, false).unwrap();
        until_done(&studio, &submitted);
        let took = began.elapsed().as_secs_f64();
        let seeds = rendered_seeds(&bench);
        assert_eq!((seeds.len(), seeds.iter().collect::<HashSet<_>>().len()), (12, 12));
        assert_eq!(bench.renderers().len(), if two { 2 } else { 1 });
        let workers: HashSet<_> = submitted.jobs.iter().map(|id| job(&studio, *id).worker.unwrap()).collect();
        assert_eq!(workers.len(), if two { 2 } else { 1 }, "{workers:?}");
        took
    };
    let (one, two) = (time(false), time(true));
    assert!(one / two > 1.6, "12 pictures of 200 ms: {one:.2} s with one device, {two:.2} s with two");
}

#[test]
fn devices_keep_to_the_models_that_they_hold() {
    let bench = with_cuda(Script { step_ms: 5, ..Script::default() });
    let studio = bench.open();
    studio.pause(true, false).unwrap();
    two_devices(&studio);
    let library = studio.library().unwrap();
    let text = r#"{"tarim_recipe":1,"model":{"name":"m"},"prompt":"","sampler":"Euler","steps":2,"seed":"1",
        "size":{"width":64,"height":64},"guidance_scale":1,"precision":"fp32"}"#;
    let mut ids = Vec::new();
    for number in 0..24 {
        let request = NewRequest {
            id: studio.new_id(studio.now()),
            created: studio.now(),
            origin: "test".to_owned(),
            draft: "{}".to_owned(),
            template: None,
            prompt: String::new(),
            negative: String::new(),
            project: None,
            warnings: Vec::new(),
        };
        let job = NewJob {
            id: studio.new_id(studio.now()),
            recipe: Recipe::from_json(text).unwrap(),
            open_precision: false,
            model_path: if number % 2 == 0 { "/nowhere/a" } else { "/nowhere/b" }.into(),
            preview: false,
            priority: 0,
            parent: None,
            derivation: None,
        };
        ids.push(job.id);
        library.enqueue(&request, &[job]).unwrap();
    }
    studio.pause(false, false).unwrap();
    until("all are done", || ids.iter().all(|id| state(&studio, *id) == State::Done));
    for renderer in bench.renderers() {
        let models: Vec<_> = renderer.jobs().into_iter().map(|job| job.model).collect();
        let switches = models.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(switches <= 2, "{models:?}");
    }
}

#[test]
fn a_device_that_is_not_wanted_any_more_gives_its_memory_back() {
    let bench = with_cuda(Script::default());
    let studio = bench.open();
    two_devices(&studio);
    let submitted = studio.submit(&pictures("a", 20, 2)).unwrap();
    until_done(&studio, &submitted);
    let before = studio.settings();
    studio.settings_store().change(|settings| settings.more_devices.clear()).unwrap();
    studio.settings_changed(&before).unwrap();
    until("one renderer is left", || bench.renderers().len() <= 1);
    let submitted = studio.submit(&pictures("b", 3, 2)).unwrap();
    until_done(&studio, &submitted);
    studio.close(How::FinishCurrent);
    assert!(bench.renderers().is_empty());
}

#[test]
fn pictures_of_a_kind_are_rendered_together() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    at_once(&studio, 4);
    studio.devices().unwrap();
    studio.pause(true, false).unwrap();
    let a = studio.submit(&pictures("a", 3, 2)).unwrap();
    let b = studio.submit(&pictures("b", 2, 5)).unwrap();
    let c = studio.submit(&pictures("c", 3, 2)).unwrap();
    studio.pause(false, false).unwrap();
    for submitted in [&a, &b, &c] {
        until_done(&studio, submitted);
    }
    // Of other steps by themselves; one of `c` goes along with `a`.
    assert_eq!(batches(&bench), [4, 2, 2]);
    let library = studio.library().unwrap();
    assert_eq!(files(&library).len(), 8);
    for id in a.jobs.iter().chain(&c.jobs) {
        let job = job(&studio, *id);
        let recipe = Recipe::from_json(&job.recipe).unwrap();
        let pixels = tarim_library::pixels::load(&library.root().join(job.output_path.unwrap())).unwrap();
        let expected = tarim_render::fake::picture(recipe.seed, recipe.size);
        assert_eq!(pixels.rgb, expected.bytes(), "each file holds its own picture");
    }
}

#[test]
fn one_of_several_is_cancelled_or_fails_by_itself() {
    let bench = Bench::new(Script { step_ms: 10, ..Script::default() });
    lock(&bench.script).bad_seeds = vec![103];
    let studio = bench.open();
    at_once(&studio, 4);
    studio.devices().unwrap();
    let mut submission = pictures("a", 4, 40);
    submission.draft.seed = Some(tarim_recipe::Seed(100));
    let submitted = studio.submit(&submission).unwrap();
    until("all four are being sampled", || {
        submitted.jobs.iter().all(|id| studio.core().live.progress(*id).is_some_and(|it| it.step > 1))
    });
    assert_eq!(studio.cancel(&Which::Jobs(vec![submitted.jobs[1]])).unwrap(), 1);
    until("one is cancelled", || state(&studio, submitted.jobs[1]) == State::Cancelled);
    assert_eq!(state(&studio, submitted.jobs[0]), State::Running, "the others go on");
    let expected = [State::Done, State::Cancelled, State::Done, State::Failed];
    until("all have ended", || states(&studio, &submitted) == expected);
    assert_eq!(batches(&bench), [4]);
}

#[test]
fn a_crash_among_several_is_looked_into_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(Script {
        trouble: Some(Trouble { picture: 1, step: 1, what: TroubleKind::Abort }),
        trouble_once: Some(folder.path().join("once")),
        ..Script::default()
    });
    let studio = bench.open();
    at_once(&studio, 4);
    studio.devices().unwrap();
    let submitted = studio.submit(&pictures("a", 4, 2)).unwrap();
    until_done(&studio, &submitted);
    assert_eq!(batches(&bench), [4, 1, 1, 1, 1]);
}

#[test]
fn memory_decides_how_many_go_together_and_that_is_remembered() {
    let bench = Bench::new(Script { most_together: Some(2), ..Script::default() });
    let studio = bench.open();
    at_once(&studio, 4);
    studio.devices().unwrap();
    studio.pause(true, false).unwrap();
    let submitted = studio.submit(&pictures("a", 8, 2)).unwrap();
    studio.pause(false, false).unwrap();
    until_done(&studio, &submitted);
    assert_eq!(batches(&bench), [4, 2, 2]);
}

#[test]
fn the_next_picture_is_rendered_while_one_is_saved() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    let seen = Arc::new(AtomicUsize::new(0));
    let made = Arc::clone(&bench.made);
    let saving = Arc::clone(&seen);
    // Saving the first waits until the second was handed to the renderer.
    let fault: SaveFault = Arc::new(move |step| {
        if step == SaveStep::BeforeFile && saving.fetch_add(1, Ordering::SeqCst) == 0 {
            let deadline = Instant::now() + Duration::from_secs(20);
            let begun =
                || lock(&made).iter().filter_map(Weak::upgrade).map(|it| it.jobs().len()).sum::<usize>();
            while begun() < 2 {
                if Instant::now() > deadline {
                    return Err(io::Error::other("nothing is rendered meanwhile"));
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        Ok(())
    });
    *lock(&studio.core().save_fault) = Some(fault);
    let submitted = studio.submit(&pictures("a", 3, 1)).unwrap();
    until_done(&studio, &submitted);
    assert_eq!(seen.load(Ordering::SeqCst), 3, "none had to be tried again");
}

#[test]
fn what_cannot_be_saved_is_kept_and_not_rendered_again() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    let fault: SaveFault = Arc::new(|step| match step {
        SaveStep::BeforeFile => Err(io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    });
    *lock(&studio.core().save_fault) = Some(Arc::clone(&fault));
    let submitted = studio.submit(&pictures("a", 2, 1)).unwrap();
    until("the queue is paused", || studio.queue().unwrap().paused);
    assert_eq!(studio.problems()[0].code, "disk_full");
    *lock(&studio.core().save_fault) = None;
    studio.pause(false, false).unwrap();
    until_done(&studio, &submitted);
    assert_eq!(rendered_seeds(&bench).len(), 2, "each was rendered once");

    // Where the program ends first, they wait for the next start.
    *lock(&studio.core().save_fault) = Some(fault);
    let submitted = studio.submit(&pictures("b", 2, 1)).unwrap();
    until("the queue is paused", || studio.queue().unwrap().paused);
    let library = studio.library().unwrap();
    studio.close(How::StopNow);
    for id in &submitted.jobs {
        assert_eq!(library.job(*id).unwrap().state, State::Queued);
    }
}

#[test]
fn listeners_of_another_process_see_progress_and_previews() {
    let bench = Bench::new(Script { step_ms: 20, ..Script::default() });
    let worker = bench.open();
    let guest = Studio::open(Surroundings { role: Role::Guest, ..bench.surroundings() }).unwrap();
    let listener = guest.subscribe();
    let submitted = worker.submit(&pictures("a", 2, 150)).unwrap();
    let id = submitted.jobs[1];
    let mut steps = Vec::new();
    let mut preview = false;
    let deadline = Instant::now() + Duration::from_secs(20);
    while !(steps.len() > 2 && preview) && Instant::now() < deadline {
        if let Some(Event::Progress(progress)) = listener.next(Duration::from_millis(100))
            && progress.job == id.to_string()
        {
            steps.push(progress.step);
            preview |= progress.preview > 0 && guest.preview(id).is_some();
            let queue = guest.queue().unwrap();
            assert!(queue.running.iter().all(|job| job.progress.is_some()), "{queue:?}");
        }
    }
    assert!(steps.len() > 2 && steps.is_sorted() && preview, "{steps:?} {preview}");
    until_done(&guest, &submitted);
    worker.close(How::FinishCurrent);
    let left = std::fs::read_dir(bench.library_folder().join(".tarim/workers")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|name| name == "watched"), "{left:?}");
}
