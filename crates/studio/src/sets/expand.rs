//! From the rows of a set to recipes: templates expanded, models found, seeds fixed.

use std::collections::HashMap;
use std::sync::Arc;

use tarim_library::{Id, Library};
use tarim_recipe::template::{self, BigUint, Config, Expansion, Method, WildcardSet};
use tarim_recipe::{Draft, Environment, ModelRef, PictureKey, Precision, Prompt, Recipe, Seed, prepare};
use tarim_sets::{
    Checker, Code, Column, Field, Problem, Row, RowDraft, RowId, Severity, Table, TemplateMode,
};

use super::view::SetView;
use crate::error::{ErrorKind, Result, StudioError};
use crate::inputs;
use crate::models::FoundModel;
use crate::studio::Studio;

/// The most pictures of one run.
pub(crate) const MOST_PICTURES: u64 = 1_000_000;

/// Reads rows one chunk after the other. What rows have in common (models, seeds, names) is remembered; memory does not
/// grow with the pictures that they ask for.
pub(crate) struct Reader {
    studio: Arc<Library>,
    view: SetView,
    /// What columns of a meaning are called.
    headers: Arc<[(Field, String)]>,
    settings_precision: Option<Precision>,
    known_precision: Option<Precision>,
    wildcards: WildcardSet,
    models: HashMap<Option<ModelRef>, Result<FoundModel>>,
    /// How often a prompt without a seed came already.
    prompts: HashMap<u64, u32>,
    /// Output names, lower-case, and the number of the row that has each.
    names: HashMap<String, u32>,
}

/// A row that was read.
pub(crate) struct ReadRow {
    pub(crate) row: i64,
    pub(crate) problems: Vec<Problem>,
    /// What it draws; `None` when it cannot run, is blank or switched off.
    pub(crate) ready: Option<Ready>,
}

/// A row that can run.
pub(crate) struct Ready {
    pub(crate) draft: RowDraft,
    pub(crate) model: FoundModel,
    /// How many pictures it asks for.
    pub(crate) count: BigUint,
    /// Whether the device is still to choose the precision.
    pub(crate) open: bool,
    /// Whether nobody chose one: a picture of any is the picture that is meant.
    any_precision: bool,
    environment: Environment,
    expansion: Option<Expansion>,
    seeds: u64,
    /// How often the prompt of a row that is no template came before.
    before: u32,
}

impl ReadRow {
    pub(crate) fn is_bad(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }
}

impl Reader {
    pub(crate) fn new(studio: &Studio, view: SetView) -> Result<Self> {
        let settings = studio.settings();
        let known = studio.known_device(settings.device).map(|device| device.preferred_precision);
        let wildcards = studio.wildcards()?.0;
        let header = |column: &super::SetColumn| Some((column.column.field?, column.column.name.clone()));
        Ok(Self {
            studio: studio.library()?,
            headers: view.columns.iter().filter_map(header).collect(),
            view,
            settings_precision: settings.precision,
            known_precision: known,
            wildcards,
            models: HashMap::new(),
            prompts: HashMap::new(),
            names: HashMap::new(),
        })
    }

    /// What is wrong with the columns.
    pub(crate) fn header(&self) -> Vec<Problem> {
        let table = Table::new(self.columns());
        Checker::new(&table, &self.view.settings.defaults, "").header().to_vec()
    }

    fn columns(&self) -> impl Iterator<Item = Column> + '_ {
        self.view.columns.iter().map(|column| column.column.clone())
    }

    /// Reads the next rows, the first of which is the one of this number, counted from 1.
    pub(crate) fn read(
        &mut self,
        studio: &Studio,
        rows: &[tarim_library::SetRow],
        first: u64,
    ) -> Vec<ReadRow> {
        let mut table = Table::new(self.columns());
        for (number, row) in (first..).zip(rows) {
            table.rows.push(Row {
                id: RowId(row.row.max(0).cast_unsigned()),
                number: u32::try_from(number).ok(),
                cells: self.view.cells(&row.cells),
            });
        }
        let defaults = self.view.settings.defaults.clone();
        let checker = Checker::new(&table, &defaults, "");
        (0..rows.len())
            .map(|index| {
                let checked = checker.row(index);
                let mut problems = checked.problems;
                let row = rows.get(index).map_or(0, |row| row.row);
                let ready = checked.row.and_then(|draft| {
                    let place = Place { number: draft.number, id: draft.id };
                    match self.ready(studio, draft, &mut problems) {
                        Ok(ready) => Some(ready),
                        Err(problem) => {
                            problems.push(place.put(*problem));
                            None
                        }
                    }
                });
                ReadRow { row, problems, ready }
            })
            .collect()
    }

    /// One draft as a row of its own: a cell of a comparison.
    pub(crate) fn single(&mut self, studio: &Studio, draft: RowDraft) -> Result<Ready, Box<Problem>> {
        self.ready(studio, draft, &mut Vec::new())
    }

    fn ready(
        &mut self,
        studio: &Studio,
        mut draft: RowDraft,
        problems: &mut Vec<Problem>,
    ) -> Result<Ready, Box<Problem>> {
        let headers = Arc::clone(&self.headers);
        let column =
            |field: Field| headers.iter().find(|(known, _)| *known == field).map(|(_, name)| name.clone());
        if !draft.styles.is_empty() {
            let text = |prompt: &Option<Prompt>| prompt.as_ref().map_or(String::new(), |it| it.text.clone());
            let prompts = (text(&draft.draft.prompt), text(&draft.draft.negative_prompt));
            let (prompt, negative) = studio
                .styles()
                .apply(&prompts.0, &prompts.1, &draft.styles)
                .map_err(|error| problem(Code::UnknownName, &error, column(Field::Styles)))?;
            draft.draft.prompt = Some(prompt.into());
            if !negative.is_empty() {
                draft.draft.negative_prompt = Some(negative.into());
            }
        }
        for (wanted, field) in
            [(draft.init_picture.clone(), Field::InitPicture), (draft.mask.clone(), Field::Mask)]
        {
            let Some(wanted) = wanted else { continue };
            let found = self
                .picture(studio, &wanted)
                .map_err(|error| problem(Code::NotFound, &error, column(field)))?;
            let place = match field {
                Field::Mask => &mut draft.draft.mask_picture,
                _ => &mut draft.draft.init_picture,
            };
            *place = Some(found);
        }
        studio
            .check_inputs(&mut draft.draft)
            .map_err(|error| problem(Code::NotFound, &error, column(Field::InitPicture)))?;
        let model = self
            .model(studio, draft.draft.model.as_ref())
            .map_err(|error| problem(Code::UnknownName, &error, column(Field::Model)))?;
        if let Some(name) = &draft.output_name {
            let many = self.names.insert(name.to_lowercase(), draft.number);
            if let Some(first) = many.filter(|first| *first != draft.number) {
                let message =
                    format!("row {first} has the output name `{name}` already; the later files get a number");
                let place = Place { number: draft.number, id: draft.id };
                let mut found = Problem::warning(Code::DuplicateName, message);
                found.column = column(Field::OutputName);
                problems.push(place.put(found));
            }
        }
        let any_precision = draft.draft.precision.is_none() && self.settings_precision.is_none();
        let open = any_precision && self.known_precision.is_none();
        let environment = Environment {
            fresh_seed: Seed(0),
            precision: self.settings_precision.or(self.known_precision).unwrap_or(Precision::Fp32),
        };
        // Whatever no template changes is checked once, with this model.
        prepare(&draft.draft, &model.facts, &environment).map_err(|error| {
            problem(Code::OutOfRange, &StudioError::caused(ErrorKind::BadInput, &error), None)
        })?;
        let (expansion, count) = self.expand(&draft).map_err(|found| {
            let mut found = *found;
            found.column = column(Field::Prompt);
            Box::new(found)
        })?;
        let before = if expansion.is_some() {
            0
        } else {
            let prompt = draft.draft.prompt.as_ref().map_or("", |prompt| prompt.text.as_str());
            let times = self.prompts.entry(fingerprint(prompt)).or_default();
            let before = *times;
            if draft.draft.seed.is_none() {
                *times += 1;
            }
            before
        };
        let seeds = self.view.settings.seeds;
        Ok(Ready { draft, model, count, open, any_precision, environment, expansion, seeds, before })
    }

    fn expand(&self, draft: &RowDraft) -> Result<(Option<Expansion>, BigUint), Box<Problem>> {
        let pictures = BigUint::from(draft.count);
        let text = draft.draft.prompt.as_ref().map_or("", |prompt| prompt.text.as_str());
        let mode = draft.template_mode.unwrap_or_default();
        if mode == TemplateMode::Off {
            return Ok((None, pictures));
        }
        let parsed = template::parse(text, &Config::default());
        if parsed.is_plain() {
            return Ok((None, pictures));
        }
        let expansion = parsed.expand(&self.wildcards, method(mode)).map_err(|error| {
            let at = error.span.of(text);
            Box::new(Problem::error(Code::Template, format!("the template, at `{at:.60}`: {error}")))
        })?;
        if expansion.is_constant() {
            return Ok((Some(expansion), pictures));
        }
        let combinations = match (mode, expansion.count()) {
            (TemplateMode::Combinatorial, Some(count)) => Some(count.clone()),
            _ => None,
        };
        let Some(combinations) = combinations else { return Ok((Some(expansion), pictures)) };
        let all = combinations * pictures;
        let count = match draft.limit {
            Some(limit) => all.min(BigUint::from(limit)),
            None => all,
        };
        Ok((Some(expansion), count))
    }

    /// What a cell says a picture is: the SHA-256 of one that is kept, or the id of one of the library.
    fn picture(&self, studio: &Studio, text: &str) -> Result<String> {
        let root = self.studio.root();
        let lower = text.to_ascii_lowercase();
        if inputs::is_sha256(&lower) {
            inputs::path(root, &lower)?;
            return Ok(lower);
        }
        if let Ok(id) = text.parse::<Id>() {
            return Ok(studio.input_of_picture(id)?.sha256);
        }
        let message = format!("the picture `{text:.120}` is not kept in this library");
        Err(StudioError::new(ErrorKind::NotFound, message)
            .hint("drop it into the cell, or write the id of a picture of the library"))
    }

    fn model(&mut self, studio: &Studio, wanted: Option<&ModelRef>) -> Result<FoundModel> {
        if let Some(found) = self.models.get(&wanted.cloned()) {
            return found.clone();
        }
        let models = studio.models();
        let found = match wanted {
            None => models.find(self.view.settings.model.as_deref()),
            Some(wanted) => models.matching(wanted).ok_or_else(|| {
                let message = format!("there is no model `{:.80}` on this machine", wanted.name);
                StudioError::new(ErrorKind::Model, message)
                    .hint("correct the name, or add the folder that holds the model")
            }),
        };
        self.models.insert(wanted.cloned(), found.clone());
        found
    }

    /// The models that were found so far.
    pub(crate) fn found_models(&self) -> impl Iterator<Item = &FoundModel> {
        self.models.values().filter_map(|found| found.as_ref().ok())
    }
}

impl Ready {
    /// The pictures, in their order. Their number must be known to be one that can be gone through.
    pub(crate) fn pictures(&self) -> Result<Vec<Recipe>> {
        let count = u64::try_from(&self.count).unwrap_or(u64::MAX).min(MOST_PICTURES);
        let Some(expansion) = &self.expansion else {
            let base = self.recipe(self.draft.draft.prompt.clone(), self.before)?;
            return Ok((0..count).map(|index| base.nth(index)).collect());
        };
        let each = match self.draft.template_mode.unwrap_or_default() {
            TemplateMode::Combinatorial => u64::from(self.draft.count),
            TemplateMode::Off | TemplateMode::Random | TemplateMode::Cyclic => 1,
        };
        let prompt = self.draft.draft.prompt.clone().unwrap_or_default();
        let draws = self.draft.template_seed.or(self.draft.draft.seed).map_or(self.seeds, |seed| seed.0);
        // Of the same text, drawn twice, the second is another picture.
        let mut times: HashMap<u64, u32> = HashMap::new();
        let mut pictures = Vec::with_capacity(count as usize);
        let mut index = 0_u64;
        while (pictures.len() as u64) < count {
            let text = expansion.prompt(draws, index / each.max(1));
            let resolved = Prompt { text, template: Some(prompt.text.clone()) };
            let before = times.entry(fingerprint(&resolved.text)).or_default();
            let recipe = match self.draft.draft.seed {
                // A seed that is given counts on from picture to picture, as A1111 does.
                Some(_) => self.recipe(Some(resolved), 0)?.nth(index),
                None => self.recipe(Some(resolved), *before)?,
            };
            *before += 1;
            pictures.push(recipe);
            index += 1;
        }
        Ok(pictures)
    }

    fn recipe(&self, prompt: Option<Prompt>, before: u32) -> Result<Recipe> {
        let text = prompt.as_ref().map_or("", |prompt| prompt.text.as_str());
        let environment = Environment { fresh_seed: derived(self.seeds, text, before), ..self.environment };
        let draft = Draft { prompt, ..self.draft.draft.clone() };
        let (recipe, _) = prepare(&draft, &self.model.facts, &environment)
            .map_err(|error| StudioError::caused(ErrorKind::BadInput, &error))?;
        Ok(recipe)
    }

    /// The keys under which a picture may exist already.
    pub(crate) fn keys(&self, recipe: &Recipe) -> Vec<PictureKey> {
        if self.any_precision { recipe.possible_picture_keys().to_vec() } else { vec![recipe.picture_key()] }
    }
}

/// Where a problem is.
struct Place {
    number: u32,
    id: RowId,
}

impl Place {
    fn put(&self, mut problem: Problem) -> Problem {
        problem.row = Some(self.number);
        problem.row_id = Some(self.id);
        problem
    }
}

fn problem(code: Code, error: &StudioError, column: Option<String>) -> Box<Problem> {
    let mut problem = Problem::error(code, error.message.clone());
    problem.hint.clone_from(&error.hint);
    problem.column = column;
    Box::new(problem)
}

pub(crate) fn method(mode: TemplateMode) -> Method {
    match mode {
        TemplateMode::Combinatorial => Method::Combinatorial,
        TemplateMode::Cyclic => Method::Cyclic,
        TemplateMode::Random | TemplateMode::Off => Method::Random,
    }
}

/// The seed of a picture that has none: of the set's seeds, the prompt, and how often the prompt came before. So a set that
/// is run again asks for the same pictures, whatever was changed in other rows. Below 2^32, as A1111 draws them.
fn derived(seeds: u64, prompt: &str, before: u32) -> Seed {
    let digest = tarim_recipe::sha256(format!("{seeds}\n{before}\n{prompt}").as_bytes());
    Seed(u64::from_str_radix(&digest[..8], 16).unwrap_or_default())
}

fn fingerprint(text: &str) -> u64 {
    let digest = tarim_recipe::sha256(text.as_bytes());
    u64::from_str_radix(&digest[..16], 16).unwrap_or_default()
}
