//! The recipe's JSON: what goes in comes out, and what no recipe can be is refused with the reason.

#![allow(clippy::unwrap_used)]

use proptest::{option, prelude::*};
use tarim_recipe::*;

fn plain() -> Recipe {
    Recipe {
        model: ModelRef { name: "starter".into(), hash: None },
        prompt: "a fox".into(),
        negative_prompt: Prompt::default(),
        size: Size::new(256, 512).unwrap(),
        sampler: Sampler::DpmPp2M,
        schedule: Schedule::Automatic,
        steps: 20,
        guidance_scale: 7.0,
        guidance_rescale: 0.0,
        seed: Seed(u64::MAX),
        variation: None,
        noise_source: NoiseSource::Cpu,
        clip_skip: 1,
        emphasis: Emphasis::Original,
        eta: None,
        precision: Precision::Bf16,
        init: None,
        postprocess: Vec::new(),
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,20}", any::<String>(), Just("飞天\n\"\\\u{1}🦊".to_owned())]
}

fn prompt() -> impl Strategy<Value = Prompt> {
    (text(), option::of(text())).prop_map(|(text, template)| Prompt { text, template })
}

fn hash() -> impl Strategy<Value = String> {
    "[0-9a-f]{64}"
}

fn mask() -> impl Strategy<Value = Mask> {
    let fill = prop::sample::select(vec![
        MaskFill::Fill,
        MaskFill::Original,
        MaskFill::LatentNoise,
        MaskFill::LatentNothing,
    ]);
    let area = prop_oneof![
        Just(MaskArea::WholePicture),
        (0_u32..8193).prop_map(|padding| MaskArea::OnlyMasked { padding })
    ];
    (hash(), 0_u32..65, fill, area, any::<bool>()).prop_map(|(picture, blur, fill, area, invert)| Mask {
        picture,
        blur,
        fill,
        area,
        invert,
    })
}

fn init() -> impl Strategy<Value = Init> {
    let mode = prop::sample::select(vec![ResizeMode::Stretch, ResizeMode::Crop, ResizeMode::Fill]);
    (hash(), 0.0..=1.0, mode, option::of(mask()), 1.0..=100.0).prop_map(
        |(picture, strength, resize_mode, mask, image_guidance_scale)| Init {
            picture,
            strength,
            resize_mode,
            mask,
            image_guidance_scale,
        },
    )
}

fn postprocess() -> impl Strategy<Value = Vec<Postprocess>> {
    let crop = |(x, y)| Postprocess::Crop { x, y, width: 32, height: 24 };
    let resize = |(width, height, nearest)| Postprocess::Resize {
        width,
        height,
        filter: if nearest { ResizeFilter::Nearest } else { ResizeFilter::Lanczos3 },
    };
    let crop = (0_u32..32, 0_u32..40).prop_map(crop);
    let resize = (64_u32..4096, 64_u32..4096, any::<bool>()).prop_map(resize);
    prop_oneof![
        Just(Vec::new()),
        crop.clone().prop_map(|crop| vec![crop]),
        (crop, resize).prop_map(|(crop, resize)| vec![resize, crop, resize]),
    ]
}

fn recipe() -> impl Strategy<Value = Recipe> {
    let what = (text(), option::of(hash()), prompt(), prompt(), 8_u32..900, 8_u32..900);
    let how = (
        prop::sample::select(vec![Sampler::Euler, Sampler::DpmPpSde, Sampler::Ddim]),
        prop::sample::select(vec![Schedule::Automatic, Schedule::Karras]),
        1..=MAX_STEPS,
        0.0..=100.0,
        0.0..=1.0,
        any::<u64>(),
        option::of((any::<u64>(), 0.0..=1.0)),
    );
    let details = (
        any::<bool>(),
        1_u8..=MAX_CLIP_SKIP,
        prop::sample::select(vec![Emphasis::Original, Emphasis::NoNorm, Emphasis::ComfyUi]),
        option::of(0.0..=1.0),
        prop::sample::select(vec![Precision::Fp32, Precision::Bf16, Precision::Fp16]),
        option::of(init()),
        postprocess(),
    );
    (what, how, details).prop_map(|(what, how, details)| Recipe {
        model: ModelRef { name: what.0, hash: what.1 },
        prompt: what.2,
        negative_prompt: what.3,
        size: Size::nearest(what.4 * 8, what.5 * 8),
        sampler: how.0,
        schedule: how.1,
        steps: how.2,
        guidance_scale: how.3,
        guidance_rescale: how.4,
        seed: Seed(how.5),
        variation: how.6.map(|(seed, strength)| Variation { seed: Seed(seed), strength }),
        noise_source: if details.0 { NoiseSource::Nv } else { NoiseSource::Cpu },
        clip_skip: details.1,
        emphasis: details.2,
        eta: details.3,
        precision: details.4,
        init: details.5,
        postprocess: details.6,
    })
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(recipe in recipe()) {
        let canonical = recipe.canonical_json().unwrap();
        prop_assert_eq!(&Recipe::from_json(&canonical).unwrap(), &recipe);
        let pretty = serde_json::to_string_pretty(&recipe).unwrap();
        let again: Recipe = serde_json::from_str(&pretty).unwrap();
        prop_assert_eq!(again.hash().unwrap(), recipe.hash().unwrap());
        prop_assert_eq!(again.canonical_json().unwrap(), canonical);
        prop_assert_eq!(&again, &recipe);
    }

    #[test]
    fn a_draft_of_a_recipe_is_prepared_to_the_same(recipe in recipe()) {
        // Strength 0 is no variation, which is the one thing that `prepare` writes differently.
        prop_assume!(recipe.variation.is_none_or(|variation| variation.strength != 0.0));
        let model = ModelFacts {
            name: recipe.model.name.clone(),
            hash: recipe.model.hash.clone(),
            task: ModelTask::TextToImage,
            native_size: Size::nearest(512, 512),
            defaults: ModelDefaults { clip_skip: Some(2), steps: Some(3), ..ModelDefaults::default() },
        };
        let environment = Environment { fresh_seed: Seed(9), precision: Precision::Fp32 };
        let (again, _) = prepare(&Draft::from(&recipe), &model, &environment).unwrap();
        prop_assert_eq!(again, recipe);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        prop_assert!(Recipe::from_json(&text).is_err());
    }
}

#[test]
fn defaults_are_left_out() {
    let json = serde_json::to_value(plain()).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "guidance_scale",
            "model",
            "precision",
            "prompt",
            "sampler",
            "seed",
            "size",
            "steps",
            "tarim_recipe"
        ]
    );
    assert_eq!(json["seed"], "18446744073709551615");
    assert_eq!(json["prompt"], "a fox");
}

/// Reads the plain recipe with some text of its canonical JSON replaced.
fn check_refused(from: &str, to: &str, expected: &str) {
    let json = plain().canonical_json().unwrap();
    assert!(json.contains(from), "{json}");
    let error = Recipe::from_json(&json.replacen(from, to, 1)).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn refused() {
    check_refused("{", "", "not JSON");
    check_refused("\"tarim_recipe\":1", "\"x\":1", "no `tarim_recipe` version");
    check_refused("\"tarim_recipe\":1", "\"tarim_recipe\":0", "no `tarim_recipe` version");
    check_refused(
        "\"tarim_recipe\":1",
        "\"tarim_recipe\":2",
        "version 2 and this Tarim reads up to version 1",
    );
    check_refused("\"tarim_recipe\":1", "\"tarim_recipe\":1,\"tiling\":true", "unknown field `tiling`");
    check_refused("\"name\":", "\"file\":", "unknown field `file`");
    check_refused("\"steps\":20,", "", "missing field `steps`");
    check_refused("\"steps\":20", "\"steps\":0", "steps is 0; allowed are 1 to 1000");
    check_refused("\"steps\":20", "\"steps\":100000", "steps is 100000; allowed are 1 to 1000");
    check_refused("\"steps\":20", "\"steps\":-1", "-1");
    check_refused(
        "\"guidance_scale\":7",
        "\"guidance_scale\":-1",
        "guidance_scale is -1; allowed are 0 to 100",
    );
    check_refused("\"guidance_scale\":7", "\"guidance_scale\":1e999", "not JSON");
    check_refused("\"guidance_scale\":7", "\"guidance_scale\":null", "null");
    check_refused("\"width\":256", "\"width\":513", "the nearest allowed are 512 and 520");
    check_refused("\"seed\":\"1", "\"seed\":\"x", "seed is");
    check_refused("\"steps\":20", "\"steps\":20,\"clip_skip\":0", "clip_skip is 0");
    check_refused("\"steps\":20", "\"steps\":20,\"eta\":2", "eta is 2; allowed are 0 to 1");
    let init = "\"steps\":20,\"init\":{\"picture\":\"ABC\",\"strength\":0.5}";
    check_refused("\"steps\":20", init, "init.picture is \"ABC\"; allowed are SHA-256 hashes");
}

#[test]
fn not_a_number_is_never_written() {
    for bad in [f64::NAN, f64::INFINITY, -0.1] {
        let recipe = Recipe { guidance_scale: bad, ..plain() };
        assert_eq!(recipe.canonical_json().unwrap_err().field, "guidance_scale");
        assert!(serde_json::to_string(&recipe).is_err());
    }
}

#[test]
fn integers_are_read_as_seeds() {
    let json = plain().canonical_json().unwrap().replace("\"18446744073709551615\"", "18446744073709551615");
    assert_eq!(Recipe::from_json(&json).unwrap(), plain());
}

#[test]
fn several_pictures() {
    assert_eq!(plain().nth(0), plain());
    assert_eq!(plain().nth(2).seed, Seed(1));
    let varied = Recipe { variation: Some(Variation { seed: Seed(5), strength: 0.1 }), ..plain() };
    let third = varied.nth(2);
    assert_eq!((third.seed, third.variation.unwrap().seed), (varied.seed, Seed(7)));
}

#[test]
fn steps_after_drawing_are_written_only_where_there_are_some() {
    let plain = plain();
    assert!(!plain.canonical_json().unwrap().contains("postprocess"));
    assert_eq!(plain.finished_size(), (256, 512));
    let crop = |x, y, width, height| Postprocess::Crop { x, y, width, height };
    let cropped = plain.then(crop(10, 20, 200, 400));
    // A crop of a crop is one crop.
    let cropped = cropped.then(crop(5, 5, 100, 100));
    assert_eq!(cropped.postprocess, [crop(15, 25, 100, 100)]);
    let large = cropped.then(Postprocess::Resize { width: 150, height: 150, filter: ResizeFilter::Lanczos3 });
    let json = large.canonical_json().unwrap();
    let expected = r#""postprocess":[{"crop":{"height":100,"width":100,"x":15,"y":25}},{"resize":{"height":150,"width":150}}]"#;
    assert!(json.contains(expected), "{json}");
    assert_eq!(Recipe::from_json(&json).unwrap(), large);
    assert_eq!(large.finished_size(), (150, 150));
    assert_ne!(large.hash().unwrap(), plain.hash().unwrap());
}

#[test]
fn steps_after_drawing_are_checked_one_after_the_other() {
    let check = |steps: &[Postprocess], expected: &str| {
        let recipe = Recipe { postprocess: steps.to_vec(), ..plain() };
        assert_eq!(recipe.validate().unwrap_err().to_string(), expected);
    };
    let crop = |x, width| Postprocess::Crop { x, y: 0, width, height: 64 };
    let resize = |side| Postprocess::Resize { width: side, height: side, filter: ResizeFilter::Nearest };
    check(
        &[crop(200, 57)],
        "postprocess is crop 57x64+200+0; allowed are crops inside the picture, which is 256x512 there",
    );
    check(
        &[crop(u32::MAX, u32::MAX)],
        "postprocess is crop 4294967295x64+4294967295+0; allowed are crops inside the picture, which is 256x512 there",
    );
    check(
        &[resize(64), crop(0, 65)],
        "postprocess is crop 65x64+0+0; allowed are crops inside the picture, which is 64x64 there",
    );
    let sides = "allowed are sides of 16 to 16384 pixels, and 100 megapixels in all";
    check(&[crop(0, 15)], &format!("postprocess is crop 15x64+0+0; {sides}"));
    check(&[resize(16_000)], &format!("postprocess is resize 16000x16000 Nearest; {sides}"));
    check(&[resize(64); 33], "postprocess is 33 steps long; allowed are 32");
}
