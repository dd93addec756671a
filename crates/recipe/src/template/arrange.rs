//! Which options are taken together: the arrangements of some of `n` options, in order, counted and found by number.
//!
//! The order is that of dynamic prompts: first by how many are taken, then by which options stand in which place, the
//! options of the first place changing slowest, then by the values of the options, those of the first place slowest.

use num_bigint::BigUint;

use super::MAX_COUNT_BITS;

/// Work for finding one arrangement beyond which none is promised.
const MAX_WORK: usize = 4_000_000;

/// Bits that the sizes of all numbers of options may fill together.
const MAX_BLOCK_BITS: u64 = 1 << 26;

#[derive(Debug)]
pub(super) struct Arrangements {
    shape: Shape,
    /// By how many are taken: the number and how many arrangements there are.
    blocks: Vec<(usize, BigUint)>,
    total: BigUint,
}

#[derive(Debug)]
enum Shape {
    /// One of the options: the sum of the counts up to and with each.
    One(Vec<BigUint>),
    /// Options with as many values each.
    Even { options: usize, each: BigUint },
    /// `symmetric[k]`: the sum over all sets of `k` options of the products of their counts.
    Uneven { counts: Vec<BigUint>, symmetric: Vec<BigUint> },
}

/// A place of an arrangement: the option, and which of its values.
pub(super) type Place = (usize, BigUint);

impl Arrangements {
    /// Of `least` to `most` options, which have `counts` values. `None`: too many to number.
    pub(super) fn new(counts: &[BigUint], least: usize, most: usize) -> Option<Self> {
        let one = BigUint::from(1_u8);
        if (least, most) == (1, 1) {
            let mut total = BigUint::ZERO;
            let mut sums = Vec::with_capacity(counts.len());
            for count in counts {
                total += count;
                sums.push(total.clone());
            }
            let blocks = vec![(1, total.clone())];
            return (total.bits() <= MAX_COUNT_BITS).then_some(Self {
                shape: Shape::One(sums),
                blocks,
                total,
            });
        }
        let first = counts.first().unwrap_or(&one);
        let shape = if counts.iter().all(|count| count == first) {
            Shape::Even { options: counts.len(), each: first.clone() }
        } else {
            if counts.len().saturating_mul(most).saturating_mul(most) > MAX_WORK {
                return None;
            }
            let mut symmetric = vec![BigUint::ZERO; most + 1];
            if let Some(none) = symmetric.first_mut() {
                none.clone_from(&one);
            }
            for count in counts {
                for k in (1..=most).rev() {
                    let with = symmetric.get(k - 1).map(|it| it * count).unwrap_or_default();
                    if let Some(sum) = symmetric.get_mut(k) {
                        *sum += with;
                    }
                }
            }
            Shape::Uneven { counts: counts.to_vec(), symmetric }
        };
        let mut this = Self { shape, blocks: Vec::new(), total: BigUint::ZERO };
        // k! or P(n, k) * each^k.
        let mut size = one;
        let mut bits = 0;
        for k in 0..=most {
            if k > 0 {
                match &this.shape {
                    Shape::Even { options, each } => size *= each * BigUint::from(options + 1 - k),
                    _ => size *= BigUint::from(k),
                }
            }
            bits += size.bits();
            if size.bits() > MAX_COUNT_BITS || bits > MAX_BLOCK_BITS {
                return None;
            }
            if k >= least {
                let block = match &this.shape {
                    Shape::Uneven { symmetric, .. } => &size * symmetric.get(k)?,
                    _ => size.clone(),
                };
                this.total += &block;
                this.blocks.push((k, block));
            }
        }
        (this.total.bits() <= MAX_COUNT_BITS).then_some(this)
    }

    pub(super) fn total(&self) -> &BigUint {
        &self.total
    }

    /// The arrangement of a number below the total.
    pub(super) fn nth(&self, index: &BigUint) -> Vec<Place> {
        let mut index = index.clone();
        let mut taken = 0;
        for (k, size) in &self.blocks {
            taken = *k;
            if index < *size {
                break;
            }
            index -= size;
        }
        match &self.shape {
            Shape::One(sums) => {
                let option = sums.partition_point(|sum| *sum <= index);
                let before = option.checked_sub(1).and_then(|it| sums.get(it));
                vec![(option, before.map_or_else(|| index.clone(), |it| &index - it))]
            }
            Shape::Even { options, each } => even(*options, each, taken, index),
            Shape::Uneven { counts, symmetric } => uneven(counts, symmetric, taken, index),
        }
    }
}

fn even(options: usize, each: &BigUint, taken: usize, index: BigUint) -> Vec<Place> {
    let values = each.pow(taken as u32);
    let (mut which, values_index) = (&index / &values, index % values);
    // Arrangements of the places after the first.
    let mut size = BigUint::from(1_u8);
    for k in 1..taken {
        size *= options - k;
    }
    let mut left: Vec<usize> = (0..options).collect();
    let mut chosen = Vec::with_capacity(taken);
    for place in 0..taken {
        let option = usize::try_from(&which / &size).unwrap_or_default().min(left.len().saturating_sub(1));
        which %= &size;
        chosen.push(left.remove(option));
        size /= (options - place - 1).max(1);
    }
    with_values(chosen, |_| each, values_index)
}

fn uneven(counts: &[BigUint], symmetric: &[BigUint], taken: usize, mut index: BigUint) -> Vec<Place> {
    let mut sums: Vec<BigUint> = symmetric.iter().take(taken + 1).cloned().collect();
    let mut left: Vec<usize> = (0..counts.len()).collect();
    let mut chosen = Vec::with_capacity(taken);
    // The values of the options chosen so far, times the orders of the places that are left.
    let mut factor = (1..taken).fold(BigUint::from(1_u8), |product, k| product * k);
    for rest in (0..taken).rev() {
        let mut found = None;
        for (place, option) in left.iter().enumerate() {
            let Some(count) = counts.get(*option) else { continue };
            let without = without(&sums, count, rest);
            let size = &factor * count * without.last().unwrap_or(&BigUint::ZERO);
            if index < size {
                found = Some((place, without));
                break;
            }
            index -= size;
        }
        let Some((place, without)) = found else { break };
        let option = left.remove(place);
        chosen.push(option);
        sums = without;
        if let Some(count) = counts.get(option) {
            factor *= count;
        }
        factor /= rest.max(1);
    }
    let none = BigUint::from(1_u8);
    with_values(chosen, |option| counts.get(option).unwrap_or(&none), index)
}

/// The sums of products up to `most` options when an option with `count` values is left out.
fn without(sums: &[BigUint], count: &BigUint, most: usize) -> Vec<BigUint> {
    let mut without: Vec<BigUint> = Vec::with_capacity(most + 1);
    for sum in sums.iter().take(most + 1) {
        let with = without.last().map(|it| it * count).unwrap_or_default();
        without.push(sum - with);
    }
    without
}

/// The values of the chosen options, the last changing fastest.
fn with_values<'a>(
    chosen: Vec<usize>,
    count: impl Fn(usize) -> &'a BigUint,
    mut index: BigUint,
) -> Vec<Place> {
    let mut places: Vec<Place> = chosen.into_iter().map(|option| (option, BigUint::ZERO)).collect();
    for (option, value) in places.iter_mut().rev() {
        let count = count(*option);
        *value = &index % count;
        index /= count;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every arrangement, by plain recursion.
    fn all(counts: &[usize], least: usize, most: usize) -> Vec<Vec<(usize, usize)>> {
        fn options(n: usize, k: usize, chosen: &mut Vec<usize>, out: &mut Vec<Vec<usize>>) {
            if k == 0 {
                out.push(chosen.clone());
            }
            for option in (0..n).filter(|_| k > 0) {
                if !chosen.contains(&option) {
                    chosen.push(option);
                    options(n, k - 1, chosen, out);
                    chosen.pop();
                }
            }
        }
        let mut out = Vec::new();
        for k in least..=most {
            let mut sequences = Vec::new();
            options(counts.len(), k, &mut Vec::new(), &mut sequences);
            for sequence in sequences {
                let mut products = vec![Vec::new()];
                for option in sequence {
                    products = products
                        .into_iter()
                        .flat_map(|product| {
                            (0..counts[option]).map(move |value| {
                                let mut product: Vec<(usize, usize)> = product.clone();
                                product.push((option, value));
                                product
                            })
                        })
                        .collect();
                }
                out.extend(products);
            }
        }
        out
    }

    #[test]
    fn every_arrangement_in_order() {
        for counts in [&[1, 1, 1][..], &[2, 2, 2], &[1, 2, 3], &[3, 1, 1, 2], &[5], &[1, 1, 1, 4]] {
            for least in 0..=counts.len() {
                for most in least..=counts.len() {
                    let big: Vec<BigUint> = counts.iter().map(|it| BigUint::from(*it)).collect();
                    let arrangements = Arrangements::new(&big, least, most).unwrap();
                    let expected = all(counts, least, most);
                    assert_eq!(
                        *arrangements.total(),
                        BigUint::from(expected.len()),
                        "{counts:?} {least} {most}"
                    );
                    for (index, expected) in expected.iter().enumerate() {
                        let found: Vec<(usize, usize)> = arrangements
                            .nth(&BigUint::from(index))
                            .into_iter()
                            .map(|(option, value)| (option, usize::try_from(value).unwrap()))
                            .collect();
                        assert_eq!(found, *expected, "{counts:?} {least} {most} {index}");
                    }
                }
            }
        }
    }
}
