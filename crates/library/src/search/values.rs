//! Numbers, dates and sizes in queries.

use jiff::civil::Date;

use super::query::{Days, Numbers, Size};

/// `>=`, `>`, …, in whichever width.
enum Comparison {
    Equal,
    AtLeast,
    Above,
    AtMost,
    Below,
}

fn comparison(text: &str) -> (Comparison, &str) {
    let signs = [
        (">=", Comparison::AtLeast),
        ("=>", Comparison::AtLeast),
        ("≥", Comparison::AtLeast),
        ("<=", Comparison::AtMost),
        ("=<", Comparison::AtMost),
        ("≤", Comparison::AtMost),
        (">", Comparison::Above),
        ("<", Comparison::Below),
        ("=", Comparison::Equal),
    ];
    for (sign, comparison) in signs {
        if let Some(rest) = text.strip_prefix(sign) {
            return (comparison, rest.trim());
        }
    }
    (Comparison::Equal, text)
}

/// `4`, `>=4`, `<4`, `2..4`.
pub(super) fn numbers(text: &str) -> Option<Numbers> {
    let text = super::index::fold(text);
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    if let Some((least, most)) = text.split_once("..") {
        return Some(Numbers { least: number(least)?, most: number(most)? });
    }
    let (comparison, rest) = comparison(&text);
    let value = number(rest)?;
    let (least, most) = match comparison {
        Comparison::Equal => (value, value),
        Comparison::AtLeast => (value, f64::INFINITY),
        Comparison::Above => (value.next_up(), f64::INFINITY),
        Comparison::AtMost => (f64::NEG_INFINITY, value),
        Comparison::Below => (f64::NEG_INFINITY, value.next_down()),
    };
    Some(Numbers { least, most })
}

/// `2026`, `2026-11`, `2026-11-24`, each also compared, and ranges.
pub(super) fn days(text: &str) -> Option<Days> {
    let text = super::index::fold(text);
    if let Some((first, last)) = text.split_once("..") {
        return Some(Days { first: span(first)?.first, last: span(last)?.last });
    }
    let (comparison, rest) = comparison(&text);
    let Days { first, last } = span(rest)?;
    Some(match comparison {
        Comparison::Equal => Days { first, last },
        Comparison::AtLeast => Days { first, last: i32::MAX },
        Comparison::Above => Days { first: last + 1, last: i32::MAX },
        Comparison::AtMost => Days { first: i32::MIN, last },
        Comparison::Below => Days { first: i32::MIN, last: first - 1 },
    })
}

/// The days of a year, a month, or one day. As numbers `yyyymmdd` compare like days, none need exist.
fn span(text: &str) -> Option<Days> {
    let mut parts = text.trim().split(['-', '/', '.']);
    let mut number = |digits: usize| -> Option<Option<i32>> {
        let Some(part) = parts.next() else { return Some(None) };
        let good = (1..=digits).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_digit());
        good.then(|| part.parse().ok())
    };
    let year = number(4)?.filter(|year| *year >= 1000)?;
    let (month, day) = (number(2)?, number(2)?);
    if parts.next().is_some() {
        return None;
    }
    match (month, day) {
        (None, _) => Some(Days { first: year * 10_000, last: year * 10_000 + 1231 }),
        (Some(month @ 1..=12), None) => {
            let first = year * 10_000 + month * 100;
            Some(Days { first, last: first + 31 })
        }
        (Some(month), Some(day)) => {
            Date::new(year as i16, month as i8, day as i8).ok()?;
            let day = year * 10_000 + month * 100 + day;
            Some(Days { first: day, last: day })
        }
        (Some(_), None) => None,
    }
}

impl Size {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "portrait" => return Some(Self::Portrait),
            "landscape" => return Some(Self::Landscape),
            "square" => return Some(Self::Square),
            _ => {}
        }
        let (width, height) = text.split_once(['x', '×', '*'])?;
        let side = |text: &str| -> Option<Option<u32>> {
            let text = text.trim();
            if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
        };
        let (width, height) = (side(width)?, side(height)?);
        (width.is_some() || height.is_some()).then_some(Self::Pixels { width, height })
    }
}
