//! An attempt at jobs: the renderer's events, up to the last.

use std::path::PathBuf;
use std::thread::JoinHandle;

use tarim_render::{Failure, FailureCode, JobEvent, Outcome, Stage};

use super::device::DeviceLane;
use crate::desk::Desk;
use crate::error::{ErrorKind, Problem, StudioError};
use crate::events::JobStage;
use crate::lane::HeldModel;
use crate::ticket::{Finished, Ticket};

/// How the renderer's work ended.
pub(super) enum Ended {
    Finished,
    Cancelled,
    Failed(Failure),
}

enum Hash {
    Coming(JoinHandle<Option<String>>),
    Known(Option<String>),
}

/// Jobs under way.
pub(super) struct Attempt<'a> {
    desk: &'a Desk,
    lane: &'a DeviceLane,
    /// Those that have not ended, by their places, with the steps that they take.
    open: Vec<Option<(Ticket, Option<u32>)>>,
    device: String,
    hash: Hash,
    model: PathBuf,
}

impl<'a> Attempt<'a> {
    /// `hash` is the thread that computes the model's.
    pub(super) fn new(
        desk: &'a Desk,
        lane: &'a DeviceLane,
        tickets: Vec<Ticket>,
        device: String,
        hash: JoinHandle<Option<String>>,
        model: PathBuf,
    ) -> Self {
        let open = tickets.into_iter().map(|ticket| Some((ticket, None))).collect();
        Self { desk, lane, open, device, hash: Hash::Coming(hash), model }
    }

    /// Takes note of an event. The last one gives the end.
    pub(super) fn happened(&mut self, event: JobEvent) -> Option<Ended> {
        match event {
            JobEvent::Stage { stage, pictures } => self.stage(stage, &pictures),
            JobEvent::Progress { picture, step, steps, preview } => {
                if let Some(Some((ticket, of))) = self.open.get_mut(picture as usize) {
                    *of = Some(steps);
                    ticket.step(step, steps, preview);
                }
            }
            JobEvent::Picture { picture, pixels, timings, .. } => {
                if let Some((ticket, steps)) = self.take(picture) {
                    let mut recipe = ticket.recipe().clone();
                    if let Some(hash) = self.learn_hash() {
                        recipe.model.hash = Some(hash);
                    }
                    let device = self.device.clone();
                    ticket.deliver(Finished { recipe, pixels, timings, device, steps });
                }
            }
            JobEvent::PictureFailed { picture, failure } => {
                if let Some((ticket, _)) = self.take(picture) {
                    failed(self.desk, ticket, failure, true);
                }
            }
            JobEvent::Warning(message) => {
                if self.lane.core.said.first(&message) {
                    self.desk.notice(Problem { code: "renderer_warning".to_owned(), message, hint: None });
                }
            }
            JobEvent::Fewer(_) => {}
            JobEvent::Done(Outcome::Finished) => return Some(Ended::Finished),
            JobEvent::Done(Outcome::Cancelled) => return Some(Ended::Cancelled),
            JobEvent::Failed(failure) => return Some(Ended::Failed(failure)),
        }
        self.let_go();
        None
    }

    fn take(&mut self, picture: u32) -> Option<(Ticket, Option<u32>)> {
        self.open.get_mut(picture as usize)?.take()
    }

    fn stage(&self, stage: Stage, pictures: &[u32]) {
        let stage = match stage {
            Stage::LoadingModel => JobStage::LoadingModel,
            Stage::Encoding => JobStage::Encoding,
            Stage::Sampling => JobStage::Sampling,
            Stage::Decoding => JobStage::Decoding,
            _ => return,
        };
        for (index, (ticket, _)) in self.open.iter().enumerate().filter_map(|(i, t)| Some((i, t.as_ref()?))) {
            if pictures.is_empty() || pictures.contains(&(index as u32)) {
                ticket.stage(stage);
            }
        }
    }

    /// Those that were cancelled need not wait for the others. The last one waits for the renderer, which is not free
    /// before.
    fn let_go(&mut self) {
        let stopping =
            |place: &Option<(Ticket, Option<u32>)>| place.as_ref().and_then(|(ticket, _)| ticket.stopping());
        if self.open.iter().flatten().all(|(ticket, _)| ticket.stopping().is_some()) {
            return;
        }
        for place in &mut self.open {
            if let Some(stop) = stopping(place)
                && let Some((ticket, _)) = place.take()
            {
                ticket.stopped(stop);
            }
        }
    }

    /// Before the first picture is written: the model's hash goes into its recipe.
    fn learn_hash(&mut self) -> Option<String> {
        if let Hash::Coming(_) = &self.hash
            && let Hash::Coming(thread) = std::mem::replace(&mut self.hash, Hash::Known(None))
        {
            self.hash = Hash::Known(thread.join().ok().flatten());
        }
        match &self.hash {
            Hash::Known(hash) => hash.clone(),
            Hash::Coming(_) => None,
        }
    }

    /// Ends what is left, and says which model is in memory.
    pub(super) fn end(mut self, ended: Option<&Ended>) -> HeldModel {
        let alone = self.open.len() == 1;
        for (ticket, _) in std::mem::take(&mut self.open).into_iter().flatten() {
            // One that was to stop anyway has stopped.
            if let Some(stop) = ticket.stopping() {
                ticket.stopped(stop);
                continue;
            }
            match ended {
                Some(Ended::Finished) => {
                    let none = "the renderer finished without a picture";
                    ticket.fail(StudioError::new(ErrorKind::Internal, none));
                }
                // Asked by nobody here: it waits again.
                Some(Ended::Cancelled) => ticket.requeue(),
                Some(Ended::Failed(failure)) => failed(self.desk, ticket, failure.clone(), alone),
                None => {
                    let gone = StudioError::new(ErrorKind::Renderer, "the renderer is gone");
                    ticket.failed_once(gone.hint("try once more; `tarim doctor` tests the device"), alone);
                }
            }
        }
        let hash = self.learn_hash();
        HeldModel { path: self.model.clone(), hash }
    }
}

/// Ends a job that its renderer failed at.
pub(super) fn failed(desk: &Desk, ticket: Ticket, failure: Failure, alone: bool) {
    if let Some(stop) = ticket.stopping() {
        return ticket.stopped(stop);
    }
    match failure.code {
        // The process may have been ended from outside, or memory been short for a moment.
        FailureCode::Crashed | FailureCode::Stopped | FailureCode::OutOfMemory => {
            ticket.failed_once(failure.into(), alone);
        }
        FailureCode::Device => {
            ticket.requeue();
            desk.halt(Problem::of("device_missing", failure.into()));
        }
        // What is wrong with one of several may be the fault of their being together.
        FailureCode::Internal if !alone => ticket.failed_once(failure.into(), false),
        _ => ticket.fail(failure.into()),
    }
}
