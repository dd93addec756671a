//! The trash: pictures are moved there and back; only emptying it deletes anything.

use std::{fs, io, path::Path};

use rusqlite::params;

use crate::{
    error::{LibraryError, Result},
    files,
    id::Id,
    library::Library,
    metadata_chunks::sidecar_of,
    moment::Moment,
    pictures::{self, PictureSummary},
    thumbnails,
};

/// What emptying the trash did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Emptied {
    /// How many pictures are gone for good.
    pub pictures: u64,
    /// How much room they took, in bytes.
    pub bytes: u64,
}

impl Library {
    /// Moves pictures to the trash, with their sidecars. Returns how many; those that are there already stay.
    pub fn trash(&self, ids: &[Id], now: Moment) -> Result<usize> {
        let mut trashed = 0;
        for picture in self.summaries(ids)? {
            if picture.trashed_at.is_some() {
                continue;
            }
            let moved = move_file(self.root(), &self.trash_folder(), &picture.path);
            let path = match moved {
                // There is nothing to move; the row goes to the trash alone, so that it can be emptied.
                Err(LibraryError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    free_path(&self.trash_folder(), &picture.path)
                }
                result => result?,
            };
            self.note_place(&picture, &path, Some(now.ms))?;
            self.note_trashed(&path, now.ms);
            trashed += 1;
        }
        Ok(trashed)
    }

    /// Moves pictures back to where they were, under another name if that one is taken. Returns where they are now.
    pub fn restore(&self, ids: &[Id]) -> Result<Vec<(Id, String)>> {
        let mut restored = Vec::new();
        for picture in self.summaries(ids)? {
            if picture.trashed_at.is_none() {
                continue;
            }
            let path = move_file(&self.trash_folder(), self.root(), &picture.path)?;
            self.note_place(&picture, &path, None)?;
            restored.push((picture.id, path));
        }
        Ok(restored)
    }

    fn note_place(&self, picture: &PictureSummary, path: &str, trashed_at: Option<i64>) -> Result<()> {
        self.database().write(|db| {
            db.prepare_cached(
                "UPDATE pictures SET path = ?2, trashed_at = ?3, missing = 0 WHERE picture = ?1",
            )?
            .execute(params![picture.key, path, trashed_at])?;
            Ok(())
        })
    }

    /// Deletes these pictures of the trash, or all of it, for good.
    pub fn empty_trash(&self, ids: Option<&[Id]>) -> Result<Emptied> {
        let pictures = match ids {
            Some(ids) => self.summaries(ids)?,
            None => self.database().read(|db| {
                let sql =
                    format!("SELECT {} FROM pictures p WHERE p.trashed_at IS NOT NULL", pictures::SUMMARY);
                let mut statement = db.prepare_cached(&sql)?;
                let rows = statement.query_map([], pictures::summary)?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })?,
        };
        let mut emptied = Emptied::default();
        for picture in pictures.into_iter().filter(|picture| picture.trashed_at.is_some()) {
            let file = self.file_of(&picture);
            for file in [sidecar_of(&file), file] {
                match fs::remove_file(&file) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(LibraryError::io(&file, error));
                    }
                    _ => {}
                }
            }
            thumbnails::forget(&self.internal(), picture.id);
            self.database().write(|db| pictures::remove(db, picture.key))?;
            emptied.pictures += 1;
            emptied.bytes += picture.bytes;
        }
        self.forget_trashed_times()?;
        Ok(emptied)
    }
}

/// Moves a file from below one folder to the same path below another, or to the next free one, with its sidecar.
fn move_file(from: &Path, to: &Path, path: &str) -> Result<String> {
    let source = from.join(path);
    loop {
        let free = free_path(to, path);
        let target = to.join(&free);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(|error| LibraryError::io(folder, error))?;
        }
        match files::rename_new(&source, &target) {
            // Taken since it was looked for.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(LibraryError::io(&source, error)),
            Ok(()) => {
                let (beside, target) = (sidecar_of(&source), sidecar_of(&target));
                match files::rename_new(&beside, &target) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(LibraryError::io(&beside, error));
                    }
                    _ => return Ok(free),
                }
            }
        }
    }
}

/// A path at which there is nothing: `fox.png`, `fox-2.png`, …
fn free_path(root: &Path, path: &str) -> String {
    let (stem, ending) = path.rsplit_once('.').unwrap_or((path, ""));
    let mut free = path.to_owned();
    let mut n = 1_u64;
    while root.join(&free).symlink_metadata().is_ok() {
        n += 1;
        free = format!("{stem}-{n}.{ending}");
    }
    free
}
