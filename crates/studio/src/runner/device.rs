//! The lane of a device: takes jobs, has them rendered by the device's own process, takes the next.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tarim_recipe::Precision;
use tarim_render::{DeviceChoice, JobId, PixelLimit};

use super::together::Together;
use crate::core::Core;
use crate::desk::{Claimed, Desk, Lane, Wish};
use crate::events::Topic;
use crate::lane::Slot;
use crate::lock;

/// One device.
pub(super) struct DeviceLane {
    pub(super) core: Arc<Core>,
    pub(super) slot: Arc<Slot>,
    /// Number of the last job that the renderer got.
    last_id: AtomicU64,
    /// What memory was seen not to hold, with each model.
    limits: Mutex<HashMap<(PathBuf, Precision), PixelLimit>>,
}

/// What a look at the queue led to.
enum Turn {
    Worked,
    Nothing,
    Hindered,
}

impl DeviceLane {
    pub(super) fn new(core: &Arc<Core>, device: DeviceChoice) -> Self {
        Self {
            core: Arc::clone(core),
            slot: core.slots.of(device),
            last_id: AtomicU64::new(0),
            limits: Mutex::default(),
        }
    }

    pub(super) fn next_id(&self) -> JobId {
        JobId(self.last_id.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// What is known of the memory with a model in it.
    pub(super) fn limit(&self, model: PathBuf, precision: Precision) -> PixelLimit {
        lock(&self.limits).get(&(model, precision)).copied().unwrap_or_default()
    }

    /// Changes what is known of it.
    pub(super) fn learn(&self, model: PathBuf, precision: Precision, learn: impl FnOnce(&mut PixelLimit)) {
        learn(lock(&self.limits).entry((model, precision)).or_default());
    }

    /// Does what can be done at once.
    fn turn(&self, desk: &Desk) -> Turn {
        // Another device was chosen, and this lane is about to be told so.
        if !self.core.settings.get().devices().contains(&self.slot.device) {
            self.core.lanes.ring();
            return Turn::Nothing;
        }
        let held = self.slot.model();
        let avoid = self.core.slots.others_models(&self.slot);
        let mut together = Together::new(self);
        let claimed = desk.claim(Wish {
            model: held.as_ref().and_then(|held| held.hash.as_deref()),
            model_path: held.as_ref().map(|held| held.path.as_path()),
            avoid: &avoid,
            fits: &mut |chosen, job| together.fits(chosen, job),
        });
        let tickets = match claimed {
            Claimed::Jobs(tickets) => tickets,
            Claimed::Nothing => return Turn::Nothing,
            Claimed::Hindered => return Turn::Hindered,
        };
        // A fault in here costs these jobs alone: their tickets say so when they are dropped.
        if catch_unwind(AssertUnwindSafe(|| self.render(desk, tickets))).is_err() {
            self.slot.kill();
        }
        Turn::Worked
    }

    /// Gives the renderer's memory back once it was idle for as long as the settings say.
    fn release_idle(&self) {
        if self.until_release().is_some_and(|left| left.is_zero()) {
            self.slot.release();
            self.core.changed(&[Topic::Queue]);
        }
    }

    /// How long until then; `None` when there is nothing to give back.
    fn until_release(&self) -> Option<Duration> {
        let minutes = self.core.settings.get().release_after_minutes;
        let limit = self.core.surroundings.timing.minute.saturating_mul(minutes);
        self.slot.idle().filter(|_| minutes > 0).map(|idle| limit.saturating_sub(idle))
    }
}

impl Lane for DeviceLane {
    fn name(&self) -> String {
        self.slot.device.to_string()
    }

    fn run(&self, desk: &Desk) {
        while !desk.leaving() {
            let turn = self.turn(desk);
            self.release_idle();
            match turn {
                Turn::Worked => {}
                Turn::Nothing => desk.wait(self.until_release()),
                Turn::Hindered => desk.wait(Some(self.core.surroundings.timing.retry)),
            }
        }
        self.slot.release();
    }
}
