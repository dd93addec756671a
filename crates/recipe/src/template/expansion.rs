//! A template ready to give prompts.

use std::collections::HashSet;
use std::fmt;

use num_bigint::BigUint;

use super::ast::Method;
use super::compile::{Compiler, Purpose};
use super::count::Count;
use super::draw;
use super::error::{ExpandError, Problem};
use super::lists::Lists;
use super::node::NodeRef;
use super::rng::Rng;
use super::wildcards::Wildcards;
use super::{Severity, Template};

/// Draws in a row that bring nothing new, after which the rest is found by number.
const MISSES: usize = 64;

/// Combinations looked at by number without finding a new text, after which there are taken to be none.
const WALK: usize = 100_000;

/// A template with its wildcards filled in: counts its prompts and gives any of them.
///
/// Everything follows from the template, the wildcards, the seed and the index, on every machine. It can be shared
/// between threads.
#[derive(Clone)]
pub struct Expansion {
    method: Method,
    /// As the method and the prefixes in the text ask for.
    run: NodeRef,
    /// All that can come out.
    all: NodeRef,
    /// Everything drawn by lot.
    lots: NodeRef,
    squash: bool,
}

impl fmt::Debug for Expansion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expansion")
            .field("method", &self.method)
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

impl Template {
    /// Fills the wildcards in. `method` is how values are chosen where the text does not say.
    ///
    /// A template with an error in its diagnostics is refused, so that a broken one never runs through the night.
    pub fn expand(&self, wildcards: &dyn Wildcards, method: Method) -> Result<Expansion, ExpandError> {
        if let Some(error) = self.diagnostics.iter().find(|it| it.severity == Severity::Error) {
            let problem = Problem::Syntax { code: error.code };
            return Err(ExpandError { span: error.span, problem, wildcards: Vec::new() });
        }
        let mut compiler = Compiler::new(&self.config, Lists::new(wildcards));
        let run = compiler.root(&self.root, Purpose::Run(method))?;
        if run.count.is_none() {
            let span = (0..self.source.len()).into();
            return Err(ExpandError { span, problem: Problem::TooManyCombinations, wildcards: Vec::new() });
        }
        // For most templates one or two of the three are the same.
        let lots = if method == Method::Random && !compiler.asks_for_all {
            run.clone()
        } else {
            compiler.root(&self.root, Purpose::Lots)?
        };
        let all = if method == Method::Combinatorial && run.certain {
            run.clone()
        } else {
            compiler.root(&self.root, Purpose::Everything)?
        };
        Ok(Expansion { method, run, all, lots, squash: self.config.squash_whitespace })
    }
}

impl Expansion {
    /// How values are chosen where the text does not say.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Number of prompts in one pass of [`Self::prompt`]: all combinations of what is combined, where what is drawn or
    /// taken in turn counts once. `None` when nothing is combined and the method is not combinatorial: such a run has
    /// no end.
    pub fn count(&self) -> Option<&BigUint> {
        let count = self.run.count.as_ref()?;
        (self.method == Method::Combinatorial || count.bits() > 1).then_some(count)
    }

    /// Number of all combinations, also of what a run draws. What is taken in turn (`@`) counts once.
    pub fn combinations(&self) -> Count {
        self.all.count.clone().map_or(Count::Beyond, Count::Exact)
    }

    /// Whether there is nothing to choose: every prompt is the same.
    pub fn is_constant(&self) -> bool {
        self.run.certain && self.run.count.as_ref().is_some_and(|it| it.bits() == 1)
    }

    /// Prompt `index` of a run, counted from 0. After [`Self::count`] prompts the combinations begin anew, with new
    /// lots.
    pub fn prompt(&self, seed: u64, index: impl Into<BigUint>) -> String {
        let index = index.into();
        let within = self.run.count.as_ref().map_or(BigUint::ZERO, |count| &index % count);
        self.finished(draw::prompt(&self.run, &within, &index, Rng::new(seed, &index)))
    }

    /// The prompts of a run, without end.
    pub fn prompts(&self, seed: u64) -> impl Iterator<Item = String> + '_ {
        (0_u64..).map(move |index| self.prompt(seed, index))
    }

    /// Draw `index` of a seed: all values by lot and weight, whatever the method is.
    pub fn draw(&self, seed: u64, index: u64) -> String {
        let index = BigUint::from(index);
        self.finished(draw::prompt(&self.lots, &BigUint::ZERO, &index, Rng::new(seed, &index)))
    }

    /// Combination `index` of [`Self::combinations`], counted from 0, found directly.
    pub fn nth(&self, index: &BigUint) -> Option<String> {
        let count = self.all.count.as_ref()?;
        (index < count).then(|| self.finished(draw::prompt(&self.all, index, index, Rng::new(0, index))))
    }

    /// The draws of a seed without repetitions, as many as there are different prompts. Weights count: what is likely
    /// comes early. The memory is 16 bytes for each prompt that was given, whatever the template.
    pub fn distinct(&self, seed: u64) -> Distinct<'_> {
        Distinct { expansion: self, seed, drawn: 0, seen: HashSet::new(), walk: None, over: false }
    }

    /// The first `wanted` of [`Self::distinct`]; fewer if there are no more.
    pub fn distinct_prompts(&self, seed: u64, wanted: usize) -> Vec<String> {
        self.distinct(seed).take(wanted).collect()
    }

    fn finished(&self, text: String) -> String {
        if self.squash { text.split_whitespace().collect::<Vec<_>>().join(" ") } else { text }
    }
}

/// Different prompts of a template; see [`Expansion::distinct`].
#[derive(Debug)]
pub struct Distinct<'a> {
    expansion: &'a Expansion,
    seed: u64,
    drawn: u64,
    seen: HashSet<u128>,
    walk: Option<Walk>,
    over: bool,
}

/// Every number below a count once, by steps that have no divisor in common with the count.
#[derive(Debug)]
struct Walk {
    at: BigUint,
    step: BigUint,
    left: BigUint,
}

impl Walk {
    fn new(seed: u64, count: &BigUint) -> Self {
        let mut rng = Rng::new(seed, count);
        let at = rng.below_big(count);
        let one = BigUint::from(1_u8);
        let mut step = rng.below_big(count);
        while common_divisor(step.clone(), count.clone()) != one {
            step += 1_u8;
        }
        Self { at, step, left: count.clone() }
    }

    fn next(&mut self, count: &BigUint) -> Option<BigUint> {
        if self.left == BigUint::ZERO {
            return None;
        }
        self.left -= 1_u8;
        self.at = (&self.at + &self.step) % count;
        Some(self.at.clone())
    }
}

fn common_divisor(mut a: BigUint, mut b: BigUint) -> BigUint {
    while b != BigUint::ZERO {
        (a, b) = (b.clone(), a % b);
    }
    a
}

impl Distinct<'_> {
    /// Whether the text is new.
    fn is_new(&mut self, text: &str) -> bool {
        let digest = crate::sha256(text.as_bytes());
        let fingerprint = u128::from_str_radix(digest.get(..32).unwrap_or_default(), 16).unwrap_or_default();
        self.seen.insert(fingerprint)
    }
}

impl Iterator for Distinct<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.over {
            return None;
        }
        let all = &self.expansion.all;
        let every = all.count.as_ref();
        if self.walk.is_none() {
            let complete = every.is_some_and(|count| *count == BigUint::from(self.seen.len()));
            for _ in 0..if complete { 0 } else { MISSES } {
                let text = self.expansion.draw(self.seed, self.drawn);
                self.drawn += 1;
                if self.is_new(&text) {
                    return Some(text);
                }
            }
            // With `@` in the text, combinations by number are not those of a run.
            self.walk = every.filter(|_| all.certain && !complete).map(|count| Walk::new(self.seed, count));
        }
        for _ in 0..WALK {
            let Some(index) = self.walk.as_mut().zip(every).and_then(|(walk, count)| walk.next(count)) else {
                break;
            };
            if let Some(text) = self.expansion.nth(&index).filter(|text| self.is_new(text)) {
                return Some(text);
            }
        }
        self.over = true;
        None
    }
}
