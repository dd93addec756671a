//! A renderer for tests: draws at once, and does whatever goes wrong on demand.
//!
//! [`FakeRenderer`] implements the port inside the test's own process. [`run_as_program`] is the whole of a fake
//! renderer program, which speaks the messages on stdin and stdout; its script comes from [`SCRIPT_VARIABLE`].

mod play;
mod program;
mod renderer;

use std::collections::HashSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tarim_recipe::{Precision, Seed, Size};

use crate::device::DeviceChoice;
use crate::messages::{DeviceInfo, Failure, Hello, JobId, PROTOCOL, Rate, SelfTestReport};
use crate::pixels::{Channels, PixelShape, Pixels};

pub use program::{SCRIPT_VARIABLE, run_as_program};
pub use renderer::FakeRenderer;

/// How a fake renderer behaves. The default does everything right, at once.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Script {
    /// Speak another version of the messages.
    pub protocol: Option<u32>,
    /// Written to stderr before anything else.
    pub stderr: Vec<String>,
    /// Leave with this code instead of saying hello (program only).
    pub exit_at_start: Option<i32>,
    /// Wait before saying hello, in milliseconds (program only).
    pub hello_ms: u64,
    /// Time that loading the model takes, in milliseconds.
    pub load_ms: u64,
    /// Time that a step takes, in milliseconds, for all pictures of a call.
    pub step_ms: u64,
    /// Warnings that each job gives.
    pub warnings: Vec<String>,
    /// Each job fails with this.
    pub fail: Option<Failure>,
    /// Pictures of these seeds fail, by themselves.
    pub bad_seeds: Vec<u64>,
    /// More pictures than so many in a call are more than memory holds.
    pub most_together: Option<u32>,
    /// Something goes wrong in the middle.
    pub trouble: Option<Trouble>,
    /// The trouble happens only while this file does not exist, and makes it.
    pub trouble_once: Option<PathBuf>,
    /// Take no notice of a cancel.
    pub ignores_cancel: bool,
    /// Take no notice of a ping (program only).
    pub ignores_ping: bool,
    /// There is also a CUDA device, which prefers float16.
    pub has_cuda: bool,
}

/// Something that goes wrong after a step of a picture.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trouble {
    /// Which picture, from 0.
    pub picture: u32,
    /// After which step, from 1.
    pub step: u32,
    /// What happens.
    pub what: TroubleKind,
}

/// What can go wrong. Without a process of its own, a fake renderer fails the job with the matching code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TroubleKind {
    /// Leaves with this code.
    Exit(i32),
    /// Aborts, as a failed assertion in libtorch does.
    Abort,
    /// Aborts with an allocator's words.
    AllocationFailure,
    /// Is killed as the kernel does when memory runs out (Unix; elsewhere it aborts).
    Kill,
    /// Writes something that is no message.
    Garbage,
    /// Never goes on, and takes no notice of a cancel.
    Hang,
}

/// What was cancelled: pictures, or whole jobs.
#[derive(Default)]
struct Cancelled(HashSet<(JobId, Option<u32>)>);

impl Cancelled {
    /// No pictures are all pictures.
    fn add(&mut self, job: JobId, pictures: &[u32]) {
        if pictures.is_empty() {
            self.0.insert((job, None));
        }
        self.0.extend(pictures.iter().map(|picture| (job, Some(*picture))));
    }

    fn has(&self, job: JobId, picture: Option<u32>) -> bool {
        self.0.contains(&(job, None)) || self.0.contains(&(job, picture))
    }
}

/// The picture that a fake renderer makes of a seed and a size: gradients, different for each seed.
pub fn picture(seed: Seed, size: Size) -> Pixels {
    drawn(seed, size.width(), size.height())
}

fn drawn(seed: Seed, width: u32, height: u32) -> Pixels {
    let [red, green, blue, ..] = seed.0.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
    let shape = PixelShape { width, height, channels: Channels::Rgb };
    let row = |y: u32| {
        (0..width).flat_map(move |x| {
            [(x as u8).wrapping_add(red), (y as u8).wrapping_add(green), ((x ^ y) as u8).wrapping_add(blue)]
        })
    };
    let bytes: Vec<u8> = (0..height).flat_map(row).collect();
    #[expect(clippy::expect_used, reason = "as many bytes as the shape says were just made")]
    Pixels::new(shape, bytes).expect("bytes fit their shape")
}

fn hello(script: &Script) -> Hello {
    let cpu = DeviceInfo {
        id: DeviceChoice::Cpu,
        name: "Fake CPU".to_owned(),
        memory: Some(8 << 30),
        memory_free: Some(4 << 30),
        preferred_precision: Precision::Fp32,
        note: None,
    };
    let cuda = DeviceInfo {
        id: DeviceChoice::Cuda(0),
        name: "Fake GPU".to_owned(),
        memory: Some(24 << 30),
        memory_free: Some(20 << 30),
        preferred_precision: Precision::Fp16,
        note: None,
    };
    let devices = if script.has_cuda { vec![cuda, cpu] } else { vec![cpu] };
    Hello {
        protocol: script.protocol.unwrap_or(PROTOCOL),
        renderer_version: "fake".to_owned(),
        libtorch: "none".to_owned(),
        devices,
        notes: Vec::new(),
    }
}

fn self_test() -> SelfTestReport {
    let rate = |precision, gflops| Rate { precision, matmul_gflops: gflops, conv_gflops: gflops / 2.0 };
    SelfTestReport {
        rates: vec![rate(Precision::Fp32, 100.0), rate(Precision::Bf16, 200.0)],
        threads: 2,
        memory_free: Some(4 << 30),
    }
}
