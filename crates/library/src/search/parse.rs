//! Reading queries: `fox "in the snow" -blurry model:dream rating:>=4 date:2026-11`.

use std::ops::Range;

use super::{
    index::fold,
    query::{Filter, Is, Numbers, Query, Size, Term},
    values,
};
use crate::{
    diagnostic::{Diagnostic, nearest},
    jobs::State,
};

/// The most terms of one query.
const MAX_TERMS: usize = 64;

/// A key's names, the first for suggestions.
type Names = &'static [&'static str];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Model,
    Sampler,
    Schedule,
    Seed,
    Size,
    Steps,
    Guidance,
    Rating,
    Date,
    Tag,
    Project,
    Collection,
    Is,
    Outcome,
    Negative,
    Prompt,
}

const KEYS: [(Key, Names); 16] = [
    (Key::Model, &["model", "模型"]),
    (Key::Sampler, &["sampler", "采样器", "採樣器", "取樣器"]),
    (Key::Schedule, &["schedule", "scheduler", "调度", "排程"]),
    (Key::Seed, &["seed", "种子", "種子"]),
    (Key::Size, &["size", "尺寸"]),
    (Key::Steps, &["steps", "步数", "步數"]),
    (Key::Guidance, &["cfg", "guidance", "引导", "引導"]),
    (Key::Rating, &["rating", "stars", "评分", "評分"]),
    (Key::Date, &["date", "day", "日期"]),
    (Key::Tag, &["tag", "标签", "標籤"]),
    (Key::Project, &["project", "项目", "專案"]),
    (Key::Collection, &["collection", "合集", "收藏"]),
    (Key::Is, &["is", "是"]),
    (Key::Outcome, &["outcome", "结果", "結果"]),
    (Key::Negative, &["negative", "反向"]),
    (Key::Prompt, &["prompt", "提示词", "提示詞"]),
];

/// Reads a query. It never fails: what cannot be understood is left out, with a remark.
pub fn parse(text: &str) -> Query {
    let mut query = Query::default();
    for raw in split(text) {
        if query.terms.len() >= MAX_TERMS {
            let message = format!("only the first {MAX_TERMS} terms count");
            query.diagnostics.push(Diagnostic { span: raw.span, message, suggestion: None });
            break;
        }
        term(&raw, &mut query);
    }
    query
}

/// A part of a query between spaces.
struct Raw<'a> {
    span: Range<usize>,
    negated: bool,
    /// What stands before the first colon, and where.
    key: Option<(&'a str, Range<usize>)>,
    value: &'a str,
    /// Where the value is, with its quotes.
    value_span: Range<usize>,
}

const QUOTES: [(char, char); 7] =
    [('"', '"'), ('“', '”'), ('”', '”'), ('「', '」'), ('『', '』'), ('«', '»'), ('＂', '＂')];

fn closing(c: char) -> Option<char> {
    QUOTES.iter().find(|(open, _)| *open == c).map(|(_, close)| *close)
}

fn is_colon(c: char) -> bool {
    c == ':' || c == '：'
}

fn split(text: &str) -> Vec<Raw<'_>> {
    let mut raws = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let start = at;
        let mut negated = false;
        if matches!(c, '-' | '－' | '−') {
            let after = text[at + c.len_utf8()..].chars().next();
            if after.is_some_and(|c| !c.is_whitespace()) {
                negated = true;
                at += c.len_utf8();
            }
        }
        let key = key_at(text, at);
        if let Some((_, place)) = &key {
            at = place.end + text[place.end..].chars().next().map_or(0, char::len_utf8);
        }
        let (value, end) = value_at(text, at);
        let value_span = at..end;
        at = end;
        raws.push(Raw { span: start..end, negated, key, value, value_span });
    }
    raws
}

/// A key, if there is a word and a colon.
fn key_at(text: &str, at: usize) -> Option<(&str, Range<usize>)> {
    let length = text[at..].find(|c: char| !c.is_alphanumeric() && c != '_')?;
    let end = at + length;
    (length > 0 && text[end..].starts_with(is_colon)).then(|| (&text[at..end], at..end))
}

/// A value up to the next space, or in quotes. Quotes that are not closed reach to the end.
fn value_at(text: &str, at: usize) -> (&str, usize) {
    let rest = &text[at..];
    if let Some(open) = rest.chars().next()
        && let Some(close) = closing(open)
    {
        let inner = &rest[open.len_utf8()..];
        let length = inner.find(|c| c == close || (open == '"' && c == '"')).unwrap_or(inner.len());
        let end = at + open.len_utf8() + length + if length < inner.len() { close.len_utf8() } else { 0 };
        return (&inner[..length], end);
    }
    let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
    (&rest[..length], at + length)
}

fn term(raw: &Raw<'_>, query: &mut Query) {
    let filter = match &raw.key {
        None => text_filter(raw.value),
        Some((name, place)) => keyed(name, place.clone(), raw, query),
    };
    if let Some(filter) = filter {
        query.terms.push(Term { negated: raw.negated, filter });
    }
}

fn text_filter(text: &str) -> Option<Filter> {
    Some(Filter::Text(fold(text.trim()))).filter(|filter| !filter.is_empty())
}

fn keyed(name: &str, place: Range<usize>, raw: &Raw<'_>, query: &mut Query) -> Option<Filter> {
    let folded = fold(name);
    if let Some((key, _)) = KEYS.iter().find(|(_, names)| names.contains(&folded.as_str())) {
        return value(*key, raw.value).unwrap_or_else(|Problem { message, suggestion }| {
            query.diagnostics.push(Diagnostic { span: raw.value_span.clone(), message, suggestion });
            None
        });
    }
    let near = nearest(&folded, KEYS.iter().flat_map(|(_, names)| names.iter().copied()));
    let consequence = if near.is_some() { "left out" } else { "searched as text" };
    query.diagnostics.push(Diagnostic {
        span: place,
        message: format!("there is no key `{name}`, so this was {consequence}"),
        suggestion: near.map(str::to_owned),
    });
    // A slip of the finger must not empty the view; `(fox:1.2)` from a prompt is text.
    if near.is_some() { None } else { text_filter(&format!("{name}:{}", raw.value)) }
}

struct Problem {
    message: String,
    suggestion: Option<String>,
}

/// A key's value; nothing, while it is not typed yet.
fn value(key: Key, text: &str) -> Result<Option<Filter>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let problem = |message: &str, suggestion: Option<&str>| Problem {
        message: message.to_owned(),
        suggestion: suggestion.map(str::to_owned),
    };
    let numbers = |what: &str| {
        let message = format!("{what} are numbers, such as 4, >=4 or 2..4");
        values::numbers(text).ok_or_else(|| problem(&message, Some(">=4")))
    };
    let folded = fold(text);
    let filter = match key {
        Key::Prompt => Filter::Text(folded),
        Key::Negative => Filter::Negative(folded),
        Key::Model => Filter::Model(folded),
        Key::Sampler => Filter::Sampler(text.to_owned()),
        Key::Schedule => Filter::Schedule(text.to_owned()),
        Key::Tag => Filter::Tag(folded),
        Key::Project => Filter::Project(folded),
        Key::Collection => Filter::Collection(text.to_owned()),
        Key::Seed => Filter::Seed(text.parse().map_err(|_| problem("a seed is a whole number", None))?),
        Key::Size => {
            let message = "sizes are 512x768, 512x, x768, portrait, landscape or square";
            Filter::Size(Size::parse(&folded).ok_or_else(|| problem(message, Some("512x768")))?)
        }
        Key::Steps => Filter::Steps(numbers("steps")?),
        Key::Guidance => Filter::Guidance(numbers("guidance scales")?),
        Key::Rating => Filter::Rating(numbers("ratings")?),
        Key::Date => {
            let message = "dates are 2026, 2026-11, 2026-11-24, >=2026-11 or 2026-10..2026-11";
            Filter::Days(values::days(text).ok_or_else(|| problem(message, None))?)
        }
        Key::Is => Filter::Is(Is::from_name(&folded).ok_or_else(|| {
            let all: Vec<_> = Is::names().collect();
            problem(&format!("`is:` knows {}", all.join(", ")), nearest(text, Is::names()))
        })?),
        Key::Outcome => Filter::Outcome(State::from_name(&folded).ok_or_else(|| {
            let names = State::ALL.map(State::name);
            problem(&format!("outcomes are {}", names.join(", ")), nearest(text, names))
        })?),
    };
    Ok(Some(filter).filter(|filter| !filter.is_empty()))
}

impl Numbers {
    /// Whether a number is among them.
    pub fn contains(&self, number: f64) -> bool {
        number >= self.least && number <= self.most
    }
}
