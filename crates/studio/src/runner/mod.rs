//! The thread that keeps a lane for each device that the settings name, and one for each that was added.

mod attempt;
mod device;
mod render;
mod together;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use tarim_render::DeviceChoice;

use crate::core::Core;
use crate::desk::{Desk, Lane};
use crate::error::{Problem, StudioError};
use crate::signal::Heard;

/// A lane at work.
struct Running {
    /// Of a device of this machine; `None` for an added lane.
    device: Option<DeviceChoice>,
    leave: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// Has the queue worked on until the studio closes.
pub(crate) fn run(core: &Arc<Core>) {
    let mut lanes: Vec<Running> = Vec::new();
    let mut heard = Heard::default();
    while !core.closing() {
        for added in core.take_added_lanes() {
            let name = added.name();
            lanes.extend(start(core, None, &name, move |desk| added.run(desk)));
        }
        let wanted = core.settings.get().devices();
        for lane in &lanes {
            if lane.device.is_some_and(|device| !wanted.contains(&device)) {
                lane.leave.store(true, Ordering::SeqCst);
                core.queue.ring();
            }
        }
        lanes.retain(|lane| !lane.thread.is_finished());
        for device in wanted {
            // One that is leaving and wanted again ends first.
            if !lanes.iter().any(|lane| lane.device == Some(device)) {
                let lane = device::DeviceLane::new(core, device);
                lanes.extend(start(core, Some(device), &lane.name(), move |desk| lane.run(desk)));
            }
        }
        core.lanes.wait(&mut heard, None);
    }
    core.queue.ring();
    for lane in lanes {
        // A panic in one was told by its message; its jobs were ended.
        let _ = lane.thread.join();
    }
}

fn start(
    core: &Arc<Core>,
    device: Option<DeviceChoice>,
    name: &str,
    work: impl FnOnce(&Desk) + Send + 'static,
) -> Option<Running> {
    let leave = Arc::new(AtomicBool::new(false));
    let desk = Desk::new(core, name, Arc::clone(&leave));
    let ended = Arc::clone(core);
    let spawned = thread::Builder::new().name(format!("lane {name}")).spawn(move || {
        work(&desk);
        drop(desk);
        // Its place may be wanted again.
        ended.lanes.ring();
    });
    match spawned {
        Ok(thread) => Some(Running { device, leave, thread }),
        Err(error) => {
            let error = StudioError::io("a thread cannot be started", &error);
            core.notice(Problem::of("lane_not_started", error));
            None
        }
    }
}
