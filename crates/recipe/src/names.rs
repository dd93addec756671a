//! Names of samplers and schedules, as A1111, k-diffusion and diffusers users write them.

use serde::{Deserialize, Serialize};

/// A solver of the diffusion ODE or SDE. The noise levels it visits are a [`Schedule`]'s, a separate choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)] // each is its paper's name
pub enum Sampler {
    Euler,
    EulerAncestral,
    Heun,
    Dpm2,
    Dpm2Ancestral,
    DpmPp2SAncestral,
    DpmPp2M,
    DpmPpSde,
    DpmPp2MSde,
    DpmPp3MSde,
    Lms,
    Ddim,
    Ddpm,
    Pndm,
    UniPc,
    Deis,
    Lcm,
    Tcd,
    Restart,
}

/// How the noise levels (sigmas) of a run are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Schedule {
    /// The sampler's own usual schedule, as A1111 chooses it.
    #[default]
    Automatic,
    Uniform,
    Karras,
    Exponential,
    Polyexponential,
    SgmUniform,
    KlOptimal,
    AlignYourSteps,
    Simple,
    Normal,
    Ddim,
    Beta,
    /// diffusers' `timestep_spacing="leading"`.
    Leading,
    /// diffusers' `timestep_spacing="trailing"`.
    Trailing,
    /// diffusers' `timestep_spacing="linspace"`.
    Linspace,
}
