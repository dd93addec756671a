//! The index of words: two FTS5 tables for pictures and two for requests, with the keys of the rows they stand for.
//!
//! FTS5's trigram tokenizer finds any part of a text that has three characters or more, in any script. Shorter queries
//! are what the second table is for: it holds every Chinese, Japanese or Korean character and every pair of them as a
//! word of its own, and other scripts' words whole, so that one or two characters are one look-up. Neither stores the
//! text.

use rusqlite::{Connection, functions::FunctionFlags};
use unicode_normalization::UnicodeNormalization;

use crate::error::Result;

pub(crate) const CREATE: &str = "
CREATE VIRTUAL TABLE picture_words USING fts5 (words, content='', contentless_delete=1, tokenize='trigram case_sensitive 1');
CREATE VIRTUAL TABLE picture_short USING fts5 (words, content='', contentless_delete=1, detail=none, tokenize='unicode61 remove_diacritics 0', prefix='1 2');
CREATE VIRTUAL TABLE request_words USING fts5 (words, content='', contentless_delete=1, tokenize='trigram case_sensitive 1');
CREATE VIRTUAL TABLE request_short USING fts5 (words, content='', contentless_delete=1, detail=none, tokenize='unicode61 remove_diacritics 0', prefix='1 2');
-- Rows are gathered in memory before they are written, in bytes; with the usual megabyte, filling an index means
-- merging small pieces again and again.
INSERT INTO picture_words (picture_words, rank) VALUES ('hashsize', 8388608);
INSERT INTO picture_short (picture_short, rank) VALUES ('hashsize', 8388608);
";

/// The two tables of one kind of row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tables {
    pub(crate) words: &'static str,
    pub(crate) short: &'static str,
}

pub(crate) const PICTURES: Tables = Tables { words: "picture_words", short: "picture_short" };
pub(crate) const REQUESTS: Tables = Tables { words: "request_words", short: "request_short" };

/// Adds the words of a row.
pub(crate) fn add(db: &Connection, tables: Tables, key: i64, text: &str) -> Result<()> {
    let folded = fold(text);
    let Tables { words, short } = tables;
    db.prepare_cached(&format!("INSERT INTO {words} (rowid, words) VALUES (?1, ?2)"))?
        .execute((key, &folded))?;
    db.prepare_cached(&format!("INSERT INTO {short} (rowid, words) VALUES (?1, ?2)"))?
        .execute((key, short_words(&folded)))?;
    Ok(())
}

/// Takes the words of a row out.
pub(crate) fn remove(db: &Connection, tables: Tables, key: i64) -> Result<()> {
    for table in [tables.words, tables.short] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE rowid = ?1"))?.execute([key])?;
    }
    Ok(())
}

/// Takes all words out.
pub(crate) fn clear(db: &Connection, tables: Tables) -> Result<()> {
    for table in [tables.words, tables.short] {
        db.execute(&format!("INSERT INTO {table} ({table}) VALUES ('delete-all')"), [])?;
    }
    Ok(())
}

/// Adds the SQL function `holds(text, term)`: what the index answers, found out from a text at hand. For a row that is
/// read anyway it is much quicker than asking the index about that one row.
pub(crate) fn add_functions(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("holds", 2, flags, |context| {
        let text = context.get_raw(0).as_str().unwrap_or_default();
        let term = context.get_raw(1).as_str().unwrap_or_default();
        Ok(holds(&fold(text), term))
    })
}

/// Whether a folded text holds a folded term, by the rules of the two tables.
fn holds(folded: &str, term: &str) -> bool {
    if term.chars().nth(2).is_some() {
        return folded.contains(term);
    }
    short_parts(term).iter().all(|part| {
        if part.starts_with(is_ideographic) {
            return folded.contains(part.as_str());
        }
        // The beginning of a word.
        folded.match_indices(part.as_str()).any(|(at, _)| {
            let before = folded[..at].chars().next_back();
            before.is_none_or(|c| !c.is_alphanumeric() || is_ideographic(c))
        })
    })
}

/// The parts of a short term that are words of the short table, or the beginnings of some.
pub(super) fn short_parts(term: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut before = None;
    for c in term.chars() {
        let kind = match c {
            c if is_ideographic(c) => 1,
            c if c.is_alphanumeric() => 2,
            _ => 0,
        };
        match parts.last_mut() {
            Some(part) if before == Some(kind) && kind > 0 => part.push(c),
            _ if kind > 0 => parts.push(c.to_string()),
            _ => {}
        }
        before = Some(kind);
    }
    parts
}

/// A text in the form in which texts are compared: NFKC (full-width forms become plain ones), lower case.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Again after lower-casing, which can take characters apart.
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// Whether a character is a word by itself, as in scripts that put no spaces between words.
pub(crate) fn is_ideographic(c: char) -> bool {
    matches!(u32::from(c),
        0x3040..=0x30ff // kana
        | 0x3100..=0x312f | 0x31a0..=0x31bf // bopomofo
        | 0x31f0..=0x31ff
        | 0x3400..=0x4dbf | 0x4e00..=0x9fff // Chinese characters
        | 0xac00..=0xd7af // hangul
        | 0xf900..=0xfaff
        | 0x20000..=0x3ffff
        | 0x0e00..=0x0eff // Thai, Lao
    )
}

/// The words of the short table: see the module.
fn short_words(folded: &str) -> String {
    let mut words = String::with_capacity(folded.len() * 2);
    let mut before: Option<char> = None;
    for c in folded.chars() {
        if is_ideographic(c) {
            words.extend([' ', c]);
            if let Some(before) = before {
                words.extend([' ', before, c]);
            }
            before = Some(c);
            continue;
        }
        if before.is_some() || !c.is_alphanumeric() {
            words.push(' ');
        }
        before = None;
        if c.is_alphanumeric() {
            words.push(c);
        }
    }
    words
}
