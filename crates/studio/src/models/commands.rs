//! What people do with models: add and remove folders, have hashes computed.

use std::path::Path;
use std::sync::Arc;

use crate::error::{ErrorKind, Result, StudioError};
use crate::events::{TaskKind, Topic};
use crate::settings::Settings;
use crate::studio::Studio;

/// Progress of a hash is told in these units; bytes of a large model would not fit.
const MEBIBYTE: u64 = 1 << 20;

impl Studio {
    /// Adds a folder of models, which stays where it is, and looks through it.
    pub fn add_model_folder(&self, folder: &Path) -> Result<()> {
        let shown = folder.display();
        if !folder.is_absolute() {
            return Err(StudioError::new(ErrorKind::BadInput, format!("`{shown}` is not a whole path")));
        }
        let found = folder.metadata().map_err(|error| {
            StudioError::io(format!("the folder of models `{shown}` cannot be used"), &error)
        })?;
        // A single model is as welcome as a folder of them.
        if !found.is_dir() && !found.is_file() {
            let message = format!("`{shown}` is neither a folder nor a file");
            return Err(StudioError::new(ErrorKind::BadInput, message));
        }
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let known = self.models().overview().folders;
        if known
            .iter()
            .any(|known| known.path == folder || known.path.canonicalize().is_ok_and(|it| it == real))
        {
            return Err(StudioError::new(ErrorKind::Conflict, format!("`{shown}` is on the list already"))
                .hint("look through the folders again to see what is new in it"));
        }
        self.change_settings(|settings| settings.model_folders.push(folder.to_owned())).map(drop)
    }

    /// Forgets a folder of models, which stays where it is.
    pub fn remove_model_folder(&self, folder: &Path) -> Result<()> {
        if !self.settings().model_folders.iter().any(|known| known == folder) {
            let message = format!("`{}` is not one of the folders that were added", folder.display());
            return Err(StudioError::new(ErrorKind::NotFound, message));
        }
        self.change_settings(|settings| settings.model_folders.retain(|known| known != folder)).map(drop)
    }

    /// Computes a model's hash in the background and returns the task's id. Progress counts mebibytes.
    pub fn hash_model(&self, id: &str) -> Result<String> {
        let model = self.models().get(id)?;
        let core = Arc::clone(self.core());
        Ok(self.start_task(TaskKind::HashModel, id, move |task| {
            let hash = core.models.hash_while(&model.path, &mut |done, total| {
                task.progress(done / MEBIBYTE, Some(total.div_ceil(MEBIBYTE)))
            });
            match hash {
                Ok(_) => task.changed(&[Topic::Models]),
                Err(error) => task.problem(error.message),
            }
        }))
    }

    /// Changes settings and acts on them. On an error nothing has changed, except that a library that cannot be opened
    /// is none in use, which is then one of [`Self::problems`].
    pub fn change_settings(&self, change: impl FnOnce(&mut Settings)) -> Result<Settings> {
        let before = self.settings();
        let after = self.settings_store().change(change)?;
        if before.default_model != after.default_model {
            self.models().set_default(after.default_model.clone());
            self.changed(&[Topic::Models]);
        }
        if before != after {
            self.settings_changed(&before)?;
        }
        Ok(after)
    }
}
