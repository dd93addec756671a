//! What programs read from the machine they run on: environment variables, folders, clock, randomness.
//!
//! Everything else gets it passed in, so this is the only place to look for what a setting of the machine changes.
//!
//! | variable | meaning |
//! |---|---|
//! | `TARIM_MODEL` | the model to use when none is named |
//! | `TARIM_RENDERER` | the renderer program |
//! | `TARIM_LIBRARY` | the folder of pictures to use instead of the one in the settings |
//! | `TARIM_CONFIG` | the folder of settings, styles and presets |
//! | `LIBTORCH` | the libtorch folder, the one that holds `lib` |

mod presence;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use directories::{BaseDirs, UserDirs};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tarim_recipe::Seed;
use tarim_render::locate::Surroundings as Programs;
use tarim_render::{LocalRenderer, ProcessOptions, RenderError};
use tarim_studio::models;
use tarim_studio::{Origin, Role, Surroundings, Timing};

/// The name of Tarim's folders.
const FOLDER: &str = "Tarim";

/// The machine as it was when the program started.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Where programs and libtorch are looked for.
    pub programs: Programs,
    /// `TARIM_MODEL`.
    pub model: Option<PathBuf>,
    /// `TARIM_LIBRARY`.
    pub library: Option<PathBuf>,
    /// Settings, styles and presets.
    config_folder: PathBuf,
    /// Where pictures go until somebody chooses.
    default_library: PathBuf,
    /// The system's search path for libraries, which the renderer inherits.
    library_path: Option<OsString>,
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

impl Machine {
    /// Reads it.
    pub fn read() -> Self {
        let base = BaseDirs::new();
        let user = UserDirs::new();
        // A machine without a home still has a folder that the program was started in.
        let home = base.as_ref().map_or_else(|| PathBuf::from("."), |dirs| dirs.home_dir().to_owned());
        let pictures = user.as_ref().and_then(UserDirs::picture_dir).map(Path::to_owned);
        let config = base.as_ref().map_or_else(|| home.join(".config"), |dirs| dirs.config_dir().to_owned());
        // Folders below ~/.config are lower-case by custom; elsewhere they carry the program's name.
        let folder = if cfg!(any(windows, target_os = "macos")) { FOLDER } else { "tarim" };
        Self {
            programs: Programs {
                executable: std::env::current_exe().ok(),
                current_folder: std::env::current_dir().ok(),
                renderer: variable("TARIM_RENDERER"),
                libtorch: variable("LIBTORCH"),
            },
            model: variable("TARIM_MODEL"),
            library: variable("TARIM_LIBRARY"),
            config_folder: variable("TARIM_CONFIG").unwrap_or_else(|| config.join(folder)),
            default_library: pictures.unwrap_or_else(|| home.join("Pictures")).join(FOLDER),
            library_path: std::env::var_os(ProcessOptions::library_path_variable()),
        }
    }

    /// The libtorch that the renderer gets, where one was found.
    pub fn libtorch(&self) -> Option<PathBuf> {
        self.programs.libtorch(Path::is_dir)
    }

    /// How to run the renderer.
    pub fn renderer_options(&self) -> Result<ProcessOptions, RenderError> {
        let program =
            self.programs.renderer(Path::is_file).map_err(|tried| RenderError::ProgramMissing { tried })?;
        let mut options = ProcessOptions::new(program);
        options.libtorch = self.libtorch();
        options.library_path.clone_from(&self.library_path);
        Ok(options)
    }

    /// A renderer. Nothing starts yet.
    pub fn renderer(&self) -> Result<LocalRenderer, RenderError> {
        Ok(LocalRenderer::new(self.renderer_options()?))
    }

    /// Ends of the file system to look for `models/starter` from.
    fn folders_above(&self) -> impl Iterator<Item = &Path> {
        let starts = [self.programs.executable.as_deref(), self.programs.current_folder.as_deref()];
        starts.into_iter().flatten().flat_map(Path::ancestors)
    }

    /// The starter model: that of a project around the program or the current folder, else the installed one, which lies
    /// in `share/tarim` beside the folder of programs.
    pub fn starter_model(&self) -> Option<PathBuf> {
        let installed =
            self.programs.executable.iter().flat_map(|program| program.ancestors().skip(1).take(2));
        let shared = installed.map(|folder| folder.join("share/tarim")).collect::<Vec<_>>();
        models::starter_in(self.folders_above().chain(shared.iter().map(PathBuf::as_path)))
    }

    /// What a studio is opened with.
    pub fn surroundings(&self, origin: Origin, role: Role) -> Surroundings {
        Surroundings {
            config_folder: self.config_folder.clone(),
            default_library: self.default_library.clone(),
            library: self.library.clone(),
            starter_model: self.starter_model(),
            model_folders: self.model.iter().cloned().collect(),
            renderers: Surroundings::processes(self.renderer_options()),
            clock: Arc::new(SystemTime::now),
            random: Arc::new(random),
            utc_offset_minutes: Arc::new(utc_offset_minutes),
            machine: machine_name(),
            presence: presence::read(),
            origin,
            role,
            timing: Timing::default(),
        }
    }
}

/// A name for this machine that its processes share, and that no other has: the host's name alone may be `localhost`.
fn machine_name() -> String {
    #[cfg(unix)]
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let host = std::env::var("COMPUTERNAME").unwrap_or_default();
    let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let plain = |c: char| if c.is_alphanumeric() || c == '-' || c == '.' { c } else { '_' };
    let id: String = id.trim().chars().take(8).collect();
    format!("{host}-{id}").chars().map(plain).collect()
}

/// Fills a buffer from the system's random source.
///
/// # Panics
/// Where the system has none, which no system that Tarim runs on does.
#[allow(clippy::expect_used, reason = "without randomness no id is safe, and every system has it")]
pub fn random(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the system has a random source");
}

fn random_u32() -> u32 {
    let mut bytes = [0; 4];
    random(&mut bytes);
    u32::from_le_bytes(bytes)
}

/// A seed that nobody chose, below 2^32 as A1111 draws them, so that every program can read it.
pub fn fresh_seed() -> Seed {
    Seed(random_u32().into())
}

/// Minutes that local time is ahead of UTC at a moment.
fn utc_offset_minutes(moment: SystemTime) -> i32 {
    let Ok(moment) = Timestamp::try_from(moment) else { return 0 };
    TimeZone::system().to_offset(moment).seconds() / 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn randomness_differs() {
        assert_ne!(random_u32().to_string() + &random_u32().to_string(), random_u32().to_string());
        assert!(u32::try_from(fresh_seed().0).is_ok());
    }

    #[test]
    fn offsets_are_whole_minutes_of_a_day() {
        assert!(utc_offset_minutes(SystemTime::now()).abs() <= 15 * 60);
    }

    #[test]
    fn all_processes_of_a_machine_call_it_the_same() {
        let named = || Machine::read().surroundings(Origin::Cli, Role::Guest).machine;
        assert_eq!(named(), named());
        assert!(named().len() > 1 && !named().contains(['/', '#']), "{}", named());
    }

    #[test]
    fn folders_have_places() {
        let machine = Machine::read();
        assert!(machine.default_library.ends_with(FOLDER));
        assert!(machine.config_folder.components().count() > 1);
    }
}
