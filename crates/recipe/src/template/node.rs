//! A template with its wildcards and variables filled in: a graph whose nodes know how many values they have.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use num_bigint::BigUint;

use super::MAX_COUNT_BITS;
use super::arrange::Arrangements;
use super::ast::{Bounds, Method};
use super::draw;

pub(super) type NodeRef = Arc<Node>;

/// Values up to which options are compared as texts, so that none comes twice.
const COMPARED: u64 = 4096;

/// Bytes of the texts that are compared.
const COMPARED_BYTES: u64 = 1 << 20;

#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// How many values it has when it is enumerated: 1 for what is drawn or taken in turn. `None`: too many to number.
    pub(super) count: Option<BigUint>,
    /// Whether nothing in it is drawn or taken in turn.
    pub(super) certain: bool,
    /// The slots that it reads and does not fill, in order.
    pub(super) open: Vec<usize>,
    /// No value is longer, in bytes.
    pub(super) longest: u64,
}

#[derive(Debug)]
pub(super) enum Kind {
    Text(Arc<str>),
    Sequence(Vec<NodeRef>),
    Choice(Choice),
    /// Wrapper and what is wrapped.
    Wrap(NodeRef, NodeRef),
    /// A variable whose value is chosen once.
    Let {
        slot: usize,
        value: NodeRef,
        body: NodeRef,
    },
    Slot(usize),
    Switch(Switch),
}

/// One or several of some options.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) method: Method,
    pub(super) options: Vec<NodeRef>,
    /// Sums of the weights, in 2^-32 of the greatest.
    pub(super) weights: Vec<u64>,
    /// The options as written, with their repetitions; for taking one in turn.
    pub(super) turns: Vec<u32>,
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) separator: String,
    /// `None` for what is drawn.
    pub(super) arrangements: Option<Arrangements>,
    /// All values, where arrangements would have some of them twice.
    pub(super) listed: Option<Vec<Arc<str>>>,
}

/// What follows depends on the text of `value`.
#[derive(Debug)]
pub(super) struct Switch {
    pub(super) value: NodeRef,
    pub(super) cases: Vec<NodeRef>,
    pub(super) by_text: HashMap<Arc<str>, usize>,
    /// Sums of the counts of the cases, if `value` is certain.
    pub(super) sums: Option<Vec<BigUint>>,
}

fn one() -> BigUint {
    BigUint::from(1_u8)
}

fn union<'a>(nodes: impl IntoIterator<Item = &'a NodeRef>) -> Vec<usize> {
    let mut open: Vec<usize> = nodes.into_iter().flat_map(|it| it.open.iter().copied()).collect();
    open.sort_unstable();
    open.dedup();
    open
}

/// The product, as a tree, so that large numbers meet large ones.
fn product(counts: &[&BigUint]) -> Option<BigUint> {
    match counts {
        [] => Some(one()),
        [count] => Some((*count).clone()),
        _ => {
            let (left, right) = counts.split_at(counts.len() / 2);
            let product = product(left)? * product(right)?;
            (product.bits() <= MAX_COUNT_BITS).then_some(product)
        }
    }
}

impl Node {
    pub(super) fn text(text: impl Into<Arc<str>>) -> NodeRef {
        let text = text.into();
        let longest = text.len() as u64;
        Arc::new(Self {
            kind: Kind::Text(text),
            count: Some(one()),
            certain: true,
            open: Vec::new(),
            longest,
        })
    }

    pub(super) fn as_text(&self) -> Option<&Arc<str>> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn slot(slot: usize, longest: u64) -> NodeRef {
        Arc::new(Self {
            kind: Kind::Slot(slot),
            count: Some(one()),
            certain: true,
            open: vec![slot],
            longest,
        })
    }

    fn of_parts(kind: fn(Vec<NodeRef>) -> Kind, parts: Vec<NodeRef>) -> NodeRef {
        let counts: Option<Vec<&BigUint>> = parts.iter().map(|it| it.count.as_ref()).collect();
        let many = counts.map(|it| it.into_iter().filter(|it| it.bits() != 1).collect::<Vec<_>>());
        let count = many.and_then(|it| product(&it));
        let certain = parts.iter().all(|it| it.certain);
        let longest = parts.iter().fold(0, |sum: u64, it| sum.saturating_add(it.longest));
        let open = union(&parts);
        Arc::new(Self { kind: kind(parts), count, certain, open, longest })
    }

    pub(super) fn sequence(mut parts: Vec<NodeRef>) -> NodeRef {
        match (parts.len(), parts.pop()) {
            (1, Some(only)) => only,
            (_, None) => Self::text(""),
            (_, Some(last)) => {
                parts.push(last);
                Self::of_parts(Kind::Sequence, parts)
            }
        }
    }

    pub(super) fn wrap(wrapper: NodeRef, inner: NodeRef) -> NodeRef {
        let kind = |parts: Vec<NodeRef>| match <[NodeRef; 2]>::try_from(parts) {
            Ok([wrapper, inner]) => Kind::Wrap(wrapper, inner),
            Err(parts) => Kind::Sequence(parts),
        };
        Self::of_parts(kind, vec![wrapper, inner])
    }

    pub(super) fn with_slot(slot: usize, value: NodeRef, body: NodeRef) -> NodeRef {
        let both = value.count.as_ref().zip(body.count.as_ref());
        let count = both.and_then(|(value, body)| product(&[value, body]));
        let mut open = union([&body]);
        open.retain(|it| *it != slot);
        open.extend(&value.open);
        open.sort_unstable();
        open.dedup();
        let (certain, longest) = (value.certain && body.certain, body.longest);
        Arc::new(Self { kind: Kind::Let { slot, value, body }, count, certain, open, longest })
    }

    /// `cases` in the order of the values of `value`.
    pub(super) fn switch(value: NodeRef, cases: Vec<(Arc<str>, NodeRef)>) -> NodeRef {
        let by_text = cases.iter().enumerate().map(|(i, (text, _))| (text.clone(), i)).collect();
        let cases: Vec<NodeRef> = cases.into_iter().map(|(_, node)| node).collect();
        let mut total = BigUint::ZERO;
        let mut sums = Some(Vec::with_capacity(cases.len()));
        for case in &cases {
            match (&case.count, &mut sums) {
                (Some(count), Some(sums)) => {
                    total += count;
                    sums.push(total.clone());
                }
                _ => sums = None,
            }
        }
        let fits = value.count.as_ref().is_some_and(|it| *it == BigUint::from(cases.len()));
        let listed = value.certain && fits;
        let count = match (listed, &sums) {
            (true, Some(_)) => Some(total),
            (true, None) => None,
            (false, _) => Some(one()),
        };
        let certain = listed && cases.iter().all(|it| it.certain);
        let longest = cases.iter().map(|it| it.longest).max().unwrap_or(0);
        let open = union(cases.iter().chain([&value]));
        let sums = sums.filter(|_| listed);
        let kind = Kind::Switch(Switch { value, cases, by_text, sums });
        Arc::new(Self { kind, count, certain, open, longest })
    }

    /// `distinct`: no value comes twice, as far as they can be compared.
    pub(super) fn choice(
        method: Method,
        options: Vec<(NodeRef, f64)>,
        bounds: &Bounds,
        distinct: bool,
    ) -> NodeRef {
        let (options, weights, turns) = merged(options);
        let most = bounds.most.unwrap_or(options.len());
        let (least, most) = (bounds.least.min(most), bounds.least.max(most));
        let (least, most) = (least.min(options.len()), most.min(options.len()));
        let count_of = |node: &NodeRef| match method {
            Method::Combinatorial => node.count.clone(),
            _ => Some(one()),
        };
        let counts: Option<Vec<BigUint>> = options.iter().map(count_of).collect();
        let arrangements = match method {
            Method::Random => None,
            _ => counts.and_then(|counts| Arrangements::new(&counts, least, most)),
        };
        let longest = options.iter().map(|it| it.longest).max().unwrap_or(0);
        let longest = longest.saturating_add(bounds.separator.len() as u64).saturating_mul(most as u64);
        let open = union(&options);
        let certain = method == Method::Combinatorial && options.iter().all(|it| it.certain);
        let separator = bounds.separator.clone();
        let mut choice =
            Choice { method, options, weights, turns, least, most, separator, arrangements, listed: None };
        if distinct && certain && open.is_empty() {
            choice.listed = choice.without_repetitions();
        }
        let count = match (method, &choice.listed, &choice.arrangements) {
            (Method::Combinatorial, Some(listed), _) => Some(BigUint::from(listed.len())),
            (Method::Combinatorial, None, arrangements) => arrangements.as_ref().map(|it| it.total().clone()),
            _ => Some(one()),
        };
        Arc::new(Self { kind: Kind::Choice(choice), count, certain, open, longest })
    }

    /// All values, if they are certain and no more than `most`.
    pub(super) fn values(&self, most: u64) -> Option<Vec<Arc<str>>> {
        if let Kind::Text(text) = &self.kind {
            return Some(vec![text.clone()]);
        }
        let count = u64::try_from(self.count.as_ref()?).ok().filter(|it| *it <= most)?;
        if !self.certain || !self.open.is_empty() || count.saturating_mul(self.longest) > COMPARED_BYTES {
            return None;
        }
        Some((0..count).map(|index| draw::value(self, &BigUint::from(index)).into()).collect())
    }
}

/// Options of equal text become one, with the sum of their weights; the others are kept. Also the weights' sums, and
/// for each option as it was written which one it is now.
fn merged(options: Vec<(NodeRef, f64)>) -> (Vec<NodeRef>, Vec<u64>, Vec<u32>) {
    let mut nodes: Vec<NodeRef> = Vec::with_capacity(options.len());
    let mut weights: Vec<f64> = Vec::with_capacity(options.len());
    let mut turns = Vec::with_capacity(options.len());
    let mut texts: HashMap<Arc<str>, usize> = HashMap::new();
    for (node, weight) in options {
        let known = node.as_text().and_then(|text| texts.get(text).copied());
        if let Some((place, sum)) = known.and_then(|place| weights.get_mut(place).map(|it| (place, it))) {
            *sum += weight;
            turns.push(place as u32);
        } else {
            if let Some(text) = node.as_text() {
                texts.insert(text.clone(), nodes.len());
            }
            turns.push(nodes.len() as u32);
            nodes.push(node);
            weights.push(weight);
        }
    }
    let greatest = weights.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut sum = 0_u64;
    let sums = weights.into_iter().map(|weight| {
        // A product of a ratio not above 1 and a power of two: exact on every machine.
        let part = (weight / greatest * 4294967296.0) as u64;
        sum = sum.saturating_add(part.max(1));
        sum
    });
    (nodes, sums.collect(), turns)
}

impl Choice {
    /// The values without repetitions, if there are repetitions and few enough values to tell.
    fn without_repetitions(&self) -> Option<Vec<Arc<str>>> {
        // Texts have been compared already.
        if self.options.iter().all(|it| it.as_text().is_some()) {
            return None;
        }
        let mut values = Vec::with_capacity(self.options.len());
        let mut left = COMPARED;
        for option in &self.options {
            let texts = option.values(left)?;
            left = left.checked_sub(texts.len() as u64)?;
            values.push(texts);
        }
        let mut seen = HashSet::new();
        if values.iter().flatten().all(|text| seen.insert(text)) {
            return None;
        }
        let arrangements = self.arrangements.as_ref()?;
        let count = u64::try_from(arrangements.total()).ok().filter(|it| *it <= COMPARED * 4)?;
        let mut seen: HashSet<Vec<Arc<str>>> = HashSet::new();
        let mut listed = Vec::new();
        for index in 0..count {
            let places = arrangements.nth(&BigUint::from(index));
            let text = |(option, value): (usize, BigUint)| {
                values.get(option)?.get(usize::try_from(value).ok()?).cloned()
            };
            let texts: Vec<Arc<str>> = places.into_iter().filter_map(text).collect();
            let different: HashSet<&Arc<str>> = texts.iter().collect();
            if different.len() == texts.len() && !seen.contains(&texts) {
                listed.push(draw::joined(&texts, &self.separator).into());
                seen.insert(texts);
            }
        }
        (!listed.is_empty()).then_some(listed)
    }
}
