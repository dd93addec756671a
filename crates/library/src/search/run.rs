//! Running queries: pages, counts, and the layout of a whole gallery.

use rusqlite::{Connection, OptionalExtension, params_from_iter, types::Value};

use super::{
    query::{Filter, Query},
    sql::{Kind, Sql},
};
use crate::{
    error::Result,
    id::Id,
    library::Library,
    pictures::{self, PictureSummary, SUMMARY},
    requests::{self, Request},
};

/// The order of a gallery. Pictures of equal rank come with the newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// By date, the newest first.
    #[default]
    Newest,
    /// By date, the oldest first.
    Oldest,
    /// By rating, the best first.
    BestRated,
    /// By path.
    Name,
    /// In the order of the query's `collection:`; without one, like `Newest`.
    Collection,
}

/// How many rows a query has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The number.
    pub n: u64,
    /// Whether counting went to the end. If not, there are `n` or more.
    pub exact: bool,
}

/// What a gallery needs of every picture to know where it will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The picture's key, for [`Library::summaries_by_key`]; below 2^53. It holds until the index is rebuilt.
    pub key: i64,
    /// The picture's id.
    pub id: Id,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The local day as the number `yyyymmdd`, for headings.
    pub day: i32,
}

/// A gallery, or the part of it from one place on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// In the order of the gallery.
    pub cells: Vec<Cell>,
    /// Whether there are more behind them.
    pub more: bool,
}

impl Layout {
    /// 24 bytes a picture, numbers little-endian: id (16), width (2), height (2), day (4).
    pub fn pack(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.cells.len() * 24);
        for cell in &self.cells {
            let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX).to_le_bytes();
            bytes.extend(cell.id.bytes());
            bytes.extend(side(cell.width));
            bytes.extend(side(cell.height));
            bytes.extend(cell.day.to_le_bytes());
        }
        bytes
    }
}

impl Library {
    /// A page of pictures: those that follow the picture `after`, or the first.
    pub fn pictures(
        &self,
        query: &Query,
        sort: Sort,
        after: Option<Id>,
        limit: u32,
    ) -> Result<Vec<PictureSummary>> {
        self.database().read(|db| {
            let keys = keys(db, query, sort, after, limit)?;
            summaries(db, &keys)
        })
    }

    /// Pictures by id, in that order; those that are not there are left out.
    pub fn summaries(&self, ids: &[Id]) -> Result<Vec<PictureSummary>> {
        self.database().read(|db| {
            let mut found = Vec::with_capacity(ids.len());
            let mut statement =
                db.prepare_cached(&format!("SELECT {SUMMARY} FROM pictures p WHERE p.id = ?1"))?;
            for id in ids {
                found.extend(statement.query_row([id], pictures::summary).optional()?);
            }
            Ok(found)
        })
    }

    /// Pictures by key, in that order; those that are not there are left out.
    pub fn summaries_by_key(&self, keys: &[i64]) -> Result<Vec<PictureSummary>> {
        self.database().read(|db| summaries(db, keys))
    }

    /// The gallery from the picture `after` on, or from the beginning: `limit` pictures of it. It takes little more time
    /// than reading an index, so a gallery of 100,000 needs no paging.
    pub fn layout(&self, query: &Query, sort: Sort, after: Option<Id>, limit: u32) -> Result<Layout> {
        self.database().read(|db| {
            let (sql, values) = select(db, LAYOUT, query, sort, after, u64::from(limit) + 1)?;
            let mut statement = db.prepare(&sql)?;
            let cell = |row: &rusqlite::Row<'_>| {
                Ok(Cell {
                    key: row.get(0)?,
                    id: row.get(1)?,
                    width: row.get(2)?,
                    height: row.get(3)?,
                    day: row.get(4)?,
                })
            };
            let rows = statement.query_map(params_from_iter(values), cell)?;
            let mut cells: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
            let more = cells.len() > limit as usize;
            cells.truncate(limit as usize);
            Ok(Layout { cells, more })
        })
    }

    /// How many pictures there are; counting stops at `at_most`.
    pub fn count(&self, query: &Query, at_most: u64) -> Result<Count> {
        self.database().read(|db| count(db, Kind::Pictures, query, at_most))
    }

    /// A page of the history, the newest first: the requests before `after`, or the newest.
    pub fn requests(&self, query: &Query, after: Option<Id>, limit: u32) -> Result<Vec<Request>> {
        self.database().read(|db| {
            let sql = Sql::of(db, Kind::Requests, query)?;
            let mut parts = Parts::new(&sql, true);
            if let Some(after) = after {
                parts.and(
                    "r.request < (SELECT request FROM requests WHERE id = ?)",
                    [Value::Blob(after.bytes().into())],
                );
            }
            let order = if sql.has_words() { "f.rowid DESC" } else { "r.request DESC" };
            let (text, values) = parts.select(&sql, "r.request", "requests r", order, u64::from(limit));
            let mut statement = db.prepare(&text)?;
            let keys = statement.query_map(params_from_iter(values), |row| row.get::<_, i64>(0))?;
            let mut found = Vec::new();
            let one = format!("SELECT {} FROM requests r WHERE r.request = ?1", requests::COLUMNS);
            let mut one = db.prepare_cached(&one)?;
            for key in keys {
                let mut request = one.query_row([key?], requests::from_row)?;
                request.outcome = requests::outcome(db, request.id)?;
                found.push(request);
            }
            Ok(found)
        })
    }

    /// How many requests there are; counting stops at `at_most`.
    pub fn count_requests(&self, query: &Query, at_most: u64) -> Result<Count> {
        self.database().read(|db| count(db, Kind::Requests, query, at_most))
    }
}

const LAYOUT: &str = "p.picture, p.id, p.width, p.height, p.day";

pub(crate) fn summaries(db: &Connection, keys: &[i64]) -> Result<Vec<PictureSummary>> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {SUMMARY} FROM pictures p WHERE p.picture = ?1"))?;
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        found.extend(statement.query_row([key], pictures::summary).optional()?);
    }
    Ok(found)
}

fn keys(db: &Connection, query: &Query, sort: Sort, after: Option<Id>, limit: u32) -> Result<Vec<i64>> {
    let (sql, values) = select(db, "p.picture", query, sort, after, u64::from(limit))?;
    let mut statement = db.prepare(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A statement over pictures, with its values.
fn select(
    db: &Connection,
    columns: &str,
    query: &Query,
    sort: Sort,
    after: Option<Id>,
    limit: u64,
) -> Result<(String, Vec<Value>)> {
    let sql = Sql::of(db, Kind::Pictures, query)?;
    let page = limit <= PAGE;
    let collection = query.terms.iter().find_map(|term| match &term.filter {
        Filter::Collection(name) if !term.negated => Some(name.clone()),
        _ => None,
    });
    let leads_words = sql.has_words() && matches!(sort, Sort::Newest | Sort::Oldest);
    let mut parts = if leads_words { Parts::new(&sql, page) } else { Parts::without_leading(&sql, page) };
    let by_key = if leads_words { "f.rowid" } else { "p.picture" };
    let mut from = if leads_words { sql.table_after_words(page) } else { "pictures p" }.to_owned();
    // What rows are ordered by, and how the next page's compare with the last row.
    let mut columns_of_order = by_key;
    let mut order = format!("{by_key} DESC");
    let mut sign = "<";
    match (sort, &collection) {
        (Sort::Newest, _) | (Sort::Collection, None) => {}
        (Sort::Oldest, _) => (order, sign) = (by_key.to_owned(), ">"),
        (Sort::BestRated, _) => {
            (columns_of_order, order) = ("p.rating, p.picture", "p.rating DESC, p.picture DESC".to_owned());
        }
        (Sort::Name, _) => (columns_of_order, order, sign) = ("p.path", "p.path".to_owned(), ">"),
        (Sort::Collection, Some(name)) => {
            (columns_of_order, sign) = ("m.position, p.picture", ">");
            columns_of_order.clone_into(&mut order);
            from.push_str(" JOIN collection_pictures m ON m.picture = p.picture");
            let condition = "m.collection = (SELECT collection FROM collections WHERE name = ?)";
            parts.and(condition, [Value::Text(name.clone())]);
        }
    }
    if let Some(after) = after {
        let last = last_row(db, after, sort, collection.as_deref())?;
        let marks = vec!["?"; last.len()].join(", ");
        parts.and(&format!("({columns_of_order}) {sign} ({marks})"), last);
    }
    if leads_words {
        Ok(parts.select(&sql, columns, &from, &order, limit))
    } else {
        Ok(parts.select_plain(columns, &from, &order, limit))
    }
}

/// What the picture behind which a page begins has in the columns of the order.
fn last_row(db: &Connection, after: Id, sort: Sort, collection: Option<&str>) -> Result<Vec<Value>> {
    let key = pictures::key_of(db, after)?;
    let one =
        |sql: &str| -> Result<Value> { Ok(db.prepare_cached(sql)?.query_row([key], |row| row.get(0))?) };
    Ok(match (sort, collection) {
        (Sort::BestRated, _) => {
            vec![one("SELECT rating FROM pictures WHERE picture = ?1")?, Value::Integer(key)]
        }
        (Sort::Name, _) => vec![one("SELECT path FROM pictures WHERE picture = ?1")?],
        (Sort::Collection, Some(name)) => {
            let mut statement = db.prepare_cached(
                "SELECT position FROM collection_pictures
                 WHERE picture = ?1 AND collection = (SELECT collection FROM collections WHERE name = ?2)",
            )?;
            let position = statement.query_row((key, name), |row| row.get(0)).optional()?;
            vec![position.unwrap_or(Value::Real(f64::MAX)), Value::Integer(key)]
        }
        _ => vec![Value::Integer(key)],
    })
}

/// Up to this many rows are a page, and conditions are checked row by row until it is full.
const PAGE: u64 = 1000;

fn count(db: &Connection, kind: Kind, query: &Query, at_most: u64) -> Result<Count> {
    let sql = Sql::of(db, kind, query)?;
    let from = match kind {
        _ if sql.has_words() => sql.table_after_words(false),
        Kind::Pictures => "pictures p",
        Kind::Requests => "requests r",
    };
    let parts = Parts::new(&sql, false);
    let (text, values) = parts.select(&sql, "1", from, "", at_most.saturating_add(1).min(i64::MAX as u64));
    let text = format!("SELECT count(*) FROM ({text})");
    let n: u64 = db.prepare(&text)?.query_row(params_from_iter(values), |row| row.get(0))?;
    Ok(Count { n: n.min(at_most), exact: n <= at_most })
}

/// The conditions of a statement.
struct Parts {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Parts {
    /// For a statement that a full-text table leads, if words are looked for.
    fn new(sql: &Sql, row_by_row: bool) -> Self {
        let key = if sql.has_words() { "f.rowid" } else { sql.key() };
        Self::gather(sql, key, sql.other_words(true, row_by_row))
    }

    /// For a statement that the rows lead.
    fn without_leading(sql: &Sql, row_by_row: bool) -> Self {
        Self::gather(sql, sql.key(), sql.other_words(false, row_by_row))
    }

    fn gather(sql: &Sql, key: &str, words: Vec<(String, Vec<Value>)>) -> Self {
        let mut parts = Self { conditions: sql.key_bounds(key), values: Vec::new() };
        for (condition, values) in sql.conditions.iter().cloned().chain(words) {
            parts.and(&condition, values);
        }
        parts
    }

    fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.conditions.push(condition.to_owned());
        self.values.extend(values);
    }

    fn select(self, sql: &Sql, columns: &str, from: &str, order: &str, limit: u64) -> (String, Vec<Value>) {
        let Some((table, asked)) = sql.leading() else {
            return self.select_plain(columns, from, order, limit);
        };
        let mut values = vec![Value::Text(asked)];
        values.extend(self.values);
        let mut text = format!(
            "SELECT {columns} FROM {table} f CROSS JOIN {from} ON {} = f.rowid WHERE f.{table} MATCH ?",
            sql.key()
        );
        for condition in &self.conditions {
            text.push_str(&format!(" AND {condition}"));
        }
        finish(text, values, order, limit)
    }

    fn select_plain(self, columns: &str, from: &str, order: &str, limit: u64) -> (String, Vec<Value>) {
        let mut text = format!("SELECT {columns} FROM {from}");
        if !self.conditions.is_empty() {
            text.push_str(&format!(" WHERE {}", self.conditions.join(" AND ")));
        }
        finish(text, self.values, order, limit)
    }
}

fn finish(mut text: String, mut values: Vec<Value>, order: &str, limit: u64) -> (String, Vec<Value>) {
    if !order.is_empty() {
        text.push_str(&format!(" ORDER BY {order}"));
    }
    text.push_str(" LIMIT ?");
    values.push(Value::Integer(limit.min(i64::MAX as u64).cast_signed()));
    (text, values)
}
