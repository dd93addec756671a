use std::{fs, path::Path};

use proptest::prelude::*;
use serde::{Deserialize, de::DeserializeOwned};

use super::{pairs::*, *};
use crate::*;

fn golden<T: DeserializeOwned>(name: &str) -> T {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/infotext");
    serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

type Pairs = Vec<(String, String)>;

/// A1111 drops parameters without a value; they are kept here.
fn with_values(pairs: Pairs) -> Pairs {
    pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

#[derive(Deserialize)]
struct Texts {
    cases: Vec<TextCase>,
}

#[derive(Deserialize)]
struct TextCase {
    name: String,
    text: String,
    prompt: String,
    negative_prompt: String,
    parameters: Pairs,
}

#[test]
fn texts_as_a1111_reads_them() {
    for case in golden::<Texts>("texts.json").cases {
        let Infotext { prompt, negative_prompt, parameters, .. } = Infotext::read(&case.text);
        assert_eq!(prompt, case.prompt, "{}", case.name);
        assert_eq!(negative_prompt, case.negative_prompt, "{}", case.name);
        assert_eq!(with_values(parameters), with_values(case.parameters), "{}", case.name);
    }
}

#[derive(Deserialize)]
struct Lines {
    cases: Vec<LineCase>,
}

#[derive(Deserialize)]
struct LineCase {
    line: String,
    parameters: Pairs,
}

#[test]
fn lines_as_a1111_reads_them() {
    for case in golden::<Lines>("lines.json").cases {
        let found = with_values(pairs(&case.line, Brackets::Split));
        assert_eq!(found, with_values(case.parameters), "{:?}", case.line);
    }
}

#[derive(Deserialize)]
struct Recipes {
    version: String,
    cases: Vec<RecipeCase>,
}

#[derive(Deserialize)]
struct RecipeCase {
    recipe: Recipe,
    infotext: String,
    canonical: String,
    hash: String,
}

#[test]
fn recipes_as_the_reference_writes_them() {
    let Recipes { version, cases } = golden("recipes.json");
    assert!(cases.len() > 20);
    for case in cases {
        assert_eq!(infotext(&case.recipe, &version), case.infotext);
        assert_eq!(case.recipe.canonical_json().unwrap(), case.canonical);
        assert_eq!(case.recipe.hash().unwrap(), case.hash);
        assert_eq!(Recipe::from_json(&case.canonical).unwrap(), case.recipe);
    }
}

/// What a text's parameters are, one a line, after its warnings.
fn check_read(text: &str, expected: &[&str]) {
    let infotext = Infotext::read(text);
    let mut found = vec![infotext.prompt, infotext.negative_prompt];
    found.extend(infotext.warnings.iter().map(ToString::to_string));
    found.extend(infotext.parameters.iter().map(|(key, value)| format!("{key} = {value}")));
    assert_eq!(found, expected);
}

#[test]
fn brackets_hold_together() {
    check_read(
        "a\nSteps: 2, Skip layers: [7, 8, ], Hashes: {\"lora:a\": \"1\", \"b\": [1, \"]\"]}, Odd: [1, 2, Seed: 3",
        &[
            "a",
            "",
            "Steps = 2",
            "Skip layers = [7, 8, ]",
            "Hashes = {\"lora:a\": \"1\", \"b\": [1, \"]\"]}",
            "Odd = [1",
            "Seed = 3",
        ],
    );
    check_read(
        "a\nSteps: 30, Seed: 1, Civitai resources: [{\"type\":\"checkpoint\",\"modelName\":\"x, y: z\"}], Last: 1",
        &[
            "a",
            "",
            "Steps = 30",
            "Seed = 1",
            "Civitai resources = [{\"type\":\"checkpoint\",\"modelName\":\"x, y: z\"}]",
            "Last = 1",
        ],
    );
}

#[test]
fn parameters_broken_over_lines() {
    check_read(
        "a red fox\nNegative prompt: b\nSteps: 20, Sampler: Euler, Seed: 1, Template: a {red|blue}\nfox\nin two",
        &[
            "a red fox",
            "b",
            "lines follow the parameters; they were read as part of the last parameter",
            "Steps = 20",
            "Sampler = Euler",
            "Seed = 1",
            "Template = a {red|blue}\nfox\nin two",
        ],
    );
}

#[test]
fn json_objects() {
    check_read(
        r#"{"sui_image_params": {"prompt": "a\nfox", "negativeprompt": "b", "seed": 1, "steps": "20", "loras": ["x"]},
            "sui_extra_data": {"date": "2024"}}"#,
        &["a\nfox", "b", "loras = [\"x\"]", "seed = 1", "steps = 20"],
    );
    check_read(
        r#"{"prompt": "a", "num_inference_steps": 25, "guidance_scale": 7.5, "seed": 2, "use_vae_model": null}"#,
        &["a", "", "guidance_scale = 7.5", "num_inference_steps = 25", "seed = 2"],
    );
    let no_parameters = "there are no parameters in the text; all of it was read as a prompt";
    check_read(r#"{"a": 1}"#, &[r#"{"a": 1}"#, "", no_parameters]);
    check_read("{red|blue} fox", &["{red|blue} fox", "", no_parameters]);
}

#[test]
fn one_value_a_line() {
    check_read(
        "Prompt: a fox: red\nSeed: 1\nSteps: 25\n\nGuidance Scale: 7.5\nWidth: 512\nSampler: euler_a\nNegative Prompt: b",
        &[
            "a fox: red",
            "b",
            "Seed = 1",
            "Steps = 25",
            "Guidance Scale = 7.5",
            "Width = 512",
            "Sampler = euler_a",
        ],
    );
}

#[test]
fn edited_prompts_win_over_the_exact_one() {
    let recipe = recipe("Negative prompt: x", "");
    let text = infotext(&recipe, "T 1");
    assert!(text.starts_with("\\Negative prompt: x\nSteps:"), "{text}");
    assert_eq!(Infotext::read(&text).prompt, "Negative prompt: x");
    let edited = Infotext::read(&text.replacen("prompt: x", "prompt: y", 1));
    assert_eq!(edited.prompt, "\\Negative prompt: y");
    assert_eq!(edited.warnings, [InfotextWarning::StaleExactPrompt { key: EXACT_PROMPT }]);
}

fn recipe(prompt: &str, negative: &str) -> Recipe {
    Recipe {
        model: ModelRef { name: "starter".into(), hash: None },
        prompt: prompt.into(),
        negative_prompt: negative.into(),
        size: Size::new(256, 512).unwrap(),
        sampler: Sampler::DpmPp2M,
        schedule: Schedule::Automatic,
        steps: 20,
        guidance_scale: 7.0,
        guidance_rescale: 0.0,
        seed: Seed(1),
        variation: None,
        noise_source: NoiseSource::Cpu,
        clip_skip: 1,
        emphasis: Emphasis::Original,
        eta: None,
        precision: Precision::Fp32,
        init: None,
        postprocess: Vec::new(),
    }
}

/// Texts of pieces that readers stumble over, and any others.
fn tricky() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "Negative prompt:",
            "Steps: 20, Seed: 1, Size: 8x8",
            "Exact prompt: \"x\"",
            "\n",
            "\n",
            "\r\n",
            " ",
            ",",
            ":",
            "\"",
            "\\",
            "\\\"",
            "[",
            "]",
            "{",
            "}",
            "楼兰",
            "🦊",
            "\0",
            "\x1c",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "a",
            "key",
            "Prompt: ",
            "Width: 8",
            "Seed: ",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_prompt_reads_back_equal(prompt in tricky(), negative in tricky(), model in tricky(), template in tricky()) {
        let mut written = recipe(&prompt, &negative);
        written.model.name.clone_from(&model);
        written.prompt.template = Some(template.clone());
        let read = Infotext::read(&infotext(&written, "Tarim 0.1.0"));
        prop_assert_eq!(&read.prompt, &prompt);
        prop_assert_eq!(&read.negative_prompt, &negative);
        prop_assert_eq!(read.get("Model").unwrap_or_default(), model);
        prop_assert_eq!(read.get("Template"), Some(template.as_str()));
        prop_assert_eq!(read.get("Size"), Some("256x512"));
        prop_assert_eq!(&read.warnings, &[]);
    }

    #[test]
    fn any_text_can_be_read(text in tricky()) {
        let read = Infotext::read(&text);
        let _ = read.to_draft();
        prop_assert!(read.prompt.len() + read.negative_prompt.len() <= text.len());
    }

    #[test]
    fn any_draft_of_a_recipe_reads_back(seed: u64, steps in 1_u32..1000, guidance in 0.0..100.0, skip in 1_u8..12, nv: bool) {
        let mut recipe = recipe("a", "b");
        recipe.seed = Seed(seed);
        recipe.steps = steps;
        recipe.guidance_scale = guidance;
        recipe.clip_skip = skip;
        recipe.noise_source = if nv { NoiseSource::Nv } else { NoiseSource::Cpu };
        recipe.variation = Some(Variation { seed: Seed(!seed), strength: guidance / 100.0 });
        let (draft, warnings) = Infotext::read(&infotext(&recipe, "Tarim 0.1.0")).to_draft();
        prop_assert_eq!(warnings, vec![]);
        let expected = Draft {
            guidance_rescale: None, precision: None, emphasis: None, eta: None, ..Draft::from(&recipe)
        };
        prop_assert_eq!(draft, expected);
    }
}

#[test]
fn long_hostile_texts_take_linear_time() {
    // Each of these made some reader of the format quadratic or worse; a minute is not what this test waits.
    for unit in
        ["aa:[", "aa:\"", "aa:\"\\", "aa:{\"", "a ", "aa:[]x,", "Steps: 1\n", ",", "Negative prompt:", "\\\""]
    {
        let text = unit.repeat(200_000);
        let read = Infotext::read(&text);
        assert!(read.prompt.len() + read.negative_prompt.len() <= text.len());
    }
}

/// Compares the draft but for its prompts, and the warnings.
fn check_draft(parameters: &str, expected: &Draft, warnings: &[&str]) {
    let (draft, found) = Infotext::read(&format!("a\n{parameters}")).to_draft();
    assert_eq!(Draft { prompt: None, negative_prompt: None, ..draft }, *expected, "{parameters}");
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), warnings, "{parameters}");
}

#[test]
fn drafts() {
    check_draft(
        "Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 3, Size: 512x768, Denoising strength: 0.55, \
         Hires upscale: 2, Clip skip: 2, Version: v1.5.1",
        &Draft {
            width: Some(512),
            height: Some(768),
            sampler: Some(Sampler::DpmPp2M),
            schedule: Some(Schedule::Karras),
            steps: Some(28),
            guidance_scale: Some(6.5),
            seed: Some(Seed(3)),
            noise_source: Some(NoiseSource::Nv),
            clip_skip: Some(2),
            ..Draft::default()
        },
        &["Hires upscale: 2 was used to make the picture and is not supported; the picture will differ"],
    );
    check_draft(
        "Steps: 20, CFG scale: 7.000000, Guidance: 3.5, Eta: 0.000000, Seed: 42, Size: 512x512, Model: , RNG: cuda, \
         Sampler: euler_a karras, Version: stable-diffusion.cpp",
        &Draft {
            width: Some(512),
            height: Some(512),
            sampler: Some(Sampler::EulerAncestral),
            schedule: Some(Schedule::Karras),
            steps: Some(20),
            guidance_scale: Some(7.0),
            seed: Some(Seed(42)),
            noise_source: Some(NoiseSource::Nv),
            clip_skip: Some(1),
            ..Draft::default()
        },
        &[],
    );
    check_draft(
        "Steps: 20.0, Sampler: Undefined, Schedule type: Turbo, Seed: -1, Size: big, CFG scale: x, RNG: CPU, \
         Emphasis: No norm, Mask mode: Inpaint not masked, Masked content: latent nothing, Inpaint area: Only masked",
        &Draft {
            steps: Some(20),
            noise_source: Some(NoiseSource::Cpu),
            clip_skip: Some(1),
            emphasis: Some(Emphasis::NoNorm),
            mask_fill: Some(MaskFill::LatentNothing),
            mask_area: Some(MaskArea::OnlyMasked { padding: 32 }),
            mask_invert: Some(true),
            ..Draft::default()
        },
        &[
            "Size is \"big\", which cannot be read (not of the form 512x768); it was left out",
            "Sampler: Undefined was used to make the picture and is not supported; the picture will differ",
            "Schedule type: Turbo was used to make the picture and is not supported; the picture will differ",
            "CFG scale is \"x\", which cannot be read (invalid float literal); it was left out",
        ],
    );
    check_draft(
        "Steps: 1, Seed: 18446744073709551615, Model hash: 6ce0161689, Model: \"a, b\", Variation seed: 2, \
         Variation seed strength: 0.5, Eta DDIM: 0.25, Image CFG scale: 2, Denoising strength: 0.6, Mask blur: 8",
        &Draft {
            model: Some(ModelRef { name: "a, b".into(), hash: Some("6ce0161689".into()) }),
            steps: Some(1),
            seed: Some(Seed(u64::MAX)),
            variation_seed: Some(Seed(2)),
            variation_strength: Some(0.5),
            noise_source: Some(NoiseSource::Nv),
            clip_skip: Some(1),
            eta: Some(0.25),
            image_guidance_scale: Some(2.0),
            strength: Some(0.6),
            mask_blur: Some(8),
            ..Draft::default()
        },
        &[],
    );
    // No parameters: nothing is known, so the model's and the program's defaults hold.
    check_draft("", &Draft::default(), &[]);
    let (_, warnings) = Infotext::read("[a:b:1.0]\nSteps: 2, Seed: 1, Version: v1.5.1").to_draft();
    assert!(matches!(warnings[..], [InfotextWarning::OldPromptEditing { .. }]), "{warnings:?}");
}

#[test]
fn steps_after_drawing_read_back() {
    let recipe = recipe("a", "b")
        .then(Postprocess::Crop { x: 8, y: 16, width: 200, height: 100 })
        .then(Postprocess::Resize { width: 400, height: 200, filter: ResizeFilter::Lanczos3 });
    let text = infotext(&recipe, "Tarim 0.1.0");
    let expected = "Postprocess upscale to: 400x200, Postprocess upscaler: Lanczos, \
                    Postprocess steps: crop 200x100+8+16; resize 400x200 Lanczos";
    assert!(text.contains(expected), "{text}");
    let (draft, warnings) = Infotext::read(&text).to_draft();
    assert_eq!(draft.postprocess, Some(recipe.postprocess));
    assert_eq!(warnings, []);
}

#[test]
fn what_a1111s_extras_did() {
    let draft = |parameters: &str| {
        let text = format!("a\nSteps: 20, Sampler: Euler a, Seed: 1, Size: 512x768, {parameters}");
        let (draft, warnings) = Infotext::read(&text).to_draft();
        (draft.postprocess, warnings.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let lanczos =
        |width, height| Some(vec![Postprocess::Resize { width, height, filter: ResizeFilter::Lanczos3 }]);
    assert_eq!(
        draft("Postprocess upscale by: 2, Postprocess upscaler: Lanczos"),
        (lanczos(1024, 1536), vec![])
    );
    assert_eq!(
        draft("Postprocess upscale to: 640x960, Postprocess upscaler: Lanczos"),
        (lanczos(640, 960), vec![])
    );
    let (steps, warnings) = draft("Postprocess upscale by: 4, Postprocess upscaler: R-ESRGAN 4x+");
    assert_eq!(steps, None);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let (steps, warnings) = draft("Postprocess steps: rotate 90");
    assert_eq!(steps, None);
    assert!(warnings[0].contains("rotate 90"), "{warnings:?}");
}
