//! Pictures made from pictures without drawing: a crop, an enlargement. The new file lies beside its parent, knows it,
//! and carries a recipe that makes it again; the parent stays as it is.

use std::path::Path;

use tarim_recipe::Postprocess;

use crate::{
    entry,
    error::{LibraryError, Result},
    files,
    id::Id,
    library::Library,
    metadata::Metadata,
    moment::Moment,
    picture::{self, IfExists, Labels, Origin, Picture, WriteError},
    pictures::{self, Derivation},
    pixels,
    postprocess::postprocess,
};

/// A picture to be made from another one.
#[derive(Clone, Debug)]
pub struct Derive<'a> {
    /// The picture that it comes from.
    pub parent: Id,
    /// How, for its lineage and its name.
    pub derivation: Derivation,
    /// What is done.
    pub step: Postprocess,
    /// The new picture's id.
    pub id: Id,
    /// Now.
    pub now: Moment,
    /// The program's name and version, such as `Tarim 0.1.0`.
    pub creator_tool: &'a str,
}

impl Library {
    /// Makes a picture from another one: a PNG beside it, `fox-crop.png` for a `fox.png`, with its tags and project.
    ///
    /// Its recipe is the parent's with one step more. Where the parent has none, or one that its pixels do not agree with
    /// any more, what the file says in other words goes along, and the step stands beside it.
    pub fn derive(&self, derive: &Derive<'_>) -> Result<()> {
        let parent = self.picture(derive.parent)?;
        if parent.summary.trashed_at.is_some() {
            return Err(LibraryError::InTrash { id: derive.parent });
        }
        let file = self.file_of(&parent.summary);
        let info = picture::read(&file)?;
        let source = pixels::load(&file)?;
        let size = (source.width, source.height);
        let source = Picture { width: source.width, height: source.height, rgb: source.rgb };
        let made = postprocess(source, &[derive.step]).map_err(WriteError::from)?;
        let metadata = Metadata {
            id: Some(derive.id),
            created: Some(derive.now),
            parent: Some(derive.parent),
            derivation: Some(derive.derivation),
            tags: parent.summary.tags.clone(),
            project: parent.summary.project.clone(),
            ..Metadata::default()
        };
        // Somebody may have painted over or scaled a picture and left the recipe in it.
        let recipe = info.recipe.as_ref().and_then(|recipe| recipe.as_ref().ok());
        let recipe =
            recipe.filter(|recipe| recipe.finished_size() == size).map(|recipe| recipe.then(derive.step));
        let path = if let Some(recipe) = &recipe {
            let labels = Labels { metadata, ..Labels::new(recipe, derive.creator_tool) };
            self.write_beside(&parent.summary.path, derive.derivation, |file| {
                picture::write(file, &made, recipe, &labels, IfExists::Refuse)
            })
        } else {
            let (step, creator_tool) = (derive.step, derive.creator_tool);
            let origin = Origin { info: &info, step, creator_tool, metadata: &metadata };
            self.write_beside(&parent.summary.path, derive.derivation, |file| {
                picture::write_without_recipe(file, &made, &origin)
            })
        }?;
        let entry = entry::read(self.root(), &path)?;
        self.database().write(|db| {
            // Found by somebody who looked through the folder since.
            if pictures::key_of(db, derive.id).is_err() {
                entry::insert(db, derive.id, &entry)?;
            }
            Ok(())
        })
    }

    /// Writes a file under the next free name beside another one, and returns its path.
    fn write_beside(
        &self,
        parent: &str,
        derivation: Derivation,
        write: impl Fn(&Path) -> Result<(), WriteError>,
    ) -> Result<String> {
        for n in 1_u32.. {
            let path = name_beside(parent, derivation, n);
            match write(&self.root().join(&path)) {
                Err(WriteError::Exists { .. }) => {}
                result => return result.map(|()| path).map_err(Into::into),
            }
        }
        Err(LibraryError::io(Path::new(parent), std::io::ErrorKind::AlreadyExists.into()))
    }
}

/// `fox-crop.png`, `fox-crop-2.png`, … beside `fox.png`.
fn name_beside(parent: &str, derivation: Derivation, n: u32) -> String {
    let (folder, name) = parent.rsplit_once('/').map_or(("", parent), |(folder, name)| (folder, name));
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = files::file_stem(stem);
    let number = if n == 1 { String::new() } else { format!("-{n}") };
    let name = format!("{stem}-{}{number}.png", derivation.name());
    if folder.is_empty() { name } else { format!("{folder}/{name}") }
}
