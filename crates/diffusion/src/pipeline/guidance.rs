//! Which rows a guided evaluation of the UNet needs, and how their outputs become one.
//!
//! With conditionings `cᵢ` of weights `wᵢ`, the unconditional (or negative) output `u` and guidance scale `s`, A1111's
//! `CFGDenoiser.combine_denoised` gives `u + Σ s wᵢ (cᵢ - u)`; an instruct-pix2pix model, with `p` the output for the
//! negative prompt beside the picture and `n` for the negative prompt alone, gives
//! `n + Σ s wᵢ (cᵢ - p) + sₚ (p - n)` (<https://arxiv.org/abs/2211.09800>, eq. 3). Both are sums with factors that add
//! up to 1. A row whose factor is 0 is not computed: at scale 1 one conditioning needs no second pass.

/// What a row of the UNet's batch is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// The prompt's part of this number, between `AND`s.
    Positive(usize),
    /// The negative prompt.
    Negative,
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) text: Text,
    /// Whether an instruct-pix2pix model sees its picture; of no meaning to others.
    pub(super) sees_picture: bool,
    /// Factor of its output.
    pub(super) factor: f64,
}

/// How to guide.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Guidance {
    rows: Vec<Row>,
    /// Weights of the rows with a positive text, in order, adding up to 1; `None` without `guidance_rescale`.
    rescale: Option<(f64, Vec<f64>)>,
}

/// Factors this small are rounding errors.
const NOTHING: f64 = 1e-9;

impl Guidance {
    /// Guidance by `scale` towards conditionings of these weights; `picture_scale` for instruct-pix2pix models.
    pub(super) fn new(weights: &[f64], scale: f64, picture_scale: Option<f64>, rescale: f64) -> Self {
        let total: f64 = weights.iter().sum();
        let mut rows: Vec<Row> = weights
            .iter()
            .enumerate()
            .map(|(index, weight)| Row {
                text: Text::Positive(index),
                sees_picture: true,
                factor: scale * weight,
            })
            .collect();
        let mut negative =
            |sees_picture, factor| rows.push(Row { text: Text::Negative, sees_picture, factor });
        match picture_scale {
            None => negative(false, 1.0 - scale * total),
            Some(picture_scale) => {
                negative(true, picture_scale - scale * total);
                negative(false, 1.0 - picture_scale);
            }
        }
        rows.retain(|row| row.factor.abs() > NOTHING);
        if rows.is_empty() {
            rows.push(Row { text: Text::Negative, sees_picture: true, factor: 1.0 });
        }
        let positive = |row: &Row| matches!(row.text, Text::Positive(_));
        let kept: f64 = rows.iter().filter(|row| positive(row)).map(|row| row.factor).sum();
        let rescale = (rescale > 0.0 && rows.len() > 1 && kept.abs() > NOTHING).then(|| {
            let shares = rows.iter().filter(|row| positive(row)).map(|row| row.factor / kept).collect();
            (rescale, shares)
        });
        Self { rows, rescale }
    }

    /// The rows to compute.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The guided output of the rows' outputs, in order.
    ///
    /// `guidance_rescale` φ (<https://arxiv.org/abs/2305.08891>, eq. 15 and 16) gives the result the standard deviation
    /// of the conditional output, and mixes that by φ with the plain result. Several conditionings count by weight.
    pub(super) fn combine(&self, outputs: &[Vec<f32>]) -> Vec<f32> {
        let guided = sum(self.rows.iter().map(|row| row.factor).zip(outputs));
        let Some((strength, shares)) = &self.rescale else {
            return guided.into_iter().map(|value| value as f32).collect();
        };
        let positive = self.rows.iter().zip(outputs).filter(|(row, _)| matches!(row.text, Text::Positive(_)));
        let conditional = sum(shares.iter().copied().zip(positive.map(|(_, output)| output)));
        let ratio = deviation(&conditional) / deviation(&guided);
        let factor = if ratio.is_finite() { strength * ratio + (1.0 - strength) } else { 1.0 };
        guided.into_iter().map(|value| (value * factor) as f32).collect()
    }
}

fn sum<'a>(terms: impl Iterator<Item = (f64, &'a Vec<f32>)>) -> Vec<f64> {
    let mut sums = Vec::new();
    for (factor, values) in terms {
        sums.resize(values.len(), 0.0);
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += factor * f64::from(*value));
    }
    sums
}

fn deviation(values: &[f64]) -> f64 {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(weights: &[f64], scale: f64, picture_scale: Option<f64>, outputs: &[f32], expected: f32) {
        let guidance = Guidance::new(weights, scale, picture_scale, 0.0);
        assert_eq!(guidance.rows().len(), outputs.len(), "{weights:?} {scale}");
        let outputs: Vec<Vec<f32>> = outputs.iter().map(|value| vec![*value]).collect();
        let found = guidance.combine(&outputs);
        assert!((found[0] - expected).abs() < 1e-5, "{found:?} {expected}");
    }

    #[test]
    fn rows_and_sums() {
        // u + s (c - u)
        check(&[1.0], 7.5, None, &[3.0, 2.0], 2.0 + 7.5);
        // One pass at scale 1, none of the conditioning at 0.
        check(&[1.0], 1.0, None, &[3.0], 3.0);
        check(&[1.0], 0.0, None, &[2.0], 2.0);
        // AND: 1 + 2·(0.5·(2 - 1) + 3·(4 - 1))
        check(&[0.5, 3.0], 2.0, None, &[2.0, 4.0, 1.0], 20.0);
        check(&[0.25, 0.75], 1.0, None, &[2.0, 4.0], 3.5);
        check(&[1.0, 1.0], 1.0, None, &[2.0, 4.0, 1.0], 5.0);
        // n + s (c - p) + t (p - n), with c = 5, p = 2, n = 1
        check(&[1.0], 7.0, Some(1.5), &[5.0, 2.0, 1.0], 1.0 + 21.0 + 1.5);
        check(&[1.0], 1.5, Some(1.5), &[5.0, 1.0], 1.0 + 4.5 + 1.5);
        check(&[1.0], 1.0, Some(1.0), &[5.0], 5.0);
    }

    #[test]
    fn rescaling_restores_the_conditional_deviation() {
        let guidance = Guidance::new(&[1.0], 3.0, None, 1.0);
        let found = guidance.combine(&[vec![1.0, -1.0, 2.0], vec![0.0, 0.5, -1.0]]);
        let as_f64 = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<_>>();
        let expected = deviation(&[1.0, -1.0, 2.0]);
        assert!((deviation(&as_f64(&found)) - expected).abs() < 1e-6);
        assert_eq!(Guidance::new(&[1.0], 1.0, None, 0.7).rescale, None);
    }
}
