//! What people choose once, kept in `settings.json`.
//!
//! The file is read tolerantly: a member that cannot be used costs that member alone, members of newer versions are kept
//! as they are, and a file that is no JSON is put aside. It is always written whole.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tarim_recipe::Precision;
use tarim_render::DeviceChoice;

use crate::error::{ErrorKind, Problem, Result, StudioError};
use crate::farm::FarmSettings;
use crate::{files, lock};

const FILE: &str = "settings.json";
const MOST_BYTES: u64 = 1 << 20;
/// The most minutes before an idle renderer gives its memory back: a week.
const MOST_MINUTES: u32 = 7 * 24 * 60;
/// The most devices beside the first.
const MOST_DEVICES: usize = 16;
/// The most pictures that a device renders at once.
const MOST_AT_ONCE: u32 = 64;
/// The most folders of models.
const MOST_FOLDERS: usize = 100;

/// The settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Language of the UI.
    pub language: Language,
    /// Look of the UI.
    pub theme: Theme,
    /// Where pictures go.
    pub library_folder: PathBuf,
    /// File names of pictures.
    pub name_template: String,
    /// Folders of models, used in place.
    pub model_folders: Vec<PathBuf>,
    /// Id of the model that is used when none is named; `None` is the starter model.
    #[serde(default)]
    pub default_model: Option<String>,
    /// Which device renders.
    pub device: DeviceChoice,
    /// Further devices that render at the same time, each a picture of its own.
    #[serde(default)]
    pub more_devices: Vec<DeviceChoice>,
    /// How many pictures a device renders at once; 0 is as many as is best for it.
    #[serde(default)]
    pub pictures_at_once: u32,
    /// Arithmetic; `None` is the device's own choice.
    #[serde(default)]
    pub precision: Option<Precision>,
    /// Minutes after which an idle renderer gives its memory back; 0 is never.
    pub release_after_minutes: u32,
    /// A preview with every so many steps; 0 is none.
    pub preview_every: u32,
    /// What closing the window does while work is queued.
    pub on_close: OnClose,
    /// Whether the welcome was gone through.
    pub welcomed: bool,
    /// Other machines that draw.
    #[serde(default)]
    pub farm: FarmSettings,
}

/// Languages of the UI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// The system's, else English.
    #[default]
    #[serde(rename = "system")]
    System,
    /// English.
    #[serde(rename = "en")]
    En,
    /// 简体中文
    #[serde(rename = "zh-Hans")]
    ZhHans,
    /// 繁體中文
    #[serde(rename = "zh-Hant")]
    ZhHant,
}

/// Looks of the UI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// The system's.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
    /// A neutral mid-grey for judging colour.
    Grey,
}

/// What closing the window does while work is queued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnClose {
    /// Ask.
    #[default]
    Ask,
    /// Keep rendering without a window.
    Keep,
    /// Stop; the queue goes on at the next start.
    Stop,
}

impl Settings {
    /// The settings before anybody changed them.
    pub fn new(library_folder: PathBuf) -> Self {
        Self {
            language: Language::default(),
            theme: Theme::default(),
            library_folder,
            name_template: "[date]/[counter]-[prompt_words]".to_owned(),
            model_folders: Vec::new(),
            default_model: None,
            device: DeviceChoice::default(),
            more_devices: Vec::new(),
            pictures_at_once: 0,
            precision: None,
            release_after_minutes: 10,
            preview_every: 1,
            on_close: OnClose::default(),
            welcomed: false,
            farm: FarmSettings::default(),
        }
    }

    /// All devices that render, each once.
    pub fn devices(&self) -> Vec<DeviceChoice> {
        let mut devices = vec![self.device];
        for device in &self.more_devices {
            if !devices.contains(device) {
                devices.push(*device);
            }
        }
        devices
    }

    /// Whether every value is one that can be used. Looks at no file.
    fn check(&self) -> Result<()> {
        let wrong = |message: String| Err(StudioError::new(ErrorKind::BadInput, message));
        if !self.library_folder.is_absolute() {
            let folder = self.library_folder.display();
            return wrong(format!("the library's folder `{folder}` is not a whole path"));
        }
        // Pictures in the folder that holds the index would be taken for parts of it.
        if self.library_folder.components().any(|part| part.as_os_str() == ".tarim") {
            let folder = self.library_folder.display();
            return wrong(format!("`{folder}` lies inside a `.tarim` folder, which belongs to a library"))
                .map_err(|error| error.hint("choose the folder above it, or another one"));
        }
        if let Some(folder) = self.model_folders.iter().find(|folder| !folder.is_absolute()) {
            return wrong(format!("the folder of models `{}` is not a whole path", folder.display()));
        }
        if self.model_folders.len() > MOST_FOLDERS {
            return wrong(format!(
                "there are {} folders of models; {MOST_FOLDERS} are allowed",
                self.model_folders.len()
            ));
        }
        if self.release_after_minutes > MOST_MINUTES {
            return wrong(format!(
                "release_after_minutes is {}; allowed are 0 (never) to {MOST_MINUTES}",
                self.release_after_minutes
            ));
        }
        if self.preview_every > tarim_recipe::MAX_STEPS {
            return wrong(format!(
                "preview_every is {}; allowed are 0 (none) to {}",
                self.preview_every,
                tarim_recipe::MAX_STEPS
            ));
        }
        if self.more_devices.len() > MOST_DEVICES {
            return wrong(format!(
                "there are {} more devices; {MOST_DEVICES} are allowed",
                self.more_devices.len()
            ));
        }
        if self.pictures_at_once > MOST_AT_ONCE {
            return wrong(format!(
                "pictures_at_once is {}; allowed are 0 (as many as is best) to {MOST_AT_ONCE}",
                self.pictures_at_once
            ));
        }
        if let Some(problem) = self.farm.problem() {
            return wrong(problem);
        }
        if self.name_template.len() > 500 {
            return wrong(format!(
                "the name template has {} bytes; 500 are allowed",
                self.name_template.len()
            ));
        }
        Ok(())
    }
}

/// Checks that a folder can hold a library: it is made when needed, and must take a file.
pub fn check_library_folder(folder: &Path) -> Result<()> {
    let what = || format!("the folder `{}` cannot hold pictures", folder.display());
    std::fs::create_dir_all(folder).map_err(|error| StudioError::io(what(), &error))?;
    tempfile::Builder::new()
        .prefix(".tarim-")
        .suffix(".tmp")
        .tempfile_in(folder)
        .and_then(tempfile::NamedTempFile::close)
        .map_err(|error| StudioError::io(what(), &error))
}

/// The settings and their file.
pub struct Store {
    path: PathBuf,
    defaults: Settings,
    state: Mutex<State>,
    /// The file as it was when it was looked at last.
    seen: Mutex<Option<reload::Stamp>>,
}

struct State {
    settings: Settings,
    /// Members of the file that this version does not know.
    others: Map<String, Value>,
}

impl Store {
    /// Reads `settings.json`; what is missing or cannot be used is taken from `defaults`, and the latter is told.
    pub fn open(config_folder: &Path, defaults: Settings) -> (Self, Vec<Problem>) {
        let path = config_folder.join(FILE);
        let mut problems = Vec::new();
        let members = match read(&path) {
            Ok(members) => members,
            Err(problem) => {
                problems.push(problem);
                Map::new()
            }
        };
        let (settings, others) = merge(defaults.clone(), members, &path, &mut problems);
        (
            Self { path, defaults, state: Mutex::new(State { settings, others }), seen: Mutex::default() },
            problems,
        )
    }

    /// The settings in force.
    pub fn get(&self) -> Settings {
        lock(&self.state).settings.clone()
    }

    /// Changes settings. They are in force when the file is on the disk; on an error, nothing has changed. What another
    /// process has changed meanwhile stays changed, and comes into force here too.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) -> Result<Settings> {
        let mut state = lock(&self.state);
        let on_disk = match read(&self.path) {
            Ok(members) if !members.is_empty() => {
                let (settings, others) = merge(self.defaults.clone(), members, &self.path, &mut Vec::new());
                Some(State { settings, others })
            }
            // Gone or damaged: what was read before is better than nothing.
            _ => None,
        };
        let before = on_disk.as_ref().unwrap_or(&state);
        let mut settings = before.settings.clone();
        change(&mut settings);
        if settings == state.settings && on_disk.is_some() {
            return Ok(settings);
        }
        settings.check()?;
        if settings.library_folder != state.settings.library_folder {
            check_library_folder(&settings.library_folder)?;
        }
        let Value::Object(mut members) = to_value(&settings)? else {
            return Err(StudioError::new(ErrorKind::Internal, "the settings are no JSON object"));
        };
        let others = before.others.clone();
        for (name, value) in &others {
            members.entry(name.clone()).or_insert_with(|| value.clone());
        }
        let mut text = serde_json::to_vec_pretty(&members)
            .map_err(|error| StudioError::caused(ErrorKind::Internal, &error))?;
        text.push(b'\n');
        files::write_whole(&self.path, &text)?;
        *state = State { settings: settings.clone(), others };
        Ok(settings)
    }
}

fn to_value(settings: &Settings) -> Result<Value> {
    serde_json::to_value(settings).map_err(|error| {
        StudioError::new(ErrorKind::BadInput, format!("the settings cannot be written down: {error}"))
            .hint("choose folders whose names are plain Unicode")
    })
}

/// The members of the file. One that is no JSON object is put aside, so that the next change does not destroy it.
fn read(path: &Path) -> Result<Map<String, Value>, Problem> {
    let shown = path.display();
    let content = match files::read_small(path, MOST_BYTES) {
        Ok(None) => return Ok(Map::new()),
        Ok(Some(content)) => content,
        Err(error) => {
            let error = StudioError::io(format!("the settings `{shown}` cannot be read"), &error);
            return Err(Problem::of("settings_unreadable", error));
        }
    };
    let reason = match serde_json::from_slice::<Value>(&content) {
        Ok(Value::Object(members)) => return Ok(members),
        Ok(_) => "it is no JSON object".to_owned(),
        Err(error) => error.to_string(),
    };
    let aside = match files::put_aside(path) {
        Ok(aside) => format!("it was kept as `{}`", aside.display()),
        Err(error) => format!("it could not be kept aside ({error})"),
    };
    Err(Problem {
        code: "settings_damaged".to_owned(),
        message: format!("the settings `{shown}` could not be understood ({reason}); {aside}"),
        hint: Some("the usual settings are used; choose yours again".to_owned()),
    })
}

/// Puts the file's members over the defaults, one by one.
fn merge(
    defaults: Settings,
    members: Map<String, Value>,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> (Settings, Map<String, Value>) {
    let mut others = Map::new();
    let mut settings = defaults;
    for (name, value) in members {
        // A default that cannot be written down (a path that is not Unicode) leaves the rest as it is.
        let Ok(Value::Object(mut whole)) = serde_json::to_value(&settings) else { continue };
        let known = whole.insert(name.clone(), value.clone()).is_some();
        if !known {
            others.insert(name, value);
            continue;
        }
        let read = serde_json::from_value::<Settings>(Value::Object(whole))
            .map_err(|error| error.to_string())
            .and_then(|read| read.check().map(|()| read).map_err(|error| error.message));
        match read {
            Ok(read) => settings = read,
            Err(reason) => problems.push(Problem {
                code: "settings_value".to_owned(),
                message: format!(
                    "`{name}` in `{}` cannot be used ({reason}); the usual value is used",
                    path.display()
                ),
                hint: Some("choose it again in the settings".to_owned()),
            }),
        }
    }
    (settings, others)
}

mod reload;

#[cfg(test)]
mod tests;
