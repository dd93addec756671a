//! Jobs on their way to the farm, and back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::value::RawValue;
use tarim_recipe::Recipe;
use tarim_render::Pixels;

use super::{Awaited, Ended, Farm, FarmEvent, Inner, lock};
use crate::error::FarmError;
use crate::pixels;
use crate::protocol::{JobMessage, LaneKey, Priority, Token, VERSION};
use crate::shelves::Shelves;

/// How often a job is delivered before it is given up, unless the submitter says otherwise.
const TRIES: u32 = 5;
/// How many messages are on their way to the server at once.
const AT_ONCE: usize = 64;
/// How long the ends of an earlier process are waited for.
const CATCH_UP: Duration = Duration::from_secs(5);

/// One picture to draw.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The job's id: a name that none of this submitter's other jobs has.
    pub job: Token,
    /// A prepared recipe that names its model's hash.
    pub recipe: Recipe,
    /// The picture that `recipe.init` names.
    pub init: Option<Arc<Pixels>>,
    /// The mask that `recipe.init` names.
    pub mask: Option<Arc<Pixels>>,
    /// Whether the worker may take the arithmetic that its device does best.
    pub any_precision: bool,
    /// Among this submitter's own jobs.
    pub priority: Priority,
    /// A preview with every so many steps; 0 for none.
    pub preview_every: u32,
    /// How often it may be delivered before it is given up.
    pub tries: u32,
}

impl Submission {
    /// A submission with the usual options.
    pub fn new(job: Token, recipe: Recipe) -> Self {
        Self {
            job,
            recipe,
            init: None,
            mask: None,
            any_precision: false,
            priority: Priority::Normal,
            preview_every: 0,
            tries: TRIES,
        }
    }

    fn message(&self, inner: &Inner) -> Result<JobMessage, FarmError> {
        let unfit = |reason: String| FarmError::Recipe { job: self.job.to_string(), reason };
        let hash = self.recipe.model.hash.clone();
        let hash = hash.ok_or_else(|| unfit("it does not name its model's hash".to_owned()))?;
        let recipe = self.recipe.canonical_json().map_err(|error| unfit(error.to_string()))?;
        Ok(JobMessage {
            version: VERSION,
            job: self.job.clone(),
            submitter: inner.submitter.clone(),
            submitter_name: inner.name.clone(),
            model: Token::new(hash)?,
            recipe: RawValue::from_string(recipe).map_err(|error| unfit(error.to_string()))?,
            any_precision: self.any_precision,
            init: self.init.as_ref().map(|pixels| pixels::digest(pixels)),
            mask: self.mask.as_ref().map(|pixels| pixels::digest(pixels)),
            priority: self.priority,
            preview_every: self.preview_every,
            tries: self.tries.max(1),
            submitted_ms: jiff::Timestamp::now().as_millisecond(),
        })
    }
}

impl Farm {
    /// Hands jobs over. Doing so again changes nothing for a job that is there already, so after an error all can be
    /// handed over again.
    ///
    /// A job that ended before, in another process's time, is not drawn again: its end is told at once.
    pub fn submit(&self, submissions: &[Submission]) -> Result<(), FarmError> {
        let messages: Vec<JobMessage> =
            submissions.iter().map(|one| one.message(&self.inner)).collect::<Result<_, _>>()?;
        let mut inputs: HashMap<Token, &Arc<Pixels>> = HashMap::new();
        for (submission, message) in submissions.iter().zip(&messages) {
            let pairs = [(&message.init, &submission.init), (&message.mask, &submission.mask)];
            inputs.extend(
                pairs.into_iter().filter_map(|(name, pixels)| Some((name.clone()?, pixels.as_ref()?))),
            );
        }
        self.wait(self.inner.caught_up())?;
        let mut sending = Vec::new();
        {
            let mut state = lock(&self.inner.state);
            for message in messages {
                let job = message.job.clone();
                state.settled.remove(&job);
                let arrived = state.unclaimed.remove(&job);
                if let Some(arrived) = arrived.clone() {
                    let ended = Ended::of(&arrived);
                    state.tell(FarmEvent::Ended { job: job.clone(), ended });
                } else {
                    sending.push(message.clone());
                }
                let awaited = Awaited { message: Some(message), heard: Instant::now(), arrived };
                state.awaited.insert(job, awaited);
            }
        }
        self.wait(async {
            for (name, pixels) in inputs {
                self.inner.input(&name, pixels).await?;
            }
            self.inner.send(sending).await
        })
    }

    /// Waits for jobs that an earlier process of this submitter handed over.
    pub fn expect(&self, jobs: &[Token]) {
        let mut state = lock(&self.inner.state);
        for job in jobs {
            let arrived = state.unclaimed.remove(job);
            if let Some(arrived) = &arrived {
                state.tell(FarmEvent::Ended { job: job.clone(), ended: Ended::of(arrived) });
            }
            state.settled.remove(job);
            state.awaited.insert(job.clone(), Awaited { message: None, heard: Instant::now(), arrived });
        }
    }

    /// Jobs whose end is there and that nobody waits for in this process: of one before it, or of another beside it.
    pub fn unclaimed(&self) -> Vec<Token> {
        lock(&self.inner.state).unclaimed.keys().cloned().collect()
    }

    /// Takes jobs back: one that waits is gone at once, one in work is stopped, and no end is told any more.
    pub fn cancel(&self, jobs: &[Token]) -> Result<(), FarmError> {
        let mut ended = Vec::new();
        {
            let mut state = lock(&self.inner.state);
            for job in jobs {
                let awaited = state.awaited.remove(job).and_then(|awaited| awaited.arrived);
                ended.extend(awaited.or_else(|| state.unclaimed.remove(job)));
                state.settled.insert(job.clone());
            }
        }
        self.wait(async {
            let shelves = &self.inner.shelves;
            let names = &shelves.names;
            let withdrawn = stream::iter(jobs)
                .map(|job| async move {
                    let waiting = names.job_anywhere(&self.inner.submitter, job);
                    let gone = shelves.patiently("take a job back", || async {
                        let purged = shelves.jobs.purge().filter(waiting.clone()).await;
                        purged.map_err(|error| FarmError::server("take a job back", &error))
                    });
                    let gone = gone.await.map(drop);
                    shelves.tell(names.cancel(job), Vec::new()).await;
                    gone
                })
                .buffer_unordered(AT_ONCE)
                .try_collect::<Vec<()>>()
                .await;
            for arrived in ended {
                self.inner.remove(&arrived).await?;
            }
            withdrawn.map(drop)
        })
    }
}

impl Inner {
    /// Waits until the ends of before are known; not for long, for all that it spares is drawing one of them again.
    async fn caught_up(&self) -> Result<(), FarmError> {
        let mut caught_up = self.caught_up.subscribe();
        let reading = caught_up.wait_for(|caught_up| *caught_up);
        let _ = tokio::time::timeout(CATCH_UP.min(self.shelves.patience), reading).await;
        Ok(())
    }

    /// Puts an input there, unless it is there for long enough yet.
    async fn input(&self, name: &Token, pixels: &Pixels) -> Result<(), FarmError> {
        let shelves = &self.shelves;
        let age = shelves
            .patiently("look something up", || shelves.object_age(&shelves.inputs, name.as_str()))
            .await?;
        // One that is old would be gone before a job at the end of a long queue needs it.
        if age.is_some_and(|age| age < shelves.keep / 2) {
            return Ok(());
        }
        let spelled = pixels::encode(pixels)?;
        shelves.put_object(&shelves.inputs, "an initial picture", name.as_str(), &spelled).await
    }

    pub(super) async fn send(&self, messages: Vec<JobMessage>) -> Result<(), FarmError> {
        let shelves = &self.shelves;
        for message in &messages {
            self.lane(message.lane()).await?;
        }
        let nonce = Token::random();
        let nonce = nonce.as_str();
        stream::iter(messages)
            .map(|message| async move {
                let subject = shelves.names.job(&message.lane(), &message.job);
                let payload = serde_json::to_vec(&message).map_err(|error| FarmError::Recipe {
                    job: message.job.to_string(),
                    reason: error.to_string(),
                })?;
                // With the nonce, so that a job that was taken back can be handed over again.
                let id = format!("{}.{}.{nonce}", message.submitter, message.job);
                shelves.put_once("a job", &subject, &id, payload).await.map(drop)
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        shelves.tell(shelves.names.wake(), Vec::new()).await;
        Ok(())
    }

    /// Makes sure that a lane has its consumer.
    async fn lane(&self, lane: LaneKey) -> Result<(), FarmError> {
        if lock(&self.state).lanes.contains(&lane) {
            return Ok(());
        }
        let shelves: &Shelves = &self.shelves;
        shelves.patiently("make a queue for the jobs", || shelves.lane(&lane)).await?;
        lock(&self.state).lanes.insert(lane);
        Ok(())
    }

    /// Makes sure of the lanes of all that is awaited, whatever became of them meanwhile.
    pub(super) async fn renew_lanes(&self) -> Result<(), FarmError> {
        let lanes: Vec<LaneKey> = {
            let mut state = lock(&self.state);
            let open = state.awaited.values().filter(|awaited| awaited.arrived.is_none());
            let lanes: std::collections::HashSet<LaneKey> =
                open.filter_map(|awaited| Some(awaited.message.as_ref()?.lane())).collect();
            state.lanes.clear();
            lanes.into_iter().collect()
        };
        for lane in lanes {
            self.lane(lane).await?;
        }
        Ok(())
    }

    /// Jobs that nothing was heard of for a while.
    pub(super) fn silent(&self, since: Duration, most: usize) -> Vec<(Token, Option<JobMessage>)> {
        let mut state = lock(&self.state);
        let silent = state
            .awaited
            .iter_mut()
            .filter(|(_, awaited)| awaited.arrived.is_none() && awaited.heard.elapsed() > since)
            .take(most);
        silent
            .map(|(job, awaited)| {
                awaited.heard = Instant::now();
                (job.clone(), awaited.message.clone())
            })
            .collect()
    }
}
