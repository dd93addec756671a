//! `tarim gallery crop` and `tarim gallery upscale`.

use tarim_api::wire::Id;
use tarim_api::wire::create::{Submit, Submitted};
use tarim_api::wire::gallery::{CropPictures, Derived, PictureDetail, PrepareRedraw, UpscalePictures};
use tarim_recipe::ResizeFilter;
use tarim_studio::{Origin, Role};

use super::{Door, print_json};
use crate::args::gallery::{CropOptions, PicturesOptions, UpscaleOptions};
use crate::environment::Environment;
use crate::failure::{Failure, Result};
use crate::output;

/// Pictures asked for at once.
const PART: usize = 100;

pub(crate) fn crop(options: &CropOptions, environment: &Environment) -> Result<()> {
    let area = options.area;
    let request = |ids| CropPictures { ids, x: area.x, y: area.y, width: area.width, height: area.height };
    derive(&options.common, environment, |door, ids| door.ask("crop_pictures", &request(ids)))
}

pub(crate) fn upscale(options: &UpscaleOptions, environment: &Environment) -> Result<()> {
    let (width, height) = (options.width, options.height);
    let factor = options.factor.or((width.is_none() && height.is_none()).then_some(2.0));
    if let Some(strength) = options.redraw {
        return redraw(options, environment, factor, strength);
    }
    let filter = options.nearest.then_some(ResizeFilter::Nearest);
    derive(&options.common, environment, |door, ids| {
        door.ask("upscale_pictures", &UpscalePictures { ids, factor, width, height, filter })
    })
}

fn derive(
    options: &PicturesOptions,
    environment: &Environment,
    make: impl Fn(&Door, Vec<String>) -> Result<Derived>,
) -> Result<()> {
    let door = Door::open(environment, options.library.as_deref(), Origin::Cli, Role::Guest)?;
    let mut failure = None;
    for ids in options.ids.chunks(PART) {
        let derived = make(&door, ids.to_vec())?;
        for id in derived.pictures {
            let detail: PictureDetail = door.ask("get_picture", &Id { id })?;
            if options.json { print_json(&detail.summary) } else { output::line(&detail.file) }
        }
        for failed in derived.failed {
            let told =
                Failure::from(failed.error).context(format!("nothing was made of the picture {}", failed.id));
            if let Some(earlier) = failure.replace(told) {
                output::failure(&earlier, options.json);
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

fn redraw(
    options: &UpscaleOptions,
    environment: &Environment,
    factor: Option<f64>,
    strength: f64,
) -> Result<()> {
    let UpscaleOptions { common, width, height, seed, .. } = options;
    let door = Door::open(environment, common.library.as_deref(), Origin::Cli, Role::Guest)?;
    for picture in &common.ids {
        let (picture, strength) = (picture.clone(), Some(strength));
        let prepare =
            PrepareRedraw { picture, factor, width: *width, height: *height, strength, seed: *seed };
        let submit: Submit = door.ask("prepare_redraw", &prepare)?;
        let submitted: Submitted = door.ask("submit", &submit)?;
        for warning in &submitted.warnings {
            output::warning(warning);
        }
        if common.json { print_json(&submitted) } else { output::line(&submitted.request) }
    }
    Ok(())
}
