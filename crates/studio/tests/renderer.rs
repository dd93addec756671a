//! The studio with the real renderer and the starter model. `cargo xtask setup` and a built renderer are needed, so it
//! runs only when asked: `cargo nextest run -p tarim-studio --run-ignored only`.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tarim_library::{State, ThumbnailSize};
use tarim_recipe::{Draft, Recipe};
use tarim_render::{ProcessOptions, locate};
use tarim_studio::{Event, How, JobEnd, Origin, Role, Studio, Submission, Surroundings, Timing};

#[test]
#[ignore = "needs the renderer and its libtorch"]
fn the_starter_model_draws_into_the_library() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let places = locate::Surroundings {
        executable: std::env::current_exe().ok(),
        current_folder: Some(root.clone()),
        renderer: std::env::var_os("TARIM_RENDERER").map(Into::into),
        libtorch: std::env::var_os("LIBTORCH").map(Into::into),
    };
    let mut options = ProcessOptions::new(places.renderer(Path::is_file).unwrap());
    options.libtorch = places.libtorch(Path::is_dir);
    let folder = tempfile::tempdir().unwrap();
    let studio = Studio::open(Surroundings {
        config_folder: folder.path().join("config"),
        default_library: folder.path().join("library"),
        library: None,
        starter_model: Some(root.join("models/starter")),
        model_folders: Vec::new(),
        renderers: Surroundings::processes(Ok(options)),
        clock: Arc::new(SystemTime::now),
        random: Arc::new(|bytes| bytes.fill(7)),
        utc_offset_minutes: Arc::new(|_| 480),
        worker: format!("here/{}", std::process::id()),
        origin: Origin::Window,
        role: Role::Owner,
        timing: Timing::default(),
    })
    .unwrap();
    let listener = studio.subscribe();
    let mut ids = Vec::new();
    for prompt in ["a red fox in the desert", "a blue house"] {
        let draft = Draft { prompt: Some(prompt.into()), ..Draft::default() };
        // The random bytes of this test are always the same, and ids must not be.
        std::thread::sleep(Duration::from_millis(5));
        ids.extend(studio.submit(&Submission { draft, count: 1, ..Submission::default() }).unwrap().jobs);
    }
    let (mut ended, mut previews) = (0, 0);
    let began = Instant::now();
    while ended < ids.len() {
        assert!(began.elapsed() < Duration::from_mins(5), "{:?}", studio.queue());
        match listener.next(Duration::from_secs(1)) {
            Some(Event::JobEnded { end, .. }) => {
                println!("{end:?} after {:?}", began.elapsed());
                assert!(matches!(end, JobEnd::Done { .. }), "{end:?}");
                ended += 1;
            }
            Some(Event::Progress(progress)) => {
                previews = previews.max(progress.preview);
                println!(
                    "{:?} {}/{} {:?}",
                    progress.stage, progress.step, progress.steps, progress.seconds_left
                );
            }
            _ => {}
        }
    }
    assert!(previews > 0);
    let library = studio.library().unwrap();
    for id in ids {
        let job = library.job(id).unwrap();
        assert_eq!(job.state, State::Done);
        let recipe = Recipe::from_json(&job.recipe).unwrap();
        let path = library.root().join(job.output_path.unwrap());
        println!("{}: {:?} {:?}", path.display(), recipe.precision, job.timings);
        let pixels = tarim_library::pixels::load(&path).unwrap();
        assert_eq!((pixels.width, pixels.height), (recipe.size.width(), recipe.size.height()));
        assert!(library.thumbnail(id, ThumbnailSize::Small).unwrap().is_file());
    }
    studio.close(How::FinishCurrent);
}
