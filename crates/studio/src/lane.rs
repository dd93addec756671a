//! The renderer of the device in use: started when needed, kept while it is, given back when it is not.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tarim_render::{DeviceChoice, DeviceInfo, Hello, RenderError, Renderer};

use crate::error::{ErrorKind, Result, StudioError};
use crate::lock;
use crate::surroundings::Renderers;

/// One device and its renderer.
pub(crate) struct Lane {
    make: Renderers,
    held: Mutex<Option<Held>>,
    /// What the renderer last said, also after it was given back.
    hello: Mutex<Option<Hello>>,
}

struct Held {
    device: DeviceChoice,
    renderer: Arc<dyn Renderer>,
    /// Hash of the model that it has in memory.
    model: Option<String>,
    /// When it was last needed.
    used: Instant,
}

impl Lane {
    pub(crate) fn new(make: Renderers) -> Self {
        Self { make, held: Mutex::default(), hello: Mutex::default() }
    }

    /// The renderer for a device. One for another device is given back first: both would hold a model.
    pub(crate) fn renderer(&self, device: DeviceChoice) -> Result<Arc<dyn Renderer>, RenderError> {
        let mut held = lock(&self.held);
        if let Some(held) = held.as_mut().filter(|held| held.device == device) {
            held.used = Instant::now();
            return Ok(Arc::clone(&held.renderer));
        }
        *held = None;
        let renderer = (self.make)()?;
        *held = Some(Held { device, renderer: Arc::clone(&renderer), model: None, used: Instant::now() });
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

    /// The hash of the model in memory.
    pub(crate) fn model(&self) -> Option<String> {
        lock(&self.held).as_ref()?.model.clone()
    }

    /// Takes note of a job that has ended: which model is in memory now, if any.
    pub(crate) fn used(&self, model: Option<String>) {
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
