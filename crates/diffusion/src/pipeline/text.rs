//! Prompts to the hidden states that condition the UNet.

use std::collections::VecDeque;
use std::sync::Arc;

use tarim_recipe::prompt::{Role, Scheduled, Timeline, parse};
use tarim_recipe::{Emphasis, Recipe};
use tarim_tokenizer::{CHUNK_LENGTH, COMMA_BACKTRACK, Chunk, Rules, Tokenizer, chunks, pad_to};
use tch::Tensor;

use super::emphasis::{self, Encoded};
use super::error::Result;
use super::latents::to_values;
use crate::error::DiffusionError;
use crate::nets::ClipTextModel;

/// Chunks whose encodings are kept; 128 of SD 2's take 40 MB.
const CACHED_CHUNKS: usize = 128;

/// A text's hidden states, `[tokens, width]`.
#[derive(Debug, PartialEq)]
pub(super) struct Context {
    pub(super) tokens: usize,
    pub(super) values: Vec<f32>,
}

impl Context {
    /// Makes it `tokens` long by repeating its last row.
    ///
    /// A1111's `reconstruct_multicond_batch` does that to the shorter ones of the conditionings between `AND`s. The
    /// negative prompt is never lengthened: where its length differs, it has a UNet call of its own, which is what
    /// A1111 does unless told to "pad prompt/negative prompt".
    pub(super) fn padded_values(&self, tokens: usize) -> Vec<f32> {
        let width = self.values.len() / self.tokens.max(1);
        let last = self.values.get(self.values.len() - width..).unwrap_or_default();
        let missing = tokens.saturating_sub(self.tokens);
        self.values.iter().chain(last.iter().cycle().take(missing * width)).copied().collect()
    }
}

/// One part of a prompt over the steps.
#[derive(Debug)]
pub(super) struct Conditioning {
    pub(super) weight: f64,
    /// Last step, counted from 1, and what holds until then; at least one.
    runs: Vec<(u32, Arc<Context>)>,
}

impl Conditioning {
    /// What holds at a step, counted from 1.
    pub(super) fn at(&self, step: u32) -> Option<&Arc<Context>> {
        let run = self.runs.iter().find(|(until, _)| step <= *until).or(self.runs.last());
        run.map(|(_, context)| context)
    }
}

/// Both prompts of a recipe.
#[derive(Debug)]
pub(super) struct Prompts {
    /// The parts between `AND`s, at least one.
    pub(super) positive: Vec<Conditioning>,
    pub(super) negative: Conditioning,
}

/// Tokenizer, text encoder and the encodings used last.
pub(super) struct TextEncoder {
    tokenizer: Tokenizer,
    clip: ClipTextModel,
    /// The most recently used first.
    cache: VecDeque<(CacheKey, Arc<Vec<f32>>)>,
    width: usize,
}

#[derive(Clone, PartialEq)]
struct CacheKey {
    ids: [u32; CHUNK_LENGTH],
    clip_skip: u8,
}

impl TextEncoder {
    /// `width` is the encoder's `hidden_size`.
    pub(super) fn new(tokenizer: Tokenizer, clip: ClipTextModel, width: usize) -> Self {
        Self { tokenizer, clip, cache: VecDeque::new(), width }
    }

    /// Encodes both prompts of a recipe. Schedules (`[a:b:0.5]`) count the recipe's steps from the first that is
    /// rendered, also where an initial picture leaves the last steps out, as A1111 does.
    pub(super) fn prompts(&mut self, recipe: &Recipe) -> Result<Prompts> {
        let timeline = Timeline::new(recipe.steps);
        let mut encode = |text: &str, role| {
            let resolved = parse(text, recipe.emphasis, role).resolve(timeline);
            resolved
                .conditionings
                .iter()
                .map(|part| self.conditioning(part, recipe.emphasis, recipe.clip_skip))
                .collect::<Result<Vec<_>>>()
        };
        let positive = encode(&recipe.prompt.text, Role::Positive)?;
        let mut negative = encode(&recipe.negative_prompt.text, Role::Negative)?;
        negative.truncate(1);
        let negative = negative.pop().unwrap_or(Conditioning { weight: 1.0, runs: Vec::new() });
        Ok(Prompts { positive, negative })
    }

    fn conditioning(&mut self, part: &Scheduled, rule: Emphasis, clip_skip: u8) -> Result<Conditioning> {
        // Alternation gives one run a step, of few different texts.
        let mut texts: Vec<(&str, usize, Vec<Chunk>)> = Vec::new();
        let mut runs = Vec::with_capacity(part.runs.len());
        let rules = Rules { emphasis: rule, comma_backtrack: COMMA_BACKTRACK };
        for run in &part.runs {
            let text = run.text.as_str();
            let known = texts.iter().position(|(known, ..)| *known == text);
            let index = known.unwrap_or(texts.len());
            if known.is_none() {
                texts.push((text, 0, chunks(&self.tokenizer, &run.items, rules)?));
            }
            if let Some((_, times, _)) = texts.get_mut(index) {
                *times += 1;
            }
            runs.push((run.until_step, index));
        }
        // A1111 encodes all texts of a schedule in one batch, so the shorter ones end in empty chunks.
        let length = texts.iter().map(|(.., chunks)| chunks.len()).max().unwrap_or(1);
        for (.., chunks) in &mut texts {
            pad_to(chunks, length, &self.tokenizer);
        }

        let mut values: Vec<Vec<f32>> = vec![Vec::new(); texts.len()];
        for place in 0..length {
            let mut encoded = Vec::with_capacity(texts.len());
            for (_, times, chunks) in &texts {
                if let Some(chunk) = chunks.get(place) {
                    let hidden = self.hidden(&chunk.ids, clip_skip)?.as_ref().clone();
                    encoded.push(Encoded { chunk, hidden, times: *times });
                }
            }
            let needs_empty = rule == Emphasis::ComfyUi && encoded.iter().any(Encoded::is_weighted);
            let empty = if needs_empty {
                Some(self.hidden(&Chunk::empty(&self.tokenizer).ids, clip_skip)?)
            } else {
                None
            };
            emphasis::apply(&mut encoded, rule, empty.as_ref().map(|empty| empty.as_slice()));
            values.iter_mut().zip(encoded).for_each(|(values, encoded)| values.extend(encoded.hidden));
        }
        let contexts: Vec<Arc<Context>> = values
            .into_iter()
            .map(|values| Arc::new(Context { tokens: values.len() / self.width.max(1), values }))
            .collect();
        let runs = runs
            .into_iter()
            .filter_map(|(until, index)| Some((until, Arc::clone(contexts.get(index)?))))
            .collect();
        Ok(Conditioning { weight: part.weight, runs })
    }

    /// The encoder's output for one chunk, by itself: what else is encoded changes nothing.
    fn hidden(&mut self, ids: &[u32; CHUNK_LENGTH], clip_skip: u8) -> Result<Arc<Vec<f32>>> {
        let key = CacheKey { ids: *ids, clip_skip };
        if let Some(at) = self.cache.iter().position(|(known, _)| *known == key)
            && let Some(entry) = self.cache.remove(at)
        {
            let found = Arc::clone(&entry.1);
            self.cache.push_front(entry);
            return Ok(found);
        }
        let ids: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
        let ids = Tensor::f_from_slice(&ids)
            .and_then(|ids| ids.f_view([1, CHUNK_LENGTH as i64]))
            .map_err(|error| DiffusionError::torch("encoding a prompt", &error))?;
        let encoding = self.clip.forward(&ids, usize::from(clip_skip))?;
        let values = Arc::new(to_values(&encoding.hidden)?);
        self.cache.push_front((key, Arc::clone(&values)));
        self.cache.truncate(CACHED_CHUNKS);
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shorter_contexts_repeat_their_last_row() {
        let context = Context { tokens: 2, values: vec![1.0, 2.0, 3.0, 4.0] };
        assert_eq!(context.padded_values(4), [1.0, 2.0, 3.0, 4.0, 3.0, 4.0, 3.0, 4.0]);
        assert_eq!(context.padded_values(1), context.values);
    }

    #[test]
    fn runs_hold_until_their_step() {
        let context = |tokens| Arc::new(Context { tokens, values: Vec::new() });
        let conditioning = Conditioning { weight: 1.0, runs: vec![(3, context(1)), (8, context(2))] };
        let check =
            |step, expected| assert_eq!(conditioning.at(step).unwrap().tokens, expected, "step {step}");
        check(1, 1);
        check(3, 1);
        check(4, 2);
        check(99, 2);
    }
}
