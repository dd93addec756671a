//! Having jobs rendered: renderer, precision, model, initial pictures, and then an attempt at them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tarim_recipe::{Precision, Recipe};
use tarim_render::{
    DeviceInfo, Failure, FailureCode, Hello, JobEvent, Pixels, RenderError, Renderer, ToRender,
};

use super::attempt::{Attempt, Ended, failed};
use super::device::DeviceLane;
use crate::desk::Desk;
use crate::error::Problem;
use crate::lane::no_such_device;
use crate::live::Stop;
use crate::ticket::Ticket;

/// How often a renderer may end before it has said hello.
const STARTS: u32 = 3;
/// How soon a stop is noticed while the renderer starts.
const SOON: Duration = Duration::from_millis(50);

impl DeviceLane {
    /// Has jobs rendered, and ends their tickets.
    pub(super) fn render(&self, desk: &Desk, mut tickets: Vec<Ticket>) {
        let renderer = match self.slot.renderer() {
            Ok(renderer) => renderer,
            Err(error) => return halt(desk, tickets, Problem::of("renderer_missing", error.into())),
        };
        let hello = match Self::start(&renderer, &mut tickets) {
            Ok(Some(hello)) => hello,
            Ok(None) => return,
            Err(problem) => return halt(desk, tickets, problem),
        };
        self.slot.greeted(&hello);
        let Some(device) = hello.device(self.slot.device) else {
            let missing = no_such_device(self.slot.device, &hello);
            return halt(desk, tickets, Problem::of("device_missing", missing));
        };

        let (tickets, pictures) = self.prepared(tickets, device);
        let Some(first) = tickets.first() else { return };
        let model = first.model();
        let precision = first.recipe().precision;
        let size = first.recipe().size;
        let hash = self.hash(model.clone());
        let id = self.next_id();
        let count = tickets.len() as u32;
        let request = tarim_render::Job {
            id,
            pictures,
            model: model.clone(),
            device: device.id,
            together: count,
            preview_every: desk.preview_every(),
        };
        self.slot.reads(&model);
        let submitting = Arc::clone(&renderer);
        let mut tickets = tickets;
        let events = match patiently(&mut tickets, move || submitting.submit(request)) {
            Some(Ok(events)) => events,
            Some(Err(error)) => return self.failed(desk, tickets, &error.to_failure()),
            None => return,
        };
        for (index, ticket) in tickets.iter().enumerate() {
            let renderer = Arc::clone(&renderer);
            ticket.on_stop(move || renderer.cancel_picture(id, index as u32));
        }
        let mut attempt = Attempt::new(desk, self, tickets, device.id.to_string(), hash, model.clone());
        let ended = events.iter().find_map(|event| match event {
            JobEvent::Fewer(together) => {
                self.learn(model.clone(), precision, |limit| {
                    limit.ran_out(together * 2, size);
                });
                None
            }
            event => attempt.happened(event),
        });
        let (failed, out_of_memory) = match &ended {
            Some(Ended::Failed(failure)) => (true, failure.code == FailureCode::OutOfMemory),
            other => (other.is_none(), false),
        };
        if out_of_memory && count > 1 {
            self.learn(model, precision, |limit| {
                limit.ran_out(count, size);
            });
        }
        if out_of_memory {
            // All of it is given back, before anybody hears of it: nobody knows what holds it.
            self.slot.kill();
            attempt.end(ended.as_ref());
        } else {
            let held = attempt.end(ended.as_ref());
            self.slot.used((!failed).then_some(held));
        }
    }

    /// Starts the renderer, unless it runs. `None` when all jobs were to stop meanwhile.
    fn start(renderer: &Arc<dyn Renderer>, tickets: &mut Vec<Ticket>) -> Result<Option<Hello>, Problem> {
        let mut tries = 0;
        loop {
            tries += 1;
            let starting = Arc::clone(renderer);
            let error = match patiently(tickets, move || starting.start()) {
                Some(Ok(hello)) => return Ok(Some(hello)),
                Some(Err(error)) => error,
                None => return Ok(None),
            };
            let passing = matches!(
                error,
                RenderError::NoAnswer { .. } | RenderError::Ended { .. } | RenderError::Spawn { .. }
            );
            if passing && tries < STARTS {
                continue;
            }
            let code = match error {
                RenderError::ProgramMissing { .. } | RenderError::Refused(_) => "renderer_missing",
                RenderError::LibtorchMissing { .. } => "libtorch_missing",
                RenderError::LibtorchMismatch { .. } => "libtorch_mismatch",
                _ => "renderer_broken",
            };
            return Err(Problem::of(code, error.into()));
        }
    }

    /// The jobs that can be rendered now, with their recipes whole, also in the queue.
    fn prepared(&self, tickets: Vec<Ticket>, device: &DeviceInfo) -> (Vec<Ticket>, Vec<ToRender>) {
        let chosen = self.core.settings.get().precision;
        let (mut ready, mut pictures): (Vec<Ticket>, Vec<ToRender>) = (Vec::new(), Vec::new());
        let mut known: Vec<Arc<Pixels>> = Vec::new();
        for mut ticket in tickets {
            if let Some(stop) = ticket.stopping() {
                ticket.stopped(stop);
                continue;
            }
            let recipe = Recipe { precision: precision(&ticket, device, chosen), ..ticket.recipe().clone() };
            // Of those that were to be rendered together, one in another precision is for the next time.
            if pictures.first().is_some_and(|first| first.recipe.precision != recipe.precision) {
                ticket.requeue();
                continue;
            }
            if let Err(stop) = ticket.set_recipe(recipe.clone()) {
                ticket.stopped(stop);
                continue;
            }
            ticket.expect_on(&device.id.to_string());
            match ticket.inputs() {
                Ok((init, mask)) => {
                    let init = init.map(|pixels| shared(&mut known, pixels));
                    let mask = mask.map(|pixels| shared(&mut known, pixels));
                    pictures.push(ToRender { recipe, init, mask });
                    ready.push(ticket);
                }
                Err(error) => ticket.fail(error),
            }
        }
        (ready, pictures)
    }

    /// Begins to compute the model's hash: for one of some gigabytes that takes seconds, which rendering need not wait
    /// for. It is known already unless the model is new or was changed.
    fn hash(&self, path: PathBuf) -> JoinHandle<Option<String>> {
        let core = Arc::clone(&self.core);
        thread::spawn(move || core.models.hash(&path).ok())
    }

    /// Ends jobs that the renderer did not even take.
    fn failed(&self, desk: &Desk, tickets: Vec<Ticket>, failure: &Failure) {
        self.slot.used(None);
        let alone = tickets.len() == 1;
        for ticket in tickets {
            failed(desk, ticket, failure.clone(), alone);
        }
    }
}

/// One picture that several start from is sent once.
fn shared(known: &mut Vec<Arc<Pixels>>, pixels: Pixels) -> Arc<Pixels> {
    if let Some(same) = known.iter().find(|known| ***known == pixels) {
        return Arc::clone(same);
    }
    let pixels = Arc::new(pixels);
    known.push(Arc::clone(&pixels));
    pixels
}

/// What the recipe says, unless the device was to choose and was not known when it was submitted.
fn precision(ticket: &Ticket, device: &DeviceInfo, chosen: Option<Precision>) -> Precision {
    let precision = ticket.recipe().precision;
    if precision == Precision::Fp32 && ticket.precision_is_open() {
        return chosen.unwrap_or(device.preferred_precision);
    }
    precision
}

/// Runs what may take long and cannot be interrupted. Jobs that are to stop meanwhile do; when none is left, `None`, and
/// the work is left alone to end by itself.
fn patiently<T: Send + 'static>(
    tickets: &mut Vec<Ticket>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || drop(sender.send(work())));
    loop {
        match receiver.recv_timeout(SOON) {
            Ok(value) => return Some(value),
            Err(RecvTimeoutError::Timeout) => {}
            // It panicked; nothing will come any more.
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        if tickets.iter().all(|ticket| ticket.stopping().is_some()) {
            tickets.drain(..).for_each(|ticket| {
                let stop = ticket.stopping().unwrap_or(Stop::Requeue);
                ticket.stopped(stop);
            });
            return None;
        }
    }
}

/// Puts jobs back, and begins nothing new until somebody does something about the problem.
fn halt(desk: &Desk, tickets: Vec<Ticket>, problem: Problem) {
    tickets.into_iter().for_each(Ticket::requeue);
    desk.halt(problem);
}
