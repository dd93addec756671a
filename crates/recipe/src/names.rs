//! Names of samplers and schedules, as A1111, k-diffusion, diffusers and stable-diffusion.cpp users write them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A solver of the diffusion ODE or SDE. The noise levels it visits are a [`Schedule`]'s, a separate choice.
///
/// Serialised by its canonical name, A1111's; read back from any of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
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
    DpmPp2MSdeHeun,
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
///
/// Serialised by its canonical name, A1111's; read back from any of its names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
#[allow(missing_docs)]
pub enum Schedule {
    /// The sampler's own usual schedule, see [`Schedule::resolve`].
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

/// Names of one value: the canonical one, then the others. Compared by letters, digits and `+` alone.
type Names<T> = (T, &'static [&'static str]);

const SAMPLERS: [Names<Sampler>; 20] = [
    (Sampler::Euler, &["Euler", "k_euler", "sample_euler", "EulerDiscreteScheduler"]),
    (
        Sampler::EulerAncestral,
        &[
            "Euler a",
            "Euler ancestral",
            "k_euler_a",
            "k_euler_ancestral",
            "sample_euler_ancestral",
            "EulerAncestralDiscreteScheduler",
        ],
    ),
    (Sampler::Heun, &["Heun", "k_heun", "sample_heun", "HeunDiscreteScheduler"]),
    (Sampler::Dpm2, &["DPM2", "dpm_2", "k_dpm_2", "sample_dpm_2", "KDPM2DiscreteScheduler"]),
    (
        Sampler::Dpm2Ancestral,
        &[
            "DPM2 a",
            "dpm_2_ancestral",
            "k_dpm_2_a",
            "k_dpm_2_ancestral",
            "sample_dpm_2_ancestral",
            "KDPM2AncestralDiscreteScheduler",
        ],
    ),
    (
        Sampler::DpmPp2SAncestral,
        &[
            "DPM++ 2S a",
            "DPM++ 2S ancestral",
            "dpmpp_2s_a",
            "k_dpmpp_2s_a",
            "dpmpp_2s_ancestral",
            "sample_dpmpp_2s_ancestral",
            "dpm++2s_a",
        ],
    ),
    (
        Sampler::DpmPp2M,
        &["DPM++ 2M", "dpmpp_2m", "k_dpmpp_2m", "sample_dpmpp_2m", "DPMSolverMultistepScheduler"],
    ),
    (
        Sampler::DpmPpSde,
        &["DPM++ SDE", "dpmpp_sde", "k_dpmpp_sde", "sample_dpmpp_sde", "DPMSolverSDEScheduler"],
    ),
    (Sampler::DpmPp2MSde, &["DPM++ 2M SDE", "dpmpp_2m_sde", "k_dpmpp_2m_sde", "sample_dpmpp_2m_sde"]),
    (Sampler::DpmPp2MSdeHeun, &["DPM++ 2M SDE Heun", "dpmpp_2m_sde_heun", "k_dpmpp_2m_sde_heun"]),
    (Sampler::DpmPp3MSde, &["DPM++ 3M SDE", "dpmpp_3m_sde", "k_dpmpp_3m_sde", "sample_dpmpp_3m_sde"]),
    (Sampler::Lms, &["LMS", "k_lms", "sample_lms", "LMSDiscreteScheduler"]),
    (Sampler::Ddim, &["DDIM", "DDIMScheduler"]),
    (Sampler::Ddpm, &["DDPM", "DDPMScheduler"]),
    (Sampler::Pndm, &["PLMS", "PNDM", "PNDMScheduler"]),
    (Sampler::UniPc, &["UniPC", "uni_pc", "uni_pc_bh2", "UniPCMultistepScheduler"]),
    (Sampler::Deis, &["DEIS", "DEISMultistepScheduler"]),
    (Sampler::Lcm, &["LCM", "sample_lcm", "LCMScheduler"]),
    (Sampler::Tcd, &["TCD", "TCDScheduler"]),
    (Sampler::Restart, &["Restart", "restart_sampler"]),
];

const SCHEDULES: [Names<Schedule>; 15] = [
    (Schedule::Automatic, &["Automatic", "auto", "default", "discrete"]),
    (Schedule::Uniform, &["Uniform"]),
    (Schedule::Karras, &["Karras", "use_karras_sigmas"]),
    (Schedule::Exponential, &["Exponential", "use_exponential_sigmas"]),
    (Schedule::Polyexponential, &["Polyexponential"]),
    (Schedule::SgmUniform, &["SGM Uniform"]),
    (Schedule::KlOptimal, &["KL Optimal"]),
    (Schedule::AlignYourSteps, &["Align Your Steps", "AYS"]),
    (Schedule::Simple, &["Simple"]),
    (Schedule::Normal, &["Normal"]),
    (Schedule::Ddim, &["DDIM", "ddim_uniform"]),
    (Schedule::Beta, &["Beta", "use_beta_sigmas"]),
    (Schedule::Leading, &["Leading"]),
    (Schedule::Trailing, &["Trailing"]),
    (Schedule::Linspace, &["Linspace"]),
];

/// A name that nothing has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} `{name}`; the nearest are {}", quoted(nearest))]
pub struct UnknownName {
    /// `sampler` or `schedule`.
    pub kind: &'static str,
    /// What was asked for.
    pub name: String,
    /// Canonical names, the nearest first.
    pub nearest: Vec<&'static str>,
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl Sampler {
    /// All of them, in the order a menu would show them.
    pub fn all() -> impl Iterator<Item = Self> {
        SAMPLERS.iter().map(|(sampler, _)| *sampler)
    }

    /// The canonical name, A1111's: `DPM++ 2M`, `Euler a`, …
    pub fn name(self) -> &'static str {
        name(&SAMPLERS, self)
    }

    /// A sampler by any name, with the schedule that older infotexts and stable-diffusion.cpp carry behind it
    /// (`DPM++ 2M Karras`, `k_dpmpp_2m_ka`, `euler_a karras`), where there is one.
    pub fn parse(text: &str) -> Result<(Self, Option<Schedule>), UnknownName> {
        if let Some(sampler) = find(&SAMPLERS, text) {
            return Ok((sampler, None));
        }
        let folded = fold(text);
        let schedules = SCHEDULES.iter().flat_map(|(schedule, names)| {
            names.iter().filter(|name| name.len() > 3).map(move |name| (*schedule, fold(name)))
        });
        let short = [(Schedule::Karras, "ka".to_owned()), (Schedule::Exponential, "exp".to_owned())];
        for (schedule, ending) in schedules.chain(short) {
            if let Some(rest) = folded.strip_suffix(ending.as_str())
                && let Some(sampler) = find(&SAMPLERS, rest)
            {
                return Ok((sampler, Some(schedule)));
            }
        }
        Err(unknown("sampler", text, &SAMPLERS))
    }
}

impl Schedule {
    /// All of them, in the order a menu would show them.
    pub fn all() -> impl Iterator<Item = Self> {
        SCHEDULES.iter().map(|(schedule, _)| *schedule)
    }

    /// The canonical name, A1111's: `SGM Uniform`, `Karras`, …
    pub fn name(self) -> &'static str {
        name(&SCHEDULES, self)
    }

    /// The schedule that `Automatic` stands for with a sampler; any other is itself.
    ///
    /// A1111's `sd_samplers_kdiffusion.py` for the samplers it has over k-diffusion. For the others, which ignore the
    /// schedule there or are not there, the spacing of diffusers' class with Stable Diffusion's configuration.
    #[must_use]
    pub fn resolve(self, sampler: Sampler) -> Self {
        if self != Self::Automatic {
            return self;
        }
        match sampler {
            Sampler::Dpm2
            | Sampler::Dpm2Ancestral
            | Sampler::DpmPp2SAncestral
            | Sampler::DpmPp2M
            | Sampler::DpmPpSde
            | Sampler::Restart => Self::Karras,
            Sampler::DpmPp2MSde | Sampler::DpmPp2MSdeHeun | Sampler::DpmPp3MSde => Self::Exponential,
            Sampler::Euler | Sampler::EulerAncestral | Sampler::Heun | Sampler::Lms => Self::Uniform,
            Sampler::Ddim | Sampler::Ddpm | Sampler::Pndm | Sampler::Lcm | Sampler::Tcd => Self::Leading,
            Sampler::UniPc | Sampler::Deis => Self::Linspace,
        }
    }
}

fn name<T: Copy + PartialEq>(table: &[Names<T>], value: T) -> &'static str {
    table
        .iter()
        .find(|(entry, _)| *entry == value)
        .and_then(|(_, names)| names.first())
        .copied()
        .unwrap_or("")
}

/// Letters, digits and `+` in lower case: `DPM++ 2M` and `dpm++_2m` are one.
fn fold(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric() || *c == '+');
    kept.flat_map(char::to_lowercase).collect::<String>().replace("++", "pp")
}

fn find<T: Copy>(table: &[Names<T>], text: &str) -> Option<T> {
    let folded = fold(text);
    table.iter().find(|(_, names)| names.iter().any(|name| fold(name) == folded)).map(|(value, _)| *value)
}

fn unknown<T: Copy>(kind: &'static str, text: &str, table: &[Names<T>]) -> UnknownName {
    // Names are short; what is longer is no misspelling.
    let folded: Vec<char> = fold(text).chars().take(64).collect();
    let mut ranked: Vec<(usize, &'static str)> = table
        .iter()
        .filter_map(|(_, names)| {
            let canonical = *names.first()?;
            // Short nicknames are near to everything.
            let others = names.iter().filter(|name| **name == canonical || name.len() > 4);
            let nearest = others.map(|name| distance(&folded, &fold(name))).min()?;
            Some((nearest, canonical))
        })
        .collect();
    ranked.sort_by_key(|(distance, _)| *distance);
    let nearest = ranked.into_iter().take(3).map(|(_, name)| name).collect();
    UnknownName { kind, name: text.chars().take(80).collect(), nearest }
}

/// Levenshtein distance.
fn distance(a: &[char], b: &str) -> usize {
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (i, there) in b.chars().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (cell, here) in row.iter_mut().skip(1).zip(a) {
            let above = *cell;
            left = (corner + usize::from(*here != there)).min(above + 1).min(left + 1);
            corner = above;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

impl FromStr for Sampler {
    type Err = UnknownName;

    /// Any name without a schedule; see [`Sampler::parse`] for names with one.
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        find(&SAMPLERS, text).ok_or_else(|| unknown("sampler", text, &SAMPLERS))
    }
}

impl FromStr for Schedule {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        find(&SCHEDULES, text).ok_or_else(|| unknown("schedule", text, &SCHEDULES))
    }
}

/// What a named value has in common.
macro_rules! by_name {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
by_name!(Sampler, Schedule);
