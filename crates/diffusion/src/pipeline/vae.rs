//! Pictures to latents and back, with a second try in float32.

use tarim_checkpoint::{Part, VaeConfig};
use tch::{Device, Kind, Tensor};

use super::colours::Colours;
use super::error::{PipelineError, Result};
use super::latents::{Shape, to_tensor, to_values};
use super::raster::Raster;
use crate::error::DiffusionError;
use crate::nets::AutoencoderKl;

/// The autoencoder and the scale of the latents that the UNet knows.
pub(super) struct Vae {
    part: Part<VaeConfig>,
    device: Device,
    net: AutoencoderKl,
    has_encoder: bool,
    /// The same in float32, loaded when it is first needed.
    exact: Option<AutoencoderKl>,
    colours: Option<Colours>,
}

/// A picture as the autoencoder takes it: three planes of values from -1 to 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Planes {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) values: Vec<f32>,
}

impl Planes {
    /// All of one value; 0 is the grey that inpainting models see where a picture is masked.
    pub(super) fn blank(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self { width, height, values: vec![0.0; 3 * width * height] }
    }

    /// An RGB raster's.
    pub(super) fn of(picture: &Raster) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let plane = |channel: usize| {
            let pixels = picture.bytes().chunks_exact(3);
            pixels.map(move |pixel| f32::from(pixel.get(channel).copied().unwrap_or_default()) / 127.5 - 1.0)
        };
        Self { width, height, values: (0..3).flat_map(plane).collect() }
    }

    /// Grey (0) where the mask, grey levels of the same size, is 128 or more.
    pub(super) fn masked(mut self, mask: &Raster) -> Self {
        for plane in self.values.chunks_exact_mut(self.width * self.height) {
            for (value, &mask) in plane.iter_mut().zip(mask.bytes()) {
                if mask >= 128 {
                    *value = 0.0;
                }
            }
        }
        self
    }

    /// 8 bits a channel, as diffusers rounds: to the nearest, ties to even.
    fn into_raster(self) -> Result<Raster> {
        let cells = self.width * self.height;
        let byte = |value: f32| ((value / 2.0 + 0.5).clamp(0.0, 1.0) * 255.0).round_ties_even() as u8;
        let mut bytes = vec![0; 3 * cells];
        for (channel, plane) in self.values.chunks_exact(cells).take(3).enumerate() {
            bytes.iter_mut().skip(channel).step_by(3).zip(plane).for_each(|(out, value)| *out = byte(*value));
        }
        Raster::new(self.width as u32, self.height as u32, 3, bytes)
    }
}

impl Vae {
    /// Loads the decoder; the encoder follows when it is needed.
    pub(super) fn load(part: &Part<VaeConfig>, device: Device, kind: Kind) -> Result<Self> {
        let net = AutoencoderKl::load_decoder(&part.config, &part.weights, device, kind)?;
        Ok(Self { part: part.clone(), device, net, has_encoder: false, exact: None, colours: None })
    }

    /// Pixels a latent along each side.
    pub(super) fn factor(&self) -> u32 {
        self.part.config.factor()
    }

    /// Channels of latents.
    pub(super) fn channels(&self) -> usize {
        self.part.config.latent_channels as usize
    }

    /// Latents in the UNet's scale: the most likely ones.
    ///
    /// The encoder gives a distribution; diffusers draws from it, with the picture's generator and before its noise.
    /// Here it is not drawn from: its deviation is far below what can be seen, one picture has one encoding whatever
    /// the seed, and the noise that a seed gives is the same with and without an initial picture.
    pub(super) fn encode(&mut self, picture: &Planes) -> Result<Vec<f32>> {
        let VaeConfig { scaling_factor, shift_factor, .. } = self.part.config;
        let shift = shift_factor.unwrap_or_default();
        let values = self.encode_unscaled(picture)?;
        Ok(values.into_iter().map(|value| ((f64::from(value) - shift) * scaling_factor) as f32).collect())
    }

    /// Latents without the UNet's scale, as instruct-pix2pix models take their picture.
    pub(super) fn encode_unscaled(&mut self, picture: &Planes) -> Result<Vec<f32>> {
        if !self.has_encoder {
            self.net =
                AutoencoderKl::load(&self.part.config, &self.part.weights, self.device, self.net.kind())?;
            self.has_encoder = true;
        }
        let shape = Shape { channels: 3, height: picture.height, width: picture.width };
        let tensor = to_tensor(&picture.values, shape)?;
        let posterior = match self.net.encode(&tensor) {
            Err(DiffusionError::NotFinite { .. }) if self.net.kind() != Kind::Float => {
                AutoencoderKl::load(&self.part.config, &self.part.weights, self.device, Kind::Float)?
                    .encode(&tensor)?
            }
            other => other?,
        };
        Ok(to_values(&posterior.mean)?)
    }

    /// The picture of latents in the UNet's scale, and whether it took float32 because the networks' own type
    /// overflowed.
    pub(super) fn decode(&mut self, latents: &[f32], shape: Shape) -> Result<(Raster, bool)> {
        let tensor = self.unscaled(latents, shape)?;
        let (decoded, again) = match self.net.decode(&tensor) {
            Err(DiffusionError::NotFinite { .. }) if self.net.kind() != Kind::Float => {
                (self.exact()?.decode(&tensor)?, true)
            }
            other => (other?, false),
        };
        Ok((planes(&decoded)?.into_raster()?, again))
    }

    fn unscaled(&self, latents: &[f32], shape: Shape) -> Result<Tensor> {
        let VaeConfig { scaling_factor, shift_factor, .. } = self.part.config;
        let shift = shift_factor.unwrap_or_default();
        let values: Vec<f32> =
            latents.iter().map(|value| (f64::from(*value) / scaling_factor + shift) as f32).collect();
        Ok(to_tensor(&values, shape)?)
    }

    fn exact(&mut self) -> Result<&AutoencoderKl> {
        let exact = match self.exact.take() {
            Some(exact) => exact,
            None => {
                AutoencoderKl::load_decoder(&self.part.config, &self.part.weights, self.device, Kind::Float)?
            }
        };
        Ok(self.exact.insert(exact))
    }

    /// A rough picture of latents, one pixel each; `None` where no colours could be fitted to the decoder.
    pub(super) fn preview(&mut self, latents: &[f32], shape: Shape) -> Option<Raster> {
        if self.colours.is_none() {
            let channels = self.channels();
            self.colours = Some(Colours::fit(channels, |latents, shape| {
                let tensor = self.unscaled(latents, shape)?;
                planes(&self.net.decode(&tensor)?)
            }));
        }
        self.colours.as_ref().and_then(|colours| colours.paint(latents, shape))
    }
}

fn planes(decoded: &Tensor) -> Result<Planes> {
    match decoded.size().as_slice() {
        [1, 3, height, width] => {
            Ok(Planes { width: *width as usize, height: *height as usize, values: to_values(decoded)? })
        }
        other => Err(PipelineError::Fault { message: format!("the decoder gave a tensor {other:?}") }),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tarim_recipe::{Precision, Recipe};

    use super::super::{LoadOptions, Pipeline, RenderInputs, Rendering};
    use super::*;
    use crate::device::DeviceChoice;

    /// A recorded model whose autoencoder leaves float16's range and not float32's: what its first convolutions give
    /// is beyond 65,504, and the last norms bring it back.
    fn overflowing() -> Pipeline {
        let model = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/models/sd1");
        let options = LoadOptions {
            device: DeviceChoice::Cpu,
            precision: Some(Precision::Fp32),
            pictures_per_call: None,
        };
        let copy = tempfile::tempdir().unwrap();
        for folder in ["", "scheduler", "text_encoder", "tokenizer", "unet", "vae"] {
            std::fs::create_dir_all(copy.path().join(folder)).unwrap();
            for entry in std::fs::read_dir(model.join(folder)).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_file() {
                    std::fs::copy(entry.path(), copy.path().join(folder).join(entry.file_name())).unwrap();
                }
            }
        }
        let file = copy.path().join("vae/diffusion_pytorch_model.safetensors");
        let mut tensors = Tensor::read_safetensors(&file).unwrap();
        for (name, tensor) in &mut tensors {
            *tensor = tensor.to_kind(Kind::Float);
            if name.ends_with("coder.conv_in.weight") {
                *tensor *= 1e6;
            }
        }
        Tensor::write_safetensors(&tensors, file).unwrap();
        Pipeline::load(copy.path(), &options).unwrap()
    }

    fn in_half(vae: &Vae) -> Vae {
        Vae::load(&vae.part, Device::Cpu, Kind::Half).unwrap()
    }

    #[test]
    fn what_overflows_in_float16_is_decoded_again_in_float32() {
        let recipe = Recipe::from_json(
            r#"{"tarim_recipe":1,"model":{"name":"sd1"},"prompt":"a fox","negative_prompt":"","size":{"width":64,
            "height":64},"sampler":"Euler","schedule":"Karras","steps":2,"guidance_scale":3,"seed":"4","precision":"fp32"}"#,
        )
        .unwrap();
        let mut pipeline = overflowing();
        let render = |pipeline: &mut Pipeline| -> Rendering {
            let inputs = [RenderInputs { recipe: &recipe, init: None, mask: None }];
            pipeline.render_batch(&inputs, &mut ()).unwrap()
        };
        let exact = render(&mut pipeline);
        assert!(exact.warnings.is_empty(), "{:?}", exact.warnings);

        pipeline.vae = in_half(&pipeline.vae);
        let latents = Tensor::zeros([1, 4, 8, 8], (Kind::Float, Device::Cpu));
        let half = pipeline.vae.net.decode(&latents);
        assert!(matches!(half, Err(DiffusionError::NotFinite { .. })), "{half:?}");
        // The second time with what was loaded the first time.
        for _ in 0..2 {
            let again = render(&mut pipeline);
            assert_eq!(again.pictures, exact.pictures);
            let [warning] = again.warnings.as_slice() else { panic!("{:?}", again.warnings) };
            assert!(warning.starts_with("the VAE overflowed, so the picture was decoded again in float32"));
        }
    }

    #[test]
    fn what_overflows_in_float16_is_encoded_again_in_float32() {
        let mut vae = overflowing().vae;
        let mut half = in_half(&vae);
        let values = (0..3 * 64 * 64).map(|i| (i as f32 * 0.37).sin()).collect();
        let picture = Planes { width: 64, height: 64, values };
        let exact = vae.encode(&picture).unwrap();
        assert!(exact.iter().all(|value| value.is_finite()));
        assert_eq!(half.encode(&picture).unwrap(), exact);
    }

    #[test]
    fn pixels_survive_the_way_to_planes_and_back() {
        let bytes: Vec<u8> = (0..=254).collect();
        let picture = Raster::new(17, 5, 3, bytes).unwrap();
        let planes = Planes::of(&picture);
        assert_eq!(planes.clone().into_raster().unwrap(), picture);
        let mask = Raster::filled(17, 5, 1, 128);
        assert_eq!(planes.masked(&mask), Planes::blank(17, 5));
    }
}
