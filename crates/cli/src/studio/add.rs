//! `tarim queue add`: from options to pictures in the queue.

use std::fs;

use tarim_api::wire::Empty;
use tarim_api::wire::create::{Submit, Submitted};
use tarim_api::wire::models::Models;
use tarim_recipe::{Draft, Prompt, Sampler};

use super::{Door, print_json};
use crate::args::queue::{DraftOptions, QueueAddOptions};
use crate::failure::{Exit, Failure, Result};
use crate::{output, picture_file};

pub(super) fn run(door: &Door, options: &QueueAddOptions, json: bool) -> Result<()> {
    let submit = Submit {
        draft: draft(door, &options.draft, "tarim queue add")?,
        count: options.count,
        model: options.draft.model.as_deref().map(|name| model(door, name)).transpose()?,
        project: options.project.clone(),
        tags: options.tag.clone(),
        parent: None,
        priority: options.priority,
    };
    let submitted: Submitted = door.ask("submit", &submit)?;
    for warning in &submitted.warnings {
        output::warning(warning);
    }
    if json {
        print_json(&submitted);
    } else {
        output::line(&submitted.request);
    }
    Ok(())
}

/// What is asked for, with the recipe under it and its initial picture in the library.
pub(super) fn draft(door: &Door, options: &DraftOptions, command: &str) -> Result<Draft> {
    let mut draft = from_options(options)?;
    if let Some(path) = &options.recipe {
        let file = picture_file::read(path)?;
        for warning in &file.warnings {
            output::warning(warning);
        }
        draft = draft.or(file.draft);
    }
    if draft.prompt.is_none() {
        return Err(Failure::new(Exit::Usage, "there is no prompt")
            .hint(format!("say what to draw: `{command} \"a fox in the dunes\"`, or give `--recipe FILE`")));
    }
    if let Some(path) = &options.init {
        let bytes = fs::read(path).map_err(|error| {
            Failure::from_error(Exit::BadInput, &error)
                .context(format!("the picture `{}` cannot be read", path.display()))
        })?;
        let input = tarim_api::upload(&door.studio, &bytes)?;
        if draft.width.is_none() && draft.height.is_none() {
            let size = tarim_recipe::Size::nearest(input.width, input.height);
            (draft.width, draft.height) = (Some(size.width()), Some(size.height()));
        }
        draft.init_picture = Some(input.sha256);
    }
    Ok(draft)
}

/// A model's id by its id, name or path.
pub(super) fn model(door: &Door, name: &str) -> Result<String> {
    let known: Models = door.ask("list_models", &Empty {})?;
    let found =
        known.models.iter().find(|model| model.id == name || model.name == name || model.path == name);
    if let Some(model) = found {
        return Ok(model.id.clone());
    }
    let names: Vec<String> = known.models.iter().map(|model| format!("`{}`", model.name)).collect();
    Err(Failure::bad_input(format!("there is no model `{name}`; there are: {}", names.join(", ")))
        .hint("add its folder in the Models view, or name it in the environment variable `TARIM_MODEL`"))
}

fn from_options(options: &DraftOptions) -> Result<Draft> {
    let unknown = |error: tarim_recipe::UnknownName| Failure::from_error(Exit::BadInput, &error);
    let (sampler, schedule_of_sampler) = match &options.sampler {
        Some(name) => {
            let (sampler, schedule) = Sampler::parse(name).map_err(unknown)?;
            (Some(sampler), schedule)
        }
        None => (None, None),
    };
    let schedule = match &options.schedule {
        Some(name) => Some(name.parse().map_err(unknown)?),
        None => schedule_of_sampler,
    };
    Ok(Draft {
        prompt: options.prompt.clone().map(Prompt::from),
        negative_prompt: options.negative.clone().map(Prompt::from),
        width: options.width,
        height: options.height,
        sampler,
        schedule,
        steps: options.steps,
        guidance_scale: options.guidance,
        seed: options.seed,
        strength: options.strength,
        ..Draft::default()
    })
}
