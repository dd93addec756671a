use proptest::prelude::*;
use tarim_recipe::{Recipe, Seed};

use super::*;

fn recipe(prompt: &str) -> Recipe {
    let json = r#"{"tarim_recipe":1,"model":{"name":"dream:shaper"},"prompt":"","size":{"width":512,"height":768},
        "sampler":"DPM++ 2M","steps":20,"guidance_scale":7.5,"seed":"7","precision":"fp32"}"#;
    let json = json.replace("\"7\"", &serde_json::to_string(&Seed(7)).unwrap());
    let mut recipe = Recipe::from_json(&json).unwrap();
    recipe.prompt = prompt.into();
    recipe
}

fn named(template: &str, prompt: &str) -> String {
    let recipe = recipe(prompt);
    let parts = NameParts {
        id: Id::from_bytes([7; 16]),
        // 2026-11-24 01:15 in a place 8 hours ahead.
        created: Moment::new(1_795_454_100_000, 480),
        recipe: &recipe,
        number: 2,
        count: 4,
        project: Some("Cyber Loulan/赛博楼兰"),
    };
    NameTemplate::parse(template).0.example(&parts)
}

#[test]
fn names() {
    let check = |template: &str, prompt: &str, expected: &str| {
        assert_eq!(named(template, prompt), expected, "{template} {prompt}");
    };
    check("", "a (red:1.2) fox, in the <lora:snow:0.8> snow", "2026-11-24/00001-a-red-fox-in-the-snow.png");
    check("[counter]-[prompt_words]", "赛博楼兰，沙漠中的古城", "00001-赛博楼兰-沙漠中的古城.png");
    check("[counter]-[prompt_words]", "", "00001.png");
    check("[prompt_words<2>]-[counter<3>]", "one two three", "one-two-001.png");
    check("[seed]", "x", "7.png");
    check(
        "[model_name]_[steps]_[cfg]_[sampler]_[width]x[height]",
        "x",
        "dream_shaper_20_7.5_DPM++ 2M_512x768.png",
    );
    check("[datetime<%Y%m%d>]/[job_timestamp]-[batch_number]", "x", "20261124/20261124011500-3.png");
    check("[project]/[uuid]", "x", "Cyber Loulan_赛博楼兰/07070707-0707-0707-0707-070707070707.png");
    check("[prompt_spaces]", "a  red\nfox", "a red fox.png");
    check("[prompt]", "a red fox", "a_red_fox.png");
    check("[sede]-[counter]", "x", "[sede]-00001.png");
    check("[seed", "x", "[seed.png");
    check("../../etc/[seed]", "x", "etc/7.png");
    check(".tarim/[seed]", "x", "tarim/7.png");
    check("a\\b/c", "x", "a/b/c.png");
    check("con", "x", "_con.png");
    check("[prompt]", "aux.fox", "_aux.fox.png");
    check("COM¹/x", "x", "_COM¹/x.png");
    check("name... ", "x", "name.png");
    check("[prompt_spaces]", "...", "picture.png");
    check("[prompt_spaces]", "a\u{202e}gnp.exe", "agnp.exe.png");
    check("[counter][counter]", "x", "00001.png");
}

#[test]
fn remarks() {
    let check = |template: &str, expected: &[(&str, Option<&str>)]| {
        let (_, remarks) = NameTemplate::parse(template);
        let found: Vec<_> = remarks
            .iter()
            .map(|remark| (&template[remark.span.clone()], remark.suggestion.as_deref()))
            .collect();
        assert_eq!(found, expected);
    };
    check("[seed]-[sede]", &[("[sede]", Some("[seed]"))]);
    check("[wildcard_xyz]", &[("[wildcard_xyz]", None)]);
    check("[datetime<%Q>]", &[("[datetime<%Q>]", Some("[datetime<%Y%m%d%H%M%S>]"))]);
    check("[date]/[scheduler]-[counter]", &[]);
}

#[test]
fn counters() {
    let check = |template: &str, names: &[&str], expected: u64| {
        let recipe = recipe("red fox");
        let parts = NameParts {
            id: Id::from_bytes([7; 16]),
            created: Moment::new(0, 0),
            recipe: &recipe,
            number: 0,
            count: 1,
            project: None,
        };
        let open = NameTemplate::parse(template).0.open(&parts);
        assert_eq!(open.first_free(names.iter().copied()), expected, "{template} {names:?}");
    };
    check("[counter]-[prompt_words]", &[], 1);
    check("[counter]-[prompt_words]", &["00001-red-fox.png", "00007-blue.png", "notes.txt"], 8);
    check("[prompt_words]-[counter]", &["red-fox-00003.png", "blue-00009.png"], 4);
    check("[prompt_words]", &["blue.png"], 1);
    check("[prompt_words]", &["red-fox.png"], 2);
    check("[prompt_words]", &["red-fox.png", "red-fox-5.png"], 6);
    check("[counter]", &["99999999999999999999.png"], 1);
}

proptest! {
    #[test]
    fn safe_everywhere(template in ".{0,60}", prompt in ".{0,300}") {
        for template in [template.as_str(), "[prompt]", "[date]/[prompt_spaces]-[counter]", "[prompt_words]/[prompt]"] {
            let name = named(template, &prompt);
            prop_assert!(name.strip_suffix(".png").is_some());
            for part in name.split('/') {
                prop_assert!(!part.is_empty() && part.len() <= 200, "{part:?}");
                prop_assert!(!part.starts_with(['.', ' ']) && !part.ends_with(['.', ' ']), "{part:?}");
                let bad = |c: char| c.is_control() || "<>:\"\\|?*\u{202e}\u{f8ff}".contains(c);
                prop_assert!(!part.contains(bad), "{part:?}");
                let device = part.split('.').next().unwrap().to_lowercase();
                prop_assert!(!["con", "prn", "aux", "nul", "com1", "lpt9"].contains(&device.as_str()), "{part:?}");
            }
        }
    }
}
