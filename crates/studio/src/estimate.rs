//! How long pictures take, from what earlier ones took.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use tarim_recipe::{Precision, Recipe};

/// What a finished job says of its time; the library keeps it with the job, as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Measured {
    /// What was done.
    pub work: Work,
    /// Seconds until the model was there; 0 when it was there already.
    pub load: f64,
    /// Seconds for prompts and initial picture.
    pub encode: f64,
    /// Seconds for all steps.
    pub sample: f64,
    /// Seconds from latents to pixels.
    pub decode: f64,
    /// Seconds from handing the job to the renderer to its picture on the disk.
    pub total: f64,
}

/// What decides how long a picture takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Work {
    /// The model's name.
    pub model: String,
    /// The device, such as `cpu`.
    pub device: String,
    /// The arithmetic.
    pub precision: String,
    /// The sampler's name.
    pub sampler: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Steps that are really done.
    pub steps: u32,
    /// Whether there is guidance, which doubles the work.
    pub guided: bool,
}

impl Work {
    /// What a recipe takes on a device.
    pub(crate) fn of(recipe: &Recipe, device: &str) -> Self {
        let steps = match &recipe.init {
            Some(init) => ((f64::from(recipe.steps) * init.strength).ceil() as u32).clamp(1, recipe.steps),
            None => recipe.steps,
        };
        Self {
            model: recipe.model.name.clone(),
            device: device.to_owned(),
            precision: precision(recipe.precision).to_owned(),
            sampler: recipe.sampler.name().to_owned(),
            width: recipe.size.width(),
            height: recipe.size.height(),
            steps,
            guided: recipe.guidance_scale != 1.0,
        }
    }

    fn pixels(&self) -> f64 {
        f64::from(self.width) * f64::from(self.height)
    }

    /// Work of a step, in an arbitrary unit.
    fn step(&self) -> f64 {
        self.pixels() * if self.guided { 2.0 } else { 1.0 }
    }

    /// Whether a step of both costs the same.
    fn like(&self, other: &Self) -> bool {
        self.near(other)
            && self.precision == other.precision
            && self.sampler == other.sampler
            && (self.width, self.height, self.guided) == (other.width, other.height, other.guided)
    }

    /// Whether one can be told from the other by proportion.
    fn near(&self, other: &Self) -> bool {
        self.model == other.model && self.device == other.device
    }
}

fn precision(precision: Precision) -> &'static str {
    match precision {
        Precision::Fp32 => "fp32",
        Precision::Bf16 => "bf16",
        Precision::Fp16 => "fp16",
    }
}

/// How much is remembered.
const REMEMBERED: usize = 400;
/// How many of the latest measurements count.
const MEAN_OVER: usize = 5;

/// Measurements, the latest first.
#[derive(Debug, Default)]
pub(crate) struct Speeds {
    measured: VecDeque<Measured>,
}

/// What a picture takes, in seconds, with its model in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seconds {
    /// A step.
    pub step: f64,
    /// Everything before the first step.
    pub before: f64,
    /// Everything after the last step: decoding and writing.
    pub after: f64,
}

impl Seconds {
    /// The whole picture.
    pub(crate) fn total(&self, steps: u32) -> f64 {
        self.before + self.step * f64::from(steps) + self.after
    }
}

impl Speeds {
    /// Takes note of a picture.
    pub(crate) fn add(&mut self, measured: Measured) {
        self.measured.push_front(measured);
        self.measured.truncate(REMEMBERED);
    }

    /// Takes note of pictures, the latest first, that the library remembers.
    pub(crate) fn remember(&mut self, timings: impl IntoIterator<Item = String>) {
        let read = timings.into_iter().filter_map(|text| serde_json::from_str(&text).ok());
        self.measured.extend(read);
        self.measured.truncate(REMEMBERED);
    }

    /// The device that was measured last.
    pub(crate) fn last_device(&self) -> Option<String> {
        self.measured.front().map(|measured| measured.work.device.clone())
    }

    /// What a picture will take; `None` while nothing comparable was measured.
    pub(crate) fn expect(&self, work: &Work) -> Option<Seconds> {
        let usable = || self.measured.iter().filter(|m| m.work.steps > 0 && m.total > 0.0);
        let like: Vec<_> = usable().filter(|m| m.work.like(work)).take(MEAN_OVER).collect();
        let chosen = if like.is_empty() {
            usable().filter(|m| m.work.near(work)).take(MEAN_OVER).collect()
        } else {
            like
        };
        let count = chosen.len() as f64;
        let mean = |of: &dyn Fn(&Measured) -> f64| {
            (!chosen.is_empty()).then(|| chosen.iter().map(|m| of(m)).sum::<f64>() / count)
        };
        Some(Seconds {
            step: mean(&|m| m.sample / f64::from(m.work.steps) * work.step() / m.work.step().max(1.0))?,
            before: mean(&|m| m.encode)?,
            after: mean(&|m| {
                (m.total - m.load - m.encode - m.sample).max(0.0) * work.pixels() / m.work.pixels().max(1.0)
            })?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(width: u32, steps: u32, guided: bool) -> Work {
        Work {
            model: "m".to_owned(),
            device: "cpu".to_owned(),
            width,
            height: 512,
            steps,
            guided,
            ..Work::default()
        }
    }

    fn measured(work: Work, sample: f64) -> Measured {
        Measured { work, load: 9.0, encode: 1.0, sample, decode: 2.0, total: sample + 13.0 }
    }

    #[test]
    fn expectations_come_from_the_nearest_measurements() {
        let mut speeds = Speeds::default();
        assert_eq!(speeds.expect(&work(512, 20, true)), None);
        speeds.add(measured(work(512, 10, true), 20.0));
        let check = |speeds: &Speeds, work: &Work, expected: Option<f64>| {
            assert_eq!(speeds.expect(work).map(|s| s.total(work.steps)), expected, "{work:?}");
        };
        // 2 s a step, 1 s before, 3 s after.
        check(&speeds, &work(512, 20, true), Some(44.0));
        // Half the pixels, half of everything but the prompts.
        check(&speeds, &work(256, 20, true), Some(22.5));
        check(&speeds, &work(512, 20, false), Some(24.0));
        check(&speeds, &Work { model: "n".to_owned(), ..work(512, 20, true) }, None);
        check(&speeds, &Work { device: "cuda:0".to_owned(), ..work(512, 20, true) }, None);
        // What is alike comes first, however old.
        speeds.add(measured(work(256, 10, true), 30.0));
        check(&speeds, &work(512, 20, true), Some(44.0));
        check(&speeds, &work(256, 10, true), Some(34.0));
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        let mut speeds = Speeds::default();
        let good = serde_json::to_string(&measured(work(512, 10, true), 20.0)).unwrap();
        speeds.remember(["{}".to_owned(), "nonsense".to_owned(), good]);
        assert!(speeds.expect(&work(512, 10, true)).is_some());
    }
}
