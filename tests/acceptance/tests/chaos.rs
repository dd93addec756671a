//! The real programs on the real model, killed at random moments: `tarim serve`, its renderer, workers of a farm, their
//! renderers and the farm's server. In the end every picture is there once, with the pixels of an undisturbed run.
#![cfg(target_os = "linux")] // children are found in /proc
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // says what it did

#[path = "../../../crates/studio/tests/support/kills.rs"]
mod kills;
#[path = "../../../crates/farm/tests/support/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use kills::{Dice, Running, children, files, guest, kill, seed};
use server::{Server, token};
use tarim_acceptance::{command, program, starter};
use tarim_farm::{Farm, FarmOptions};
use tarim_library::{Id, State};
use tarim_recipe::{Draft, Precision, Seed};
use tarim_render::ProcessOptions;
use tarim_studio::{Studio, Submission, Which};

const PROMPTS: [&str; 4] = [
    "a fox in the dunes",
    "((a lake)) at night, 楼兰",
    "snow, [old:new:0.5] tower",
    "a caravan BREAK red sky",
];
const EACH: u32 = 6;
const PICTURES: u32 = EACH * PROMPTS.len() as u32;
const KILLS: u32 = 15;
const WORKERS: usize = 2;
/// For a machine that does a lot else.
const PATIENCE: Duration = Duration::from_mins(8);

/// What it prints goes to `log`.
fn start(command: &mut Command, log: &Path) -> Running {
    let log = fs::File::options().create(true).append(true).open(log).unwrap();
    Running::start(command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log))
}

fn host(folder: &Path) -> Running {
    let library = folder.join("library");
    let mut command = command(&["serve", "--listen", "127.0.0.1:0", "--library", library.to_str().unwrap()]);
    start(command.env("TARIM_CONFIG", folder.join("config")), &folder.join("host.log"))
}

fn worker(folder: &Path, url: &str, n: usize) -> Running {
    let mut command = Command::new(program("tarim-renderer"));
    command.args(["--nats", url, "--device", "cpu", "--name", &format!("w{n}"), "--models"]).arg(starter());
    command.arg("--cache").arg(folder.join("cache"));
    // Who starts a worker by hand says where libtorch is.
    if let Some(libtorch) = std::env::var_os("LIBTORCH") {
        let variable = ProcessOptions::library_path_variable();
        let before = std::env::var_os(variable).unwrap_or_default();
        let paths = std::iter::once(Path::new(&libtorch).join("lib")).chain(std::env::split_paths(&before));
        command.env(variable, std::env::join_paths(paths).unwrap());
    }
    start(&mut command, &folder.join(format!("worker-{n}.log")))
}

/// The pictures to be rendered, by prompt and seed.
fn submit(studio: &Studio) -> BTreeMap<(usize, u64), Id> {
    let mut wanted = BTreeMap::new();
    for (n, prompt) in PROMPTS.into_iter().enumerate() {
        let draft = Draft {
            prompt: Some(prompt.into()),
            sampler: Some("Euler a".parse().unwrap()),
            width: Some(128),
            height: Some(128),
            steps: Some(8),
            seed: Some(Seed(40)),
            precision: Some(Precision::Fp32),
            ..Draft::default()
        };
        let jobs = studio.submit(&Submission { draft, count: EACH, ..Submission::default() }).unwrap().jobs;
        wanted.extend(jobs.into_iter().zip(40..).map(|(job, seed)| ((n, seed), job)));
    }
    assert_eq!(wanted.len() as u32, PICTURES);
    wanted
}

fn in_state(studio: &Studio, wanted: &BTreeMap<(usize, u64), Id>, state: State) -> u32 {
    let library = studio.library().unwrap();
    wanted.values().filter(|id| library.job(**id).unwrap().state == state).count() as u32
}

/// Waits for all of them, ends the host as people do, and gives their pixels; files and index must agree.
fn finish(
    folder: &Path,
    studio: &Studio,
    wanted: &BTreeMap<(usize, u64), Id>,
    host: &mut Running,
) -> BTreeMap<(usize, u64), Vec<u8>> {
    let deadline = Instant::now() + PATIENCE;
    while in_state(studio, wanted, State::Done) < PICTURES {
        // A job that was hit again and again has failed; people would say the same.
        let _ = studio.retry(&Which::All);
        assert!(Instant::now() < deadline, "{:?}", studio.queue());
        sleep(Duration::from_millis(50));
    }
    Command::new("kill").arg(host.0.id().to_string()).status().unwrap();
    assert!(host.0.wait().unwrap().success(), "{}", fs::read_to_string(folder.join("host.log")).unwrap());
    // Half a picture under a temporary name is no picture, and gone before it bothers anybody.
    drop(guest(folder, 99, Duration::from_hours(2)));

    let library = studio.library().unwrap();
    let mut in_files = Vec::new();
    files(library.root(), &mut in_files);
    in_files.sort();
    let at = |id: &Id| library.root().join(library.job(*id).unwrap().output_path.unwrap());
    let mut in_index: Vec<PathBuf> = wanted.values().map(at).collect();
    in_index.sort();
    assert_eq!(in_index, in_files, "no picture is missing or there twice");
    for id in wanted.values() {
        let xmp = tarim_library::picture::read(&at(id)).unwrap().xmp.unwrap();
        assert!(xmp.contains(&id.to_string()), "{} is another job's", at(id).display());
    }
    wanted.iter().map(|(which, id)| (*which, tarim_library::pixels::load(&at(id)).unwrap().rgb)).collect()
}

fn undisturbed() -> BTreeMap<(usize, u64), Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let studio = guest(folder.path(), 1, Duration::ZERO);
    let wanted = submit(&studio);
    let began = Instant::now();
    let mut host = host(folder.path());
    let pictures = finish(folder.path(), &studio, &wanted, &mut host);
    println!("undisturbed: {PICTURES} pictures in {:.1} s", began.elapsed().as_secs_f64());
    pictures
}

#[test]
fn pictures_are_the_same_whatever_is_killed_and_when() {
    let seed = seed();
    let mut dice = Dice(seed);
    let expected = undisturbed();

    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let mut server = Server::start();
    let url = server.url();
    // The first who comes decides how long a silence is waited for.
    let quick = FarmOptions {
        ack_wait: Duration::from_secs(2),
        worker_ttl: Duration::from_secs(4),
        ..FarmOptions::default()
    };
    drop(Farm::connect(&server.connection(), &quick, token("first"), "first").unwrap());
    let studio = guest(folder, seed, Duration::ZERO);
    studio
        .settings_store()
        .change(|settings| {
            (settings.farm.on, settings.farm.url) = (true, url.clone());
            settings.farm.window = 2 * WORKERS as u32;
            settings.pictures_at_once = 2;
        })
        .unwrap();
    let wanted = submit(&studio);
    let began = Instant::now();
    let mut workers: Vec<Running> = (0..WORKERS).map(|n| worker(folder, &url, n)).collect();
    let mut host = host(folder);

    // Kills of: host, its renderer, worker, a worker's renderer, server.
    let mut kills = [0_u32; 5];
    let mut in_work = 0;
    while kills.iter().sum::<u32>() < KILLS {
        let so_far = kills.iter().sum::<u32>();
        assert!(began.elapsed() < PATIENCE, "{kills:?}, {:?}", studio.queue());
        // Spread over the work: each waits for its share of the pictures, and the last leaves some for the time after.
        if in_state(&studio, &wanted, State::Done) < so_far * (PICTURES - 8) / KILLS {
            let _ = studio.retry(&Which::All);
            sleep(Duration::from_millis(20));
            continue;
        }
        sleep(Duration::from_millis(dice.below(700)));
        let busy = in_state(&studio, &wanted, State::Running) > 0;
        let n = dice.below(WORKERS as u64) as usize;
        // Each kind comes once before chance decides.
        let which = if so_far < 5 { so_far as usize } else { dice.below(5) as usize };
        let landed = match which {
            0 => {
                let landed = host.kill();
                host = self::host(folder);
                landed
            }
            1 => children(host.0.id()).into_iter().any(kill),
            2 => {
                let landed = workers[n].kill();
                workers[n] = worker(folder, &url, n);
                landed
            }
            3 => children(workers[n].0.id()).into_iter().any(kill),
            _ => {
                server.kill();
                sleep(Duration::from_millis(dice.below(500)));
                server.revive();
                true
            }
        };
        kills[which] += u32::from(landed);
        in_work += u32::from(landed && busy);
    }
    let done = in_state(&studio, &wanted, State::Done);
    println!("killed host, its renderer, workers, their renderers, server: {kills:?}");
    println!("{in_work} of them with pictures in work; {done} pictures were done at the last");
    assert_eq!(kills.iter().sum::<u32>(), KILLS);
    assert!(kills.iter().all(|kills| *kills > 0), "{kills:?}");
    assert!(done < PICTURES, "the last kills hit nothing");

    let pictures = finish(folder, &studio, &wanted, &mut host);
    println!("disturbed: {PICTURES} pictures in {:.1} s", began.elapsed().as_secs_f64());
    let library = studio.library().unwrap();
    let by_farm = |id: &&Id| library.job(**id).unwrap().worker.is_some_and(|name| name.ends_with("#farm"));
    println!("{} came from the farm", wanted.values().filter(by_farm).count());
    for (which, pixels) in &expected {
        assert!(pictures[which] == *pixels, "{which:?} has other pixels, seed {seed}");
    }
}
