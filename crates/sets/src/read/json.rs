//! Sets as JSON: a list of objects, an object with `rows`, or an object a line.

use std::{collections::HashMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use super::{Format, MAX_CELLS, MAX_COLUMNS, MAX_ROWS, ReadError, ReadSet};
use crate::{
    field::Field,
    problem::{Code, Problem, shown},
    table::{Column, Table},
};

/// An object whose members keep their order, which is that of the columns.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a value for each column")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }

            fn visit_str<E: Error>(self, prompt: &str) -> Result<Members, E> {
                // A list of prompts is a set, too.
                Ok(Members(vec![(Field::Prompt.name().to_owned(), Value::from(prompt))]))
            }
        }
        deserializer.deserialize_any(Object)
    }
}

/// Either form of a whole file.
struct File(Vec<Members>);

impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = File;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of objects, or an object with a list named `rows`")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<File, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = list.next_element()? {
                    rows.push(row);
                    if rows.len() > MAX_ROWS {
                        return Err(A::Error::custom(format!("there are more than {MAX_ROWS} rows")));
                    }
                }
                Ok(File(rows))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<File, A::Error> {
                let mut rows = None;
                while let Some(key) = map.next_key::<String>()? {
                    if matches!(key.as_str(), "rows" | "prompts" | "jobs" | "items" | "data") {
                        rows = Some(map.next_value::<Vec<Members>>()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                rows.map(File).ok_or_else(|| A::Error::missing_field("rows"))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Whether a text is a list of JSON, and not a prompt in square brackets.
pub(super) fn is_list(text: &str) -> bool {
    let after = text.strip_prefix('[').map(str::trim_start);
    let object = text.strip_prefix('{').map(str::trim_start);
    let begins = after.is_some_and(|rest| rest.starts_with('{') || rest.starts_with('"'))
        || object.is_some_and(|rest| rest.starts_with('"') && text.contains("\"rows\""));
    begins && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Whether a line is an object of JSON, and not a prompt that begins with a variant.
pub(super) fn is_object(line: &str) -> bool {
    serde_json::from_str::<Members>(line).is_ok()
}

pub(super) fn read(text: &str) -> Result<ReadSet, ReadError> {
    let File(rows) = serde_json::from_str(text)
        .map_err(|error| ReadError::Damaged { format: "JSON file", reason: error.to_string() })?;
    if rows.is_empty() {
        return Err(ReadError::Empty { what: "the list".to_owned() });
    }
    let mut builder = Builder::new(Format::Json);
    for (index, row) in rows.into_iter().enumerate() {
        if !builder.push(u32::try_from(index + 1).unwrap_or(u32::MAX), row) {
            break;
        }
    }
    Ok(builder.set)
}

pub(super) fn read_lines(text: &str) -> Result<ReadSet, ReadError> {
    let mut builder = Builder::new(Format::JsonLines);
    for (index, line) in text.lines().enumerate() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Members>(line) {
            Ok(row) => {
                if !builder.push(number, row) {
                    break;
                }
            }
            Err(error) => builder.set.problems.push(
                Problem::error(Code::Unreadable, format!("{} is no JSON object: {error}", shown(line)))
                    .at_row(number)
                    .hint("each line is an object of its own, such as {\"prompt\": \"a fox\"}"),
            ),
        }
    }
    if builder.set.table.rows.is_empty() {
        let reason = builder.set.problems.first().map_or("it is empty".to_owned(), ToString::to_string);
        return Err(ReadError::Damaged { format: "JSON Lines file", reason });
    }
    Ok(builder.set)
}

struct Builder {
    set: ReadSet,
    columns: HashMap<String, usize>,
    cells: usize,
}

impl Builder {
    fn new(format: Format) -> Self {
        let set = ReadSet { table: Table::default(), ..ReadSet::new(format) };
        Self { set, columns: HashMap::new(), cells: 0 }
    }

    /// Adds a row; whether there is room for more.
    fn push(&mut self, number: u32, Members(members): Members) -> bool {
        let mut cells: Vec<String> = Vec::new();
        for (name, value) in flattened(members) {
            let text = text(value);
            let Some(column) = self.column(&name, number) else { continue };
            if text.is_empty() {
                continue;
            }
            if cells.len() <= column {
                cells.resize(column + 1, String::new());
            }
            if let Some(cell) = cells.get_mut(column) {
                *cell = text;
            }
        }
        self.cells += cells.len();
        if self.cells > MAX_CELLS || self.set.table.rows.len() >= MAX_ROWS {
            let message = format!("there are more than {MAX_CELLS} cells; the rest was not read");
            self.set.problems.push(Problem::warning(Code::TooLarge, message).at_row(number));
            return false;
        }
        self.set.table.push_numbered(number, cells);
        true
    }

    fn column(&mut self, name: &str, number: u32) -> Option<usize> {
        if let Some(column) = self.columns.get(name) {
            return Some(*column);
        }
        let next = self.set.table.columns.len();
        if next >= MAX_COLUMNS {
            if !self.set.problems.iter().any(|problem| problem.code == Code::TooLarge) {
                let message =
                    format!("there are more than {MAX_COLUMNS} different names; the others were not read");
                self.set.problems.push(Problem::warning(Code::TooLarge, message).at_row(number));
            }
            return None;
        }
        self.set.table.columns.push(Column::named(name));
        self.columns.insert(name.to_owned(), next);
        Some(next)
    }
}

/// Members with those of inner objects under `outer.inner`, but for the few objects that are one value.
fn flattened(members: Vec<(String, Value)>) -> Vec<(String, Value)> {
    let mut flat = Vec::new();
    for (name, value) in members {
        let Value::Object(inner) = value else {
            flat.push((name, value));
            continue;
        };
        if inner.contains_key("text") || inner.contains_key("name") || inner.is_empty() {
            flat.push((name, Value::Object(inner)));
        } else if name == "override_settings" || name == "size" || name == "draft" || name == "recipe" {
            flat.extend(inner);
        } else {
            flat.extend(inner.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)));
        }
    }
    flat
}

/// A value as the text of a cell.
fn text(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Array(values) if values.iter().all(|value| !value.is_array() && !value.is_object()) => {
            values.into_iter().map(text).collect::<Vec<_>>().join(", ")
        }
        // A recipe's prompt is written as its template, so that it is drawn anew, and a model with its hash.
        Value::Object(mut object) if object.contains_key("text") => {
            let template = object.remove("template").filter(|template| !template.is_null());
            template.or_else(|| object.remove("text")).map_or(String::new(), text)
        }
        Value::Object(mut object) if object.contains_key("name") => {
            let name = object.remove("name").map_or(String::new(), text);
            let detail = |key| object.get(key).cloned().map(text).filter(|text| !text.is_empty());
            match (detail("hash"), detail("weight")) {
                (Some(hash), _) => format!("{name} [{hash}]"),
                (None, Some(weight)) => format!("{name}:{weight}"),
                (None, None) => name,
            }
        }
        Value::Array(values) => {
            let named = values.iter().all(|value| value.get("name").is_some());
            if named {
                values.into_iter().map(text).collect::<Vec<_>>().join(", ")
            } else {
                Value::Array(values).to_string()
            }
        }
        other => other.to_string(),
    }
}
