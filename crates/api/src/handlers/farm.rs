//! The render farm.

use std::path::PathBuf;

use tarim_studio::farm as domain;

use super::{Answer, need_folders};
use crate::convert;
use crate::dispatch::Door;
use crate::wire::Empty;
use crate::wire::farm::{FarmModel, FarmSettings, FarmStatus, FarmWorker, FarmWorkers};

fn wire(settings: &domain::FarmSettings) -> FarmSettings {
    FarmSettings {
        on: settings.on,
        url: settings.url.clone(),
        namespace: settings.namespace.clone().unwrap_or_default(),
        connection_file: settings.connection_file.as_deref().map(convert::shown).unwrap_or_default(),
        window: settings.window,
        share_models: settings.share_models,
    }
}

pub(crate) fn get_farm(door: &Door<'_>, _: Empty) -> Answer<FarmSettings> {
    Ok(wire(&door.studio.settings().farm))
}

pub(crate) fn change_farm(door: &Door<'_>, request: FarmSettings) -> Answer<FarmSettings> {
    let before = door.studio.settings();
    let wanted = domain::FarmSettings {
        on: request.on,
        url: request.url.trim().to_owned(),
        namespace: Some(request.namespace).filter(|name| !name.is_empty()),
        connection_file: Some(request.connection_file).filter(|file| !file.is_empty()).map(PathBuf::from),
        window: request.window,
        share_models: request.share_models,
    };
    // Where pictures and prompts are sent, and which file is read, is for people at this machine to say.
    if (&wanted.url, &wanted.connection_file, &wanted.namespace, wanted.share_models)
        != (&before.farm.url, &before.farm.connection_file, &before.farm.namespace, before.farm.share_models)
    {
        need_folders(door)?;
    }
    Ok(wire(&door.studio.change_settings(|settings| settings.farm = wanted)?.farm))
}

pub(crate) fn list_workers(door: &Door<'_>, _: Empty) -> Answer<FarmWorkers> {
    let settings = door.studio.settings().farm;
    if !settings.is_named() {
        return Ok(FarmWorkers { workers: Vec::new() });
    }
    let workers = domain::workers(&settings)?.into_iter().map(worker).collect();
    Ok(FarmWorkers { workers })
}

pub(crate) fn farm_status(door: &Door<'_>, _: Empty) -> Answer<FarmStatus> {
    let status = domain::status(&door.studio.settings().farm)?;
    Ok(FarmStatus {
        server: status.server,
        version: status.version,
        waiting: status.waiting as f64,
        running: status.running as f64,
        ended: status.ended as f64,
        dead: status.dead as f64,
        workers: status.workers as f64,
        bytes: (status.picture_bytes + status.input_bytes + status.model_bytes) as f64,
    })
}

fn worker(card: domain::Worker) -> FarmWorker {
    let device = card.device.as_ref();
    FarmWorker {
        id: card.id.to_string(),
        name: card.name,
        device: device.map(|device| device.name.clone()).unwrap_or_default(),
        device_id: device.map(|device| device.id.to_string()).unwrap_or_default(),
        models: card
            .models
            .into_iter()
            .map(|model| FarmModel { hash: model.hash.to_string(), name: model.name })
            .collect(),
        fetches_models: card.fetches_models,
        loaded: card.loaded.map(|model| model.to_string()),
        working_for: card.working_for,
        pictures: card.pictures as f64,
        speed: card.speed,
        leaving: card.leaving,
        since: card.since_ms as f64,
        seen: card.seen_ms as f64,
    }
}
