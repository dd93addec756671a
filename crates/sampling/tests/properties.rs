//! What must hold whatever the reference: exact solutions, variances, refusals, and names that read back.

#![allow(clippy::unwrap_used)] // helpers of tests

use tarim_recipe::{NoiseSource, Sampler, Schedule, most_steps};
use tarim_sampling::{
    BetaSchedule, BrownianNoise, Convention, Denoiser, Grid, GridError, GridOptions, NoiseSchedule,
    NoiseScheduleConfig, NoiseScheduleError, Options, PhiloxCuda, PictureNoise, SampleError, StepEnd,
    StepInfo, sample, slerp,
};

fn stable_diffusion() -> NoiseSchedule {
    NoiseSchedule::new(&NoiseScheduleConfig::default()).unwrap()
}

/// The exact denoiser of pictures that are normal numbers with this mean and spread.
struct Gaussian {
    mean: f64,
    spread: f64,
}

impl Denoiser<Vec<f64>> for Gaussian {
    type Error = std::convert::Infallible;

    fn denoise(&mut self, x: &Vec<f64>, sigma: f64, step: StepInfo) -> Result<Vec<f64>, Self::Error> {
        assert!(step.step < step.steps && (0.0..1000.0).contains(&step.timestep), "{step:?}");
        let share = self.spread.powi(2) / (self.spread.powi(2) + sigma * sigma);
        Ok(x.iter().map(|x| self.mean + share * (x - self.mean)).collect())
    }
}

#[test]
fn every_sampler_draws_from_a_gaussian() {
    let schedule = stable_diffusion();
    let (mean, spread) = (0.4, 0.8);
    for sampler in Sampler::all() {
        // LCM and TCD ask for a distilled model, whose x0 is the end of the path.
        if matches!(sampler, Sampler::Lcm | Sampler::Tcd) {
            continue;
        }
        for levels in [Schedule::Karras, Schedule::Exponential, Schedule::Linspace, Schedule::Trailing] {
            // diffusers' third-order coefficients, kept where levels are its, leave too much noise.
            if sampler == Sampler::DpmPp3MSde && matches!(levels, Schedule::Linspace | Schedule::Trailing) {
                continue;
            }
            let grid = Grid::new(sampler, levels, 150, &schedule, &GridOptions::default()).unwrap();
            let count = 2000;
            let mut noise = PictureNoise::new(NoiseSource::Nv, 7);
            let start: Vec<f64> =
                noise.randn(count).iter().map(|n| f64::from(*n) * grid.initial_scale).collect();
            let mut brownian = BrownianNoise::new(noise.clone(), count);
            let mut draw = |from: f64, to: f64| -> Vec<f64> {
                // Restart visits an interval twice and must not meet the same noise there.
                let overlaps = sampler == Sampler::DpmPpSde;
                let values = if overlaps { brownian.noise(from, to) } else { noise.randn(count) };
                values.into_iter().map(f64::from).collect()
            };
            let model = &mut Gaussian { mean, spread };
            let x = sample(&grid, &schedule, start, model, &mut draw, &Options::default()).unwrap();
            let average = x.iter().sum::<f64>() / count as f64;
            let deviation = (x.iter().map(|x| (x - average).powi(2)).sum::<f64>() / count as f64).sqrt();
            assert!((average - mean).abs() < 0.06, "{sampler} {levels}: mean {average}");
            assert!((deviation - spread).abs() < 0.06, "{sampler} {levels}: spread {deviation}");
        }
    }
}

#[test]
fn every_combination_stays_finite() {
    let zero = NoiseScheduleConfig { rescale_betas_zero_snr: true, ..NoiseScheduleConfig::default() };
    let cosine = NoiseScheduleConfig { beta_schedule: BetaSchedule::SquaredcosCapV2, ..zero.clone() };
    for config in [NoiseScheduleConfig::default(), zero, cosine] {
        let schedule = NoiseSchedule::new(&config).unwrap();
        // Second-order steps straight down from pure noise err by its size, as they do in the references.
        let bound = if schedule.zero_snr() { 1e5 } else { 50.0 };
        for sampler in Sampler::all() {
            for levels in Schedule::all() {
                for (steps, convention) in [
                    (1, Convention::A1111),
                    (2, Convention::Diffusers),
                    (3, Convention::A1111),
                    (23, Convention::A1111),
                ] {
                    let options = GridOptions { convention, ..GridOptions::default() };
                    let grid = Grid::new(sampler, levels, steps, &schedule, &options).unwrap();
                    for strength in [1.0, 0.7, 0.05, 0.0] {
                        let grid = grid.clone().with_strength(strength).unwrap();
                        let start = vec![grid.initial_scale; 3];
                        let mut draw = |_: f64, _: f64| vec![0.3, -1.0, 0.2];
                        let model = &mut Gaussian { mean: 0.1, spread: 1.0 };
                        let x =
                            sample(&grid, &schedule, start, model, &mut draw, &Options::default()).unwrap();
                        let label = format!("{sampler}, {levels}, {steps} steps, strength {strength}");
                        assert!(x.iter().all(|x| x.is_finite() && x.abs() < bound), "{label}: {x:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_combination_can_take_as_many_steps_as_a_recipe_may_ask_for() {
    let zero = NoiseScheduleConfig { rescale_betas_zero_snr: true, ..NoiseScheduleConfig::default() };
    for config in [NoiseScheduleConfig::default(), zero] {
        let schedule = NoiseSchedule::new(&config).unwrap();
        let bound = if schedule.zero_snr() { 1e5 } else { 50.0 };
        for sampler in Sampler::all() {
            for levels in Schedule::all() {
                for steps in [most_steps(sampler, levels) - 1, most_steps(sampler, levels)] {
                    let grid = Grid::new(sampler, levels, steps, &schedule, &GridOptions::default()).unwrap();
                    let label = format!("{sampler}, {levels}, {steps} steps");
                    // A1111's `DDIM` has its own idea of how many fit.
                    assert!(grid.steps() == steps as usize || levels == Schedule::Ddim, "{label}");
                    let start = vec![grid.initial_scale; 3];
                    let mut draw = |_: f64, _: f64| vec![0.3, -1.0, 0.2];
                    let model = &mut Gaussian { mean: 0.1, spread: 1.0 };
                    let x = sample(&grid, &schedule, start, model, &mut draw, &Options::default()).unwrap();
                    assert!(x.iter().all(|x| x.is_finite() && x.abs() < bound), "{label}: {x:?}");
                }
            }
        }
    }
}

#[test]
fn absurd_requests_are_refused() {
    let schedule = stable_diffusion();
    let plain = GridOptions::default();
    for steps in [0, 1001, 100_000, u32::MAX] {
        let grid = Grid::new(Sampler::Euler, Schedule::Karras, steps, &schedule, &plain);
        assert_eq!(grid, Err(GridError::Steps { steps: steps as usize, most: 1000 }));
    }
    let grid = Grid::new(Sampler::Lcm, Schedule::Automatic, 51, &schedule, &plain);
    assert_eq!(grid, Err(GridError::Steps { steps: 51, most: 50 }));
    let grid = Grid::new(Sampler::Euler, Schedule::Karras, 5, &schedule, &plain).unwrap();
    for strength in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
        assert!(matches!(grid.clone().with_strength(strength), Err(GridError::Strength(_))));
    }
    for rho in [f64::NAN, 0.0, -7.0] {
        let options = GridOptions { karras_rho: rho, ..plain.clone() };
        let grid = Grid::new(Sampler::Euler, Schedule::Karras, 5, &schedule, &options);
        assert!(matches!(grid, Err(GridError::Option { name: "karras_rho", .. })));
    }
    for betas in [vec![0.1, f64::NAN], vec![0.0, 0.1], vec![0.1, 1.0]] {
        let config = NoiseScheduleConfig {
            beta_schedule: BetaSchedule::Trained(betas),
            ..NoiseScheduleConfig::default()
        };
        assert!(matches!(NoiseSchedule::new(&config), Err(NoiseScheduleError::Beta { .. })));
    }
    let none = NoiseScheduleConfig { num_train_timesteps: 0, ..NoiseScheduleConfig::default() };
    assert_eq!(NoiseSchedule::new(&none), Err(NoiseScheduleError::Timesteps(0)));
    let run = |options: &Options| {
        let mut draw = |_: f64, _: f64| vec![0.0];
        sample(&grid, &schedule, vec![1.0], &mut Gaussian { mean: 0.0, spread: 1.0 }, &mut draw, options)
    };
    let wrong = [
        ("eta", Options { eta: Some(f64::NAN), ..Options::default() }),
        ("s_noise", Options { s_noise: -1.0, ..Options::default() }),
        ("r", Options { r: 0.0, ..Options::default() }),
        ("lms_order", Options { lms_order: 0, ..Options::default() }),
    ];
    for (expected, options) in wrong {
        let Err(SampleError::Grid(GridError::Option { name, .. })) = run(&options) else {
            panic!("{expected} was not refused");
        };
        assert_eq!(name, expected);
    }
}

/// Cancels at the end of a step.
struct Cancels;

impl Denoiser<Vec<f64>> for Cancels {
    type Error = usize;

    fn denoise(&mut self, x: &Vec<f64>, _: f64, _: StepInfo) -> Result<Vec<f64>, usize> {
        Ok(x.clone())
    }

    fn end_step(&mut self, x: Vec<f64>, end: StepEnd) -> Result<Vec<f64>, usize> {
        if end.step == 2 { Err(end.step) } else { Ok(x) }
    }
}

#[test]
fn cancel_ends_every_sampler() {
    let schedule = stable_diffusion();
    for sampler in Sampler::all() {
        let grid = Grid::new(sampler, Schedule::Automatic, 6, &schedule, &GridOptions::default()).unwrap();
        let mut draw = |_: f64, _: f64| vec![0.0];
        let ended = sample(&grid, &schedule, vec![1.0], &mut Cancels, &mut draw, &Options::default());
        assert_eq!(ended, Err(SampleError::Denoiser(2)), "{sampler}");
    }
}

#[test]
fn philox_is_cudas() {
    // The test vector of A1111's rng_philox.py.
    let expected = [
        -0.92466259,
        -0.42534415,
        -2.6438457,
        0.14518388,
        -0.12086647,
        -0.57972564,
        -0.62285122,
        -0.32838709,
        -1.07454231,
        -0.36314407,
        -1.67105067,
        2.26550497,
    ];
    let mut generator = PhiloxCuda::new(0);
    for (ours, theirs) in generator.randn(12).into_iter().zip(expected) {
        assert!((f64::from(ours) - theirs).abs() < 1e-6, "{ours}, not {theirs}");
    }
    let next = generator.randn(12);
    assert!(next.iter().zip(expected).all(|(next, first)| (f64::from(*next) - first).abs() > 1e-6));
}

#[test]
fn brownian_increments_add_up() {
    let count = 20_000;
    let mut path = BrownianNoise::new(PictureNoise::new(NoiseSource::Cpu, 3), count);
    let (first, whole, rest) = (path.noise(9.0, 5.0), path.noise(9.0, 2.0), path.noise(5.0, 2.0));
    let dot = |a: &[f32], b: &[f32]| {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() / count as f64
    };
    for noise in [&first, &whole, &rest] {
        assert!((dot(noise, noise) - 1.0).abs() < 0.05);
    }
    assert!(dot(&first, &rest).abs() < 0.05);
    for ((first, rest), whole) in first.iter().zip(&rest).zip(&whole) {
        let sum = (f64::from(*first) * 2.0 + f64::from(*rest) * 3_f64.sqrt()) / 7_f64.sqrt();
        assert!((sum - f64::from(*whole)).abs() < 1e-5);
    }
    // A point between two known ones.
    let mut path = BrownianNoise::new(PictureNoise::new(NoiseSource::Cpu, 4), count);
    let (whole, first) = (path.noise(9.0, 2.0), path.noise(9.0, 5.0));
    assert!((dot(&first, &first) - 1.0).abs() < 0.05);
    assert!((dot(&first, &whole) - (4.0_f64 / 7.0).sqrt()).abs() < 0.05);
}

#[test]
fn slerp_keeps_variance() {
    let shape = [4, 64, 64];
    let count = shape.iter().product();
    let first = PictureNoise::new(NoiseSource::Cpu, 1).randn(count);
    let second = PictureNoise::new(NoiseSource::Cpu, 2).randn(count);
    assert_eq!(slerp(0.5, &first, &second[1..], shape), None);
    for strength in [0.0, 0.3, 1.0] {
        let mixed = slerp(strength, &first, &second, shape).unwrap();
        let variance = mixed.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / count as f64;
        assert!((variance - 1.0).abs() < 0.03, "{strength}: {variance}");
        let nearest = if strength < 0.5 { &first } else { &second };
        let same = mixed.iter().zip(nearest).all(|(a, b)| (a - b).abs() < 1e-5);
        assert_eq!(same, strength == 0.0 || strength == 1.0);
    }
}
