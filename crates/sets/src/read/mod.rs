//! From a file's bytes, or pasted text, to a table.

mod delimited;
mod encoding;
mod grid;
mod json;
mod lines;
mod ods;
mod workbook;

use serde::{Deserialize, Serialize};

pub(crate) use delimited::value_list;

use crate::{problem::Problem, table::Table};

/// The most rows that are read, the most that a spreadsheet has.
pub const MAX_ROWS: usize = 1_048_576;
/// The most columns that are read.
pub const MAX_COLUMNS: usize = 1000;
/// The most cells that are read.
pub(crate) const MAX_CELLS: usize = 8_000_000;
/// The largest file that is read, and the most that a workbook may unpack to.
pub const MAX_BYTES: u64 = 256 << 20;

/// The formats of sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Values apart by commas or semicolons.
    Csv,
    /// Values apart by tabs, also what is pasted from a spreadsheet.
    Tsv,
    /// Excel's workbook.
    Xlsx,
    /// OpenDocument's spreadsheet.
    Ods,
    /// A list of objects.
    Json,
    /// An object a line.
    JsonLines,
    /// A prompt a line, or A1111's prompts-from-file flags.
    Text,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Csv, Self::Tsv, Self::Xlsx, Self::Ods, Self::Json, Self::JsonLines, Self::Text];

    /// The format that a file's name says.
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        Some(match extension.to_ascii_lowercase().as_str() {
            "csv" => Self::Csv,
            "tsv" | "tab" => Self::Tsv,
            "xlsx" | "xlsm" => Self::Xlsx,
            "ods" => Self::Ods,
            "json" => Self::Json,
            "jsonl" | "ndjson" => Self::JsonLines,
            "txt" | "text" | "prompts" => Self::Text,
            _ => return None,
        })
    }

    /// The usual extension, without a full stop.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Xlsx => "xlsx",
            Self::Ods => "ods",
            Self::Json => "json",
            Self::JsonLines => "jsonl",
            Self::Text => "txt",
        }
    }
}

/// What the reader is told and need not find out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(default)]
pub struct ReadOptions {
    /// The format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// The sheet of a workbook, by name; the first visible one that holds anything otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The encoding of a text, such as `gb18030` or `big5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// What is between the values of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// Whether the first row names the columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
}

/// A table as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadSet {
    /// The table.
    pub table: Table,
    /// What was odd about the file; [`Checker`](crate::Checker) says what is wrong with the rows.
    pub problems: Vec<Problem>,
    /// The format it had.
    pub format: Format,
    /// The encoding of a text.
    pub encoding: Option<&'static str>,
    /// What was between the values of a text.
    pub delimiter: Option<char>,
    /// The sheet that was read.
    pub sheet: Option<String>,
    /// The names of all sheets of the workbook.
    pub sheets: Vec<String>,
}

impl ReadSet {
    fn new(format: Format) -> Self {
        Self {
            table: Table::default(),
            problems: Vec::new(),
            format,
            encoding: None,
            delimiter: None,
            sheet: None,
            sheets: Vec::new(),
        }
    }
}

/// Why nothing of a file can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is nothing in it.
    #[error("{what} is empty; a set needs a row of column names and a row for each picture")]
    Empty {
        /// The file, or its sheet.
        what: String,
    },
    /// A password is needed.
    #[error(
        "the workbook is protected with a password; open it in its program, save a copy without one, and use that"
    )]
    Password,
    /// Excel's format of 1997.
    #[error("this is a workbook of Excel 97 to 2003 (.xls); open it in its program and save it as .xlsx")]
    OldWorkbook,
    /// There is no such sheet.
    #[error("there is no sheet {name:?}; the workbook has {}", .sheets.join(", "))]
    NoSheet {
        /// What was asked for.
        name: String,
        /// What there is.
        sheets: Vec<String>,
    },
    /// More than is read.
    #[error("the file is too large: {what}; split it into several")]
    TooLarge {
        /// What of it.
        what: String,
    },
    /// It is not what it says it is.
    #[error("not a {format} that can be read: {reason}")]
    Damaged {
        /// `workbook`, `JSON file`, …
        format: &'static str,
        /// Why.
        reason: String,
    },
    /// The name of an encoding means nothing.
    #[error("unknown encoding {name:?}; usual ones are utf-8, gb18030, big5, utf-16le and utf-16be")]
    UnknownEncoding {
        /// What was asked for.
        name: String,
    },
}

/// Reads a set from a file's bytes. The name tells the format where the content does not, and is named in problems.
///
/// ```
/// # use tarim_sets::{Format, ReadOptions, read};
/// let set = read("提示词;步数\na fox;20\n".as_bytes(), "foxes.csv", &ReadOptions::default())?;
/// assert_eq!((set.format, set.delimiter), (Format::Csv, Some(';')));
/// assert_eq!(set.table.rows[0].cell(1), "20");
/// # Ok::<(), tarim_sets::ReadError>(())
/// ```
pub fn read(bytes: &[u8], name: &str, options: &ReadOptions) -> Result<ReadSet, ReadError> {
    if bytes.len() as u64 > MAX_BYTES {
        let what = format!("it is {} MiB, and {} are read", bytes.len() >> 20, MAX_BYTES >> 20);
        return Err(ReadError::TooLarge { what });
    }
    let mut set = match binary_format(bytes)? {
        Some(Format::Ods) => ods::read(bytes, options)?,
        Some(_) => workbook::read(bytes, options)?,
        None => {
            if let Some(format @ (Format::Xlsx | Format::Ods)) = options.format.or(Format::of_name(name))
                && !bytes.is_empty()
                && std::str::from_utf8(bytes).is_err()
            {
                let reason = format!("a .{} file begins with PK", format.extension());
                return Err(ReadError::Damaged { format: "workbook", reason });
            }
            let (text, encoding, problem) = encoding::decode(bytes, options.encoding.as_deref())?;
            let mut set = read_text(&text, name, options)?;
            set.encoding = Some(encoding);
            set.problems.extend(problem);
            set
        }
    };
    for problem in &mut set.problems {
        if problem.file.is_none() && !name.is_empty() {
            problem.file = Some(name.to_owned());
        }
    }
    Ok(set)
}

/// Reads a set from text, such as what was pasted.
pub fn read_text(text: &str, name: &str, options: &ReadOptions) -> Result<ReadSet, ReadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(ReadError::Empty { what: "the file".to_owned() });
    }
    let told = options.format.filter(|format| !matches!(format, Format::Xlsx | Format::Ods));
    match told.unwrap_or_else(|| text_format(text, name)) {
        Format::Json => json::read(text),
        Format::JsonLines => json::read_lines(text),
        Format::Text => lines::read(text),
        Format::Tsv => delimited::read(text, Format::Tsv, options),
        _ => delimited::read(text, Format::Csv, options),
    }
}

/// The cells of pasted text, without any meaning: rows of a spreadsheet's clipboard, or of a text with commas.
pub fn read_cells(text: &str) -> Vec<Vec<String>> {
    delimited::cells(text)
}

fn binary_format(bytes: &[u8]) -> Result<Option<Format>, ReadError> {
    const ZIP: &[u8] = b"PK\x03\x04";
    const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
    if bytes.starts_with(ZIP) {
        return Ok(Some(workbook::kind(bytes)?));
    }
    if bytes.starts_with(COMPOUND) {
        let wide: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let encrypted = bytes.windows(wide.len()).any(|window| window == wide);
        return Err(if encrypted { ReadError::Password } else { ReadError::OldWorkbook });
    }
    Ok(None)
}

/// The format of a text. A name is believed, but that many things are called `.txt`.
fn text_format(text: &str, name: &str) -> Format {
    let by_name = Format::of_name(name).filter(|format| !matches!(format, Format::Xlsx | Format::Ods));
    match by_name {
        Some(Format::Text) | None => {}
        Some(format) => return format,
    }
    let trimmed = text.trim_start();
    let first = trimmed.lines().next().unwrap_or_default().trim_end();
    if first.starts_with("--") {
        return Format::Text;
    }
    if json::is_list(trimmed) {
        return Format::Json;
    }
    if first.starts_with('{') && json::is_object(first) {
        return Format::JsonLines;
    }
    let tabs = delimited::known_headers(first, '\t');
    let mut others = [',', ';'].into_iter().map(|delimiter| delimited::known_headers(first, delimiter)).max();
    // A prompt may well say `text, english`, but hardly `prompt`.
    let lower = first.to_lowercase();
    if by_name.is_some() && !["prompt", "提示", "咒"].iter().any(|word| lower.contains(word)) {
        others = None;
    }
    if tabs >= 2 {
        Format::Tsv
    } else if others >= Some(2) {
        Format::Csv
    } else if by_name.is_none() && (first.contains('\t') || delimited::known_headers(first, '\t') == 1) {
        // Pasted from a spreadsheet.
        Format::Tsv
    } else {
        Format::Text
    }
}
