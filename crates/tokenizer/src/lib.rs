//! CLIP's tokenizer, and the ways to cut a weighted prompt into the chunks that a text encoder takes.
//!
//! What belongs here: text to ids ([`Tokenizer`], ids equal to those of transformers' `CLIPTokenizer`), ids to
//! chunks of 77 with weights ([`chunks`]), and both laid open for people ([`describe`]). What does not: the prompt
//! language itself (`tarim_recipe::prompt`) and the arithmetic of weights (the pipeline's).

mod chunk;
mod comfy;
mod describe;
mod error;
mod files;
mod tokenizer;

pub use chunk::{
    CHUNK_LENGTH, CHUNK_TOKENS, COMMA_BACKTRACK, Chunk, Count, PlacedToken, Rules, chunks, count, pad_to,
};
pub use describe::{DescribedPart, DescribedRemark, DescribedRun, DescribedToken, Description, describe};
pub use error::TokenizerError;
pub use files::SpecialTokens;
pub use tokenizer::{Token, Tokenizer};
