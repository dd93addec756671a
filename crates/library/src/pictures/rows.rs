//! Making, finding and removing rows of pictures.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Derivation, Flag, PictureDetails, SUMMARY, summary};
use crate::{
    collections,
    error::{LibraryError, Result},
    facts::Facts,
    id::Id,
    moment::Moment,
    projects, search,
};

/// A row to be.
#[derive(Clone, Debug)]
pub(crate) struct NewPicture<'a> {
    pub(crate) id: Id,
    pub(crate) path: &'a str,
    pub(crate) bytes: u64,
    pub(crate) modified_ns: i64,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) created: Moment,
    pub(crate) facts: &'a Facts,
    pub(crate) recipe: Option<&'a str>,
    pub(crate) recipe_hash: Option<&'a str>,
    pub(crate) infotext: Option<&'a str>,
    pub(crate) rating: u8,
    pub(crate) flag: Flag,
    pub(crate) project: Option<&'a str>,
    pub(crate) parent: Option<Id>,
    pub(crate) derivation: Option<Derivation>,
    pub(crate) request: Option<Id>,
    pub(crate) trashed_at: Option<i64>,
    pub(crate) dirty: bool,
}

/// Adds a row, and its words to the index. The key is the next free one of its time.
pub(crate) fn insert(db: &Connection, new: &NewPicture<'_>) -> Result<i64> {
    let key = free_key(db, "pictures", "picture", new.created.ms)?;
    let facts = new.facts;
    let project = new.project.map(|name| projects::project_of(db, name)).transpose()?;
    db.prepare_cached(
        "INSERT INTO pictures (picture, id, path, bytes, modified_ns, version, width, height, created, created_offset, day,
            prompt, negative, model, sampler, schedule, steps, guidance, seed, rating, flag, project, parent,
            derivation, inpaint, request, trashed_at, dirty)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
            ?23, ?24, ?25, ?26, ?27)",
    )?
    .execute(params![
        key,
        new.id,
        new.path,
        new.bytes,
        new.modified_ns,
        new.width,
        new.height,
        new.created.ms,
        new.created.offset_minutes,
        new.created.day(),
        facts.prompt,
        negative_of(db, &facts.negative)?,
        model_of(db, facts.model.as_deref(), facts.model_hash.as_deref())?,
        facts.sampler,
        facts.schedule,
        facts.steps,
        facts.guidance,
        facts.seed.map(u64::cast_signed),
        new.rating,
        new.flag as i64,
        project,
        new.parent,
        new.derivation.map(|derivation| derivation as i64),
        facts.inpaint,
        new.request,
        new.trashed_at,
        new.dirty,
    ])?;
    db.prepare_cached(
        "INSERT INTO recipes (picture, recipe, recipe_hash, infotext, init_hash, picture_key)
         VALUES (?1, ?2, ?3, ?4, ?5, picture_key(?2))",
    )?
    .execute(params![key, new.recipe, new.recipe_hash, new.infotext, facts.init])?;
    search::index::add(db, search::index::PICTURES, key, &facts.prompt)?;
    Ok(key)
}

/// How many keys a second has.
const KEYS_A_SECOND: i64 = 1 << 12;

/// A key for something of this time: keys count upwards with time, so a list by key is a list by time. When a second's
/// keys are used up (an import of files of one date), the next second's follow.
pub(crate) fn free_key(db: &Connection, table: &'static str, key: &'static str, ms: i64) -> Result<i64> {
    let mut first = first_key(ms.div_euclid(1000));
    let mut last = db.prepare_cached(&format!(
        "SELECT {key} FROM {table} WHERE {key} BETWEEN ?1 AND ?2 ORDER BY {key} DESC LIMIT 1"
    ))?;
    loop {
        let end = first + KEYS_A_SECOND - 1;
        match last.query_row([first, end], |row| row.get::<_, i64>(0)).optional()? {
            None => return Ok(first),
            Some(used) if used < end => return Ok(used + 1),
            Some(_) => first += KEYS_A_SECOND,
        }
    }
}

/// The first key of a second.
pub(crate) fn first_key(second: i64) -> i64 {
    second.saturating_mul(KEYS_A_SECOND)
}

/// The key of a picture.
pub(crate) fn key_of(db: &Connection, id: Id) -> Result<i64> {
    let mut statement = db.prepare_cached("SELECT picture FROM pictures WHERE id = ?1")?;
    let key = statement.query_row([id], |row| row.get(0)).optional()?;
    key.ok_or(LibraryError::NotFound { what: "picture", id })
}

fn negative_of(db: &Connection, text: &str) -> Result<Option<i64>> {
    if text.is_empty() {
        return Ok(None);
    }
    let mut find = db.prepare_cached("SELECT negative FROM negatives WHERE text = ?1")?;
    if let Some(key) = find.query_row([text], |row| row.get(0)).optional()? {
        return Ok(Some(key));
    }
    db.prepare_cached("INSERT INTO negatives (text, folded) VALUES (?1, ?2)")?
        .execute(params![text, search::fold(text)])?;
    Ok(Some(db.last_insert_rowid()))
}

pub(crate) fn model_of(db: &Connection, name: Option<&str>, hash: Option<&str>) -> Result<Option<i64>> {
    let (name, hash) = (name.unwrap_or_default(), hash.unwrap_or_default());
    if name.is_empty() && hash.is_empty() {
        return Ok(None);
    }
    let mut find = db.prepare_cached("SELECT model FROM models WHERE name = ?1 AND hash = ?2")?;
    if let Some(key) = find.query_row([name, hash], |row| row.get(0)).optional()? {
        return Ok(Some(key));
    }
    db.prepare_cached("INSERT INTO models (name, hash, folded) VALUES (?1, ?2, ?3)")?.execute(params![
        name,
        hash,
        search::fold(name)
    ])?;
    Ok(Some(db.last_insert_rowid()))
}

/// Notes that the file has to be told.
pub(crate) fn mark_dirty(db: &Connection, picture: i64) -> Result<()> {
    db.prepare_cached("UPDATE pictures SET dirty = 1 WHERE picture = ?1")?.execute([picture])?;
    Ok(())
}

/// All that is known of a picture.
pub(crate) fn details(db: &Connection, key: i64) -> Result<PictureDetails> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {SUMMARY} FROM pictures p WHERE p.picture = ?1"))?;
    let summary = statement.query_row([key], summary)?;
    let mut statement = db.prepare_cached(
        "SELECT (SELECT text FROM negatives n WHERE n.negative = p.negative),
            (SELECT hash FROM models m WHERE m.model = p.model), p.sampler, p.schedule, p.steps, p.guidance, p.inpaint,
            p.dirty, c.recipe, c.infotext, c.init_hash
         FROM pictures p LEFT JOIN recipes c USING (picture) WHERE p.picture = ?1",
    )?;
    let collections = collections::of(db, key)?.into_iter().map(|membership| membership.name).collect();
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(statement.query_row([key], |row| {
        Ok(PictureDetails {
            facts: Facts {
                prompt: summary.prompt.clone(),
                negative: row.get::<_, Option<_>>(0)?.unwrap_or_default(),
                model: some(summary.model.clone()),
                model_hash: some(row.get(1)?),
                sampler: row.get(2)?,
                schedule: row.get(3)?,
                steps: row.get(4)?,
                guidance: row.get(5)?,
                seed: summary.seed,
                init: row.get(10)?,
                inpaint: row.get(6)?,
            },
            recipe: row.get(8)?,
            infotext: row.get(9)?,
            collections,
            dirty: row.get(7)?,
            summary: summary.clone(),
        })
    })?)
}

/// Takes a picture's row away. Its job gets the recipe back, which only the row had.
pub(crate) fn remove(db: &Connection, key: i64) -> Result<()> {
    db.prepare_cached(
        "UPDATE jobs SET recipe = (SELECT recipe FROM recipes WHERE picture = ?1)
         WHERE id = (SELECT id FROM pictures WHERE picture = ?1) AND recipe IS NULL",
    )?
    .execute([key])?;
    search::index::remove(db, search::index::PICTURES, key)?;
    db.prepare_cached("DELETE FROM pictures WHERE picture = ?1")?.execute([key])?;
    Ok(())
}
