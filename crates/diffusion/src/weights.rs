//! From memory-mapped weights to tensors on a device.

use std::fmt::Display;

use tarim_checkpoint::{Dtype, TensorView, Weights};
use tch::{Device, Kind, TchError, Tensor};

use crate::error::{DiffusionError, Doing, Result};

/// A place in a tree of named weights, with the device and type that its tensors are wanted in.
///
/// Each tensor goes from the file's pages to its destination in one conversion; the pages are given back afterwards, so
/// that the peak of memory stays near the weights' own size.
#[derive(Clone)]
pub(crate) struct Loader<'a> {
    weights: &'a Weights,
    /// Name so far, with a dot at its end unless empty.
    prefix: String,
    part: &'static str,
    device: Device,
    kind: Kind,
}

impl<'a> Loader<'a> {
    /// The root; `part` ("UNet") is for messages.
    pub(crate) fn new(part: &'static str, weights: &'a Weights, device: Device, kind: Kind) -> Self {
        Self { weights, prefix: String::new(), part, device, kind }
    }

    /// The place below by this name or number.
    pub(crate) fn sub(&self, name: impl Display) -> Self {
        Self { prefix: format!("{}{name}.", self.prefix), ..self.clone() }
    }

    pub(crate) fn device(&self) -> Device {
        self.device
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// An error about this place's configuration.
    pub(crate) fn unsupported(&self, problem: &str) -> DiffusionError {
        DiffusionError::Unsupported {
            part: self.part,
            problem: format!("{}: {problem}", self.prefix.trim_end_matches('.')),
        }
    }

    /// The tensor of this name, of this very shape.
    pub(crate) fn tensor(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        self.reshaped(name, shape, shape)
    }

    /// The tensor of this name and shape, seen as another shape of as many elements.
    pub(crate) fn reshaped(&self, name: &str, shape: &[i64], seen_as: &[i64]) -> Result<Tensor> {
        let out = self.empty(seen_as)?;
        self.copy_into(&out, name, shape)?;
        Ok(out)
    }

    /// A convolution's weight `[outputs, inputs, rows, columns]` in the layout that the device likes.
    pub(crate) fn conv_weight(&self, name: &str, shape: &[i64; 4]) -> Result<Tensor> {
        let [outputs, inputs, rows, columns] = *shape;
        if self.device != Device::Cpu {
            return self.tensor(name, shape);
        }
        let out = self.empty(&[outputs, rows, columns, inputs])?.f_permute([0, 3, 1, 2]).doing(LOADING)?;
        self.copy_into(&out, name, shape)?;
        Ok(out)
    }

    /// The tensor in float32 on the CPU, for arithmetic before it is stored.
    pub(crate) fn in_float(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        Self { device: Device::Cpu, kind: Kind::Float, ..self.clone() }.tensor(name, shape)
    }

    /// One tensor from tensors of the same name and shape at several places, stacked along the first dimension.
    pub(crate) fn concatenated(
        froms: &[Loader<'_>],
        name: &str,
        shape: &[i64],
        whole: &[i64],
    ) -> Result<Tensor> {
        let Some(first) = froms.first() else {
            return Err(DiffusionError::MissingTensor { name: name.to_owned() });
        };
        let out = first.empty(whole)?;
        let rows = shape.first().copied().unwrap_or(1);
        for (index, from) in froms.iter().enumerate() {
            from.copy_into(&out.f_narrow(0, index as i64 * rows, rows).doing(LOADING)?, name, shape)?;
        }
        Ok(out)
    }

    fn empty(&self, shape: &[i64]) -> Result<Tensor> {
        Tensor::f_empty(shape, (self.kind, self.device)).doing(LOADING)
    }

    /// Converts and copies the file's tensor into `out`, whose own layout may differ.
    fn copy_into(&self, out: &Tensor, name: &str, shape: &[i64]) -> Result<()> {
        let name = format!("{}{name}", self.prefix);
        let Some(view) = self.weights.get(&name) else {
            return Err(DiffusionError::MissingTensor { name });
        };
        let found: Vec<i64> = view.shape.iter().map(|&n| n as i64).collect();
        if found != shape {
            return Err(DiffusionError::Shape { name, expected: shape.to_vec(), found });
        }
        let copied = copy_view(out, &view, shape);
        let bad = |problem: String| DiffusionError::BadTensor { name: name.clone(), problem };
        let range = copied.map_err(|error| match error {
            CopyError::Dtype(dtype) => {
                bad(format!("holds {dtype}; weights are float16, bfloat16 or float32"))
            }
            CopyError::Length(bytes) => bad(format!("has {bytes} bytes, which do not make its shape")),
            CopyError::Torch(error) => DiffusionError::torch(format!("{LOADING} `{name}`"), &error),
        })?;
        self.weights.release(&view);
        if range.is_finite() {
            Ok(())
        } else {
            Err(bad("holds values that are not numbers; the file is damaged".into()))
        }
    }
}

/// Copies, and returns the range of the elements (negated), which is finite only if each of them is.
#[allow(unsafe_code)]
fn copy_view(out: &Tensor, view: &TensorView<'_>, shape: &[i64]) -> Result<f64, CopyError> {
    let kind = kind_of(view.dtype).ok_or_else(|| CopyError::Dtype(view.dtype.to_string()))?;
    let width = kind.elt_size_in_bytes();
    let count: i64 = shape.iter().product();
    if usize::try_from(count).ok().and_then(|count| count.checked_mul(width)) != Some(view.bytes.len()) {
        return Err(CopyError::Length(view.bytes.len()));
    }
    let source = if view.bytes.as_ptr().align_offset(width) == 0 {
        // SAFETY: the bytes are initialised, aligned for `kind`, as many as the shape needs (checked above) and
        // stay mapped while `view` borrows them, which outlives this tensor; nothing writes through it.
        unsafe { Tensor::f_from_blob(view.bytes.as_ptr(), shape, &[], kind, Device::Cpu) }
    } else {
        Tensor::f_from_data_size(view.bytes, shape, kind)
    };
    let source = source.map_err(CopyError::Torch)?;
    let run = || -> Result<f64, TchError> {
        // A reshaped destination has the same elements in the same order; a permuted one has the file's shape.
        let mut out = if out.size() == shape { out.shallow_clone() } else { out.f_view(shape)? };
        out.f_copy_(&source)?;
        // NaN and infinity show in the extremes, which are found twenty times faster than a sum.
        let (least, most) = source.f_aminmax(None::<i64>, false)?;
        Ok(least.f_double_value(&[])? - most.f_double_value(&[])?)
    };
    run().map_err(CopyError::Torch)
}

const LOADING: &str = "loading weights";

enum CopyError {
    Dtype(String),
    Length(usize),
    Torch(TchError),
}

/// libtorch's name for a type that weights come in.
fn kind_of(dtype: Dtype) -> Option<Kind> {
    match dtype {
        Dtype::F16 => Some(Kind::Half),
        Dtype::BF16 => Some(Kind::BFloat16),
        Dtype::F32 => Some(Kind::Float),
        Dtype::F64 => Some(Kind::Double),
        _ => None,
    }
}
