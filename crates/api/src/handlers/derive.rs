//! Pictures made from pictures.

use tarim_studio::{Derived as Made, Enlargement};

use super::Answer;
use crate::convert;
use crate::dispatch::Door;
use crate::wire::create::{Parent, Submit};
use crate::wire::gallery::{CropPictures, Derived, NotDerived, PrepareRedraw, UpscalePictures};

fn derived(made: Made) -> Derived {
    let failed = made.failed.into_iter();
    Derived {
        pictures: made.pictures.iter().map(ToString::to_string).collect(),
        failed: failed.map(|(id, error)| NotDerived { id: id.to_string(), error: error.into() }).collect(),
    }
}

pub(crate) fn crop_pictures(door: &Door<'_>, request: CropPictures) -> Answer<Derived> {
    let CropPictures { ids, x, y, width, height } = request;
    Ok(derived(door.studio.crop(&convert::ids(&ids)?, (x, y, width, height))?))
}

pub(crate) fn upscale_pictures(door: &Door<'_>, request: UpscalePictures) -> Answer<Derived> {
    let UpscalePictures { ids, factor, width, height, filter } = request;
    let to = Enlargement { factor, width, height };
    Ok(derived(door.studio.upscale(&convert::ids(&ids)?, to, filter.unwrap_or_default())?))
}

pub(crate) fn prepare_redraw(door: &Door<'_>, request: PrepareRedraw) -> Answer<Submit> {
    let PrepareRedraw { picture, factor, width, height, strength, seed } = request;
    let to = Enlargement { factor, width, height };
    let submission = door.studio.redraw(convert::id(&picture)?, to, strength, seed)?;
    Ok(Submit {
        draft: submission.draft,
        count: submission.count,
        model: submission.model,
        project: submission.project,
        tags: submission.tags,
        parent: submission.parent.map(|(picture, derivation)| Parent {
            picture: picture.to_string(),
            derivation: derivation.into(),
        }),
        priority: submission.priority,
    })
}
