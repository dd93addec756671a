//! What the options ask for: a draft and pictures to start from.

use std::path::Path;

use tarim_library::pixels;
use tarim_recipe::{Draft, MaskArea, Prompt, Sampler, Size, UnknownName};
use tarim_render::{Channels, PixelShape, Pixels};

use crate::args::render::{PrecisionName, RenderOptions};
use crate::failure::{Exit, Failure, Result};
use crate::picture_file;

/// The draft of what is to be rendered, and its pictures.
pub(super) struct Wanted {
    pub(super) draft: Draft,
    pub(super) init: Option<Pixels>,
    pub(super) mask: Option<Pixels>,
    pub(super) warnings: Vec<String>,
}

impl Wanted {
    /// Reads what the options name. Options come before the recipe file.
    pub(super) fn gather(options: &RenderOptions) -> Result<Self> {
        let file = options.recipe.as_deref().map(picture_file::read).transpose()?;
        let mut warnings = Vec::new();
        if options.prompt.is_none() && file.is_none() {
            return Err(Failure::new(Exit::Usage, "there is no prompt")
                .hint("say what to draw: `tarim render \"a fox in the dunes\"`, or give `--recipe FILE`"));
        }
        let mut draft = from_options(options)?;
        if let Some(file) = file {
            draft = draft.or(file.draft);
            warnings = file.warnings;
        }
        // `auto` means the device's choice even where the recipe names another.
        if options.precision == Some(PrecisionName::Auto) {
            draft.precision = None;
        }
        let (init, mask) = Self::pictures(options, &mut draft, &mut warnings)?;
        Ok(Self { draft, init, mask, warnings })
    }

    fn pictures(
        options: &RenderOptions,
        draft: &mut Draft,
        warnings: &mut Vec<String>,
    ) -> Result<(Option<Pixels>, Option<Pixels>)> {
        let init = options.init.as_deref().map(|path| load(path, "initial picture")).transpose()?;
        let mask = options.mask.as_deref().map(|path| load(path, "mask")).transpose()?;
        check_hash(init.as_ref(), draft.init_picture.as_ref(), "--init", "initial picture", warnings)?;
        check_hash(mask.as_ref(), draft.mask_picture.as_ref(), "--mask", "mask", warnings)?;
        if let (Some(init), Some(mask)) = (&init, &mask)
            && (init.width, init.height) != (mask.width, mask.height)
        {
            let message = format!(
                "the mask is {}x{} pixels and the initial picture {}x{}",
                mask.width, mask.height, init.width, init.height
            );
            return Err(Failure::bad_input(message).hint("scale the mask to the picture's size"));
        }
        if let Some(init) = &init {
            draft.init_picture = Some(init.sha256.clone());
            if draft.width.is_none() && draft.height.is_none() {
                let size = Size::nearest(init.width, init.height);
                (draft.width, draft.height) = (Some(size.width()), Some(size.height()));
            }
        }
        if let Some(mask) = &mask {
            draft.mask_picture = Some(mask.sha256.clone());
        }
        let grey = |mask: pixels::Pixels| {
            let bytes = mask.mask();
            pixels_of(mask.width, mask.height, Channels::Grey, bytes)
        };
        let rgb = |init: pixels::Pixels| pixels_of(init.width, init.height, Channels::Rgb, init.rgb);
        Ok((init.map(rgb).transpose()?, mask.map(grey).transpose()?))
    }
}

fn load(path: &Path, what: &str) -> Result<pixels::Pixels> {
    pixels::load(path).map_err(|error| {
        Failure::from_error(Exit::BadInput, &error)
            .context(format!("the {what} `{}` cannot be used", path.display()))
    })
}

fn pixels_of(width: u32, height: u32, channels: Channels, bytes: Vec<u8>) -> Result<Pixels> {
    Pixels::new(PixelShape { width, height, channels }, bytes)
        .map_err(|error| Failure::from_error(Exit::Failure, &error))
}

/// A recipe names pictures by their content; the file has to be given, and should be that one.
fn check_hash(
    given: Option<&pixels::Pixels>,
    named: Option<&String>,
    option: &str,
    what: &str,
    warnings: &mut Vec<String>,
) -> Result<()> {
    match (given, named) {
        (None, Some(hash)) => {
            let message = format!("the recipe has an {what} (SHA-256 {hash}), and none is given")
                .replace("an mask", "a mask");
            Err(Failure::bad_input(message).hint(format!("give it with `{option} FILE`")))
        }
        (Some(given), Some(hash)) if given.sha256 != *hash => {
            warnings.push(format!("the {what} is not the one that the recipe was made with"));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn unknown(error: &UnknownName) -> Failure {
    Failure::from_error(Exit::BadInput, error)
}

fn from_options(options: &RenderOptions) -> Result<Draft> {
    let prompt = |text: &Option<String>| text.clone().map(Prompt::from);
    let (sampler, schedule_of_sampler) = match &options.sampler {
        Some(name) => {
            let (sampler, schedule) = Sampler::parse(name).map_err(|error| unknown(&error))?;
            (Some(sampler), schedule)
        }
        None => (None, None),
    };
    let schedule = match &options.schedule {
        Some(name) => Some(name.parse().map_err(|error| unknown(&error))?),
        None => schedule_of_sampler,
    };
    Ok(Draft {
        prompt: prompt(&options.prompt),
        negative_prompt: prompt(&options.negative),
        width: options.width,
        height: options.height,
        sampler,
        schedule,
        steps: options.steps,
        guidance_scale: options.guidance,
        guidance_rescale: options.guidance_rescale,
        seed: options.seed,
        variation_seed: options.variation_seed,
        variation_strength: options.variation_strength,
        noise_source: options.rng.map(Into::into),
        clip_skip: options.clip_skip,
        emphasis: options.emphasis.map(Into::into),
        eta: options.eta,
        precision: options.precision.and_then(PrecisionName::precision),
        strength: options.strength,
        resize_mode: options.resize.map(Into::into),
        image_guidance_scale: options.image_guidance,
        mask_blur: options.mask_blur,
        mask_fill: options.mask_mode.map(Into::into),
        mask_area: options.only_masked.map(|padding| MaskArea::OnlyMasked { padding }),
        mask_invert: options.mask_invert.then_some(true),
        ..Draft::default()
    })
}
