//! Text to ids.

use std::ops::Range;
use std::path::Path;

use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::{Lowercase, NFC, Replace, Sequence as Normalizers};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizers;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, SplitDelimiterBehavior};

use crate::TokenizerError;
use crate::files::{SpecialTokens, Vocabulary, WORD_END};

/// What becomes a word of its own, after lower-casing.
const WORDS: &str =
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// CLIP's byte-level BPE tokenizer, over any vocabulary of that kind.
///
/// Runs Hugging Face's `tokenizers` with the same steps as transformers 5's `CLIPTokenizer`: NFC, white space to
/// one space, lower case, words by a pattern, bytes, merges. Special tokens in a text are taken as such; so with
/// Stable Diffusion 2.x, whose padding is `!`, every `!` is token 0, as it is there.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    start: u32,
    end: u32,
    pad: u32,
    comma: Option<u32>,
}

/// A token and the bytes of the text that it came from, on character boundaries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: u32,
    /// Bytes of the encoded text.
    pub range: Range<usize>,
}

impl Tokenizer {
    /// CLIP's own vocabulary, with which Stable Diffusion 1.x was trained; see
    /// [`SpecialTokens::padded_with_zero`] for 2.x.
    pub fn clip(special: &SpecialTokens) -> Result<Self, TokenizerError> {
        Self::new(Vocabulary::clip()?, special)
    }

    /// A diffusers model's `tokenizer` folder: `tokenizer.json`, or `vocab.json` and `merges.txt`, and the special
    /// tokens of `tokenizer_config.json` or `special_tokens_map.json`.
    pub fn open(folder: &Path) -> Result<Self, TokenizerError> {
        let file = |name: &str| folder.join(name);
        let configs = ["tokenizer_config.json", "special_tokens_map.json"].map(file);
        let special = match configs.iter().find(|path| path.is_file()) {
            Some(path) => SpecialTokens::from_json(&read(path)?)?,
            None => SpecialTokens::default(),
        };
        let (json, vocab, merges) = (file("tokenizer.json"), file("vocab.json"), file("merges.txt"));
        if json.is_file() {
            Self::from_json(&read(&json)?, &special)
        } else if vocab.is_file() && merges.is_file() {
            Self::from_bytes(&read(&vocab)?, &read(&merges)?, &special)
        } else {
            Err(TokenizerError::NoFiles { folder: folder.to_owned() })
        }
    }

    /// `vocab.json` and `merges.txt`, by path.
    pub fn from_files(vocab: &Path, merges: &Path, special: &SpecialTokens) -> Result<Self, TokenizerError> {
        Self::from_bytes(&read(vocab)?, &read(merges)?, special)
    }

    /// The contents of `vocab.json` and `merges.txt`.
    pub fn from_bytes(
        vocab_json: &[u8],
        merges_txt: &[u8],
        special: &SpecialTokens,
    ) -> Result<Self, TokenizerError> {
        Self::new(Vocabulary::from_pair(vocab_json, merges_txt)?, special)
    }

    /// The contents of `tokenizer.json`.
    pub fn from_json(tokenizer_json: &[u8], special: &SpecialTokens) -> Result<Self, TokenizerError> {
        Self::new(Vocabulary::from_tokenizer_json(tokenizer_json)?, special)
    }

    fn new(vocabulary: Vocabulary, special: &SpecialTokens) -> Result<Self, TokenizerError> {
        let id = |role: &'static str, token: &str| {
            let missing = || TokenizerError::MissingToken { role, token: token.to_owned() };
            vocabulary.ids.get(token).copied().ok_or_else(missing)
        };
        let start = id("start", &special.start)?;
        let end = id("end", &special.end)?;
        let pad = id("padding", &special.pad)?;
        id("unknown", &special.unknown)?;
        let comma = vocabulary.ids.get(&format!(",{WORD_END}")).copied();

        let model = BPE::builder()
            .vocab_and_merges(
                vocabulary.ids.into_iter().collect::<tokenizers::models::bpe::Vocab>(),
                vocabulary.merges,
            )
            .unk_token(special.unknown.clone())
            .continuing_subword_prefix(String::new())
            .end_of_word_suffix(WORD_END.to_owned())
            .build()
            .map_err(TokenizerError::Library)?;
        let mut inner = tokenizers::Tokenizer::new(model);
        let spaces =
            Replace::new(tokenizers::normalizers::replace::ReplacePattern::Regex(r"\s+".to_owned()), " ")
                .map_err(TokenizerError::Library)?;
        let normalizers = Normalizers::new(vec![NFC.into(), spaces.into(), Lowercase.into()]);
        inner.with_normalizer(Some(normalizers)).map_err(TokenizerError::Library)?;
        let words = Split::new(SplitPattern::Regex(WORDS.to_owned()), SplitDelimiterBehavior::Removed, true)
            .map_err(TokenizerError::Library)?;
        let bytes = ByteLevel::new(false, true, true);
        inner.with_pre_tokenizer(Some(PreTokenizers::new(vec![words.into(), bytes.into()])));
        let tokens = [&special.start, &special.end, &special.pad, &special.unknown];
        inner
            .add_special_tokens(tokens.map(|token| AddedToken::from(token.clone(), true)))
            .map_err(TokenizerError::Library)?;
        Ok(Self { inner, start, end, pad, comma })
    }

    /// The ids of a text, without start, end and padding.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let encoding = self.inner.encode_fast(text, false).map_err(TokenizerError::Library)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The ids of a text with the place of each in it.
    pub fn tokens(&self, text: &str) -> Result<Vec<Token>, TokenizerError> {
        let encoding = self.inner.encode(text, false).map_err(TokenizerError::Library)?;
        let token = |(&id, &(start, end)): (&u32, &(usize, usize))| Token { id, range: start..end };
        Ok(encoding.get_ids().iter().zip(encoding.get_offsets()).map(token).collect())
    }

    /// The token that begins a chunk.
    pub fn start(&self) -> u32 {
        self.start
    }

    /// The token that ends a chunk.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// The token that fills a chunk after its end.
    pub fn pad(&self) -> u32 {
        self.pad
    }

    /// The comma as a word, if the vocabulary has it.
    pub fn comma(&self) -> Option<u32> {
        self.comma
    }

    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// Whether there are no tokens; never, for a tokenizer has its special tokens.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A token as the vocabulary writes it, such as `cat</w>`.
    pub fn text(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TokenizerError> {
    std::fs::read(path).map_err(|source| TokenizerError::Read { path: path.to_owned(), source })
}
