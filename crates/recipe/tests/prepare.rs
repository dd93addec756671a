//! What is asked for, what the model recommends, and what comes of it.

#![allow(clippy::unwrap_used)]

use tarim_recipe::*;

const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn model(task: ModelTask) -> ModelFacts {
    ModelFacts {
        name: "starter".into(),
        hash: Some(HASH.into()),
        task,
        native_size: Size::nearest(256, 256),
        defaults: ModelDefaults::default(),
    }
}

fn run(draft: &Draft, model: &ModelFacts) -> Result<(Recipe, Vec<Warning>), PrepareError> {
    prepare(draft, model, &Environment { fresh_seed: Seed(42), precision: Precision::Bf16 })
}

/// Prepares a draft and compares the error, or the warnings, one a line.
fn check(draft: &Draft, task: ModelTask, expected: &str) {
    let found = match run(draft, &model(task)) {
        Ok((_, warnings)) => warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        Err(error) => format!("error: {error}"),
    };
    assert_eq!(found, expected);
}

fn draft() -> Draft {
    Draft { prompt: Some("a fox".into()), ..Draft::default() }
}

fn with_picture() -> Draft {
    Draft { init_picture: Some(HASH.into()), ..draft() }
}

#[test]
fn defaults() {
    let (recipe, warnings) = run(&draft(), &model(ModelTask::TextToImage)).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(
        (recipe.sampler, recipe.schedule, recipe.steps, recipe.guidance_scale, recipe.clip_skip),
        (Sampler::DpmPp2M, Schedule::Automatic, 20, 7.0, 1)
    );
    assert_eq!((recipe.seed, recipe.precision, recipe.init), (Seed(42), Precision::Bf16, None));
    assert_eq!(recipe.size.to_string(), "256x256");
    assert_eq!(recipe.model, ModelRef { name: "starter".into(), hash: Some(HASH.into()) });

    let mut recommending = model(ModelTask::TextToImage);
    recommending.defaults = serde_json::from_str(
        r#"{"steps": 8, "size": {"width": 320, "height": 256}, "negative_prompt": "blurry", "later": 1}"#,
    )
    .unwrap();
    let asked = Draft { height: Some(512), ..draft() };
    let (recipe, _) = run(&asked, &recommending).unwrap();
    assert_eq!((recipe.steps, recipe.size.to_string().as_str()), (8, "320x512"));
    assert_eq!(recipe.negative_prompt, "blurry".into());
    let silenced = Draft { negative_prompt: Some("".into()), ..draft() };
    assert_eq!(run(&silenced, &recommending).unwrap().0.negative_prompt, "".into());
}

#[test]
fn pictures_to_start_from() {
    let strength = |draft: &Draft, task| run(draft, &model(task)).unwrap().0.init.unwrap().strength;
    assert_eq!(strength(&with_picture(), ModelTask::TextToImage), 0.75);
    assert_eq!(strength(&with_picture(), ModelTask::InstructPix2Pix), 1.0);
    let mask = Draft { mask_picture: Some(HASH.into()), strength: Some(0.0), ..with_picture() };
    let init = run(&mask, &model(ModelTask::Inpainting)).unwrap().0.init.unwrap();
    assert_eq!((init.strength, init.image_guidance_scale, init.mask.unwrap().blur), (0.0, 1.5, 4));
}

#[test]
fn variations() {
    let variation = |draft: Draft| run(&draft, &model(ModelTask::TextToImage)).unwrap().0.variation;
    let seed = Some(Seed(7));
    let strength = Some(0.25);
    let expected = Variation { seed: Seed(7), strength: 0.25 };
    assert_eq!(
        variation(Draft { variation_seed: seed, variation_strength: strength, ..draft() }),
        Some(expected)
    );
    assert_eq!(variation(Draft { variation_seed: seed, variation_strength: Some(0.0), ..draft() }), None);
    let drawn = variation(Draft { variation_strength: strength, ..draft() }).unwrap();
    assert_ne!(drawn.seed, Seed(42));
}

#[test]
fn impossible() {
    use ModelTask::{InstructPix2Pix, TextToImage};
    let size = |width, height| Draft { width: Some(width), height: Some(height), ..draft() };
    check(
        &size(0, 512),
        TextToImage,
        "error: width is 0; allowed are multiples of 8 from 64 to 8192, the nearest is 64",
    );
    check(
        &size(512, 7),
        TextToImage,
        "error: height is 7; allowed are multiples of 8 from 64 to 8192, the nearest is 64",
    );
    check(
        &size(513, 512),
        TextToImage,
        "error: width is 513, which is not a multiple of 8; the nearest allowed are 512 and 520",
    );
    check(
        &size(1_000_000, 512),
        TextToImage,
        "error: width is 1000000; allowed are multiples of 8 from 64 to 8192, the nearest is 8192",
    );
    let steps = |steps| Draft { steps: Some(steps), ..draft() };
    check(&steps(0), TextToImage, "error: steps is 0; allowed are 1 to 1000; 20 to 30 is usual");
    check(&steps(100_000), TextToImage, "error: steps is 100000; allowed are 1 to 1000; 20 to 30 is usual");
    let lcm = |steps| Draft { sampler: Some(Sampler::Lcm), steps: Some(steps), ..draft() };
    check(&lcm(51), TextToImage, "error: steps is 51; allowed are 1 to 50 with LCM; 4 to 8 is usual");
    let guidance = |scale| Draft { guidance_scale: Some(scale), ..draft() };
    let allowed = "allowed are 0 to 100; 5 to 9 is usual, 1 is none";
    check(&guidance(f64::NAN), TextToImage, &format!("error: guidance_scale is NaN; {allowed}"));
    check(&guidance(-1.0), TextToImage, &format!("error: guidance_scale is -1; {allowed}"));
    check(&guidance(f64::INFINITY), TextToImage, &format!("error: guidance_scale is inf; {allowed}"));
    check(
        &Draft { strength: Some(1.5), ..with_picture() },
        TextToImage,
        "error: init.strength is 1.5; allowed are 0 to 1; 0 keeps the picture, 1 ignores it",
    );
    check(
        &Draft { variation_strength: Some(f64::NAN), ..draft() },
        TextToImage,
        "error: variation.strength is NaN; allowed are 0 to 1",
    );
    check(
        &Draft { clip_skip: Some(0), ..draft() },
        TextToImage,
        "error: clip_skip is 0; allowed are 1 (none) to 24; 2 leaves out the last layer",
    );
    check(
        &Draft { mask_picture: Some(HASH.into()), ..draft() },
        TextToImage,
        "error: there is a mask and no picture to start from; name the picture too, or leave the mask out",
    );
    check(
        &draft(),
        InstructPix2Pix,
        "error: starter is an instruct-pix2pix model, which changes a picture as the prompt says; name a picture \
         to start from",
    );
    check(
        &Draft { prompt: Some("x".repeat(MAX_PROMPT_BYTES + 1).into()), ..draft() },
        TextToImage,
        "error: prompt is 100001 bytes long; allowed are 100000; shorten it",
    );
}

#[test]
fn doubtful() {
    use ModelTask::{Inpainting, InstructPix2Pix, TextToImage};
    let made_with = |name: &str, hash: Option<&str>| Draft {
        model: Some(ModelRef { name: name.into(), hash: hash.map(str::to_owned) }),
        ..draft()
    };
    check(&made_with("another name", Some("0123456789")), TextToImage, "");
    check(&made_with("STARTER", None), TextToImage, "");
    check(
        &made_with("starter", Some("6ce0161689")),
        TextToImage,
        "made for the model starter [6ce0161689], and starter [0123456789] is used: the picture will differ",
    );
    check(
        &made_with("v1-5", None),
        TextToImage,
        "made for the model v1-5, and starter [0123456789] is used: the picture will differ",
    );
    check(
        &Draft { strength: Some(0.5), mask_blur: Some(8), variation_seed: Some(Seed(1)), ..draft() },
        TextToImage,
        "strength has no effect without a picture to start from\n\
         a mask setting has no effect without a mask\n\
         variation_seed has no effect without a variation strength above 0",
    );
    check(
        &Draft { image_guidance_scale: Some(2.0), ..with_picture() },
        TextToImage,
        "image_guidance_scale has no effect on a model that is not instruct-pix2pix",
    );
    check(&Draft { image_guidance_scale: Some(2.0), ..with_picture() }, InstructPix2Pix, "");
    check(
        &with_picture(),
        Inpainting,
        "the model is made for inpainting and there is no mask: the whole picture is drawn anew",
    );
    check(
        &Draft { negative_prompt: Some("b".into()), guidance_scale: Some(1.0), ..draft() },
        TextToImage,
        "negative_prompt has no effect at guidance scale 1",
    );
    check(
        &Draft { width: Some(1024), height: Some(1024), ..draft() },
        TextToImage,
        "1024x1024 is far from the 256x256 that the model was trained at; pictures may repeat or fall apart",
    );
}
