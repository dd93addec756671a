//! ComfyUI's weights: `(x)` multiplies by 1.1, `(x:1.3)` replaces what was there, `\(` is the character.
//!
//! Behaviour of `token_weights` and `parse_parentheses` in ComfyUI's `comfy/sd1_clip.py`. Square brackets, `AND`,
//! `BREAK`, `#` and `<...>` are text there.

use std::ops::Range;

use super::chars::number;
use super::{Code, Diagnostic, Item, Segment, Traced};

/// Deeper brackets are text. ComfyUI itself fails at Python's recursion limit, about here.
const MAX_DEPTH: usize = 500;

/// A character of the text; escaped brackets are one, and not brackets.
#[derive(Clone, Copy)]
struct Char {
    kind: Kind,
    /// Bytes of the text, the backslash left out.
    start: usize,
    end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    Other,
}

fn chars(text: &str) -> Vec<Char> {
    let mut out = Vec::with_capacity(text.len());
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let escaped = if c == '\\' { chars.next_if(|(_, next)| matches!(next, '(' | ')')) } else { None };
        let (start, kind) = match (escaped, c) {
            (Some((start, _)), _) => (start, Kind::Other),
            (None, '(') => (at, Kind::Open),
            (None, ')') => (at, Kind::Close),
            _ => (at, Kind::Other),
        };
        let end = start + if escaped.is_some() { 1 } else { c.len_utf8() };
        out.push(Char { kind, start, end });
    }
    out
}

/// The text's pieces by weight; neighbours of equal weight stay apart.
pub(super) fn items(text: &Traced) -> Vec<Item> {
    let chars = chars(text.as_str());
    let mut out = Vec::new();
    // Groups still to do, the next one last, each with the weight around it and the depth of its brackets.
    let mut todo: Vec<(Range<usize>, f64, usize)> = Vec::new();
    let enter = |todo: &mut Vec<_>, range: Range<usize>, weight: f64, depth: usize| {
        todo.extend(groups(&chars, range).into_iter().rev().map(|group| (group, weight, depth)));
    };
    enter(&mut todo, 0..chars.len(), 1.0, 0);
    while let Some((group, weight, depth)) = todo.pop() {
        match inside(&chars, group.clone()).filter(|_| depth < MAX_DEPTH) {
            Some(inner) => {
                let (inner, weight) = explicit(text, &chars, inner, weight);
                enter(&mut todo, inner, weight, depth + 1);
            }
            None => push(text, chars.get(group).unwrap_or_default(), weight, &mut out),
        }
    }
    out
}

/// Splits at the outermost brackets, which stay with their group.
fn groups(chars: &[Char], range: Range<usize>) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = range.start;
    let mut level = 0_i64;
    for at in range.clone() {
        match chars.get(at).map(|it| it.kind) {
            Some(Kind::Open) => {
                if level == 0 && start < at {
                    out.push(start..at);
                    start = at;
                }
                level += 1;
            }
            Some(Kind::Close) => {
                level -= 1;
                if level == 0 {
                    out.push(start..at + 1);
                    start = at + 1;
                }
            }
            _ => {}
        }
    }
    if start < range.end {
        out.push(start..range.end);
    }
    out
}

/// What stands inside the brackets of a group that has them.
fn inside(chars: &[Char], group: Range<usize>) -> Option<Range<usize>> {
    let first = chars.get(group.start)?.kind;
    let last = chars.get(group.end.checked_sub(1)?)?.kind;
    (group.len() >= 2 && first == Kind::Open && last == Kind::Close).then(|| group.start + 1..group.end - 1)
}

/// Takes `:number` off the end of a bracket's contents; without one the weight grows by 1.1.
fn explicit(text: &Traced, chars: &[Char], inner: Range<usize>, weight: f64) -> (Range<usize>, f64) {
    let source = text.as_str();
    let is_colon = |it: &Char| source.as_bytes().get(it.start) == Some(&b':');
    let colon = chars.get(inner.clone()).unwrap_or_default().iter().rposition(is_colon).filter(|at| *at > 0);
    let written = colon.and_then(|colon| {
        let colon = inner.start + colon;
        let end = chars.get(inner.end.checked_sub(1)?)?.end;
        let number = number(source.get(chars.get(colon)?.end..end)?)?;
        Some((inner.start..colon, number))
    });
    written.unwrap_or((inner, weight * 1.1))
}

fn push(text: &Traced, chars: &[Char], weight: f64, out: &mut Vec<Item>) {
    let mut part = Traced::default();
    for c in chars {
        part.push_part(text, c.start..c.end);
    }
    if !part.as_str().is_empty() {
        out.push(Item::Text(Segment { text: part, weight }));
    }
}

/// Remarks about a text in ComfyUI's language.
pub(super) fn remarks(text: &Traced, diagnostics: &mut Vec<Diagnostic>) {
    let mut open = Vec::new();
    for c in chars(text.as_str()) {
        match c.kind {
            Kind::Open => open.push(c),
            Kind::Close if open.pop().is_none() => {
                diagnostics.push(Code::UnopenedBracket.at(text.span(c.start..c.end)));
            }
            _ => {}
        }
    }
    diagnostics.extend(open.iter().map(|c| Code::UnclosedBracket.at(text.span(c.start..c.end))));
    for item in items(text) {
        if let Item::Text(segment) = item
            && !super::hints::SANE_WEIGHTS.contains(&segment.weight)
        {
            diagnostics.push(Code::WeightOutOfRange.at(segment.span()));
        }
    }
}
