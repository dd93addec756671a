//! What filters mean in SQL.

use rusqlite::{Connection, types::Value};
use tarim_recipe::{Sampler, Schedule};

use super::{
    index::fold,
    query::{Days, Filter, Is, Numbers, Size},
};
use crate::{
    error::Result,
    pictures::{self, Flag},
};

/// Whether a condition needs nothing that the index `pictures_layout` does not hold.
pub(super) fn is_covered(filter: &Filter) -> bool {
    match filter {
        Filter::Is(is) => matches!(is, Is::Pick | Is::Reject | Is::Unflagged | Is::Rated),
        Filter::Negative(_) | Filter::Seed(_) | Filter::Outcome(_) => false,
        _ => true,
    }
}

/// A condition with its values.
pub(super) type Condition = (String, Vec<Value>);

fn plain(condition: impl Into<String>) -> Condition {
    (condition.into(), Vec::new())
}

pub(super) fn picture_condition(db: &Connection, filter: &Filter) -> Result<Condition> {
    Ok(match filter {
        Filter::Text(_) => plain("1"),
        Filter::Negative(text) => (
            "p.negative IN (SELECT negative FROM negatives WHERE instr(folded, ?))".into(),
            vec![text.clone().into()],
        ),
        Filter::Tag(name) => {
            let (condition, value) = name_condition("folded", name);
            let tags = format!(
                "SELECT picture FROM picture_tags WHERE tag IN (SELECT tag FROM tags WHERE {condition})"
            );
            (format!("p.picture IN ({tags})"), vec![value])
        }
        Filter::Collection(name) => (
            "p.picture IN (SELECT picture FROM collection_pictures WHERE collection =
                (SELECT collection FROM collections WHERE name = ?))"
                .into(),
            vec![name.clone().into()],
        ),
        // A range is looked for along the way of the order, which the plus says to SQLite; else it would sort all of them.
        Filter::Rating(numbers) if numbers.least == numbers.most => number_condition("p.rating", *numbers),
        Filter::Rating(numbers) => number_condition("+p.rating", *numbers),
        Filter::Is(is) => match is {
            Is::Pick => plain(format!("p.flag = {}", Flag::Pick as i64)),
            Is::Reject => plain(format!("p.flag = {}", Flag::Reject as i64)),
            Is::Unflagged => plain("p.flag = 0"),
            Is::Rated => plain("p.rating > 0"),
            Is::Trashed => plain("p.trashed_at IS NOT NULL"),
            Is::Missing => plain("p.missing = 1"),
            Is::Inpaint => plain("p.inpaint = 1"),
            Is::Foreign => {
                plain("EXISTS (SELECT 1 FROM recipes c WHERE c.picture = p.picture AND c.recipe IS NULL)")
            }
            Is::Derived(derivation) => plain(format!("p.derivation = {}", *derivation as i64)),
        },
        // A picture is there: its own job is done. What became of the others of its request can be asked all the same.
        Filter::Outcome(state) => (
            "p.request IN (SELECT request FROM jobs WHERE state = ?)".into(),
            vec![state.name().to_owned().into()],
        ),
        other => shared_condition(db, other, "p")?,
    })
}

pub(super) fn request_condition(db: &Connection, filter: &Filter) -> Result<Condition> {
    Ok(match filter {
        Filter::Text(_) => plain("1"),
        Filter::Negative(text) => ("instr(lower(r.negative), ?)".into(), vec![text.clone().into()]),
        Filter::Outcome(state) => (
            "EXISTS (SELECT 1 FROM jobs j WHERE j.request = r.id AND j.state = ?)".into(),
            vec![state.name().to_owned().into()],
        ),
        Filter::Is(Is::Inpaint) => plain("r.inpaint = 1"),
        // What only pictures have holds of a request when it holds of one of its pictures.
        Filter::Rating(_) | Filter::Tag(_) | Filter::Collection(_) | Filter::Is(_) => {
            let (condition, values) = picture_condition(db, filter)?;
            (
                format!(
                    "r.id IN (SELECT p.request FROM pictures p WHERE p.request IS NOT NULL AND {condition})"
                ),
                values,
            )
        }
        other => shared_condition(db, other, "r")?,
    })
}

/// Conditions on columns that both tables have.
fn shared_condition(db: &Connection, filter: &Filter, table: &str) -> Result<Condition> {
    Ok(match filter {
        Filter::Model(text) => {
            let models = models(db, text)?;
            // One model's rows are in order in the index on it; those of several would have to be sorted.
            let no_index = if models.contains(',') { "+" } else { "" };
            plain(format!("{no_index}{table}.model IN ({models})"))
        }
        Filter::Sampler(text) => sampler_condition(db, table, text)?,
        Filter::Schedule(text) => names_condition(&format!("{table}.schedule"), schedule_names(text), text),
        Filter::Seed(seed) => (format!("{table}.seed = ?"), vec![seed.cast_signed().into()]),
        Filter::Size(size) => plain(size_condition(*size, table)),
        Filter::Steps(numbers) => number_condition(&format!("{table}.steps"), *numbers),
        Filter::Guidance(numbers) => number_condition(&format!("{table}.guidance"), *numbers),
        Filter::Days(Days { first, last }) => plain(format!("{table}.day BETWEEN {first} AND {last}")),
        Filter::Project(name) if name == "none" => plain(format!("{table}.project IS NULL")),
        Filter::Project(name) => plain(format!("{table}.project IN ({})", projects(db, name)?)),
        _ => plain("1"),
    })
}

/// Seconds of a day.
const DAY: i64 = 24 * 3600;

/// The keys that rows of these days have. Keys count upwards with time, so they are a range: give or take a day for the
/// local clock, and some for days behind the 28th, which are taken for the 28th.
pub(super) fn keys_of(Days { first, last }: Days) -> (Option<i64>, Option<i64>) {
    let start = |day: i32| {
        let (year, month, day) = (day / 10_000, day / 100 % 100, day % 100);
        let date =
            jiff::civil::Date::new(year as i16, month.clamp(1, 12) as i8, day.clamp(1, 28) as i8).ok()?;
        let utc = jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
        Some(utc.as_second())
    };
    let least = (first > 0).then(|| start(first)).flatten();
    let most = (last < i32::MAX).then(|| start(last)).flatten();
    (
        least.map(|seconds| pictures::first_key(seconds - 2 * DAY)),
        most.map(|seconds| pictures::first_key(seconds + 6 * DAY)),
    )
}

fn number_condition(column: &str, Numbers { least, most }: Numbers) -> Condition {
    if least == most {
        return (format!("{column} = ?"), vec![least.into()]);
    }
    (format!("{column} BETWEEN ? AND ?"), vec![least.into(), most.into()])
}

fn name_condition(column: &str, name: &str) -> (String, Value) {
    match name.strip_suffix('*') {
        Some(beginning) => (format!("instr({column}, ?) = 1"), Value::Text(beginning.to_owned())),
        None => (format!("{column} = ?"), Value::Text(name.to_owned())),
    }
}

fn size_condition(size: Size, table: &str) -> String {
    match size {
        Size::Pixels { width, height } => {
            // Only with both sides are the index's rows in order.
            let table =
                if width.is_some() && height.is_some() { table.to_owned() } else { format!("+{table}") };
            let side = |name: &str, side: Option<u32>| side.map(|side| format!("{table}.{name} = {side}"));
            let sides: Vec<_> =
                [side("width", width), side("height", height)].into_iter().flatten().collect();
            sides.join(" AND ")
        }
        Size::Portrait => format!("{table}.height > {table}.width"),
        Size::Landscape => format!("{table}.width > {table}.height"),
        Size::Square => format!("{table}.width = {table}.height"),
    }
}

/// The keys of all models that a text means. There are few models, so this is quick, and the list lets SQLite use the
/// index on the column.
fn models(db: &Connection, text: &str) -> Result<String> {
    let looks_like_hash = text.len() >= 4 && text.bytes().all(|c| c.is_ascii_hexdigit());
    let mut statement = db.prepare_cached(
        "SELECT model FROM models WHERE instr(folded, ?1) OR (?2 AND substr(hash, 1, length(?1)) = ?1)",
    )?;
    let rows = statement.query_map((text, looks_like_hash), |row| row.get::<_, i64>(0))?;
    joined(rows)
}

fn projects(db: &Connection, name: &str) -> Result<String> {
    let mut statement = db.prepare_cached("SELECT project, name FROM projects")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let all: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    joined(all.into_iter().filter(|(_, found)| fold(found) == name).map(|(key, _)| Ok(key)))
}

fn joined(keys: impl Iterator<Item = rusqlite::Result<i64>>) -> Result<String> {
    let keys: Vec<_> = keys.map(|key| Ok(key?.to_string())).collect::<rusqlite::Result<_>>()?;
    Ok(keys.join(", "))
}

/// The canonical names that a text means: the one it names exactly, else those that hold it.
fn sampler_names(text: &str) -> Vec<&'static str> {
    match Sampler::parse(text) {
        Ok((sampler, _)) => vec![sampler.name()],
        Err(_) => holding(text, Sampler::all().map(Sampler::name)),
    }
}

fn schedule_names(text: &str) -> Vec<&'static str> {
    match text.parse::<Schedule>() {
        Ok(schedule) => vec![schedule.name()],
        Err(_) => holding(text, Schedule::all().map(Schedule::name)),
    }
}

fn holding(text: &str, names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    names.filter(|name| fold(name).contains(&fold(text))).collect()
}

/// Also the text itself: another program's sampler has no other name.
fn names_condition(column: &str, names: Vec<&'static str>, text: &str) -> Condition {
    let mut values: Vec<Value> = names.into_iter().map(|name| Value::Text(name.to_owned())).collect();
    values.push(Value::Text(text.to_owned()));
    (format!("{column} IN ({})", vec!["?"; values.len()].join(", ")), values)
}

/// Only names that some row has: one of them alone lets SQLite read the index on it in order, and none ends the search.
fn sampler_condition(db: &Connection, table: &str, text: &str) -> Result<Condition> {
    let rows = if table == "p" { "pictures" } else { "requests" };
    let sql = format!("SELECT EXISTS (SELECT 1 FROM {rows} WHERE sampler = ?1)");
    let mut used = db.prepare_cached(&sql)?;
    let mut names = sampler_names(text);
    if !names.contains(&text) {
        names.push(text);
    }
    let mut values = Vec::new();
    for name in names {
        if used.query_row([name], |row| row.get(0))? {
            values.push(Value::Text(name.to_owned()));
        }
    }
    let no_index = if values.len() > 1 { "+" } else { "" };
    Ok((format!("{no_index}{table}.sampler IN ({})", vec!["?"; values.len()].join(", ")), values))
}
