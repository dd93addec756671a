//! Making pictures: prompts, inputs, submission, styles, presets.

use std::sync::Arc;

use tarim_library::{Library, picture};
use tarim_recipe::prompt::{Role, Severity};
use tarim_recipe::{MAX_STEPS, Sampler, Schedule, Size};
use tarim_studio::found_recipe::{self, FoundRecipe as Found, Source};
use tarim_studio::inputs::{self, Input as Kept, Margins};
use tarim_studio::presets::Preset as DomainPreset;
use tarim_studio::styles::{Style as DomainStyle, Styles as DomainStyles};
use tarim_studio::{Submission, prompts};

use super::Answer;
use crate::convert;
use crate::dispatch::Door;
use crate::error::{ErrorCode, WireError};
use crate::wire::create::{
    AppliedStyles, ApplyStyles, Choices, DescribePrompt, FoundRecipe, Input, InputId, Name, Outpaint,
    PrepareOutpaint, Preset, Presets, PromptDescription, ReadInfotext, RecipeSource, SamplerChoice,
    SaveStyle, Style, Styles, Submit, Submitted,
};
use crate::wire::queue::{Estimate, EstimateRequest};
use crate::wire::{Empty, Id, Remark, RemarkSeverity};

pub(crate) fn get_choices(_: &Door<'_>, _: Empty) -> Answer<Choices> {
    let sampler = |sampler: Sampler| SamplerChoice {
        name: sampler.name().to_owned(),
        automatic_schedule: Schedule::Automatic.resolve(sampler).name().to_owned(),
    };
    Ok(Choices {
        samplers: Sampler::all().map(sampler).collect(),
        schedules: Schedule::all().map(|schedule| schedule.name().to_owned()).collect(),
        size_step: Size::STEP,
        size_min: Size::MIN_SIDE,
        size_max: Size::MAX_SIDE,
        steps_max: MAX_STEPS,
    })
}

pub(crate) fn describe_prompt(door: &Door<'_>, request: DescribePrompt) -> Answer<PromptDescription> {
    let tokenizer = door.studio.models().tokenizer(request.model.as_deref())?;
    let role = if request.negative { Role::Negative } else { Role::Positive };
    let found = prompts::describe(&tokenizer, &request.text, role, request.steps, request.emphasis)?;
    let remark = |remark: prompts::Remark| Remark {
        from: remark.from,
        to: remark.to,
        code: remark.code,
        severity: match remark.severity {
            Severity::Hint => RemarkSeverity::Hint,
            Severity::Warning => RemarkSeverity::Warning,
        },
        message: remark.message,
        suggestion: None,
    };
    Ok(PromptDescription {
        chunks: found.chunks,
        chunk_size: found.chunk_size,
        scheduled: found.scheduled,
        conditionings: found.conditionings,
        remarks: found.remarks.into_iter().map(remark).collect(),
    })
}

fn submission(door: &Door<'_>, submit: Submit) -> Answer<Submission> {
    let parent = submit
        .parent
        .map(|parent| Ok::<_, WireError>((convert::id(&parent.picture)?, parent.derivation.into())));
    Ok(Submission {
        draft: submit.draft,
        count: submit.count,
        model: submit.model,
        project: submit.project.filter(|project| !project.trim().is_empty()),
        tags: submit.tags,
        parent: parent.transpose()?,
        priority: submit.priority,
        origin: Some(door.caller.origin),
    })
}

pub(crate) fn submit(door: &Door<'_>, request: Submit) -> Answer<Submitted> {
    let submitted = door.studio.submit(&submission(door, request)?)?;
    Ok(Submitted {
        request: submitted.request.to_string(),
        jobs: submitted.jobs.iter().map(ToString::to_string).collect(),
        seed: submitted.seed.0.to_string(),
        warnings: submitted.warnings,
    })
}

pub(crate) fn estimate(door: &Door<'_>, request: EstimateRequest) -> Answer<Estimate> {
    let estimate = door.studio.estimate(&submission(door, request.submit)?)?;
    Ok(Estimate { seconds: estimate.seconds.filter(|seconds| seconds.is_finite()), bytes: estimate.bytes })
}

pub(crate) fn read_infotext(door: &Door<'_>, request: ReadInfotext) -> Answer<FoundRecipe> {
    Ok(found(door, found_recipe::of_text(&request.text)?))
}

pub(crate) fn read_input(door: &Door<'_>, request: InputId) -> Answer<FoundRecipe> {
    let library = door.studio.library()?;
    let path = inputs::path(library.root(), &request.sha256)?;
    let info = picture::read(&path).map_err(|error| {
        WireError::new(ErrorCode::BadInput, "the picture cannot be read any more")
            .hint(format!("drop it once more ({error})"))
    })?;
    Ok(found(door, found_recipe::of_picture(info)))
}

/// Pictures that a recipe starts from cannot be restored where they are not kept, and that is worth a word.
fn found(door: &Door<'_>, found: Found) -> FoundRecipe {
    let Found { mut draft, source, mut warnings } = found;
    if let (Some(draft), Ok(library)) = (&mut draft, door.studio.library()) {
        let is_missing = |sha256: &Option<String>| {
            sha256.as_ref().is_some_and(|sha256| inputs::find(library.root(), sha256).is_none())
        };
        if is_missing(&draft.init_picture) || is_missing(&draft.mask_picture) {
            *draft = std::mem::take(draft).without_init();
            warnings.push(
                "it was made from another picture, which is not kept in this library; drop that picture too"
                    .to_owned(),
            );
        }
    }
    let source = match source {
        Source::Tarim => RecipeSource::Tarim,
        Source::Infotext => RecipeSource::Infotext,
        Source::None => RecipeSource::None,
    };
    FoundRecipe { draft, source, warnings }
}

pub(crate) fn input(kept: Kept) -> Input {
    Input { sha256: kept.sha256, width: kept.width, height: kept.height }
}

/// A picture of the library, copied to the inputs as it is now.
pub(crate) fn input_from_picture(door: &Door<'_>, request: Id) -> Answer<Input> {
    Ok(input(door.studio.input_of_picture(convert::id(&request.id)?)?))
}

pub(crate) fn prepare_outpaint(door: &Door<'_>, request: PrepareOutpaint) -> Answer<Outpaint> {
    let library: Arc<Library> = door.studio.library()?;
    let PrepareOutpaint { sha256, left, top, right, bottom, overlap } = request;
    let made = inputs::outpaint(library.root(), &sha256, Margins { left, top, right, bottom }, overlap)?;
    Ok(Outpaint { init: input(made.init), mask: input(made.mask) })
}

fn styles(styles: DomainStyles) -> Styles {
    let style =
        |DomainStyle { name, prompt, negative_prompt }: DomainStyle| Style { name, prompt, negative_prompt };
    Styles { styles: styles.styles.into_iter().map(style).collect(), problems: styles.problems }
}

/// Tells other windows.
fn settings_changed(door: &Door<'_>) {
    door.studio.changed(&[tarim_studio::Topic::Settings]);
}

pub(crate) fn list_styles(door: &Door<'_>, _: Empty) -> Answer<Styles> {
    Ok(styles(door.studio.styles().list()))
}

pub(crate) fn save_style(door: &Door<'_>, request: SaveStyle) -> Answer<Styles> {
    let Style { name, prompt, negative_prompt } = request.style;
    let style = DomainStyle { name, prompt, negative_prompt };
    let saved = door.studio.styles().save(&style, request.old_name.as_deref())?;
    settings_changed(door);
    Ok(styles(saved))
}

pub(crate) fn delete_style(door: &Door<'_>, request: Name) -> Answer<Styles> {
    let left = door.studio.styles().delete(&request.name)?;
    settings_changed(door);
    Ok(styles(left))
}

pub(crate) fn apply_styles(door: &Door<'_>, request: ApplyStyles) -> Answer<AppliedStyles> {
    let ApplyStyles { prompt, negative_prompt, styles } = request;
    let (prompt, negative_prompt) = door.studio.styles().apply(&prompt, &negative_prompt, &styles)?;
    Ok(AppliedStyles { prompt, negative_prompt })
}

fn presets(presets: Vec<DomainPreset>) -> Presets {
    let preset = |DomainPreset { name, built_in, draft }: DomainPreset| Preset { name, built_in, draft };
    Presets { presets: presets.into_iter().map(preset).collect() }
}

pub(crate) fn list_presets(door: &Door<'_>, _: Empty) -> Answer<Presets> {
    Ok(presets(door.studio.presets().list()?))
}

pub(crate) fn save_preset(door: &Door<'_>, request: Preset) -> Answer<Presets> {
    let preset = DomainPreset { name: request.name, built_in: false, draft: request.draft };
    let saved = door.studio.presets().save(&preset)?;
    settings_changed(door);
    Ok(presets(saved))
}

pub(crate) fn delete_preset(door: &Door<'_>, request: Name) -> Answer<Presets> {
    let left = door.studio.presets().delete(&request.name)?;
    settings_changed(door);
    Ok(presets(left))
}
