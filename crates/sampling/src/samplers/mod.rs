//! The solvers, a file for each family. All run in variance-exploding space; see the crate's documentation.

mod consistency;
mod ddim;
mod dpm2;
mod dpmpp;
mod dpmpp_sde;
mod euler;
mod multistep;
mod plms;
mod restart;
mod unipc;

pub(crate) use consistency::{lcm, tcd};
pub(crate) use ddim::{ddim, ddpm};
pub(crate) use dpm2::{dpm2, dpm2_ancestral};
pub(crate) use dpmpp::{dpmpp_2m, dpmpp_2s_ancestral};
pub(crate) use dpmpp_sde::{SecondOrder, dpmpp_2m_sde, dpmpp_3m_sde, dpmpp_sde};
pub(crate) use euler::{euler, euler_ancestral, heun};
pub(crate) use multistep::{deis, lms};
pub(crate) use plms::plms;
pub(crate) use restart::restart;
pub(crate) use unipc::unipc;

/// Splits a step into one down the ODE and noise on top: the level to go down to and the noise to add.
///
/// k-diffusion's `get_ancestral_step`: with `eta` 1 the posterior of the forward process.
fn ancestral(from: f64, to: f64, eta: f64) -> (f64, f64) {
    if from <= 0.0 || to <= 0.0 {
        return (to, 0.0);
    }
    let posterior = to * (1.0 - (to / from).powi(2)).max(0.0).sqrt();
    let up = (eta * posterior).min(to);
    ((to * to - up * up).max(0.0).sqrt(), up)
}

/// `-ln sigma`, DPM-Solver's time (half the log of the signal-to-noise ratio).
fn lambda(sigma: f64) -> f64 {
    -sigma.ln()
}
