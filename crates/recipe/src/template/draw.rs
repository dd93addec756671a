//! From a node to a text.

use std::collections::HashSet;
use std::sync::Arc;

use num_bigint::BigUint;

use super::ast::Method;
use super::node::{Choice, Kind, Node, Switch};
use super::rng::Rng;
use super::wrap;

/// Bytes of one prompt that may be drawn in vain.
const PATIENCE: usize = 1 << 15;

/// The text of a prompt: `index` says which combination, `turn` how often what is taken in turn was taken before.
pub(super) fn prompt(root: &Node, index: &BigUint, turn: &BigUint, rng: Rng) -> String {
    let mut drawing = Drawing { rng, slots: Vec::new(), patience: PATIENCE };
    let mut out = String::new();
    drawing.node(root, index, turn, &mut out);
    out
}

/// A value of a node in which nothing is drawn.
pub(super) fn value(node: &Node, index: &BigUint) -> String {
    prompt(node, index, index, Rng::new(0, &BigUint::ZERO))
}

/// Texts with the separator between them; one at either end, which an empty text leaves, goes.
pub(super) fn joined(texts: &[impl AsRef<str>], separator: &str) -> String {
    if let [text] = texts {
        return text.as_ref().to_owned();
    }
    let mut joined = String::new();
    for (i, text) in texts.iter().enumerate() {
        if i > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text.as_ref());
    }
    if separator.is_empty() {
        return joined;
    }
    let start = joined.strip_prefix(separator).unwrap_or(&joined);
    start.strip_suffix(separator).unwrap_or(start).to_owned()
}

struct Drawing {
    rng: Rng,
    /// Values of variables that were chosen once.
    slots: Vec<Option<Arc<str>>>,
    /// Bytes that may still be drawn in vain, see [`Drawing::different`].
    patience: usize,
}

impl Drawing {
    fn node(&mut self, node: &Node, index: &BigUint, turn: &BigUint, out: &mut String) {
        match &node.kind {
            Kind::Text(text) => out.push_str(text),
            Kind::Slot(slot) => {
                if let Some(Some(text)) = self.slots.get(*slot) {
                    out.push_str(text);
                }
            }
            Kind::Sequence(parts) => {
                let digits = digits(parts.iter().map(|it| &**it), index);
                for (part, digit) in parts.iter().zip(digits) {
                    match digit {
                        Some(digit) => self.node(part, &digit, &digit, out),
                        None => self.node(part, &BigUint::ZERO, turn, out),
                    }
                }
            }
            Kind::Wrap(wrapper, inner) => {
                let mut texts = [String::new(), String::new()];
                let parts = [&**wrapper, &**inner];
                let digits = digits(parts.into_iter(), index);
                for ((part, digit), text) in parts.into_iter().zip(digits).zip(&mut texts) {
                    match digit {
                        Some(digit) => self.node(part, &digit, &digit, text),
                        None => self.node(part, &BigUint::ZERO, turn, text),
                    }
                }
                let [wrapper, inner] = texts;
                out.push_str(&wrap::wrapped(&wrapper, &inner));
            }
            Kind::Let { slot, value, body } => {
                let (first, second) = split(value, body, index, turn);
                let mut text = String::new();
                self.node(value, &first.0, &first.1, &mut text);
                if self.slots.len() <= *slot {
                    self.slots.resize(slot + 1, None);
                }
                if let Some(place) = self.slots.get_mut(*slot) {
                    *place = Some(text.into());
                }
                self.node(body, &second.0, &second.1, out);
            }
            Kind::Choice(choice) => self.choice(choice, index, turn, out),
            Kind::Switch(switch) => self.switch(switch, index, turn, out),
        }
    }

    fn choice(&mut self, choice: &Choice, index: &BigUint, turn: &BigUint, out: &mut String) {
        match choice.method {
            Method::Random => {
                let range = (choice.most - choice.least) as u64;
                let taken = choice.least + self.rng.below(range.saturating_add(1)) as usize;
                let texts = self.different(choice, taken, turn);
                out.push_str(&joined(&texts, &choice.separator));
            }
            Method::Cyclic if (choice.least, choice.most) == (1, 1) => {
                let turns = BigUint::from(choice.turns.len().max(1));
                let place = usize::try_from(turn % &turns).unwrap_or_default();
                let option = choice.turns.get(place).copied().unwrap_or_default() as usize;
                self.options(choice, [(option, BigUint::ZERO, turn / turns)], out);
            }
            Method::Cyclic => {
                if let Some(all) = &choice.arrangements {
                    let (next, which) = (turn / all.total(), turn % all.total());
                    let places = all.nth(&which).into_iter();
                    self.options(choice, places.map(|(it, _)| (it, BigUint::ZERO, next.clone())), out);
                } else {
                    // Too many to number: the options go round.
                    let first = usize::try_from(turn % choice.options.len().max(1)).unwrap_or_default();
                    let places = (first..choice.options.len()).chain(0..first).take(choice.least.max(1));
                    self.options(choice, places.map(|it| (it, BigUint::ZERO, turn.clone())), out);
                }
            }
            Method::Combinatorial => {
                if let Some(listed) = &choice.listed {
                    let text = usize::try_from(index).ok().and_then(|it| listed.get(it));
                    out.push_str(text.map_or("", |it| it));
                } else if let Some(all) = &choice.arrangements {
                    let places = all.nth(index).into_iter();
                    self.options(choice, places.map(|(it, value)| (it, value.clone(), value)), out);
                }
            }
        }
    }

    /// The options with the index and turn of each.
    fn options(
        &mut self,
        choice: &Choice,
        places: impl IntoIterator<Item = (usize, BigUint, BigUint)>,
        out: &mut String,
    ) {
        let mut texts = Vec::new();
        for (option, index, turn) in places {
            texts.push(self.option(choice, option, &index, &turn));
        }
        out.push_str(&joined(&texts, &choice.separator));
    }

    fn option(&mut self, choice: &Choice, option: usize, index: &BigUint, turn: &BigUint) -> String {
        let mut text = String::new();
        if let Some(node) = choice.options.get(option) {
            self.node(node, index, turn, &mut text);
        }
        text
    }

    /// `taken` options by lot. Different options can give the same text; then all are drawn again, as long as there is
    /// hope and patience.
    fn different(&mut self, choice: &Choice, taken: usize, turn: &BigUint) -> Vec<String> {
        loop {
            let options = self.lots(&choice.weights, taken);
            let surely_different =
                options.len() < 2 || choice.options.iter().all(|it| it.as_text().is_some());
            let mut texts = Vec::with_capacity(options.len());
            for option in options {
                texts.push(self.option(choice, option, &BigUint::ZERO, turn));
            }
            if surely_different || self.patience == 0 {
                return texts;
            }
            let mut seen = HashSet::new();
            if texts.iter().all(|text| seen.insert(text)) {
                return texts;
            }
            let length = texts.iter().fold(64, |sum, text| sum + text.len());
            self.patience = self.patience.saturating_sub(length);
        }
    }

    /// `taken` different options by weight, one after the other.
    fn lots(&mut self, weights: &[u64], taken: usize) -> Vec<usize> {
        let total = weights.last().copied().unwrap_or(0);
        if taken == 1 {
            let lot = self.rng.below(total);
            return vec![weights.partition_point(|sum| *sum <= lot)];
        }
        let mut left = Fenwick::new(weights);
        (0..taken)
            .map(|_| {
                let lot = self.rng.below(left.total);
                left.take(lot)
            })
            .collect()
    }

    fn switch(&mut self, switch: &Switch, index: &BigUint, turn: &BigUint, out: &mut String) {
        if let Some(sums) = &switch.sums {
            let case = sums.partition_point(|sum| sum <= index);
            let before = case.checked_sub(1).and_then(|it| sums.get(it));
            let index = before.map_or_else(|| index.clone(), |it| index - it);
            if let Some(node) = switch.cases.get(case) {
                let turn = if node.count.as_ref().is_some_and(|it| it.bits() == 1) { turn } else { &index };
                self.node(node, &index, turn, out);
            }
            return;
        }
        let mut text = String::new();
        self.node(&switch.value, &BigUint::ZERO, turn, &mut text);
        let case = switch.by_text.get(text.as_str()).and_then(|it| switch.cases.get(*it));
        if let Some(node) = case {
            // The cases may have several values each, which nobody enumerates here: one is drawn.
            let index = node.count.as_ref().map(|it| self.rng.below_big(it)).unwrap_or_default();
            self.node(node, &index, turn, out);
        }
    }
}

type IndexAndTurn = (BigUint, BigUint);

/// The index and turn of a value and of what follows it.
fn split(value: &Node, body: &Node, index: &BigUint, turn: &BigUint) -> (IndexAndTurn, IndexAndTurn) {
    let mut digits = digits([value, body].into_iter(), index);
    let mut next = || match digits.next().flatten() {
        Some(digit) => (digit.clone(), digit),
        None => (BigUint::ZERO, turn.clone()),
    };
    (next(), next())
}

/// The indices of parts that follow each other, the last changing fastest; `None` for parts with one value.
fn digits<'a>(
    parts: impl DoubleEndedIterator<Item = &'a Node>,
    index: &BigUint,
) -> impl Iterator<Item = Option<BigUint>> {
    let mut index = index.clone();
    let mut digits: Vec<Option<BigUint>> = parts
        .rev()
        .map(|part| {
            let count = part.count.as_ref().filter(|it| it.bits() > 1)?;
            let digit = &index % count;
            index /= count;
            Some(digit)
        })
        .collect();
    digits.reverse();
    digits.into_iter()
}

/// Sums of weights from which options can be taken.
struct Fenwick {
    tree: Vec<u64>,
    weights: Vec<u64>,
    total: u64,
}

impl Fenwick {
    fn new(sums: &[u64]) -> Self {
        let mut before = 0;
        let weights: Vec<u64> = sums
            .iter()
            .map(|sum| {
                let weight = sum - before;
                before = *sum;
                weight
            })
            .collect();
        let mut tree = vec![0; weights.len() + 1];
        for (i, weight) in weights.iter().enumerate() {
            let node = i + 1;
            let sum = tree.get(node).copied().unwrap_or(0) + weight;
            if let Some(it) = tree.get_mut(node) {
                *it = sum;
            }
            if let Some(parent) = tree.get_mut(node + (node & node.wrapping_neg())) {
                *parent += sum;
            }
        }
        Self { tree, total: before, weights }
    }

    /// Takes out the option in whose part of the sum the lot falls.
    fn take(&mut self, mut lot: u64) -> usize {
        let mut place = 0;
        let mut step = self.weights.len().next_power_of_two();
        while step > 0 {
            if let Some(sum) = self.tree.get(place + step).filter(|sum| **sum <= lot) {
                lot -= sum;
                place += step;
            }
            step /= 2;
        }
        let weight = self.weights.get(place).copied().unwrap_or(0);
        self.total -= weight;
        let mut node = place + 1;
        while let Some(sum) = self.tree.get_mut(node) {
            *sum -= weight;
            node += node & node.wrapping_neg();
        }
        place
    }
}
