//! Runs as people see them, and what they do with them.

use tarim_library::{Batch, BatchFailure, BatchPicture, Conditions, Hold, Id};

use super::run::Kept;
use super::view::SetKind;
use crate::error::Result;
use crate::events::Topic;
use crate::live::Stop;
use crate::studio::Studio;

/// How many of the last pictures tell the speed of a run.
const SPEED_OVER: u32 = 30;
/// The most runs of a page.
const LONGEST_LIST: u32 = 500;
/// The most pictures of a page.
const LONGEST_PAGE: u32 = 1000;

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchState {
    /// Its rows are being put into the queue.
    Submitting,
    /// Pictures wait, none is drawn right now.
    Waiting,
    /// Pictures are drawn.
    Running,
    /// No picture is begun.
    Held,
    /// Nothing is left to do.
    Finished,
}

/// A run.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchView {
    /// The row, with its numbers.
    pub batch: Batch,
    /// What the set was.
    pub kind: SetKind,
    /// Where it is.
    pub state: BatchState,
    /// Pictures a minute, lately.
    pub per_minute: Option<f64>,
    /// Seconds until it is done, as far as that can be told.
    pub seconds_left: Option<f64>,
}

impl Studio {
    fn batch_view(&self, batch: Batch) -> Result<BatchView> {
        let outcome = batch.counts.outcome;
        let left = outcome.queued + outcome.running;
        let state = match &batch {
            Batch { cursor: Some(_), .. } => BatchState::Submitting,
            _ if left == 0 => BatchState::Finished,
            Batch { hold: Some(_), .. } if outcome.running == 0 => BatchState::Held,
            _ if outcome.running > 0 => BatchState::Running,
            _ => BatchState::Waiting,
        };
        let per_minute = match state {
            BatchState::Running | BatchState::Waiting => self.speed_of(&batch)?,
            _ => None,
        };
        let kept: Kept = serde_json::from_str(&batch.options).unwrap_or_default();
        Ok(BatchView {
            kind: kept.kind,
            state,
            seconds_left: per_minute.filter(|rate| *rate > 0.0).map(|rate| f64::from(left) / rate * 60.0),
            per_minute,
            batch,
        })
    }

    /// Pictures a minute, from when the last ones ended; pauses between them do not count.
    fn speed_of(&self, batch: &Batch) -> Result<Option<f64>> {
        let ends: Vec<i64> =
            self.library()?.batch_timings(batch.id, SPEED_OVER)?.into_iter().map(|(end, _)| end).collect();
        let mut gaps: Vec<i64> = ends.windows(2).map(|pair| pair[0] - pair[1]).collect();
        if gaps.len() < 2 {
            return Ok(None);
        }
        gaps.sort_unstable();
        let usual = gaps[gaps.len() / 2].max(1);
        let counted: Vec<i64> = gaps.into_iter().filter(|gap| *gap <= usual * 10).collect();
        let ms = counted.iter().sum::<i64>() as f64;
        Ok((ms > 0.0).then(|| counted.len() as f64 / ms * 60_000.0))
    }

    /// A run.
    pub fn batch(&self, id: Id) -> Result<BatchView> {
        self.batch_view(self.library()?.batch(id)?)
    }

    /// Runs, the newest first: of one set, or of all.
    pub fn batches(&self, set: Option<Id>, offset: u64, limit: u32) -> Result<Vec<BatchView>> {
        let limit = if limit == 0 { 100 } else { limit.min(LONGEST_LIST) };
        let batches = self.library()?.batches(set, offset, limit)?;
        batches.into_iter().map(|batch| self.batch_view(batch)).collect()
    }

    /// Why pictures of a run failed.
    pub fn batch_failures(&self, id: Id) -> Result<Vec<BatchFailure>> {
        Ok(self.library()?.batch_failures(id)?)
    }

    /// Finished pictures of a run, the last finished first.
    pub fn batch_pictures(&self, id: Id, offset: u64, limit: u32) -> Result<Vec<BatchPicture>> {
        Ok(self.library()?.batch_pictures(id, offset, limit.min(LONGEST_PAGE))?)
    }

    /// Pauses a run, or lets it go on whatever it waited for; the picture in work finishes.
    pub fn pause_batch(&self, id: Id, paused: bool) -> Result<BatchView> {
        let library = self.library()?;
        let batch = library.batch(id)?;
        if !paused {
            // What it waits for would stop it again at once.
            let mut conditions = batch.conditions;
            match batch.hold {
                Some(Hold::Time) => conditions.finish_by = None,
                Some(Hold::Battery) => conditions.spare_battery = false,
                Some(Hold::InUse) => conditions.spare_user = false,
                Some(Hold::Paused) | None => {}
            }
            library.set_batch_conditions(id, &conditions)?;
        }
        library.hold_batch(id, paused.then_some(Hold::Paused))?;
        // Something else may stand in its way by now.
        super::conditions::look(self.core(), &library);
        self.batch_changed();
        self.batch(id)
    }

    /// Changes when a run may begin pictures.
    pub fn change_batch(&self, id: Id, conditions: &Conditions) -> Result<BatchView> {
        let library = self.library()?;
        library.set_batch_conditions(id, conditions)?;
        // Whether it still has to wait is found out at once.
        if library.batch(id)?.hold.is_some_and(|hold| hold != Hold::Paused) {
            library.hold_batch(id, None)?;
        }
        super::conditions::look(self.core(), &library);
        self.core().watch.ring();
        self.batch_changed();
        self.batch(id)
    }

    /// Cancels what is left of a run.
    pub fn cancel_batch(&self, id: Id) -> Result<BatchView> {
        let library = self.library()?;
        library.cancel_batch(id, self.now())?;
        for work in self.core().live.jobs() {
            if library.job(work.job).is_ok_and(|job| job.cancel_requested) {
                self.core().live.stop(Some(work.job), Stop::Cancel);
            }
        }
        self.batch_changed();
        self.batch(id)
    }

    /// Queues the failed pictures of a run again, the cancelled ones too if that is wanted.
    pub fn retry_batch(&self, id: Id, cancelled: bool) -> Result<BatchView> {
        self.library()?.retry_batch(id, cancelled)?;
        self.batch_changed();
        self.batch(id)
    }

    /// Takes a run off the list; its pictures stay.
    pub fn dismiss_batch(&self, id: Id) -> Result<()> {
        self.library()?.dismiss_batch(id)?;
        self.changed(&[Topic::Sets]);
        Ok(())
    }

    fn batch_changed(&self) {
        self.wake_queue();
        self.changed(&[Topic::Sets, Topic::Queue, Topic::History]);
    }
}
