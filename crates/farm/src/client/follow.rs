//! What comes from the farm: ends, which are kept there, and news, which are not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use futures_util::StreamExt;
use tarim_render::{Pixels, frame};

use super::{Arrived, Ended, FarmEvent, Inner, News, lock};
use crate::error::FarmError;
use crate::protocol::{DoneMessage, EventHeader, Token, VERSION};
use crate::shelves::Shelves;

/// How long a request for ends waits at the server.
const PULL: Duration = Duration::from_secs(20);
/// How many ends come with one request.
const ENDS: usize = 256;
/// How often what is awaited is compared with what is there.
const AUDIT: Duration = Duration::from_secs(20);
/// How long a job may be silent before it is looked for.
const SILENCE: Duration = Duration::from_secs(90);
/// How many are looked for at a time.
const LOOKUPS: usize = 100;
/// Pause after a connection that failed.
const PAUSE: Duration = Duration::from_millis(300);

/// Reads the ends of this submitter's jobs, from the first that is there, for as long as the farm is open.
pub(super) async fn ends(inner: Arc<Inner>) {
    let mut next = 1;
    loop {
        // The server restarts, the network comes and goes: what was not read yet is still there.
        if read_ends(&inner, &mut next).await.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn read_ends(inner: &Inner, next: &mut u64) -> Result<(), FarmError> {
    let wrong = |error: &(dyn std::error::Error + 'static)| FarmError::server("say how jobs ended", error);
    let config = pull::Config {
        filter_subject: inner.shelves.names.done_of(&inner.submitter),
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: *next },
        ack_policy: AckPolicy::None,
        inactive_threshold: Duration::from_mins(1),
        ..pull::Config::default()
    };
    let consumer = inner.shelves.done.create_consumer(config).await.map_err(|error| wrong(&error))?;
    if consumer.cached_info().num_pending == 0 {
        inner.caught_up.send_replace(true);
    }
    loop {
        let batch = consumer.batch().max_messages(ENDS).expires(PULL).heartbeat(PULL / 4).messages().await;
        let mut batch = batch.map_err(|error| wrong(&error))?;
        while let Some(message) = batch.next().await {
            let message = message.map_err(|error| FarmError::Server {
                what: "say how jobs ended".to_owned(),
                reason: error.to_string(),
            })?;
            let Ok((sequence, pending)) = message.info().map(|info| (info.stream_sequence, info.pending))
            else {
                continue;
            };
            if let Ok(done) = serde_json::from_slice::<DoneMessage>(&message.payload)
                && done.version == VERSION
            {
                inner.arrived(Arrived { sequence, done: Arc::new(done) }).await;
            }
            *next = sequence + 1;
            if pending == 0 {
                inner.caught_up.send_replace(true);
            }
        }
    }
}

/// Passes on what workers say about this submitter's jobs.
pub(super) async fn news(inner: Arc<Inner>) {
    let shelves = &inner.shelves;
    loop {
        let Ok(mut subscription) = shelves.client.subscribe(shelves.names.events_of(&inner.submitter)).await
        else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        while let Some(message) = subscription.next().await {
            let job = message.subject.rsplit('.').next().and_then(|job| Token::new(job).ok());
            if let (Some(job), Some(news)) = (job, read_news(&message.payload)) {
                let mut state = lock(&inner.state);
                if let Some(awaited) = state.awaited.get_mut(&job).filter(|awaited| awaited.arrived.is_none())
                {
                    awaited.heard = Instant::now();
                    state.tell(FarmEvent::News { job, news });
                }
            }
        }
    }
}

fn read_news(payload: &[u8]) -> Option<News> {
    let frame = frame::read(&mut &*payload).ok()??;
    Some(match serde_json::from_slice(&frame.header).ok()? {
        EventHeader::Begun { worker_name, delivery, .. } => News::Begun { worker: worker_name, delivery },
        EventHeader::Stage { stage } => News::Stage(stage),
        EventHeader::Progress { step, steps, preview } => {
            let preview = preview.and_then(|shape| Pixels::new(shape, frame.payload).ok());
            News::Step { step, steps, preview }
        }
        EventHeader::Again { failure } => News::Again(failure),
        EventHeader::Warning { message } => News::Warning(message),
        EventHeader::Unknown => return None,
    })
}

/// Now and then compares what is awaited with what is there, and sends again what is neither waiting nor ended: of a server
/// whose disk was replaced, or that lost its last writes in a power cut.
pub(super) async fn audit(inner: Arc<Inner>) {
    loop {
        tokio::time::sleep(AUDIT).await;
        // Where it fails, the next round does it.
        let _ = inner.renew_lanes().await;
        for (job, message) in inner.silent(SILENCE, LOOKUPS) {
            let _ = inner.look_for(&job, message).await;
        }
    }
}

impl Inner {
    /// Takes note of an end.
    pub(super) async fn arrived(&self, arrived: Arrived) {
        let job = arrived.done.job.clone();
        {
            let mut state = lock(&self.state);
            if !state.settled.contains(&job) {
                match state.awaited.get_mut(&job) {
                    Some(awaited) if awaited.arrived.is_none() => {
                        awaited.arrived = Some(arrived.clone());
                        state.tell(FarmEvent::Ended { job, ended: Ended::of(&arrived) });
                    }
                    Some(_) => {}
                    None => drop(state.unclaimed.insert(job, arrived)),
                }
                return;
            }
        }
        // Of a worker that came too late.
        let _ = self.remove(&arrived).await;
    }

    async fn look_for(
        &self,
        job: &Token,
        message: Option<crate::protocol::JobMessage>,
    ) -> Result<(), FarmError> {
        let names = &self.shelves.names;
        if let Some(found) = Shelves::last(&self.shelves.done, &names.done(&self.submitter, job)).await? {
            if let Ok(done) = serde_json::from_slice(&found.payload) {
                self.arrived(Arrived { sequence: found.sequence, done: Arc::new(done) }).await;
            }
            return Ok(());
        }
        let Some(message) = message else { return Ok(()) };
        let waiting = names.job(&message.lane(), job);
        if Shelves::last(&self.shelves.jobs, &waiting).await?.is_some() {
            return Ok(());
        }
        // It may have ended between the two looks.
        if Shelves::last(&self.shelves.done, &names.done(&self.submitter, job)).await?.is_none() {
            self.send(vec![message]).await?;
        }
        Ok(())
    }
}
