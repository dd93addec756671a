//! Trajectories, levels and noise against diffusers, k-diffusion and torch, as recorded by `tests/parity/sampling.py`.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::path::Path;

use serde_json::Value;
use tarim_recipe::{Sampler, Schedule};
use tarim_sampling::{
    BetaSchedule, Convention, Denoiser, FinalSigma, Grid, GridOptions, NoiseSchedule, NoiseScheduleConfig,
    Options, Prediction, StepInfo, TorchCpu, sample,
};

const SIZE: usize = 4;

fn recorded(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/sampling").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let whole: Value = serde_json::from_str(&text).unwrap();
    whole["cases"].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The same as the recording script's.
fn noise(draw: usize) -> Vec<f64> {
    (0..SIZE).map(|i| 1.7 * (1.3 * draw as f64 + 2.1 * i as f64 + 0.5).sin()).collect()
}

/// The recording script's toy network behind the denoiser that a pipeline would build.
struct Toy {
    prediction: Prediction,
    asked: Vec<Vec<f64>>,
}

impl Denoiser<Vec<f64>> for Toy {
    type Error = std::convert::Infallible;

    fn denoise(&mut self, x: &Vec<f64>, sigma: f64, step: StepInfo) -> Result<Vec<f64>, Self::Error> {
        let scalings = self.prediction.scalings(sigma);
        let input: Vec<f64> = x.iter().map(|x| x * scalings.c_in).collect();
        self.asked.push(std::iter::once(step.timestep).chain(input.iter().copied()).collect());
        let output = (0..SIZE).map(|i| {
            let phase = (0.003 * step.timestep + i as f64).cos();
            (0.8 * input[i] + 0.3 * input[(i + SIZE - 1) % SIZE] + 0.2 * phase).tanh()
        });
        Ok(x.iter().zip(output).map(|(x, out)| scalings.c_skip * x + scalings.c_out * out).collect())
    }
}

fn far(a: f64, b: f64, tolerance: f64) -> bool {
    let distance = (a - b).abs();
    distance.is_nan() || distance > tolerance * b.abs().max(1.0)
}

/// What differs, or nothing.
fn compare(case: &Value, tolerance: f64) -> Result<(), String> {
    let text = |key: &str| case[key].as_str();
    let (sampler, _) = Sampler::parse(text("sampler").unwrap()).unwrap();
    let schedule: Schedule = text("schedule").unwrap().parse().unwrap();
    let prediction = match text("prediction_type") {
        Some("v_prediction") => Prediction::VPrediction,
        Some("sample") => Prediction::Sample,
        _ => Prediction::Epsilon,
    };
    let noise_schedule = NoiseSchedule::new(&NoiseScheduleConfig {
        beta_schedule: match text("beta_schedule") {
            Some("linear") => BetaSchedule::Linear,
            Some("squaredcos_cap_v2") => BetaSchedule::SquaredcosCapV2,
            _ => BetaSchedule::ScaledLinear,
        },
        rescale_betas_zero_snr: case["rescale_betas_zero_snr"].as_bool() == Some(true),
        ..NoiseScheduleConfig::default()
    })
    .unwrap();
    let defaults = GridOptions::default();
    let grid_options = GridOptions {
        convention: if text("convention") == Some("diffusers") {
            Convention::Diffusers
        } else {
            Convention::A1111
        },
        steps_offset: case["steps_offset"].as_u64().unwrap_or(0) as u32,
        spacing: text("spacing").map_or(defaults.spacing, |name| name.parse().unwrap()),
        final_sigma: case["set_alpha_to_one"].as_bool().and_then(|one| {
            let asks = matches!(sampler, Sampler::Ddim | Sampler::Pndm);
            asks.then_some(if one { FinalSigma::Zero } else { FinalSigma::SigmaMin })
        }),
        ..defaults
    };
    let defaults = Options::default();
    let options = Options {
        eta: case["eta"].as_f64(),
        s_noise: case["s_noise"].as_f64().unwrap_or(1.0),
        s_churn: case["s_churn"].as_f64().unwrap_or(0.0),
        prediction,
        ..defaults
    };
    let steps = case["steps"].as_u64().unwrap() as u32;
    let mut grid = Grid::new(sampler, schedule, steps, &noise_schedule, &grid_options).unwrap();
    let start: Vec<f64> = if let Some(strength) = case["strength"].as_f64() {
        grid = grid.with_strength(strength).unwrap();
        noise(200).iter().zip(noise(100)).map(|(x, noise)| x + grid.sigmas[0] * noise).collect()
    } else {
        noise(100).iter().map(|noise| noise * grid.initial_scale).collect()
    };
    let mut draws = 0;
    let mut toy = Toy { prediction, asked: Vec::new() };
    let mut draw = |_: f64, _: f64| {
        draws += 1;
        noise(draws - 1)
    };
    let last = sample(&grid, &noise_schedule, start, &mut toy, &mut draw, &options).unwrap();

    let asked = case["asked"].as_array().unwrap();
    for (place, (ours, theirs)) in toy.asked.iter().zip(asked).enumerate() {
        let theirs = numbers(theirs);
        if ours.iter().zip(&theirs).any(|(a, b)| far(*a, *b, tolerance)) {
            return Err(format!("evaluation {place}: {ours:?}, not {theirs:?}"));
        }
    }
    if toy.asked.len() != asked.len() {
        return Err(format!("{} evaluations, not {}", toy.asked.len(), asked.len()));
    }
    let theirs = numbers(&case["final"]);
    if last.iter().zip(&theirs).any(|(a, b)| far(*a, *b, tolerance)) {
        return Err(format!("final {last:?}, not {theirs:?}"));
    }
    Ok(())
}

fn check(file: &str, tolerance: f64) {
    let mut wrong = String::new();
    for case in recorded(file) {
        if let Err(difference) = compare(&case, tolerance) {
            let mut label = case.clone();
            for long in ["asked", "final"] {
                label.as_object_mut().unwrap().remove(long);
            }
            wrong += &format!("{label}\n    {difference}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn trajectories_are_diffusers() {
    // Its sigmas are float32 throughout, and some latents.
    check("diffusers.json", 2e-5);
}

#[test]
fn trajectories_are_k_diffusions() {
    check("k_diffusion.json", 1e-6);
}

#[test]
fn levels_are_a1111s() {
    let noise_schedule = NoiseSchedule::new(&NoiseScheduleConfig::default()).unwrap();
    for case in recorded("schedules.json") {
        let schedule: Schedule = case["schedule"].as_str().unwrap().parse().unwrap();
        let steps = case["steps"].as_u64().unwrap() as u32;
        let grid =
            Grid::new(Sampler::Euler, schedule, steps, &noise_schedule, &GridOptions::default()).unwrap();
        let theirs = numbers(&case["sigmas"]);
        assert_eq!(grid.sigmas.len(), theirs.len(), "{schedule} {steps}");
        // k-diffusion's timesteps are float32.
        for (ours, theirs) in grid.sigmas.iter().zip(&theirs) {
            assert!((ours - theirs).abs() <= 1e-6 * theirs.abs(), "{schedule} {steps}: {ours}, not {theirs}");
        }
    }
}

#[test]
fn cpu_noise_is_torchs() {
    let mut generator = (String::new(), TorchCpu::new(0));
    for case in recorded("torch_cpu.json") {
        let seed = case["seed"].as_str().unwrap();
        if generator.0 != seed {
            generator = (seed.to_owned(), TorchCpu::new(seed.parse().unwrap()));
        }
        let theirs = numbers(&case["values"]);
        let ours = generator.1.randn(theirs.len());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert!(
                !far(f64::from(*ours), *theirs, 1e-6),
                "seed {seed}, {}: {ours}, not {theirs}",
                case["count"]
            );
        }
    }
}
