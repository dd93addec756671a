//! Sets from files and to files.

use tarim_library::Id;
use tarim_sets::{
    Format, Problem, ReadError, ReadOptions, ReadSet, Row, RowId, Table, WriteOptions, read, write,
};

use super::view::{SetSettings, SetView};
use super::{Edit, plan::CHUNK};
use crate::error::{ErrorKind, Result, StudioError};
use crate::studio::Studio;

/// Where the rows of a file go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Into {
    /// A set of their own.
    New,
    /// Behind the rows of a set.
    Append(Id),
    /// In place of the rows and columns of a set.
    Replace(Id),
}

/// What was read.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The set.
    pub set: SetView,
    /// How many rows were read.
    pub rows: u64,
    /// What it was.
    pub format: Format,
    /// Its encoding, its sheet: what a person may want to check.
    pub notes: Vec<String>,
    /// The sheets of a workbook.
    pub sheets: Vec<String>,
    /// What is odd about the file.
    pub problems: Vec<Problem>,
}

impl Studio {
    /// Reads a file into a set. Seeds of rows without one follow from the file's name, so that the same file, read again,
    /// asks for the same pictures.
    pub fn import_set(
        &self,
        file: &str,
        bytes: &[u8],
        options: &ReadOptions,
        into: Into,
    ) -> Result<Imported> {
        let ReadSet { table, problems, format, encoding, delimiter, sheet, sheets } =
            read(bytes, file, options).map_err(|error| unreadable(&error))?;
        let mut notes = Vec::new();
        notes.extend(encoding.map(str::to_owned));
        notes.extend(delimiter.map(|delimiter| match delimiter {
            '\t' => "tab".to_owned(),
            other => other.to_string(),
        }));
        notes.extend(sheet);
        let rows = table.rows.len() as u64;
        let set = match into {
            Into::New => {
                let digest = tarim_recipe::sha256(file.as_bytes());
                let settings = SetSettings {
                    seeds: u64::from_str_radix(&digest[..8], 16).unwrap_or_default(),
                    source: Some(file.to_owned()),
                    ..SetSettings::default()
                };
                let stem = file.rsplit(['/', '\\']).next().unwrap_or(file);
                let name: String =
                    stem.rsplit_once('.').map_or(stem, |(stem, _)| stem).chars().take(60).collect();
                let name = if name.trim().is_empty() { "set".to_owned() } else { name };
                self.make_set(&name, table.columns, settings, table.rows.into_iter().map(|row| row.cells))?
            }
            Into::Append(id) => self.append(id, table)?,
            Into::Replace(id) => {
                let library = self.library()?;
                let mut edits: Vec<Edit> = Vec::new();
                let old = self.set(id)?;
                let all = library.set_rows(id, 0, u32::MAX)?;
                edits.push(Edit::DeleteRows(all.iter().map(|row| row.row).collect()));
                edits.extend((0..old.columns.len()).rev().map(Edit::DeleteColumn));
                edits.extend(
                    table
                        .columns
                        .iter()
                        .map(|column| Edit::AddColumn { name: column.name.clone(), at: None }),
                );
                edits.extend(append_edits(table.rows, |cells| cells));
                self.edit_set(id, "import", edits)?.set
            }
        };
        Ok(Imported { set, rows, format, notes, sheets, problems })
    }

    /// Rows go under the columns of the same meaning, or else of the same name; what has none gets one.
    fn append(&self, id: Id, table: Table) -> Result<SetView> {
        let view = self.set(id)?;
        let mut edits = Vec::new();
        let mut names: Vec<String> = view.columns.iter().map(|column| column.column.name.clone()).collect();
        let places: Vec<usize> = table
            .columns
            .iter()
            .map(|column| {
                let same = |known: &super::SetColumn| {
                    known.column.name == column.name
                        || column.field.is_some() && known.column.field == column.field
                };
                let found = view.columns.iter().position(same);
                found.or_else(|| names.iter().position(|name| *name == column.name)).unwrap_or_else(|| {
                    names.push(column.name.clone());
                    edits.push(Edit::AddColumn { name: column.name.clone(), at: None });
                    names.len() - 1
                })
            })
            .collect();
        let width = names.len();
        edits.extend(append_edits(table.rows, |cells| {
            let mut row = vec![String::new(); width];
            for (place, cell) in places.iter().zip(cells) {
                row[*place] = cell;
            }
            row
        }));
        Ok(self.edit_set(id, "import", edits)?.set)
    }

    /// A set as a file.
    pub fn export_set(&self, id: Id, format: Format, options: &WriteOptions) -> Result<Vec<u8>> {
        let view = self.set(id)?;
        let library = self.library()?;
        let mut table = Table::new(view.columns.iter().map(|column| column.column.clone()));
        let mut place = None;
        loop {
            let rows = library.set_rows_behind(id, place, CHUNK)?;
            let Some(last) = rows.last() else { break };
            place = Some(last.place());
            table.rows.extend(rows.iter().map(|row| Row {
                id: RowId(row.row.max(0).cast_unsigned()),
                number: None,
                cells: view.cells(&row.cells),
            }));
        }
        let written = write(&table, format, options)
            .map_err(|error| StudioError::caused(ErrorKind::BadInput, &error))?;
        Ok(written.bytes)
    }
}

fn append_edits(rows: Vec<Row>, place: impl Fn(Vec<String>) -> Vec<String>) -> Vec<Edit> {
    let rows: Vec<Vec<String>> = rows.into_iter().map(|row| place(row.cells)).collect();
    rows.chunks(50_000).map(|rows| Edit::AppendRows(rows.to_vec())).collect()
}

fn unreadable(error: &ReadError) -> StudioError {
    StudioError::caused(ErrorKind::BadInput, error)
}
