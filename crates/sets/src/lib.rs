//! Prompt sets: tables of recipes, the files they come from and go to, comparisons and expansion.
//!
//! What belongs here: the [`Table`] and its formats (bytes in, values out), the meaning of columns and cells, what is wrong
//! with them and where, the axes of a comparison, and the drafts that a row or a grid stands for. What does not: files,
//! folders, models that exist or do not, the queue.

#![allow(clippy::result_large_err)] // a problem is collected far more often than it is an `Err`

mod axes;
mod check;
mod expand;
mod field;
mod own;
mod problem;
mod read;
mod row;
mod stand_in;
mod table;
mod value;
mod write;

pub use axes::{Axis, AxisKind, AxisSpec, Grid, GridCell, MAX_VALUES, VarySeeds, by_model};
pub use check::{Checked, Checker, check_row};
pub use expand::RowExpansion;
pub use field::Field;
pub use problem::{Code, Problem, Severity};
pub use read::{
    Format, MAX_BYTES, MAX_COLUMNS, MAX_ROWS, ReadError, ReadOptions, ReadSet, read, read_cells, read_text,
};
pub use row::{Defaults, MAX_COUNT, RowDraft, TemplateMode};
pub use table::{Column, Row, RowId, Table};
pub use write::{WriteError, WriteOptions, Written, write};
