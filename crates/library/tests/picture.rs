//! Pictures written by us and read by others, and the other way round.

#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
};

use proptest::prelude::*;
use tarim_library::{
    IfExists, Labels, Picture,
    picture::{self, INFOTEXT_KEYWORD, PictureInfo, RECIPE_KEYWORD, WriteError, XMP_KEYWORD},
    pixels::Format,
};
use tarim_recipe::{Infotext, Recipe, infotext};

const TOOL: &str = "Tarim 0.1.0";

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/infotext").join(name)
}

fn recipe(prompt: &str) -> Recipe {
    let mut json = serde_json::json!({
        "tarim_recipe": 1,
        "model": { "name": "starter" },
        "prompt": prompt,
        "size": { "width": 64, "height": 64 },
        "sampler": tarim_recipe::Sampler::Euler,
        "steps": 20,
        "guidance_scale": 7,
        "seed": "1",
        "precision": "fp32",
    });
    json["negative_prompt"] = "blurry".into();
    Recipe::from_json(&json.to_string()).unwrap()
}

/// A gradient, so that rows and columns cannot be mixed up.
fn gradient(width: u32, height: u32) -> Picture {
    let pixel = |index: u32| [(index % width * 3) as u8, (index / width * 5) as u8, index as u8];
    Picture { width, height, rgb: (0..width * height).flat_map(pixel).collect() }
}

fn write(path: &Path, prompt: &str) -> Recipe {
    let recipe = recipe(prompt);
    let labels = Labels::new(&recipe, TOOL);
    picture::write(path, &gradient(24, 16), &recipe, &labels, IfExists::Replace).unwrap();
    recipe
}

/// All text chunks of a file, by the `png` crate's decoder, and the pixels.
fn decoded(path: &Path) -> (BTreeMap<String, String>, Vec<u8>) {
    let mut reader = png::Decoder::new(BufReader::new(File::open(path).unwrap())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    reader.finish().unwrap();
    let info = reader.info();
    let latin1 =
        info.uncompressed_latin1_text.iter().map(|chunk| (chunk.keyword.clone(), chunk.text.clone()));
    let utf8 = info.utf8_text.iter().map(|chunk| (chunk.keyword.clone(), chunk.get_text().unwrap()));
    (latin1.chain(utf8).collect(), pixels)
}

fn check_round_trip(path: &Path, prompt: &str) -> PictureInfo {
    let recipe = write(path, prompt);
    let info = picture::read(path).unwrap();
    assert_eq!((info.width, info.height, info.format), (24, 16, Format::Png));
    assert_eq!(info.recipe.as_ref().unwrap().as_ref().unwrap(), &recipe);
    assert_eq!(info.infotext.as_deref(), Some(infotext(&recipe, TOOL).as_str()));
    assert_eq!(Infotext::read(info.infotext.as_deref().unwrap()).prompt, prompt);
    assert_eq!((info.texts.as_slice(), info.problems.as_slice()), ([].as_slice(), [].as_slice()));

    let (texts, pixels) = decoded(path);
    assert_eq!(texts[RECIPE_KEYWORD], recipe.canonical_json().unwrap());
    assert_eq!(Some(&texts[INFOTEXT_KEYWORD]), info.infotext.as_ref());
    assert_eq!(Some(&texts[XMP_KEYWORD]), info.xmp.as_ref());
    assert_eq!(pixels, gradient(24, 16).rgb);
    info
}

#[test]
fn round_trips() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    for prompt in ["a fox", "", "café", "Ã©", "楼兰 🦊", "a\0b\r\nNegative prompt: c\u{85}\n", "\\"] {
        check_round_trip(&path, prompt);
    }
    let xmp = check_round_trip(&path, "a").xmp.unwrap();
    assert!(xmp.contains("digitalsourcetype/trainedAlgorithmicMedia<"));
    let bytes = |name: &str| fs::read(folder.path().join(name)).unwrap();
    write(&folder.path().join("b.png"), "a");
    assert_eq!(bytes("a.png"), bytes("b.png"));
    // Latin-1 stands in a tEXt chunk, as Pillow writes it, and nothing holds a date.
    let text = String::from_utf8_lossy(&bytes("a.png")).into_owned();
    assert!(text.contains("tEXtparameters\0a\n"));
    assert!(!text.contains("tIME") && !text.contains("20261"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_prompt_round_trips(prompt: String) {
        let folder = tempfile::tempdir().unwrap();
        check_round_trip(&folder.path().join("a.png"), &prompt);
    }
}

/// The file that `tests/parity/infotext.py` has Pillow read.
#[test]
fn the_recorded_file_is_what_we_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tarim.png");
    write(&path, "飞天 (neon:1.2)\nNegative prompt: a trap");
    if std::env::var_os("TARIM_RECORD").is_some() {
        let (texts, pixels) = decoded(&path);
        let pixels = tarim_recipe::sha256(&pixels);
        let expected = serde_json::json!({ "width": 24, "height": 16, "pixels": pixels, "texts": texts });
        fs::copy(&path, golden("tarim.png")).unwrap();
        fs::write(golden("tarim.json"), format!("{expected:#}\n")).unwrap();
    }
    // Texts and pixels, not bytes: another release of the compressor may pack them otherwise.
    assert_eq!(decoded(&path), decoded(&golden("tarim.png")));
}

#[test]
fn files_of_other_programs() {
    let expected: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(golden("pictures.json")).unwrap()).unwrap();
    for (name, infotext) in expected["infotexts"].as_object().unwrap() {
        let info = picture::read(&golden(name)).unwrap();
        assert_eq!((info.width, info.height), (8, 16), "{name}");
        assert_eq!(info.infotext.as_deref(), infotext.as_str(), "{name}");
        assert!(info.recipe.is_none() && info.problems.is_empty(), "{name}: {:?}", info.problems);
        if info.format == Format::Png {
            let texts: Vec<_> =
                info.texts.iter().map(|text| (text.keyword.as_str(), text.text.len())).collect();
            assert_eq!(texts, [("Comment", 6), ("Software", 1000)], "{name}");
        }
    }
}

#[test]
fn names_and_collisions() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = recipe("a");
    let labels = Labels::new(&recipe, TOOL);
    let picture = gradient(8, 8);
    let new = || picture::write_new(folder.path(), "fox", &picture, &recipe, &labels).unwrap();
    // Several at once: each gets a name, none is lost.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5).for_each(|_| drop(new())));
        }
    });
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(folder.path()).unwrap().map(name).collect();
    names.sort();
    let expected: Vec<String> = (1..=20).map(|number| format!("fox-{number:04}.png")).collect();
    assert_eq!(names, expected);

    let path = folder.path().join("fox-0001.png");
    let error = picture::write(&path, &picture, &recipe, &labels, IfExists::Refuse).unwrap_err();
    assert!(matches!(error, WriteError::Exists { .. }), "{error}");
}

#[test]
fn places_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = recipe("a");
    let labels = Labels::new(&recipe, TOOL);
    let error = |path: &Path, picture: &Picture| {
        picture::write(path, picture, &recipe, &labels, IfExists::Refuse).unwrap_err()
    };
    let missing = error(&folder.path().join("x/a.png"), &gradient(8, 8));
    assert!(matches!(missing, WriteError::NoFolder { .. }), "{missing}");
    fs::write(folder.path().join("file"), "").unwrap();
    let not_a_folder = error(&folder.path().join("file/a.png"), &gradient(8, 8));
    assert!(matches!(not_a_folder, WriteError::NoFolder { .. }), "{not_a_folder}");
    let short = Picture { rgb: vec![0; 5], ..gradient(8, 8) };
    let short = error(&folder.path().join("a.png"), &short);
    assert_eq!(short.to_string(), "a picture of 8x8 pixels needs 192 bytes and has 5");
    let mut impossible = recipe.clone();
    impossible.guidance_scale = f64::NAN;
    let path = folder.path().join("a.png");
    let refused = picture::write(&path, &gradient(8, 8), &impossible, &labels, IfExists::Refuse).unwrap_err();
    assert!(refused.to_string().starts_with("guidance_scale is NaN"), "{refused}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// A folder that not even root may write to.
#[cfg(target_os = "linux")]
#[test]
fn read_only_folders() {
    let recipe = recipe("a");
    let labels = Labels::new(&recipe, TOOL);
    let path = Path::new("/sys/a.png");
    let error = picture::write(path, &gradient(8, 8), &recipe, &labels, IfExists::Refuse).unwrap_err();
    assert!(matches!(error, WriteError::ReadOnly { .. }), "{error}");
    assert!(error.to_string().starts_with("the folder cannot be written to ("), "{error}");
}
