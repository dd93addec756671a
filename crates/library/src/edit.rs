//! What people think of pictures: rating, flag, project. The index knows at once, the files follow.

use std::fs;

use rusqlite::{Connection, params};

use crate::{
    collections,
    error::{LibraryError, Result},
    id::Id,
    library::Library,
    metadata::Metadata,
    metadata_chunks, names,
    pictures::{self, Flag, PictureDetails},
    projects,
    projects::NameCount,
};

/// What a write-back did.
#[derive(Debug, Default)]
pub struct WriteBack {
    /// How many files say now what the index says.
    pub written: usize,
    /// How many are still to be written.
    pub left: u64,
    /// Files that could not be written, and why. They stay to be written.
    pub problems: Vec<(String, LibraryError)>,
}

/// The library in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Pictures, without those in the trash and those that are missing.
    pub pictures: u64,
    /// Pictures in the trash.
    pub trashed: u64,
    /// Pictures whose file is gone.
    pub missing: u64,
    /// Entries of the history.
    pub requests: u64,
}

impl Library {
    /// All that is known of a picture.
    pub fn picture(&self, id: Id) -> Result<PictureDetails> {
        self.database().read(|db| {
            let key = pictures::key_of(db, id)?;
            pictures::details(db, key)
        })
    }

    /// Rates pictures, 0 (not at all) to 5. Returns how many there were; those that are gone are left out, here and in
    /// all other edits.
    pub fn set_rating(&self, ids: &[Id], rating: u8) -> Result<usize> {
        let rating = rating.min(5);
        self.edit(ids, |db, key| {
            let mut update = db.prepare_cached(
                "UPDATE pictures SET rating = ?2, dirty = 1 WHERE picture = ?1 AND rating <> ?2",
            )?;
            update.execute(params![key, rating])?;
            Ok(())
        })
    }

    /// Picks or rejects pictures, or takes that back.
    pub fn set_flag(&self, ids: &[Id], flag: Flag) -> Result<usize> {
        self.edit(ids, |db, key| {
            let mut update = db.prepare_cached(
                "UPDATE pictures SET flag = ?2, dirty = 1 WHERE picture = ?1 AND flag <> ?2",
            )?;
            update.execute(params![key, flag as i64])?;
            Ok(())
        })
    }

    /// Puts pictures into a project, which is made if there is none of this name, or out of any.
    pub fn set_project(&self, ids: &[Id], project: Option<&str>) -> Result<usize> {
        let name = project.map(|name| names::clean("project", name)).transpose()?;
        self.edit_names(ids, |db, key| {
            let project = name.as_deref().map(|name| projects::project_of(db, name)).transpose()?;
            let mut update = db.prepare_cached(
                "UPDATE pictures SET project = ?2, dirty = 1 WHERE picture = ?1 AND project IS NOT ?2",
            )?;
            update.execute(params![key, project])?;
            Ok(())
        })
    }

    /// Does something to each picture that is there, in one transaction.
    pub(crate) fn edit(&self, ids: &[Id], change: impl Fn(&Connection, i64) -> Result<()>) -> Result<usize> {
        self.database().write(|db| each(db, ids, change))
    }

    /// The same where it may make a collection or project.
    pub(crate) fn edit_names(
        &self,
        ids: &[Id],
        change: impl Fn(&Connection, i64) -> Result<()>,
    ) -> Result<usize> {
        self.write_names(|db| each(db, ids, change))
    }

    /// Tells up to `limit` files what the index says of them. To be called in the background after edits, and before the
    /// end.
    pub fn write_back(&self, limit: u32) -> Result<WriteBack> {
        let due: Vec<i64> = self.database().read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT picture FROM pictures WHERE dirty = 1 AND missing = 0 ORDER BY picture DESC LIMIT ?1",
            )?;
            let rows = statement.query_map([limit], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })?;
        let mut done = WriteBack::default();
        for key in due {
            let (path, written) = self.write_back_one(key)?;
            match written {
                Ok(()) => done.written += 1,
                Err(error) => done.problems.push((path, error)),
            }
        }
        done.left = self.database().read(|db| {
            let mut statement =
                db.prepare_cached("SELECT count(*) FROM pictures WHERE dirty = 1 AND missing = 0")?;
            Ok(statement.query_row([], |row| row.get(0))?)
        })?;
        Ok(done)
    }

    fn write_back_one(&self, key: i64) -> Result<(String, Result<()>)> {
        let (details, metadata) = self.database().read(|db| {
            let details = pictures::details(db, key)?;
            let metadata = metadata_of(db, key, &details)?;
            Ok((details, metadata))
        })?;
        let path = details.summary.path.clone();
        let file = self.file_of(&details.summary);
        let written = metadata_chunks::update_metadata(&file, &metadata);
        if let Err(error) = written {
            return Ok((path, Err(error.into())));
        }
        let stat = fs::metadata(&file).map_err(|source| LibraryError::io(&file, source))?;
        self.database().write(|db| {
            // Edited again meanwhile: the file is known to be ours, but has to be told once more.
            let again = metadata_of(db, key, &pictures::details(db, key)?)? != metadata;
            db.prepare_cached(
                "UPDATE pictures SET dirty = ?2, bytes = ?3, modified_ns = ?4 WHERE picture = ?1",
            )?
            .execute(params![
                key,
                again,
                stat.len(),
                metadata_chunks::modified_ns(&file, &stat)
            ])?;
            Ok(())
        })?;
        Ok((path, Ok(())))
    }

    /// The library in numbers.
    pub fn totals(&self) -> Result<Totals> {
        self.database().read(|db| {
            let count =
                |sql: &str| -> Result<u64> { Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?) };
            // SQLite counts a whole table without looking at its rows, and those that do not count are few.
            let all = count("SELECT count(*) FROM pictures")?;
            let trashed = count("SELECT count(*) FROM pictures WHERE trashed_at IS NOT NULL")?;
            let missing = count("SELECT count(*) FROM pictures WHERE missing = 1")?;
            let both = count("SELECT count(*) FROM pictures WHERE missing = 1 AND trashed_at IS NOT NULL")?;
            Ok(Totals {
                pictures: (all + both).saturating_sub(trashed + missing),
                trashed,
                missing,
                requests: count("SELECT count(*) FROM requests")?,
            })
        })
    }

    /// Models by how many pictures they made, the most used first.
    pub fn model_counts(&self) -> Result<Vec<NameCount>> {
        self.name_counts(&format!(
            "SELECT name, sum(n) AS pictures FROM models JOIN ({}) USING (model)
             WHERE name <> '' GROUP BY name HAVING sum(n) > 0 ORDER BY pictures DESC, name",
            live_by("model")
        ))
    }

    /// Samplers by how many pictures they made, the most used first.
    pub fn sampler_counts(&self) -> Result<Vec<NameCount>> {
        self.name_counts(&format!(
            "SELECT sampler, sum(n) AS pictures FROM ({})
             GROUP BY sampler HAVING sum(n) > 0 AND sampler IS NOT NULL ORDER BY pictures DESC, sampler",
            live_by("sampler")
        ))
    }

    /// Asks for names and their counts, unless nothing has changed since the same was asked.
    pub(crate) fn name_counts(&self, sql: &str) -> Result<Vec<NameCount>> {
        // Before the question: what changes meanwhile is asked for again.
        let version = self.data_version()?;
        if let Some(known) = self.counts().get(sql).filter(|known| known.0 == version) {
            return Ok(known.1.clone());
        }
        let found: Vec<NameCount> = self.database().read(|db| {
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map([], projects::name_count)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })?;
        self.counts().insert(sql.to_owned(), (version, found.clone()));
        Ok(found)
    }
}

/// Pictures that are there, counted by a column that has an index: all of them, which the index alone can tell, less those
/// in the trash or missing, which are few.
pub(crate) fn live_by(column: &str) -> String {
    format!(
        "SELECT {column}, count(*) AS n FROM pictures GROUP BY {column}
         UNION ALL SELECT {column}, -1 FROM pictures WHERE trashed_at IS NOT NULL
         UNION ALL SELECT {column}, -1 FROM pictures WHERE missing = 1 AND trashed_at IS NULL"
    )
}

fn each(db: &Connection, ids: &[Id], change: impl Fn(&Connection, i64) -> Result<()>) -> Result<usize> {
    let mut found = 0;
    for id in ids {
        match pictures::key_of(db, *id) {
            Ok(key) => change(db, key)?,
            Err(LibraryError::NotFound { .. }) => continue,
            Err(error) => return Err(error),
        }
        found += 1;
    }
    Ok(found)
}

/// What a picture's file should say.
pub(crate) fn metadata_of(db: &Connection, key: i64, details: &PictureDetails) -> Result<Metadata> {
    let summary = &details.summary;
    Ok(Metadata {
        id: Some(summary.id),
        created: Some(summary.created),
        parent: summary.parent,
        derivation: summary.derivation,
        request: summary.request,
        rating: summary.rating,
        flag: summary.flag,
        tags: summary.tags.clone(),
        project: summary.project.clone(),
        collections: collections::of(db, key)?.into_iter().map(|m| (m.name, m.position)).collect(),
    })
}
