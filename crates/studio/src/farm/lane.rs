//! The lane: hands jobs over, takes pictures in, and takes jobs back when the farm cannot have them.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tarim_farm::{Collected, Ended, Farm, FarmError, Token};
use tarim_library::{Id, Library, State};

use super::board::Board;
use super::{FarmSettings, connect};
use crate::desk::{Desk, Lane};
use crate::error::Problem;
use crate::live::Stop;
use crate::lock;
use crate::ticket::Finished;

/// How often the workers are looked at.
pub(super) const LOOK: Duration = Duration::from_secs(5);
/// How often what is left over on the farm is swept up.
const SWEEP: Duration = Duration::from_mins(1);
/// The least and the longest pause before a farm that cannot be reached is tried again.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_mins(1)];
/// How often the lane looks around without being woken.
const TURN: Duration = Duration::from_secs(1);
/// The same while pictures are being saved.
const SAVING: Duration = Duration::from_millis(100);
/// The file in the library's own folder that holds the library's name on farms.
const NAME_FILE: &str = ".tarim/farm-id";

/// The farm's lane. It sleeps while the settings have the farm switched off.
#[derive(Default)]
pub struct FarmLane;

impl Lane for FarmLane {
    fn name(&self) -> String {
        "farm".to_owned()
    }

    fn run(&self, desk: &Desk) {
        let mut work = Work::new(desk);
        while !desk.leaving() {
            let limit = work.turn();
            desk.wait(Some(limit));
        }
        // What is on the farm is drawn all the same, and found there by the next start. Here it waits again.
        drop(work.board.take_all());
    }
}

/// A connected farm.
pub(super) struct Link {
    pub(super) farm: Arc<Farm>,
    pub(super) settings: FarmSettings,
    lost: Option<Instant>,
    looked: Option<Instant>,
    swept: Instant,
    pub(super) workers: usize,
    /// Since when there is no worker.
    alone: Option<Instant>,
    /// Models that a worker has, or would fetch.
    pub(super) models: HashSet<Token>,
    pub(super) fetchers: bool,
    pub(super) shared: Arc<Mutex<HashMap<Token, bool>>>,
    pub(super) full_until: Option<Instant>,
}

pub(super) struct Work<'a> {
    pub(super) desk: &'a Desk,
    pub(super) board: Arc<Board>,
    pub(super) link: Option<Link>,
    next_try: Option<Instant>,
    pause: Duration,
    /// Pictures handed over to be saved; they stay on the farm until they are.
    delivered: Vec<(Token, Id, Arc<Library>)>,
    /// Jobs to be taken off the farm as soon as it is there.
    pub(super) withdrawn: Vec<Token>,
    /// Where models lie that the farm cannot use.
    pub(super) avoid: Vec<String>,
}

impl<'a> Work<'a> {
    fn new(desk: &'a Desk) -> Self {
        Self {
            desk,
            board: Arc::default(),
            link: None,
            next_try: None,
            pause: PAUSES[0],
            delivered: Vec::new(),
            withdrawn: Vec::new(),
            avoid: Vec::new(),
        }
    }

    /// Does what there is to do, and says for how long there is nothing.
    fn turn(&mut self) -> Duration {
        let settings = self.desk.settings().farm;
        if self.link.as_ref().is_some_and(|link| !settings.on || link.settings != settings) {
            self.take_back();
            self.withdraw();
            self.link = None;
            self.next_try = None;
        }
        if !settings.on {
            return Duration::from_hours(1);
        }
        if let Some(left) = self.connected(&settings) {
            return left;
        }
        self.stop();
        self.withdraw();
        for (job, ended) in self.board.take_ended() {
            self.ended(&job, ended);
        }
        self.confirm();
        self.look();
        self.hand_over();
        if self.delivered.is_empty() { TURN } else { SAVING }
    }

    /// Makes sure of the connection. Without one, gives the time until the next look.
    fn connected(&mut self, settings: &FarmSettings) -> Option<Duration> {
        let Some(link) = &mut self.link else {
            if let Some(left) = self.next_try.map(|at| at.saturating_duration_since(Instant::now()))
                && !left.is_zero()
            {
                return Some(left);
            }
            return match self.open(settings) {
                Ok(link) => {
                    (self.pause, self.next_try) = (PAUSES[0], None);
                    self.link = Some(link);
                    None
                }
                Err(error) => {
                    if self.next_try.is_none() {
                        self.desk.notice(Problem::of(error.code(), error.into()));
                    }
                    self.next_try = Some(Instant::now() + self.pause);
                    self.pause = (self.pause * 2).min(PAUSES[1]);
                    Some(self.pause)
                }
            };
        };
        if link.farm.connected() {
            link.lost = None;
            return None;
        }
        let lost = *link.lost.get_or_insert_with(Instant::now);
        // Long enough for the server to restart.
        if lost.elapsed() > self.desk.core().surroundings.timing.minute / 3 && self.board.len() > 0 {
            let error = FarmError::Unreachable {
                url: link.farm.address().to_owned(),
                reason: "its pictures are drawn here meanwhile".to_owned(),
            };
            self.desk.notice(Problem::of(error.code(), error.into()));
            self.take_back();
        }
        Some(TURN)
    }

    fn open(&self, settings: &FarmSettings) -> Result<Link, FarmError> {
        let farm = Arc::new(connect(settings, self.name())?);
        self.board.listen(farm.follow(), self.desk.waker());
        Ok(Link {
            farm,
            settings: settings.clone(),
            lost: None,
            looked: None,
            swept: Instant::now(),
            workers: 0,
            alone: None,
            models: HashSet::new(),
            fetchers: false,
            shared: Arc::default(),
            full_until: None,
        })
    }

    /// The library's name on farms. It stays the same, so that results are found again; a library that cannot be written
    /// to gets a new one each time.
    fn name(&self) -> Token {
        let Ok(library) = self.desk.core().library() else { return Token::random() };
        let file = library.root().join(NAME_FILE);
        let known = fs::read_to_string(&file).ok().and_then(|text| Token::new(text.trim()).ok());
        known.unwrap_or_else(|| {
            let name = Token::random();
            let _ = crate::files::write_whole(&file, name.as_str().as_bytes());
            name
        })
    }

    /// Everything that is out goes back into the queue, and is to leave the farm.
    fn take_back(&mut self) {
        self.withdrawn.extend(self.board.take_all().into_keys());
    }

    fn withdraw(&mut self) {
        let Some(link) = &self.link else { return };
        if !self.withdrawn.is_empty() && link.farm.cancel(&self.withdrawn).is_ok() {
            self.withdrawn.clear();
        }
    }

    /// Takes back what was cancelled or paused here.
    fn stop(&mut self) {
        let stopping: Vec<(Token, Stop)> = lock(&self.board.open)
            .iter()
            .filter_map(|(job, ticket)| Some((job.clone(), ticket.stopping()?)))
            .collect();
        for (job, why) in stopping {
            if let Some(ticket) = self.board.take(&job) {
                ticket.stopped(why);
                // What another process works on now may be on the farm by its doing.
                if why != Stop::Lost {
                    self.withdrawn.push(job);
                }
            }
        }
    }

    fn ended(&mut self, job: &Token, ended: Ended) {
        let Some(link) = &self.link else { return };
        let Some(ticket) = self.board.take(job) else { return };
        match ended {
            Ended::Failed(failure) => {
                ticket.fail(failure.into());
                let _ = link.farm.confirm(job);
            }
            Ended::Finished(ready) => match link.farm.collect(&ready) {
                Ok(collected) => {
                    let (id, library) = (ticket.job().id, Arc::clone(&ticket.library));
                    ticket.deliver(finished(collected, ready.worker()));
                    self.delivered.push((job.clone(), id, library));
                }
                Err(error) => {
                    self.desk.notice(Problem::of(error.code(), error.into()));
                    ticket.requeue();
                    self.withdrawn.push(job.clone());
                }
            },
        }
    }

    /// Removes pictures from the farm that are safe here.
    fn confirm(&mut self) {
        let Some(link) = &self.link else { return };
        self.delivered.retain(|(job, id, library)| match library.job(*id).map(|job| job.state) {
            Ok(State::Running) => true,
            // It could not be saved; it will be claimed and found again.
            Ok(State::Queued) => false,
            Ok(State::Done | State::Failed | State::Cancelled) | Err(_) => {
                let _ = link.farm.confirm(job);
                false
            }
        });
    }

    /// Looks at who is there, and sweeps up.
    fn look(&mut self) {
        let Some(link) = &mut self.link else { return };
        if link.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return;
        }
        link.looked = Some(Instant::now());
        if let Ok(cards) = link.farm.workers() {
            let cards: Vec<_> = cards.into_iter().filter(|card| !card.leaving).collect();
            link.workers = cards.len();
            link.fetchers = cards.iter().any(|card| card.fetches_models);
            let models: HashSet<Token> =
                cards.into_iter().flat_map(|card| card.models).map(|held| held.hash).collect();
            if models != link.models {
                link.models = models;
                self.avoid.clear();
            }
            link.alone = if link.workers > 0 { None } else { link.alone.or_else(|| Some(Instant::now())) };
        }
        if link.swept.elapsed() > SWEEP {
            link.swept = Instant::now();
            self.avoid.clear();
            if let Ok(library) = self.desk.core().library() {
                let over = |job: &Token| {
                    let job = job.as_str().parse::<Id>().ok().and_then(|id| library.job(id).ok());
                    job.is_none_or(|job| matches!(job.state, State::Done | State::Cancelled))
                };
                self.withdrawn.extend(link.farm.unclaimed().into_iter().filter(over));
            }
        }
        // The last worker has left, and nobody came in its place.
        let minute = self.desk.core().surroundings.timing.minute;
        if link.alone.is_some_and(|since| since.elapsed() > minute) {
            self.take_back();
        }
    }
}

/// A picture from the farm as the saver takes it.
fn finished(collected: Collected, worker: &str) -> Finished {
    let Collected { recipe, pixels, timings, device, .. } = collected;
    Finished { recipe, pixels, timings, device: format!("farm {worker} {device}"), steps: None }
}
