//! Remarks about emphasis and spelling in a part of a prompt.

use std::ops::{Range, RangeInclusive};

use super::chars::{is_space, occurrences, rest};
use super::emphasis::{Token, tokens};
use super::{Code, Diagnostic, Traced};
use crate::Emphasis;

/// Weights that can be expected to give a picture.
pub(super) const SANE_WEIGHTS: RangeInclusive<f64> = 0.0..=2.0;

const FULL_WIDTH: &str = "（）［］：｜＜＞【】";

/// Remarks about one part between `AND`s.
pub(super) fn remarks(text: &Traced, emphasis: Emphasis, diagnostics: &mut Vec<Diagnostic>) {
    let source = text.as_str();
    let mut say = |code: Code, range: Range<usize>| diagnostics.push(code.at(text.span(range)));
    for word in ["AND", "BREAK"] {
        for (range, separate) in occurrences(source, word) {
            // Latin words in capitals such as "SAND" are no mistake; a keyword in Chinese text is.
            let around = [
                source.get(..range.start).unwrap_or_default().chars().next_back(),
                rest(source, range.end).chars().next(),
            ];
            if !separate && around.iter().flatten().all(|c| !c.is_ascii_alphanumeric() && *c != '_') {
                say(Code::KeywordNotSeparate, range);
            }
        }
    }
    for (at, c) in source.char_indices().filter(|(_, c)| FULL_WIDTH.contains(*c)) {
        say(Code::FullWidthPunctuation, at..at + c.len_utf8());
    }
    if emphasis == Emphasis::None {
        return;
    }
    brackets(text, diagnostics);
}

/// An open bracket and the last colon inside it.
struct Open {
    at: usize,
    round: bool,
    colon: Option<usize>,
}

fn brackets(text: &Traced, diagnostics: &mut Vec<Diagnostic>) {
    let source = text.as_str();
    let mut say = |code: Code, range: Range<usize>| diagnostics.push(code.at(text.span(range)));
    let mut open: Vec<Open> = Vec::new();
    // A1111 pairs round and square brackets independently of each other.
    let close = |open: &mut Vec<Open>, round: bool| {
        let at = open.iter().rposition(|it| it.round == round)?;
        Some(open.remove(at))
    };
    for token in tokens(source) {
        match token {
            Token::Escaped(range) if range.is_empty() => {
                say(Code::StrayBackslash, range.start - 1..range.start);
            }
            Token::Escaped(_) => {}
            Token::Open { round, at } => open.push(Open { at, round, colon: None }),
            Token::Close { round, at } => match close(&mut open, round) {
                None => say(Code::UnopenedBracket, at..at + 1),
                Some(Open { colon: Some(colon), round: true, .. })
                    if !source.get(colon + 1..at).unwrap_or_default().chars().all(is_space) =>
                {
                    say(Code::WeightNotANumber, colon + 1..at);
                }
                Some(_) => {}
            },
            Token::Weight { number, digits, all } => match (close(&mut open, true), number) {
                (None, _) => say(Code::UnopenedBracket, all.end - 1..all.end),
                (Some(_), None) => say(Code::WeightNotANumber, digits),
                (Some(_), Some(number)) if !SANE_WEIGHTS.contains(&number) => {
                    say(Code::WeightOutOfRange, digits);
                }
                _ => {}
            },
            Token::Plain(range) => {
                if source.get(range.clone()) == Some(":") {
                    if let Some(open) = open.last_mut() {
                        open.colon = Some(range.start);
                    }
                } else if !open.is_empty() {
                    let run = source.get(range.clone()).unwrap_or_default();
                    for (word, _) in occurrences(run, "BREAK").filter(|(_, separate)| *separate) {
                        say(Code::BreakInsideEmphasis, range.start + word.start..range.start + word.end);
                    }
                }
            }
        }
    }
    for bracket in open {
        say(Code::UnclosedBracket, bracket.at..bracket.at + 1);
    }
}
