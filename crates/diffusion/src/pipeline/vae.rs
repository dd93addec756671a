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
    use super::*;

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
