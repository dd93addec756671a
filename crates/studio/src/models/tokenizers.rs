//! Vocabularies of models, kept: editors ask with every key.

use std::sync::Arc;

use tarim_checkpoint::TokenizerSource;
use tarim_tokenizer::Tokenizer;

use super::{Models, describe, tokenizer};
use crate::error::Result;
use crate::lock;

/// How many tokenizers are kept.
const TOKENIZERS: usize = 8;

impl Models {
    /// The vocabulary of a model, kept for the next time; CLIP's own for a model that cannot be used.
    pub fn tokenizer(&self, id: Option<&str>) -> Result<Arc<Tokenizer>> {
        let model = id.map(|id| self.get(id)).or_else(|| self.first().ok().map(Ok)).transpose()?;
        let source = model
            .as_ref()
            .and_then(|model| model.tokenizer.clone())
            .unwrap_or(TokenizerSource::Clip { pads_with_zero: false });
        let mut kept = lock(&self.tokenizers);
        if let Some(at) = kept.iter().position(|(kept, _)| *kept == source) {
            // The latest goes to the end, so that the oldest is forgotten first.
            let entry = kept.remove(at);
            let tokenizer = Arc::clone(&entry.1);
            kept.push(entry);
            return Ok(tokenizer);
        }
        let checkpoint = match &model {
            Some(model) if model.tokenizer.is_some() => Some(describe::checkpoint(model)?),
            _ => None,
        };
        let made = Arc::new(tokenizer(checkpoint.as_ref())?);
        if kept.len() >= TOKENIZERS {
            kept.remove(0);
        }
        kept.push((source, Arc::clone(&made)));
        Ok(made)
    }
}
