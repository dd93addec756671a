//! What the program reads from its surroundings, in one place.

use std::ffi::OsString;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use tarim_recipe::Seed;
use tarim_render::locate::Surroundings;
use tarim_render::{LocalRenderer, ProcessOptions, RenderError};

/// Environment variables and their like. Each variable is named in `tarim --help`.
pub(crate) struct Environment {
    pub(crate) surroundings: Surroundings,
    /// `TARIM_MODEL`: the model to use when none is named.
    pub(crate) model: Option<PathBuf>,
    /// The system's search path for libraries, which the renderer inherits.
    library_path: Option<OsString>,
    /// Whether a person looks at stderr.
    pub(crate) stderr_is_terminal: bool,
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

impl Environment {
    pub(crate) fn read() -> Self {
        Self {
            surroundings: Surroundings {
                executable: std::env::current_exe().ok(),
                current_folder: std::env::current_dir().ok(),
                renderer: variable("TARIM_RENDERER"),
                libtorch: variable("LIBTORCH"),
            },
            model: variable("TARIM_MODEL"),
            library_path: std::env::var_os(ProcessOptions::library_path_variable()),
            stderr_is_terminal: io::stderr().is_terminal(),
        }
    }

    /// The libtorch that the renderer gets, where one was found.
    pub(crate) fn libtorch(&self) -> Option<PathBuf> {
        self.surroundings.libtorch(Path::is_dir)
    }

    /// How to run the renderer.
    pub(crate) fn renderer_options(&self) -> Result<ProcessOptions, RenderError> {
        let program = self
            .surroundings
            .renderer(Path::is_file)
            .map_err(|tried| RenderError::ProgramMissing { tried })?;
        let mut options = ProcessOptions::new(program);
        options.libtorch = self.libtorch();
        options.library_path.clone_from(&self.library_path);
        Ok(options)
    }

    pub(crate) fn renderer(&self) -> Result<LocalRenderer, RenderError> {
        Ok(LocalRenderer::new(self.renderer_options()?))
    }

    /// Ends of the file system to look for `models/starter` from.
    pub(crate) fn folders_above(&self) -> impl Iterator<Item = &Path> {
        let starts = [self.surroundings.executable.as_deref(), self.surroundings.current_folder.as_deref()];
        starts.into_iter().flatten().flat_map(Path::ancestors)
    }
}

/// A seed that nobody chose, below 2^32 as A1111 draws them, so that every program can read it.
pub(crate) fn fresh_seed() -> Seed {
    // The standard library keys its hash tables from the system's random source.
    Seed(RandomState::new().hash_one("seed") & 0xffff_ffff)
}
