//! Submission: from what somebody asks for to a request in the history and jobs in the queue.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tarim_library::{Derivation, Id, Moment, NewJob, NewRequest};
use tarim_recipe::prompt::{Role, Severity, Timeline, parse};
use tarim_recipe::{Draft, Environment, Precision, Recipe, Seed, Size, prepare};

use crate::error::{ErrorKind, Result, StudioError};
use crate::estimate::Work;
use crate::events::Topic;
use crate::inputs;
use crate::models::FoundModel;
use crate::studio::Studio;
use crate::surroundings::Origin;

/// The most pictures that one request may ask for.
pub const MOST_PICTURES: u32 = 10_000;
/// The most tags that a request may give its pictures.
const MOST_TAGS: usize = 100;
/// The longest tag or project, in bytes, as the library takes it.
const LONGEST_NAME: usize = 200;
/// Bytes that a pixel of a finished picture takes in its file, roughly: lossless PNG of what diffusion models draw.
const BYTES_A_PIXEL: f64 = 1.6;

/// Pictures that somebody asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Submission {
    /// What is wanted; what is left open is filled in.
    pub draft: Draft,
    /// How many pictures, 1 to [`MOST_PICTURES`], each with the next seed.
    pub count: u32,
    /// The model's id; when absent, the model that the draft names, else the default model.
    pub model: Option<String>,
    /// The project that the pictures belong to.
    pub project: Option<String>,
    /// Tags that the pictures get.
    pub tags: Vec<String>,
    /// The picture that these come from, and how.
    pub parent: Option<(Id, Derivation)>,
    /// Higher goes first; 0 is usual.
    pub priority: i32,
    /// Which door it came through; when absent, the one that this process is.
    pub origin: Option<Origin>,
}

/// What was queued.
#[derive(Clone, Debug, PartialEq)]
pub struct Submitted {
    /// The request's id in the history.
    pub request: Id,
    /// The jobs' ids, which become the pictures' ids.
    pub jobs: Vec<Id>,
    /// Seed of the first picture.
    pub seed: Seed,
    /// What may not have been meant.
    pub warnings: Vec<String>,
}

/// How long a submission would take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Seconds for all its pictures; `None` while nothing comparable was measured.
    pub seconds: Option<f64>,
    /// Bytes that the pictures will roughly take.
    pub bytes: f64,
}

/// What the history keeps of a submission beside its searchable values, as JSON in the request's `draft`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// All settings, filled in. The precision is open where the device is to choose it.
    pub draft: Draft,
    /// Tags that the pictures get.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The model's id.
    pub model: String,
    /// The template of their files' names, where it is not that of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Record {
    /// Reads a record. One of a newer version gives what is understood of it.
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Whether the device is to choose the precision.
    pub(crate) fn precision_is_open(&self) -> bool {
        // Without a model it is no record.
        !self.model.is_empty() && self.draft.precision.is_none()
    }
}

/// A submission that was checked.
struct Prepared {
    /// Of the first picture.
    recipe: Recipe,
    /// Whether the device is still to choose the precision.
    precision_is_open: bool,
    model: FoundModel,
    project: Option<String>,
    tags: Vec<String>,
    warnings: Vec<String>,
}

impl Studio {
    /// Puts pictures into the history and the queue, all or none.
    pub fn submit(&self, submission: &Submission) -> Result<Submitted> {
        let library = self.library()?;
        let surroundings = self.surroundings();
        let prepared = self.prepare(submission, surroundings.fresh_seed())?;
        let now = self.now();
        let Prepared { recipe, model, warnings, .. } = prepared;
        let mut draft = Draft::from(&recipe);
        if prepared.precision_is_open {
            draft.precision = None;
        }
        let record = Record { draft, tags: prepared.tags, model: model.id, name: None };
        let record = serde_json::to_string(&record)
            .map_err(|error| StudioError::caused(ErrorKind::Internal, &error))?;
        let request = NewRequest {
            id: self.new_id(now),
            created: now,
            origin: submission.origin.unwrap_or(surroundings.origin).name().to_owned(),
            draft: record,
            template: recipe.prompt.template.clone(),
            prompt: recipe.prompt.text.clone(),
            negative: recipe.negative_prompt.text.clone(),
            project: prepared.project,
            warnings: warnings.clone(),
        };
        let preview = self.settings().preview_every > 0;
        let jobs: Vec<NewJob> = (0..submission.count)
            .map(|index| NewJob {
                id: self.new_id(now),
                recipe: recipe.nth(index.into()),
                open_precision: prepared.precision_is_open,
                model_path: model.path.clone(),
                preview,
                priority: submission.priority,
                parent: submission.parent.map(|(parent, _)| parent),
                derivation: submission.parent.map(|(_, derivation)| derivation),
            })
            .collect();
        library.enqueue(&request, &jobs)?;
        self.changed(&[Topic::Queue, Topic::History]);
        self.wake_queue();
        Ok(Submitted {
            request: request.id,
            jobs: jobs.into_iter().map(|job| job.id).collect(),
            seed: recipe.seed,
            warnings,
        })
    }

    /// How long a submission would take and how much room it needs.
    pub fn estimate(&self, submission: &Submission) -> Result<Estimate> {
        let prepared = self.prepare(submission, Seed(0))?;
        let count = f64::from(submission.count);
        let work = Work::of(&prepared.recipe, &self.core().device_name());
        let seconds = self.core().expect(&work).map(|seconds| seconds.total(work.steps) * count);
        Ok(Estimate { seconds, bytes: prepared.recipe.size.pixels() as f64 * BYTES_A_PIXEL * count })
    }

    fn prepare(&self, submission: &Submission, fresh_seed: Seed) -> Result<Prepared> {
        let bad = |message: String| StudioError::new(ErrorKind::BadInput, message);
        if submission.count == 0 || submission.count > MOST_PICTURES {
            let message =
                format!("{} pictures were asked for; 1 to {MOST_PICTURES} are possible", submission.count);
            return Err(bad(message).hint("submit several requests, one after the other"));
        }
        let project = submission.project.as_deref().map(|name| clean_name("project", name)).transpose()?;
        let tags: BTreeSet<String> =
            submission.tags.iter().map(|tag| clean_name("tag", tag)).collect::<Result<_>>()?;
        if tags.len() > MOST_TAGS {
            return Err(bad(format!("there are {} tags; {MOST_TAGS} are possible", tags.len())));
        }
        let settings = self.settings();
        let model = self.model_for(submission)?;
        let mut draft = submission.draft.clone();
        self.check_inputs(&mut draft)?;
        let known = self.known_device(settings.device).map(|device| device.preferred_precision);
        let open = draft.precision.is_none() && settings.precision.is_none() && known.is_none();
        let environment =
            Environment { fresh_seed, precision: settings.precision.or(known).unwrap_or(Precision::Fp32) };
        let (recipe, remarks) = prepare(&draft, &model.facts, &environment)
            .map_err(|error| StudioError::caused(ErrorKind::BadInput, &error))?;
        let mut warnings: Vec<String> = remarks.iter().map(ToString::to_string).collect();
        warnings.extend(prompt_remarks(&recipe));
        let tags = tags.into_iter().collect();
        Ok(Prepared { recipe, precision_is_open: open, model, project, tags, warnings })
    }

    /// The model that is named, else the one that the draft is made for, else the default one.
    fn model_for(&self, submission: &Submission) -> Result<FoundModel> {
        let models = self.models();
        if submission.model.is_none()
            && let Some(wanted) = &submission.draft.model
            && let Some(found) = models.matching(wanted)
        {
            return Ok(found);
        }
        models.find(submission.model.as_deref())
    }

    /// The pictures that a draft starts from must be kept here; they also decide the size where nothing else does.
    pub(crate) fn check_inputs(&self, draft: &mut Draft) -> Result<()> {
        let Some(init) = &draft.init_picture else { return Ok(()) };
        let library = self.library()?;
        let init = inputs::info(library.root(), init)?;
        if let Some(mask) = &draft.mask_picture {
            let mask = inputs::info(library.root(), mask)?;
            if (mask.width, mask.height) != (init.width, init.height) {
                let message = format!(
                    "the mask is {}x{} pixels and the picture to start from {}x{}",
                    mask.width, mask.height, init.width, init.height
                );
                return Err(StudioError::new(ErrorKind::BadInput, message)
                    .hint("scale the mask to the picture's size"));
            }
        }
        if draft.width.is_none() && draft.height.is_none() {
            let size = Size::nearest(init.width, init.height);
            (draft.width, draft.height) = (Some(size.width()), Some(size.height()));
        }
        Ok(())
    }

    /// A new id: sorts by time, and nobody else has it.
    pub(crate) fn new_id(&self, now: Moment) -> Id {
        let random = self.surroundings().random_bytes();
        let random = std::array::from_fn(|index| random[index]);
        let ms = now.ms.max(0).cast_unsigned();
        Id::from_bytes(uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid().into_bytes())
    }
}

/// Says what in the prompts is broken and rendered all the same.
fn prompt_remarks(recipe: &Recipe) -> Vec<String> {
    let prompts = [
        ("the prompt", &recipe.prompt.text, Role::Positive),
        ("the negative prompt", &recipe.negative_prompt.text, Role::Negative),
    ];
    let remarks = prompts.into_iter().flat_map(|(name, text, role)| {
        let resolved = parse(text, recipe.emphasis, role).resolve(Timeline::new(recipe.steps));
        let warnings = resolved.diagnostics.into_iter().filter(|remark| remark.severity == Severity::Warning);
        warnings
            .map(|remark| format!("{name}, at `{}`: {}", remark.span.of(text), remark.code.message()))
            .collect::<Vec<_>>()
    });
    remarks.collect()
}

/// A tag or project as the library will take it. Told now, not when the picture is there.
fn clean_name(what: &str, name: &str) -> Result<String> {
    let clean = name.trim();
    let reason = if clean.is_empty() {
        "it is empty"
    } else if clean.len() > LONGEST_NAME {
        "it is too long"
    } else if clean.chars().any(char::is_control) {
        "it holds control characters"
    } else {
        return Ok(clean.to_owned());
    };
    let message = format!("the {what} `{name:.80}` cannot be used: {reason}");
    Err(StudioError::new(ErrorKind::BadInput, message).hint(format!("choose another {what}")))
}
