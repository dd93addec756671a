//! What the farm keeps on the server: streams, buckets and stores, found or made, and how things are put there.

use std::collections::HashMap;
use std::future::Future;
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::object_store::{self, ObjectStore};
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType, Stream};
use async_nats::jetstream::{self, kv};
use bytes::Bytes;

use crate::connection::Connection;
use crate::error::{FarmError, words};
use crate::protocol::{LaneKey, Names};

/// Where the stream of jobs remembers how long a silent worker keeps a job.
const ACK_WAIT_KEY: &str = "tarim-ack-wait-ms";
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
/// How long the server remembers ids of what it took, besides what it still holds.
const REMEMBERED: Duration = Duration::from_hours(1);

/// How a farm is made on a server that has none yet. One that is there stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FarmOptions {
    /// After how long a silence of its worker a job goes to another one.
    pub ack_wait: Duration,
    /// How long jobs wait for a worker, and results for their submitter.
    pub keep: Duration,
    /// How long a worker is listed after it fell silent.
    pub worker_ttl: Duration,
    /// The most bytes of jobs; the server's own limits apply in any case.
    pub jobs_bytes: Option<u64>,
    /// The most bytes of finished pictures that wait.
    pub pictures_bytes: Option<u64>,
    /// How long an interrupted connection is waited for before an operation fails.
    pub patience: Duration,
}

impl Default for FarmOptions {
    fn default() -> Self {
        Self {
            ack_wait: Duration::from_secs(30),
            keep: 7 * DAY,
            worker_ttl: Duration::from_secs(30),
            jobs_bytes: None,
            pictures_bytes: None,
            patience: Duration::from_secs(30),
        }
    }
}

/// An object store and the stream beneath it.
pub(crate) struct Shelf {
    pub(crate) name: String,
    pub(crate) store: ObjectStore,
    pub(crate) stream: Stream<()>,
}

/// Everything on the server, open.
pub(crate) struct Shelves {
    pub(crate) names: Names,
    pub(crate) client: async_nats::Client,
    pub(crate) jobs: Stream,
    pub(crate) done: Stream,
    pub(crate) dead: Stream,
    pub(crate) workers: kv::Store,
    pub(crate) inputs: Shelf,
    pub(crate) pictures: Shelf,
    pub(crate) models: Shelf,
    pub(crate) ack_wait: Duration,
    pub(crate) keep: Duration,
    pub(crate) patience: Duration,
    js: jetstream::Context,
}

/// Whether something was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is there now.
    New,
    /// Something was there already, or was not long ago.
    Known,
}

impl Shelves {
    /// Connects, and makes what is missing.
    pub(crate) async fn open(
        connection: &Connection,
        options: &FarmOptions,
        heard: impl Fn(bool) + Send + Sync + 'static,
    ) -> Result<Self, FarmError> {
        let names = Names::new(connection.namespace()?);
        let client = connection.open(heard).await?;
        let mut js = jetstream::new(client.clone());
        js.set_timeout(Duration::from_secs(5));
        if let Err(error) = js.query_account().await {
            let text = words(&error).to_lowercase();
            if text.contains("unavailable")
                || text.contains("no responders")
                || text.contains("not enabled")
                || text.contains("503")
            {
                return Err(FarmError::NoJetStream { url: connection.shown() });
            }
            return Err(FarmError::server("answer about its storage", &error));
        }
        let base = |name: String, subjects: String| stream::Config {
            name,
            subjects: vec![subjects],
            storage: StorageType::File,
            discard: DiscardPolicy::New,
            max_messages_per_subject: 1,
            max_age: options.keep,
            duplicate_window: REMEMBERED.min(options.keep),
            allow_direct: true,
            ..stream::Config::default()
        };
        let jobs = stream::Config {
            retention: RetentionPolicy::WorkQueue,
            discard_new_per_subject: true,
            max_bytes: limit(options.jobs_bytes),
            metadata: HashMap::from([(ACK_WAIT_KEY.to_owned(), options.ack_wait.as_millis().to_string())]),
            ..base(names.jobs_stream(), names.all_jobs())
        };
        let done =
            stream::Config { discard_new_per_subject: true, ..base(names.done_stream(), names.all_done()) };
        let dead = stream::Config {
            max_age: options.keep.saturating_mul(4),
            discard: DiscardPolicy::Old,
            ..base(names.dead_stream(), names.all_dead())
        };
        let jobs = made(&js, jobs).await?;
        let ack_wait =
            jobs.cached_info().config.metadata.get(ACK_WAIT_KEY).and_then(|text| text.parse().ok());
        let ack_wait = ack_wait.map_or(options.ack_wait, Duration::from_millis);
        let keep = jobs.cached_info().config.max_age;
        let pictures = limit(options.pictures_bytes);
        Ok(Self {
            ack_wait,
            keep,
            patience: options.patience,
            jobs,
            done: made(&js, done).await?,
            dead: made(&js, dead).await?,
            workers: bucket(&js, names.workers_bucket(), options.worker_ttl).await?,
            inputs: shelf(&js, names.inputs_store(), options.keep, -1).await?,
            pictures: shelf(&js, names.pictures_store(), options.keep, pictures).await?,
            models: shelf(&js, names.models_store(), options.keep.saturating_mul(4), -1).await?,
            names,
            client,
            js,
        })
    }

    /// Makes sure that a lane has its consumer.
    pub(crate) async fn lane(&self, lane: &LaneKey) -> Result<PullConsumer, FarmError> {
        let name = self.names.consumer(lane);
        let config = pull::Config {
            durable_name: Some(name.clone()),
            filter_subject: self.names.lane(lane),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.ack_wait,
            // Jobs are given up by workers, who say so; the server would only let them lie.
            max_deliver: -1,
            max_ack_pending: -1,
            // Outlives the jobs in it.
            inactive_threshold: self.keep.saturating_add(DAY),
            ..pull::Config::default()
        };
        let made = self.jobs.get_or_create_consumer(&name, config).await;
        made.map_err(|error| FarmError::server("make a queue for the jobs", &error))
    }

    /// Puts a message where none may be yet. The id makes trying again harmless.
    pub(crate) async fn put_once(
        &self,
        what: &str,
        subject: &str,
        id: &str,
        payload: Vec<u8>,
    ) -> Result<Put, FarmError> {
        let payload = Bytes::from(payload);
        self.patiently(&format!("store {what}"), || async {
            let message = PublishMessage::build()
                .payload(payload.clone())
                .message_id(id)
                .expected_last_subject_sequence(0);
            let sent = self.js.send_publish(subject.to_owned(), message).await;
            let acked = match sent {
                Ok(ack) => ack.await,
                Err(error) => Err(error),
            };
            match acked {
                Ok(ack) if ack.duplicate => Ok(Put::Known),
                Ok(_) => Ok(Put::New),
                Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(Put::Known),
                Err(error) if words(&error).contains("maximum messages per subject exceeded") => {
                    Ok(Put::Known)
                }
                Err(error) => Err(FarmError::server(format!("store {what}"), &error)),
            }
        })
        .await
    }

    /// Puts a message in place of whatever was there.
    pub(crate) async fn put(&self, what: &str, subject: &str, payload: Vec<u8>) -> Result<(), FarmError> {
        let payload = Bytes::from(payload);
        self.patiently(&format!("store {what}"), || async {
            let wrong = |error| FarmError::server(format!("store {what}"), &error);
            self.js
                .publish(subject.to_owned(), payload.clone())
                .await
                .map_err(wrong)?
                .await
                .map_err(wrong)?;
            Ok(())
        })
        .await
    }

    /// Tells whoever listens; nobody minds when nobody does.
    pub(crate) async fn tell(&self, subject: String, payload: Vec<u8>) {
        let _ = self.client.publish(subject, payload.into()).await;
    }

    /// Tries until it works, fails for good, or patience ends.
    pub(crate) async fn patiently<T, F: Future<Output = Result<T, FarmError>>>(
        &self,
        what: &str,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, FarmError> {
        let began = Instant::now();
        let mut tries = 0;
        loop {
            tries += 1;
            match attempt().await {
                Err(error) if error.is_passing() => {
                    if began.elapsed() > self.patience {
                        return Err(FarmError::Lost { what: what.to_owned(), tries });
                    }
                    tokio::time::sleep(Duration::from_millis(100 << tries.min(5))).await;
                }
                end => return end,
            }
        }
    }

    /// The message of a subject, where there is one.
    pub(crate) async fn last(stream: &Stream, subject: &str) -> Result<Option<StreamMessage>, FarmError> {
        match stream.get_last_raw_message_by_subject(subject).await {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.kind() == stream::LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(FarmError::server("look something up", &error)),
        }
    }
}

fn limit(bytes: Option<u64>) -> i64 {
    bytes.and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(-1)
}

/// Finds a stream or makes it. Two programs that come first at once may both find none; the second then takes the first's.
async fn made(js: &jetstream::Context, config: stream::Config) -> Result<Stream, FarmError> {
    let made = match js.get_or_create_stream(config.clone()).await {
        Err(error) if words(&error).contains("already in use") => js.get_or_create_stream(config).await,
        made => made,
    };
    made.map_err(|error| FarmError::server("make the farm's streams", &error))
}

async fn bucket(js: &jetstream::Context, name: String, ttl: Duration) -> Result<kv::Store, FarmError> {
    if let Ok(store) = js.get_key_value(&name).await {
        return Ok(store);
    }
    let config = kv::Config { bucket: name.clone(), history: 1, max_age: ttl, ..kv::Config::default() };
    match js.create_key_value(config).await {
        Ok(store) => Ok(store),
        Err(error) => {
            js.get_key_value(&name).await.map_err(|_| FarmError::server("make the list of workers", &error))
        }
    }
}

async fn shelf(js: &jetstream::Context, name: String, keep: Duration, max: i64) -> Result<Shelf, FarmError> {
    let wrong =
        |error: &(dyn std::error::Error + 'static)| FarmError::server("make the farm's stores", error);
    let store = if let Ok(store) = js.get_object_store(&name).await {
        store
    } else {
        let config = object_store::Config {
            bucket: name.clone(),
            max_age: keep.max(MINUTE),
            max_bytes: max,
            ..object_store::Config::default()
        };
        match js.create_object_store(config).await {
            Ok(store) => store,
            Err(error) => js.get_object_store(&name).await.map_err(|_| wrong(&error))?,
        }
    };
    let stream = js.get_stream_no_info(format!("OBJ_{name}")).await.map_err(|error| wrong(&error))?;
    Ok(Shelf { name, store, stream })
}
