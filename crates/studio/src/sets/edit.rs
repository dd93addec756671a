//! Edits of a set's table, as people make them in a spreadsheet. Each can be taken back.

use tarim_library::{Id, LibraryError, SetEdit};
use tarim_sets::Column;

use super::view::{SetColumn, SetSettings, SetView, to_json};
use crate::error::{ErrorKind, Result, StudioError};
use crate::events::Topic;
use crate::studio::Studio;

/// The most cells that one paste may hold.
const MOST_CELLS: usize = 2_000_000;
/// The most columns.
const MOST_COLUMNS: usize = 400;
/// The longest cell, in bytes.
const LONGEST_CELL: usize = 256 << 10;
/// The most rows that are added at once.
const MOST_ROWS: usize = 100_000;

/// One step of an edit. Rows are named by their ids, columns by their place in the order of columns.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Other texts in cells: row, column, text.
    Cells(Vec<(i64, usize, String)>),
    /// A block of cells, from a row and column on; rows and columns that it needs are added at the end.
    Paste {
        /// The first row; behind the last one when absent.
        row: Option<i64>,
        /// The first column.
        column: usize,
        /// The texts, row by row.
        lines: Vec<Vec<String>>,
    },
    /// The cells of the first row of these in the others.
    FillDown {
        /// The rows, the first of which is copied.
        rows: Vec<i64>,
        /// In which columns.
        columns: Vec<usize>,
    },
    /// Empty cells.
    Clear {
        /// In these rows …
        rows: Vec<i64>,
        /// … and columns.
        columns: Vec<usize>,
    },
    /// New rows.
    InsertRows {
        /// Behind this one; in front of all when absent.
        behind: Option<i64>,
        /// Their cells.
        rows: Vec<Vec<String>>,
    },
    /// New rows at the end.
    AppendRows(Vec<Vec<String>>),
    /// Copies of rows, each behind its original.
    DuplicateRows(Vec<i64>),
    /// Rows that go.
    DeleteRows(Vec<i64>),
    /// Rows that move, in this order.
    MoveRows {
        /// Which.
        rows: Vec<i64>,
        /// Behind this one; in front of all when absent.
        behind: Option<i64>,
    },
    /// A new column.
    AddColumn {
        /// Its header.
        name: String,
        /// Its place; at the end when absent.
        at: Option<usize>,
    },
    /// Another header.
    RenameColumn {
        /// Which.
        column: usize,
        /// The header.
        name: String,
    },
    /// Another place.
    MoveColumn {
        /// Which.
        column: usize,
        /// Where it is to stand.
        to: usize,
    },
    /// A column that goes.
    DeleteColumn(usize),
    /// Other settings.
    Settings(Box<SetSettings>),
}

/// What an edit left behind.
#[derive(Clone, Debug)]
pub struct Edited {
    /// The set as it is now.
    pub set: SetView,
    /// The ids of rows that were added, in their order.
    pub added: Vec<i64>,
}

/// An edit under way.
struct Work<'a, 'b> {
    edit: &'a mut SetEdit<'b>,
    columns: Vec<SetColumn>,
    settings: SetSettings,
    added: Vec<i64>,
}

/// What goes wrong inside of an edit: the library's errors and our own, which roll it back.
enum Failed {
    Library(LibraryError),
    Ours(StudioError),
}

impl From<LibraryError> for Failed {
    fn from(error: LibraryError) -> Self {
        Self::Library(error)
    }
}

impl From<StudioError> for Failed {
    fn from(error: StudioError) -> Self {
        Self::Ours(error)
    }
}

impl Studio {
    /// Edits a set: all steps, or none. `label` is what the menu for taking it back says.
    pub fn edit_set(&self, id: Id, label: &str, edits: Vec<Edit>) -> Result<Edited> {
        let library = self.library()?;
        let view = self.set(id)?;
        let before = view.revision;
        // What is ours goes around the library's own errors.
        let mut ours = None;
        let done = library.edit_set(id, label, self.now(), |edit| {
            let mut work = Work { edit, columns: view.columns, settings: view.settings, added: Vec::new() };
            let step = || -> Result<(), Failed> {
                for edit in edits {
                    work.step(edit)?;
                }
                work.edit.set_columns(to_json(&work.columns)?)?;
                work.edit.set_settings(to_json(&work.settings)?)?;
                Ok(())
            };
            match step() {
                Ok(()) => Ok(std::mem::take(&mut work.added)),
                Err(Failed::Library(error)) => Err(error),
                Err(Failed::Ours(error)) => {
                    ours = Some(error);
                    // Any error takes everything back; this one is never seen.
                    Err(LibraryError::NotFound { what: "edit", id })
                }
            }
        });
        if let Some(error) = ours {
            return Err(error);
        }
        let added = done?;
        let set = self.set(id)?;
        if set.revision != before {
            self.changed(&[Topic::Sets]);
        }
        Ok(Edited { set, added })
    }

    /// Takes the last edit back; what is `None` had none.
    pub fn undo_set(&self, id: Id) -> Result<SetView> {
        self.library()?.undo_set(id, self.now())?;
        self.changed(&[Topic::Sets]);
        self.set(id)
    }

    /// Makes the edit again that was taken back last.
    pub fn redo_set(&self, id: Id) -> Result<SetView> {
        self.library()?.redo_set(id, self.now())?;
        self.changed(&[Topic::Sets]);
        self.set(id)
    }
}

impl Work<'_, '_> {
    fn step(&mut self, edit: Edit) -> Result<(), Failed> {
        match edit {
            Edit::Cells(cells) => {
                for (row, column, text) in cells {
                    let slot = self.slot(column)?;
                    check_cell(&text)?;
                    self.change(row, |cells| put(cells, slot, text))?;
                }
            }
            Edit::Paste { row, column, lines } => self.paste(row, column, lines)?,
            Edit::FillDown { rows, columns } => {
                let slots = self.slots(&columns)?;
                let Some((first, rest)) = rows.split_first() else { return Ok(()) };
                let from = self.edit.row(*first)?.ok_or_else(|| no_row(*first))?.cells;
                for row in rest {
                    self.change(*row, |cells| {
                        for slot in &slots {
                            put(cells, *slot, from.get(*slot).cloned().unwrap_or_default());
                        }
                    })?;
                }
            }
            Edit::Clear { rows, columns } => {
                let slots = self.slots(&columns)?;
                for row in rows {
                    self.change(row, |cells| slots.iter().for_each(|slot| put(cells, *slot, String::new())))?;
                }
            }
            Edit::InsertRows { behind, rows } => {
                let rows = self.stored(rows)?;
                let ids = self.edit.insert(behind, rows)?;
                self.added.extend(ids);
            }
            Edit::AppendRows(rows) => {
                let rows = self.stored(rows)?;
                let ids = self.edit.append(rows)?;
                self.added.extend(ids);
            }
            Edit::DuplicateRows(rows) => {
                for row in rows {
                    let cells = self.edit.row(row)?.ok_or_else(|| no_row(row))?.cells;
                    let ids = self.edit.insert(Some(row), vec![cells])?;
                    self.added.extend(ids);
                }
            }
            Edit::DeleteRows(rows) => drop(self.edit.delete(&rows)?),
            Edit::MoveRows { rows, behind } => drop(self.edit.shift(&rows, behind)?),
            Edit::AddColumn { name, at } => self.add_column(&name, at)?,
            Edit::RenameColumn { column, name } => {
                let name = clean_header(&name)?;
                self.slot(column)?;
                self.columns[column].column = Column::named(name);
            }
            Edit::MoveColumn { column, to } => {
                self.slot(column)?;
                let moved = self.columns.remove(column);
                self.columns.insert(to.min(self.columns.len()), moved);
            }
            Edit::DeleteColumn(column) => {
                // The cells stay where they are, so that it can be taken back.
                self.slot(column)?;
                self.columns.remove(column);
            }
            Edit::Settings(settings) => {
                let next_slot = self.settings.next_slot;
                self.settings = SetSettings { next_slot, ..*settings };
            }
        }
        Ok(())
    }

    fn paste(&mut self, row: Option<i64>, column: usize, lines: Vec<Vec<String>>) -> Result<(), Failed> {
        let cells: usize = lines.iter().map(Vec::len).sum();
        if cells > MOST_CELLS {
            let message = format!("{cells} cells cannot be pasted at once; {MOST_CELLS} can");
            return Err(StudioError::new(ErrorKind::BadInput, message).hint("import them as a file").into());
        }
        let width = lines.iter().map(Vec::len).max().unwrap_or(0);
        while self.columns.len() < column + width {
            let name = format!("column {}", self.columns.len() + 1);
            self.add_column(&name, None)?;
        }
        let slots: Vec<usize> =
            (column..column + width).map(|column| self.slot(column)).collect::<Result<_>>()?;
        let there = match row {
            Some(row) => {
                let there = self.edit.rows_from(Some(row), lines.len())?;
                if there.is_empty() && !lines.is_empty() {
                    return Err(no_row(row).into());
                }
                there
            }
            None => Vec::new(),
        };
        let mut lines = lines.into_iter();
        for (row, line) in there.into_iter().zip(lines.by_ref()) {
            let mut cells = row.cells;
            for (slot, text) in slots.iter().zip(line) {
                check_cell(&text)?;
                put(&mut cells, *slot, text);
            }
            self.edit.set_cells(row.row, cells)?;
        }
        let mut more = Vec::new();
        for line in lines {
            let mut cells = Vec::new();
            for (slot, text) in slots.iter().zip(line) {
                check_cell(&text)?;
                put(&mut cells, *slot, text);
            }
            more.push(cells);
        }
        let ids = self.edit.append(more)?;
        self.added.extend(ids);
        Ok(())
    }

    fn add_column(&mut self, name: &str, at: Option<usize>) -> Result<(), Failed> {
        let name = clean_header(name)?;
        if self.columns.len() >= MOST_COLUMNS {
            let message = format!("a set has at most {MOST_COLUMNS} columns");
            return Err(StudioError::new(ErrorKind::BadInput, message).into());
        }
        let column = SetColumn { slot: self.settings.next_slot, column: Column::named(name) };
        self.settings.next_slot += 1;
        self.columns.insert(at.unwrap_or(usize::MAX).min(self.columns.len()), column);
        Ok(())
    }

    fn change(&mut self, row: i64, work: impl FnOnce(&mut Vec<String>)) -> Result<(), Failed> {
        let mut cells = self.edit.row(row)?.ok_or_else(|| no_row(row))?.cells;
        work(&mut cells);
        self.edit.set_cells(row, cells)?;
        Ok(())
    }

    /// Rows as people see them, with cells in the places of the library's.
    fn stored(&self, rows: Vec<Vec<String>>) -> Result<Vec<Vec<String>>> {
        if rows.len() > MOST_ROWS {
            let message = format!("{} rows cannot be added at once; {MOST_ROWS} can", rows.len());
            return Err(StudioError::new(ErrorKind::BadInput, message).hint("import them as a file"));
        }
        let place = |line: Vec<String>| {
            let mut cells = Vec::new();
            for (column, text) in line.into_iter().enumerate() {
                check_cell(&text)?;
                put(&mut cells, self.slot(column)?, text);
            }
            Ok(cells)
        };
        rows.into_iter().map(place).collect()
    }

    fn slot(&self, column: usize) -> Result<usize> {
        self.columns.get(column).map(|column| column.slot as usize).ok_or_else(|| {
            let message = format!("there is no column {}", column + 1);
            StudioError::new(ErrorKind::NotFound, message).hint("the set was changed meanwhile; look again")
        })
    }

    fn slots(&self, columns: &[usize]) -> Result<Vec<usize>> {
        columns.iter().map(|column| self.slot(*column)).collect()
    }
}

fn put(cells: &mut Vec<String>, slot: usize, text: String) {
    if cells.len() <= slot {
        cells.resize(slot + 1, String::new());
    }
    cells[slot] = text;
}

fn no_row(row: i64) -> StudioError {
    StudioError::new(ErrorKind::NotFound, format!("the set has no row of the id {row}"))
        .hint("the set was changed meanwhile; look again")
}

fn check_cell(text: &str) -> Result<()> {
    if text.len() <= LONGEST_CELL {
        return Ok(());
    }
    let message = format!("a cell has {} bytes; {LONGEST_CELL} are possible", text.len());
    Err(StudioError::new(ErrorKind::BadInput, message).hint("shorten the text"))
}

fn clean_header(name: &str) -> Result<String> {
    let clean = name.trim();
    if clean.is_empty() || clean.len() > 200 || clean.chars().any(char::is_control) {
        let message = format!("`{clean:.80}` cannot be a column's name");
        return Err(StudioError::new(ErrorKind::BadInput, message).hint("choose a short name in one line"));
    }
    Ok(clean.to_owned())
}
