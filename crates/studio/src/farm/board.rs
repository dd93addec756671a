//! The jobs that are on the farm, shared by the lane and the thread that hears from the farm.

use std::collections::HashMap;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::thread;

use tarim_farm::{Ended, FarmEvent, News, Token};
use tarim_render::Stage;

use crate::desk::Waker;
use crate::events::JobStage;
use crate::lock;
use crate::ticket::Ticket;

/// Jobs on the farm, and what is new of them.
#[derive(Default)]
pub(super) struct Board {
    pub(super) open: Mutex<HashMap<Token, Ticket>>,
    ended: Mutex<Vec<(Token, Ended)>>,
}

impl Board {
    /// Passes news on to the tickets for as long as the farm is connected.
    pub(super) fn listen(self: &Arc<Self>, events: Receiver<FarmEvent>, waker: Waker) {
        let board = Arc::clone(self);
        thread::spawn(move || {
            for event in events {
                match event {
                    FarmEvent::News { job, news } => board.hear(&job, news),
                    FarmEvent::Ended { job, ended } => {
                        lock(&board.ended).push((job, ended));
                        waker.wake();
                    }
                    FarmEvent::Connected | FarmEvent::Disconnected => waker.wake(),
                }
            }
        });
    }

    fn hear(&self, job: &Token, news: News) {
        let open = lock(&self.open);
        let Some(ticket) = open.get(job) else { return };
        match news {
            News::Stage(stage) => ticket.stage(match stage {
                Stage::LoadingModel => JobStage::LoadingModel,
                Stage::Encoding => JobStage::Encoding,
                Stage::Sampling => JobStage::Sampling,
                Stage::Decoding => JobStage::Decoding,
                _ => return,
            }),
            News::Step { step, steps, preview } => ticket.step(step, steps, preview),
            News::Begun { .. } | News::Again(_) | News::Warning(_) => {}
        }
    }

    /// The ends since the last call.
    pub(super) fn take_ended(&self) -> Vec<(Token, Ended)> {
        std::mem::take(&mut *lock(&self.ended))
    }

    pub(super) fn take(&self, job: &Token) -> Option<Ticket> {
        lock(&self.open).remove(job)
    }

    /// Everything that is open: it goes back to the queue when it is dropped.
    pub(super) fn take_all(&self) -> HashMap<Token, Ticket> {
        std::mem::take(&mut *lock(&self.open))
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.open).len()
    }
}
