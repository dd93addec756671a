//! Noise schedules: what a model was trained with.

use serde::{Deserialize, Serialize};

use super::require;
use crate::error::OptionProblem;

/// What the UNet predicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PredictionType {
    /// The noise.
    #[default]
    Epsilon,
    /// The velocity, `√ᾱ · noise − √(1−ᾱ) · picture`.
    VPrediction,
    /// The picture.
    Sample,
}

/// How `beta` grows over the training timesteps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BetaSchedule {
    /// Evenly.
    #[default]
    Linear,
    /// Evenly in its square root: Stable Diffusion's.
    ScaledLinear,
    /// After a squared cosine of `ᾱ`, capped (Nichol and Dhariwal 2021).
    SquaredcosCapV2,
    /// After a sigmoid (GeoDiff); only DDPM has it.
    Sigmoid,
}

/// Which of the training timesteps are visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimestepSpacing {
    /// From 0 in equal steps, plus `steps_offset`.
    Leading,
    /// From the last back in equal steps.
    Trailing,
    /// Evenly from first to last.
    Linspace,
}

/// `scheduler/scheduler_config.json`, with the defaults of its class for what is missing.
///
/// Which sampler draws is the recipe's choice; this says what the model was trained with, and how its authors space
/// timesteps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written")]
#[allow(missing_docs)] // The names are diffusers' own.
pub struct SchedulerConfig {
    /// `DDIMScheduler`, `PNDMScheduler`, `EulerDiscreteScheduler`…
    #[serde(rename = "_class_name")]
    pub class_name: Option<String>,
    pub num_train_timesteps: u32,
    pub beta_start: f64,
    pub beta_end: f64,
    pub beta_schedule: BetaSchedule,
    /// In place of the schedule, one for each timestep.
    pub trained_betas: Option<Vec<f64>>,
    pub prediction_type: PredictionType,
    pub timestep_spacing: TimestepSpacing,
    pub steps_offset: u32,
    pub set_alpha_to_one: bool,
    pub clip_sample: bool,
    pub clip_sample_range: f64,
    pub thresholding: bool,
    /// The last timestep is pure noise (Lin et al. 2023).
    pub rescale_betas_zero_snr: bool,
    pub skip_prk_steps: bool,
    pub use_karras_sigmas: bool,
    pub original_inference_steps: u32,
}

/// As in the file: what is missing depends on the class.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    #[serde(rename = "_class_name")]
    class_name: Option<String>,
    num_train_timesteps: Option<u32>,
    beta_start: Option<f64>,
    beta_end: Option<f64>,
    beta_schedule: Option<BetaSchedule>,
    trained_betas: Option<Vec<f64>>,
    prediction_type: Option<PredictionType>,
    timestep_spacing: Option<TimestepSpacing>,
    steps_offset: Option<u32>,
    set_alpha_to_one: Option<bool>,
    clip_sample: Option<bool>,
    clip_sample_range: Option<f64>,
    thresholding: Option<bool>,
    rescale_betas_zero_snr: Option<bool>,
    skip_prk_steps: Option<bool>,
    use_karras_sigmas: Option<bool>,
    original_inference_steps: Option<u32>,
}

impl From<Written> for SchedulerConfig {
    fn from(written: Written) -> Self {
        let class = written.class_name.as_deref().unwrap_or_default();
        let lcm = matches!(class, "LCMScheduler" | "TCDScheduler");
        let leading = lcm || matches!(class, "" | "DDIMScheduler" | "DDPMScheduler" | "PNDMScheduler");
        let spacing = if leading { TimestepSpacing::Leading } else { TimestepSpacing::Linspace };
        let (start, end) = if lcm { (0.00085, 0.012) } else { (0.0001, 0.02) };
        let schedule = if lcm { BetaSchedule::ScaledLinear } else { BetaSchedule::Linear };
        Self {
            num_train_timesteps: written.num_train_timesteps.unwrap_or(1000),
            beta_start: written.beta_start.unwrap_or(start),
            beta_end: written.beta_end.unwrap_or(end),
            beta_schedule: written.beta_schedule.unwrap_or(schedule),
            trained_betas: written.trained_betas,
            prediction_type: written.prediction_type.unwrap_or_default(),
            timestep_spacing: written.timestep_spacing.unwrap_or(spacing),
            steps_offset: written.steps_offset.unwrap_or(0),
            set_alpha_to_one: written.set_alpha_to_one.unwrap_or(class != "PNDMScheduler"),
            clip_sample: written.clip_sample.unwrap_or(matches!(class, "DDIMScheduler" | "DDPMScheduler")),
            clip_sample_range: written.clip_sample_range.unwrap_or(1.0),
            thresholding: written.thresholding.unwrap_or(false),
            rescale_betas_zero_snr: written.rescale_betas_zero_snr.unwrap_or(false),
            skip_prk_steps: written.skip_prk_steps.unwrap_or(false),
            use_karras_sigmas: written.use_karras_sigmas.unwrap_or(false),
            original_inference_steps: written.original_inference_steps.unwrap_or(50),
            class_name: written.class_name,
        }
    }
}

impl SchedulerConfig {
    /// What Stable Diffusion 1 and 2 were trained with, for files that do not say.
    pub fn stable_diffusion(prediction_type: PredictionType) -> Self {
        Self {
            beta_start: 0.00085,
            beta_end: 0.012,
            beta_schedule: BetaSchedule::ScaledLinear,
            prediction_type,
            steps_offset: 1,
            set_alpha_to_one: false,
            clip_sample: false,
            skip_prk_steps: true,
            ..Self::from(Written { class_name: Some("PNDMScheduler".into()), ..Written::default() })
        }
    }

    /// Refuses numbers that give no noise schedule.
    ///
    /// # Errors
    /// The first option at fault, with its value and why.
    pub fn check(&self) -> Result<(), OptionProblem> {
        let steps = self.num_train_timesteps;
        require((2..=100_000).contains(&steps), "num_train_timesteps", &steps, "it must be 2 to 100000")?;
        for (option, beta) in [("beta_start", self.beta_start), ("beta_end", self.beta_end)] {
            require(beta > 0.0 && beta < 1.0, option, &beta, "it must lie between 0 and 1")?;
        }
        if let Some(betas) = &self.trained_betas {
            let good = betas.iter().all(|&beta| beta > 0.0 && beta <= 1.0);
            require(
                betas.len() == steps as usize,
                "trained_betas",
                &betas.len(),
                format!("{steps} are needed"),
            )?;
            require(good, "trained_betas", &"outside", "they must lie between 0 and 1")?;
        }
        require(
            self.steps_offset < steps,
            "steps_offset",
            &self.steps_offset,
            "it is past the last timestep",
        )?;
        require(
            !self.thresholding,
            "thresholding",
            &true,
            "it is for pixels, not for latents; only false is supported",
        )
    }
}
