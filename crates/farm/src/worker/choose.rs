//! Whose job is next: fair to submitters, sparing with the loading of models.
//!
//! Submitters take turns: the one that this worker served longest ago comes first, however many jobs the others have. A turn
//! that would need another model than the one in memory is put off while there are turns that do not, but for no longer than
//! the worker's patience. Among its own jobs a submitter's priorities decide.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::protocol::{LaneKey, Token};

/// What a lane's model costs this worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cost {
    /// It is in memory.
    Loaded,
    /// It is on the disk.
    Held,
    /// It is on the farm.
    Fetch,
}

/// A lane that this worker could serve.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) key: LaneKey,
    pub(super) cost: Cost,
}

/// Remembers who was served when.
#[derive(Debug, Default)]
pub(super) struct Chooser {
    /// The turn in which a submitter was last served; the higher, the later.
    served: HashMap<Token, u64>,
    turn: u64,
    /// Since when a submitter has been passed over.
    passed_over: HashMap<Token, Instant>,
}

impl Chooser {
    /// The lanes in the order in which they are to be tried.
    pub(super) fn order(
        &mut self,
        candidates: &[Candidate],
        patience: Duration,
        now: Instant,
    ) -> Vec<LaneKey> {
        let mut best: HashMap<&Token, (crate::protocol::Priority, Cost)> = HashMap::new();
        for Candidate { key, cost } in candidates {
            let entry = best.entry(&key.submitter).or_insert((key.priority, *cost));
            *entry = (*entry).min((key.priority, *cost));
        }
        self.passed_over.retain(|submitter, _| best.contains_key(submitter));
        for submitter in best.keys() {
            self.passed_over.entry((*submitter).clone()).or_insert(now);
        }
        // Those who left are forgotten once they were not seen for many turns.
        let forgotten = self.turn.saturating_sub(100_000);
        self.served.retain(|_, turn| *turn >= forgotten);

        let rank = |candidate: &Candidate| {
            let submitter = &candidate.key.submitter;
            let (priority, cheapest) = best[submitter];
            let first = candidate.key.priority == priority && candidate.cost == cheapest;
            let waited = self.passed_over.get(submitter).map_or(Duration::ZERO, |since| now - *since);
            let overdue = candidate.cost > Cost::Loaded && waited > patience;
            let served = self.served.get(submitter).copied().unwrap_or(0);
            // A submitter's second choice comes after everybody's first.
            (
                !first,
                candidate.key.priority.min(priority) != candidate.key.priority,
                !overdue,
                candidate.cost,
                served,
            )
        };
        let mut ordered: Vec<&Candidate> = candidates.iter().collect();
        ordered.sort_by_key(|candidate| (rank(candidate), candidate.key.clone()));
        ordered.into_iter().map(|candidate| candidate.key.clone()).collect()
    }

    /// Takes note that a submitter got a turn.
    pub(super) fn served(&mut self, submitter: &Token, now: Instant) {
        self.turn += 1;
        self.served.insert(submitter.clone(), self.turn);
        self.passed_over.insert(submitter.clone(), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Priority;

    const PATIENCE: Duration = Duration::from_mins(1);

    fn lane(submitter: &str, model: &str, priority: Priority, cost: Cost) -> Candidate {
        let token = |text: &str| Token::new(text).unwrap();
        Candidate { key: LaneKey { priority, model: token(model), submitter: token(submitter) }, cost }
    }

    fn pick(chooser: &mut Chooser, lanes: &[Candidate], now: Instant) -> String {
        let key = chooser.order(lanes, PATIENCE, now).remove(0);
        chooser.served(&key.submitter, now);
        format!("{}:{}", key.submitter, key.model)
    }

    #[test]
    fn submitters_take_turns() {
        let lanes = ["a", "b", "c"].map(|who| lane(who, "m", Priority::Normal, Cost::Loaded));
        let (mut chooser, now) = (Chooser::default(), Instant::now());
        let picked: Vec<String> = (0..6).map(|_| pick(&mut chooser, &lanes, now)).collect();
        assert_eq!(picked, ["a:m", "b:m", "c:m", "a:m", "b:m", "c:m"]);
    }

    #[test]
    fn the_model_in_memory_is_used_until_patience_ends() {
        let lanes = [
            lane("a", "loaded", Priority::Normal, Cost::Loaded),
            lane("b", "other", Priority::Normal, Cost::Held),
        ];
        let (mut chooser, start) = (Chooser::default(), Instant::now());
        for second in 0..60 {
            assert_eq!(pick(&mut chooser, &lanes, start + Duration::from_secs(second)), "a:loaded");
        }
        assert_eq!(pick(&mut chooser, &lanes, start + Duration::from_secs(61)), "b:other");
    }

    #[test]
    fn priorities_count_among_ones_own_jobs_only() {
        let lanes = [
            lane("a", "m", Priority::Low, Cost::Loaded),
            lane("a", "n", Priority::High, Cost::Held),
            lane("b", "m", Priority::Normal, Cost::Held),
        ];
        let (mut chooser, now) = (Chooser::default(), Instant::now());
        let order: Vec<String> = chooser
            .order(&lanes, PATIENCE, now)
            .iter()
            .map(|key| format!("{}:{}", key.submitter, key.model))
            .collect();
        assert_eq!(order, ["a:n", "b:m", "a:m"]);
    }
}
