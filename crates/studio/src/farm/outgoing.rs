//! Jobs on their way out: which the farm can draw, and what has to be there for it.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use tarim_checkpoint::{Checkpoint, Layout};
use tarim_farm::{FarmError, Priority, Submission, Token, model_files};
use tarim_library::Fit;
use tarim_recipe::Precision;

use super::lane::{LOOK, Link, Work};
use crate::desk::{Claimed, Desk, Wish};
use crate::error::{Problem, StudioError};
use crate::lock;
use crate::ticket::Ticket;

impl Work<'_> {
    /// Claims as many jobs as there is room for, and hands them over.
    pub(super) fn hand_over(&mut self) {
        let Some(link) = &self.link else { return };
        let window = match link.settings.window {
            0 => link.workers * 2,
            window => window as usize,
        };
        let room = window.saturating_sub(self.board.len());
        let full = link.full_until.is_some_and(|until| Instant::now() < until);
        if room == 0 || link.workers == 0 || full {
            return;
        }
        let mut fits = |chosen: &[tarim_library::Job], _: &tarim_library::Job| {
            if chosen.len() < room { Fit::Yes } else { Fit::Full }
        };
        let wish = Wish { model: None, model_path: None, avoid: &self.avoid, fits: &mut fits };
        let Claimed::Jobs(tickets) = self.desk.claim(wish) else { return };
        let mut going = Vec::new();
        for ticket in tickets {
            going.extend(self.prepare(ticket));
        }
        self.send(going);
    }

    fn send(&mut self, going: Vec<(Box<Ticket>, Submission)>) {
        if going.is_empty() {
            return;
        }
        let Some(link) = &mut self.link else { return };
        let mut submissions = Vec::new();
        for (ticket, submission) in going {
            let waker = self.desk.waker();
            ticket.on_stop(move || waker.wake());
            lock(&self.board.open).insert(submission.job.clone(), *ticket);
            submissions.push(submission);
        }
        let Err(error) = link.farm.submit(&submissions) else { return };
        link.full_until = Some(Instant::now() + 2 * LOOK);
        for submission in submissions {
            // Dropped, it goes back to the queue.
            drop(self.board.take(&submission.job));
            self.withdrawn.push(submission.job);
        }
        self.desk.notice(Problem::of(error.code(), error.into()));
    }

    /// Makes a submission of a job, if the farm can draw it.
    fn prepare(&mut self, mut ticket: Ticket) -> Option<(Box<Ticket>, Submission)> {
        let Some(link) = &self.link else { return None };
        let path = ticket.model();
        let mut recipe = ticket.recipe().clone();
        if recipe.model.hash.is_none() {
            recipe.model.hash = self.desk.core().models.hash(&path).ok();
        }
        let model = recipe.model.hash.clone().and_then(|hash| Token::new(hash).ok());
        let known = model.as_ref().is_some_and(|model| {
            link.models.contains(model) || link.fetchers && lock(&link.shared).get(model) == Some(&true)
        });
        let Some(model) = model.filter(|_| known) else {
            if let Some(model) = recipe.model.hash.and_then(|hash| Token::new(hash).ok())
                && link.settings.share_models
                && link.fetchers
            {
                share(link, model, &path, self.desk);
            }
            let path = path.to_string_lossy().into_owned();
            if !self.avoid.contains(&path) {
                self.avoid.push(path);
            }
            ticket.requeue();
            return None;
        };
        recipe.model.hash = Some(model.to_string());
        if let Err(stop) = ticket.set_recipe(recipe.clone()) {
            ticket.stopped(stop);
            return None;
        }
        let (init, mask) = match ticket.inputs() {
            Ok((init, mask)) => (init.map(Arc::new), mask.map(Arc::new)),
            Err(error) => {
                ticket.fail(error);
                return None;
            }
        };
        let job = match Token::new(ticket.job().id.to_string()) {
            Ok(job) => job,
            Err(error) => {
                ticket.fail(StudioError::from(FarmError::from(error)));
                return None;
            }
        };
        let open = recipe.precision == Precision::Fp32
            && self.desk.settings().precision.is_none()
            && ticket.precision_is_open();
        let submission = Submission {
            init,
            mask,
            any_precision: open,
            priority: match ticket.job().priority {
                1.. => Priority::High,
                0 => Priority::Normal,
                _ => Priority::Low,
            },
            preview_every: self.desk.preview_every(),
            ..Submission::new(job, recipe)
        };
        Some((Box::new(ticket), submission))
    }
}

/// Puts a model on the farm, once, on a thread of its own.
fn share(link: &Link, model: Token, path: &Path, desk: &Desk) {
    if lock(&link.shared).insert(model.clone(), false).is_some() {
        return;
    }
    let (farm, shared, waker, path) =
        (Arc::clone(&link.farm), Arc::clone(&link.shared), desk.waker(), path.to_owned());
    thread::spawn(move || {
        let sent = Checkpoint::open(&path).is_ok_and(|checkpoint| {
            let files = model_files(&path, checkpoint.files().iter().map(AsRef::as_ref));
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let folder = checkpoint.layout() == Layout::DiffusersFolder;
            farm.share_model(&model, &name, folder, &files, &mut |_, _| true).unwrap_or(false)
        });
        if sent {
            lock(&shared).insert(model, true);
        } else {
            lock(&shared).remove(&model);
        }
        waker.wake();
    });
}
