//! Looking at the farm and putting it in order.

use std::collections::BTreeMap;

use async_nats::jetstream::consumer;
use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};
use futures_util::TryStreamExt;
use serde::Serialize;
use tarim_render::Failure;

use super::{Farm, Inner};
use crate::error::FarmError;
use crate::protocol::{DeadLetter, JobMessage, LaneKey, Token, VERSION, WorkerCard};
use crate::shelves::{Shelf, Shelves};

/// The farm as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The server's address without secrets.
    pub server: String,
    /// The server's version.
    pub version: String,
    /// The farm's namespace.
    pub namespace: String,
    /// Jobs that wait for a worker.
    pub waiting: u64,
    /// Jobs in work.
    pub running: u64,
    /// Ended jobs that wait to be picked up.
    pub ended: u64,
    /// Jobs that were given up.
    pub dead: u64,
    /// Workers that live.
    pub workers: u64,
    /// Bytes of jobs.
    pub job_bytes: u64,
    /// Bytes of initial pictures.
    pub input_bytes: u64,
    /// Bytes of finished pictures.
    pub picture_bytes: u64,
    /// Bytes of shared models.
    pub model_bytes: u64,
    /// Who has jobs there.
    pub submitters: Vec<SubmitterStatus>,
}

/// One submitter's jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubmitterStatus {
    /// Its id.
    pub submitter: Token,
    /// Jobs that wait for a worker.
    pub waiting: u64,
    /// Jobs in work.
    pub running: u64,
}

/// Who can draw with a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelPlace {
    /// The model's SHA-256.
    pub model: Token,
    /// Names of the workers that have it.
    pub workers: Vec<String>,
    /// Whether it lies on the farm for workers to fetch.
    pub shared: bool,
    /// Names of the workers that would fetch it.
    pub fetchers: Vec<String>,
}

impl ModelPlace {
    /// Whether a job with it would be drawn by somebody who is there now.
    pub fn can_be_drawn(&self) -> bool {
        !self.workers.is_empty() || self.shared && !self.fetchers.is_empty()
    }
}

/// A job that was given up.
#[derive(Clone, Debug, Serialize)]
pub struct Letter {
    /// Its id; `None` when what came was no job.
    pub job: Option<Token>,
    /// Whose.
    pub submitter: Option<Token>,
    /// The submitter's name.
    pub submitter_name: String,
    /// The model's SHA-256.
    pub model: Option<Token>,
    /// Why.
    pub reason: Failure,
    /// How often it was delivered.
    pub deliveries: u32,
    /// The worker that gave it up.
    pub worker: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Its place in the list.
    pub sequence: u64,
    #[serde(skip)]
    message: Option<JobMessage>,
}

/// What to throw away, of everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Jobs that wait or are in work.
    pub jobs: bool,
    /// Ended jobs and their pictures.
    pub results: bool,
    /// Dead letters.
    pub dead: bool,
    /// Initial pictures.
    pub inputs: bool,
    /// Shared models.
    pub models: bool,
}

impl Farm {
    /// The farm as a whole.
    pub fn status(&self) -> Result<Status, FarmError> {
        self.wait(async {
            let shelves = &self.inner.shelves;
            let lanes = shelves.lanes().await?;
            let mut submitters: BTreeMap<Token, (u64, u64)> = BTreeMap::new();
            for lane in &lanes {
                let entry = submitters.entry(lane.key.submitter.clone()).or_default();
                entry.0 += lane.waiting;
                entry.1 += lane.running;
            }
            let (jobs, job_bytes) = size(&shelves.jobs).await?;
            let running = lanes.iter().map(|lane| lane.running).sum();
            Ok(Status {
                server: self.inner.shown.clone(),
                version: shelves.client.server_info().version,
                namespace: shelves.names.namespace().to_string(),
                waiting: jobs.saturating_sub(running),
                running,
                ended: size(&shelves.done).await?.0,
                dead: size(&shelves.dead).await?.0,
                workers: shelves.cards().await?.len() as u64,
                job_bytes,
                input_bytes: shelf_bytes(&shelves.inputs).await?,
                picture_bytes: shelf_bytes(&shelves.pictures).await?,
                model_bytes: shelf_bytes(&shelves.models).await?,
                submitters: submitters
                    .into_iter()
                    .map(|(submitter, (waiting, running))| SubmitterStatus { submitter, waiting, running })
                    .filter(|one| one.waiting + one.running > 0)
                    .collect(),
            })
        })
    }

    /// The workers that live, by name.
    pub fn workers(&self) -> Result<Vec<WorkerCard>, FarmError> {
        self.wait(self.inner.shelves.cards())
    }

    /// Who can draw with each of some models.
    pub fn places(&self, models: &[Token]) -> Result<Vec<ModelPlace>, FarmError> {
        self.wait(async {
            let cards = self.inner.shelves.cards().await?;
            let named = |wanted: &dyn Fn(&WorkerCard) -> bool| -> Vec<String> {
                cards.iter().filter(|card| wanted(card)).map(|card| card.name.clone()).collect()
            };
            let mut places = Vec::new();
            for model in models {
                places.push(ModelPlace {
                    model: model.clone(),
                    workers: named(&|card| card.models.iter().any(|held| held.hash == *model)),
                    shared: self.inner.shelves.manifest(model).await?.is_some(),
                    fetchers: named(&|card| card.fetches_models),
                });
            }
            Ok(places)
        })
    }

    /// Jobs that were given up, the oldest first, at most so many.
    pub fn dead(&self, most: usize) -> Result<Vec<Letter>, FarmError> {
        self.wait(self.inner.letters(most))
    }

    /// Hands jobs that were given up over once more, or all of them where none is named. Gives the ids of those that were.
    pub fn retry(&self, jobs: &[Token]) -> Result<Vec<Token>, FarmError> {
        self.wait(async {
            let shelves = &self.inner.shelves;
            let mut retried = Vec::new();
            for letter in self.inner.letters(usize::MAX).await? {
                let Some(message) = letter.message else { continue };
                if !jobs.is_empty() && !jobs.contains(&message.job) {
                    continue;
                }
                let (submitter, job) = (message.submitter.clone(), message.job.clone());
                // Its failure was perhaps not picked up, and would stand in the way of the new end.
                let done = shelves.names.done(&submitter, &job);
                shelves.done.purge().filter(done).await.map_err(|error| wrong("remove a failure", &error))?;
                self.inner.send(vec![message]).await?;
                shelves.remove_letter(letter.sequence).await?;
                retried.push(job);
            }
            Ok(retried)
        })
    }

    /// Throws things away. Gives the number of jobs, ends and dead letters that were.
    pub fn purge(&self, what: Purged) -> Result<u64, FarmError> {
        self.wait(async {
            let shelves = &self.inner.shelves;
            let mut gone = 0;
            let streams =
                [(what.jobs, &shelves.jobs), (what.results, &shelves.done), (what.dead, &shelves.dead)];
            for (_, stream) in streams.into_iter().filter(|(wanted, _)| *wanted) {
                gone += stream.purge().await.map_err(|error| wrong("throw things away", &error))?.purged;
            }
            let stores = [
                (what.results, &shelves.pictures),
                (what.inputs, &shelves.inputs),
                (what.models, &shelves.models),
            ];
            for (_, shelf) in stores.into_iter().filter(|(wanted, _)| *wanted) {
                shelf.stream.purge().await.map_err(|error| wrong("throw things away", &error))?;
            }
            Ok(gone)
        })
    }
}

impl Inner {
    async fn letters(&self, most: usize) -> Result<Vec<Letter>, FarmError> {
        let shelves = &self.shelves;
        let mut letters = Vec::new();
        let mut sequence = 1;
        while letters.len() < most {
            let next = shelves
                .dead
                .raw_message_builder()
                .sequence(sequence)
                .next_by_subject(shelves.names.all_dead());
            let found = match next.send().await {
                Ok(found) => found,
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => break,
                Err(error) => return Err(wrong("read the dead letters", &error)),
            };
            sequence = found.sequence + 1;
            let Ok(letter) = serde_json::from_slice::<DeadLetter>(&found.payload) else { continue };
            let message: Option<JobMessage> = serde_json::from_str(letter.job.get()).ok();
            letters.push(Letter {
                job: message.as_ref().map(|message| message.job.clone()),
                submitter: message.as_ref().map(|message| message.submitter.clone()),
                submitter_name: message
                    .as_ref()
                    .map(|message| message.submitter_name.clone())
                    .unwrap_or_default(),
                model: message.as_ref().map(|message| message.model.clone()),
                reason: letter.reason,
                deliveries: letter.deliveries,
                worker: letter.worker_name,
                at_ms: letter.at_ms,
                sequence: found.sequence,
                message: message.filter(|message| message.version == VERSION),
            });
        }
        Ok(letters)
    }
}

/// A lane and how much is in it.
#[derive(Clone, Debug)]
pub(crate) struct LaneState {
    pub(crate) key: LaneKey,
    /// Never delivered yet.
    pub(crate) waiting: u64,
    /// Delivered and not acknowledged: in work, or to be delivered once more.
    pub(crate) running: u64,
}

impl Shelves {
    /// The lanes that are not empty.
    pub(crate) async fn lanes(&self) -> Result<Vec<LaneState>, FarmError> {
        let mut infos = self.jobs.consumers();
        let mut lanes = Vec::new();
        while let Some(info) = infos.try_next().await.map_err(|error| wrong("list its queues", &error))? {
            let info: consumer::Info = info;
            let (waiting, running) = (info.num_pending, info.num_ack_pending as u64);
            if let Some(key) =
                self.names.read_lane(&info.config.filter_subject).filter(|_| waiting + running > 0)
            {
                lanes.push(LaneState { key, waiting, running });
            }
        }
        Ok(lanes)
    }

    /// The cards of the workers that live, by name.
    pub(crate) async fn cards(&self) -> Result<Vec<WorkerCard>, FarmError> {
        let mut keys = self.workers.keys().await.map_err(|error| wrong("list the workers", &error))?;
        let mut cards = Vec::new();
        while let Some(key) = keys.try_next().await.map_err(|error| wrong("list the workers", &error))? {
            let card = self.workers.get(&key).await.map_err(|error| wrong("list the workers", &error))?;
            let card = card.and_then(|card| serde_json::from_slice::<WorkerCard>(&card).ok());
            cards.extend(card.filter(|card| card.version == VERSION));
        }
        cards.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(cards)
    }

    async fn remove_letter(&self, sequence: u64) -> Result<(), FarmError> {
        self.dead
            .delete_message(sequence)
            .await
            .map(drop)
            .map_err(|error| wrong("remove a dead letter", &error))
    }
}

fn wrong(what: &str, error: &(dyn std::error::Error + 'static)) -> FarmError {
    FarmError::server(what, error)
}

async fn size(stream: &Stream) -> Result<(u64, u64), FarmError> {
    let info = stream.get_info().await.map_err(|error| wrong("say how much is there", &error))?;
    Ok((info.state.messages, info.state.bytes))
}

async fn shelf_bytes(shelf: &Shelf) -> Result<u64, FarmError> {
    let info = shelf.stream.get_info().await.map_err(|error| wrong("say how much is there", &error))?;
    Ok(info.state.bytes)
}
