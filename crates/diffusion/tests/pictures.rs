//! Whole pictures against diffusers' (`tests/parity/pictures.py`), and what a render promises: the same bytes each
//! time, whatever is rendered beside it; one pass without guidance; untouched pixels outside a mask; cancel.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;
use tarim_diffusion::device::DeviceChoice;
use tarim_diffusion::pipeline::{
    LoadOptions, Picture, Pipeline, PipelineError, Raster, RenderInputs, Rendering, StepObserver, StepReport,
};
use tarim_recipe::{
    MaskArea, MaskFill, NoiseSource, Precision, Recipe, ResizeMode, Sampler, Schedule, Seed, Size, Variation,
};
use tch::{Kind, Tensor};

/// Least likeness of pictures, in dB.
const PSNR: f64 = 50.0;
/// Greatest root mean square of the latents' errors, relative to that of the latents: networks of random weights make
/// rounding errors grow with each guided step.
const LATENTS: f64 = 5e-4;

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/pictures")
}

static CASES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let text = std::fs::read_to_string(goldens().join("cases.json")).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    value["cases"].as_array().unwrap().clone()
});

/// The recorded tensors; one thread at a time, so each test reads its own.
fn expected() -> HashMap<String, Tensor> {
    Tensor::read_safetensors(goldens().join("expected.safetensors")).unwrap().into_iter().collect()
}

fn raster(tensor: &Tensor) -> Raster {
    let size = tensor.size();
    let (height, width) = (size[0] as u32, size[1] as u32);
    let channels = size.get(2).map_or(1, |channels| *channels as u32);
    Raster::new(width, height, channels, Vec::<u8>::try_from(tensor.flatten(0, -1)).unwrap()).unwrap()
}

fn copied(model: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let mut todo = vec![(model.to_owned(), copy.path().to_owned())];
    while let Some((from, to)) = todo.pop() {
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                todo.push((entry.path(), to));
            } else {
                std::fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    copy
}

/// A recorded model, with changes to its scheduler's configuration.
fn load(name: &str, scheduler: &Value, options: &LoadOptions) -> Pipeline {
    let model = goldens().join("../models").join(name);
    let changes = scheduler.as_object().unwrap();
    if changes.is_empty() {
        return Pipeline::load(&model, options).unwrap();
    }
    let copy = copied(&model);
    let path = copy.path().join("scheduler/scheduler_config.json");
    let mut config: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    for (key, value) in changes {
        config[key] = value.clone();
    }
    std::fs::write(path, config.to_string()).unwrap();
    Pipeline::load(copy.path(), options).unwrap()
}

fn float32() -> LoadOptions {
    LoadOptions { device: DeviceChoice::Cpu, precision: Some(Precision::Fp32), pictures_per_call: None }
}

fn base() -> Pipeline {
    load("sd1", &serde_json::json!({}), &float32())
}

fn case(name: &str) -> Recipe {
    let case = CASES.iter().find(|case| case["name"] == name).unwrap_or_else(|| panic!("no case {name}"));
    Recipe::from_json(&case["recipe"].to_string()).unwrap()
}

/// Renders with whatever pictures the recipe names.
fn render(pipeline: &mut Pipeline, recipes: &[Recipe], observer: &mut dyn StepObserver) -> Rendering {
    let tensors = expected();
    let (init, mask) = (raster(&tensors["init"]), raster(&tensors["mask"]));
    pipeline.render_batch(&inputs(recipes, &init, &mask), observer).unwrap()
}

fn inputs<'a>(recipes: &'a [Recipe], init: &'a Raster, mask: &'a Raster) -> Vec<RenderInputs<'a>> {
    let inputs = recipes.iter().map(|recipe| RenderInputs {
        recipe,
        init: recipe.init.as_ref().map(|_| init),
        mask: recipe.init.as_ref().and_then(|init| init.mask.as_ref()).map(|_| mask),
    });
    inputs.collect()
}

fn psnr(found: &[u8], expected: &[u8]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let squares = found.iter().zip(expected).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    let mean = squares.sum::<f64>() / found.len() as f64;
    if mean == 0.0 { f64::INFINITY } else { 10.0 * (255.0 * 255.0 / mean).log10() }
}

/// Keeps the last latents.
#[derive(Default)]
struct Latents(Vec<f32>);

impl StepObserver for Latents {
    fn step(&mut self, _: &StepReport<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn latents(&mut self, _: usize, latents: &[f32]) {
        self.0 = latents.to_vec();
    }
}

fn relative_error(found: &[f32], expected: &Tensor) -> f64 {
    let expected = expected.to_kind(Kind::Double).flatten(0, -1);
    let found = Tensor::from_slice(found).to_kind(Kind::Double);
    let size = |x: &Tensor| x.square().mean(Kind::Double).sqrt().double_value(&[]);
    size(&(&found - &expected)) / size(&expected)
}

#[test]
fn pictures_are_those_of_the_reference() {
    let tensors = expected();
    let mut models: HashMap<String, Pipeline> = HashMap::new();
    let mut failures = Vec::new();
    for case in CASES.iter() {
        let name = case["name"].as_str().unwrap();
        let key = format!("{} {}", case["model"], case["scheduler"]);
        let pipeline = models
            .entry(key)
            .or_insert_with(|| load(case["model"].as_str().unwrap(), &case["scheduler"], &float32()));
        let recipe = Recipe::from_json(&case["recipe"].to_string()).unwrap();
        let mut latents = Latents::default();
        let rendering = render(pipeline, &[recipe], &mut latents);
        let likeness = psnr(&rendering.pictures[0].rgb, raster(&tensors[&format!("{name}.picture")]).bytes());
        let error = relative_error(&latents.0, &tensors[&format!("{name}.latents")]);
        if likeness < PSNR || error > LATENTS {
            failures.push(format!("{name}: {likeness:.1} dB, latents {error:.1e}"));
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), CASES.len(), failures.join("\n"));
}

#[test]
fn a_picture_is_the_same_bytes_each_time_and_whatever_is_rendered_beside_it() {
    let mut alone = base();
    let mut shared =
        load("sd1", &serde_json::json!({}), &LoadOptions { pictures_per_call: Some(3), ..float32() });
    let check = |recipe: Recipe, pipeline: &mut Pipeline, others: &mut Pipeline| {
        let name = format!("{:?}", recipe.sampler);
        let recipes: Vec<Recipe> = (0..4).map(|index| recipe.nth(index)).collect();
        let one_by_one: Vec<Picture> = recipes
            .iter()
            .map(|recipe| render(pipeline, std::slice::from_ref(recipe), &mut ()).pictures.remove(0))
            .collect();
        let together = render(pipeline, &recipes, &mut ());
        assert_eq!(together.pictures, one_by_one, "{name}");
        assert_ne!(one_by_one[0].rgb, one_by_one[1].rgb, "{name}");
        assert_eq!(one_by_one[3].seed, Seed(10));
        // In shared calls libtorch's kernels may round differently.
        let batched = render(others, &recipes, &mut ());
        assert!(batched.unet_calls < together.unet_calls);
        assert_eq!(batched.unet_rows, together.unet_rows);
        for (one, other) in one_by_one.iter().zip(&batched.pictures) {
            assert!(psnr(&one.rgb, &other.rgb) > PSNR, "{name}");
        }
    };
    check(case("euler-ancestral"), &mut alone, &mut shared);
    check(case("inpaint-plain"), &mut alone, &mut shared);
    check(case("and-lengths"), &mut alone, &mut shared);
    for sampler in [Sampler::DpmPpSde, Sampler::DpmPp2SAncestral, Sampler::Restart] {
        let recipe = Recipe { sampler, schedule: Schedule::Automatic, ..case("euler") };
        check(Recipe { noise_source: NoiseSource::Nv, ..recipe.clone() }, &mut alone, &mut shared);
        check(recipe, &mut alone, &mut shared);
    }
}

#[test]
fn passes_are_as_few_as_guidance_allows() {
    let mut pipeline = base();
    let mut check = |recipe: Recipe, calls: u64, rows: u64| {
        let rendering = render(&mut pipeline, std::slice::from_ref(&recipe), &mut ());
        assert_eq!((rendering.unet_calls, rendering.unet_rows), (calls, rows), "{:?}", recipe.prompt);
    };
    check(case("euler"), 6, 12);
    check(case("no-guidance"), 6, 6);
    check(Recipe { guidance_scale: 0.0, ..case("euler") }, 6, 6);
    check(case("and"), 6, 18);
    // The negative prompt is one chunk long and the prompt two.
    check(case("break"), 12, 12);
    check(case("heun"), 11, 22);
}

/// Stops after a number of steps and remembers what it was told.
struct Stopper {
    after: u32,
    reports: Vec<(usize, u32, u32, usize)>,
    pictures: usize,
}

impl StepObserver for Stopper {
    fn step(&mut self, report: &StepReport<'_>) -> ControlFlow<()> {
        self.reports.push((report.pictures.start, report.step, report.steps, report.previews.len()));
        if self.reports.len() as u32 == self.after {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn wants_preview(&mut self, step: u32, _: u32) -> bool {
        step == 2
    }

    fn picture(&mut self, _: usize, _: &Picture) {
        self.pictures += 1;
    }
}

#[test]
fn an_observer_sees_every_step_and_can_stop() {
    let mut pipeline = base();
    let recipes = [case("euler"), case("img2img")];
    let mut stopper = Stopper { after: 8, reports: Vec::new(), pictures: 0 };
    let rendering = render(&mut pipeline, &recipes, &mut stopper);
    assert!(rendering.cancelled);
    assert_eq!((rendering.pictures.len(), stopper.pictures), (1, 1));
    let expected = (1..=6).map(|step| (0, step, 6, usize::from(step == 2)));
    // Strength 0.6 of 8 steps is 4.
    let expected: Vec<_> = expected.chain([(1, 1, 4, 0), (1, 2, 4, 1)]).collect();
    assert_eq!(stopper.reports, expected);
    // And goes on with the next as if nothing had been.
    let again = render(&mut pipeline, &recipes[..1], &mut ());
    assert_eq!(again.pictures[0], rendering.pictures[0]);
}

fn masked(area: MaskArea, fill: MaskFill, blur: u32) -> Recipe {
    let mut recipe = case("inpaint-plain");
    let mask = recipe.init.as_mut().and_then(|init| init.mask.as_mut()).unwrap();
    (mask.area, mask.fill, mask.blur) = (area, fill, blur);
    recipe
}

#[test]
fn pixels_outside_the_mask_keep_their_bytes() {
    let mut pipeline = base();
    let tensors = expected();
    let (init, mask) = (raster(&tensors["init"]), raster(&tensors["mask"]));
    let mut check = |recipe: Recipe, reach: usize| {
        let rendering = render(&mut pipeline, std::slice::from_ref(&recipe), &mut ());
        let picture = &rendering.pictures[0];
        assert_eq!((picture.width, picture.height), (init.width(), init.height()));
        // Rows 16 to 48 and columns 8 to 40 are masked, and the blur reaches so far.
        let inside = |pixel: usize| {
            let (y, x) = (pixel / 64, pixel % 64);
            (16 - reach..48 + reach).contains(&y) && (8_usize.saturating_sub(reach)..40 + reach).contains(&x)
        };
        let pixels = || picture.rgb.chunks_exact(3).zip(init.bytes().chunks_exact(3)).enumerate();
        assert!(pixels().all(|(pixel, (found, kept))| inside(pixel) || found == kept), "{:?}", recipe.init);
        assert!(pixels().any(|(pixel, (found, kept))| mask.bytes()[pixel] == 255 && found != kept));
    };
    for fill in [MaskFill::Original, MaskFill::Fill, MaskFill::LatentNoise, MaskFill::LatentNothing] {
        check(masked(MaskArea::WholePicture, fill, 0), 0);
    }
    check(masked(MaskArea::WholePicture, MaskFill::Original, 2), 5);
    check(masked(MaskArea::OnlyMasked { padding: 4 }, MaskFill::Fill, 2), 5);
    // Rendered larger than the part is, and pasted back at its size.
    let size = Size::new(96, 80).unwrap();
    check(Recipe { size, ..masked(MaskArea::OnlyMasked { padding: 0 }, MaskFill::Original, 0) }, 0);
}

#[test]
fn variations_lie_between_two_seeds() {
    let mut pipeline = base();
    let mut picture = |seed: u64, variation: Option<(u64, f64)>| {
        let variation = variation.map(|(seed, strength)| Variation { seed: Seed(seed), strength });
        let recipe = Recipe { seed: Seed(seed), variation, ..case("euler") };
        render(&mut pipeline, &[recipe], &mut ()).pictures.remove(0).rgb
    };
    let (first, second) = (picture(1, None), picture(2, None));
    assert_eq!(picture(1, Some((2, 0.0))), first);
    assert!(psnr(&picture(1, Some((2, 1.0))), &second) > PSNR);
    let (near, far) = (picture(1, Some((2, 0.1))), picture(1, Some((2, 0.6))));
    assert!(psnr(&near, &first) > psnr(&far, &first));
}

#[test]
fn strength_0_keeps_the_picture_and_an_empty_mask_does_too() {
    let mut pipeline = base();
    let init = raster(&expected()["init"]);
    let mut recipe = case("img2img");
    recipe.init.as_mut().unwrap().strength = 0.0;
    let rendering = render(&mut pipeline, &[recipe], &mut ());
    assert_eq!((rendering.pictures[0].rgb.as_slice(), rendering.unet_calls), (init.bytes(), 0));
    let recipe = masked(MaskArea::WholePicture, MaskFill::Original, 4);
    let black = Raster::new(64, 64, 1, vec![0; 64 * 64]).unwrap();
    let inputs = RenderInputs { recipe: &recipe, init: Some(&init), mask: Some(&black) };
    let rendering = pipeline.render(&inputs, &mut ()).unwrap();
    assert_eq!(rendering.pictures[0].rgb, init.bytes());
    assert_eq!(rendering.warnings.len(), 1);
}

#[test]
fn pictures_of_other_sizes_are_fitted() {
    let mut pipeline = base();
    let small = Raster::new(40, 30, 3, (0..40 * 30 * 3).map(|i| (i % 251) as u8).collect()).unwrap();
    for mode in [ResizeMode::Stretch, ResizeMode::Crop, ResizeMode::Fill] {
        let mut recipe = case("img2img");
        recipe.init.as_mut().unwrap().resize_mode = mode;
        let inputs = RenderInputs { recipe: &recipe, init: Some(&small), mask: None };
        let picture = pipeline.render(&inputs, &mut ()).unwrap().pictures.remove(0);
        assert_eq!((picture.width, picture.height), (64, 64), "{mode:?}");
    }
}

#[test]
fn bfloat16_gives_nearly_the_same_picture() {
    let options = LoadOptions { precision: Some(Precision::Bf16), ..float32() };
    let mut half = load("sd1", &serde_json::json!({}), &options);
    let recipe = case("euler");
    let exact = render(&mut base(), std::slice::from_ref(&recipe), &mut ()).pictures.remove(0);
    let rough =
        render(&mut half, &[Recipe { precision: Precision::Bf16, ..recipe }], &mut ()).pictures.remove(0);
    assert!(psnr(&rough.rgb, &exact.rgb) > 20.0);
    assert_ne!(rough.rgb, exact.rgb);
}

#[test]
fn what_cannot_be_rendered_is_an_error_that_says_why() {
    let mut pipeline = base();
    let tensors = expected();
    let (init, mask) = (raster(&tensors["init"]), raster(&tensors["mask"]));
    let mut check = |recipe: &Recipe, init: Option<&Raster>, mask: Option<&Raster>, says: &str| {
        let error = pipeline.render(&RenderInputs { recipe, init, mask }, &mut ()).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        error
    };
    let euler = case("euler");
    check(&Recipe { precision: Precision::Bf16, ..euler.clone() }, None, None, "precision is Bf16");
    check(&Recipe { steps: 0, ..euler.clone() }, None, None, "steps is 0");
    check(&Recipe { guidance_scale: f64::NAN, ..euler.clone() }, None, None, "guidance_scale is NaN");
    check(&Recipe { clip_skip: 9, ..euler.clone() }, None, None, "clip_skip 9");
    check(&euler, Some(&init), None, "init is not in the recipe");
    check(&case("img2img"), None, None, "init.picture is named by the recipe");
    check(&case("inpaint-plain"), Some(&init), None, "init.mask.picture is named by the recipe");
    let small = Raster::new(8, 8, 1, vec![255; 64]).unwrap();
    let error =
        check(&case("inpaint-plain"), Some(&init), Some(&small), "8x8 pixels large and the picture 64x64");
    assert!(matches!(error, PipelineError::Input { field: "init.mask.picture", .. }));
    check(&case("img2img"), Some(&init), Some(&mask), "init.mask is not in the recipe");
    let mut pix2pix = load("pix2pix", &serde_json::json!({}), &float32());
    let inputs = RenderInputs { recipe: &euler, init: None, mask: None };
    assert!(pix2pix.render(&inputs, &mut ()).unwrap_err().to_string().contains("give it one"));
    let missing =
        Pipeline::load(Path::new("/nowhere/at/all"), &float32()).err().expect("there is no such model");
    assert!(matches!(missing, PipelineError::Model(_)));
}

#[test]
fn latents_that_are_not_numbers_are_an_error_that_names_the_step() {
    let copy = copied(&goldens().join("../models/sd1"));
    let path = copy.path().join("unet/diffusion_pytorch_model.safetensors");
    let mut weights: Vec<(String, Tensor)> = Tensor::read_safetensors(&path).unwrap();
    for (name, tensor) in &mut weights {
        if name == "conv_out.bias" {
            *tensor = tensor.full_like(3e38);
        }
    }
    Tensor::write_safetensors(&weights, &path).unwrap();
    let mut pipeline = Pipeline::load(copy.path(), &float32()).unwrap();
    let inputs = RenderInputs { recipe: &case("euler"), init: None, mask: None };
    let error = pipeline.render(&inputs, &mut ()).unwrap_err();
    assert!(matches!(error, PipelineError::NotFinite { step: 2, steps: 6 }), "{error}");
}

#[test]
fn an_inpainting_model_draws_from_text_and_a_whole_picture_too() {
    let mut pipeline = load("inpainting", &serde_json::json!({}), &float32());
    let from_text = render(&mut pipeline, &[case("euler")], &mut ());
    let from_picture = render(&mut pipeline, &[case("img2img")], &mut ());
    assert_ne!(from_text.pictures[0].rgb, from_picture.pictures[0].rgb);
}
