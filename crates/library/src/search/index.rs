//! The index of words: two FTS5 tables for pictures and two for requests, with the keys of the rows they stand for.
//!
//! FTS5's trigram tokenizer finds any part of a text that has three characters or more, in any script. Shorter queries
//! are what the second table is for: it holds every Chinese, Japanese or Korean character and every pair of them as a
//! word of its own, and other scripts' words whole, so that one or two characters are one look-up. Neither stores the
//! text.

use rusqlite::Connection;
use unicode_normalization::UnicodeNormalization;

use crate::error::Result;

pub(crate) const CREATE: &str = "
CREATE VIRTUAL TABLE picture_words USING fts5 (words, content='', contentless_delete=1, tokenize='trigram case_sensitive 1');
CREATE VIRTUAL TABLE picture_short USING fts5 (words, content='', contentless_delete=1, detail=none, tokenize='unicode61 remove_diacritics 0', prefix='1 2');
CREATE VIRTUAL TABLE request_words USING fts5 (words, content='', contentless_delete=1, tokenize='trigram case_sensitive 1');
CREATE VIRTUAL TABLE request_short USING fts5 (words, content='', contentless_delete=1, detail=none, tokenize='unicode61 remove_diacritics 0', prefix='1 2');
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
