//! torch-sys 0.24 under the version that diffusers 0.3.1 asks for.
pub use current::*;
