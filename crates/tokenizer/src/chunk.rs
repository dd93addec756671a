//! A prompt's pieces cut into chunks of 77 tokens, A1111's way.

use tarim_recipe::Emphasis;
use tarim_recipe::prompt::{Item, Segment, Span};

use crate::{Tokenizer, TokenizerError, comfy};

/// Tokens that a text encoder takes at a time: start, [`CHUNK_TOKENS`], end.
pub const CHUNK_LENGTH: usize = 77;

/// Tokens of a chunk that can be text.
pub const CHUNK_TOKENS: usize = CHUNK_LENGTH - 2;

/// A1111's default for [`Rules::comma_backtrack`].
pub const COMMA_BACKTRACK: usize = 20;

/// One run of the text encoder. The encoder's outputs of all chunks are concatenated.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// What the encoder is given: start, text, end, padding.
    pub ids: [u32; CHUNK_LENGTH],
    /// The weight of each of them; 1 except at text.
    pub weights: [f32; CHUNK_LENGTH],
    /// The tokens of text, at most [`CHUNK_TOKENS`]; the first stands at `ids[1]`.
    pub tokens: Vec<PlacedToken>,
}

/// A token of text in a chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlacedToken {
    /// Its id.
    pub id: u32,
    /// Its weight.
    pub weight: f64,
    /// Where in the user's prompt it came from.
    pub span: Span,
}

/// How to cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// [`Emphasis::ComfyUi`] cuts ComfyUI's way, everything else A1111's.
    pub emphasis: Emphasis,
    /// When a chunk is full, what follows a comma among its last so many tokens moves to the next chunk; 0 to 74,
    /// 0 is off. A1111's `comma_padding_backtrack`.
    pub comma_backtrack: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self { emphasis: Emphasis::Original, comma_backtrack: COMMA_BACKTRACK }
    }
}

impl Chunk {
    /// Closes a chunk. Padding is the end token, or where the padding is another one, that after the first end
    /// token, even if that stands in the text (A1111's `process_tokens`).
    pub(crate) fn new(tokenizer: &Tokenizer, mut tokens: Vec<PlacedToken>) -> Self {
        tokens.truncate(CHUNK_TOKENS);
        let mut ids = [tokenizer.end(); CHUNK_LENGTH];
        let mut weights = [1.0; CHUNK_LENGTH];
        ids[0] = tokenizer.start();
        for ((id, weight), token) in ids.iter_mut().zip(&mut weights).skip(1).zip(&tokens) {
            *id = token.id;
            *weight = token.weight as f32;
        }
        let mut after_end = ids.iter_mut().skip_while(|id| **id != tokenizer.end());
        after_end.next();
        after_end.for_each(|id| *id = tokenizer.pad());
        Self { ids, weights, tokens }
    }

    /// A chunk without text: the unconditional prompt.
    pub fn empty(tokenizer: &Tokenizer) -> Self {
        Self::new(tokenizer, Vec::new())
    }
}

/// Cuts the pieces of a prompt at a step ([`tarim_recipe::prompt::Run::items`]) into chunks, at least one.
///
/// Each piece is tokenized by itself. Behaviour of `tokenize_line` in A1111's `modules/sd_hijack_clip.py`: `BREAK`
/// closes a chunk even if it is empty; a full chunk is cut at its last comma when that is near enough.
/// With [`Emphasis::Ignore`] the chunks carry the weights all the same.
pub fn chunks(tokenizer: &Tokenizer, items: &[Item], rules: Rules) -> Result<Vec<Chunk>, TokenizerError> {
    if rules.emphasis == Emphasis::ComfyUi {
        return comfy::chunks(tokenizer, items);
    }
    let mut done: Vec<Chunk> = Vec::new();
    let mut open: Vec<PlacedToken> = Vec::new();
    let mut comma: Option<usize> = None;
    for item in items {
        let segment = match item {
            Item::Text(segment) => segment,
            Item::Break(_) => {
                done.push(Chunk::new(tokenizer, std::mem::take(&mut open)));
                comma = None;
                continue;
            }
        };
        for token in place(tokenizer, segment)? {
            let full = open.len() == CHUNK_TOKENS;
            if tokenizer.comma() == Some(token.id) {
                comma = Some(open.len());
                if full {
                    // The comma begins the next chunk, where A1111 has forgotten it again.
                    comma = None;
                }
            }
            if full {
                let near = comma.filter(|comma| open.len() - comma <= rules.comma_backtrack);
                let moved = near.map(|comma| open.split_off(comma + 1)).unwrap_or_default();
                done.push(Chunk::new(tokenizer, std::mem::replace(&mut open, moved)));
                comma = None;
            }
            open.push(token);
        }
    }
    if !open.is_empty() || done.is_empty() {
        done.push(Chunk::new(tokenizer, open));
    }
    Ok(done)
}

/// The tokens of a piece, with their places in the prompt.
pub(crate) fn place(tokenizer: &Tokenizer, segment: &Segment) -> Result<Vec<PlacedToken>, TokenizerError> {
    let weight = segment.weight;
    let tokens = tokenizer.tokens(segment.text.as_str())?;
    let placed =
        |token: crate::Token| PlacedToken { id: token.id, weight, span: segment.text.span(token.range) };
    Ok(tokens.into_iter().map(placed).collect())
}

/// What an editor shows as "12/75".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Tokens in use, with the padding of all chunks but the last, as A1111 counts.
    pub used: usize,
    /// Tokens that fit into this many chunks.
    pub capacity: usize,
}

/// Counts a prompt's tokens.
pub fn count(chunks: &[Chunk]) -> Count {
    let last = chunks.last().map_or(0, |chunk| chunk.tokens.len());
    let used = chunks.len().saturating_sub(1) * CHUNK_TOKENS + last;
    Count { used, capacity: chunks.len().max(1) * CHUNK_TOKENS }
}

/// Appends empty chunks until there are `length`: prompts of equal length can be guided in one batch (A1111's "Pad
/// prompt/negative prompt to be same length").
pub fn pad_to(chunks: &mut Vec<Chunk>, length: usize, tokenizer: &Tokenizer) {
    while chunks.len() < length {
        chunks.push(Chunk::empty(tokenizer));
    }
}
