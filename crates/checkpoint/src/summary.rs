//! What `tarim inspect` tells about a model.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::checkpoint::{Checkpoint, Layout, TokenizerSource};
use crate::config::{ClipTextConfig, SchedulerConfig, UnetConfig, VaeConfig};
use crate::expected::Fit;
use crate::kind::Kind;
use crate::weights::Weights;

/// A model in numbers. Its `Display` is for people, its JSON for programs.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The path that was opened.
    pub path: String,
    /// Folder or single file.
    pub layout: Layout,
    /// Family, task, prediction.
    pub kind: Kind,
    /// Text encoder, UNet, VAE.
    pub parts: Vec<PartSummary>,
    /// The UNet's configuration.
    pub unet: UnetConfig,
    /// The VAE's.
    pub vae: VaeConfig,
    /// The text encoder's.
    pub text_encoder: ClipTextConfig,
    /// The noise schedule.
    pub scheduler: SchedulerConfig,
    /// "own" or "CLIP's".
    pub tokenizer: &'static str,
    /// Whether nothing is missing and everything has the right shape.
    pub complete: bool,
}

/// One network in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct PartSummary {
    /// "UNet".
    pub name: &'static str,
    /// Number of tensors.
    pub tensors: usize,
    /// Number of elements in them.
    pub parameters: u64,
    /// Their bytes in the file.
    pub bytes: u64,
    /// Number of tensors of each type.
    pub dtypes: BTreeMap<String, usize>,
    /// Main sizes, for people: "320, 640, 1280, 1280 wide, …".
    pub shape: String,
    /// Needed tensors that are not there.
    pub missing: Vec<String>,
    /// Tensors with a wrong shape or type, and what is wrong.
    pub wrong: Vec<String>,
    /// Tensors that are there and not needed.
    pub extra: Vec<String>,
}

impl Checkpoint {
    /// The model in numbers, from its headers alone.
    pub fn summary(&self) -> Summary {
        let [text_fit, unet_fit, vae_fit] = self.fits();
        let parts = vec![
            PartSummary::new(text_fit, &self.text_encoder().weights, text_shape(&self.text_encoder().config)),
            PartSummary::new(unet_fit, &self.unet().weights, unet_shape(&self.unet().config)),
            PartSummary::new(vae_fit, &self.vae().weights, vae_shape(&self.vae().config)),
        ];
        Summary {
            path: self.path().display().to_string(),
            layout: self.layout(),
            kind: self.kind(),
            parts,
            unet: self.unet().config.clone(),
            vae: self.vae().config.clone(),
            text_encoder: self.text_encoder().config.clone(),
            scheduler: self.scheduler().clone(),
            tokenizer: match self.tokenizer() {
                TokenizerSource::Folder(_) => "own",
                TokenizerSource::Clip { .. } => "CLIP's",
            },
            complete: self.check().is_ok(),
        }
    }
}

impl PartSummary {
    fn new((name, fit): (&'static str, Fit), weights: &Weights, shape: String) -> Self {
        let mut dtypes = BTreeMap::new();
        for (_, view) in weights.iter() {
            *dtypes.entry(view.dtype.to_string()).or_default() += 1;
        }
        let misshapen =
            fit.misshapen.iter().map(|(t, found)| format!("{} {found:?} instead of {:?}", t.name, t.shape));
        let mistyped = fit.mistyped.iter().map(|(name, dtype)| format!("{name} {dtype}"));
        Self {
            name,
            tensors: weights.len(),
            parameters: weights.parameters(),
            bytes: weights.iter().map(|(_, view)| view.bytes.len() as u64).sum(),
            dtypes,
            shape,
            missing: fit.missing.iter().map(|t| format!("{} {:?}", t.name, t.shape)).collect(),
            wrong: misshapen.chain(mistyped).collect(),
            extra: fit.extra,
        }
    }
}

fn list(widths: &[u32]) -> String {
    widths.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

fn text_shape(config: &ClipTextConfig) -> String {
    format!(
        "{} layers, {} wide, {} heads, {}, {} tokens",
        config.num_hidden_layers,
        config.hidden_size,
        config.num_attention_heads,
        config.hidden_act,
        config.vocab_size
    )
}

fn unet_shape(config: &UnetConfig) -> String {
    format!(
        "{} channels in, {} wide, {} layers a level, {} heads, context {} wide, {} projections",
        config.in_channels,
        list(&config.block_out_channels),
        list(config.layers_per_block.values()),
        list(config.attention_head_dim.values()),
        config.context_dim(),
        if config.use_linear_projection { "linear" } else { "convolution" }
    )
}

fn vae_shape(config: &VaeConfig) -> String {
    format!(
        "{} latent channels, {} wide, {} pixels a latent, scale {}",
        config.latent_channels,
        list(&config.block_out_channels),
        config.factor(),
        config.scaling_factor
    )
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.path)?;
        let layout = match self.layout {
            Layout::DiffusersFolder => "diffusers folder",
            Layout::SingleFile => "single file",
        };
        writeln!(f, "{} ({layout}, {} tokenizer)", self.kind, self.tokenizer)?;
        for part in &self.parts {
            let dtypes: Vec<String> =
                part.dtypes.iter().map(|(dtype, count)| format!("{count} {dtype}")).collect();
            let (millions, megabytes) = (part.parameters as f64 / 1e6, part.bytes as f64 / 1e6);
            writeln!(f, "{}: {}", part.name, part.shape)?;
            writeln!(f, "  {millions:.2} M parameters, {megabytes:.1} MB, tensors: {}", dtypes.join(", "))?;
            for (what, tensors) in
                [("missing", &part.missing), ("wrong", &part.wrong), ("not used", &part.extra)]
            {
                if let Some(first) = tensors.first() {
                    let more = if tensors.len() > 1 {
                        format!(" and {} more", tensors.len() - 1)
                    } else {
                        String::new()
                    };
                    writeln!(f, "  {what}: {first}{more}")?;
                }
            }
        }
        Ok(())
    }
}
