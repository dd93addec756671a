//! Everything that works on a queue is killed at random moments, on this machine and on a farm: host, renderers, workers and
//! the farm's server. In the end every picture is there exactly once, and is the one that an undisturbed run makes.
#![cfg(target_os = "linux")] // children are found in /proc
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

#[path = "support/kills.rs"]
mod kills;
#[path = "../../farm/tests/support/server.rs"]
mod server;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use kills::{Dice, Running, STARTER, children, files, guest, kill, seed};
use server::{Server, token};
use tarim_farm::{Farm, FarmOptions};
use tarim_library::{Id, State};
use tarim_recipe::{Draft, Precision, Recipe};
use tarim_studio::{Submission, Which};

const PICTURES: u32 = 200;
const KILLS: u32 = 50;
const WORKERS: usize = 3;
/// A picture takes a tenth of a second.
const SCRIPT: &str = r#"{"load_ms":15,"step_ms":20}"#;

fn start(arguments: &[&str]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tarim-crash-host"));
    command.args(arguments).env(tarim_render::fake::SCRIPT_VARIABLE, SCRIPT);
    Running::start(command.stdin(Stdio::piped()).stdout(Stdio::null()))
}

#[test]
fn two_hundred_pictures_survive_fifty_kills_of_host_renderers_workers_and_server() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let seed = seed();
    let mut dice = Dice(seed);

    let mut server = Server::start();
    let url = server.url();
    // The first who comes decides how long a silence is waited for.
    let quick = FarmOptions {
        ack_wait: Duration::from_secs(1),
        worker_ttl: Duration::from_secs(2),
        ..FarmOptions::default()
    };
    drop(Farm::connect(&server.connection(), &quick, token("first"), "first").unwrap());

    let studio = guest(folder, seed, Duration::ZERO);
    studio
        .settings_store()
        .change(|settings| {
            (settings.farm.on, settings.farm.url) = (true, url.clone());
            settings.farm.window = 2 * WORKERS as u32;
        })
        .unwrap();
    let draft = Draft {
        prompt: Some("a fox in the dunes".into()),
        width: Some(128),
        height: Some(128),
        steps: Some(5),
        precision: Some(Precision::Fp32),
        ..Draft::default()
    };
    let jobs = studio.submit(&Submission { draft, count: PICTURES, ..Submission::default() }).unwrap().jobs;
    let library = studio.library().unwrap();
    let in_state =
        |state: State| jobs.iter().filter(|id| library.job(**id).unwrap().state == state).count() as u32;

    let start_host = || start(&[folder.to_str().unwrap(), STARTER]);
    let start_worker = |n: usize| start(&["farm", &url, &format!("w{n}"), STARTER]);
    let mut host = start_host();
    let mut workers: Vec<Running> = (0..WORKERS).map(start_worker).collect();

    // Kills of: host, its renderer, worker, a worker's renderer, server.
    let mut kills = [0_u32; 5];
    let mut in_work = 0;
    let deadline = Instant::now() + Duration::from_mins(4);
    while kills.iter().sum::<u32>() < KILLS {
        assert!(Instant::now() < deadline, "{kills:?}, {:?}", studio.queue());
        // Spread over the work: each waits for its share of the pictures, and the last leaves some for the time after.
        let share = kills.iter().sum::<u32>() * (PICTURES - 40) / KILLS;
        if in_state(State::Done) < share {
            let _ = studio.retry(&Which::All);
            sleep(Duration::from_millis(60));
            continue;
        }
        sleep(Duration::from_millis(dice.below(250)));
        let busy = in_state(State::Running) > 0;
        let n = dice.below(WORKERS as u64) as usize;
        let which = dice.below(5) as usize;
        let landed = match which {
            0 => {
                let landed = host.kill();
                host = start_host();
                landed
            }
            1 => children(host.0.id()).into_iter().any(kill),
            2 => {
                let landed = workers[n].kill();
                workers[n] = start_worker(n);
                landed
            }
            3 => children(workers[n].0.id()).into_iter().any(kill),
            _ => {
                server.kill();
                sleep(Duration::from_millis(dice.below(300)));
                server.revive();
                true
            }
        };
        kills[which] += u32::from(landed);
        in_work += u32::from(landed && busy);
    }
    let done = in_state(State::Done);
    println!(
        "killed host, its renderer, workers, their renderers, server: {kills:?}; {in_work} with pictures in work"
    );
    println!("{done} pictures were done at the last kill");
    assert_eq!(kills.iter().sum::<u32>(), KILLS);
    assert!(kills.iter().all(|kills| *kills > 0), "{kills:?}");
    assert!(in_work > KILLS / 2 && done < PICTURES, "{in_work} kills hit work, {done} pictures were done");

    // Now in peace.
    while in_state(State::Done) < PICTURES {
        // A job that was hit again and again has failed; people would say the same.
        let _ = studio.retry(&Which::All);
        assert!(Instant::now() < deadline, "{:?}", studio.queue());
        sleep(Duration::from_millis(50));
    }
    drop(host.0.stdin.take());
    assert!(host.0.wait().unwrap().success());
    // Half a picture under a temporary name is no picture, and gone before it bothers anybody.
    drop(guest(folder, seed + 1, Duration::from_hours(2)));

    let mut found = Vec::new();
    files(library.root(), &mut found);
    let mut in_files = BTreeSet::new();
    for path in &found {
        let xmp = tarim_library::picture::read(path).unwrap().xmp.unwrap();
        let id = *jobs.iter().find(|id| xmp.contains(&id.to_string())).expect("the file bears a job's id");
        let path = path.strip_prefix(library.root()).unwrap().to_str().unwrap().to_owned();
        in_files.insert((id, path));
    }
    assert_eq!((found.len(), in_files.len()), (200, 200), "no picture is missing or there twice");
    let in_index: BTreeSet<(Id, String)> =
        jobs.iter().map(|id| (*id, library.job(*id).unwrap().output_path.unwrap())).collect();
    assert_eq!(in_index, in_files);
    let mut by_farm = 0;
    for (id, path) in &in_index {
        let job = library.job(*id).unwrap();
        let recipe = Recipe::from_json(&job.recipe).unwrap();
        let pixels = tarim_library::pixels::load(&library.root().join(path)).unwrap();
        let expected = tarim_render::fake::picture(recipe.seed, recipe.size);
        assert!(pixels.rgb == expected.bytes(), "{path} has other pixels");
        by_farm += u32::from(job.worker.is_some_and(|worker| worker.ends_with("#farm")));
    }
    println!("{by_farm} of {PICTURES} pictures came from the farm");
    assert!(0 < by_farm && by_farm < PICTURES);
}
