//! Where a picture came from, and what came from it.

use std::collections::{HashSet, VecDeque};

use rusqlite::{Connection, OptionalExtension};

use crate::{
    error::{LibraryError, Result},
    id::Id,
    library::Library,
    pictures::{self, PictureSummary, SUMMARY},
};

/// The most generations that are followed upwards.
const MAX_ANCESTORS: usize = 200;
/// The most pictures of one family that are told.
const MAX_NODES: usize = 2000;

/// A family of pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Lineage {
    /// Parents before their children, the first ancestor first.
    pub nodes: Vec<Node>,
    /// Whether there are more than these.
    pub more: bool,
}

/// A picture in its family.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its id.
    pub id: Id,
    /// The picture it came from.
    pub parent: Option<Id>,
    /// The picture, if it is still there.
    pub picture: Option<PictureSummary>,
    /// SHA-256 of the input it started from, if that was a file that is no picture of this library.
    pub input: Option<String>,
}

impl Library {
    /// The whole family of a picture, also of one that is deleted but has children.
    pub fn lineage(&self, id: Id) -> Result<Lineage> {
        self.database().read(|db| {
            let mut first = id;
            let mut seen = HashSet::from([id]);
            while seen.len() < MAX_ANCESTORS {
                match parent_of(db, first)? {
                    // A circle, which only a file from elsewhere can claim, is cut where it closes.
                    Some(parent) if seen.insert(parent) => first = parent,
                    _ => break,
                }
            }
            let mut lineage = Lineage { nodes: Vec::new(), more: false };
            let mut told = HashSet::from([first]);
            let mut waiting = VecDeque::from([(first, None)]);
            while let Some((id, parent)) = waiting.pop_front() {
                if lineage.nodes.len() >= MAX_NODES {
                    lineage.more = true;
                    break;
                }
                lineage.nodes.push(node(db, id, parent)?);
                for child in children_of(db, id)? {
                    if told.insert(child) {
                        waiting.push_back((child, Some(id)));
                    }
                }
            }
            if lineage.nodes.len() == 1 && lineage.nodes.iter().all(|node| node.picture.is_none()) {
                return Err(LibraryError::NotFound { what: "picture", id });
            }
            Ok(lineage)
        })
    }

    /// Notes the SHA-256 of a picture's file, so that pictures which start from it are known as its children.
    pub fn note_file_hash(&self, id: Id, sha256: &str) -> Result<()> {
        self.edit(&[id], |db, key| {
            db.prepare_cached("UPDATE recipes SET file_hash = ?2 WHERE picture = ?1")?
                .execute((key, sha256))?;
            Ok(())
        })?;
        Ok(())
    }
}

/// By its file's word; else the picture whose file it started from.
fn parent_of(db: &Connection, id: Id) -> Result<Option<Id>> {
    let mut statement = db.prepare_cached(
        "SELECT coalesce(p.parent, (SELECT q.id FROM recipes d JOIN pictures q USING (picture)
            WHERE d.file_hash = c.init_hash AND q.id <> p.id LIMIT 1))
         FROM pictures p LEFT JOIN recipes c USING (picture) WHERE p.id = ?1",
    )?;
    Ok(statement.query_row([id], |row| row.get(0)).optional()?.flatten())
}

fn children_of(db: &Connection, id: Id) -> Result<Vec<Id>> {
    let mut statement = db.prepare_cached(
        "SELECT id FROM (
            SELECT id, picture FROM pictures WHERE parent = ?1
            UNION
            SELECT p.id, p.picture FROM recipes c JOIN pictures p USING (picture)
            WHERE p.parent IS NULL AND p.id <> ?1 AND c.init_hash =
                (SELECT d.file_hash FROM recipes d JOIN pictures q USING (picture) WHERE q.id = ?1)
         ) ORDER BY picture",
    )?;
    let rows = statement.query_map([id], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn node(db: &Connection, id: Id, parent: Option<Id>) -> Result<Node> {
    let mut statement = db.prepare_cached(&format!("SELECT {SUMMARY} FROM pictures p WHERE p.id = ?1"))?;
    let picture = statement.query_row([id], pictures::summary).optional()?;
    let mut statement =
        db.prepare_cached("SELECT init_hash FROM recipes JOIN pictures p USING (picture) WHERE p.id = ?1")?;
    let input = statement.query_row([id], |row| row.get(0)).optional()?.flatten();
    Ok(Node { id, parent, picture, input: input.filter(|_| parent.is_none()) })
}
