//! Which device renders, as people write it: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A device by name, or the best one there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DeviceChoice {
    /// The first GPU that works, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device of this number, counted from 0.
    Cuda(u32),
    /// Apple's Metal.
    Mps,
}

/// Text that names no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no device: use `auto`, `cpu`, `cuda:N` or `mps`")]
pub struct ParseDeviceError(pub String);

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

impl FromStr for DeviceChoice {
    type Err = ParseDeviceError;

    fn from_str(text: &str) -> Result<Self, ParseDeviceError> {
        let wrong = || ParseDeviceError(text.to_owned());
        match text.trim().to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "mps" | "metal" => Ok(Self::Mps),
            "cuda" => Ok(Self::Cuda(0)),
            other => {
                let number = other.strip_prefix("cuda:").ok_or_else(wrong)?;
                number.parse().map(Self::Cuda).map_err(|_| wrong())
            }
        }
    }
}

impl Serialize for DeviceChoice {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceChoice {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_people_write_them() {
        let check = |text: &str, expected: Option<DeviceChoice>| {
            assert_eq!(text.parse::<DeviceChoice>().ok(), expected, "{text}");
        };
        check("auto", Some(DeviceChoice::Auto));
        check("CPU", Some(DeviceChoice::Cpu));
        check("cuda", Some(DeviceChoice::Cuda(0)));
        check("cuda:3", Some(DeviceChoice::Cuda(3)));
        check("mps", Some(DeviceChoice::Mps));
        check("cuda:", None);
        check("cuda:-1", None);
        check("gpu", None);
        check("", None);
        assert_eq!(DeviceChoice::Cuda(2).to_string(), "cuda:2");
    }
}
