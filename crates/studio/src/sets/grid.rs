//! Comparisons: one draft, changed along axes, and the grid that its pictures make.

use std::io::Write;

use image::RgbImage;
use tarim_export::grid::{Axis as GridAxis, Grid as Layout, GridError, HtmlCell, write_html, write_png};
use tarim_library::{ExistingPlace, Id, ThumbnailSize, pixels};
use tarim_recipe::Seed;
use tarim_sets::{Axis, AxisSpec, Grid, Problem, RowDraft, RowId, VarySeeds};

use super::expand::{ReadRow, Reader};
use super::run::Kept;
use super::view::{AxisText, SetSettings, SetView};
use crate::error::{ErrorKind, Result, StudioError};
use crate::studio::Studio;

/// The most cells of a comparison.
const MOST_CELLS: u64 = 20_000;

/// A comparison's cells, in the order in which they are drawn.
pub(crate) struct Cells {
    grid: Grid,
    order: Box<dyn Iterator<Item = u64>>,
}

/// A comparison's run as it is laid out.
#[derive(Clone, Debug)]
pub struct GridView {
    /// Names and labels.
    pub layout: Layout,
    /// The pictures: x fastest, z slowest; `None` where there is none yet.
    pub pictures: Vec<Option<Id>>,
}

/// An axis that was read.
#[derive(Clone, Debug)]
pub struct AxisView {
    /// Its name.
    pub name: String,
    /// Its values' labels.
    pub values: Vec<String>,
}

impl AxisText {
    fn read(&self) -> Result<Option<Axis>, Box<Problem>> {
        let spec = AxisSpec { axis: self.field.clone(), values: self.values.clone() };
        if Axis::is_nothing(&spec) { Ok(None) } else { Ok(Some(Axis::parse(&spec)?)) }
    }
}

fn wrong(problem: &Problem) -> StudioError {
    let mut error = StudioError::new(ErrorKind::BadInput, problem.message.clone());
    error.hint.clone_from(&problem.hint);
    if let Some(column) = &problem.column {
        error.message = format!("{column}: {}", error.message);
    }
    error
}

fn grid_of(settings: &SetSettings) -> Result<Grid> {
    if settings.axes.len() > 3 {
        return Err(StudioError::new(ErrorKind::BadInput, "a comparison has at most three axes"));
    }
    let mut axes = [None, None, None];
    for (place, text) in axes.iter_mut().zip(&settings.axes) {
        *place = text.read().map_err(|problem| wrong(&problem))?;
    }
    let defaults = &settings.defaults;
    let mut base = RowDraft::default();
    base.number = 1;
    base.draft = defaults.draft.clone();
    base.count = 1;
    base.template_mode = defaults.template_mode;
    base.styles.clone_from(&defaults.styles);
    base.tags.clone_from(&defaults.tags);
    base.project.clone_from(&defaults.project);
    let fresh = Seed(settings.seeds & u64::from(u32::MAX));
    let grid = Grid::new(base, axes, VarySeeds::default(), fresh).map_err(|problem| wrong(&problem))?;
    if grid.count() > MOST_CELLS {
        let message = format!("the comparison has {} pictures; {MOST_CELLS} are possible", grid.count());
        return Err(StudioError::new(ErrorKind::BadInput, message).hint("take values away from an axis"));
    }
    Ok(grid)
}

impl Cells {
    pub(crate) fn new(_: &Studio, view: &SetView) -> Result<Self> {
        let grid = grid_of(&view.settings)?;
        let order = Box::new(grid.order());
        Ok(Self { grid, order })
    }

    pub(crate) fn next(&mut self, studio: &Studio, reader: &mut Reader, most: usize) -> Option<Vec<ReadRow>> {
        let indices: Vec<u64> = self.order.by_ref().take(most).collect();
        if indices.is_empty() {
            return None;
        }
        Some(indices.into_iter().map(|index| read_cell(&self.grid, studio, reader, index)).collect())
    }
}

fn read_cell(grid: &Grid, studio: &Studio, reader: &mut Reader, index: u64) -> ReadRow {
    let mut problems = Vec::new();
    let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
    let ready = grid.cell(index).map_err(Box::new).and_then(|cell| {
        let mut draft = cell.row;
        (draft.id, draft.number) = (RowId(index), number);
        reader.single(studio, draft)
    });
    let ready = ready.map_err(|problem| problems.push(problem.at_row(number))).ok();
    ReadRow { row: index.cast_signed(), problems, ready }
}

impl Studio {
    /// How an axis is read.
    pub fn read_axis(&self, text: &AxisText) -> Result<Option<AxisView>, Box<Problem>> {
        let axis = text.read()?;
        Ok(axis.map(|axis| AxisView {
            name: axis.name().to_owned(),
            values: (0..axis.len().min(10_000)).map(|value| axis.label(value)).collect(),
        }))
    }

    /// The grid of a comparison's run, with the pictures that there are by now.
    pub fn grid(&self, batch: Id) -> Result<GridView> {
        let library = self.library()?;
        let row = library.batch(batch)?;
        let kept: Kept = serde_json::from_str(&row.options).unwrap_or_default();
        let settings = kept.settings.ok_or_else(|| {
            StudioError::new(ErrorKind::BadInput, "the run is not that of a comparison")
                .hint("grids are made of comparisons")
        })?;
        let grid = grid_of(&settings)?;
        let view = SetView {
            summary: super::SetSummary {
                id: row.set.unwrap_or(batch),
                name: row.name.clone(),
                kind: kept.kind,
                rows: 0,
                created: 0,
                changed: 0,
                trashed_at: None,
            },
            columns: Vec::new(),
            settings: settings.clone(),
            revision: 0,
            undo: None,
            redo: None,
        };
        let mut reader = Reader::new(self, view)?;
        let mut pictures = Vec::with_capacity(grid.count() as usize);
        for index in 0..grid.count() {
            let ready = read_cell(&grid, self, &mut reader, index).ready;
            let recipe = ready.as_ref().and_then(|ready| ready.pictures().ok()?.into_iter().next());
            let found = match (&ready, &recipe) {
                (Some(ready), Some(recipe)) => library.find_existing(&ready.keys(recipe))?,
                _ => std::collections::HashMap::default(),
            };
            let there = found.into_values().find(|found| found.place == ExistingPlace::Library);
            pictures.push(there.map(|found| found.id));
        }
        let axes = grid.axes().iter().map(|axis| match axis {
            None => GridAxis { name: String::new(), labels: vec![String::new()] },
            Some(axis) => GridAxis {
                name: String::new(),
                labels: (0..axis.len()).map(|value| axis.label(value)).collect(),
            },
        });
        let caption = settings.defaults.draft.prompt.map(|prompt| prompt.text).unwrap_or_default();
        let layout = Layout { title: row.name, caption, axes: axes.collect() };
        Ok(GridView { layout, pictures })
    }

    /// The grid as one PNG.
    pub fn grid_png(&self, batch: Id, out: impl Write) -> Result<()> {
        let view = self.grid(batch)?;
        let library = self.library()?;
        let load = |id: Option<Id>| -> Option<RgbImage> {
            let picture = pixels::load(&library.picture_path(id?).ok()?).ok()?;
            RgbImage::from_raw(picture.width, picture.height, picture.rgb)
        };
        let first = view.pictures.iter().copied().find(Option::is_some).flatten();
        let cell = load(first).map_or((256, 256), |picture| picture.dimensions());
        let mut picture = |index: usize| load(view.pictures.get(index).copied().flatten());
        write_png(&view.layout, cell, &mut picture, out).map_err(|error| not_made(&error))?;
        Ok(())
    }

    /// The grid as a page that zooms.
    pub fn grid_html(&self, batch: Id, language: &str, out: impl Write) -> Result<()> {
        let view = self.grid(batch)?;
        let library = self.library()?;
        let mut cell = |index: usize| {
            let id = view.pictures.get(index).copied().flatten()?;
            let path = library.thumbnail(id, ThumbnailSize::Large).ok()?;
            let bytes = std::fs::read(&path).ok()?;
            let media_type = match path.extension().and_then(|ending| ending.to_str()) {
                Some("webp") => "image/webp",
                Some("jpg" | "jpeg") => "image/jpeg",
                _ => "image/png",
            };
            let picture = library.summaries(&[id]).ok()?.into_iter().next()?;
            let seed = picture.seed.map_or(String::new(), |seed| format!("seed {seed}"));
            Some(HtmlCell { bytes, media_type, caption: format!("{}\n{seed}", picture.prompt) })
        };
        write_html(&view.layout, language, &mut cell, out).map_err(|error| not_made(&error))
    }
}

fn not_made(error: &GridError) -> StudioError {
    StudioError::caused(ErrorKind::BadInput, error)
}
