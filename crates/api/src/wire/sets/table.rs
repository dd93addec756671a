//! The table of a prompt set: its rows, edits, and what is wrong with them.

use serde::{Deserialize, Serialize};
use tarim_sets::Problem as RowProblem;
use ts_rs::TS;

use super::SetDetail;

/// A page of something of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PageRows {
    /// Which set.
    pub id: String,
    /// How many rows to skip.
    #[serde(default)]
    pub offset: u32,
    /// How many at most; 2000 are possible.
    pub limit: u32,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SetRow {
    /// Its id in the set, which it keeps.
    #[ts(type = "number")]
    pub row: i64,
    /// A cell for each column.
    pub cells: Vec<String>,
}

/// Rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct RowsPage {
    /// In their order.
    pub rows: Vec<SetRow>,
    /// How many the set has.
    pub total: u32,
    /// See [`SetDetail::revision`].
    pub revision: f64,
}

/// One step of an edit. Rows are named by their ids, columns by their place in the order of columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "do", rename_all = "snake_case")]
#[ts(optional_fields)]
pub enum SetEdit {
    /// Other texts in cells.
    Cells {
        /// The cells.
        cells: Vec<CellText>,
    },
    /// A block of cells, from a row and column on; rows and columns that it needs are added at the end.
    Paste {
        /// The first row; behind the last one when absent.
        #[ts(optional, type = "number")]
        #[serde(default)]
        row: Option<i64>,
        /// The first column.
        column: u32,
        /// The texts, row by row.
        lines: Vec<Vec<String>>,
    },
    /// The cells of the first row of these in the others.
    FillDown {
        /// The rows.
        #[ts(type = "Array<number>")]
        rows: Vec<i64>,
        /// In which columns.
        columns: Vec<u32>,
    },
    /// Empty cells.
    Clear {
        /// In these rows …
        #[ts(type = "Array<number>")]
        rows: Vec<i64>,
        /// … and columns.
        columns: Vec<u32>,
    },
    /// New rows.
    InsertRows {
        /// Behind this one; in front of all when absent.
        #[ts(optional, type = "number")]
        #[serde(default)]
        behind: Option<i64>,
        /// Their cells.
        rows: Vec<Vec<String>>,
    },
    /// New rows at the end.
    AppendRows {
        /// Their cells.
        rows: Vec<Vec<String>>,
    },
    /// Copies of rows, each behind its original.
    DuplicateRows {
        /// Which.
        #[ts(type = "Array<number>")]
        rows: Vec<i64>,
    },
    /// Rows that go.
    DeleteRows {
        /// Which.
        #[ts(type = "Array<number>")]
        rows: Vec<i64>,
    },
    /// Rows that move, in this order.
    MoveRows {
        /// Which.
        #[ts(type = "Array<number>")]
        rows: Vec<i64>,
        /// Behind this one; in front of all when absent.
        #[ts(optional, type = "number")]
        #[serde(default)]
        behind: Option<i64>,
    },
    /// A new column.
    AddColumn {
        /// Its header.
        name: String,
        /// Its place; at the end when absent.
        #[serde(default)]
        at: Option<u32>,
    },
    /// Another header.
    RenameColumn {
        /// Which.
        column: u32,
        /// The header.
        name: String,
    },
    /// Another place.
    MoveColumn {
        /// Which.
        column: u32,
        /// Where it is to stand.
        to: u32,
    },
    /// A column that goes.
    DeleteColumn {
        /// Which.
        column: u32,
    },
}

/// A text for a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CellText {
    /// The row's id.
    #[ts(type = "number")]
    pub row: i64,
    /// The column's place.
    pub column: u32,
    /// The text.
    pub text: String,
}

/// Edit a set: all steps, or none. It can be taken back as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EditSet {
    /// Which set.
    pub id: String,
    /// The key of a translated word for what is done: `paste`, `fill_down`, …
    pub label: String,
    /// The steps.
    pub edits: Vec<SetEdit>,
}

/// An edited set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct EditedSet {
    /// The set as it is now.
    pub set: SetDetail,
    /// The ids of rows that were added, in their order.
    #[ts(type = "Array<number>")]
    pub added: Vec<i64>,
}

/// What is wrong with a page of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct RowsCheck {
    /// What is wrong with the columns.
    pub header: Vec<RowProblem>,
    /// What is wrong in these rows. `row_id` names the row, `column` the header.
    pub problems: Vec<RowProblem>,
    /// How many pictures each of these rows asks for, exactly, in decimal digits; absent for rows that cannot run.
    pub pictures: Vec<RowPictures>,
    /// See [`SetDetail::revision`].
    pub revision: f64,
}

/// How many pictures a row asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RowPictures {
    /// The row's id.
    #[ts(type = "number")]
    pub row: i64,
    /// How many, in decimal digits.
    pub pictures: String,
}
