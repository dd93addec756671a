//! Which jobs a device takes at once: of one kind, and as many as memory allows.

use std::fs::Metadata;
use std::path::Path;

use tarim_library::{Fit, Job};
use tarim_recipe::{Precision, Recipe, Sampler, Schedule, Size};
use tarim_render::{DeviceChoice, DeviceInfo};

use super::device::DeviceLane;

/// The most pictures that a device takes at once unless somebody says otherwise. Beyond this a GPU gains little, and the
/// first picture comes late.
const MOST: u32 = 8;
/// Memory that a step takes for a pixel of a picture, both passes of guidance, in float16: 0.8 GB for 512x512. Taken from
/// the widths of Stable Diffusion's networks and rounded up; what is too much all the same is halved when it runs out.
const BYTES_A_PIXEL: u64 = 3 << 10;
/// The same for decoding, which pictures do one after another.
const DECODING_BYTES_A_PIXEL: u64 = 5 << 10;
/// What a device needs for itself.
const RESERVE: u64 = 1 << 30;

/// What jobs must agree in to share calls of the network.
#[derive(PartialEq)]
struct Kind {
    size: Size,
    sampler: Sampler,
    schedule: Schedule,
    steps: u32,
    eta: Option<u64>,
    strength: Option<u64>,
    precision: Precision,
}

impl Kind {
    fn of(recipe: &Recipe) -> Self {
        Self {
            size: recipe.size,
            sampler: recipe.sampler,
            schedule: recipe.schedule,
            steps: recipe.steps,
            eta: recipe.eta.map(f64::to_bits),
            strength: recipe.init.as_ref().map(|init| init.strength.to_bits()),
            precision: recipe.precision,
        }
    }
}

/// Chooses jobs that go along with the first.
pub(super) struct Together<'a> {
    lane: &'a DeviceLane,
    /// How many at most, whatever they are.
    most: u32,
    /// Of the first job, once it is known: its kind and how many of it fit.
    first: Option<(Kind, u32)>,
}

impl<'a> Together<'a> {
    pub(super) fn new(lane: &'a DeviceLane) -> Self {
        let chosen = lane.core.settings.get().pictures_at_once;
        // Before it has said what it is, the renderer gets one.
        let device = lane.slot.known(lane.slot.device);
        let most = device.map_or(1, |device| most(chosen, &device));
        Self { lane, most, first: None }
    }

    pub(super) fn fits(&mut self, chosen: &[Job], job: &Job) -> Fit {
        if chosen.len() >= self.most as usize {
            return Fit::Full;
        }
        if self.first.is_none() {
            let recipe =
                chosen.first().and_then(|first| Some((first, Recipe::from_json(&first.recipe).ok()?)));
            let Some((first, recipe)) = recipe else { return Fit::Full };
            self.first = Some((Kind::of(&recipe), self.allowed(&first.model_path, &recipe)));
        }
        let Some((kind, allowed)) = &self.first else { return Fit::Full };
        if chosen.len() >= *allowed as usize {
            return Fit::Full;
        }
        match Recipe::from_json(&job.recipe) {
            Ok(recipe) if Kind::of(&recipe) == *kind => Fit::Yes,
            _ => Fit::No,
        }
    }

    fn allowed(&self, model: &Path, recipe: &Recipe) -> u32 {
        let device = self.lane.slot.known(self.lane.slot.device);
        let by_memory = match device.filter(|device| matches!(device.id, DeviceChoice::Cuda(_))) {
            Some(device) => fitting(&device, recipe.size, recipe.precision, bytes_of(model)),
            None => u32::MAX,
        };
        let learnt = self.lane.limit(model.to_owned(), recipe.precision);
        learnt.allow(self.most.min(by_memory), recipe.size)
    }
}

/// How many pictures a device takes at once; `chosen` is what the settings say, 0 for what is best.
///
/// On a CPU more than one is slower: see `BENCHMARKS.md`, "Pictures at once".
fn most(chosen: u32, device: &DeviceInfo) -> u32 {
    match (chosen, device.id) {
        (0, DeviceChoice::Cuda(_)) => MOST,
        (0, _) => 1,
        (chosen, _) => chosen,
    }
}

/// How many pictures fit into the memory that is free beside the model.
fn fitting(device: &DeviceInfo, size: Size, precision: Precision, model: u64) -> u32 {
    let Some(free) = device.memory_free.or(device.memory) else { return 1 };
    let factor = if precision == Precision::Fp32 { 2 } else { 1 };
    let pixels = u64::from(size.width()) * u64::from(size.height());
    let taken = RESERVE + model + pixels * DECODING_BYTES_A_PIXEL * factor;
    let fitting = free.saturating_sub(taken) / (pixels * BYTES_A_PIXEL * factor).max(1);
    u32::try_from(fitting).unwrap_or(u32::MAX).max(1)
}

/// The size of a model's files.
fn bytes_of(model: &Path) -> u64 {
    let Ok(facts) = std::fs::metadata(model) else { return 0 };
    if !facts.is_dir() {
        return facts.len();
    }
    let entries = std::fs::read_dir(model).into_iter().flatten().flatten();
    entries
        // A model's folder has one level of folders with weights; nothing deeper counts, and no link leads astray.
        .map(|entry| {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                return entry.metadata().map_or(0, |facts| facts.len());
            }
            let files = std::fs::read_dir(entry.path()).into_iter().flatten().flatten();
            let facts = files.filter_map(|file| file.metadata().ok()).filter(Metadata::is_file);
            facts.map(|facts| facts.len()).sum()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: DeviceChoice, free: Option<u64>) -> DeviceInfo {
        let name = "it".to_owned();
        let preferred_precision = Precision::Fp16;
        DeviceInfo { id, name, memory: None, memory_free: free, preferred_precision, note: None }
    }

    #[test]
    fn memory_decides_how_many_go_together() {
        let check = |gigabytes: Option<u64>, side, precision, expected| {
            let device = device(DeviceChoice::Cuda(0), gigabytes.map(|g| g << 30));
            let size = Size::new(side, side).unwrap();
            assert_eq!(fitting(&device, size, precision, 2 << 30), expected, "{gigabytes:?} {side}");
        };
        check(None, 512, Precision::Fp16, 1);
        check(Some(4), 512, Precision::Fp16, 1);
        check(Some(8), 512, Precision::Fp16, 5);
        check(Some(8), 512, Precision::Fp32, 1);
        check(Some(24), 512, Precision::Fp16, 26);
        check(Some(24), 1024, Precision::Fp16, 5);
    }

    #[test]
    fn a_cpu_takes_one_unless_it_is_told_to_take_more() {
        assert_eq!(most(0, &device(DeviceChoice::Cpu, None)), 1);
        assert_eq!(most(4, &device(DeviceChoice::Cpu, None)), 4);
        assert_eq!(most(0, &device(DeviceChoice::Cuda(1), None)), MOST);
        assert_eq!(most(2, &device(DeviceChoice::Cuda(1), None)), 2);
    }
}
