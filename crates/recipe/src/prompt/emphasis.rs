//! A1111's emphasis: `(x)`, `[x]`, `(x:1.3)`, escapes and `BREAK`.
//!
//! Behaviour of `parse_prompt_attention` in A1111's `modules/prompt_parser.py`, with its surprises: a bracket that
//! is never closed weighs everything to the end, and `BREAK` is an entry of weight -1 among the others, so that
//! inside emphasis it no longer equals -1 and is encoded as the word.

use std::ops::Range;

use super::chars::{is_space, keyword, number, rest};
use super::{Item, Segment, Traced};

const ROUND: f64 = 1.1;
const SQUARE: f64 = 1.0 / 1.1;
const BREAK: &str = "BREAK";
/// What marks a `BREAK` among the entries.
const BREAK_WEIGHT: f64 = -1.0;

/// A token of the emphasis language, in bytes of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// `\x`: the character after the backslash, or nothing.
    Escaped(Range<usize>),
    /// `(` or `[`.
    Open { round: bool, at: usize },
    /// `)` or `]`.
    Close { round: bool, at: usize },
    /// `:1.3)`, with the number if it is one.
    Weight { number: Option<f64>, digits: Range<usize>, all: Range<usize> },
    /// Anything else.
    Plain(Range<usize>),
}

/// The tokens, which cover the text.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = Token> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let here = rest(text, at);
        let start = at;
        let token = match here.chars().next()? {
            '\\' => {
                let escapes = rest(here, 1).starts_with(['(', ')', '[', ']', '\\']);
                Token::Escaped(at + 1..at + 1 + usize::from(escapes))
            }
            c @ ('(' | '[') => Token::Open { round: c == '(', at },
            c @ (')' | ']') => Token::Close { round: c == ')', at },
            ':' => weight(text, at).unwrap_or(Token::Plain(at..at + 1)),
            _ => {
                let length = here.find(['\\', '(', ')', '[', ']', ':']).unwrap_or(here.len());
                Token::Plain(at..at + length)
            }
        };
        at = match &token {
            Token::Escaped(range) | Token::Plain(range) | Token::Weight { all: range, .. } => range.end,
            Token::Open { .. } | Token::Close { .. } => start + 1,
        };
        Some(token)
    })
}

/// `:\s*([+-]?[.\d]+)\s*\)` at byte `colon`.
fn weight(text: &str, colon: usize) -> Option<Token> {
    let after = rest(text, colon + 1);
    let body = after.trim_start_matches(is_space);
    let start = text.len() - body.len();
    let sign = usize::from(body.starts_with(['+', '-']));
    let digits = rest(body, sign).bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let end = start + sign + digits;
    let close = rest(text, end).trim_start_matches(is_space);
    if digits == 0 || !close.starts_with(')') {
        return None;
    }
    let all = colon..text.len() - close.len() + 1;
    Some(Token::Weight { number: text.get(start..end).and_then(number), digits: start..end, all })
}

/// An entry of A1111's list.
struct Entry {
    text: Traced,
    weight: f64,
}

/// The text's pieces by weight.
pub(super) fn items(text: &Traced) -> Vec<Item> {
    let source = text.as_str();
    let mut entries: Vec<Entry> = Vec::new();
    let (mut round_open, mut square_open) = (Vec::new(), Vec::new());
    let plain = |entries: &mut Vec<Entry>, range: Range<usize>| {
        entries.push(Entry { text: text.part(range), weight: 1.0 });
    };
    for token in tokens(source) {
        match token {
            Token::Escaped(range) => plain(&mut entries, range),
            Token::Open { round: true, .. } => round_open.push(entries.len()),
            Token::Open { round: false, .. } => square_open.push(entries.len()),
            Token::Close { round: true, at } => match round_open.pop() {
                Some(from) => multiply(&mut entries, from, ROUND),
                None => plain(&mut entries, at..at + 1),
            },
            Token::Close { round: false, at } => match square_open.pop() {
                Some(from) => multiply(&mut entries, from, SQUARE),
                None => plain(&mut entries, at..at + 1),
            },
            Token::Weight { number, all, .. } => match (round_open.pop(), number) {
                (Some(from), Some(weight)) => multiply(&mut entries, from, weight),
                (Some(from), None) => {
                    plain(&mut entries, all.start..all.end - 1);
                    multiply(&mut entries, from, ROUND);
                }
                (None, _) => plain(&mut entries, all),
            },
            Token::Plain(range) => {
                let run = source.get(range.clone()).unwrap_or_default();
                let mut start = range.start;
                for word in breaks(run) {
                    plain(&mut entries, start..range.start + word.start);
                    start = range.start + word.end;
                    let keyword = text.part(range.start + word.start..start);
                    entries.push(Entry { text: break_entry(&keyword), weight: BREAK_WEIGHT });
                }
                plain(&mut entries, start..range.end);
            }
        }
    }
    for from in round_open {
        multiply(&mut entries, from, ROUND);
    }
    for from in square_open {
        multiply(&mut entries, from, SQUARE);
    }
    merge(entries)
}

fn multiply(entries: &mut [Entry], from: usize, factor: f64) {
    for entry in entries.iter_mut().skip(from) {
        entry.weight *= factor;
    }
}

/// Places of `\s*\bBREAK\b\s*`.
fn breaks(run: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for word in keyword(run, BREAK) {
        let before = run.get(..word.start).unwrap_or_default();
        let after = rest(run, word.end);
        let used = found.last().map_or(0, |last| last.end);
        let start = before.trim_end_matches(is_space).len().max(used);
        found.push(start..run.len() - after.trim_start_matches(is_space).len());
    }
    found
}

/// The word alone, without the white space around it.
fn break_entry(keyword: &Traced) -> Traced {
    let start = keyword.as_str().find(BREAK).unwrap_or(0);
    keyword.part(start..start + BREAK.len())
}

/// Joins neighbours of equal weight, drops what is empty, and tells breaks from the word.
fn merge(entries: Vec<Entry>) -> Vec<Item> {
    let mut merged: Vec<Entry> = Vec::new();
    for entry in entries {
        match merged.last_mut() {
            Some(last) if last.weight == entry.weight => last.text.append(&entry.text),
            _ => merged.push(entry),
        }
    }
    let item = |entry: Entry| {
        if entry.weight == BREAK_WEIGHT && entry.text.as_str() == BREAK {
            Some(Item::Break(entry.text.whole()))
        } else if entry.text.as_str().is_empty() {
            None
        } else {
            Some(Item::Text(Segment { text: entry.text, weight: entry.weight }))
        }
    };
    merged.into_iter().filter_map(item).collect()
}
