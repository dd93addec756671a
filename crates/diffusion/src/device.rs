//! Which device computes, in which type, and how fast it is.
//!
//! libtorch is chosen by whoever starts the process: `LD_LIBRARY_PATH` (Linux), `DYLD_LIBRARY_PATH` (macOS) or `PATH`
//! (Windows) names its `lib` folder. The CUDA part of libtorch is not linked but opened here when there is a driver
//! for it, because linkers drop a library whose symbols nobody names.

use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use tarim_recipe::Precision;
use tch::{Cuda, Device, Kind, Tensor};

use crate::error::{DiffusionError, Doing, Result};

mod cuda;

pub use cuda::{CudaFacts, facts as cuda_facts};

/// The libtorch release that this crate is built against: other releases have another binary interface.
pub const LIBTORCH_VERSION: &str = "2.11.0";

/// The device that a user asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DeviceChoice {
    /// The first CUDA device where there is one, else Metal, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device of this number.
    Cuda(usize),
    /// Apple's Metal.
    Mps,
}

impl FromStr for DeviceChoice {
    type Err = DiffusionError;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim().to_ascii_lowercase();
        match text.as_str() {
            "auto" => return Ok(Self::Auto),
            "cpu" => return Ok(Self::Cpu),
            "cuda" => return Ok(Self::Cuda(0)),
            "mps" => return Ok(Self::Mps),
            _ => {}
        }
        text.strip_prefix("cuda:").and_then(|number| number.parse().ok()).map(Self::Cuda).ok_or_else(|| {
            DiffusionError::Device(format!("unknown device `{text}`; use auto, cpu, cuda, cuda:N or mps"))
        })
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::Mps => f.write_str("mps"),
        }
    }
}

/// What [`select`] settled on.
#[derive(Clone, Debug)]
pub struct Selected {
    /// Where the networks live.
    pub device: Device,
    /// What they compute in: `Float`, `BFloat16` or `Half`.
    pub kind: Kind,
    /// Lines for the user, such as why the CPU was taken. Never more than one per decision.
    pub notes: Vec<String>,
}

impl Selected {
    /// The type, as recipes name it.
    pub fn precision(&self) -> Precision {
        match self.kind {
            Kind::Half => Precision::Fp16,
            Kind::BFloat16 => Precision::Bf16,
            _ => Precision::Fp32,
        }
    }
}

/// Settles on a device and a type; no precision means what the device does well: on the CPU bfloat16 where
/// [`cpu_prefers_bfloat16`], else float32; on CUDA float16.
///
/// Must run before anything else asks libtorch about CUDA in this process: libtorch remembers its first answer.
///
/// # Errors
/// [`DiffusionError::Device`] when a device or type was asked for by name and cannot be had. `Auto` always finds one.
pub fn select(device: DeviceChoice, precision: Option<Precision>) -> Result<Selected> {
    let mut notes = Vec::new();
    let device = match device {
        DeviceChoice::Cpu => Device::Cpu,
        DeviceChoice::Mps => {
            if !tch::utils::has_mps() {
                return Err(DiffusionError::Device("this libtorch has no Metal support".into()));
            }
            Device::Mps
        }
        DeviceChoice::Cuda(number) => match cuda_devices() {
            Ok(count) if number < count => Device::Cuda(number),
            Ok(count) => {
                return Err(DiffusionError::Device(format!(
                    "there is no CUDA device {number}: found {count}, numbered from 0"
                )));
            }
            Err(reason) => return Err(DiffusionError::Device(format!("CUDA cannot be used: {reason}"))),
        },
        DeviceChoice::Auto => match cuda_devices() {
            Ok(_) => Device::Cuda(0),
            Err(_) if tch::utils::has_mps() => Device::Mps,
            Err(reason) => {
                notes.push(format!("using the CPU: {reason}"));
                Device::Cpu
            }
        },
    };
    let kind = match (precision, device) {
        (Some(Precision::Fp16), Device::Cpu) => {
            return Err(DiffusionError::Device(
                "float16 is unusably slow on a CPU; choose bf16, fp32 or auto".into(),
            ));
        }
        (Some(Precision::Fp16), _) | (None, Device::Cuda(_)) => Kind::Half,
        (Some(Precision::Bf16), _) => Kind::BFloat16,
        (None, Device::Cpu) if cpu_prefers_bfloat16() => Kind::BFloat16,
        // Without a wish on Metal too: its half types are untested here.
        (Some(Precision::Fp32) | None, _) => Kind::Float,
    };
    Ok(Selected { device, kind, notes })
}

/// Whether this CPU multiplies bfloat16 matrices in hardware (AVX512-BF16, which every CPU with AMX has too).
///
/// Measured on Zen 4: twice the rate of float32. Without the instructions oneDNN converts to float32 and back, slower
/// than float32 itself. ARM's `bf16` is left out until it has been measured.
pub fn cpu_prefers_bfloat16() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx512bf16")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// Opens CUDA's part of libtorch and counts the devices (one or more), or says in a phrase why there are none.
pub fn cuda_devices() -> Result<usize, String> {
    if cfg!(target_os = "macos") {
        return Err("CUDA does not exist on macOS".into());
    }
    // The driver first: it is small to open, while libtorch_cuda is a gigabyte of code.
    let (driver, library) =
        if cfg!(windows) { ("nvcuda.dll", "torch_cuda.dll") } else { ("libcuda.so.1", "libtorch_cuda.so") };
    open(driver).map_err(|_| format!("no NVIDIA driver was found ({driver})"))?;
    open(library).map_err(|error| match error {
        Missing::NotThere => format!("this libtorch is a CPU build ({library} is not beside it)"),
        Missing::Broken(why) => format!("{library} cannot be opened: {why}"),
    })?;
    if !Cuda::is_available() {
        return Err("libtorch finds no usable CUDA device (is the driver recent enough?)".into());
    }
    usize::try_from(Cuda::device_count())
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| "libtorch counts no CUDA device".into())
}

enum Missing {
    NotThere,
    Broken(String),
}

/// Opens a library by name for as long as the process lives.
#[allow(unsafe_code)]
fn open(name: &str) -> Result<(), Missing> {
    // SAFETY: the libraries opened here are NVIDIA's driver and a part of the libtorch that this process already runs;
    // their initialisers register kernels and are made to be run by an open at run time.
    let library = unsafe { libloading::Library::new(name) }.map_err(|error| {
        let mut why = error.to_string();
        if let Some(source) = std::error::Error::source(&error) {
            why = format!("{why}: {source}");
        }
        if why.starts_with(name) || why.contains(&format!("{name}: cannot open")) {
            Missing::NotThere
        } else {
            Missing::Broken(why)
        }
    })?;
    // Closing it again would take registered kernels away from under libtorch.
    std::mem::forget(library);
    Ok(())
}

/// Version of the libtorch that this process runs, for example `2.11.0`; `None` where it cannot be asked
/// (releases before 2.9 do not export the question).
pub fn libtorch_version() -> Option<String> {
    let packed = abi_version()?;
    let byte = |shift: u32| (packed >> shift) & 0xff;
    Some(format!("{}.{}.{}", byte(56), byte(48), byte(40)))
}

/// `aoti_torch_abi_version` of libtorch's stable C interface: major, minor and patch in the upper three bytes.
#[cfg(unix)]
#[allow(unsafe_code)]
fn abi_version() -> Option<u64> {
    let process = libloading::os::unix::Library::this();
    // SAFETY: the symbol, where it exists, is libtorch's function of exactly this signature without side effects
    // (torch/csrc/inductor/aoti_torch/c/shim.h).
    unsafe {
        let version = process.get::<unsafe extern "C" fn() -> u64>(b"aoti_torch_abi_version\0").ok()?;
        Some(version())
    }
}

#[cfg(windows)]
#[allow(unsafe_code)]
fn abi_version() -> Option<u64> {
    let library = libloading::os::windows::Library::open_already_loaded("torch_cpu.dll").ok()?;
    // SAFETY: as on unix.
    unsafe {
        let version = library.get::<unsafe extern "C" fn() -> u64>(b"aoti_torch_abi_version\0").ok()?;
        Some(version())
    }
}

/// What [`self_test`] measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SelfTest {
    /// Rate of a 2048×640 by 640×2560 matrix product, in GFLOP/s (2 operations a multiply-add).
    pub matmul_gflops: f64,
    /// Rate of a 3×3 convolution of 320 channels over 2×64×64, in GFLOP/s.
    pub conv_gflops: f64,
}

/// Computes with the device for about half a second, checks the result, and tells its rates.
///
/// # Errors
/// [`DiffusionError::NotFinite`] when the device computes nonsense, else what libtorch reports.
pub fn self_test(device: Device, kind: Kind) -> Result<SelfTest> {
    const DOING: &str = "testing the device";
    let _no_grad = tch::no_grad_guard();
    let filled = |shape: &[i64]| Tensor::f_full(shape, 0.01, (kind, device));
    let rate = |flop: f64, run: &dyn Fn() -> std::result::Result<Tensor, tch::TchError>| -> Result<f64> {
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let start = Instant::now();
            // Reading one number makes an asynchronous device finish.
            let sum =
                run().and_then(|t| t.f_mean(Kind::Float)).and_then(|t| t.f_double_value(&[])).doing(DOING)?;
            if !sum.is_finite() {
                return Err(DiffusionError::NotFinite { what: "the device's self-test" });
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        Ok(flop / best / 1e9)
    };
    let (a, b) = (filled(&[2048, 640]).doing(DOING)?, filled(&[640, 2560]).doing(DOING)?);
    let matmul_gflops = rate(2.0 * 2048.0 * 640.0 * 2560.0, &|| a.f_matmul(&b))?;
    let x = crate::nets::layout::for_device(&filled(&[2, 320, 64, 64]).doing(DOING)?, device).doing(DOING)?;
    let w = crate::nets::layout::for_device(&filled(&[320, 320, 3, 3]).doing(DOING)?, device).doing(DOING)?;
    let conv_gflops = rate(2.0 * 2.0 * 4096.0 * 320.0 * 320.0 * 9.0, &|| {
        x.f_conv2d(&w, None::<&Tensor>, [1, 1], [1, 1], [1, 1], 1)
    })?;
    Ok(SelfTest { matmul_gflops, conv_gflops })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        let check = |text: &str, expected: Option<(DeviceChoice, &str)>| {
            let found = text.parse::<DeviceChoice>().ok();
            assert_eq!(found, expected.map(|(choice, _)| choice), "{text}");
            if let (Some(found), Some((_, shown))) = (found, expected) {
                assert_eq!(found.to_string(), shown);
            }
        };
        check("auto", Some((DeviceChoice::Auto, "auto")));
        check("CPU", Some((DeviceChoice::Cpu, "cpu")));
        check("cuda", Some((DeviceChoice::Cuda(0), "cuda:0")));
        check("cuda:3", Some((DeviceChoice::Cuda(3), "cuda:3")));
        check("cuda:x", None);
        check("gpu", None);
    }

    #[test]
    fn the_linked_libtorch_is_the_expected_one() {
        assert_eq!(libtorch_version().as_deref(), Some(LIBTORCH_VERSION));
    }

    #[test]
    fn auto_always_finds_a_device_and_says_why_it_is_the_cpu() {
        let selected = select(DeviceChoice::Auto, None).unwrap();
        assert_eq!(selected.notes.is_empty(), selected.device != Device::Cpu);
        let on_cpu = select(DeviceChoice::Cpu, None).unwrap();
        assert_eq!(on_cpu.kind == Kind::BFloat16, cpu_prefers_bfloat16());
        assert!(matches!(select(DeviceChoice::Cpu, Some(Precision::Fp16)), Err(DiffusionError::Device(_))));
        assert!(matches!(select(DeviceChoice::Cuda(99), None), Err(DiffusionError::Device(_))));
    }

    #[test]
    fn a_missing_library_is_told_from_a_broken_one() {
        assert!(matches!(open("libtarim_no_such_library.so"), Err(Missing::NotThere)));
    }

    #[test]
    fn the_self_test_measures() {
        let rates = self_test(Device::Cpu, Kind::Float).unwrap();
        assert!(rates.matmul_gflops > 0.0 && rates.conv_gflops > 0.0, "{rates:?}");
    }
}
