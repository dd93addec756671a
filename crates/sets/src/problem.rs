//! What is wrong with a set, and where.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::table::RowId;

/// Something that a person should look at: in which file, row and column, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "RowProblem", optional_fields))]
pub struct Problem {
    /// Whether the row can run all the same.
    pub severity: Severity,
    /// What kind of problem, for programs and translations.
    pub code: Code,
    /// The file's name, as the caller gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The row, counted from 1 as the spreadsheet or editor that made the file shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// The row in the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_id: Option<RowId>,
    /// The column, as its header writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What was wrong.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// A text for the cell that would be right, where one can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; nothing has to be done.
    Note,
    /// The row runs, perhaps not as it was meant.
    Warning,
    /// The row cannot run. The others can.
    Error,
}

/// Kinds of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A column that means nothing to Tarim; it is kept.
    UnknownColumn,
    /// A second column for the same thing.
    DuplicateColumn,
    /// No column is known.
    NoKnownColumn,
    /// There is no header; the first row was read as values.
    NoHeader,
    /// A row has more or fewer cells than the header.
    RaggedRow,
    /// A quotation mark that is never closed, or stands where none may.
    Quote,
    /// Some characters cannot be read in the file's encoding.
    Encoding,
    /// A spreadsheet's error value, such as `#REF!`.
    CellError,
    /// A line, object or sheet that cannot be read.
    Unreadable,
    /// There are no rows.
    Empty,
    /// More rows, columns or text than are read.
    TooLarge,
    /// A line that looks like flags and is read as a prompt.
    Flags,
    /// Not a number, or not of the form that is needed.
    NotANumber,
    /// A number outside its range.
    OutOfRange,
    /// Not a name that is known, such as a sampler's.
    UnknownName,
    /// The spreadsheet changed the value: a date for a range, a long number without its last digits.
    ChangedBySpreadsheet,
    /// There is no prompt.
    NoPrompt,
    /// Two rows would write the same file.
    DuplicateName,
    /// Not usable as a file's name.
    BadName,
    /// A value that nothing reads.
    NoEffect,
    /// A mask without a picture, or another pair of values that contradict each other.
    Conflict,
    /// A template that cannot be read or expanded.
    Template,
    /// More pictures than anybody can want.
    TooMany,
    /// A format that cannot hold a value.
    Lossy,
    /// Searched text that is not in the prompt.
    NotFound,
}

impl Problem {
    /// A problem that is not yet anywhere.
    pub fn new(severity: Severity, code: Code, message: impl Into<String>) -> Self {
        Self {
            severity,
            code,
            file: None,
            row: None,
            row_id: None,
            column: None,
            message: message.into(),
            hint: None,
            fix: None,
        }
    }

    /// An [`Severity::Error`].
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A [`Severity::Warning`].
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// A [`Severity::Note`].
    pub fn note(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, message)
    }

    /// With advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With a text that would be right.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// In a row.
    #[must_use]
    pub fn at_row(mut self, row: u32) -> Self {
        self.row = Some(row);
        self
    }

    /// In a column.
    #[must_use]
    pub fn in_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// In a file.
    #[must_use]
    pub fn in_file(mut self, file: &str) -> Self {
        if !file.is_empty() {
            self.file = Some(file.to_owned());
        }
        self
    }
}

/// `set.csv, row 12, column "Sampler": unknown sampler …; hint`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut place = Vec::new();
        place.extend(self.file.clone());
        place.extend(self.row.map(|row| format!("row {row}")));
        place.extend(self.column.as_ref().map(|column| format!("column {column:?}")));
        if !place.is_empty() {
            write!(f, "{}: ", place.join(", "))?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// The beginning of a text, for a message.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}
