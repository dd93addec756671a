//! Presets: settings under a name. Tarim brings some along; people keep theirs in `presets.json`.
//!
//! A preset's width and height say a shape, not a number of pixels: [`fit`] makes the size with that shape and the area
//! that a model was trained at. So `poster` is a poster with every model.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use tarim_recipe::{Draft, Size};

use crate::error::{ErrorKind, Result, StudioError};
use crate::studio::Studio;
use crate::{files, lock};

/// Held while the file is read, changed and written.
static CHANGING: Mutex<()> = Mutex::new(());

const FILE: &str = "presets.json";
const MOST_BYTES: u64 = 8 << 20;
const MOST_NAME_BYTES: usize = 200;
const MOST_PRESETS: usize = 1_000;

/// Settings under a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// Its name; for built-in ones the key of a translated name.
    pub name: String,
    /// Whether it came with the program; such ones cannot be changed or deleted.
    #[serde(skip)]
    pub built_in: bool,
    /// What it sets; everything else is left as it is.
    pub draft: Draft,
}

/// Names and shapes of the built-in ones. Both sides are multiples of 8 and the ratio is exact, so that nothing is lost
/// when they are fitted.
const BUILT_IN: [(&str, u32, u32); 14] = [
    ("square", 512, 512),
    ("portrait", 480, 640),
    ("landscape", 640, 480),
    ("avatar", 512, 512),
    ("poster", 512, 768),
    ("banner", 960, 320),
    ("wallpaper", 1024, 576),
    ("story_card", 576, 1024),
    ("contest_square", 512, 512),
    ("contest_3_2", 768, 512),
    ("contest_2_3", 512, 768),
    ("contest_4_5", 512, 640),
    ("cinema_21_9", 1176, 504),
    ("print_a_series", 560, 792),
];

/// The size of a shape at a model's native number of pixels; both sides multiples of 8.
pub fn fit(width: u32, height: u32, native: Size) -> Size {
    let ratio = f64::from(width.max(1)) / f64::from(height.max(1));
    let area = native.pixels() as f64;
    Size::nearest((area * ratio).sqrt().round() as u32, (area / ratio).sqrt().round() as u32)
}

/// The built-in presets.
pub fn built_in() -> Vec<Preset> {
    let preset = |(name, width, height): (&str, u32, u32)| Preset {
        name: name.to_owned(),
        built_in: true,
        draft: Draft { width: Some(width), height: Some(height), ..Draft::default() },
    };
    BUILT_IN.into_iter().map(preset).collect()
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    presets: Vec<serde_json::Value>,
}

/// `presets.json`.
pub struct Store {
    path: PathBuf,
}

impl Store {
    /// The presets in a folder.
    pub fn new(config_folder: &Path) -> Self {
        Self { path: config_folder.join(FILE) }
    }

    /// All presets, the built-in ones first.
    pub fn list(&self) -> Result<Vec<Preset>> {
        let mut presets = built_in();
        // Those of a newer version, with settings that are not known here, stay in the file unseen.
        presets.extend(self.read()?.into_iter().filter_map(|value| serde_json::from_value(value).ok()));
        Ok(presets)
    }

    /// Saves a preset under its name.
    pub fn save(&self, preset: &Preset) -> Result<Vec<Preset>> {
        check_name(&preset.name)?;
        let value =
            serde_json::to_value(preset).map_err(|error| StudioError::caused(ErrorKind::BadInput, &error))?;
        self.change(|presets| {
            if let Some(old) = presets.iter_mut().find(|old| is_named(old, &preset.name)) {
                *old = value;
                return Ok(());
            }
            if presets.len() >= MOST_PRESETS {
                let message = format!("there are {MOST_PRESETS} presets already");
                return Err(StudioError::new(ErrorKind::Conflict, message).hint("delete one first"));
            }
            presets.push(value);
            Ok(())
        })
    }

    /// Deletes a preset.
    pub fn delete(&self, name: &str) -> Result<Vec<Preset>> {
        let shown: String = name.chars().take(80).collect();
        if is_built_in(name) {
            let message = format!("the preset `{shown}` is built in and cannot be deleted");
            return Err(StudioError::new(ErrorKind::Conflict, message));
        }
        self.change(|presets| {
            let before = presets.len();
            presets.retain(|preset| !is_named(preset, name));
            if presets.len() == before {
                let message = format!("there is no preset named `{shown}`");
                return Err(StudioError::new(ErrorKind::NotFound, message));
            }
            Ok(())
        })
    }

    fn read(&self) -> Result<Vec<serde_json::Value>> {
        let what = format!("the presets `{}` cannot be read", self.path.display());
        let content =
            files::read_small(&self.path, MOST_BYTES).map_err(|error| StudioError::io(&what, &error))?;
        let Some(content) = content else { return Ok(Vec::new()) };
        let content: Content = serde_json::from_slice(&content).map_err(|error| {
            StudioError::new(ErrorKind::BadInput, format!("{what}: {error}"))
                .hint("mend the file in a text editor, or remove it")
        })?;
        Ok(content.presets)
    }

    fn change(&self, change: impl FnOnce(&mut Vec<serde_json::Value>) -> Result<()>) -> Result<Vec<Preset>> {
        let _one = lock(&CHANGING);
        let mut presets = self.read()?;
        change(&mut presets)?;
        let mut text = serde_json::to_vec_pretty(&Content { presets })
            .map_err(|error| StudioError::caused(ErrorKind::Internal, &error))?;
        text.push(b'\n');
        files::write_whole(&self.path, &text)?;
        self.list()
    }
}

impl Studio {
    /// The presets, `presets.json` in the config folder.
    pub fn presets(&self) -> Store {
        Store::new(&self.surroundings().config_folder)
    }
}

fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(built_in, ..)| *built_in == name)
}

fn is_named(preset: &serde_json::Value, name: &str) -> bool {
    preset.get("name").and_then(serde_json::Value::as_str) == Some(name)
}

fn check_name(name: &str) -> Result<()> {
    let shown: String = name.chars().take(80).collect();
    if is_built_in(name) {
        let message = format!("the preset `{shown}` is built in and cannot be changed");
        return Err(StudioError::new(ErrorKind::Conflict, message).hint("choose another name"));
    }
    let wrong = if name.trim().is_empty() {
        "it is empty"
    } else if name.len() > MOST_NAME_BYTES {
        "it is too long"
    } else if name.chars().any(char::is_control) {
        "it holds control characters"
    } else {
        return Ok(());
    };
    Err(StudioError::new(ErrorKind::BadInput, format!("`{shown}` cannot be the name of a preset: {wrong}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_fit_models() {
        let native = |side| Size::nearest(side, side);
        for (name, width, height) in BUILT_IN {
            assert!(Size::new(width, height).is_ok(), "{name}");
            for side in [256, 512, 768] {
                let size = fit(width, height, native(side));
                let area = size.pixels() as f64 / native(side).pixels() as f64;
                assert!((0.9..1.1).contains(&area), "{name}: {size}");
                let (wanted, found) = (
                    f64::from(width) / f64::from(height),
                    f64::from(size.width()) / f64::from(size.height()),
                );
                assert!((found / wanted - 1.0).abs() < 0.06, "{name}: {size}");
            }
        }
        assert_eq!(fit(512, 768, native(512)).to_string(), "416x624");
        assert!(fit(0, 5, native(512)).pixels() > 0);
        assert_eq!(fit(u32::MAX, 1, native(512)).to_string(), "8192x64");
    }

    #[test]
    fn kept_beside_the_built_in_ones() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let preset = |name: &str, steps| Preset {
            name: name.into(),
            built_in: false,
            draft: Draft { steps: Some(steps), ..Draft::default() },
        };
        assert_eq!(store.list().unwrap(), built_in());
        store.save(&preset("快速", 8)).unwrap();
        store.save(&preset("slow", 50)).unwrap();
        let all = store.save(&preset("快速", 10)).unwrap();
        assert_eq!(all[BUILT_IN.len()..], [preset("快速", 10), preset("slow", 50)]);
        assert_eq!(store.delete("slow").unwrap().len(), BUILT_IN.len() + 1);
        assert_eq!(store.delete("slow").unwrap_err().kind, ErrorKind::NotFound);
        assert_eq!(store.delete("avatar").unwrap_err().kind, ErrorKind::Conflict);
        assert_eq!(store.save(&preset("avatar", 1)).unwrap_err().kind, ErrorKind::Conflict);
        assert_eq!(store.save(&preset(" ", 1)).unwrap_err().kind, ErrorKind::BadInput);

        // A newer version's stays in the file.
        let file = folder.path().join(FILE);
        let newer = r#"{"presets":[{"name":"future","draft":{"hologram":true}},{"name":"a","draft":{}}]}"#;
        std::fs::write(&file, newer).unwrap();
        assert_eq!(store.list().unwrap().len(), BUILT_IN.len() + 1);
        store.delete("a").unwrap();
        assert!(std::fs::read_to_string(&file).unwrap().contains("hologram"));
        std::fs::write(&file, "no JSON").unwrap();
        assert!(store.save(&preset("b", 1)).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "no JSON");
    }
}
