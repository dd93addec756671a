//! Waiting for a run: its pictures, progress, and how it ended.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tarim_api::StudioEvent;
use tarim_api::wire::gallery::PictureDetail;
use tarim_api::wire::queue::Queue;
use tarim_api::wire::sets::{Batch, BatchDetail, BatchPictures, BatchState, Hold, PageBatch};
use tarim_api::wire::{Empty, Id};

use super::super::Door;
use super::moment::words;
use crate::failure::{Exit, Failure, Result};
use crate::output;

/// How often a run is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// How often the queue is looked at while nothing happens.
const LOOK_AT_QUEUE: Duration = Duration::from_secs(2);
/// How many finished pictures are asked for at once.
const PAGE: u32 = 1000;
/// Pictures that may finish between two questions without being missed.
const MARGIN: u32 = 50;

/// Counts Ctrl-C: the first is to stop, the second ends at once.
#[derive(Clone)]
pub(in super::super) struct Interrupt(Arc<AtomicU32>);

impl Interrupt {
    pub(in super::super) fn install() -> Result<Self> {
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        ctrlc::set_handler(move || {
            if count.fetch_add(1, Ordering::Relaxed) > 0 {
                std::process::exit(Exit::Cancelled.code().into());
            }
            output::note("stopping; the pictures in work are begun again later (Ctrl-C again ends at once)");
        })
        .map_err(|error| {
            Failure::from_error(Exit::Failure, &error).context("Ctrl-C cannot be listened to")
        })?;
        Ok(Self(asked))
    }

    fn happened(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// Why nobody waits any more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Finished,
    Held(Hold),
    QueuePaused,
    Interrupted,
}

/// How it is told.
#[derive(Clone, Copy)]
pub(in super::super) struct Telling {
    pub(in super::super) json: bool,
    /// Whether a person looks at stderr.
    pub(in super::super) terminal: bool,
    /// The command that goes on, where it is not `batch resume`.
    pub(in super::super) go_on: Option<&'static str>,
}

struct Follow<'a> {
    door: &'a Door,
    id: String,
    telling: Telling,
    bar: Option<ProgressBar>,
    /// Pictures that were told, or were there before.
    seen: HashSet<String>,
    told: u32,
    failures: HashMap<String, u32>,
    last: Option<Batch>,
    hold: Option<Hold>,
    looked: Option<Instant>,
    looked_at_queue: Instant,
}

/// Waits for the end of a run. An error says that not all is done and how to go on.
pub(in super::super) fn follow(
    door: &Door,
    batch: &Batch,
    interrupt: &Interrupt,
    telling: Telling,
) -> Result<BatchDetail> {
    let bar = (telling.terminal && !telling.json).then(|| {
        let bar = ProgressBar::new(batch.pictures.into());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_secs(1));
        bar
    });
    let mut follow = Follow {
        door,
        id: batch.id.clone(),
        telling,
        bar,
        seen: HashSet::new(),
        told: batch.done,
        failures: HashMap::new(),
        last: None,
        hold: None,
        looked: None,
        looked_at_queue: Instant::now(),
    };
    if batch.done > 0 {
        follow.seen.extend(follow.page(0, PAGE)?.pictures.into_iter().map(|picture| picture.id));
    }
    for failure in follow.detail()?.failures {
        follow.failures.insert(failure.error.message, failure.count);
    }
    let ended: Result<End> = door.follow(|_, event| {
        if let Some(StudioEvent::Notice(problem)) = &event {
            follow.quietly(|| output::warning(&output::printable(&problem.message)));
        }
        follow.look(interrupt).transpose()
    })?;
    if let Some(bar) = &follow.bar {
        bar.finish_and_clear();
    }
    let end = ended?;
    let detail = follow.detail()?;
    if telling.json {
        output::json_line(&json!({ "event": "end", "run": detail.batch, "failures": detail.failures }));
    }
    outcome(&detail, end, telling.go_on)?;
    Ok(detail)
}

impl Follow<'_> {
    fn detail(&self) -> Result<BatchDetail> {
        self.door.ask("get_batch", &Id { id: self.id.clone() })
    }

    fn page(&self, offset: u32, limit: u32) -> Result<BatchPictures> {
        self.door.ask("page_batch", &PageBatch { id: self.id.clone(), offset, limit })
    }

    fn quietly(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn look(&mut self, interrupt: &Interrupt) -> Result<Option<End>> {
        if interrupt.happened() {
            return Ok(Some(End::Interrupted));
        }
        if self.looked.is_some_and(|at| at.elapsed() < LOOK) {
            return Ok(None);
        }
        let detail = self.detail()?;
        self.tell_pictures(&detail.batch)?;
        self.tell_failures(&detail);
        self.tell_progress(&detail.batch);
        self.looked = Some(Instant::now());
        let batch = detail.batch;
        match (batch.state, batch.hold) {
            (BatchState::Finished, _) => return Ok(Some(End::Finished)),
            (BatchState::Held, Some(hold @ (Hold::Time | Hold::Paused))) => return Ok(Some(End::Held(hold))),
            (BatchState::Held, Some(hold)) if self.hold != Some(hold) => {
                self.quietly(|| output::note(&format!("waiting: {}", reason(hold))));
                self.hold = Some(hold);
            }
            (BatchState::Held, _) => {}
            (BatchState::Waiting, _) => {
                self.hold = None;
                if self.looked_at_queue.elapsed() >= LOOK_AT_QUEUE {
                    self.looked_at_queue = Instant::now();
                    let queue: Queue = self.door.ask("get_queue", &Empty {})?;
                    if queue.paused && queue.running.is_empty() {
                        return Ok(Some(End::QueuePaused));
                    }
                }
            }
            _ => self.hold = None,
        }
        Ok(None)
    }

    fn tell_pictures(&mut self, batch: &Batch) -> Result<()> {
        let mut new = Vec::new();
        let wanted = batch.done.saturating_sub(self.told);
        if wanted == 0 {
            return Ok(());
        }
        let most = wanted + MARGIN;
        let mut offset = 0;
        while offset < most {
            let page = self.page(offset, PAGE.min(most - offset))?.pictures;
            if page.is_empty() {
                break;
            }
            offset += page.len() as u32;
            new.extend(page.into_iter().filter(|picture| self.seen.insert(picture.id.clone())));
        }
        self.told += new.len() as u32;
        for picture in new.into_iter().rev() {
            // It may be in the trash or gone by now.
            let Ok(detail) = self.door.ask::<_, PictureDetail>("get_picture", &Id { id: picture.id.clone() })
            else {
                continue;
            };
            if self.telling.json {
                output::json_line(&json!({
                    "event": "picture", "id": picture.id, "row": picture.row, "number": picture.number,
                    "file": detail.file,
                }));
            } else {
                self.quietly(|| output::line(&detail.file));
            }
        }
        Ok(())
    }

    fn tell_failures(&mut self, detail: &BatchDetail) {
        for failure in &detail.failures {
            let message = &failure.error.message;
            let before = self.failures.get(message).copied().unwrap_or(0);
            if failure.count > before {
                let new = failure.count - before;
                let text = format!("{} failed: {}", pictures(new), output::printable(message));
                self.quietly(|| output::warning(&text));
            }
            self.failures.insert(message.clone(), failure.count);
        }
    }

    fn tell_progress(&mut self, batch: &Batch) {
        let over = batch.done + batch.failed + batch.cancelled;
        if let Some(bar) = &self.bar {
            bar.set_length(batch.pictures.into());
            bar.set_position(over.into());
            let mut message = Vec::new();
            message.extend(batch.per_minute.map(|rate| format!("{rate:.1} a minute")));
            message.extend(batch.seconds_left.map(|left| format!("{} left", words(left))));
            message.extend((batch.failed > 0).then(|| format!("{} failed", batch.failed)));
            message.extend(batch.hold.map(|hold| reason(hold).to_owned()));
            bar.set_message(message.join(", "));
        } else if self.telling.json && self.last.as_ref() != Some(batch) {
            output::json_line(&json!({ "event": "progress", "run": batch }));
        }
        self.last = Some(batch.clone());
    }
}

pub(super) fn reason(hold: Hold) -> &'static str {
    match hold {
        Hold::Paused => "the run is paused",
        Hold::Time => "the time to finish by is over",
        Hold::Battery => "the machine runs on its battery",
        Hold::InUse => "somebody works at the machine",
    }
}

pub(super) fn pictures(count: u32) -> String {
    if count == 1 { "1 picture".to_owned() } else { format!("{count} pictures") }
}

/// An error unless everything is done.
fn outcome(detail: &BatchDetail, end: End, go_on: Option<&str>) -> Result<()> {
    let batch = &detail.batch;
    let left = batch.waiting + batch.running;
    let go_on = go_on.map_or_else(|| format!("`tarim batch resume {}`", batch.id), str::to_owned);
    let done = format!("{} of {} are done", batch.done, pictures(batch.pictures));
    match end {
        End::Interrupted if left > 0 => {
            let message = format!("stopped: {done}; {go_on} goes on");
            Err(Failure::new(Exit::Cancelled, message))
        }
        End::Held(hold) => {
            Err(Failure::new(Exit::Failure, format!("{}; {done}", reason(hold)))
                .hint(format!("{go_on} goes on")))
        }
        End::QueuePaused => Err(Failure::new(Exit::Failure, format!("the queue is paused; {done}"))
            .hint(format!("`tarim queue resume` opens it, {go_on} goes on"))),
        End::Finished | End::Interrupted => finished(detail),
    }
}

/// An error if pictures failed or were cancelled.
pub(super) fn finished(detail: &BatchDetail) -> Result<()> {
    let batch = &detail.batch;
    let of = format!("of {}", pictures(batch.pictures));
    let message = match (batch.failed, batch.cancelled) {
        (0, 0) => return Ok(()),
        (0, cancelled) => format!("{cancelled} {of} were cancelled"),
        (failed, 0) => format!("{failed} {of} failed"),
        (failed, cancelled) => format!("{failed} {of} failed, {cancelled} were cancelled"),
    };
    Err(Failure::new(Exit::Failure, message).hint(format!(
        "`tarim batch status {}` says why, `tarim batch resume {} --retry` draws them again",
        batch.id, batch.id
    )))
}
