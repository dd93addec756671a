//! What follows an opening mark: the prefix of a method, a range with its separator, a variable's name, a weight.

use std::ops::Range;

use super::ast::{Bounds, Method};

/// The beginning of variants: `{` white space, `~`, `1-2$$`, separator and `$$`.
#[derive(Debug)]
pub(super) struct VariantsHead {
    pub(super) method: Option<Method>,
    pub(super) bounds: Option<Bounds>,
    /// The place of the range, separator included.
    pub(super) range: Range<usize>,
    /// The place of the method's sign.
    pub(super) sign: Option<usize>,
    /// Where the options begin.
    pub(super) after: usize,
}

impl VariantsHead {
    pub(super) fn empty(after: usize) -> Self {
        Self { method: None, bounds: None, range: after..after, sign: None, after }
    }
}

/// The beginning of a variable: `${` name, and what follows it.
#[derive(Debug)]
pub(super) struct VariableHead {
    pub(super) name: Range<usize>,
    pub(super) kind: VariableKind,
    /// Where the value or default begins.
    pub(super) after: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VariableKind {
    Use,
    UseOrDefault,
    Assign { immediate: bool, overwrite: bool },
}

fn rest(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

fn skip_space(text: &str, at: usize) -> usize {
    text.len() - rest(text, at).trim_start().len()
}

/// The sign of a method at `at`, and where to go on.
pub(super) fn method(text: &str, at: usize) -> (Option<Method>, usize) {
    match rest(text, at).chars().next().and_then(Method::of_symbol) {
        Some(method) => (Some(method), at + 1),
        None => (None, at),
    }
}

pub(super) fn variants(text: &str, inside: usize) -> VariantsHead {
    let at = skip_space(text, inside);
    let (method, next) = method(text, at);
    let sign = method.map(|_| at);
    if let Some((bounds, after)) = bounds(text, next) {
        VariantsHead { method, bounds: Some(bounds), range: next..after, sign, after }
    } else {
        let after = if method.is_some() { next } else { inside };
        VariantsHead { method, bounds: None, range: after..after, sign, after }
    }
}

/// `2$$`, `1-2$$`, `-2$$` or `1-$$`, and a separator with another `$$`.
fn bounds(text: &str, at: usize) -> Option<(Bounds, usize)> {
    let digits = |at: usize| {
        let length = rest(text, at).bytes().take_while(u8::is_ascii_digit).count();
        let digits = text.get(at..at + length).unwrap_or_default();
        // No choice has so many options; more digits mean "all".
        let number = (length > 0).then(|| digits.parse().unwrap_or(usize::MAX));
        (number, at + length)
    };
    let (first, next) = digits(at);
    let (dash, next) = match rest(text, next).strip_prefix('-') {
        Some(_) => (true, next + 1),
        None => (false, next),
    };
    let (second, next) = if dash { digits(next) } else { (None, next) };
    if first.is_none() && second.is_none() || !rest(text, next).starts_with("$$") {
        return None;
    }
    let inside = next + 2;
    let after = rest(text, inside);
    let length = after.find(['$', '{', '}', '\n', '\r']).filter(|it| *it > 0);
    let separator = length.filter(|it| rest(after, *it).starts_with("$$")).and_then(|it| after.get(..it));
    let (least, most) = match (dash, first, second) {
        (false, Some(exact), _) => (exact, Some(exact)),
        (_, least, most) => (least.unwrap_or(1), most),
    };
    let end = separator.map_or(inside, |it| inside + it.len() + 2);
    Some((Bounds { least, most, separator: separator.unwrap_or(",").to_owned() }, end))
}

pub(super) fn variable(text: &str, inside: usize) -> Option<VariableHead> {
    let start = skip_space(text, inside);
    let first = rest(text, start).chars().next()?;
    if !(first.is_alphabetic() || first == '_' || first == '-') {
        return None;
    }
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let length = rest(text, start).find(|c| !is_name(c)).unwrap_or(text.len() - start);
    let name = start..start + length;
    let next = skip_space(text, name.end);
    let after = rest(text, next);
    let (overwrite, assigned) = match after.strip_prefix('?') {
        Some(assigned) => (false, assigned),
        None => (true, after),
    };
    if let Some(value) = assigned.strip_prefix('=') {
        let immediate = value.starts_with('!');
        let after = text.len() - value.len() + usize::from(immediate);
        return Some(VariableHead { name, kind: VariableKind::Assign { immediate, overwrite }, after });
    }
    if after.starts_with(':') {
        return Some(VariableHead { name, kind: VariableKind::UseOrDefault, after: next + 1 });
    }
    Some(VariableHead { name, kind: VariableKind::Use, after: next })
}

/// `0.5::` at `at`: the weight and where to go on. `None` if there is none, an error's place if it is no weight.
pub(super) fn weight(text: &str, at: usize) -> Option<(f64, usize)> {
    let here = rest(text, at);
    let unsigned = here.trim_start_matches(['+', '-']);
    let sign = here.len() - unsigned.len();
    let length = unsigned.bytes().take_while(|it| it.is_ascii_digit() || *it == b'.').count();
    let number = here.get(..sign + length).filter(|_| sign <= 1 && length > 0)?;
    let weight: f64 = number.parse().ok()?;
    let end = at + sign + length;
    (rest(text, end).starts_with("::") && weight.is_finite()).then_some((weight, end + 2))
}
