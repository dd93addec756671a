//! Running a set: what does not exist goes into the queue, row by row, and goes on there after a crash.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tarim_library::{BatchRow, Conditions, Id, NewBatch, NewJob, NewRequest};
use tarim_recipe::template::BigUint;
use tarim_recipe::{Draft, Recipe};

use super::batch::BatchView;
use super::expand::{MOST_PICTURES, Ready};
use super::plan::{Sieve, Walk};
use super::view::{SetKind, SetView, to_json};
use crate::error::{ErrorKind, Problem, Result, StudioError};
use crate::events::Topic;
use crate::studio::Studio;
use crate::submit::Record;
use crate::surroundings::Origin;

/// How many jobs are submitted in one transaction at least, unless there are no more.
const JOBS_AT_ONCE: usize = 2000;
/// Longest name template of a file, as the settings take it.
const LONGEST_NAME: usize = 500;

/// When and how a set is run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunOptions {
    /// The run's name; the set's when absent.
    pub name: Option<String>,
    /// Only these rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<Vec<i64>>,
    /// Draw also what exists.
    pub again: bool,
    /// Draw also what exists in the trash alone.
    pub replace_trashed: bool,
    /// New seeds for rows without one, which later runs keep.
    pub new_seeds: bool,
    /// Tags for all pictures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The project, for rows that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Higher goes first; 0 is usual.
    pub priority: i32,
    /// Begin no picture that would not be done by then, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_by: Option<i64>,
    /// Begin none while the machine runs on its battery.
    pub spare_battery: bool,
    /// Begin none while somebody works at the machine.
    pub spare_user: bool,
}

/// What the library keeps with a batch: how it was run, and the set as it was then, without its rows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    pub(crate) options: RunOptions,
    pub(crate) kind: SetKind,
    pub(crate) origin: String,
    /// The settings of a comparison, from which its grid is laid out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) settings: Option<super::view::SetSettings>,
}

impl Studio {
    /// Runs a set. What exists is not drawn again unless that is asked for.
    pub fn run_set(&self, id: Id, options: RunOptions, origin: Option<Origin>) -> Result<BatchView> {
        let library = self.library()?;
        if options.new_seeds {
            let seeds = self.surroundings().fresh_seed().0;
            let mut settings = self.set(id)?.settings;
            settings.seeds = seeds;
            self.edit_set(id, "new_seeds", vec![super::Edit::Settings(Box::new(settings))])?;
        }
        self.look_before(id, &options)?;
        let view = self.set(id)?;
        let now = self.now();
        let kind = view.settings.kind;
        let name = options.name.clone().unwrap_or_else(|| view.summary.name.clone());
        let conditions = Conditions {
            finish_by: options.finish_by,
            spare_battery: options.spare_battery,
            spare_user: options.spare_user,
        };
        let kept = Kept {
            kind,
            origin: origin.unwrap_or(self.surroundings().origin).name().to_owned(),
            settings: (kind == SetKind::Grid).then(|| view.settings.clone()),
            options,
        };
        let new = NewBatch {
            id: self.new_id(now),
            set: Some(id),
            name,
            created: now,
            options: to_json(&kept)?,
            cursor: "{}".to_owned(),
            conditions,
        };
        library.create_batch(&new)?;
        self.fill(new.id, view, &kept, &HashSet::new())?;
        self.core().watch.ring();
        self.batch(new.id)
    }

    /// Counts the pictures, which must not be more than anybody can mean, and gets to know the models by content, without
    /// which pictures that exist are not recognised.
    fn look_before(&self, id: Id, options: &RunOptions) -> Result<()> {
        let mut walk = Walk::new(self, self.set(id)?, options)?;
        let (mut pictures, mut ready, mut rows) = (BigUint::ZERO, 0_u64, 0_u64);
        while let Some(read) = walk.next(self)? {
            for row in read {
                rows += 1;
                let Some(found) = row.ready else { continue };
                ready += 1;
                pictures += &found.count;
            }
        }
        if ready == 0 || pictures > BigUint::from(MOST_PICTURES) {
            // The plan says it in full.
            let refused = self.plan_set(id, options)?.refused;
            let message = format!("none of the {rows} rows can run");
            return Err(refused.unwrap_or_else(|| StudioError::new(ErrorKind::BadInput, message)));
        }
        let unknown: Vec<_> =
            walk.reader.found_models().filter(|model| model.facts.hash.is_none()).cloned().collect();
        for model in unknown {
            self.models().hash(&model.path)?;
        }
        Ok(())
    }

    /// Goes on with runs whose submission was cut short, in a thread of its own, which ends when the studio closes.
    pub(crate) fn resume_in_background(self: &Arc<Self>) -> Result<()> {
        let unfilled =
            self.library().is_ok_and(|library| library.unfilled_batches().is_ok_and(|it| !it.is_empty()));
        if !self.core().owner() || !unfilled {
            return Ok(());
        }
        let studio = Arc::clone(self);
        let resume = move || {
            if let Err(error) = studio.resume_batches() {
                studio.core().notice(Problem::of("batch_not_resumed", error));
            }
        };
        let spawned = std::thread::Builder::new().name("batches".to_owned()).spawn(resume);
        spawned.map(drop).map_err(|error| StudioError::io("a thread cannot be started", &error))
    }

    /// Goes on with runs whose submission was cut short.
    pub(crate) fn resume_batches(&self) -> Result<()> {
        let library = self.library()?;
        for batch in library.unfilled_batches()? {
            if self.core().closing() {
                return Ok(());
            }
            let Some(set) = batch.set else { continue };
            let kept: Kept = serde_json::from_str(&batch.options).unwrap_or_default();
            match self.set(set) {
                Ok(view) => self.fill(batch.id, view, &kept, &library.batch_rows(batch.id)?)?,
                // Without its set, what was submitted is all there will be.
                Err(error) if error.kind == ErrorKind::NotFound => {
                    library.fill_batch(batch.id, &[], 0, None)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Submits the rows of a set that were not submitted yet.
    fn fill(&self, batch: Id, view: SetView, kept: &Kept, submitted: &HashSet<i64>) -> Result<()> {
        let library = self.library()?;
        let options = &kept.options;
        let names = view.settings.names.clone();
        let mut sieve = Sieve::new(Arc::clone(&library), options);
        let mut walk = Walk::new(self, view, options)?;
        let mut waiting: Vec<BatchRow> = Vec::new();
        let (mut jobs, mut told) = (0, 0);
        while let Some(rows) = walk.next(self)? {
            if self.core().closing() {
                return Ok(());
            }
            for row in rows {
                let Some(ready) = row.ready else { continue };
                if submitted.contains(&row.row) {
                    sieve.note(&ready, &ready.pictures()?);
                    continue;
                }
                let pictures = sieve.pass(&ready, ready.pictures()?)?;
                if pictures.is_empty() {
                    continue;
                }
                jobs += pictures.len();
                waiting.push(self.batch_row(row.row, &ready, &pictures, kept, names.as_deref())?);
            }
            if jobs >= JOBS_AT_ONCE {
                let skipped = sieve.skipped();
                library.fill_batch(batch, &waiting, skipped - told, Some("{}"))?;
                (waiting, jobs, told) = (Vec::new(), 0, skipped);
                self.wake_queue();
                self.changed(&[Topic::Sets, Topic::Queue, Topic::History]);
            }
        }
        library.fill_batch(batch, &waiting, sieve.skipped() - told, None)?;
        self.wake_queue();
        self.changed(&[Topic::Sets, Topic::Queue, Topic::History]);
        Ok(())
    }

    fn batch_row(
        &self,
        row: i64,
        ready: &Ready,
        pictures: &[Recipe],
        kept: &Kept,
        names: Option<&str>,
    ) -> Result<BatchRow> {
        let now = self.now();
        let options = &kept.options;
        let first = pictures.first().map(Draft::from).unwrap_or_default();
        let mut draft = first;
        if ready.open {
            draft.precision = None;
        }
        let mut tags = ready.draft.tags.clone();
        tags.extend(options.tags.iter().filter(|tag| !ready.draft.tags.contains(tag)).cloned());
        let name = match &ready.draft.output_name {
            // Of several pictures each gets a number, as of all files whose name is taken.
            Some(name) => Some(format!("{}.png", escape_template(name))),
            None => names.map(str::to_owned),
        };
        let record = Record {
            draft,
            tags,
            model: ready.model.id.clone(),
            name: name.map(|name| name.chars().take(LONGEST_NAME).collect()),
        };
        let prompt = pictures.first().map(|recipe| recipe.prompt.clone()).unwrap_or_default();
        let negative = pictures.first().map(|recipe| recipe.negative_prompt.text.clone()).unwrap_or_default();
        let request = NewRequest {
            id: self.new_id(now),
            created: now,
            origin: kept.origin.clone(),
            draft: to_json(&record)?,
            template: prompt.template,
            prompt: prompt.text,
            negative,
            project: ready.draft.project.clone().or_else(|| options.project.clone()),
            warnings: Vec::new(),
        };
        let preview = self.settings().preview_every > 0;
        let jobs = pictures
            .iter()
            .map(|recipe| NewJob {
                id: self.new_id(now),
                recipe: recipe.clone(),
                open_precision: ready.open,
                model_path: ready.model.path.clone(),
                preview,
                priority: options.priority,
                parent: None,
                derivation: None,
            })
            .collect();
        Ok(BatchRow { row: Some(row), request, jobs })
    }
}

/// A name as a name template in which nothing is filled in.
fn escape_template(name: &str) -> String {
    name.replace('[', "(").replace(']', ")")
}
