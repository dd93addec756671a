//! Values of stored elements, and the search for those that are not numbers.

use crate::dtype::Dtype;
use crate::weights::{TensorView, Weights};

/// How much of each tensor to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thoroughness {
    /// About this many elements, evenly spread: finds tensors that are NaN as a whole (the usual damage, from a merge
    /// or a training run that diverged) at the cost of one page each per element.
    Sample(usize),
    /// Every element: reads the whole file.
    All,
}

/// A tensor with elements that are NaN or infinite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFinite {
    /// Its name.
    pub name: String,
    /// NaN among the elements looked at.
    pub nan: usize,
    /// Infinities among the elements looked at.
    pub infinite: usize,
    /// Elements looked at.
    pub looked_at: usize,
}

impl Weights {
    /// Tensors with NaN or infinite elements, by name. Tensors of other than weight types are passed over.
    pub fn not_finite(&self, thoroughness: Thoroughness) -> Vec<NotFinite> {
        self.iter().filter_map(|(name, view)| check(name, &view, thoroughness)).collect()
    }
}

fn check(name: &str, view: &TensorView<'_>, thoroughness: Thoroughness) -> Option<NotFinite> {
    if !view.dtype.is_weight() || view.is_empty() {
        return None;
    }
    let step = match thoroughness {
        Thoroughness::All => 1,
        Thoroughness::Sample(count) => (view.len() / count.max(1)).max(1),
    };
    let mut found = NotFinite { name: name.to_owned(), nan: 0, infinite: 0, looked_at: 0 };
    for bytes in view.bytes.chunks_exact(view.dtype.size()).step_by(step) {
        let value = value(view.dtype, bytes);
        found.looked_at += 1;
        found.nan += usize::from(value.is_nan());
        found.infinite += usize::from(value.is_infinite());
    }
    (found.nan + found.infinite > 0).then_some(found)
}

/// One element, little-endian, as float64; 0 for types that are not weights'.
pub(crate) fn value(dtype: Dtype, bytes: &[u8]) -> f64 {
    match (dtype, bytes) {
        (Dtype::F16, &[a, b]) => half_to_f64(u16::from_le_bytes([a, b])),
        (Dtype::BF16, &[a, b]) => f64::from(f32::from_le_bytes([0, 0, a, b])),
        (Dtype::F32, &[a, b, c, d]) => f64::from(f32::from_le_bytes([a, b, c, d])),
        (Dtype::F64, &[a, b, c, d, e, f, g, h]) => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => 0.0,
    }
}

/// IEEE 754 binary16.
fn half_to_f64(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    sign * match exponent {
        0 => fraction * 2f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2f64.powi(exponent - 15),
    }
}
