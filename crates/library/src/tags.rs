//! Tags of pictures.

use rusqlite::{Connection, OptionalExtension};

use crate::{error::Result, id::Id, library::Library, names, pictures, projects::NameCount, search};

pub(crate) const CREATE: &str = "
CREATE TABLE tags (
    tag INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    folded TEXT NOT NULL
) STRICT;
CREATE TABLE picture_tags (
    tag INTEGER NOT NULL REFERENCES tags ON DELETE CASCADE,
    picture INTEGER NOT NULL REFERENCES pictures ON UPDATE CASCADE ON DELETE CASCADE,
    PRIMARY KEY (tag, picture)
) STRICT, WITHOUT ROWID;
CREATE INDEX picture_tags_picture ON picture_tags (picture);
";

impl Library {
    /// All tags in use, the most used first.
    pub fn tags(&self) -> Result<Vec<NameCount>> {
        self.name_counts(
            "SELECT name, count(*) AS pictures FROM tags JOIN picture_tags USING (tag)
             GROUP BY tag ORDER BY pictures DESC, name",
        )
    }

    /// Adds tags to pictures. Returns how many pictures there were.
    pub fn add_tags(&self, ids: &[Id], names: &[String]) -> Result<usize> {
        let names = clean(names)?;
        self.edit(ids, |db, picture| {
            names.iter().try_for_each(|name| add(db, picture, name))?;
            pictures::mark_dirty(db, picture)
        })
    }

    /// Takes tags off pictures; those that nothing carries any more are forgotten.
    pub fn remove_tags(&self, ids: &[Id], names: &[String]) -> Result<usize> {
        let names = clean(names)?;
        self.edit(ids, |db, picture| {
            for name in &names {
                db.prepare_cached(
                    "DELETE FROM picture_tags
                     WHERE picture = ?1 AND tag = (SELECT tag FROM tags WHERE name = ?2)",
                )?
                .execute((picture, name))?;
                db.prepare_cached(
                    "DELETE FROM tags
                     WHERE name = ?1 AND NOT EXISTS (SELECT 1 FROM picture_tags p WHERE p.tag = tags.tag)",
                )?
                .execute([name])?;
            }
            pictures::mark_dirty(db, picture)
        })
    }
}

fn clean(names: &[String]) -> Result<Vec<String>> {
    names.iter().map(|name| names::clean("tag", name)).collect()
}

pub(crate) fn add(db: &Connection, picture: i64, name: &str) -> Result<()> {
    let mut find = db.prepare_cached("SELECT tag FROM tags WHERE name = ?1")?;
    let tag = if let Some(tag) = find.query_row([name], |row| row.get(0)).optional()? {
        tag
    } else {
        db.prepare_cached("INSERT INTO tags (name, folded) VALUES (?1, ?2)")?
            .execute((name, search::fold(name)))?;
        db.last_insert_rowid()
    };
    db.prepare_cached("INSERT OR IGNORE INTO picture_tags (tag, picture) VALUES (?1, ?2)")?
        .execute([tag, picture])?;
    Ok(())
}
