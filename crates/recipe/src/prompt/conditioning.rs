//! `AND`: several conditionings in one prompt.

use super::chars::{is_space, keyword, rest, trim_end};
use super::{Code, Diagnostic, Role, Traced};

/// A part between `AND`s.
pub(super) struct Part {
    pub(super) weight: f64,
    pub(super) text: Traced,
}

/// Splits a positive prompt at `\bAND\b` and takes each part's weight off its end.
pub(super) fn split(text: &Traced, role: Role, diagnostics: &mut Vec<Diagnostic>) -> Vec<Part> {
    let source = text.as_str();
    let words = keyword(source, "AND");
    if role == Role::Negative {
        diagnostics.extend(words.map(|word| Code::AndInNegative.at(text.span(word))));
        return vec![Part { weight: 1.0, text: text.clone() }];
    }
    let mut parts = Vec::new();
    let mut start = 0;
    for word in words {
        parts.push(start..word.start);
        start = word.end;
    }
    parts.push(start..source.len());
    let several = parts.len() > 1;
    let part = |range: std::ops::Range<usize>| {
        let part = text.part(range.clone());
        let (length, weight) = weight(part.as_str());
        if weight.is_some() && !several {
            diagnostics.push(Code::ConditioningWeight.at(part.span(length..part.as_str().len())));
        }
        let text_only = part.part(0..length);
        if several && text_only.as_str().chars().all(is_space) {
            diagnostics.push(Code::EmptyConditioning.at(text.span(range)));
        }
        Part { weight: weight.unwrap_or(1.0), text: text_only }
    };
    parts.into_iter().map(part).collect()
}

/// Length of the part's text, and the number after a last colon, if there is one.
///
/// A1111's `^((?:\s|.)*?)(?:\s*:\s*([-+]?(?:\d+\.?|\d*\.\d+)))?\s*$`: the shortest text that leaves only an
/// optional weight and white space.
fn weight(part: &str) -> (usize, Option<f64>) {
    let part = trim_end(part);
    let weighted = part.rfind(':').and_then(|colon| {
        let digits = rest(part, colon + 1).trim_start_matches(is_space);
        let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
        let plain = unsigned.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let weight =
            if plain { digits.parse::<f64>().ok().filter(|it| it.is_finite())? } else { return None };
        Some((trim_end(part.get(..colon)?).len(), weight))
    });
    match weighted {
        Some((length, weight)) => (length, Some(weight)),
        None => (part.len(), None),
    }
}
