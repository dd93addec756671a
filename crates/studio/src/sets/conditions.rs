//! When a run may begin pictures: until a time, off the battery, while nobody works at the machine.

use std::sync::Arc;

use tarim_library::{Hold, Library};

use super::run::RunOptions;
use crate::core::Core;
use crate::error::Problem;
use crate::events::Topic;
use crate::studio::Studio;

/// What the machine says of itself. `None` where it cannot be told.
#[derive(Clone)]
pub struct Presence {
    /// Whether it runs on its battery.
    pub on_battery: Arc<dyn Fn() -> Option<bool> + Send + Sync>,
    /// Whether somebody works at it.
    pub in_use: Arc<dyn Fn() -> Option<bool> + Send + Sync>,
}

impl Default for Presence {
    fn default() -> Self {
        Self { on_battery: Arc::new(|| None), in_use: Arc::new(|| None) }
    }
}

/// Lets runs wait that must, and go on that may.
pub(crate) fn look(core: &Core, library: &Library) {
    // What cannot be read now is looked at the next time.
    let Ok(batches) = library.conditional_batches() else { return };
    if batches.is_empty() {
        return;
    }
    let presence = &core.surroundings.presence;
    let now = core.now().ms;
    let usual = library.queue_totals().ok().and_then(|totals| totals.seconds_per_picture).unwrap_or(0.0);
    let on_battery =
        batches.iter().any(|batch| batch.conditions.spare_battery) && (presence.on_battery)() == Some(true);
    let in_use = batches.iter().any(|batch| batch.conditions.spare_user) && (presence.in_use)() == Some(true);
    let mut changed = false;
    for batch in batches {
        let conditions = batch.conditions;
        let over = |end: i64| now as f64 + usual * 1000.0 >= end as f64;
        let hold = match batch.hold {
            // Only whoever paused it lets it go on, and time does not come back.
            Some(Hold::Paused | Hold::Time) => continue,
            _ if conditions.finish_by.is_some_and(over) => Some(Hold::Time),
            _ if conditions.spare_battery && on_battery => Some(Hold::Battery),
            _ if conditions.spare_user && in_use => Some(Hold::InUse),
            _ => None,
        };
        if hold != batch.hold {
            changed |= library.hold_batch(batch.id, hold).unwrap_or(false);
        }
    }
    if changed {
        core.queue.ring();
        core.changed(&[Topic::Sets, Topic::Queue]);
    }
}

impl Studio {
    /// Which of a run's conditions cannot be watched on this machine.
    pub(crate) fn condition_remarks(&self, options: &RunOptions) -> Vec<Problem> {
        let presence = &self.surroundings().presence;
        let mut remarks = Vec::new();
        let mut remark = |code: &str, message: &str, hint: &str| {
            remarks.push(Problem {
                code: code.to_owned(),
                message: message.to_owned(),
                hint: Some(hint.to_owned()),
            });
        };
        if options.spare_battery && (presence.on_battery)().is_none() {
            let message =
                "this machine does not say whether it runs on a battery; the run will not wait for that";
            remark("batch_battery_unknown", message, "on a machine without a battery there is nothing to do");
        }
        if options.spare_user && (presence.in_use)().is_none() {
            let message =
                "this machine does not say whether somebody works at it; the run will not wait for that";
            remark("batch_presence_unknown", message, "pause the run by hand, or let it finish by a time");
        }
        if options.finish_by.is_some_and(|end| end <= self.now().ms) {
            remark("batch_time_over", "the time to finish by is over already", "choose a later one");
        }
        remarks
    }
}
