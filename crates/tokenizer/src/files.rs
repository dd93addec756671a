//! Tokenizer files: `vocab.json` and `merges.txt`, or `tokenizer.json`; and CLIP's own, built in.

use std::collections::HashMap;

use serde::Deserialize;

use crate::TokenizerError;

/// CLIP's merges, see `assets/clip/README.md`.
const CLIP_MERGES: &str = include_str!("../../../assets/clip/merges.txt");

/// End of a word, as CLIP's vocabulary writes it.
pub(crate) const WORD_END: &str = "</w>";

/// Tokens with a task, by their text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Begins every chunk.
    pub start: String,
    /// Ends every chunk.
    pub end: String,
    /// Fills a chunk after its end.
    pub pad: String,
    /// Stands for what the vocabulary lacks.
    pub unknown: String,
}

impl Default for SpecialTokens {
    /// Those of CLIP and Stable Diffusion 1.x, which pad with the end token.
    fn default() -> Self {
        let end = "<|endoftext|>".to_owned();
        Self { start: "<|startoftext|>".to_owned(), end: end.clone(), pad: end.clone(), unknown: end }
    }
}

impl SpecialTokens {
    /// Those of Stable Diffusion 2.x, which pads with `!`, token 0.
    pub fn padded_with_zero() -> Self {
        Self { pad: "!".to_owned(), ..Self::default() }
    }

    /// Reads `tokenizer_config.json` or `special_tokens_map.json`; what is missing is CLIP's.
    pub fn from_json(json: &[u8]) -> Result<Self, TokenizerError> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Object { content: String },
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Config {
            #[serde(rename = "bos_token")]
            start: Option<Written>,
            #[serde(rename = "eos_token")]
            end: Option<Written>,
            #[serde(rename = "pad_token")]
            pad: Option<Written>,
            #[serde(rename = "unk_token")]
            unknown: Option<Written>,
        }
        let config: Config = serde_json::from_slice(json)
            .map_err(|source| TokenizerError::Json { what: "tokenizer_config.json", source })?;
        let or = |written: Option<Written>, default: String| match written {
            Some(Written::Text(text) | Written::Object { content: text }) => text,
            None => default,
        };
        let clip = Self::default();
        Ok(Self {
            start: or(config.start, clip.start),
            end: or(config.end, clip.end),
            pad: or(config.pad, clip.pad),
            unknown: or(config.unknown, clip.unknown),
        })
    }
}

/// A vocabulary and its merges, checked against each other.
pub(crate) struct Vocabulary {
    pub(crate) ids: HashMap<String, u32>,
    pub(crate) merges: Vec<(String, String)>,
}

impl Vocabulary {
    /// CLIP's own: 49,408 tokens.
    pub(crate) fn clip() -> Result<Self, TokenizerError> {
        let merges = read_merges(CLIP_MERGES)?;
        let special = SpecialTokens::default();
        let bytes: Vec<char> = byte_characters().collect();
        let tokens = bytes
            .iter()
            .map(char::to_string)
            .chain(bytes.iter().map(|c| format!("{c}{WORD_END}")))
            .chain(merges.iter().map(|(left, right)| format!("{left}{right}")))
            .chain([special.start, special.end]);
        let ids = tokens.zip(0..).collect();
        Self { ids, merges }.checked()
    }

    /// `vocab.json` (token to id) and `merges.txt`.
    pub(crate) fn from_pair(vocab_json: &[u8], merges_txt: &[u8]) -> Result<Self, TokenizerError> {
        let ids = serde_json::from_slice(vocab_json)
            .map_err(|source| TokenizerError::Json { what: "vocab.json", source })?;
        let merges = read_merges(&String::from_utf8_lossy(merges_txt))?;
        Self { ids, merges }.checked()
    }

    /// `tokenizer.json` of Hugging Face's tokenizers: its vocabulary and merges. The rest of such a file is fixed
    /// for CLIP, and transformers too takes only these two.
    pub(crate) fn from_tokenizer_json(json: &[u8]) -> Result<Self, TokenizerError> {
        #[derive(Deserialize)]
        struct File {
            model: Model,
        }
        #[derive(Deserialize)]
        struct Model {
            #[serde(rename = "type")]
            kind: Option<String>,
            vocab: serde_json::Value,
            #[serde(default)]
            merges: Vec<Merge>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Merge {
            Line(String),
            Pair(String, String),
        }
        let bad = |source| TokenizerError::Json { what: "tokenizer.json", source };
        let file: File = serde_json::from_slice(json).map_err(bad)?;
        if let Some(found) = file.model.kind.filter(|kind| kind != "BPE") {
            return Err(TokenizerError::Kind { found });
        }
        let ids = serde_json::from_value(file.model.vocab).map_err(bad)?;
        let merges = file.model.merges.into_iter().enumerate().map(|(index, merge)| match merge {
            Merge::Line(line) => pair(&line, index + 1),
            Merge::Pair(left, right) => Ok((left, right)),
        });
        Self { ids, merges: merges.collect::<Result<_, _>>()? }.checked()
    }

    /// The tokenizers library panics on merges that make unknown tokens, so look first.
    fn checked(self) -> Result<Self, TokenizerError> {
        let mut merged = String::new();
        for (index, (left, right)) in self.merges.iter().enumerate() {
            merged.clear();
            merged.push_str(left);
            merged.push_str(right);
            if ![left, right, &merged].iter().all(|token| self.ids.contains_key(*token)) {
                let (left, right) = (left.clone(), right.clone());
                return Err(TokenizerError::Merge { number: index + 1, left, right });
            }
        }
        Ok(self)
    }
}

/// One pair a line; a first line `#version: 0.2` is skipped, other lines may well begin with `#`.
fn read_merges(text: &str) -> Result<Vec<(String, String)>, TokenizerError> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with("#version"));
    lines.enumerate().map(|(index, line)| pair(line, index + 1)).collect()
}

fn pair(line: &str, number: usize) -> Result<(String, String), TokenizerError> {
    match line.trim_end_matches('\r').split_once(' ') {
        Some((left, right)) if !right.contains(' ') => Ok((left.to_owned(), right.to_owned())),
        _ => Err(TokenizerError::Merge { number, left: line.to_owned(), right: String::new() }),
    }
}

/// The characters that stand for bytes, in the order of their ids (GPT-2's `bytes_to_unicode`): first the bytes
/// that print, as themselves, then the others as the characters from 256 on.
fn byte_characters() -> impl Iterator<Item = char> {
    let printing = (b'!'..=b'~').chain(0xA1..=0xAC).chain(0xAE..=0xFF).map(char::from);
    let others = (0x100..0x100 + 68).filter_map(char::from_u32);
    printing.chain(others)
}
