//! Streams, subjects, consumers, buckets and stores.

use serde::{Deserialize, Serialize};

use super::{Token, VERSION};

/// Which of a submitter's own jobs come first. Between submitters it changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Before all others.
    High,
    /// As usual.
    #[default]
    Normal,
    /// When there is nothing else.
    Low,
}

impl Priority {
    const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    fn token(self) -> &'static str {
        match self {
            Self::High => "p0",
            Self::Normal => "p1",
            Self::Low => "p2",
        }
    }
}

/// What one submitter wants of one model, at one priority.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneKey {
    /// Its priority among the submitter's own.
    pub priority: Priority,
    /// The model's SHA-256.
    pub model: Token,
    /// The submitter's id.
    pub submitter: Token,
}

/// The names of one farm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(Token);

impl Names {
    /// The names in a namespace.
    pub fn new(namespace: Token) -> Self {
        Self(namespace)
    }

    /// The namespace.
    pub fn namespace(&self) -> &Token {
        &self.0
    }
    /// The stream of jobs.
    pub fn jobs_stream(&self) -> String {
        format!("{}-jobs", self.0)
    }
    /// The stream of ends.
    pub fn done_stream(&self) -> String {
        format!("{}-done", self.0)
    }
    /// The stream of dead letters.
    pub fn dead_stream(&self) -> String {
        format!("{}-dead", self.0)
    }
    /// The bucket of workers.
    pub fn workers_bucket(&self) -> String {
        format!("{}-workers", self.0)
    }
    /// The object store of inputs.
    pub fn inputs_store(&self) -> String {
        format!("{}-inputs", self.0)
    }
    /// The object store of finished pictures.
    pub fn pictures_store(&self) -> String {
        format!("{}-pictures", self.0)
    }
    /// The object store of models.
    pub fn models_store(&self) -> String {
        format!("{}-models", self.0)
    }

    fn subject(&self, rest: &str) -> String {
        format!("{}.v{VERSION}.{rest}", self.0)
    }

    /// All jobs.
    pub fn all_jobs(&self) -> String {
        self.subject("job.>")
    }
    /// All jobs of a submitter.
    pub fn jobs_of(&self, submitter: &Token) -> String {
        self.subject(&format!("job.*.*.{submitter}.*"))
    }
    /// One job, wherever it waits.
    pub fn job_anywhere(&self, submitter: &Token, job: &Token) -> String {
        self.subject(&format!("job.*.*.{submitter}.{job}"))
    }
    /// The jobs of a lane.
    pub fn lane(&self, lane: &LaneKey) -> String {
        self.subject(&format!("job.{}.{}.{}.*", lane.priority.token(), lane.model, lane.submitter))
    }
    /// A job's own subject.
    pub fn job(&self, lane: &LaneKey, job: &Token) -> String {
        self.subject(&format!("job.{}.{}.{}.{job}", lane.priority.token(), lane.model, lane.submitter))
    }
    /// The consumer of a lane.
    #[allow(clippy::unused_self)]
    pub fn consumer(&self, lane: &LaneKey) -> String {
        format!("{}-{}-{}", lane.priority.token(), lane.model, lane.submitter)
    }
    /// The lane that a consumer's filter names.
    pub fn read_lane(&self, filter: &str) -> Option<LaneKey> {
        let mut parts = filter.strip_prefix(&self.subject("job."))?.split('.');
        let priority = parts.next()?;
        let priority = Priority::ALL.into_iter().find(|known| known.token() == priority)?;
        let mut token = || parts.next().and_then(|part| Token::new(part).ok());
        Some(LaneKey { priority, model: token()?, submitter: token()? })
    }
    /// How all jobs of all submitters ended.
    pub fn all_done(&self) -> String {
        self.subject("done.>")
    }
    /// How a submitter's jobs ended.
    pub fn done_of(&self, submitter: &Token) -> String {
        self.subject(&format!("done.{submitter}.*"))
    }
    /// How a job ended.
    pub fn done(&self, submitter: &Token, job: &Token) -> String {
        self.subject(&format!("done.{submitter}.{job}"))
    }
    /// All dead letters.
    pub fn all_dead(&self) -> String {
        self.subject("dead.>")
    }
    /// A job's dead letter.
    pub fn dead(&self, submitter: &Token, job: &Token) -> String {
        self.subject(&format!("dead.{submitter}.{job}"))
    }
    /// What happens to a submitter's jobs.
    pub fn events_of(&self, submitter: &Token) -> String {
        self.subject(&format!("event.{submitter}.*"))
    }
    /// What happens to a job.
    pub fn event(&self, submitter: &Token, job: &Token) -> String {
        self.subject(&format!("event.{submitter}.{job}"))
    }
    /// All cancels.
    pub fn all_cancels(&self) -> String {
        self.subject("cancel.*")
    }
    /// A job is no longer wanted.
    pub fn cancel(&self, job: &Token) -> String {
        self.subject(&format!("cancel.{job}"))
    }
    /// There is something to do.
    pub fn wake(&self) -> String {
        self.subject("wake")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_read_back_from_their_filters() {
        let names = Names::new(Token::new("studio-7").unwrap());
        for priority in Priority::ALL {
            let lane = LaneKey {
                priority,
                model: Token::new("ab".repeat(32)).unwrap(),
                submitter: Token::new("me_2").unwrap(),
            };
            assert_eq!(names.read_lane(&names.lane(&lane)), Some(lane));
        }
        assert_eq!(names.read_lane("tarim.v1.job.p1.x.y.*"), None);
        assert_eq!(names.read_lane("studio-7.v1.job.p9.x.y.*"), None);
    }
}
