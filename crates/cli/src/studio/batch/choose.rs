//! Which set or run is meant by a file, a name or an id.

use std::fs;
use std::path::Path;

use tarim_api::WireError;
use tarim_api::wire::Id as IdRequest;
use tarim_api::wire::sets::{Batch, BatchDetail, BatchState, Batches, ListBatches};
use tarim_library::Id;
use tarim_sets::{Format, Problem, ReadOptions, ReadSet, Table};
use tarim_studio::StudioError;
use tarim_studio::sets::{Into, SetSummary};

use super::super::Door;
use crate::args::sets::Numbers;
use crate::failure::{Exit, Failure, Result};
use crate::output;

/// How many rows are asked for at once.
const PAGE: u32 = 2000;
/// The largest file that is looked into.
const MAX_BYTES: u64 = 512 << 20;

/// A set of the library.
pub(super) struct Chosen {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) file: Option<FromFile>,
}

/// The file that it was read from just now.
pub(super) struct FromFile {
    name: String,
    table: Table,
    /// What is odd about the file as a whole or its lines.
    pub(super) problems: Vec<Problem>,
}

impl Chosen {
    /// The number of the row at a place of the set, counted from 1, as its file shows it.
    pub(super) fn number(&self, place: u32) -> u32 {
        match &self.file {
            Some(file) if (place as usize) <= file.table.rows.len() => {
                file.table.number((place as usize).saturating_sub(1))
            }
            _ => place,
        }
    }

    /// A problem of the set as one of its file.
    pub(super) fn locate(&self, mut problem: Problem) -> Problem {
        if let Some(file) = &self.file {
            problem.row = problem.row.map(|place| self.number(place));
            problem.file.get_or_insert_with(|| file.name.clone());
        }
        problem
    }

    /// The ids of rows by their numbers.
    pub(super) fn rows(&self, door: &Door, numbers: &Numbers) -> Result<Vec<i64>> {
        let ids = row_ids(door, self.id)?;
        let all = (1_u32..).zip(ids);
        let found: Vec<i64> =
            all.filter(|(place, _)| numbers.contains(self.number(*place))).map(|(_, id)| id).collect();
        if found.is_empty() {
            return Err(Failure::bad_input(format!("`{}` has none of these rows", self.name))
                .hint("rows are counted as the file's program shows them, a header included"));
        }
        Ok(found)
    }
}

/// The ids of all rows, in their order.
pub(super) fn row_ids(door: &Door, set: Id) -> Result<Vec<i64>> {
    let mut ids = Vec::new();
    loop {
        let page = door.studio.set_rows(set, ids.len() as u64, PAGE).map_err(told)?;
        if page.rows.is_empty() {
            return Ok(ids);
        }
        ids.extend(page.rows.iter().map(|row| row.row));
    }
}

/// The set that is meant. A file goes into the library's set of it.
pub(super) fn choose(door: &Door, given: &str, sheet: Option<&str>, new_set: bool) -> Result<Chosen> {
    let path = Path::new(given);
    if path.is_file() {
        return from_file(door, path, sheet, new_set);
    }
    let sets = door.studio.sets(false).map_err(told)?;
    match named(&sets, given)? {
        Some(set) => Ok(Chosen { id: set.id, name: set.name.clone(), file: None }),
        None => Err(unknown(&sets, given)),
    }
}

fn named<'a>(sets: &'a [SetSummary], given: &str) -> Result<Option<&'a SetSummary>> {
    if let Some(set) = sets.iter().find(|set| set.id.to_string() == given) {
        return Ok(Some(set));
    }
    let found: Vec<&SetSummary> = sets.iter().filter(|set| set.name == given).collect();
    if let [_, _, ..] = found[..] {
        let ids: Vec<String> = found.iter().map(|set| set.id.to_string()).collect();
        return Err(Failure::bad_input(format!("{} sets are called `{given}`", found.len()))
            .hint(format!("name one by its id: {}", ids.join(", "))));
    }
    Ok(found.first().copied())
}

fn unknown(sets: &[SetSummary], given: &str) -> Failure {
    let what = if Format::of_name(given).is_some() { "file" } else { "file and no set" };
    let names: Vec<String> =
        sets.iter().take(10).map(|set| format!("`{}`", output::printable(&set.name))).collect();
    let failure = Failure::bad_input(format!("there is no {what} `{given}`"));
    match names[..] {
        [] => failure
            .hint("name a table: CSV, TSV, XLSX, ODS, JSON, JSON Lines, or a text with a prompt a line"),
        _ => failure.hint(format!("name a file, or one of these sets: {}", names.join(", "))),
    }
}

fn from_file(door: &Door, path: &Path, sheet: Option<&str>, new_set: bool) -> Result<Chosen> {
    let unreadable = |failure: Failure| failure.context(format!("`{}` cannot be read", path.display()));
    let io = |error: std::io::Error| unreadable(Failure::from_error(Exit::BadInput, &error));
    if fs::metadata(path).map_err(io)?.len() > MAX_BYTES {
        return Err(Failure::bad_input(format!("`{}` is too large for a set", path.display()))
            .hint("split it into several"));
    }
    let bytes = fs::read(path).map_err(io)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let options = ReadOptions { sheet: sheet.map(str::to_owned), ..ReadOptions::default() };
    let ReadSet { table, problems, .. } = tarim_sets::read(&bytes, &name, &options)
        .map_err(|error| unreadable(Failure::from_error(Exit::BadInput, &error)))?;

    let mut into = Into::New;
    for set in if new_set { Vec::new() } else { of_file(door, &name)? } {
        if same(door, set.id, &table)? {
            return Ok(Chosen { id: set.id, name: set.name, file: Some(FromFile { name, table, problems }) });
        }
        // Sheets of one workbook are sets of their own.
        if into == Into::New && sheet.is_none() {
            into = Into::Replace(set.id);
        }
    }
    let imported = door.studio.import_set(&name, &bytes, &options, into).map_err(told)?;
    let summary = imported.set.summary;
    if into != Into::New {
        output::note(&format!(
            "the set `{}` is now as the file; undo in the studio brings back what it was",
            output::printable(&summary.name)
        ));
    }
    Ok(Chosen { id: summary.id, name: summary.name, file: Some(FromFile { name, table, problems }) })
}

/// The sets that were read from a file of this name, the last changed first.
fn of_file(door: &Door, file: &str) -> Result<Vec<SetSummary>> {
    let mut found = Vec::new();
    for set in door.studio.sets(false).map_err(told)? {
        if door.studio.set(set.id).map_err(told)?.settings.source.as_deref() == Some(file) {
            found.push(set);
        }
    }
    Ok(found)
}

/// Whether a set holds just this.
fn same(door: &Door, set: Id, table: &Table) -> Result<bool> {
    let view = door.studio.set(set).map_err(told)?;
    let columns = view.columns.iter().map(|column| &column.column.name);
    if view.summary.rows != table.rows.len() as u64 || !columns.eq(table.columns.iter().map(|it| &it.name)) {
        return Ok(false);
    }
    let width = table.columns.len();
    let mut place = 0_usize;
    while place < table.rows.len() {
        let page = door.studio.set_rows(set, place as u64, PAGE).map_err(told)?;
        if page.rows.is_empty() {
            return Ok(false);
        }
        for row in page.rows {
            let Some(wanted) = table.rows.get(place) else { return Ok(false) };
            let cell = |column: usize| row.cells.get(column).map_or("", String::as_str);
            if (0..width).any(|column| cell(column) != wanted.cell(column)) {
                return Ok(false);
            }
            place += 1;
        }
    }
    Ok(true)
}

/// The run that is meant: by its id, or the latest of a set or of a file's set; one that is not finished, where there is
/// one. Nothing is read or changed for it.
pub(super) fn find_run(door: &Door, given: Option<&str>) -> Result<Option<Batch>> {
    let list = |set: Option<String>| -> Result<Vec<Batch>> {
        let request = ListBatches { set, ..ListBatches::default() };
        Ok(door.ask::<_, Batches>("list_batches", &request)?.batches)
    };
    let unfinished = |batch: &&Batch| batch.state != BatchState::Finished;
    let Some(given) = given else {
        return Ok(list(None)?.iter().find(unfinished).cloned());
    };
    let sets = door.studio.sets(false).map_err(told)?;
    let path = Path::new(given);
    let set = if path.is_file() {
        of_file(door, &path.file_name().unwrap_or_default().to_string_lossy())?.into_iter().next()
    } else {
        named(&sets, given)?.cloned()
    };
    if let Some(set) = set {
        let runs = list(Some(set.id.to_string()))?;
        return Ok(runs.iter().find(unfinished).or(runs.first()).cloned());
    }
    if given.parse::<Id>().is_ok() {
        return Ok(Some(door.ask::<_, BatchDetail>("get_batch", &IdRequest { id: given.to_owned() })?.batch));
    }
    if path.is_file() {
        return Ok(None);
    }
    Err(unknown(&sets, given))
}

pub(super) fn told(error: StudioError) -> Failure {
    Failure::from(WireError::from(error))
}
