//! Models.

use std::collections::HashMap;

use tarim_recipe::ModelTask as DomainTask;
use tarim_studio::models::{Model as Found, default_draft};

use super::settings::folder;
use super::{Answer, need_folders};
use crate::convert;
use crate::dispatch::Door;
use crate::wire::library::TaskStarted;
use crate::wire::models::{Folder, Model, ModelFolder, ModelTask, Models};
use crate::wire::{Empty, Id};

pub(crate) fn list_models(door: &Door<'_>, _: Empty) -> Answer<Models> {
    let models = door.studio.models();
    let overview = models.overview();
    // Models are counted by name: the pictures' files name them so, and survive a move of the model.
    let counts =
        door.studio.library().ok().and_then(|library| library.model_counts().ok()).unwrap_or_default();
    let pictures: HashMap<&str, u64> =
        counts.iter().map(|count| (count.name.as_str(), count.pictures)).collect();
    let default = models.default_id();
    let model = |found: &Found| Model {
        id: found.id.clone(),
        name: found.name.clone(),
        path: convert::shown(&found.path),
        kind: found.kind.clone(),
        family: found.family_name().to_owned(),
        task: match found.facts.as_ref().map(|facts| facts.task).unwrap_or_default() {
            DomainTask::TextToImage => ModelTask::TextToImage,
            DomainTask::Inpainting => ModelTask::Inpainting,
            DomainTask::InstructPix2Pix => ModelTask::InstructPix2pix,
        },
        layout: found.layout_name().to_owned(),
        bytes: found.bytes as f64,
        hash: models.hash_known(found),
        usable: found.usable(),
        problem: found.problem.clone().map(Into::into),
        defaults: found.facts.as_ref().map(default_draft).unwrap_or_default(),
        is_default: default.as_ref() == Some(&found.id),
        pictures: pictures.get(found.name.as_str()).map_or(0, |&count| convert::count(count)),
    };
    let folders = overview.folders.into_iter().map(|folder| ModelFolder {
        path: convert::shown(&folder.path),
        models: convert::count(folder.models),
        built_in: folder.built_in,
        problem: folder.problem.map(Into::into),
    });
    Ok(Models {
        models: overview.models.iter().map(|found| model(found)).collect(),
        folders: folders.collect(),
        scanning: overview.scanning,
    })
}

pub(crate) fn rescan_models(door: &Door<'_>, _: Empty) -> Answer<Models> {
    door.studio.scan_models();
    list_models(door, Empty {})
}

pub(crate) fn add_model_folder(door: &Door<'_>, request: Folder) -> Answer<Models> {
    need_folders(door)?;
    door.studio.add_model_folder(folder(&request.path)?)?;
    list_models(door, Empty {})
}

pub(crate) fn remove_model_folder(door: &Door<'_>, request: Folder) -> Answer<Models> {
    need_folders(door)?;
    door.studio.remove_model_folder(folder(&request.path)?)?;
    list_models(door, Empty {})
}

pub(crate) fn hash_model(door: &Door<'_>, request: Id) -> Answer<TaskStarted> {
    Ok(TaskStarted { task: door.studio.hash_model(&request.id)? })
}
