//! A prompt's pieces cut into chunks, ComfyUI's way.

use tarim_recipe::prompt::Item;

use crate::chunk::{CHUNK_TOKENS, Chunk, PlacedToken};
use crate::{Tokenizer, TokenizerError};

/// Words of so many tokens may be cut in two.
const LARGE_WORD: usize = 8;

/// Behaviour of `SDTokenizer.tokenize_with_weights` in ComfyUI's `comfy/sd1_clip.py`: words, cut at spaces and line
/// breaks, are tokenized one by one, and stay whole where they have fewer than 8 tokens.
pub(crate) fn chunks(tokenizer: &Tokenizer, items: &[Item]) -> Result<Vec<Chunk>, TokenizerError> {
    let mut done = Vec::new();
    let mut open: Vec<PlacedToken> = Vec::new();
    for item in items {
        let Item::Text(segment) = item else { continue };
        let text = segment.text.as_str();
        let mut start = 0;
        for word in text.split([' ', '\n']) {
            let at = start;
            start += word.len() + 1;
            if word.is_empty() {
                continue;
            }
            let tokens = tokenizer.tokens(word)?.into_iter().map(|token| PlacedToken {
                id: token.id,
                weight: segment.weight,
                span: segment.text.span(at + token.range.start..at + token.range.end),
            });
            let mut tokens: Vec<PlacedToken> = tokens.collect();
            let is_large = tokens.len() >= LARGE_WORD;
            while open.len() + tokens.len() > CHUNK_TOKENS {
                if is_large {
                    let rest = tokens.split_off(CHUNK_TOKENS - open.len());
                    open.append(&mut tokens);
                    tokens = rest;
                }
                done.push(Chunk::new(tokenizer, std::mem::take(&mut open)));
            }
            open.append(&mut tokens);
        }
    }
    done.push(Chunk::new(tokenizer, open));
    Ok(done)
}
