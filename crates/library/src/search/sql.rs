//! From a query to SQL.

use rusqlite::{Connection, types::Value};

use super::{
    conditions::{is_covered, keys_of, picture_condition, request_condition},
    index::{self, Tables, is_ideographic, short_parts},
    query::{Filter, Is, Query, Term},
};
use crate::error::Result;

/// What is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Pictures,
    Requests,
}

/// Conditions on the rows of `pictures p` or `requests r`.
#[derive(Clone, Debug)]
pub(crate) struct Sql {
    kind: Kind,
    /// Conditions on columns, each complete in itself, with its values.
    pub(crate) conditions: Vec<(String, Vec<Value>)>,
    /// What FTS5 is asked, of the table of long words and that of short ones.
    words: Vec<String>,
    short: Vec<String>,
    without_words: Vec<String>,
    without_short: Vec<String>,
    /// The terms of the last two, as they are.
    without: Vec<String>,
    /// Whether the index `pictures_layout` holds all rows and columns that the conditions are about.
    covered: bool,
    /// Bounds of the key, where the days give some.
    keys: (Option<i64>, Option<i64>),
}

impl Sql {
    pub(crate) fn of(db: &Connection, kind: Kind, query: &Query) -> Result<Self> {
        let mut sql = Self {
            kind,
            conditions: Vec::new(),
            words: Vec::new(),
            short: Vec::new(),
            without_words: Vec::new(),
            without_short: Vec::new(),
            without: Vec::new(),
            covered: kind == Kind::Pictures,
            keys: (None, None),
        };
        if kind == Kind::Pictures {
            sql.covered = query.terms.iter().all(|term| is_covered(&term.filter));
            let wants = |is| query.terms.iter().any(|t| !t.negated && t.filter == Filter::Is(is));
            if !wants(Is::Trashed) {
                sql.conditions.push(("p.trashed_at IS NULL".to_owned(), Vec::new()));
                if !wants(Is::Missing) {
                    sql.conditions.push(("p.missing = 0".to_owned(), Vec::new()));
                }
            }
        }
        for term in &query.terms {
            sql.add(db, term)?;
        }
        Ok(sql)
    }

    /// Whether words are looked for.
    pub(crate) fn has_words(&self) -> bool {
        !self.words.is_empty() || !self.short.is_empty()
    }

    pub(crate) fn tables(&self) -> Tables {
        match self.kind {
            Kind::Pictures => index::PICTURES,
            Kind::Requests => index::REQUESTS,
        }
    }

    /// The table, for a statement that the words lead: rows are then looked up one by one, and the index is much denser.
    pub(crate) fn table_after_words(&self, row_by_row: bool) -> &'static str {
        match self.kind {
            Kind::Pictures if self.covered && (!row_by_row || self.without.is_empty()) => {
                "pictures p INDEXED BY pictures_layout"
            }
            Kind::Pictures => "pictures p",
            Kind::Requests => "requests r",
        }
    }

    /// Conditions on the key, by whichever name it has in the statement, at which an index can begin and end.
    pub(crate) fn key_bounds(&self, key: &str) -> Vec<String> {
        let least = self.keys.0.map(|least| format!("{key} >= {least}"));
        let most = self.keys.1.map(|most| format!("{key} < {most}"));
        least.into_iter().chain(most).collect()
    }

    /// The key column.
    pub(crate) fn key(&self) -> &'static str {
        match self.kind {
            Kind::Pictures => "p.picture",
            Kind::Requests => "r.request",
        }
    }

    /// The full-text table that leads, and what it is asked.
    pub(crate) fn leading(&self) -> Option<(&'static str, String)> {
        let Tables { words, short } = self.tables();
        let without = |asked: &[String], not: &[String]| {
            let all = asked.join(" AND ");
            if not.is_empty() { all } else { format!("({all}) NOT ({})", not.join(" OR ")) }
        };
        if self.words.is_empty() {
            (!self.short.is_empty()).then(|| (short, without(&self.short, &self.without_short)))
        } else {
            Some((words, without(&self.words, &self.without_words)))
        }
    }

    /// Conditions for all words that `leading` does not ask for, if it leads. With `row_by_row`, words that must not be
    /// there are looked for in the row's text, which is right for a page; without, the index is asked once for all rows
    /// that have them, which is right for a count.
    pub(crate) fn other_words(&self, leads: bool, row_by_row: bool) -> Vec<(String, Vec<Value>)> {
        let Tables { words, short } = self.tables();
        let key = self.key();
        let words_lead = leads && !self.words.is_empty();
        let short_leads = leads && self.words.is_empty() && !self.short.is_empty();
        let mut conditions = Vec::new();
        let mut ask = |not: &str, table: &str, asked: String| {
            let condition = format!("{key} {not} IN (SELECT rowid FROM {table} WHERE {table} MATCH ?)");
            conditions.push((condition, vec![Value::Text(asked)]));
        };
        if !self.words.is_empty() && !words_lead {
            ask("", words, self.words.join(" AND "));
        }
        if !self.short.is_empty() && !short_leads {
            ask("", short, self.short.join(" AND "));
        }
        if !row_by_row && !self.without_words.is_empty() && !words_lead {
            ask("NOT", words, self.without_words.join(" OR "));
        }
        if !row_by_row && !self.without_short.is_empty() && !short_leads {
            ask("NOT", short, self.without_short.join(" OR "));
        }
        if row_by_row {
            let text = match self.kind {
                Kind::Pictures => "p.prompt",
                Kind::Requests => "(r.prompt || char(10) || ifnull(r.template, ''))",
            };
            for term in &self.without {
                // What the leading table was asked already.
                let long = term.chars().nth(2).is_some();
                if !(long && words_lead || !long && short_leads) {
                    conditions.push((format!("NOT holds({text}, ?)"), vec![Value::Text(term.clone())]));
                }
            }
        }
        conditions
    }

    fn add(&mut self, db: &Connection, term: &Term) -> Result<()> {
        if let Filter::Text(text) = &term.filter {
            self.add_text(text, term.negated);
            return Ok(());
        }
        if let (Filter::Days(days), false) = (&term.filter, term.negated) {
            let (least, most) = keys_of(*days);
            self.keys.0 = self.keys.0.max(least);
            self.keys.1 = self.keys.1.into_iter().chain(most).min();
        }
        let (condition, values) = match self.kind {
            Kind::Pictures => picture_condition(db, &term.filter)?,
            Kind::Requests => request_condition(db, &term.filter)?,
        };
        let condition = if term.negated { format!("NOT ifnull(({condition}), 0)") } else { condition };
        self.conditions.push((condition, values));
        Ok(())
    }

    fn add_text(&mut self, text: &str, negated: bool) {
        if negated {
            self.without.push(text.to_owned());
        }
        let (words, short) = if negated {
            (&mut self.without_words, &mut self.without_short)
        } else {
            (&mut self.words, &mut self.short)
        };
        if text.chars().count() >= 3 {
            words.push(format!("\"{}\"", text.replace('"', "\"\"")));
            return;
        }
        // One or two characters: a word of the short table, or the beginning of one.
        let parts = short_parts(text);
        let asked: Vec<_> = parts
            .iter()
            .map(|part| {
                if part.starts_with(is_ideographic) { format!("\"{part}\"") } else { format!("\"{part}\"*") }
            })
            .collect();
        match asked.len() {
            0 => {}
            1 => short.extend(asked),
            _ => short.push(format!("({})", asked.join(" AND "))),
        }
    }
}
