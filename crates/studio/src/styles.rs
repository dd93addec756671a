//! Styles: named pairs of prompts, A1111's `styles.csv`.
//!
//! The file stays A1111's: rows that are comments, columns of other programs and the order of everything are kept.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::error::{ErrorKind, Result, StudioError};
use crate::studio::Studio;
use crate::{files, lock};

/// Held while the file is read, changed and written.
static CHANGING: Mutex<()> = Mutex::new(());

const FILE: &str = "styles.csv";
const MOST_BYTES: u64 = 8 << 20;
const MOST_NAME_BYTES: usize = 200;
const BYTE_ORDER_MARK: &str = "\u{feff}";
/// What stands for the prompt in a style that goes around it.
const PLACE: &str = "{prompt}";

/// A named pair of prompts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Its name.
    pub name: String,
    /// Text that is appended, or put around the prompt where it holds `{prompt}`.
    pub prompt: String,
    /// The same for the negative prompt.
    pub negative_prompt: String,
}

/// All styles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Styles {
    /// In the file's order.
    pub styles: Vec<Style>,
    /// What in the file cannot be read, and where.
    pub problems: Vec<String>,
}

/// `styles.csv`, read anew each time: people edit it with other programs.
pub struct Store {
    path: PathBuf,
}

impl Store {
    /// The styles in a folder.
    pub fn new(config_folder: &Path) -> Self {
        Self { path: config_folder.join(FILE) }
    }

    /// The styles; a file that cannot be read gives none, and a problem.
    pub fn list(&self) -> Styles {
        match self.read() {
            Ok(table) => table.styles(),
            Err(error) => Styles { styles: Vec::new(), problems: vec![error.message] },
        }
    }

    /// Saves a style under its name, in the place of the one of that name or of `old_name`, else at the end.
    pub fn save(&self, style: &Style, old_name: Option<&str>) -> Result<Styles> {
        check_name(&style.name)?;
        self.change(|table| {
            let old_name = old_name.unwrap_or(&style.name);
            if old_name != style.name && table.row_of(&style.name).is_some() {
                let message = format!("there is a style named `{}` already", style.name);
                return Err(StudioError::new(ErrorKind::Conflict, message).hint("choose another name"));
            }
            table.put(old_name, style);
            Ok(())
        })
    }

    /// Deletes a style.
    pub fn delete(&self, name: &str) -> Result<Styles> {
        self.change(|table| {
            let row = table.row_of(name).ok_or_else(|| no_style(name))?;
            table.rows.remove(row);
            Ok(())
        })
    }

    /// Puts styles into prompts, in this order, as A1111 does.
    pub fn apply(&self, prompt: &str, negative: &str, names: &[String]) -> Result<(String, String)> {
        let Styles { styles, .. } = self.read()?.styles();
        let (mut prompt, mut negative) = (prompt.to_owned(), negative.to_owned());
        for name in names {
            let style = styles.iter().find(|style| style.name == *name).ok_or_else(|| no_style(name))?;
            prompt = merge(&style.prompt, &prompt);
            negative = merge(&style.negative_prompt, &negative);
            // Each may double the text.
            let longest = prompt.len().max(negative.len());
            if longest > tarim_recipe::MAX_PROMPT_BYTES {
                let message = format!(
                    "with the style `{name}` the prompt has {longest} bytes; {} are allowed",
                    tarim_recipe::MAX_PROMPT_BYTES
                );
                return Err(StudioError::new(ErrorKind::BadInput, message).hint("leave a style out"));
            }
        }
        Ok((prompt, negative))
    }

    fn read(&self) -> Result<Table> {
        let what = || format!("the styles `{}` cannot be read", self.path.display());
        let content =
            files::read_small(&self.path, MOST_BYTES).map_err(|error| StudioError::io(what(), &error))?;
        let Some(content) = content else { return Ok(Table::new()) };
        let text = String::from_utf8(content).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let message = format!("{}: they are no UTF-8 text (byte {at})", what());
            StudioError::new(ErrorKind::BadInput, message)
                .hint("save the file as UTF-8 (in Excel: CSV UTF-8), or remove it")
        })?;
        Table::parse(text.trim_start_matches(BYTE_ORDER_MARK)).map_err(|reason| {
            StudioError::new(ErrorKind::BadInput, format!("{}: {reason}", what()))
                .hint("mend the file in a text editor, or remove it")
        })
    }

    fn change(&self, change: impl FnOnce(&mut Table) -> Result<()>) -> Result<Styles> {
        let _one = lock(&CHANGING);
        // A file that cannot be read is not written over.
        let mut table = self.read()?;
        change(&mut table)?;
        files::write_whole(&self.path, &table.write()?)?;
        Ok(table.styles())
    }
}

impl Studio {
    /// The styles, `styles.csv` in the config folder.
    pub fn styles(&self) -> Store {
        Store::new(&self.surroundings().config_folder)
    }
}

/// A style put into a prompt: around it where it says so, else behind it.
fn merge(style: &str, prompt: &str) -> String {
    if style.contains(PLACE) {
        return style.replace(PLACE, prompt);
    }
    let parts = [prompt.trim(), style.trim()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn no_style(name: &str) -> StudioError {
    let shown: String = name.chars().take(80).collect();
    StudioError::new(ErrorKind::NotFound, format!("there is no style named `{shown}`"))
}

fn check_name(name: &str) -> Result<()> {
    let wrong = if name.trim().is_empty() {
        "it is empty"
    } else if name.len() > MOST_NAME_BYTES {
        "it is too long"
    } else if name.starts_with('#') {
        "names that begin with # are comments"
    } else if name.starts_with(char::is_whitespace) || name.ends_with(char::is_whitespace) {
        "there is space around it"
    } else if name.chars().any(char::is_control) {
        "it holds control characters"
    } else {
        return Ok(());
    };
    let shown: String = name.chars().take(80).collect();
    Err(StudioError::new(ErrorKind::BadInput, format!("`{shown}` cannot be the name of a style: {wrong}")))
}

/// The file as it stands.
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Where in `columns` the name and the prompts are.
    name: usize,
    prompt: usize,
    negative: Option<usize>,
    problems: Vec<String>,
}

impl Table {
    fn new() -> Self {
        Self {
            columns: ["name", "prompt", "negative_prompt"].map(str::to_owned).to_vec(),
            rows: Vec::new(),
            name: 0,
            prompt: 1,
            negative: Some(2),
            problems: Vec::new(),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::new());
        }
        // As Python's `csv.DictReader(file, skipinitialspace=True)` reads it.
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut records = reader.records();
        let columns: Vec<String> = match records.next() {
            Some(Ok(columns)) => columns.iter().map(|name| name.trim().to_owned()).collect(),
            Some(Err(error)) => return Err(error.to_string()),
            None => return Ok(Self::new()),
        };
        let column = |name: &str| columns.iter().position(|column| column.eq_ignore_ascii_case(name));
        let name = column("name").ok_or("the first line names no column `name`")?;
        // Early versions of A1111 wrote `name,text`.
        let prompt = column("prompt").or_else(|| column("text"));
        let prompt = prompt.ok_or("the first line names no column `prompt`")?;
        let negative = column("negative_prompt");
        let mut table = Self { columns, rows: Vec::new(), name, prompt, negative, problems: Vec::new() };
        for record in records {
            match record {
                Ok(record) => table.rows.push(record.iter().map(str::to_owned).collect()),
                Err(error) => table.problems.push(error.to_string()),
            }
        }
        Ok(table)
    }

    /// The name in a row; `None` in a comment or an empty row.
    fn name_in<'a>(&self, row: &'a [String]) -> Option<&'a str> {
        Some(cell(row, Some(self.name)).trim()).filter(|name| !name.is_empty() && !name.starts_with('#'))
    }

    /// The row of a style; the last of that name counts, as in A1111.
    fn row_of(&self, name: &str) -> Option<usize> {
        self.rows.iter().rposition(|row| self.name_in(row) == Some(name))
    }

    fn styles(&self) -> Styles {
        let mut problems = self.problems.clone();
        let mut styles: Vec<Style> = Vec::new();
        for (number, row) in self.rows.iter().enumerate() {
            let Some(name) = self.name_in(row) else { continue };
            if self.row_of(name) != Some(number) {
                problems.push(format!("there are several styles named `{name}`; the last one counts"));
                continue;
            }
            styles.push(Style {
                name: name.to_owned(),
                prompt: cell(row, Some(self.prompt)).to_owned(),
                negative_prompt: cell(row, self.negative).to_owned(),
            });
        }
        problems.dedup();
        Styles { styles, problems }
    }

    fn put(&mut self, old_name: &str, style: &Style) {
        let columns = &mut self.columns;
        let negative = *self.negative.get_or_insert_with(|| {
            columns.push("negative_prompt".to_owned());
            columns.len() - 1
        });
        let at = self.row_of(old_name).unwrap_or_else(|| {
            self.rows.push(Vec::new());
            self.rows.len() - 1
        });
        let cells =
            [(self.name, &style.name), (self.prompt, &style.prompt), (negative, &style.negative_prompt)];
        let Some(row) = self.rows.get_mut(at) else { return };
        if row.len() < self.columns.len() {
            row.resize(self.columns.len(), String::new());
        }
        for (column, text) in cells {
            if let Some(cell) = row.get_mut(column) {
                cell.clone_from(text);
            }
        }
    }

    /// With a byte order mark, as A1111 writes it, so that spreadsheets know that it is UTF-8.
    fn write(&self) -> Result<Vec<u8>> {
        let wrong = |error: csv::Error| StudioError::caused(ErrorKind::Internal, &error);
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .terminator(csv::Terminator::CRLF)
            .from_writer(BYTE_ORDER_MARK.as_bytes().to_vec());
        writer.write_record(&self.columns).map_err(wrong)?;
        for row in &self.rows {
            writer.write_record(row).map_err(wrong)?;
        }
        writer.into_inner().map_err(|error| StudioError::caused(ErrorKind::Internal, error.error()))
    }
}

/// What a row has in a column; nothing where it is shorter.
fn cell(row: &[String], column: Option<usize>) -> &str {
    column.and_then(|column| row.get(column)).map_or("", String::as_str)
}

#[cfg(test)]
mod tests;
