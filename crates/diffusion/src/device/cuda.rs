//! What NVIDIA's driver says of a device, asked without beginning to use it.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

use libloading::Library;

/// A CUDA device, as far as its driver tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CudaFacts {
    /// Its maker's name for it.
    pub name: Option<String>,
    /// Its memory in bytes.
    pub memory: Option<u64>,
    /// How much of that is free, over all programs.
    pub free: Option<u64>,
}

type Text = unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int;
type Find = unsafe extern "C" fn(*const c_char, *mut *mut c_void) -> c_int;
type Ask = unsafe extern "C" fn(*mut c_void, *mut Memory) -> c_int;

/// Long enough for every name of a device and every place on a bus.
const TEXT: usize = 256;

/// Asks about the CUDA device of this number, in CUDA's own order. What cannot be told is left out.
pub fn facts(number: usize) -> CudaFacts {
    let Ok(number) = c_int::try_from(number) else { return CudaFacts::default() };
    driver(number).unwrap_or_default()
}

/// `nvmlMemory_t`.
#[repr(C)]
#[derive(Default)]
struct Memory {
    total: u64,
    free: u64,
    used: u64,
}

fn text(bytes: &[c_char; TEXT]) -> Option<String> {
    let bytes = bytes.map(|c| c.to_ne_bytes()[0]);
    Some(CStr::from_bytes_until_nul(&bytes).ok()?.to_string_lossy().into_owned())
}

/// The driver knows devices in CUDA's order, and where on the bus each is.
#[allow(unsafe_code)]
fn driver(number: c_int) -> Option<CudaFacts> {
    let library = if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" };
    let (mut name, mut bus) = ([0; TEXT], [0; TEXT]);
    let mut memory = 0_usize;
    // SAFETY: the driver's functions with the signatures of `cuda.h`; each writes into a buffer of at least the length
    // that it is told, or into one value, all of which live until it returns. None keeps a pointer.
    let (named, measured, placed) = unsafe {
        let driver = Library::new(library).ok()?;
        let begin = driver.get::<unsafe extern "C" fn(c_uint) -> c_int>(b"cuInit\0").ok()?;
        let get = driver.get::<unsafe extern "C" fn(*mut c_int, c_int) -> c_int>(b"cuDeviceGet\0").ok()?;
        let mut device = 0;
        if begin(0) != 0 || get(&raw mut device, number) != 0 {
            return None;
        }
        let get_name = driver.get::<Text>(b"cuDeviceGetName\0").ok()?;
        let get_bus = driver.get::<Text>(b"cuDeviceGetPCIBusId\0").ok()?;
        let total =
            driver.get::<unsafe extern "C" fn(*mut usize, c_int) -> c_int>(b"cuDeviceTotalMem_v2\0").ok()?;
        (
            get_name(name.as_mut_ptr(), TEXT as c_int, device) == 0,
            total(&raw mut memory, device) == 0,
            get_bus(bus.as_mut_ptr(), TEXT as c_int, device) == 0,
        )
    };
    Some(CudaFacts {
        name: named.then(|| text(&name)).flatten(),
        memory: measured.then_some(memory as u64),
        free: if placed { free(&bus) } else { None },
    })
}

/// The driver's management library knows what is free without making a context, which would itself take memory.
#[allow(unsafe_code)]
fn free(bus: &[c_char; TEXT]) -> Option<u64> {
    let library = if cfg!(windows) { "nvml.dll" } else { "libnvidia-ml.so.1" };
    let mut memory = Memory::default();
    // SAFETY: the library's functions with the signatures of `nvml.h`; `bus` ends with a zero, and what is written to
    // lives until each returns.
    unsafe {
        let library = Library::new(library).ok()?;
        let begin = library.get::<unsafe extern "C" fn() -> c_int>(b"nvmlInit_v2\0").ok()?;
        let find = library.get::<Find>(b"nvmlDeviceGetHandleByPciBusId_v2\0").ok()?;
        let ask = library.get::<Ask>(b"nvmlDeviceGetMemoryInfo\0").ok()?;
        let end = library.get::<unsafe extern "C" fn() -> c_int>(b"nvmlShutdown\0").ok()?;
        if begin() != 0 {
            return None;
        }
        let mut device = std::ptr::null_mut();
        let known = find(bus.as_ptr(), &raw mut device) == 0 && ask(device, &raw mut memory) == 0;
        end();
        known.then_some(memory.free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_there_has_no_facts() {
        assert_eq!(facts(4096), CudaFacts::default());
    }
}
