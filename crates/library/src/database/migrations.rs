//! The schema's history. Entries are never changed, only added: each is run once on every library there is.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::{
    batches, collections,
    error::{LibraryError, Result},
    jobs, pictures, projects, requests, search, sets, tags,
};

/// In their order; a database's `user_version` is the number of those that it has seen.
const MIGRATIONS: [&str; 9] = [
    projects::CREATE,
    pictures::CREATE,
    tags::CREATE,
    collections::CREATE,
    requests::CREATE,
    jobs::CREATE,
    search::CREATE,
    sets::CREATE,
    batches::CREATE,
];

/// Brings a database up to date.
pub(super) fn run(connection: &mut Connection, path: &Path) -> Result<()> {
    let named = |error| LibraryError::database(path, error);
    let known = MIGRATIONS.len() as u32;
    if version(connection).map_err(named)? == known {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(named)?;
    // Again: another process may have been faster.
    let found = version(&transaction).map_err(named)?;
    if found > known {
        return Err(LibraryError::NewerVersion { found, known, path: path.to_owned() });
    }
    for migration in &MIGRATIONS[found as usize..] {
        transaction.execute_batch(migration).map_err(named)?;
    }
    transaction.pragma_update(None, "user_version", known).map_err(named)?;
    transaction.commit().map_err(named)
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{batches, search};

    /// The number of migrations before prompt sets.
    const BEFORE_SETS: usize = 7;
    const RECIPE: &str = r#"{"guidance_scale":7,"model":{"name":"m"},"precision":"fp32","prompt":"a fox","sampler":"Euler",
        "seed":7,"size":{"height":64,"width":64},"steps":20,"tarim_recipe":1}"#;

    #[test]
    fn a_library_from_before_prompt_sets_keeps_everything_and_knows_what_exists() {
        let mut db = Connection::open_in_memory().unwrap();
        search::add_functions(&db).unwrap();
        batches::add_functions(&db).unwrap();
        for migration in &MIGRATIONS[..BEFORE_SETS] {
            db.execute_batch(migration).unwrap();
        }
        db.pragma_update(None, "user_version", BEFORE_SETS as u32).unwrap();
        db.pragma_update(None, "foreign_keys", true).unwrap();
        db.execute_batch(
            "INSERT INTO requests (request, id, created, created_offset, day, origin, draft, prompt, negative, inpaint,
                count, warnings) VALUES (1, x'01', 5, 0, 0, 'window', '{}', 'a fox', '', 0, 2, '');
             INSERT INTO pictures (picture, id, path, bytes, modified_ns, version, width, height, created, created_offset,
                day, prompt, rating) VALUES (1, x'0a', 'a.png', 1, 1, 1, 64, 64, 5, 0, 0, 'a fox', 4);",
        )
        .unwrap();
        db.execute("INSERT INTO recipes (picture, recipe) VALUES (1, ?1)", [RECIPE]).unwrap();
        for (id, state) in [(1, "queued"), (2, "done")] {
            db.execute(
                "INSERT INTO jobs (id, request, number, recipe, model_path, preview, priority, position, state, created)
                 VALUES (?1, x'01', ?2, ?3, '/m', 0, 0, ?2, ?4, 5)",
                (vec![0xb, id], id, RECIPE, state),
            )
            .unwrap();
        }

        run(&mut db, Path::new("x.sqlite")).unwrap();
        assert_eq!(version(&db).unwrap() as usize, MIGRATIONS.len());
        let key: Vec<u8> = db.query_row("SELECT picture_key FROM recipes", [], |row| row.get(0)).unwrap();
        let recipe = tarim_recipe::Recipe::from_json(RECIPE).unwrap();
        assert_eq!(key, recipe.picture_key().0);
        let jobs: Vec<(Option<Vec<u8>>, bool, String)> = db
            .prepare("SELECT picture_key, held, state FROM jobs ORDER BY job")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        assert_eq!(jobs, [(Some(key), false, "queued".to_owned()), (None, false, "done".to_owned())]);
        let kept: (u32, String) = db
            .query_row(
                "SELECT p.rating, r.prompt FROM pictures p, requests r WHERE r.batch IS NULL",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert_eq!(kept, (4, "a fox".to_owned()));
        // Again: nothing is left to do.
        run(&mut db, Path::new("x.sqlite")).unwrap();
    }
}
