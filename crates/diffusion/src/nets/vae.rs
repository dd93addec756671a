//! `AutoencoderKL`: pictures to latents and back.

use tarim_checkpoint::{VaeConfig, Weights};
use tch::{Device, Kind, Tensor};

use super::attention::{attend, split_heads};
use super::blocks::Downsample;
use super::layers::{Activation, Conv2d, GroupNorm, Linear, UpsampleConv};
use super::layout::{self, TchResult};
use super::resnet::{Resnet, ResnetShape};
use crate::error::{DiffusionError, Doing, Result};
use crate::weights::Loader;

const PART: &str = "VAE";
/// diffusers builds every norm of the autoencoder with this.
const EPS: f64 = 1e-6;

/// What the encoder knows about a picture's latents: a normal distribution per element.
#[derive(Debug)]
pub struct Posterior {
    /// Means, `[batch, latent_channels, height / f, width / f]`, float32, not scaled by `scaling_factor`.
    pub mean: Tensor,
    /// Logarithms of the variances, of the same shape, within −30 to 20.
    pub logvar: Tensor,
}

/// The autoencoder of Stable Diffusion 1 and 2, built from its configuration.
#[derive(Debug)]
pub struct AutoencoderKl {
    encoder: Option<Encoder>,
    decoder: Decoder,
    factor: i64,
    channels: i64,
    latent_channels: i64,
    device: Device,
    kind: Kind,
}

impl AutoencoderKl {
    /// Loads encoder and decoder.
    ///
    /// # Errors
    /// When the configuration asks for what is not done here, or a tensor is missing, misshapen or damaged.
    pub fn load(config: &VaeConfig, weights: &Weights, device: Device, kind: Kind) -> Result<Self> {
        let mut this = Self::load_decoder(config, weights, device, kind)?;
        let plan = Plan::new(config)?;
        let _no_grad = tch::no_grad_guard();
        this.encoder = Some(Encoder::load(&Loader::new(PART, weights, device, kind), &plan)?);
        Ok(this)
    }

    /// Loads the decoder only: enough for drawing from text. [`Self::encode`] is then an error.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_decoder(config: &VaeConfig, weights: &Weights, device: Device, kind: Kind) -> Result<Self> {
        let plan = Plan::new(config)?;
        let _no_grad = tch::no_grad_guard();
        Ok(Self {
            encoder: None,
            decoder: Decoder::load(&Loader::new(PART, weights, device, kind), &plan)?,
            factor: 1 << (plan.widths.len() - 1),
            channels: plan.channels,
            latent_channels: plan.latent_channels,
            device,
            kind,
        })
    }

    /// Distribution of a picture's latents.
    ///
    /// `picture` is `[batch, 3, height, width]` within −1 to 1, of any type and on any device; height and width should
    /// be multiples of [`Self::factor`].
    ///
    /// # Errors
    /// [`DiffusionError::NotFinite`] when the result holds NaN, [`DiffusionError::Input`] for another shape or without
    /// an encoder, else what libtorch reports.
    pub fn encode(&self, picture: &Tensor) -> Result<Posterior> {
        const DOING: &str = "encoding a picture";
        let Some(encoder) = &self.encoder else {
            return Err(input("only the decoder was loaded".into()));
        };
        let _no_grad = tch::no_grad_guard();
        check(picture, self.channels)?;
        let moments = self.prepare(picture).and_then(|x| encoder.forward(&x)).doing(DOING)?;
        let moments = moments.f_to_kind(Kind::Float).doing(DOING)?;
        if !is_finite(&moments)? {
            return Err(DiffusionError::NotFinite { what: "the encoded picture" });
        }
        let half = |start| {
            moments.f_narrow(1, start, self.latent_channels).and_then(|t| t.f_contiguous()).doing(DOING)
        };
        let logvar = half(self.latent_channels)?.f_clamp(-30.0, 20.0).doing(DOING)?;
        Ok(Posterior { mean: half(0)?, logvar })
    }

    /// Picture of latents.
    ///
    /// `latents` are `[batch, latent_channels, h, w]`, already divided by `scaling_factor`, of any type and on any
    /// device. The result is float32 `[batch, 3, h · factor, w · factor]`, about −1 to 1 and not clamped.
    ///
    /// # Errors
    /// [`DiffusionError::NotFinite`] when the result holds NaN: in half precision some autoencoders overflow; load the
    /// decoder again in float32 from the same weights and decode once more. Otherwise what libtorch reports.
    pub fn decode(&self, latents: &Tensor) -> Result<Tensor> {
        const DOING: &str = "decoding a picture";
        let _no_grad = tch::no_grad_guard();
        check(latents, self.latent_channels)?;
        let batch = latents.size().first().copied().unwrap_or_default();
        // One picture at a time: the last levels are by far the largest tensors of all.
        let pictures = (0..batch)
            .map(|i| {
                let x = latents.f_narrow(0, i, 1).and_then(|x| self.prepare(&x)).doing(DOING)?;
                let picture = self.decoder.forward(x).doing(DOING)?;
                picture.f_to_kind(Kind::Float).and_then(|t| t.f_contiguous()).doing(DOING)
            })
            .collect::<Result<Vec<_>>>()?;
        let pictures = Tensor::f_cat(&pictures, 0).doing(DOING)?;
        if is_finite(&pictures)? {
            Ok(pictures)
        } else {
            Err(DiffusionError::NotFinite { what: "the decoded picture" })
        }
    }

    /// Pixels per latent along each side: 8 for Stable Diffusion.
    pub fn factor(&self) -> i64 {
        self.factor
    }

    /// The device that it computes on.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The type that it computes in.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    fn prepare(&self, x: &Tensor) -> TchResult {
        layout::for_device(&x.f_to_device(self.device)?.f_to_kind(self.kind)?, self.device)
    }
}

fn input(problem: String) -> DiffusionError {
    DiffusionError::Input { part: PART, problem }
}

fn check(x: &Tensor, channels: i64) -> Result<()> {
    match x.size().as_slice() {
        [b, c, h, w] if *b > 0 && *c == channels && *h > 0 && *w > 0 => Ok(()),
        other => Err(input(format!("expected [batch, {channels}, height, width], got {other:?}"))),
    }
}

fn is_finite(x: &Tensor) -> Result<bool> {
    let sum = x.f_sum(Kind::Double).and_then(|sum| sum.f_double_value(&[])).doing("checking a result")?;
    Ok(sum.is_finite())
}

/// What the configuration comes down to.
struct Plan {
    channels: i64,
    outputs: i64,
    latent_channels: i64,
    widths: Vec<i64>,
    layers: i64,
    groups: i64,
    activation: Activation,
    attention: bool,
    quant: bool,
    post_quant: bool,
}

impl Plan {
    fn new(config: &VaeConfig) -> Result<Self> {
        let unsupported = |problem: String| DiffusionError::Unsupported { part: PART, problem };
        let widths: Vec<i64> = config.block_out_channels.iter().map(|&width| width as i64).collect();
        // Eight levels are sixteen times more shrinking than any known autoencoder does.
        if widths.is_empty() || widths.len() > 8 {
            return Err(unsupported(format!("{} block_out_channels", widths.len())));
        }
        for (types, only) in
            [(&config.down_block_types, "DownEncoderBlock2D"), (&config.up_block_types, "UpDecoderBlock2D")]
        {
            if types.len() != widths.len() {
                return Err(unsupported(format!(
                    "{} block types for {} block_out_channels",
                    types.len(),
                    widths.len()
                )));
            }
            if let Some(other) = types.iter().find(|kind| *kind != only) {
                return Err(unsupported(format!("block type `{other}`")));
            }
        }
        Ok(Self {
            channels: config.in_channels as i64,
            outputs: config.out_channels as i64,
            latent_channels: config.latent_channels as i64,
            widths,
            layers: config.layers_per_block as i64,
            groups: config.norm_num_groups as i64,
            activation: Activation::from_name(&config.act_fn)
                .ok_or_else(|| unsupported(format!("unknown activation `{}`", config.act_fn)))?,
            attention: config.mid_block_add_attention,
            quant: config.use_quant_conv,
            post_quant: config.use_post_quant_conv,
        })
    }

    fn resnet(&self, inputs: i64, outputs: i64) -> ResnetShape {
        ResnetShape {
            inputs,
            outputs,
            time_dim: None,
            scale_shift: false,
            groups: self.groups,
            eps: EPS,
            activation: self.activation,
            output_scale: 1.0,
        }
    }

    fn deepest(&self) -> i64 {
        self.widths.last().copied().unwrap_or_default()
    }

    fn shallowest(&self) -> i64 {
        self.widths.first().copied().unwrap_or_default()
    }
}

/// Attention of all pixels of the middle to each other, with one head.
#[derive(Debug)]
struct PixelAttention {
    norm: GroupNorm,
    all: Linear,
    out: Linear,
}

impl PixelAttention {
    fn load(from: &Loader<'_>, channels: i64, groups: i64) -> Result<Self> {
        let all = [from.sub("to_q"), from.sub("to_k"), from.sub("to_v")];
        Ok(Self {
            norm: GroupNorm::load(&from.sub("group_norm"), channels, groups, EPS)?,
            all: Linear::load_side_by_side(&all, channels, channels, true)?,
            out: Linear::load(&from.sub("to_out").sub("0"), channels, channels)?,
        })
    }

    fn forward(&self, mut x: Tensor) -> TchResult {
        let (_, _, height, width) = x.size4()?;
        let tokens = layout::to_tokens(&self.norm.forward(&x)?)?;
        let parts = split_heads(&self.all.forward(&tokens)?, 3, 1)?;
        let [q, k, v] = parts.as_slice() else {
            return Err(tch::TchError::Shape("attention parts".into()));
        };
        let out = self.out.forward(&attend(q, k, v, false)?)?;
        x.f_add_(&layout::from_tokens(&out, height, width)?)
    }
}

/// A residual block, attention, a residual block.
#[derive(Debug)]
struct Middle {
    first: Resnet,
    attention: Option<PixelAttention>,
    last: Resnet,
}

impl Middle {
    fn load(from: &Loader<'_>, plan: &Plan) -> Result<Self> {
        let width = plan.deepest();
        let (resnets, attentions) = (from.sub("resnets"), from.sub("attentions"));
        Ok(Self {
            first: Resnet::load(&resnets.sub(0), plan.resnet(width, width))?,
            attention: plan
                .attention
                .then(|| PixelAttention::load(&attentions.sub(0), width, plan.groups))
                .transpose()?,
            last: Resnet::load(&resnets.sub(1), plan.resnet(width, width))?,
        })
    }

    fn forward(&self, x: &Tensor) -> TchResult {
        let mut h = self.first.forward(x, None)?;
        if let Some(attention) = &self.attention {
            h = attention.forward(h)?;
        }
        self.last.forward(&h, None)
    }
}

/// Picture to moments (means and log-variances side by side).
#[derive(Debug)]
struct Encoder {
    conv_in: Conv2d,
    levels: Vec<(Vec<Resnet>, Option<Downsample>)>,
    middle: Middle,
    norm_out: GroupNorm,
    conv_out: Conv2d,
    quant: Option<Conv2d>,
}

impl Encoder {
    fn load(root: &Loader<'_>, plan: &Plan) -> Result<Self> {
        let from = root.sub("encoder");
        let mut inputs = plan.shallowest();
        let mut levels = Vec::with_capacity(plan.widths.len());
        for (level, &width) in plan.widths.iter().enumerate() {
            let block = from.sub("down_blocks").sub(level);
            let mut resnets = Vec::new();
            for layer in 0..plan.layers {
                resnets.push(Resnet::load(&block.sub("resnets").sub(layer), plan.resnet(inputs, width))?);
                inputs = width;
            }
            let last = level + 1 == plan.widths.len();
            let downsample =
                (!last).then(|| Downsample::load(&block.sub("downsamplers").sub(0), width, 0)).transpose()?;
            levels.push((resnets, downsample));
        }
        let moments = 2 * plan.latent_channels;
        Ok(Self {
            conv_in: Conv2d::load(&from.sub("conv_in"), plan.channels, plan.shallowest(), 3)?,
            levels,
            middle: Middle::load(&from.sub("mid_block"), plan)?,
            norm_out: GroupNorm::load(&from.sub("conv_norm_out"), plan.deepest(), plan.groups, EPS)?,
            conv_out: Conv2d::load(&from.sub("conv_out"), plan.deepest(), moments, 3)?,
            quant: plan
                .quant
                .then(|| Conv2d::load(&root.sub("quant_conv"), moments, moments, 1))
                .transpose()?,
        })
    }

    fn forward(&self, x: &Tensor) -> TchResult {
        let mut h = self.conv_in.forward(x)?;
        for (resnets, downsample) in &self.levels {
            for resnet in resnets {
                h = resnet.forward(&h, None)?;
            }
            if let Some(downsample) = downsample {
                h = downsample.forward(&h)?;
            }
        }
        h = self.middle.forward(&h)?;
        // diffusers ends both halves with SiLU, whatever `act_fn` says.
        h = self.conv_out.forward(&Activation::Silu.apply(self.norm_out.forward(&h)?)?)?;
        match &self.quant {
            Some(quant) => quant.forward(&h),
            None => Ok(h),
        }
    }
}

/// Latents to picture.
#[derive(Debug)]
struct Decoder {
    post_quant: Option<Conv2d>,
    conv_in: Conv2d,
    middle: Middle,
    levels: Vec<(Vec<Resnet>, Option<UpsampleConv>)>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Decoder {
    fn load(root: &Loader<'_>, plan: &Plan) -> Result<Self> {
        let from = root.sub("decoder");
        let latent = plan.latent_channels;
        let mut inputs = plan.deepest();
        let mut levels = Vec::with_capacity(plan.widths.len());
        for (level, &width) in plan.widths.iter().rev().enumerate() {
            let block = from.sub("up_blocks").sub(level);
            let mut resnets = Vec::new();
            for layer in 0..=plan.layers {
                resnets.push(Resnet::load(&block.sub("resnets").sub(layer), plan.resnet(inputs, width))?);
                inputs = width;
            }
            let last = level + 1 == plan.widths.len();
            let upsample = (!last)
                .then(|| UpsampleConv::load(&block.sub("upsamplers").sub(0).sub("conv"), width))
                .transpose()?;
            levels.push((resnets, upsample));
        }
        Ok(Self {
            post_quant: plan
                .post_quant
                .then(|| Conv2d::load(&root.sub("post_quant_conv"), latent, latent, 1))
                .transpose()?,
            conv_in: Conv2d::load(&from.sub("conv_in"), latent, plan.deepest(), 3)?,
            middle: Middle::load(&from.sub("mid_block"), plan)?,
            levels,
            norm_out: GroupNorm::load(&from.sub("conv_norm_out"), plan.shallowest(), plan.groups, EPS)?,
            conv_out: Conv2d::load(&from.sub("conv_out"), plan.shallowest(), plan.outputs, 3)?,
        })
    }

    fn forward(&self, x: Tensor) -> TchResult {
        let x = match &self.post_quant {
            Some(post_quant) => post_quant.forward(&x)?,
            None => x,
        };
        let mut h = self.middle.forward(&self.conv_in.forward(&x)?)?;
        for (resnets, upsample) in &self.levels {
            for resnet in resnets {
                h = resnet.forward(&h, None)?;
            }
            if let Some(upsample) = upsample {
                h = upsample.forward(&h)?;
            }
        }
        self.conv_out.forward(&Activation::Silu.apply(self.norm_out.forward(&h)?)?)
    }
}
