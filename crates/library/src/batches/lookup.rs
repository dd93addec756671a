//! Whether a picture was drawn before, or is about to be.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, functions::FunctionFlags};
use tarim_recipe::{PictureKey, Recipe};

use crate::{error::Result, id::Id, library::Library};

/// A picture that need not be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Existing {
    /// Its id, or that of its job.
    pub id: Id,
    /// Where it is.
    pub place: Place,
}

/// Where a picture is that need not be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the library.
    Library,
    /// In its trash.
    Trash,
    /// In the queue.
    Queue,
}

impl Library {
    /// Which of these pictures exist. Pictures that were made smaller or larger afterwards do not count, nor do those whose
    /// file is gone.
    pub fn find_existing(&self, keys: &[PictureKey]) -> Result<HashMap<PictureKey, Existing>> {
        self.database().read(|db| {
            // Upscaled and cropped ones carry the recipe that they came from.
            let mut pictures = db.prepare_cached(
                "SELECT p.id, p.trashed_at IS NOT NULL FROM recipes c JOIN pictures p USING (picture)
                 WHERE c.picture_key = ?1 AND p.missing = 0 AND coalesce(p.derivation, 0) NOT IN (4, 5)
                 ORDER BY p.trashed_at IS NOT NULL, p.picture LIMIT 1",
            )?;
            let mut jobs = db.prepare_cached(
                "SELECT id FROM jobs WHERE picture_key = ?1 AND state IN ('queued', 'running') LIMIT 1",
            )?;
            let mut found = HashMap::new();
            for key in keys {
                let picture = pictures.query_row([key.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
                let existing = match picture {
                    Some((id, false)) => Some(Existing { id, place: Place::Library }),
                    trashed => {
                        let job = jobs.query_row([key.0], |row| row.get(0)).optional()?;
                        job.map(|id| Existing { id, place: Place::Queue })
                            .or_else(|| trashed.map(|(id, _)| Existing { id, place: Place::Trash }))
                    }
                };
                if let Some(existing) = existing {
                    found.insert(*key, existing);
                }
            }
            Ok(found)
        })
    }
}

/// Adds the SQL function `picture_key(recipe)`: what the picture of a recipe's JSON is recognised by; NULL where the text is
/// no recipe.
pub(crate) fn add_functions(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("picture_key", 1, flags, |context| {
        let recipe = context.get_raw(0).as_str().ok().and_then(|text| Recipe::from_json(text).ok());
        Ok(recipe.map(|recipe| recipe.picture_key().0))
    })
}
