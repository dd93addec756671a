//! A1111's notations for many numbers, with its results: `1-5`, `1-5 (+2)`, `10-5 (-3)`, `1-10 [5]`.

use crate::problem::{Code, Problem, shown};

/// The most values of one axis.
pub const MAX_VALUES: usize = 10_000;

/// A range as it is written.
#[derive(Debug, PartialEq)]
struct Range<'a> {
    from: &'a str,
    to: &'a str,
    tail: Tail<'a>,
}

#[derive(Debug, PartialEq)]
enum Tail<'a> {
    None,
    Step(&'a str),
    Count(&'a str),
}

/// Takes a text apart, if it is a range.
fn range(text: &str, fractions: bool) -> Option<Range<'_>> {
    let text = text.trim();
    let (from, rest) = number(text, fractions)?;
    let rest = rest.trim_start().strip_prefix('-')?.trim_start();
    let (to, rest) = number(rest, fractions)?;
    let rest = rest.trim_start();
    let tail = if rest.is_empty() {
        Tail::None
    } else if let Some(step) = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        let step = step.trim();
        let (_, rest) = number(step, fractions)?;
        if !rest.is_empty() {
            return None;
        }
        Tail::Step(step)
    } else {
        let count = rest.strip_prefix('[')?.strip_suffix(']')?.trim();
        if count.is_empty() || !count.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Tail::Count(count)
    };
    Some(Range { from, to, tail })
}

/// A number at the beginning of a text, and the rest.
fn number(text: &str, fractions: bool) -> Option<(&str, &str)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text).trim_start();
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return None;
    }
    let after = unsigned.get(digits..)?;
    let fraction = match after.strip_prefix('.') {
        Some(rest) if fractions => 1 + rest.bytes().take_while(u8::is_ascii_digit).count(),
        _ => 0,
    };
    let end = text.len() - unsigned.len() + digits + fraction;
    Some((text.get(..end)?, text.get(end..)?))
}

fn joined(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn whole(text: &str) -> Option<i128> {
    joined(text).parse::<i64>().map(i128::from).or_else(|_| joined(text).parse::<u64>().map(i128::from)).ok()
}

fn float(text: &str) -> Option<f64> {
    joined(text).parse().ok().filter(|value: &f64| value.is_finite())
}

fn too_many(text: &str, count: impl std::fmt::Display) -> Problem {
    Problem::error(
        Code::TooMany,
        format!("{} is {count} values; an axis has at most {MAX_VALUES}", shown(text)),
    )
    .hint("take larger steps, or say how many values as in 1-1000 [10]")
}

fn none(text: &str) -> Problem {
    Problem::error(Code::OutOfRange, format!("{} gives no value", shown(text)))
        .hint("a range that counts down needs its step, as in 10-5 (-1)")
}

fn no_step(text: &str) -> Problem {
    Problem::error(Code::OutOfRange, format!("the step of {} is 0", shown(text)))
}

fn unreadable(text: &str) -> Problem {
    Problem::error(Code::NotANumber, format!("{} holds a number that cannot be read", shown(text)))
}

/// The whole numbers of a range: Python's `range` with the end in it, or so many, evenly spread and cut to whole ones.
/// `None` for a text that is no range.
pub(super) fn integers(text: &str) -> Option<Result<Vec<String>, Problem>> {
    let range = range(text, false)?;
    Some(integers_of(text, &range))
}

fn integers_of(text: &str, range: &Range<'_>) -> Result<Vec<String>, Problem> {
    let read = |part: &str| whole(part).ok_or_else(|| unreadable(text));
    let (from, to) = (read(range.from)?, read(range.to)?);
    let step = match range.tail {
        Tail::Count(count) => {
            let spread = spread(text, from as f64, to as f64, count)?;
            return Ok(spread.into_iter().map(|value| (value.trunc() as i128).to_string()).collect());
        }
        Tail::None => 1,
        Tail::Step(step) => read(step)?,
    };
    if step == 0 {
        return Err(no_step(text));
    }
    // The end is one further in A1111 also for a range that counts down.
    let distance = to + 1 - from;
    let count = if (distance > 0) == (step > 0) && distance != 0 {
        (distance.abs() + step.abs() - 1) / step.abs()
    } else {
        return Err(none(text));
    };
    if count > MAX_VALUES as i128 {
        return Err(too_many(text, count));
    }
    Ok((0..count).map(|index| (from + index * step).to_string()).collect())
}

/// The numbers of a range: numpy's `arange` to one step behind the end, or its `linspace`. `None` for a text that is no
/// range.
pub(super) fn floats(text: &str) -> Option<Result<Vec<String>, Problem>> {
    let range = range(text, true)?;
    Some(floats_of(text, &range).map(|values| values.iter().map(f64::to_string).collect()))
}

fn floats_of(text: &str, range: &Range<'_>) -> Result<Vec<f64>, Problem> {
    let read = |part: &str| float(part).ok_or_else(|| unreadable(text));
    let (from, to) = (read(range.from)?, read(range.to)?);
    let step = match range.tail {
        Tail::Count(count) => return spread(text, from, to, count),
        Tail::None => 1.0,
        Tail::Step(step) => read(step)?,
    };
    if step == 0.0 {
        return Err(no_step(text));
    }
    // As numpy computes them, so that each value is A1111's to the last bit.
    let count = ((to + step - from) / step).ceil();
    if !count.is_finite() || count > MAX_VALUES as f64 {
        return Err(too_many(text, count));
    }
    if count < 1.0 {
        return Err(none(text));
    }
    let next = from + step;
    let delta = next - from;
    let value = |index: u32| match index {
        0 => from,
        1 => next,
        index => from + f64::from(index) * delta,
    };
    Ok((0..count as u32).map(value).collect())
}

/// numpy's `linspace`.
fn spread(text: &str, from: f64, to: f64, count: &str) -> Result<Vec<f64>, Problem> {
    let count = count
        .parse::<usize>()
        .ok()
        .filter(|count| *count <= MAX_VALUES)
        .ok_or_else(|| too_many(text, count))?;
    if count == 0 {
        return Err(none(text));
    }
    let last = count - 1;
    let step = (to - from) / last as f64;
    let value = |index: usize| match index {
        0 => from,
        index if index == last => to,
        index => index as f64 * step + from,
    };
    Ok((0..count).map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(found: Option<Result<Vec<String>, Problem>>) -> String {
        match found {
            None => "no range".to_owned(),
            Some(Ok(values)) => values.join(" "),
            Some(Err(problem)) => format!("{:?}", problem.code),
        }
    }

    #[test]
    fn what_a1111_has_no_answer_for() {
        assert_eq!(show(integers("5-1")), "OutOfRange");
        assert_eq!(show(integers("1-5 (+0)")), "OutOfRange");
        assert_eq!(show(integers("1-1000000")), "TooMany");
        assert_eq!(show(integers("1-5 [99999]")), "TooMany");
        assert_eq!(show(integers("1-5 [0]")), "OutOfRange");
        assert_eq!(show(floats("0-1 (+0.0)")), "OutOfRange");
        assert_eq!(show(floats("0-99999999 (+0.001)")), "TooMany");
        assert_eq!(show(integers("1-99999999999999999999999")), "NotANumber");
        for text in ["", "5", "-1", "a-b", "1-", "1-5 (", "1-5 (+2", "1-5 [x]", "1.5-2", "1-5 [2] 3"] {
            assert_eq!(show(integers(text)), "no range", "{text}");
        }
    }
}
