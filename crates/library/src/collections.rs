//! Collections: pictures in an order of the user's own.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    error::{LibraryError, Result},
    id::Id,
    library::Library,
    names, pictures,
};

pub(crate) const CREATE: &str = "
CREATE TABLE collections (
    collection INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE collection_pictures (
    collection INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
    picture INTEGER NOT NULL REFERENCES pictures ON UPDATE CASCADE ON DELETE CASCADE,
    position REAL NOT NULL,
    PRIMARY KEY (collection, picture)
) STRICT, WITHOUT ROWID;
CREATE INDEX collection_pictures_position ON collection_pictures (collection, position);
CREATE INDEX collection_pictures_picture ON collection_pictures (picture);
";

/// A collection, for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Its name.
    pub name: String,
    /// Its pictures that are neither in the trash nor missing.
    pub pictures: u64,
    /// The first of them.
    pub cover: Option<Id>,
}

/// A collection that a picture is in, and where.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Membership {
    pub(crate) name: String,
    pub(crate) position: f64,
}

impl Library {
    /// All collections, by name.
    pub fn collections(&self) -> Result<Vec<Collection>> {
        self.database().read(|db| {
            let live = "collection_pictures m JOIN pictures p USING (picture)
                WHERE m.collection = c.collection AND p.trashed_at IS NULL AND p.missing = 0";
            let mut statement = db.prepare_cached(&format!(
                "SELECT name, (SELECT count(*) FROM {live}),
                    (SELECT p.id FROM {live} ORDER BY m.position, p.picture LIMIT 1)
                 FROM collections c ORDER BY name"
            ))?;
            let one = |row: &rusqlite::Row<'_>| {
                Ok(Collection { name: row.get(0)?, pictures: row.get(1)?, cover: row.get(2)? })
            };
            let rows = statement.query_map([], one)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Makes an empty collection.
    pub fn create_collection(&self, name: &str) -> Result<()> {
        let name = names::clean("collection", name)?;
        self.write_names(|db| collection_of(db, &name).map(drop))
    }

    /// Renames a collection.
    pub fn rename_collection(&self, name: &str, new_name: &str) -> Result<()> {
        let new_name = names::clean("collection", new_name)?;
        self.write_names(|db| {
            let collection = existing(db, name)?;
            if find(db, &new_name)?.is_some_and(|other| other != collection) {
                let reason = "there is one of this name";
                return Err(LibraryError::BadName { what: "collection", reason, name: new_name.clone() });
            }
            db.execute(
                "UPDATE collections SET name = ?2 WHERE collection = ?1",
                params![collection, new_name],
            )?;
            mark_members(db, collection)
        })
    }

    /// Deletes a collection; its pictures stay.
    pub fn delete_collection(&self, name: &str) -> Result<()> {
        self.write_names(|db| {
            let collection = existing(db, name)?;
            mark_members(db, collection)?;
            db.execute("DELETE FROM collections WHERE collection = ?1", [collection])?;
            Ok(())
        })
    }

    /// Adds pictures at the end of a collection, which is made if there is none. Those already in it stay where they are.
    /// Returns how many of the pictures there were.
    pub fn add_to_collection(&self, name: &str, ids: &[Id]) -> Result<usize> {
        let name = names::clean("collection", name)?;
        self.edit_names(ids, |db, picture| {
            let collection = collection_of(db, &name)?;
            db.prepare_cached(
                "INSERT OR IGNORE INTO collection_pictures (collection, picture, position)
                 SELECT ?1, ?2, coalesce(max(position), 0) + 1 FROM collection_pictures WHERE collection = ?1",
            )?
            .execute([collection, picture])?;
            pictures::mark_dirty(db, picture)
        })
    }

    /// Takes pictures out of a collection.
    pub fn remove_from_collection(&self, name: &str, ids: &[Id]) -> Result<usize> {
        self.edit(ids, |db, picture| {
            let collection = existing(db, name)?;
            db.prepare_cached("DELETE FROM collection_pictures WHERE collection = ?1 AND picture = ?2")?
                .execute([collection, picture])?;
            pictures::mark_dirty(db, picture)
        })
    }

    /// Puts a collection's pictures into this order; those not named follow in the order that they had.
    pub fn order_collection(&self, name: &str, ids: &[Id]) -> Result<()> {
        self.database().write(|db| {
            let collection = existing(db, name)?;
            let mut members: Vec<i64> = db
                .prepare("SELECT picture FROM collection_pictures WHERE collection = ?1 ORDER BY position, picture")?
                .query_map([collection], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let mut first = HashMap::with_capacity(ids.len());
            for (index, id) in ids.iter().enumerate() {
                if let Ok(key) = pictures::key_of(db, *id) {
                    first.insert(key, index);
                }
            }
            // A stable sort: those that are not named keep their order, behind.
            members.sort_by_key(|member| first.get(member).copied().unwrap_or(ids.len()));
            for (index, picture) in members.iter().enumerate() {
                let changed = db.execute(
                    "UPDATE collection_pictures SET position = ?3
                     WHERE collection = ?1 AND picture = ?2 AND position <> ?3",
                    params![collection, picture, index as f64 + 1.0],
                )?;
                if changed > 0 {
                    pictures::mark_dirty(db, *picture)?;
                }
            }
            Ok(())
        })
    }
}

fn existing(db: &Connection, name: &str) -> Result<i64> {
    let missing = || LibraryError::NoSuchName { what: "collection", name: name.to_owned() };
    find(db, name)?.ok_or_else(missing)
}

fn find(db: &Connection, name: &str) -> Result<Option<i64>> {
    let mut statement = db.prepare_cached("SELECT collection FROM collections WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

pub(crate) fn collection_of(db: &Connection, name: &str) -> Result<i64> {
    if let Some(collection) = find(db, name)? {
        return Ok(collection);
    }
    db.prepare_cached("INSERT INTO collections (name) VALUES (?1)")?.execute([name])?;
    Ok(db.last_insert_rowid())
}

fn mark_members(db: &Connection, collection: i64) -> Result<()> {
    db.execute(
        "UPDATE pictures SET dirty = 1
         WHERE picture IN (SELECT picture FROM collection_pictures WHERE collection = ?1)",
        [collection],
    )?;
    Ok(())
}

/// The collections of a picture, by name.
pub(crate) fn of(db: &Connection, picture: i64) -> Result<Vec<Membership>> {
    let mut statement = db.prepare_cached(
        "SELECT name, position FROM collection_pictures JOIN collections USING (collection)
         WHERE picture = ?1 ORDER BY name",
    )?;
    let rows =
        statement.query_map([picture], |row| Ok(Membership { name: row.get(0)?, position: row.get(1)? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Puts a picture where its file says.
pub(crate) fn join(db: &Connection, picture: i64, membership: &Membership) -> Result<()> {
    let collection = collection_of(db, &membership.name)?;
    db.prepare_cached(
        "INSERT OR REPLACE INTO collection_pictures (collection, picture, position) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![collection, picture, membership.position])?;
    Ok(())
}
