//! The renderer of a device: started when needed, kept while it is, given back when it is not.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tarim_render::{DeviceChoice, DeviceInfo, Hello, RenderError, Renderer};

use crate::error::{ErrorKind, Result, StudioError};
use crate::lock;
use crate::surroundings::Renderers;

/// One device and its renderer.
pub(crate) struct Slot {
    pub(crate) device: DeviceChoice,
    make: Renderers,
    held: Mutex<Option<Held>>,
    /// What the renderer last said, also after it was given back.
    hello: Mutex<Option<Hello>>,
}

struct Held {
    renderer: Arc<dyn Renderer>,
    model: Option<HeldModel>,
    /// When it was last needed.
    used: Instant,
}

/// The model that a renderer has in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldModel {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Its hash, where that is known.
    pub(crate) hash: Option<String>,
}

impl Slot {
    pub(crate) fn new(device: DeviceChoice, make: Renderers) -> Self {
        Self { device, make, held: Mutex::default(), hello: Mutex::default() }
    }

    /// The renderer, made when there is none.
    pub(crate) fn renderer(&self) -> Result<Arc<dyn Renderer>, RenderError> {
        let mut held = lock(&self.held);
        if let Some(held) = held.as_mut() {
            held.used = Instant::now();
            return Ok(Arc::clone(&held.renderer));
        }
        let renderer = (self.make)()?;
        *held = Some(Held { renderer: Arc::clone(&renderer), model: None, used: Instant::now() });
        Ok(renderer)
    }

    /// Takes note of what the renderer said.
    pub(crate) fn greeted(&self, hello: &Hello) {
        *lock(&self.hello) = Some(hello.clone());
    }

    /// A device as the renderer last described it.
    pub(crate) fn known(&self, device: DeviceChoice) -> Option<DeviceInfo> {
        lock(&self.hello).as_ref()?.device(device).cloned()
    }

    /// The model in memory.
    pub(crate) fn model(&self) -> Option<HeldModel> {
        lock(&self.held).as_ref()?.model.clone()
    }

    /// Takes note of a model that is being read, so that others look for another one meanwhile.
    pub(crate) fn reads(&self, path: &Path) {
        if let Some(held) = lock(&self.held).as_mut()
            && held.model.as_ref().is_none_or(|model| model.path != path)
        {
            held.model = Some(HeldModel { path: path.to_owned(), hash: None });
        }
    }

    /// Takes note of work that has ended: which model is in memory now, if any.
    pub(crate) fn used(&self, model: Option<HeldModel>) {
        if let Some(held) = lock(&self.held).as_mut() {
            held.model = model;
            held.used = Instant::now();
        }
    }

    /// How long the renderer has not been needed; `None` while there is none.
    pub(crate) fn idle(&self) -> Option<Duration> {
        lock(&self.held).as_ref().map(|held| held.used.elapsed())
    }

    /// Ends the renderer, and with it all memory that it holds.
    pub(crate) fn release(&self) {
        // Dropped outside of the lock: ending takes a moment.
        let held = lock(&self.held).take();
        drop(held);
    }

    /// Ends the renderer at once, with whatever it is doing.
    pub(crate) fn kill(&self) {
        let held = lock(&self.held).take();
        if let Some(held) = held {
            held.renderer.kill();
        }
    }
}

/// The devices that were used since the start.
pub(crate) struct Slots {
    make: Renderers,
    slots: Mutex<Vec<Arc<Slot>>>,
}

impl Slots {
    pub(crate) fn new(make: Renderers) -> Self {
        Self { make, slots: Mutex::default() }
    }

    /// The slot of a device.
    pub(crate) fn of(&self, device: DeviceChoice) -> Arc<Slot> {
        let mut slots = lock(&self.slots);
        if let Some(slot) = slots.iter().find(|slot| slot.device == device) {
            return Arc::clone(slot);
        }
        let slot = Arc::new(Slot::new(device, Arc::clone(&self.make)));
        slots.push(Arc::clone(&slot));
        slot
    }

    fn all(&self) -> Vec<Arc<Slot>> {
        lock(&self.slots).clone()
    }

    /// A device as any renderer last described it.
    pub(crate) fn known(&self, device: DeviceChoice) -> Option<DeviceInfo> {
        self.all().iter().find_map(|slot| slot.known(device))
    }

    /// The hashes of the models in memory.
    pub(crate) fn models(&self) -> Vec<String> {
        self.all().iter().filter_map(|slot| slot.model()?.hash).collect()
    }

    /// Where the models lie that other slots have in memory.
    pub(crate) fn others_models(&self, own: &Slot) -> Vec<String> {
        let others = self.all().into_iter().filter(|slot| slot.device != own.device);
        others
            .filter_map(|slot| slot.model())
            .map(|model| model.path.to_string_lossy().into_owned())
            .collect()
    }

    /// Ends the renderers of all devices that are not among these.
    pub(crate) fn release_others(&self, wanted: &[DeviceChoice]) {
        self.all().iter().filter(|slot| !wanted.contains(&slot.device)).for_each(|slot| slot.release());
    }
}

/// Says that a device is not there, and which are.
pub(crate) fn no_such_device(device: DeviceChoice, hello: &Hello) -> StudioError {
    let ids: Vec<String> = hello.devices.iter().map(|device| format!("`{}`", device.id)).collect();
    let message = format!("there is no device `{device}`; there are: {}", ids.join(", "));
    let error = StudioError::new(ErrorKind::Device, message);
    if hello.notes.is_empty() {
        error.hint("choose another device in the settings")
    } else {
        error.hint(hello.notes.join("; "))
    }
}
