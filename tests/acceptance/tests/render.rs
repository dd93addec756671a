//! `tarim render` on the starter model.
#![allow(clippy::unwrap_used)] // what fails here fails the test

use std::fs;
use std::path::{Path, PathBuf};

use tarim_acceptance::{Ran, command, finish, program, starter, tarim};
use tarim_library::picture::{self, PictureInfo};

/// A folder for pictures, gone when the test ends.
struct Out(tempfile::TempDir);

impl Out {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Renders into this folder with few steps and returns the pictures, as the program prints them.
    fn render(&self, words: &[&str]) -> Vec<PathBuf> {
        let ran = self.run(words).ok();
        ran.out.lines().map(PathBuf::from).collect()
    }

    fn run(&self, words: &[&str]) -> Ran {
        let (model, out) = (starter(), self.path().to_owned());
        let mut command = command(&["render", "--model"]);
        command.arg(model).arg("--out").arg(out).args(words);
        finish(&mut command)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }
}

fn read(path: &Path) -> PictureInfo {
    picture::read(path).unwrap()
}

fn pixels(path: &Path) -> Vec<u8> {
    tarim_library::pixels::load(path).unwrap().rgb
}

const PROMPT: &str = "avatar of an orange fox with a crown, purple background";

#[test]
fn a_picture_carries_its_recipe_and_its_file_alone_renders_it_again() {
    let out = Out::new();
    let first = out.render(&[PROMPT, "--seed", "7", "--steps", "6"]);
    let [first] = first.as_slice() else { panic!("one picture was asked for: {first:?}") };
    let info = read(first);
    assert_eq!((info.width, info.height), (256, 256));
    let recipe = info.recipe.unwrap().unwrap();
    assert_eq!((recipe.prompt.text.as_str(), recipe.seed.0, recipe.steps), (PROMPT, 7, 6));

    let again = Out::new();
    let from_file = again.render(&["--recipe", first.to_str().unwrap()]);
    assert_eq!(
        fs::read(&from_file[0]).unwrap(),
        fs::read(first).unwrap(),
        "the same recipe gave another file"
    );

    let other = again.render(&["--recipe", first.to_str().unwrap(), "--seed", "8"]);
    assert_eq!(read(&other[0]).recipe.unwrap().unwrap().seed.0, 8);
    assert_ne!(pixels(&other[0]), pixels(first));
}

#[test]
fn the_batch_that_a_picture_was_rendered_in_does_not_change_it() {
    let out = Out::new();
    let three = out.render(&[PROMPT, "--seed", "20", "--count", "3", "--steps", "4", "--precision", "fp32"]);
    let alone = out.render(&[PROMPT, "--seed", "22", "--steps", "4", "--precision", "fp32"]);
    assert_eq!(three.len(), 3);
    assert_eq!(pixels(&three[2]), pixels(&alone[0]));
}

#[test]
fn bfloat16_and_float32_draw_nearly_the_same() {
    let out = Out::new();
    let render = |precision| {
        pixels(&out.render(&[PROMPT, "--seed", "3", "--steps", "8", "--precision", precision])[0])
    };
    let (exact, rough) = (render("fp32"), render("bf16"));
    let error: f64 =
        exact.iter().zip(&rough).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / exact.len() as f64;
    assert!(error < 25.0, "mean difference {error}");
    assert_ne!(exact, rough, "both precisions computed the very same numbers");
}

#[test]
fn inpainting_leaves_what_is_not_masked_as_it_was() {
    let out = Out::new();
    let init = out.render(&[PROMPT, "--seed", "1", "--steps", "6"]).remove(0);
    let mask = out.path().join("遮罩.png");
    let (width, height) = (256_usize, 256_usize);
    let white_top: Vec<u8> = (0..width * height).map(|at| if at / width < 96 { 255 } else { 0 }).collect();
    write_grey(&mask, width as u32, height as u32, &white_top);
    let words = ["wizard hat", "--init", init.to_str().unwrap(), "--mask", mask.to_str().unwrap()];
    let render = |more: &[&str]| {
        out.render(&[&words[..], &["--steps", "6", "--mask-blur", "0"], more].concat()).remove(0)
    };
    for picture in [render(&[]), render(&["--only-masked", "16"])] {
        let (before, after) = (pixels(&init), pixels(&picture));
        let kept = 3 * width * 96..;
        assert!(before[kept.clone()] == after[kept], "pixels outside the mask changed");
        assert_ne!(before[..3 * width * 90], after[..3 * width * 90], "nothing was drawn inside the mask");
    }
}

fn write_grey(path: &Path, width: u32, height: u32, pixels: &[u8]) {
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
}

/// The mean colour of the two upper corners, where avatars show their background.
fn corner_colour(path: &Path) -> [f64; 3] {
    let pixels = pixels(path);
    let corners = (0..24).flat_map(|y| (0..24).chain(232..256).map(move |x| (y * 256 + x) * 3));
    let mut sum = [0.0; 3];
    let mut count = 0.0;
    for at in corners {
        count += 1.0;
        for (channel, total) in sum.iter_mut().enumerate() {
            *total += f64::from(pixels[at + channel]);
        }
    }
    sum.map(|total| total / count)
}

#[test]
fn the_first_pictures_follow_the_colours_they_were_asked_for() {
    let out = Out::new();
    let colour = |name: &str| {
        let prompt = format!("avatar of a white cat, {name} background");
        corner_colour(&out.render(&[&prompt, "--seed", "11"])[0])
    };
    let [red, green, blue] = colour("red");
    assert!(red > green + 40.0 && red > blue + 40.0, "red is {red} {green} {blue}");
    let [red, green, blue] = colour("blue");
    assert!(blue > red + 40.0 && blue > green + 20.0, "blue is {red} {green} {blue}");
    let [red, green, blue] = colour("yellow");
    assert!(red > blue + 60.0 && green > blue + 60.0, "yellow is {red} {green} {blue}");
}

#[test]
fn a_libtorch_that_is_not_there_is_said_to_be_missing() {
    let out = Out::new();
    let nowhere = out.path().join("no libtorch");
    fs::create_dir(&nowhere).unwrap();
    let model = starter();
    let mut command = command(&["render", PROMPT, "--model"]);
    command.arg(model).arg("--out").arg(out.path()).env("LIBTORCH", &nowhere);
    // Cargo and the test runner put the real one on the library path.
    command.env_remove("LD_LIBRARY_PATH").env_remove("DYLD_LIBRARY_PATH");
    // A renderer of this tree looks for it where `cargo xtask setup` puts it; a copy elsewhere has nothing beside it.
    let renderer = nowhere.join(program("tarim-renderer").file_name().unwrap());
    fs::copy(program("tarim-renderer"), &renderer).unwrap();
    command.env("TARIM_RENDERER", &renderer);
    let ran = finish(&mut command);
    assert_eq!(ran.code, Some(4), "{}", ran.err);
    assert!(ran.err.contains("libtorch") && ran.err.contains("hint: "), "{}", ran.err);
}

#[cfg(target_os = "linux")]
mod signals {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A render that would take minutes, with its first step done.
    fn long_render(out: &Out) -> Child {
        let mut command = command(&["render", PROMPT, "--steps", "999", "--json", "--model"]);
        command.arg(starter()).arg("--out").arg(out.path());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("\"step\"")), "no step was reported");
        // Keeps reading, so that the program is not stopped by a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        child
    }

    fn kill(signal: &str, process: u32) {
        assert!(Command::new("kill").args([signal, &process.to_string()]).status().unwrap().success());
    }

    fn renderer_of(child: &Child) -> u32 {
        let path = format!("/proc/{0}/task/{0}/children", child.id());
        fs::read_to_string(path).unwrap().split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Whether a process ends by itself; the renderer does so a moment after whoever started it.
    fn ends(process: u32) -> bool {
        let alive = || {
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            !status.is_empty() && !status.contains("State:\tZ")
        };
        (0..300).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            !alive()
        })
    }

    #[test]
    fn ctrl_c_stops_the_render_and_leaves_nothing_behind() {
        let out = Out::new();
        let child = long_render(&out);
        let renderer = renderer_of(&child);
        kill("-INT", child.id());
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(130));
        assert_eq!(out.names(), Vec::<String>::new());
        assert!(ends(renderer));
    }

    #[test]
    fn a_second_ctrl_c_does_not_wait() {
        let out = Out::new();
        let child = long_render(&out);
        let renderer = renderer_of(&child);
        // A renderer that is stopped cannot answer; only the second Ctrl-C ends this.
        kill("-STOP", renderer);
        kill("-INT", child.id());
        std::thread::sleep(std::time::Duration::from_millis(200));
        kill("-INT", child.id());
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(130));
        assert!(ends(renderer));
    }

    #[test]
    fn a_killed_renderer_costs_its_picture_and_is_reported() {
        let out = Out::new();
        let child = long_render(&out);
        kill("-KILL", renderer_of(&child));
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(4));
        assert_eq!(out.names(), Vec::<String>::new());
    }
}

#[test]
fn bad_values_are_refused_before_anything_is_rendered() {
    let out = Out::new();
    let check = |words: &[&str], code: i32, said: &[&str]| {
        let ran = out.run(words);
        assert_eq!(ran.code, Some(code), "{words:?}: {}", ran.err);
        for said in said {
            assert!(ran.err.contains(said), "{words:?} should mention {said}: {}", ran.err);
        }
    };
    for size in ["0", "7", "513", "1000000"] {
        check(&[PROMPT, "--width", size, "--height", "256"], 3, &["of 8"]);
    }
    check(&[PROMPT, "--steps", "0"], 3, &["steps"]);
    check(&[PROMPT, "--steps", "100000"], 3, &["steps", "1000"]);
    check(&[PROMPT, "--guidance", "nan"], 3, &["guidance"]);
    check(&[PROMPT, "--sampler", "Oiler a"], 3, &["Euler a"]);
    check(&[PROMPT, "--init", "/no/such/picture.png"], 3, &["/no/such/picture.png"]);
    assert_eq!(out.names(), Vec::<String>::new());
    assert_eq!(tarim(&["render", PROMPT, "--model", "/no/such/model"]).code, Some(3));
}
