//! What can go wrong.

use std::path::PathBuf;

/// Why a tokenizer cannot be had, or cannot do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// A file of the tokenizer cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder holds neither `tokenizer.json` nor `vocab.json` with `merges.txt`.
    #[error("{} has neither tokenizer.json nor vocab.json and merges.txt; copy the model's tokenizer folder again", folder.display())]
    NoFiles {
        /// The folder.
        folder: PathBuf,
    },
    /// A JSON file does not have the shape it should.
    #[error("the tokenizer's {what} cannot be understood: {source}")]
    Json {
        /// Which file.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// `tokenizer.json` is of another kind than CLIP's.
    #[error("the tokenizer is of kind {found}, and CLIP's is BPE")]
    Kind {
        /// The kind in the file.
        found: String,
    },
    /// A merge is not two tokens of the vocabulary that make a third.
    #[error(
        "merge {number} ({left} {right}) does not fit the vocabulary; the tokenizer's files do not belong together"
    )]
    Merge {
        /// Which merge, from 1.
        number: usize,
        /// Its first half.
        left: String,
        /// Its second half.
        right: String,
    },
    /// The vocabulary lacks a token that the encoder needs.
    #[error("the vocabulary has no {role} token {token:?}")]
    MissingToken {
        /// What the token is for.
        role: &'static str,
        /// The token.
        token: String,
    },
    /// The tokenizers library refused.
    #[error("the tokenizer failed: {0}")]
    Library(#[source] tokenizers::Error),
}
