//! Handing in a picture: from pixels to a file and a row, so that a process killed at any point leaves either a
//! finished picture or a job still to do, never both and never neither.
//!
//! 1. The job's row says where the file will be.
//! 2. The file is written under another name, and synced.
//! 3. It is renamed.
//! 4. One transaction makes its row and ends the job.
//!
//! Whoever finds the job abandoned looks where its row says ([`Library::recover_expired`]): a file there that bears the
//! job's id means that only the fourth step is missing.

use std::{fs, io, path::Path};

use tarim_recipe::Recipe;

use crate::{
    entry::Entry,
    error::{LibraryError, Result},
    facts::Facts,
    files,
    jobs::{Job, Lease},
    library::Library,
    metadata::Metadata,
    moment::Moment,
    naming::{NameParts, NameTemplate},
    picture::{self, IfExists, Labels, Picture, WriteError},
    postprocess::postprocess,
};

/// A picture that a worker hands in.
#[derive(Clone, Copy, Debug)]
pub struct Save<'a> {
    /// The job.
    pub job: &'a Job,
    /// Who has it.
    pub worker: &'a str,
    /// What was rendered.
    pub recipe: &'a Recipe,
    /// What was drawn. The recipe's steps after drawing are still to be done.
    pub pixels: &'a Picture,
    /// What the file says of its origin. Identity, lineage, date, project and request are filled in from the job.
    pub labels: &'a Labels,
    /// Where files go.
    pub template: &'a NameTemplate,
    /// The project that the picture belongs to.
    pub project: Option<&'a str>,
    /// How many pictures the request asked for.
    pub count: u32,
    /// What the worker says about the time it took, its own JSON.
    pub timings: Option<&'a str>,
    /// Now.
    pub now: Moment,
    /// Until when the job is the worker's at least, in milliseconds since 1970: longer than writing a file takes.
    pub lease_until: i64,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saved {
    /// The picture is in the library.
    Recorded {
        /// Relative to the library's folder, with `/` between the parts.
        path: String,
    },
    /// The job was given to another meanwhile, and nothing is left of this picture.
    LeaseLost,
}

/// Points at which a test may stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum SaveStep {
    BeforePath,
    BeforeFile,
    AfterRename,
}

impl Library {
    /// Writes a picture to a file of its own and records it, all or nothing.
    pub fn save_picture(&self, save: &Save<'_>) -> Result<Saved> {
        self.save_with(save, &|_| Ok(()))
    }

    #[doc(hidden)]
    pub fn save_with(&self, save: &Save<'_>, at: &dyn Fn(SaveStep) -> io::Result<()>) -> Result<Saved> {
        let stop = |step| at(step).map_err(|source| LibraryError::io(self.root(), source));
        let done = (!save.recipe.postprocess.is_empty())
            .then(|| postprocess(save.pixels.clone(), &save.recipe.postprocess))
            .transpose()
            .map_err(WriteError::from)?;
        let save = &Save { pixels: done.as_ref().unwrap_or(save.pixels), ..*save };
        let parts = NameParts {
            id: save.job.id,
            created: save.now,
            recipe: save.recipe,
            number: save.job.number,
            count: save.count,
            project: save.project,
        };
        let open = save.template.open(&parts);
        let folder = self.root().join(&open.folder);
        fs::create_dir_all(&folder).map_err(|source| LibraryError::io(&folder, source))?;
        let mut labels = save.labels.clone();
        labels.metadata = Metadata {
            id: Some(save.job.id),
            created: Some(save.now),
            parent: save.job.parent,
            derivation: save.job.derivation,
            request: Some(save.job.request),
            project: save.project.map(str::to_owned),
            ..labels.metadata
        };
        let mut counter = next_counter(&folder, &open)?;
        loop {
            let name = open.name(counter);
            let path = if open.folder.is_empty() { name } else { format!("{}/{name}", open.folder) };
            let file = self.root().join(&path);
            stop(SaveStep::BeforePath)?;
            if self.set_output_path(save.job.id, save.worker, &path, save.lease_until)? == Lease::Lost {
                return Ok(Saved::LeaseLost);
            }
            stop(SaveStep::BeforeFile)?;
            match picture::write(&file, save.pixels, save.recipe, &labels, IfExists::Refuse) {
                // Somebody took the name since the folder was read, perhaps on a file system that ignores case.
                Err(WriteError::Exists { .. }) => {
                    counter = next_counter(&folder, &open)?.max(counter + 1);
                    continue;
                }
                result => result?,
            }
            stop(SaveStep::AfterRename)?;
            let entry = entry_of(save, &labels.metadata, &path, &file)?;
            return match self.finish(save.job.id, save.worker, &entry, save.timings, save.now)? {
                Lease::Held | Lease::CancelRequested => Ok(Saved::Recorded { path }),
                Lease::Lost => {
                    fs::remove_file(&file).map_err(|source| LibraryError::io(&file, source))?;
                    Ok(Saved::LeaseLost)
                }
            };
        }
    }
}

/// What the file would give, without reading it.
fn entry_of(save: &Save<'_>, metadata: &Metadata, path: &str, file: &Path) -> Result<Entry> {
    let stat = fs::metadata(file).map_err(|source| LibraryError::io(file, source))?;
    let recipe = save.recipe;
    Ok(Entry {
        path: path.to_owned(),
        id: Some(save.job.id),
        bytes: stat.len(),
        modified_ns: files::modified_ns(&stat),
        width: save.pixels.width,
        height: save.pixels.height,
        created: save.now,
        facts: Facts::from(recipe),
        recipe: Some(recipe.canonical_json().map_err(WriteError::from)?),
        recipe_hash: Some(recipe.hash().map_err(WriteError::from)?),
        infotext: None,
        metadata: metadata.clone(),
    })
}

fn next_counter(folder: &Path, open: &crate::naming::OpenName) -> Result<u64> {
    let named = |source| LibraryError::io(folder, source);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(named)? {
        names.push(entry.map_err(named)?.file_name().to_string_lossy().into_owned());
    }
    Ok(open.first_free(names.iter().map(String::as_str)))
}
