//! How prompt weights change what the text encoder made of a prompt.

use tarim_recipe::Emphasis;
use tarim_tokenizer::{CHUNK_LENGTH, Chunk};

/// One chunk with its encoding, `[CHUNK_LENGTH, width]` in rows of tokens.
pub(super) struct Encoded<'a> {
    pub(super) chunk: &'a Chunk,
    pub(super) hidden: Vec<f32>,
    /// How many of the texts that are encoded together have it.
    pub(super) times: usize,
}

/// Applies the weights of chunks that are encoded together.
///
/// - `Original` (A1111's `EmphasisOriginal` in `modules/sd_emphasis.py`): each token's row is multiplied by its weight,
///   then everything by the ratio of the means before and after. A1111 encodes all texts of one prompt's schedule in
///   one batch, so the means are those of the texts' n-th chunks together; `chunks` are these.
/// - `NoNorm`: the first half of that.
/// - `Ignore` and `None`: nothing.
/// - `ComfyUi` (`ClipTokenWeightEncoder` in `comfy/sd1_clip.py`): a row is moved along the line from the row at the same
///   place of the empty prompt's encoding, `empty`.
pub(super) fn apply(chunks: &mut [Encoded<'_>], rule: Emphasis, empty: Option<&[f32]>) {
    match rule {
        Emphasis::Original => {
            if !chunks.iter().any(Encoded::is_weighted) {
                return;
            }
            let before = mean(chunks);
            multiply(chunks);
            let ratio = before / mean(chunks);
            if ratio.is_finite() {
                let values = chunks.iter_mut().flat_map(|chunk| &mut chunk.hidden);
                values.for_each(|value| *value = (f64::from(*value) * ratio) as f32);
            }
        }
        Emphasis::NoNorm => multiply(chunks),
        Emphasis::Ignore | Emphasis::None => {}
        Emphasis::ComfyUi => {
            let origin = empty.unwrap_or_default();
            for chunk in chunks {
                let width = chunk.width();
                for ((row, weight), origin) in chunk.weighted_rows().zip(origin.chunks_exact(width)) {
                    if weight != 1.0 {
                        row.iter_mut()
                            .zip(origin)
                            .for_each(|(z, origin)| *z = (*z - origin) * weight + origin);
                    }
                }
            }
        }
    }
}

impl Encoded<'_> {
    /// Whether any weight is not 1.
    pub(super) fn is_weighted(&self) -> bool {
        self.chunk.weights.iter().any(|weight| *weight != 1.0)
    }

    fn width(&self) -> usize {
        (self.hidden.len() / CHUNK_LENGTH).max(1)
    }

    fn weighted_rows(&mut self) -> impl Iterator<Item = (&mut [f32], f32)> {
        let width = self.width();
        self.hidden.chunks_exact_mut(width).zip(self.chunk.weights)
    }
}

fn multiply(chunks: &mut [Encoded<'_>]) {
    for chunk in chunks {
        for (row, weight) in chunk.weighted_rows() {
            for value in row {
                *value *= weight;
            }
        }
    }
}

fn mean(chunks: &[Encoded<'_>]) -> f64 {
    let count: usize = chunks.iter().map(|chunk| chunk.hidden.len() * chunk.times).sum();
    let total = |chunk: &Encoded<'_>| {
        chunk.hidden.iter().map(|value| f64::from(*value)).sum::<f64>() * chunk.times as f64
    };
    chunks.iter().map(total).sum::<f64>() / count.max(1) as f64
}
