//! Projects: what a picture or request was made for, by name.

use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    edit::live_by,
    error::{LibraryError, Result},
    library::Library,
    names,
};

pub(crate) const CREATE: &str = "
CREATE TABLE projects (
    project INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
";

/// A name and how many pictures carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameCount {
    /// The project's, tag's or collection's name.
    pub name: String,
    /// Its pictures that are neither in the trash nor missing.
    pub pictures: u64,
}

impl Library {
    /// All projects, by name.
    pub fn projects(&self) -> Result<Vec<NameCount>> {
        // Few pictures have a project, so the index over those that do is asked, and not one over all.
        let counted = live_by("project").replacen("GROUP BY", "WHERE project IS NOT NULL GROUP BY", 1);
        self.name_counts(&format!(
            "SELECT name, coalesce(sum(n), 0) FROM projects LEFT JOIN ({counted}) USING (project)
             GROUP BY name ORDER BY name"
        ))
    }

    /// Makes a project that has no pictures yet.
    pub fn create_project(&self, name: &str) -> Result<()> {
        let name = names::clean("project", name)?;
        self.write_names(|db| project_of(db, &name).map(drop))
    }

    /// Renames a project; its pictures' files follow at the next write-back.
    pub fn rename_project(&self, name: &str, new_name: &str) -> Result<()> {
        let new_name = names::clean("project", new_name)?;
        self.write_names(|db| {
            let old = find(db, name)?.ok_or_else(|| no_project(name))?;
            match find(db, &new_name)? {
                Some(other) if other != old => {
                    db.execute(
                        "UPDATE pictures SET project = ?2, dirty = 1 WHERE project = ?1",
                        [old, other],
                    )?;
                    db.execute("UPDATE requests SET project = ?2 WHERE project = ?1", [old, other])?;
                    db.execute("DELETE FROM projects WHERE project = ?1", [old])?;
                }
                _ => {
                    db.execute("UPDATE projects SET name = ?2 WHERE project = ?1", params![old, new_name])?;
                    db.execute("UPDATE pictures SET dirty = 1 WHERE project = ?1", [old])?;
                }
            }
            Ok(())
        })
    }

    /// Deletes a project; its pictures and requests stay, without one.
    pub fn delete_project(&self, name: &str) -> Result<()> {
        self.write_names(|db| {
            let project = find(db, name)?.ok_or_else(|| no_project(name))?;
            db.execute("UPDATE pictures SET project = NULL, dirty = 1 WHERE project = ?1", [project])?;
            db.execute("UPDATE requests SET project = NULL WHERE project = ?1", [project])?;
            db.execute("DELETE FROM projects WHERE project = ?1", [project])?;
            Ok(())
        })
    }
}

fn no_project(name: &str) -> LibraryError {
    LibraryError::NoSuchName { what: "project", name: name.to_owned() }
}

pub(crate) fn name_count(row: &rusqlite::Row<'_>) -> rusqlite::Result<NameCount> {
    Ok(NameCount { name: row.get(0)?, pictures: row.get(1)? })
}

fn find(db: &Connection, name: &str) -> Result<Option<i64>> {
    let mut statement = db.prepare_cached("SELECT project FROM projects WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

/// The key of a project, made if there is none.
pub(crate) fn project_of(db: &Connection, name: &str) -> Result<i64> {
    if let Some(project) = find(db, name)? {
        return Ok(project);
    }
    db.prepare_cached("INSERT INTO projects (name) VALUES (?1)")?.execute([name])?;
    Ok(db.last_insert_rowid())
}
