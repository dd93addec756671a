//! Finished pictures on their way home.

use std::sync::Arc;

use tarim_recipe::Recipe;
use tarim_render::{Pixels, Timings};

use super::{Arrived, Ended, Farm, Inner, lock};
use crate::error::FarmError;
use crate::pixels;
use crate::protocol::{DoneMessage, End, Token};

/// A finished job whose picture waits on the farm.
#[derive(Clone, Debug)]
pub struct Ready(Arc<DoneMessage>);

/// A picture from the farm, compared with the digest that its worker computed.
#[derive(Clone, Debug)]
pub struct Collected {
    /// The recipe that it was really drawn with.
    pub recipe: Recipe,
    /// Its pixels.
    pub pixels: Pixels,
    /// Where the worker's time went.
    pub timings: Timings,
    /// Seconds on the worker.
    pub seconds: f64,
    /// The worker's name.
    pub worker: String,
    /// Its device.
    pub device: String,
    /// How often the job was delivered.
    pub deliveries: u32,
    /// What the renderer had to say.
    pub warnings: Vec<String>,
}

impl Ended {
    pub(super) fn of(arrived: &Arrived) -> Self {
        match &arrived.done.end {
            End::Finished(_) => Self::Finished(Ready(Arc::clone(&arrived.done))),
            End::Failed(failure) => Self::Failed(failure.clone()),
        }
    }
}

impl Ready {
    /// The worker's name.
    pub fn worker(&self) -> &str {
        &self.0.worker_name
    }

    /// How often the job was delivered.
    pub fn deliveries(&self) -> u32 {
        self.0.deliveries
    }
}

impl Farm {
    /// Fetches a finished picture. It stays on the farm until [`Farm::confirm`].
    pub fn collect(&self, ready: &Ready) -> Result<Collected, FarmError> {
        let done = &ready.0;
        let End::Finished(finished) = &done.end else {
            return Err(FarmError::Missing(format!("a picture of job {}", done.job)));
        };
        let recipe = Recipe::from_json(&finished.recipe).map_err(|error| FarmError::Damaged {
            what: format!("the recipe of job {}", done.job),
            reason: error.to_string(),
        })?;
        let shelves = &self.inner.shelves;
        let bytes =
            self.wait(shelves.get_object(&shelves.pictures, "a finished picture", &finished.object))?;
        let pixels = pixels::decode(&bytes, &finished.digest)?;
        Ok(Collected {
            recipe,
            pixels,
            timings: finished.timings,
            seconds: finished.seconds,
            worker: done.worker_name.clone(),
            device: done.device.clone(),
            deliveries: done.deliveries,
            warnings: finished.warnings.clone(),
        })
    }

    /// Says that the end of a job has been dealt with (its picture is safe): nothing of it stays on the farm but the dead
    /// letter of one that failed.
    pub fn confirm(&self, job: &Token) -> Result<(), FarmError> {
        let arrived = {
            let mut state = lock(&self.inner.state);
            state.settled.insert(job.clone());
            state.awaited.remove(job).and_then(|awaited| awaited.arrived)
        };
        match arrived {
            Some(arrived) => self.wait(self.inner.remove(&arrived)),
            None => Ok(()),
        }
    }

    /// Draws a job again whose picture came damaged or is gone: its end is removed and the job handed over anew.
    pub fn again(&self, job: &Token) -> Result<(), FarmError> {
        let (arrived, message) = {
            let mut state = lock(&self.inner.state);
            let Some(awaited) = state.awaited.get_mut(job) else { return Ok(()) };
            (awaited.arrived.take(), awaited.message.clone())
        };
        self.wait(async {
            if let Some(arrived) = arrived {
                self.inner.remove(&arrived).await?;
            }
            self.inner.send(message.into_iter().collect()).await
        })
    }
}

impl Inner {
    /// Removes an end and its picture. The end goes last: until then the next process finds both.
    pub(super) async fn remove(&self, arrived: &Arrived) -> Result<(), FarmError> {
        let shelves = &self.shelves;
        if let End::Finished(finished) = &arrived.done.end {
            shelves
                .patiently("remove a picture", || shelves.remove_object(&shelves.pictures, &finished.object))
                .await?;
        }
        let subject = shelves.names.done(&self.submitter, &arrived.done.job);
        shelves
            .patiently("remove a finished job", || async {
                let purged =
                    shelves.done.purge().sequence(arrived.sequence + 1).filter(subject.clone()).await;
                purged.map_err(|error| FarmError::server("remove a finished job", &error))
            })
            .await
            .map(drop)
    }
}
