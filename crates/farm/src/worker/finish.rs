//! The end of a job: its picture on the farm, or its dead letter.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::value::RawValue;
use tarim_recipe::Recipe;
use tarim_render::{Failure, FailureCode, Pixels, Timings};

use super::WorkerEvent;
use super::job::Claim;
use super::lease::Lease;
use super::turn::Shared;
use crate::error::FarmError;
use crate::pixels;
use crate::protocol::{DeadLetter, DoneMessage, End, EventHeader, Finished, JobMessage, Token, VERSION};
use crate::shelves::{Put, Shelves};

/// How long a finished picture is kept when the farm is full or away.
const KEEP_TRYING: Duration = Duration::from_mins(5);
const PAUSE: Duration = Duration::from_secs(1);

/// A picture that is drawn and not on the farm yet.
pub(super) struct Drawn {
    pub(super) claim: Claim,
    pub(super) recipe: Recipe,
    pub(super) pixels: Pixels,
    pub(super) timings: Timings,
    pub(super) warnings: Vec<String>,
    pub(super) seconds: f64,
}

impl Shared {
    /// Puts a picture on the farm and ends its job.
    pub(super) async fn finish(&self, drawn: Drawn) {
        let job = drawn.claim.message.job.clone();
        let began = Instant::now();
        let mut warned = false;
        loop {
            match self.hand_in(&drawn).await {
                Ok(Put::New) => {
                    drawn.claim.lease.done().await;
                    self.pictures.fetch_add(1, Ordering::Relaxed);
                    return self.tell(WorkerEvent::Finished { job, seconds: drawn.seconds });
                }
                Ok(Put::Known) => {
                    drawn.claim.lease.done().await;
                    return self.tell(WorkerEvent::Discarded { job });
                }
                Err(error) if began.elapsed() < KEEP_TRYING && (error.is_passing() || is_full(&error)) => {
                    if !std::mem::replace(&mut warned, true) {
                        let message = error.to_string();
                        self.tell(WorkerEvent::Trouble(message.clone()));
                        self.news(&drawn.claim.message, &EventHeader::Warning { message }, None).await;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    drawn.claim.lease.give_back(Some(30 * PAUSE)).await;
                    let failure =
                        Failure { code: FailureCode::Other, message: error.to_string(), hint: error.hint() };
                    return self.tell(WorkerEvent::Again { job, failure });
                }
            }
        }
    }

    async fn hand_in(&self, drawn: &Drawn) -> Result<Put, FarmError> {
        let shelves = &self.shelves;
        let message = &drawn.claim.message;
        // A worker that slept through its lease, or whose job was taken back, need not send anything.
        let waiting = shelves.names.job(&message.lane(), &message.job);
        let still_there =
            shelves.patiently("look something up", || Shelves::last(&shelves.jobs, &waiting)).await?;
        if still_there.is_none() {
            return Ok(Put::Known);
        }
        let object = format!("{}.{}", message.job, Token::random());
        let spelled = pixels::encode(&drawn.pixels)?;
        shelves.put_object(&shelves.pictures, "a finished picture", &object, &spelled).await?;
        let recipe = drawn
            .recipe
            .canonical_json()
            .map_err(|error| FarmError::Recipe { job: message.job.to_string(), reason: error.to_string() })?;
        let finished = Finished {
            object: object.clone(),
            digest: pixels::digest(&drawn.pixels),
            shape: drawn.pixels.shape(),
            recipe,
            timings: drawn.timings,
            seconds: drawn.seconds,
            warnings: drawn.warnings.clone(),
        };
        let end = End::Finished(Box::new(finished));
        let put = self.end(message, drawn.claim.delivery, end).await;
        if !matches!(put, Ok(Put::New)) {
            // Either ours arrived with an earlier attempt to say so, or it is one too many.
            let subject = shelves.names.done(&message.submitter, &message.job);
            let stored =
                shelves.patiently("look something up", || Shelves::last(&shelves.done, &subject)).await?;
            let stored =
                stored.and_then(|stored| serde_json::from_slice::<DoneMessage>(&stored.payload).ok());
            match stored.map(|done| done.end) {
                Some(End::Finished(theirs)) if theirs.object == object => return Ok(Put::New),
                _ => shelves.remove_object(&shelves.pictures, &object).await?,
            }
        }
        put
    }

    /// Says how a job ended. Only the first to say so is heard.
    async fn end(&self, message: &JobMessage, deliveries: u32, end: End) -> Result<Put, FarmError> {
        let done = DoneMessage {
            version: VERSION,
            job: message.job.clone(),
            worker: self.id.clone(),
            worker_name: self.options.name.clone(),
            device: self.device.id.to_string(),
            deliveries,
            end,
        };
        let payload = serde_json::to_vec(&done).map_err(|error| FarmError::Server {
            what: "say how a job ended".to_owned(),
            reason: error.to_string(),
        })?;
        let subject = self.shelves.names.done(&message.submitter, &message.job);
        let id = format!("{}.{}.{}", message.job, self.id, Token::random());
        self.shelves.put_once("how a job ended", &subject, &id, payload).await
    }

    /// Gives a job up: a dead letter, the news for its submitter, and out of the queue, in this order.
    pub(super) async fn give_up(&self, claim: Claim, failure: Failure) {
        let Claim { message, lease, delivery, .. } = claim;
        let job = message.job.clone();
        let subject = self.shelves.names.dead(&message.submitter, &job);
        let told = async {
            let raw = serde_json::value::to_raw_value(&message).map_err(|error| FarmError::Server {
                what: "store a dead letter".to_owned(),
                reason: error.to_string(),
            })?;
            self.dead_letter(&subject, raw, failure.clone(), delivery).await?;
            self.end(&message, delivery, End::Failed(failure.clone())).await
        };
        match told.await {
            Ok(_) => {
                lease.done().await;
                self.tell(WorkerEvent::Dead { job, failure });
            }
            Err(error) => {
                lease.give_back(Some(PAUSE)).await;
                self.tell(WorkerEvent::Trouble(error.to_string()));
            }
        }
    }

    /// Gives up what is no job that this version understands.
    pub(super) async fn give_up_unread(
        &self,
        message: &async_nats::Message,
        lease: Lease,
        delivery: u32,
        reason: String,
    ) {
        let words = String::from_utf8_lossy(&message.payload);
        let raw = RawValue::from_string(words.clone().into_owned())
            .or_else(|_| serde_json::value::to_raw_value(words.as_ref()));
        let mut parts =
            message.subject.rsplit('.').map(|part| Token::new(part).unwrap_or_else(|_| Token::random()));
        let (job, submitter) = (parts.next(), parts.next());
        let (Ok(raw), Some(job), Some(submitter)) = (raw, job, submitter) else { return lease.done().await };
        let message = format!("the message of the job cannot be read: {reason}");
        let failure = Failure { code: FailureCode::BadInput, message, hint: None };
        let subject = self.shelves.names.dead(&submitter, &job);
        match self.dead_letter(&subject, raw, failure.clone(), delivery).await {
            Ok(()) => {
                lease.done().await;
                self.tell(WorkerEvent::Dead { job, failure });
            }
            Err(error) => {
                lease.give_back(Some(PAUSE)).await;
                self.tell(WorkerEvent::Trouble(error.to_string()));
            }
        }
    }

    async fn dead_letter(
        &self,
        subject: &str,
        job: Box<RawValue>,
        reason: Failure,
        deliveries: u32,
    ) -> Result<(), FarmError> {
        let letter = DeadLetter {
            version: VERSION,
            job,
            reason,
            deliveries,
            worker_name: self.options.name.clone(),
            at_ms: jiff::Timestamp::now().as_millisecond(),
        };
        let payload = serde_json::to_vec(&letter).map_err(|error| FarmError::Server {
            what: "store a dead letter".to_owned(),
            reason: error.to_string(),
        })?;
        self.shelves.put("a dead letter", subject, payload).await
    }
}

fn is_full(error: &FarmError) -> bool {
    matches!(error, FarmError::Full { .. })
}
