//! Which tensors a configuration asks for: names and shapes as diffusers has them.

mod text;
mod unet;
mod vae;

use std::collections::HashSet;

use crate::weights::Weights;

/// A tensor that a network needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedTensor {
    /// diffusers' name.
    pub name: String,
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
}

/// How weights fit a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fit {
    /// Needed and not there.
    pub missing: Vec<ExpectedTensor>,
    /// There, of another shape, which is given.
    pub misshapen: Vec<(ExpectedTensor, Vec<usize>)>,
    /// There, of a type that is not a weight's, which is given.
    pub mistyped: Vec<(String, crate::Dtype)>,
    /// There and not needed.
    pub extra: Vec<String>,
}

impl Fit {
    /// What is wrong, with the first few tensors by name; `None` when every needed tensor is there as it should be.
    pub fn problem(&self) -> Option<String> {
        const NAMED: usize = 3;
        let mut problems = Vec::new();
        let mut add = |count: usize, what: &str, examples: Vec<String>| {
            if count > 0 {
                let more = if count > NAMED { ", …" } else { "" };
                problems.push(format!("{count} {what}: {}{more}", examples.join(", ")));
            }
        };
        let missing = self.missing.iter().take(NAMED).map(|t| format!("`{}` {:?}", t.name, t.shape));
        add(self.missing.len(), "tensors are missing", missing.collect());
        let misshapen = self.misshapen.iter().take(NAMED);
        let misshapen =
            misshapen.map(|(t, found)| format!("`{}` is {found:?} instead of {:?}", t.name, t.shape));
        add(self.misshapen.len(), "have another shape", misshapen.collect());
        let mistyped = self.mistyped.iter().take(NAMED).map(|(name, dtype)| format!("`{name}` is {dtype}"));
        add(self.mistyped.len(), "are not of a floating type that weights come in", mistyped.collect());
        (!problems.is_empty()).then(|| problems.join("; "))
    }
}

impl Weights {
    /// Compares with what a network needs.
    pub fn compare(&self, expected: &[ExpectedTensor]) -> Fit {
        let mut fit = Fit::default();
        for tensor in expected {
            match self.get(&tensor.name) {
                None => fit.missing.push(tensor.clone()),
                Some(view) if view.shape != tensor.shape => {
                    fit.misshapen.push((tensor.clone(), view.shape.to_vec()));
                }
                Some(view) if !view.dtype.is_weight() => fit.mistyped.push((tensor.name.clone(), view.dtype)),
                Some(_) => {}
            }
        }
        let needed: HashSet<&str> = expected.iter().map(|tensor| tensor.name.as_str()).collect();
        fit.extra = self.names().filter(|name| !needed.contains(name)).map(str::to_owned).collect();
        fit
    }
}

/// Collects tensors below a place in the tree of names.
pub(crate) struct Builder<'a> {
    prefix: String,
    tensors: &'a mut Vec<ExpectedTensor>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(tensors: &'a mut Vec<ExpectedTensor>) -> Self {
        Self { prefix: String::new(), tensors }
    }

    /// The place below, "conv_in" or "resnets.0".
    pub(crate) fn at(&mut self, name: impl std::fmt::Display) -> Builder<'_> {
        Builder { prefix: format!("{}{name}.", self.prefix), tensors: self.tensors }
    }

    pub(crate) fn tensor(&mut self, name: &str, shape: &[u32]) {
        let shape = shape.iter().map(|&n| n as usize).collect();
        self.tensors.push(ExpectedTensor { name: format!("{}{name}", self.prefix), shape });
    }

    pub(crate) fn norm(&mut self, name: &str, width: u32) {
        let mut at = self.at(name);
        at.tensor("weight", &[width]);
        at.tensor("bias", &[width]);
    }

    pub(crate) fn linear(&mut self, name: &str, inputs: u32, outputs: u32) {
        let mut at = self.at(name);
        at.tensor("weight", &[outputs, inputs]);
        at.tensor("bias", &[outputs]);
    }

    pub(crate) fn conv(&mut self, name: &str, inputs: u32, outputs: u32, kernel: u32) {
        let mut at = self.at(name);
        at.tensor("weight", &[outputs, inputs, kernel, kernel]);
        at.tensor("bias", &[outputs]);
    }

    /// `ResnetBlock2D`; `time` is the width of the time projection's input and output.
    pub(crate) fn resnet(&mut self, inputs: u32, outputs: u32, time: Option<(u32, u32)>) {
        self.norm("norm1", inputs);
        self.conv("conv1", inputs, outputs, 3);
        if let Some((width, projected)) = time {
            self.linear("time_emb_proj", width, projected);
        }
        self.norm("norm2", outputs);
        self.conv("conv2", outputs, outputs, 3);
        if inputs != outputs {
            self.conv("conv_shortcut", inputs, outputs, 1);
        }
    }
}
