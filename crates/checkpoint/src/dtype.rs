//! Element types of stored tensors.

use std::fmt;

/// Element type of a stored tensor. Model weights are [`Self::F16`], [`Self::BF16`], [`Self::F32`] or, rarely,
/// [`Self::F64`]; the others occur in tensors that no network reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // The names are the format's own.
pub enum Dtype {
    Bool,
    U8,
    I8,
    F8E4M3,
    F8E5M2,
    U16,
    I16,
    F16,
    BF16,
    U32,
    I32,
    F32,
    U64,
    I64,
    F64,
}

impl Dtype {
    const ALL: [(Self, &'static str, usize); 15] = [
        (Self::Bool, "BOOL", 1),
        (Self::U8, "U8", 1),
        (Self::I8, "I8", 1),
        (Self::F8E4M3, "F8_E4M3", 1),
        (Self::F8E5M2, "F8_E5M2", 1),
        (Self::U16, "U16", 2),
        (Self::I16, "I16", 2),
        (Self::F16, "F16", 2),
        (Self::BF16, "BF16", 2),
        (Self::U32, "U32", 4),
        (Self::I32, "I32", 4),
        (Self::F32, "F32", 4),
        (Self::U64, "U64", 8),
        (Self::I64, "I64", 8),
        (Self::F64, "F64", 8),
    ];

    /// From the name in a safetensors header, "BF16".
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(dtype, ..)| *dtype)
    }

    /// The name in a safetensors header.
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        self.entry().2
    }

    /// Whether networks can be loaded from it.
    pub fn is_weight(self) -> bool {
        matches!(self, Self::F16 | Self::BF16 | Self::F32 | Self::F64)
    }

    fn entry(self) -> (Self, &'static str, usize) {
        Self::ALL.iter().copied().find(|(dtype, ..)| *dtype == self).unwrap_or((self, "unknown", 1))
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl serde::Serialize for Dtype {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
