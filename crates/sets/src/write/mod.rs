//! From a table back to a file.

mod delimited;
mod json;
mod lines;
mod ods;
mod xlsx;

use serde::{Deserialize, Serialize};

pub(crate) use delimited::unescape_formula;

use crate::{field::Field, problem::Problem, read::Format, table::Table};

/// How a file is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(default)]
pub struct WriteOptions {
    /// CSV and TSV as Excel opens them by a double click: with a byte order mark, and an apostrophe before what it would
    /// take for a formula. Reading takes the apostrophe off again.
    pub for_excel: bool,
    /// What is between the values of a CSV; a comma where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// The sheet's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
}

/// A file, and what it could not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// What was changed because the format cannot hold it.
    pub problems: Vec<Problem>,
}

/// Why a file cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The format has no room for so much.
    #[error("{format} holds at most {most} {what}, and the set has {found}; write CSV or JSON instead")]
    TooLarge {
        /// The format.
        format: &'static str,
        /// Rows or columns.
        what: &'static str,
        /// The most there may be.
        most: usize,
        /// How many there are.
        found: usize,
    },
    /// The values cannot be kept apart.
    #[error("{0:?} cannot stand between values; use a comma, a semicolon or a tab")]
    Delimiter(char),
    /// The library that writes the format failed.
    #[error("the file cannot be put together: {0}")]
    Failed(String),
}

impl WriteError {
    #[allow(clippy::needless_pass_by_value)] // to be handed to `map_err`
    fn failed(error: impl ToString) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Writes a table. Reading what was written gives the same table, but for what [`Written::problems`] tells.
pub fn write(table: &Table, format: Format, options: &WriteOptions) -> Result<Written, WriteError> {
    let mut problems = Vec::new();
    let bytes = match format {
        Format::Csv => delimited::write(table, options.delimiter.unwrap_or(','), options)?,
        Format::Tsv => delimited::write(table, '\t', options)?,
        Format::Xlsx => xlsx::write(table, options, &mut problems)?,
        Format::Ods => ods::write(table, options)?,
        Format::Json => json::write(table, &mut problems),
        Format::JsonLines => json::write_lines(table, &mut problems),
        Format::Text => lines::write(table, &mut problems),
    };
    Ok(Written { bytes, problems })
}

/// A cell as a number, where its field holds numbers and the number reads back as the same text.
fn number(field: Option<Field>, text: &str) -> Option<f64> {
    let numeric = matches!(
        field?,
        Field::Seed
            | Field::Width
            | Field::Height
            | Field::Steps
            | Field::GuidanceScale
            | Field::GuidanceRescale
            | Field::VariationSeed
            | Field::VariationStrength
            | Field::ClipSkip
            | Field::Eta
            | Field::Strength
            | Field::ImageGuidanceScale
            | Field::MaskBlur
            | Field::MaskPadding
            | Field::Count
            | Field::BatchSize
            | Field::Limit
            | Field::Rating
    );
    // Spreadsheets keep 15 digits.
    if !numeric || text.len() > 15 {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    (value.is_finite() && value.to_string() == text).then_some(value)
}
