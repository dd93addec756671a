//! What a render starts from: nothing, or a picture and perhaps a mask.

use tarim_checkpoint::Task;
use tarim_recipe::{Init, Mask, MaskArea, MaskFill, Recipe};

use super::api::RenderInputs;
use super::error::{PipelineError, Result};
use super::latents::Shape;
use super::raster::{Raster, Region, fill_masked, fit, gaussian, stretch};
use super::vae::{Planes, Vae};

/// One picture's beginning, ready to be mixed with noise.
#[derive(Debug, Default)]
pub(super) struct Start {
    /// Latents of the initial picture; `None` starts from noise alone.
    pub(super) latents: Option<Vec<f32>>,
    /// The cells whose latents are replaced by noise before they get noise like the others.
    pub(super) noise_cells: Option<Vec<bool>>,
    /// Channels that an inpainting or instruct-pix2pix UNet sees beside the latents.
    pub(super) channels: Vec<f32>,
    /// What a plain model's latents are put back to outside the mask.
    pub(super) blend: Option<Blend>,
    /// How the decoded picture goes into the initial one.
    pub(super) paste: Option<Paste>,
}

/// Keeps a plain model's latents outside the mask.
#[derive(Debug)]
pub(super) struct Blend {
    /// For each cell whether it is drawn.
    pub(super) drawn: Vec<bool>,
    /// The initial picture's latents.
    pub(super) original: Vec<f32>,
}

/// The initial picture with the mask, for the finished picture.
#[derive(Debug)]
pub(super) struct Paste {
    base: Raster,
    mask: Raster,
    /// The part that was rendered, where it was not all.
    region: Option<Region>,
}

impl Paste {
    /// Puts the decoded picture into the initial one. Where the blurred mask is black, pixels keep their bytes.
    pub(super) fn finish(mut self, picture: &Raster) -> Raster {
        match self.region {
            None => self.base.paste(picture, &self.mask),
            Some(region) => {
                let mut part = region.cut(&self.base);
                part.paste(&stretch(picture, region.size()), &region.cut(&self.mask));
                region.put(&mut self.base, &part);
            }
        }
        self.base
    }
}

/// What there is to do for a picture.
#[derive(Debug)]
pub(super) enum Work {
    /// Step from here.
    Render(Box<Start>),
    /// The result is known without rendering, and why.
    Done(Raster, Option<&'static str>),
}

/// Prepares a picture's beginning.
///
/// Order, as in A1111's `StableDiffusionProcessingImg2Img.init`: the mask is inverted and blurred at its own size;
/// "only masked" cuts picture and mask to the mask's surroundings; both are fitted to the recipe's size; "fill" paints
/// the masked part; the result is encoded.
pub(super) fn prepare(inputs: &RenderInputs<'_>, task: Task, vae: &mut Vae, shape: Shape) -> Result<Work> {
    let recipe = inputs.recipe;
    let size = (recipe.size.width(), recipe.size.height());
    let (Some(init), Some(picture)) = (&recipe.init, inputs.init) else {
        let channels = match task {
            Task::Inpainting => {
                inpainting_channels(&Planes::blank(size.0, size.1), vec![true; shape.cells()], vae)?
            }
            _ => Vec::new(),
        };
        return Ok(Work::Render(Box::new(Start { channels, ..Start::default() })));
    };
    let picture = rgb(picture);
    let Some((mask, masked)) = init.mask.as_ref().zip(inputs.mask) else {
        return without_mask(init, &fit(&picture, size, init.resize_mode), task, vae, shape);
    };
    let mask_pixels = grown(mask, masked);
    let Some(bounds) = Region::of_mask(&mask_pixels) else {
        let base = match mask.area {
            MaskArea::OnlyMasked { .. } => picture,
            MaskArea::WholePicture => fit(&picture, size, init.resize_mode),
        };
        return Ok(Work::Done(base, Some("the mask is empty, so the picture was left as it is")));
    };
    let (paste, mut part, part_mask) = match mask.area {
        MaskArea::WholePicture => {
            let base = fit(&picture, size, init.resize_mode);
            let mask = fit(&mask_pixels, size, init.resize_mode);
            (Paste { base: base.clone(), mask: mask.clone(), region: None }, base, mask)
        }
        MaskArea::OnlyMasked { padding } => {
            let region = bounds.padded(padding, size, picture.size());
            let part = stretch(&region.cut(&picture), size);
            let mask = stretch(&region.cut(&mask_pixels), size);
            (Paste { base: picture, mask: mask_pixels, region: Some(region) }, part, mask)
        }
    };
    if init.strength == 0.0 {
        return Ok(Work::Done(paste.base, None));
    }
    if mask.fill == MaskFill::Fill {
        part = fill_masked(&part, &part_mask);
    }
    let planes = Planes::of(&part);
    let drawn = cells(&part_mask, shape);
    let original = vae.encode(&planes)?;
    let mut latents = original.clone();
    if mask.fill == MaskFill::LatentNothing {
        for plane in latents.chunks_exact_mut(shape.cells()) {
            plane.iter_mut().zip(&drawn).filter(|(_, drawn)| **drawn).for_each(|(value, _)| *value = 0.0);
        }
    }
    let channels = match task {
        Task::TextToImage => Vec::new(),
        Task::Inpainting => inpainting_channels(&planes.masked(&part_mask), drawn.clone(), vae)?,
        Task::InstructPix2Pix => vae.encode_unscaled(&planes)?,
    };
    Ok(Work::Render(Box::new(Start {
        // At full strength nothing of what is under the mask shines through, as in diffusers' inpainting pipeline.
        latents: (init.strength < 1.0).then_some(latents),
        noise_cells: (mask.fill == MaskFill::LatentNoise).then(|| drawn.clone()),
        channels,
        blend: (task != Task::Inpainting).then_some(Blend { drawn, original }),
        paste: Some(paste),
    })))
}

fn without_mask(init: &Init, picture: &Raster, task: Task, vae: &mut Vae, shape: Shape) -> Result<Work> {
    if init.strength == 0.0 {
        return Ok(Work::Done(picture.clone(), None));
    }
    let planes = Planes::of(picture);
    let start = match task {
        // At full strength too: diffusers' img2img adds the first level's noise to the picture, in which it drowns.
        Task::TextToImage => Start { latents: Some(vae.encode(&planes)?), ..Start::default() },
        Task::Inpainting => {
            let blank = Planes::blank(picture.width(), picture.height());
            let channels = inpainting_channels(&blank, vec![true; shape.cells()], vae)?;
            Start { latents: Some(vae.encode(&planes)?), channels, ..Start::default() }
        }
        // The picture reaches the UNet beside the latents, which begin as noise in diffusers' pipeline.
        Task::InstructPix2Pix => {
            let latents = if init.strength < 1.0 { Some(vae.encode(&planes)?) } else { None };
            Start { latents, channels: vae.encode_unscaled(&planes)?, ..Start::default() }
        }
    };
    Ok(Work::Render(Box::new(start)))
}

/// The mask, then the latents of the picture without its masked part.
fn inpainting_channels(masked: &Planes, drawn: Vec<bool>, vae: &mut Vae) -> Result<Vec<f32>> {
    let latents = vae.encode(masked)?;
    Ok(drawn.into_iter().map(|drawn| if drawn { 1.0 } else { 0.0 }).chain(latents).collect())
}

/// The mask as it is used: white is drawn, edges blurred.
fn grown(mask: &Mask, pixels: &Raster) -> Raster {
    let pixels = grey(pixels);
    let pixels = if mask.invert { pixels.map(|value| 255 - value) } else { pixels };
    gaussian(pixels, mask.blur)
}

/// For each latent whether it is drawn: where the mask's mean is at least a half (A1111 rounds a resized mask), or
/// where it is not black if no cell is so full.
fn cells(mask: &Raster, shape: Shape) -> Vec<bool> {
    let (across, down) = (mask.width() as usize / shape.width, mask.height() as usize / shape.height);
    let mut sums = vec![0_usize; shape.cells()];
    for (y, row) in mask.rows().enumerate() {
        for (x, &value) in row.iter().enumerate() {
            if let Some(sum) = sums.get_mut(y / down.max(1) * shape.width + x / across.max(1)) {
                *sum += usize::from(value);
            }
        }
    }
    let half = across * down * 255;
    let drawn: Vec<bool> = sums.iter().map(|sum| 2 * sum >= half).collect();
    if drawn.contains(&true) { drawn } else { sums.iter().map(|sum| *sum > 0).collect() }
}

fn rgb(picture: &Raster) -> Raster {
    if picture.channels() == 3 {
        return picture.clone();
    }
    let mut out = Raster::filled(picture.width(), picture.height(), 3, 0);
    out.set_pixels(picture.bytes().iter().flat_map(|&value| [value; 3]));
    out
}

/// ITU-R 601 luma, as Pillow's "L".
fn grey(picture: &Raster) -> Raster {
    if picture.channels() == 1 {
        return picture.clone();
    }
    let mut out = Raster::filled(picture.width(), picture.height(), 1, 0);
    let luma = |pixel: &[u8]| match pixel {
        [r, g, b] => {
            ((u32::from(*r) * 19595 + u32::from(*g) * 38470 + u32::from(*b) * 7471 + 0x8000) >> 16) as u8
        }
        _ => 0,
    };
    out.set_pixels(picture.bytes().chunks_exact(3).map(luma));
    out
}

/// Checks that the pictures are those that the recipe and the model call for.
pub(super) fn check(inputs: &RenderInputs<'_>, task: Task) -> Result<()> {
    let RenderInputs { recipe, init, mask } = inputs;
    let wrong = |field, problem: &str| Err(PipelineError::input(field, problem));
    match (&recipe.init, init) {
        (Some(_), None) => {
            return wrong("init.picture", "is named by the recipe but was not given; give the picture");
        }
        (None, Some(_)) => return wrong("init", "is not in the recipe, but a picture was given"),
        (None, None) if task == Task::InstructPix2Pix => {
            return wrong("init", "is missing: this model changes a picture as the prompt says; give it one");
        }
        _ => {}
    }
    match (recipe.init.as_ref().and_then(|init| init.mask.as_ref()), mask) {
        (Some(_), None) => {
            wrong("init.mask.picture", "is named by the recipe but was not given; give the mask")
        }
        (None, Some(_)) => wrong("init.mask", "is not in the recipe, but a mask was given"),
        (Some(_), Some(mask)) if init.is_some_and(|init| init.size() != mask.size()) => {
            let (width, height) = init.map(Raster::size).unwrap_or_default();
            let problem = format!(
                "is {}x{} pixels large and the picture {width}x{height}; make them equal",
                mask.width(),
                mask.height()
            );
            Err(PipelineError::input("init.mask.picture", problem))
        }
        _ => Ok(()),
    }
}

/// Denoising strength where a render starts from a picture's latents; `None` where it starts from noise alone.
pub(super) fn strength(recipe: &Recipe, task: Task) -> Option<f64> {
    let init = recipe.init.as_ref()?;
    let from_noise = init.strength >= 1.0 && (init.mask.is_some() || task == Task::InstructPix2Pix);
    (!from_noise).then_some(init.strength)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_drawn_from_half_on_and_small_masks_do_not_vanish() {
        let shape = Shape { channels: 4, height: 1, width: 2 };
        let check = |white: usize, expected: [bool; 2]| {
            let mut mask = Raster::filled(16, 8, 1, 0);
            // Columns from the left.
            mask.set_pixels((0..8 * 16).map(|index| if index % 16 < white { 255 } else { 0 }));
            assert_eq!(cells(&mask, shape), expected, "{white}");
        };
        check(3, [true, false]);
        check(4, [true, false]);
        check(11, [true, false]);
        check(12, [true, true]);
        check(0, [false, false]);
    }
}
