//! The values behind a wildcard's name, read once.

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::{Sequence, literal};
use super::error::Problem;
use super::node::{Node, NodeRef};
use super::read::read;
use super::wildcards::{Wildcards, clean, is_pattern, matching};
use super::{Config, Severity};

/// The values of a name or pattern.
#[derive(Debug)]
pub(super) struct List {
    /// The name as it was looked up.
    pub(super) name: String,
    pub(super) items: Vec<Item>,
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) value: Sequence,
    pub(super) weight: f64,
    /// Its node, if it is nothing but text.
    pub(super) text: Option<NodeRef>,
}

pub(super) struct Lists<'a> {
    wildcards: &'a dyn Wildcards,
    names: Option<Vec<String>>,
    read: HashMap<String, Arc<List>>,
}

impl<'a> Lists<'a> {
    pub(super) fn new(wildcards: &'a dyn Wildcards) -> Self {
        Self { wildcards, names: None, read: HashMap::new() }
    }

    pub(super) fn get(&mut self, name: &str, config: &Config) -> Result<Arc<List>, Problem> {
        let missing = |similar| Problem::MissingWildcard { name: shortened(name.trim()), similar };
        let Some(clean) = clean(name) else { return Err(missing(None)) };
        if let Some(list) = self.read.get(&clean) {
            return Ok(list.clone());
        }
        let exact = if is_pattern(&clean) { None } else { self.wildcards.values(&clean) };
        let lists = if let Some(values) = exact {
            vec![values]
        } else {
            let names = self.names.get_or_insert_with(|| self.wildcards.names());
            let found = matching(&clean, names);
            if found.is_empty() {
                return Err(missing(similar(&clean, names)));
            }
            found.iter().filter_map(|name| self.wildcards.values(name)).collect()
        };
        let list = Arc::new(list(clean.clone(), &lists, config)?);
        self.read.insert(clean, list.clone());
        Ok(list)
    }
}

/// Values of equal text become one, with the sum of their weights. A weight of zero takes a value out.
fn list(name: String, lists: &[Arc<[super::wildcards::Value]>], config: &Config) -> Result<List, Problem> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut values: Vec<(&str, f64)> = Vec::new();
    for value in lists.iter().flat_map(|it| it.iter()) {
        let weight = if value.weight.is_finite() { value.weight } else { 1.0 };
        if weight <= 0.0 {
            continue;
        }
        if let Some((_, sum)) = places.get(value.text.as_str()).and_then(|place| values.get_mut(*place)) {
            *sum += weight;
        } else {
            places.insert(&value.text, values.len());
            values.push((&value.text, weight));
        }
    }
    if values.is_empty() {
        return Err(Problem::EmptyWildcard { name });
    }
    if config.sort_wildcards {
        values.sort_by(|a, b| a.0.cmp(b.0));
    }
    let mut items = Vec::with_capacity(values.len());
    for (text, weight) in values {
        let read = read(text, 0, config);
        if let Some(error) = read.diagnostics.iter().find(|it| it.severity == Severity::Error) {
            return Err(Problem::BrokenValue { wildcard: name, value: shortened(text), code: error.code });
        }
        let node = literal(&read.root).map(Node::text);
        items.push(Item { value: read.root, weight, text: node });
    }
    Ok(List { name, items })
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A name that differs from the one asked for by a few letters, or by its folder.
fn similar(name: &str, names: &[String]) -> Option<String> {
    if name.len() > 100 {
        return None;
    }
    let last = |name: &str| name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let wanted = last(name);
    let near = names.iter().take(10_000).filter(|it| it.len() <= 200);
    let near = near.map(|it| (distance(&wanted, &last(it)), it));
    near.filter(|(distance, _)| *distance <= wanted.chars().count() / 3).min().map(|(_, name)| name.clone())
}

/// Letters to change, add or take away.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            left = (before + usize::from(x != *y)).min(above + 1).min(left + 1);
            before = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
