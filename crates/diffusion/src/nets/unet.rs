//! `UNet2DConditionModel`: predicts the noise (or the velocity) in latents, given the noise level and a prompt.

use tarim_checkpoint::{UnetConfig, Weights};
use tch::{Device, Kind, Tensor};

use super::blocks::{Conditions, DownBlock, MidBlock, UpBlock};
use super::embeddings::{TextTimeEmbedding, TimestepEmbedding, sinusoids};
use super::layers::{Conv2d, GroupNorm, Linear};
use super::layout::{self, TchResult};
use super::unet_plan::{AddedEmbedding, Plan};
use crate::error::{DiffusionError, Doing, Result};
use crate::weights::Loader;

pub(super) const PART: &str = "UNet";

/// The UNet of Stable Diffusion 1 and 2 and its relatives, built from its configuration.
#[derive(Debug)]
pub struct Unet {
    plan: Plan,
    time: TimestepEmbedding,
    added: Option<TextTimeEmbedding>,
    context_projection: Option<Linear>,
    conv_in: Conv2d,
    down: Vec<DownBlock>,
    middle: Option<MidBlock>,
    up: Vec<UpBlock>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
    device: Device,
    kind: Kind,
}

impl Unet {
    /// Loads the whole network.
    ///
    /// # Errors
    /// [`DiffusionError::Unsupported`] when the configuration asks for what is not done here, else when a tensor is
    /// missing, misshapen or damaged.
    pub fn load(config: &UnetConfig, weights: &Weights, device: Device, kind: Kind) -> Result<Self> {
        let plan = Plan::new(config)?;
        let _no_grad = tch::no_grad_guard();
        let root = Loader::new(PART, weights, device, kind);
        let added = match plan.added {
            AddedEmbedding::None => None,
            AddedEmbedding::Text { heads } => {
                let from = root.sub("add_embedding");
                Some(TextTimeEmbedding::load(&from, plan.context_input_dim, plan.time_dim, heads)?)
            }
        };
        let context_projection = plan
            .projects_context
            .then(|| Linear::load(&root.sub("encoder_hid_proj"), plan.context_input_dim, plan.context_dim))
            .transpose()?;
        let (shallowest, deepest) = (plan.first_width(), plan.last_width());
        let down = plan.down_levels();
        let up = plan.up_levels();
        Ok(Self {
            time: TimestepEmbedding::load(
                &root.sub("time_embedding"),
                shallowest,
                plan.time_dim,
                plan.activation,
                plan.time_post_activation,
            )?,
            added,
            context_projection,
            conv_in: Conv2d::load(&root.sub("conv_in"), plan.in_channels, shallowest, plan.conv_in_kernel)?,
            down: down
                .iter()
                .enumerate()
                .map(|(index, level)| {
                    let from = root.sub("down_blocks").sub(index);
                    DownBlock::load(
                        &from,
                        level.layers,
                        level.resnet,
                        level.transformer.as_ref(),
                        level.padding,
                    )
                })
                .collect::<Result<_>>()?,
            middle: plan
                .middle
                .as_ref()
                .map(|middle| {
                    let shape = plan.resnet(deepest, deepest, middle.output_scale);
                    MidBlock::load(&root.sub("mid_block"), shape, middle.transformer.as_ref())
                })
                .transpose()?,
            up: up
                .iter()
                .enumerate()
                .map(|(index, level)| {
                    let from = root.sub("up_blocks").sub(index);
                    UpBlock::load(
                        &from,
                        &level.skips,
                        level.resnet,
                        level.transformer.as_ref(),
                        level.upsample,
                    )
                })
                .collect::<Result<_>>()?,
            norm_out: GroupNorm::load(&root.sub("conv_norm_out"), shallowest, plan.groups, plan.eps)?,
            conv_out: Conv2d::load(
                &root.sub("conv_out"),
                shallowest,
                plan.out_channels,
                plan.conv_out_kernel,
            )?,
            plan,
            device,
            kind,
        })
    }

    /// One evaluation.
    ///
    /// `sample` is `[batch, in_channels, height, width]` (any height and width), `context` `[batch, tokens,
    /// cross_attention_dim]`, both of any type and on any device; `timesteps` holds one number per row of the batch, or
    /// one for all, and may be fractional. The result is float32 `[batch, out_channels, height, width]` on
    /// [`Self::device`].
    ///
    /// # Errors
    /// [`DiffusionError::Input`] when the inputs' shapes do not fit, else what libtorch reports.
    pub fn forward(&self, sample: &Tensor, timesteps: &[f64], context: &Tensor) -> Result<Tensor> {
        const DOING: &str = "predicting noise";
        let _no_grad = tch::no_grad_guard();
        self.check(sample, timesteps, context)?;
        self.run(sample, timesteps, context).doing(DOING)
    }

    /// Floating-point operations of one evaluation for one picture of `height` × `width` latents and a prompt of
    /// `tokens`, by the textbook (a multiply-add counts as two).
    pub fn flop(&self, height: i64, width: i64, tokens: i64) -> f64 {
        super::flop::unet(&self.plan, height, width, tokens)
    }

    /// Channels of the input: 4, or 9 and 8 for inpainting and instruct-pix2pix models.
    pub fn in_channels(&self) -> i64 {
        self.plan.in_channels
    }

    /// Width of the encoded prompt that it wants.
    #[allow(clippy::misnamed_getters)] // A projection may stand between the prompt and the layers' own width.
    pub fn context_dim(&self) -> i64 {
        self.plan.context_input_dim
    }

    /// The device that it computes on.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The type that it computes in.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    fn check(&self, sample: &Tensor, timesteps: &[f64], context: &Tensor) -> Result<()> {
        let input = |problem: String| Err(DiffusionError::Input { part: PART, problem });
        let sample = sample.size();
        let batch = match sample.as_slice() {
            [b, c, h, w] if *b > 0 && *c == self.plan.in_channels && *h > 0 && *w > 0 => *b,
            other => {
                let channels = self.plan.in_channels;
                return input(format!("expected a sample [batch, {channels}, height, width], got {other:?}"));
            }
        };
        match context.size().as_slice() {
            [b, t, c] if *b == batch && *t > 0 && *c == self.plan.context_input_dim => {}
            other => {
                let width = self.plan.context_input_dim;
                return input(format!("expected a context [{batch}, tokens, {width}], got {other:?}"));
            }
        }
        if (timesteps.len() != 1 && timesteps.len() as i64 != batch)
            || timesteps.iter().any(|t| !t.is_finite())
        {
            return input(format!("expected 1 or {batch} finite timesteps, got {timesteps:?}"));
        }
        Ok(())
    }

    fn run(&self, sample: &Tensor, timesteps: &[f64], context: &Tensor) -> TchResult {
        let inside = |x: &Tensor| x.f_to_device(self.device)?.f_to_kind(self.kind);
        let mut sample = inside(sample)?;
        if self.plan.center_input {
            sample = sample.f_mul_scalar(2.0)?.f_sub_scalar(1.0)?;
        }
        let context = inside(context)?;
        let time = self.time_embedding(timesteps, &context)?;
        let context = match &self.context_projection {
            Some(projection) => projection.forward(&context)?,
            None => context,
        };
        let conditions = Conditions { time: &time, context: &context };

        let mut h = self.conv_in.forward(&layout::for_device(&sample, self.device)?)?;
        let mut skips = vec![h.shallow_clone()];
        for block in &self.down {
            h = block.forward(&h, conditions, &mut skips)?;
        }
        if let Some(middle) = &self.middle {
            h = middle.forward(&h, conditions)?;
        }
        for block in &self.up {
            h = block.forward(h, conditions, &mut skips)?;
        }
        h = self.plan.activation.apply(self.norm_out.forward(&h)?)?;
        self.conv_out.forward(&h)?.f_to_kind(Kind::Float)?.f_contiguous()
    }

    /// The time embedding as residual blocks want it, after their activation: `[1 or batch, time_dim]`.
    fn time_embedding(&self, timesteps: &[f64], context: &Tensor) -> TchResult {
        let plan = &self.plan;
        let waves =
            sinusoids(timesteps, plan.first_width(), plan.flip_sin_to_cos, plan.freq_shift, self.device)?;
        let mut time = self.time.forward(&waves.f_to_kind(self.kind)?)?;
        if let Some(added) = &self.added {
            time = time.f_add(&added.forward(context)?)?;
        }
        if let Some(activation) = plan.time_activation {
            time = activation.apply(time)?;
        }
        plan.activation.apply(time)
    }
}
