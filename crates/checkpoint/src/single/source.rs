//! A file's tensors as a tree of names.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::header::Stored;

/// Tensors below a prefix, under the rest of their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source<'a> {
    tensors: BTreeMap<&'a str, &'a Stored>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(tensors: &'a [(String, Stored)]) -> Self {
        Self { tensors: tensors.iter().map(|(name, stored)| (name.as_str(), stored)).collect() }
    }

    /// Those below `prefix`, which ends with a dot.
    pub(crate) fn below(&self, prefix: &str) -> Self {
        let from = self.tensors.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let tensors = from.map_while(|(name, stored)| Some((name.strip_prefix(prefix)?, *stored))).collect();
        Self { tensors }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Stored> {
        self.tensors.get(name).copied()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a Stored)> {
        self.tensors.iter().map(|(name, stored)| (*name, *stored))
    }

    /// Length of one dimension of a tensor.
    pub(crate) fn dim(&self, name: &str, dimension: usize) -> Option<u32> {
        self.get(name)?.shape.get(dimension).and_then(|&n| u32::try_from(n).ok())
    }

    /// Numbers that stand right after `prefix`, as in `input_blocks.7.0.…`: how many there are, running from 0.
    pub(crate) fn count(&self, prefix: &str) -> u32 {
        self.numbers(prefix).into_iter().zip(0..).take_while(|(found, expected)| found == expected).count()
            as u32
    }

    /// As [`Self::count`], where a gap is an error.
    pub(crate) fn count_without_gap(&self, prefix: &str) -> Result<u32, String> {
        let count = self.count(prefix);
        match self.numbers(prefix).last() {
            Some(last) if *last >= count => {
                Err(format!("there are tensors `{prefix}{last}.…` but none `{prefix}{count}.…`"))
            }
            _ => Ok(count),
        }
    }

    fn numbers(&self, prefix: &str) -> BTreeSet<u32> {
        self.below(prefix).iter().filter_map(|(name, _)| name.split('.').next()?.parse().ok()).collect()
    }
}

/// One part's tensors under diffusers' names.
pub(crate) type Named = BTreeMap<String, Stored>;

/// GroupNorm's groups, which files do not record: 32 in the original code; for models so narrow that 32 does not divide
/// every width, the greatest number that divides both.
pub(crate) fn norm_groups(widths: &[u32]) -> u32 {
    fn gcd(a: u32, b: u32) -> u32 {
        if b == 0 { a } else { gcd(b, a % b) }
    }
    widths.iter().fold(32, |groups, &width| gcd(groups, width)).max(1)
}

/// `name` with the first fitting prefix exchanged.
pub(crate) fn exchange(name: &str, prefixes: &[(&str, &str)]) -> Option<String> {
    prefixes.iter().find_map(|(old, new)| Some(format!("{new}{}", name.strip_prefix(old)?)))
}
