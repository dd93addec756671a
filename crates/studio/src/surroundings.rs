//! What the studio does not find out for itself: places, programs, clock, randomness. Doors fill it in.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::sets::Presence;
use tarim_recipe::Seed;
use tarim_render::{LocalRenderer, ProcessOptions, RenderError, Renderer};

/// Makes a renderer. Called once for each device in use; nothing needs to start before the renderer is used.
pub type Renderers = Arc<dyn Fn() -> Result<Arc<dyn Renderer>, RenderError> + Send + Sync>;

/// The clock.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Fills a buffer with random bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Everything that is read outside and passed in.
#[derive(Clone)]
pub struct Surroundings {
    /// Where `settings.json`, `styles.csv` and `presets.json` lie; made when needed.
    pub config_folder: PathBuf,
    /// Where pictures go until somebody chooses: `<Pictures>/Tarim`.
    pub default_library: PathBuf,
    /// A library to use whatever the settings say, such as one named on the command line.
    pub library: Option<PathBuf>,
    /// The starter model's folder, where there is one.
    pub starter_model: Option<PathBuf>,
    /// Further folders of models that come with the program or its environment.
    pub model_folders: Vec<PathBuf>,
    /// How to run a renderer.
    pub renderers: Renderers,
    /// The clock.
    pub clock: Clock,
    /// Random bytes, for seeds and ids.
    pub random: Random,
    /// Minutes that local time is ahead of UTC at a moment.
    pub utc_offset_minutes: Arc<dyn Fn(SystemTime) -> i32 + Send + Sync>,
    /// This machine's name, without `/` and `#`: the same in all its processes, for they can see each other's locks, and
    /// another on every other machine, whose locks may be invisible.
    pub machine: String,
    /// Battery and user.
    pub presence: Presence,
    /// Which door this is.
    pub origin: Origin,
    /// Whether this process works on the queue.
    pub role: Role,
    /// How often and how long; [`Timing::default`] outside of tests.
    pub timing: Timing,
}

/// How often things are looked at and how long they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long a job belongs to a process that gives no sign of life.
    pub lease: Duration,
    /// How often it is checked whether another process has changed the library.
    pub poll: Duration,
    /// The least time between two messages about a job's progress.
    pub progress: Duration,
    /// What the settings call a minute.
    pub minute: Duration,
    /// The pause before something that failed for the machine's reasons is tried again.
    pub retry: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            progress: Duration::from_millis(100),
            minute: Duration::from_mins(1),
            retry: Duration::from_secs(5),
        }
    }
}

/// Doors, as the history names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The desktop window.
    Window,
    /// The UI in a browser.
    Browser,
    /// The terminal.
    Cli,
}

impl Origin {
    /// `window`, `browser`, `cli`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Browser => "browser",
            Self::Cli => "cli",
        }
    }
}

/// What a process does with the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Works on the queue, and puts right what killed processes left behind.
    Owner,
    /// Reads and writes rows only.
    Guest,
}

impl Surroundings {
    /// Renderers that are child processes, run as `options` say; the error is what is told whenever one is needed.
    pub fn processes(options: Result<ProcessOptions, RenderError>) -> Renderers {
        let options = options.map_err(Arc::new);
        Arc::new(move || match &options {
            Ok(options) => Ok(Arc::new(LocalRenderer::new(options.clone())) as Arc<dyn Renderer>),
            Err(error) => Err(RenderError::Refused(error.to_failure())),
        })
    }

    /// Now.
    pub fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// A seed that nobody chose, below 2^32 as A1111 draws them, so that every program can read it.
    pub fn fresh_seed(&self) -> Seed {
        let mut bytes = [0; 4];
        (self.random)(&mut bytes);
        Seed(u32::from_le_bytes(bytes).into())
    }

    /// Sixteen random bytes, for an id.
    pub fn random_bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        (self.random)(&mut bytes);
        bytes
    }
}
