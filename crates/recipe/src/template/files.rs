//! What a wildcard file says: text with a value in each line, or a tree of lists in YAML or JSON.

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use super::head;
use super::wildcards::Value;

/// Lists by name.
pub type Lists = Vec<(String, Vec<Value>)>;

/// A wildcard file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Not one of the endings.
    #[error("{path} is no wildcard file; its name must end in .txt, .yaml, .yml or .json")]
    Ending {
        /// The file.
        path: String,
    },
    /// The text is no YAML.
    #[error("{path} is not valid YAML: {reason}")]
    Yaml {
        /// The file.
        path: String,
        /// What the reader of YAML says, with the place.
        reason: String,
    },
    /// The text is no JSON.
    #[error("{path} is not valid JSON: {reason}")]
    Json {
        /// The file.
        path: String,
        /// What the reader of JSON says, with the place.
        reason: String,
    },
    /// There is no list in it.
    #[error("{path} holds no list of values; write a list, or names with a list under each")]
    NoList {
        /// The file.
        path: String,
    },
}

/// Whether a file's name has one of the endings of wildcard files.
pub fn is_wildcard_file(path: &str) -> bool {
    ending(path).is_some_and(|(_, it)| ["txt", "yaml", "yml", "json"].contains(&it.as_str()))
}

fn ending(path: &str) -> Option<(&str, String)> {
    let (stem, ending) = path.rsplit_once('.')?;
    (!ending.contains(['/', '\\'])).then(|| (stem, ending.to_ascii_lowercase()))
}

/// Reads a wildcard file; `path` is relative to the folder of wildcards.
///
/// A text file is one wildcard with the file's name, and so is a list at the top of YAML or JSON. The names in a tree
/// stand under the file's folder, not under the file's name, as in dynamic prompts.
pub fn read(path: &str, text: &str) -> Result<Lists, FileError> {
    let normal = path.replace('\\', "/");
    let no = || FileError::Ending { path: path.to_owned() };
    let (stem, ending) = ending(&normal).ok_or_else(no)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let tree = match ending.as_str() {
        "txt" => return Ok(vec![(stem.to_owned(), lines(text))]),
        "yaml" | "yml" => serde_saphyr::from_str::<Tree>(text).map_err(|error| FileError::Yaml {
            path: path.to_owned(),
            reason: first_line(&error.to_string()),
        })?,
        "json" => serde_json::from_str::<Tree>(text)
            .map_err(|error| FileError::Json { path: path.to_owned(), reason: error.to_string() })?,
        _ => return Err(no()),
    };
    let folder = stem.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut lists = Lists::new();
    match tree {
        Tree::List(items) => lists.push((stem.to_owned(), values(items))),
        Tree::Map(entries) => walk(folder, entries, &mut lists),
        _ => {}
    }
    lists.retain(|(_, values)| !values.is_empty());
    if lists.is_empty() { Err(FileError::NoList { path: path.to_owned() }) } else { Ok(lists) }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// A value in each line; white space around it does not count, nor do empty lines and those that begin with `#`.
fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(weighted).collect()
}

/// `2::red` is `red` with the weight 2.
fn weighted(text: &str) -> Value {
    match head::weight(text, 0) {
        Some((weight, after)) if weight >= 0.0 && !text.get(after..).unwrap_or_default().is_empty() => {
            Value { text: text.get(after..).unwrap_or_default().to_owned(), weight }
        }
        _ => Value::new(text),
    }
}

/// What YAML and JSON have in common, with the order of keys.
enum Tree {
    Nothing,
    Text(String),
    /// A number, or yes and no: text in a list, nothing elsewhere.
    Scalar(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

fn walk(prefix: &str, entries: Vec<(String, Tree)>, lists: &mut Lists) {
    for (key, tree) in entries {
        let key = key.trim_matches('/');
        let name = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}/{key}") };
        match tree {
            Tree::Text(text) => lists.push((name, values(vec![Tree::Text(text)]))),
            Tree::List(items) => lists.push((name, values(items))),
            Tree::Map(entries) => walk(&name, entries, lists),
            Tree::Nothing | Tree::Scalar(_) => {}
        }
    }
}

fn values(items: Vec<Tree>) -> Vec<Value> {
    let value = |item| match item {
        Tree::Text(text) | Tree::Scalar(text) if !text.is_empty() => Some(weighted(&text)),
        Tree::Map(entries) => with_weight(entries),
        _ => None,
    };
    items.into_iter().filter_map(value).collect()
}

/// `{text: mouse, weight: 2}`, or `content` instead of `text`.
fn with_weight(entries: Vec<(String, Tree)>) -> Option<Value> {
    let (mut text, mut weight) = (None, 1.0);
    for (key, tree) in entries {
        let (Tree::Text(value) | Tree::Scalar(value)) = tree else { continue };
        match key.as_str() {
            "text" | "content" => text = text.or(Some(value)),
            "weight" => weight = value.trim().parse().ok().filter(|it: &f64| it.is_finite() && *it >= 0.0)?,
            _ => {}
        }
    }
    text.filter(|it| !it.is_empty()).map(|text| Value { text, weight })
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("text, a list, or names with values")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.to_string()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.to_string()))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.to_string()))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.to_string()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Tree, E> {
        Ok(Tree::Text(value))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Tree, E> {
        Ok(Tree::Nothing)
    }

    fn visit_none<E: de::Error>(self) -> Result<Tree, E> {
        Ok(Tree::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<Tree, Tree>()? {
            if let Tree::Text(key) | Tree::Scalar(key) = key {
                entries.push((key, value));
            }
        }
        Ok(Tree::Map(entries))
    }
}
