//! What this process can render on.

use std::fs;
use std::path::Path;

use tarim_diffusion::device::{
    DeviceChoice as Choice, LIBTORCH_VERSION, cuda_devices, cuda_facts, libtorch_version, select, self_test,
};
use tarim_recipe::Precision;
use tarim_render::messages::PROTOCOL;
use tarim_render::{DeviceChoice, DeviceInfo, Failure, Hello, Rate, SelfTestReport};

use crate::failure;

/// The error says which libtorch there is and which there should be.
pub(crate) fn check_libtorch() -> Result<(), String> {
    match libtorch_version() {
        Some(version) if version == LIBTORCH_VERSION => Ok(()),
        Some(version) => Err(format!("it is {version}, and {LIBTORCH_VERSION} is needed")),
        None => Err(format!("it does not tell its version, and {LIBTORCH_VERSION} is needed")),
    }
}

pub(crate) fn hello() -> Hello {
    let mut devices = Vec::new();
    let mut notes = Vec::new();
    match cuda_devices() {
        Ok(count) => devices.extend((0..count).map(cuda)),
        Err(reason) => notes.push(format!("CUDA is not used: {reason}")),
    }
    if select(Choice::Mps, None).is_ok() {
        devices.push(device(DeviceChoice::Mps, "Metal".to_owned(), memory_total(), memory_free()));
    }
    devices.push(device(DeviceChoice::Cpu, cpu_name(), memory_total(), memory_free()));
    Hello {
        protocol: PROTOCOL,
        renderer_version: env!("CARGO_PKG_VERSION").to_owned(),
        libtorch: libtorch_version().unwrap_or_default(),
        devices,
        notes,
    }
}

fn device(id: DeviceChoice, name: String, memory: Option<u64>, free: Option<u64>) -> DeviceInfo {
    // float32 is what every device can do.
    let preferred_precision =
        select(choice(id), None).map_or(Precision::Fp32, |selected| selected.precision());
    DeviceInfo { id, name, memory, memory_free: free, preferred_precision, note: None }
}

fn cuda(number: usize) -> DeviceInfo {
    let facts = cuda_facts(number);
    let name = facts.name.unwrap_or_else(|| format!("CUDA device {number}"));
    device(DeviceChoice::Cuda(number as u32), name, facts.memory, facts.free)
}

/// The diffusion crate's word for a device.
pub(crate) fn choice(device: DeviceChoice) -> Choice {
    match device {
        DeviceChoice::Auto => Choice::Auto,
        DeviceChoice::Cpu => Choice::Cpu,
        DeviceChoice::Cuda(number) => Choice::Cuda(number as usize),
        DeviceChoice::Mps => Choice::Mps,
    }
}

/// Measures a device in float32 and in what it prefers.
pub(crate) fn measure(device: DeviceChoice) -> Result<SelfTestReport, Failure> {
    let preferred = match device {
        DeviceChoice::Cuda(_) => Precision::Fp16,
        _ => Precision::Bf16,
    };
    let mut rates = Vec::new();
    for precision in [Precision::Fp32, preferred] {
        let selected =
            select(choice(device), Some(precision)).map_err(|error| failure::of_diffusion(&error))?;
        match self_test(selected.device, selected.kind) {
            Ok(rate) => rates.push(Rate {
                precision,
                matmul_gflops: rate.matmul_gflops,
                conv_gflops: rate.conv_gflops,
            }),
            // A device need not know every type, but all know float32.
            Err(error) if precision == Precision::Fp32 => return Err(failure::of_diffusion(&error)),
            Err(_) => {}
        }
    }
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
    Ok(SelfTestReport { rates, threads, memory_free: memory_free() })
}

/// The value of `key` in a text of `key   : value` lines.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim())
    })
}

fn cpu_name() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    value(&text, "model name").unwrap_or("CPU").to_owned()
}

/// Bytes of a line of `/proc/meminfo` (Linux).
fn meminfo(key: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let kibibytes: u64 = value(&text, key)?.strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// A number of the control group that a container's processes are in (Linux).
fn group(file: &str) -> Option<u64> {
    fs::read_to_string(Path::new("/sys/fs/cgroup").join(file)).ok()?.trim().parse().ok()
}

/// The machine's memory, or the container's where that is less.
fn memory_total() -> Option<u64> {
    let total = meminfo("MemTotal")?;
    Some(group("memory.max").map_or(total, |limit| limit.min(total)))
}

fn memory_free() -> Option<u64> {
    let free = meminfo("MemAvailable")?;
    let left =
        group("memory.max").zip(group("memory.current")).map(|(limit, used)| limit.saturating_sub(used));
    Some(left.map_or(free, |left| left.min(free)))
}
