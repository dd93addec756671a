//! Settings that another process has changed.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use super::{MOST_BYTES, Settings, State, Store, merge};
use crate::core::Core;
use crate::events::Topic;
use crate::{files, lock};

/// What tells a file from what it was before.
pub(super) type Stamp = (Option<SystemTime>, u64);

impl Store {
    /// Reads the file again if it is not what it was. Gives the settings before and after where they differ. A file that
    /// cannot be read now, as while somebody edits it, changes nothing.
    pub(crate) fn reload(&self) -> Option<(Settings, Settings)> {
        let stat = std::fs::metadata(&self.path).ok()?;
        let stamp = (stat.modified().ok(), stat.len());
        if lock(&self.seen).replace(stamp) == Some(stamp) {
            return None;
        }
        let mut state = lock(&self.state);
        let content = files::read_small(&self.path, MOST_BYTES).ok()??;
        let Ok(Value::Object(members)) = serde_json::from_slice(&content) else { return None };
        let (settings, others) = merge(self.defaults.clone(), members, &self.path, &mut Vec::new());
        if settings == state.settings {
            return None;
        }
        let before = std::mem::replace(&mut *state, State { settings: settings.clone(), others });
        Some((before.settings, settings))
    }
}

impl Core {
    /// Acts on what another process has changed in the settings.
    pub(crate) fn reload_settings(self: &Arc<Self>) {
        let Some((before, after)) = self.settings.reload() else { return };
        self.models.set_default(after.default_model.clone());
        self.changed(&[Topic::Settings, Topic::Models]);
        if before.model_folders != after.model_folders {
            self.scan_models();
        }
        // The queue's thread looks at the settings anew.
        self.queue.ring();
        if before.library_folder != after.library_folder && self.surroundings.library.is_none() {
            self.open_library(&after.library_folder);
            self.unhalt();
            self.changed(&[
                Topic::Library,
                Topic::Pictures,
                Topic::Collections,
                Topic::History,
                Topic::Queue,
            ]);
        }
    }
}
