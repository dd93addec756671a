//! What a run would be, before it is begun.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tarim_library::{ExistingPlace, Id, Library};
use tarim_recipe::template::{BigUint, Count};
use tarim_recipe::{PictureKey, Recipe};
use tarim_sets::{Problem, Severity};

use super::expand::{MOST_PICTURES, ReadRow, Reader, Ready};
use super::run::RunOptions;
use super::view::{SetKind, SetView};
use crate::error::{ErrorKind, Problem as StudioProblem, Result, StudioError};
use crate::estimate::Work;
use crate::models::FoundModel;
use crate::studio::Studio;

/// How many rows are read at a time.
pub(crate) const CHUNK: u32 = 500;
/// How many problems are told one by one.
const PROBLEMS_TOLD: usize = 1000;
/// How much room is to be left on the disk.
const SPARE_BYTES: u64 = 1 << 30;
/// Bytes that a pixel of a finished picture takes in its file, roughly.
const BYTES_A_PIXEL: f64 = 1.6;
/// How far from the likely time a run may end, either way.
const SPREAD: (f64, f64) = (0.85, 1.3);
/// Seconds that a model of a gigabyte takes to be read, where it was not measured.
const SECONDS_A_GIGABYTE: f64 = 3.0;

/// A time with its range, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SecondsRange {
    /// At best.
    pub low: f64,
    /// Most likely.
    pub likely: f64,
    /// At worst.
    pub high: f64,
}

/// A model that a run uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedModel {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many pictures it draws.
    pub pictures: u64,
    /// Whether it is in memory now.
    pub loaded: bool,
    /// Whether its content is known; until then pictures of it that exist are not recognised.
    pub hashed: bool,
}

/// What a run would be.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Rows of the set, or cells of the comparison.
    pub rows: u64,
    /// Those that run.
    pub ready: u64,
    /// Those that cannot.
    pub bad: u64,
    /// Blank ones, and those that are switched off.
    pub off: u64,
    /// Pictures that they ask for.
    pub pictures: BigUint,
    /// Pictures to be drawn.
    pub new: u64,
    /// Pictures in the library.
    pub existing: u64,
    /// Pictures in its trash.
    pub trashed: u64,
    /// Pictures in the queue.
    pub queued: u64,
    /// Pictures that another row asks for too.
    pub duplicates: u64,
    /// Why it cannot be run at all.
    pub refused: Option<StudioError>,
    /// How long drawing takes; `None` while nothing comparable was measured.
    pub seconds: Option<SecondsRange>,
    /// How long the queue takes that is in front of it.
    pub seconds_ahead: Option<f64>,
    /// How many pictures are done by the time that was asked for.
    pub done_by: Option<u64>,
    /// Room that the pictures will roughly take, in bytes.
    pub bytes: f64,
    /// Room that is free.
    pub free_bytes: Option<u64>,
    /// The models, most pictures first.
    pub models: Vec<PlannedModel>,
    /// What is wrong, errors first: the first 1000.
    pub problems: Vec<Problem>,
    /// How many errors there are.
    pub errors: u64,
    /// How many warnings there are.
    pub warnings: u64,
    /// What stands in the way of the run as a whole, or of its conditions.
    pub remarks: Vec<StudioProblem>,
}

/// Which pictures are to be drawn. Rows are asked in their order.
pub(crate) struct Sieve {
    library: Arc<Library>,
    again: bool,
    replace_trashed: bool,
    /// Those that this run asks for already.
    seen: HashSet<PictureKey>,
    pub(crate) existing: u64,
    pub(crate) trashed: u64,
    pub(crate) queued: u64,
    pub(crate) duplicates: u64,
}

impl Sieve {
    pub(crate) fn new(library: Arc<Library>, options: &RunOptions) -> Self {
        Self {
            library,
            again: options.again,
            replace_trashed: options.replace_trashed,
            seen: HashSet::new(),
            existing: 0,
            trashed: 0,
            queued: 0,
            duplicates: 0,
        }
    }

    pub(crate) fn skipped(&self) -> u64 {
        self.existing + self.trashed + self.queued + self.duplicates
    }

    /// Takes note of the pictures of a row that was submitted before.
    pub(crate) fn note(&mut self, ready: &Ready, pictures: &[Recipe]) {
        self.seen.extend(pictures.iter().filter_map(|picture| ready.keys(picture).first().copied()));
    }

    /// The pictures of a row that are to be drawn.
    pub(crate) fn pass(&mut self, ready: &Ready, pictures: Vec<Recipe>) -> Result<Vec<Recipe>> {
        let mut unique = Vec::with_capacity(pictures.len());
        for picture in pictures {
            let keys = ready.keys(&picture);
            // The first of them is the one of this recipe as it stands.
            if keys.first().is_some_and(|key| !self.seen.insert(*key)) {
                self.duplicates += 1;
            } else {
                unique.push((picture, keys));
            }
        }
        if self.again {
            return Ok(unique.into_iter().map(|(picture, _)| picture).collect());
        }
        let all: Vec<PictureKey> = unique.iter().flat_map(|(_, keys)| keys.iter().copied()).collect();
        let found = self.library.find_existing(&all)?;
        let mut wanted = Vec::with_capacity(unique.len());
        for (picture, keys) in unique {
            let places: Vec<ExistingPlace> =
                keys.iter().filter_map(|key| found.get(key)).map(|found| found.place).collect();
            if places.contains(&ExistingPlace::Library) {
                self.existing += 1;
            } else if places.contains(&ExistingPlace::Queue) {
                self.queued += 1;
            } else if places.contains(&ExistingPlace::Trash) && !self.replace_trashed {
                self.trashed += 1;
            } else {
                wanted.push(picture);
            }
        }
        Ok(wanted)
    }
}

/// Counts what is to be drawn, and how long it takes.
struct Sum<'a> {
    studio: &'a Studio,
    device: String,
    now: i64,
    deadline: Option<i64>,
    pictures: HashMap<String, (FoundModel, u64)>,
    new: u64,
    seconds: Option<f64>,
    bytes: f64,
    done_by: u64,
    known: HashMap<String, Option<f64>>,
}

impl Sum<'_> {
    fn add(&mut self, model: &FoundModel, recipe: &Recipe, ahead: f64) {
        let work = Work::of(recipe, &self.device);
        let like = format!(
            "{} {} {}x{} {} {}",
            work.model, work.sampler, work.width, work.height, work.steps, work.guided
        );
        let core = self.studio.core();
        let seconds = *self
            .known
            .entry(like)
            .or_insert_with(|| core.expect(&work).map(|seconds| seconds.total(work.steps)));
        self.new += 1;
        self.seconds = self.seconds.zip(seconds).map(|(sum, one)| sum + one);
        self.bytes += recipe.size.pixels() as f64 * BYTES_A_PIXEL;
        self.pictures.entry(model.id.clone()).or_insert_with(|| (model.clone(), 0)).1 += 1;
        if let (Some(deadline), Some(seconds)) = (self.deadline, self.seconds)
            && (self.now as f64) + (ahead + seconds) * 1000.0 <= deadline as f64
        {
            self.done_by = self.new;
        }
    }
}

impl Studio {
    /// What a run of a set would be.
    pub fn plan_set(&self, id: Id, options: &RunOptions) -> Result<Plan> {
        let mut view = self.set(id)?;
        if options.new_seeds {
            // Any others will do: these pictures do not exist.
            view.settings.seeds = view.settings.seeds.wrapping_add(1);
        }
        let library = self.library()?;
        let mut plan = Plan { rows: view.summary.rows, ..Plan::default() };
        let ahead = self.queue()?.seconds_left.unwrap_or(0.0);
        let mut sieve = Sieve::new(Arc::clone(&library), options);
        let mut sum = Sum {
            studio: self,
            device: self.core().device_name(),
            now: self.now().ms,
            deadline: options.finish_by,
            pictures: HashMap::new(),
            new: 0,
            seconds: Some(0.0),
            bytes: 0.0,
            done_by: 0,
            known: HashMap::new(),
        };
        let mut walk = Walk::new(self, view, options)?;
        plan.note(walk.reader.header());
        while let Some(rows) = walk.next(self)? {
            for row in rows {
                let bad = row.is_bad();
                plan.note(row.problems);
                match row.ready {
                    _ if bad => plan.bad += 1,
                    None => plan.off += 1,
                    Some(ready) => {
                        plan.ready += 1;
                        plan.pictures += &ready.count;
                        if plan.pictures > BigUint::from(MOST_PICTURES) {
                            plan.refuse(&ready);
                            // The exact number is still told.
                            continue;
                        }
                        for recipe in sieve.pass(&ready, ready.pictures()?)? {
                            sum.add(&ready.model, &recipe, ahead);
                        }
                    }
                }
            }
        }
        plan.rows = plan.rows.max(plan.ready + plan.bad + plan.off);
        plan.finish(self, &library, &sieve, sum, ahead, options);
        Ok(plan)
    }
}

impl Plan {
    fn note(&mut self, problems: Vec<Problem>) {
        for problem in problems {
            match problem.severity {
                Severity::Error => self.errors += 1,
                Severity::Warning => self.warnings += 1,
                Severity::Note => {}
            }
            // Errors push out what is less bad.
            if self.problems.len() < PROBLEMS_TOLD {
                self.problems.push(problem);
            } else if problem.severity == Severity::Error
                && let Some(place) = self.problems.iter_mut().rev().find(|it| it.severity != Severity::Error)
            {
                *place = problem;
            }
        }
    }

    /// More pictures than can be meant: says how many, and what to do instead.
    fn refuse(&mut self, ready: &Ready) {
        let all = Count::Exact(self.pictures.clone());
        let one = Count::Exact(ready.count.clone());
        let message = format!(
            "the set asks for {} pictures, {} of them in row {}; a run may have at most {MOST_PICTURES}",
            all.short(),
            one.short(),
            ready.draft.number
        );
        let hint = "draw some of the combinations at random instead: write `random` into the column template_mode and the number of pictures into count, or give a limit";
        self.refused = Some(StudioError::new(ErrorKind::BadInput, message).hint(hint));
    }

    fn finish(
        &mut self,
        studio: &Studio,
        library: &Library,
        sieve: &Sieve,
        sum: Sum<'_>,
        ahead: f64,
        options: &RunOptions,
    ) {
        (self.existing, self.trashed) = (sieve.existing, sieve.trashed);
        (self.queued, self.duplicates) = (sieve.queued, sieve.duplicates);
        self.new = sum.new;
        self.bytes = sum.bytes;
        let loaded = studio.core().slots.models();
        self.models = sum
            .pictures
            .into_values()
            .map(|(model, pictures)| PlannedModel {
                loaded: model.facts.hash.as_ref().is_some_and(|hash| loaded.contains(hash)),
                hashed: model.facts.hash.is_some(),
                id: model.id,
                name: model.name,
                pictures,
            })
            .collect();
        self.models.sort_by(|a, b| (b.pictures, &a.name).cmp(&(a.pictures, &b.name)));
        let loading: f64 =
            self.models.iter().filter(|model| !model.loaded).map(|model| load_seconds(studio, model)).sum();
        self.seconds = sum.seconds.filter(|_| sum.new > 0).map(|drawing| SecondsRange {
            low: drawing * SPREAD.0,
            likely: drawing + loading,
            high: (drawing + loading) * SPREAD.1,
        });
        self.seconds_ahead = Some(ahead).filter(|ahead| *ahead > 0.0);
        self.done_by = options.finish_by.and(self.seconds).map(|_| sum.done_by);
        self.free_bytes = fs4::available_space(library.root()).ok();
        self.problems.sort_by_key(|problem| (std::cmp::Reverse(problem.severity), problem.row));
        if self.refused.is_none() && self.ready == 0 {
            let message = if self.rows == 0 { "the set has no rows" } else { "no row of the set can run" };
            let error = StudioError::new(ErrorKind::BadInput, message);
            self.refused = Some(error.hint("write a prompt into a row, or mend the rows with errors"));
        }
        if let Some(free) = self.free_bytes
            && self.bytes + SPARE_BYTES as f64 > free as f64
        {
            self.remarks.push(StudioProblem {
                code: "batch_disk_space".to_owned(),
                message: format!(
                    "the pictures will take about {:.1} GB, and {:.1} GB are free",
                    self.bytes / 1e9,
                    free as f64 / 1e9
                ),
                hint: Some("free some space, or use a library on another disk".to_owned()),
            });
        }
        self.remarks.extend(studio.condition_remarks(options));
    }
}

fn load_seconds(studio: &Studio, model: &PlannedModel) -> f64 {
    let bytes = studio.models().get(&model.id).map_or(0, |model| model.bytes);
    bytes as f64 / 1e9 * SECONDS_A_GIGABYTE
}

/// Goes through the rows of a set, or the cells of a comparison, chunk by chunk.
pub(crate) struct Walk {
    library: Arc<Library>,
    id: Id,
    pub(crate) reader: Reader,
    kind: SetKind,
    only: Option<HashSet<i64>>,
    pub(crate) place: Option<tarim_library::RowPlace>,
    pub(crate) number: u64,
    cells: Option<super::grid::Cells>,
}

impl Walk {
    pub(crate) fn new(studio: &Studio, view: SetView, options: &RunOptions) -> Result<Self> {
        let cells = match view.settings.kind {
            SetKind::Table => None,
            SetKind::Grid => Some(super::grid::Cells::new(studio, &view)?),
        };
        Ok(Self {
            library: studio.library()?,
            id: view.summary.id,
            kind: view.settings.kind,
            reader: Reader::new(studio, view)?,
            only: options.rows.as_ref().map(|rows| rows.iter().copied().collect()),
            place: None,
            number: 1,
            cells,
        })
    }

    /// The next rows; `None` behind the last one.
    pub(crate) fn next(&mut self, studio: &Studio) -> Result<Option<Vec<ReadRow>>> {
        if self.kind == SetKind::Grid {
            let Some(cells) = &mut self.cells else { return Ok(None) };
            return Ok(cells.next(studio, &mut self.reader, CHUNK as usize));
        }
        let rows = self.library.set_rows_behind(self.id, self.place, CHUNK)?;
        let Some(last) = rows.last() else { return Ok(None) };
        self.place = Some(last.place());
        let mut read = self.reader.read(studio, &rows, self.number);
        self.number += rows.len() as u64;
        if let Some(only) = &self.only {
            read.retain(|row| only.contains(&row.row));
        }
        Ok(Some(read))
    }
}
