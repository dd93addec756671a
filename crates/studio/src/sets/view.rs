//! Sets as people see them, and what is done to them as a whole.

use serde::{Deserialize, Serialize};
use tarim_library::{Id, NewSet, Set};
use tarim_sets::{Column, Defaults, Field};

use crate::error::{ErrorKind, Result, StudioError};
use crate::events::Topic;
use crate::studio::Studio;

/// The most rows of a page.
pub(crate) const LONGEST_PAGE: u32 = 2000;

/// What a set is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetKind {
    /// A table: each row asks for pictures.
    #[default]
    Table,
    /// A comparison: one draft, changed along axes.
    Grid,
}

/// A column and its place in the cells of the library's rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetColumn {
    /// The place. It stays when columns are moved or renamed, and is not used again when they are deleted.
    pub slot: u32,
    /// Its name and meaning.
    #[serde(flatten)]
    pub column: Column,
}

/// Everything of a set beside its rows, as the library keeps it in JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SetSettings {
    /// What it is.
    pub kind: SetKind,
    /// What holds for every row that says nothing else; the draft under a comparison.
    pub defaults: Defaults,
    /// The id of the model for rows that name none; the default model when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Where seeds of rows without one come from. A set that is run again has the same seeds, until this is changed.
    pub seeds: u64,
    /// The template of files' names, for rows that give none; the settings' template when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<String>,
    /// The file that it was read from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The axes of a comparison, as they were typed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub axes: Vec<AxisText>,
    /// How often columns were added: the place that the next one gets.
    pub next_slot: u32,
}

/// An axis as it is typed: a field, and its values in A1111's notation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AxisText {
    /// The field, by any of its names; `prompt_sr` for search and replace in the prompt.
    pub field: String,
    /// Its values: a list or ranges.
    pub values: String,
}

/// A set in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct SetSummary {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SetKind,
    /// How many rows it has.
    pub rows: u64,
    /// When it was made, in milliseconds since 1970.
    pub created: i64,
    /// When it was changed last.
    pub changed: i64,
    /// When it was moved to the trash.
    pub trashed_at: Option<i64>,
}

/// A set without its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct SetView {
    /// What a list shows.
    pub summary: SetSummary,
    /// Its columns, in their order.
    pub columns: Vec<SetColumn>,
    /// Everything else.
    pub settings: SetSettings,
    /// Another number after every edit.
    pub revision: i64,
    /// What would be taken back.
    pub undo: Option<String>,
    /// What would be made again.
    pub redo: Option<String>,
}

/// A row of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetRow {
    /// Its id in the set.
    pub row: i64,
    /// A cell for each column.
    pub cells: Vec<String>,
}

/// Rows, and how many there are in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowsPage {
    /// The rows, in their order.
    pub rows: Vec<SetRow>,
    /// How many the set has.
    pub total: u64,
    /// See [`SetView::revision`].
    pub revision: i64,
}

/// A set to be made.
#[derive(Clone, Debug, Default)]
pub struct NewTable {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SetKind,
    /// Its columns' headers; `prompt`, `negative_prompt` and `seed` when there are none.
    pub columns: Vec<String>,
    /// Its rows' cells.
    pub rows: Vec<Vec<String>>,
    /// What holds for every row.
    pub defaults: Defaults,
    /// The axes of a comparison.
    pub axes: Vec<AxisText>,
}

impl SetView {
    pub(crate) fn of(set: Set) -> Result<Self> {
        let columns = read(&set.columns, "columns", &set)?;
        let settings: SetSettings = read(&set.settings, "settings", &set)?;
        Ok(Self {
            summary: SetSummary {
                id: set.id,
                name: set.name,
                kind: settings.kind,
                rows: set.rows,
                created: set.created,
                changed: set.changed,
                trashed_at: set.trashed_at,
            },
            columns,
            settings,
            revision: set.revision,
            undo: set.undo,
            redo: set.redo,
        })
    }

    /// The cells of a row of the library, one for each column.
    pub(crate) fn cells(&self, cells: &[String]) -> Vec<String> {
        let cell = |column: &SetColumn| cells.get(column.slot as usize).cloned().unwrap_or_default();
        self.columns.iter().map(cell).collect()
    }
}

fn read<T: serde::de::DeserializeOwned>(text: &str, what: &str, set: &Set) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        let message = format!("the {what} of the set `{}` cannot be read: {error}", set.name);
        StudioError::new(ErrorKind::BadInput, message)
            .hint("it may have been made by a newer Tarim; update it")
    })
}

pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StudioError::caused(ErrorKind::Internal, &error))
}

impl Studio {
    /// The sets, the last changed first, or those in the trash.
    pub fn sets(&self, trashed: bool) -> Result<Vec<SetSummary>> {
        let sets = self.library()?.sets(trashed)?;
        sets.into_iter().map(|set| SetView::of(set).map(|view| view.summary)).collect()
    }

    /// A set.
    pub fn set(&self, id: Id) -> Result<SetView> {
        SetView::of(self.library()?.set(id)?)
    }

    /// Makes a set.
    pub fn create_set(&self, new: NewTable) -> Result<SetView> {
        let seeds = self.surroundings().fresh_seed().0;
        let columns = match new.columns.as_slice() {
            [] if new.kind == SetKind::Table => {
                [Field::Prompt, Field::NegativePrompt, Field::Seed].map(Column::from).to_vec()
            }
            names => names.iter().map(Column::named).collect(),
        };
        let settings = SetSettings {
            kind: new.kind,
            defaults: new.defaults,
            axes: new.axes,
            seeds,
            ..SetSettings::default()
        };
        self.make_set(&new.name, columns, settings, new.rows)
    }

    pub(crate) fn make_set(
        &self,
        name: &str,
        columns: Vec<Column>,
        mut settings: SetSettings,
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> Result<SetView> {
        let now = self.now();
        let columns: Vec<SetColumn> =
            (0..).zip(columns).map(|(slot, column)| SetColumn { slot, column }).collect();
        settings.next_slot = columns.len() as u32;
        let new = NewSet {
            id: self.new_id(now),
            name: name.to_owned(),
            columns: to_json(&columns)?,
            settings: to_json(&settings)?,
            created: now,
        };
        self.library()?.create_set(&new, rows)?;
        self.changed(&[Topic::Sets]);
        self.set(new.id)
    }

    /// Gives a set another name.
    pub fn rename_set(&self, id: Id, name: &str) -> Result<SetView> {
        self.library()?.rename_set(id, name, self.now())?;
        self.changed(&[Topic::Sets]);
        self.set(id)
    }

    /// Copies a set. The copy has the seeds of the original, so that what both ask for is drawn once.
    pub fn duplicate_set(&self, id: Id, name: &str) -> Result<SetView> {
        let now = self.now();
        let library = self.library()?;
        let from = library.set(id)?;
        let copy = NewSet {
            id: self.new_id(now),
            name: name.to_owned(),
            columns: from.columns,
            settings: from.settings,
            created: now,
        };
        library.duplicate_set(id, &copy)?;
        self.changed(&[Topic::Sets]);
        self.set(copy.id)
    }

    /// Moves a set to the trash, or takes it out.
    pub fn trash_set(&self, id: Id, trashed: bool) -> Result<()> {
        self.library()?.trash_set(id, trashed, self.now())?;
        self.changed(&[Topic::Sets]);
        Ok(())
    }

    /// Deletes a set that is in the trash for good; its pictures stay.
    pub fn delete_set(&self, id: Id) -> Result<()> {
        self.library()?.delete_set(id)?;
        self.changed(&[Topic::Sets]);
        Ok(())
    }

    /// A page of a set's rows.
    pub fn set_rows(&self, id: Id, offset: u64, limit: u32) -> Result<RowsPage> {
        let view = self.set(id)?;
        let rows = self.library()?.set_rows(id, offset, limit.min(LONGEST_PAGE))?;
        let rows = rows.into_iter().map(|row| SetRow { row: row.row, cells: view.cells(&row.cells) });
        Ok(RowsPage { rows: rows.collect(), total: view.summary.rows, revision: view.revision })
    }
}
