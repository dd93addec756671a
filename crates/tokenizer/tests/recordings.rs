//! Ids against those of transformers' CLIPTokenizer, and chunks against an independent computation of A1111's and
//! ComfyUI's rules, see `tests/parity/tokenizer.py`.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tarim_recipe::Emphasis;
use tarim_recipe::prompt::{Role, Timeline, parse};
use tarim_tokenizer::{CHUNK_LENGTH, Chunk, Rules, SpecialTokens, Tokenizer, chunks};

fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/goldens/tokenizer")).join(name)
}

fn recording<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_slice(&std::fs::read(path(name)).unwrap()).unwrap()
}

static SD1: LazyLock<Tokenizer> = LazyLock::new(|| Tokenizer::clip(&SpecialTokens::default()).unwrap());
static SD2: LazyLock<Tokenizer> =
    LazyLock::new(|| Tokenizer::clip(&SpecialTokens::padded_with_zero()).unwrap());

#[derive(Deserialize)]
struct Explicit {
    cases: Vec<ExplicitCase>,
}

#[derive(Deserialize)]
struct ExplicitCase {
    text: String,
    ids: Vec<u32>,
}

#[test]
fn ids_are_those_of_transformers() {
    let tokenizer = &SD1;
    let cases = recording::<Explicit>("explicit.json").cases;
    assert!(cases.len() > 250);
    for ExplicitCase { text, ids } in cases {
        assert_eq!(tokenizer.encode(&text).unwrap(), ids, "{text:?}");
        let tokens = tokenizer.tokens(&text).unwrap();
        assert_eq!(tokens.iter().map(|it| it.id).collect::<Vec<_>>(), ids, "{text:?}");
        let mut at = 0;
        for token in tokens {
            let place = token.range.clone();
            assert!(text.get(place.clone()).is_some_and(|it| !it.is_empty()), "{place:?} of {text:?}");
            assert!(place.start >= at, "tokens of {text:?} are in order");
            at = place.start;
        }
    }
}

#[derive(Deserialize)]
struct Generated {
    words: Vec<String>,
    spaces: Vec<String>,
    ranges: Vec<(u32, u32)>,
    block: u64,
    sd1: Vec<String>,
    sd2: Vec<String>,
    small: Vec<String>,
}

/// The generator of `tests/parity/tokenizer.py`: splitmix64 from the string's number on.
struct Below(u64);

impl Below {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }
}

impl Generated {
    fn text(&self, index: u64) -> String {
        let mut draw = Below(index);
        let mut text = String::new();
        let pieces = if index.is_multiple_of(500) { 1000 } else { 1 + draw.below(30) };
        for _ in 0..pieces {
            if draw.below(4) != 0 {
                text += draw.of::<String>(&self.words);
            } else {
                let &(first, last) = draw.of(&self.ranges);
                for _ in 0..=draw.below(4) {
                    let c = first + draw.below(u64::from(last - first + 1)) as u32;
                    text.push(char::from_u32(c).unwrap());
                }
            }
            text += draw.of::<String>(&self.spaces);
        }
        text
    }

    fn check(&self, tokenizer: &Tokenizer, expected: &[String]) {
        for (block, expected) in (0..).zip(expected) {
            let mut digest = Sha256::new();
            for index in block * self.block..(block + 1) * self.block {
                let ids = tokenizer.encode(&self.text(index)).unwrap();
                digest.update((ids.len() as u32).to_le_bytes());
                for id in ids {
                    digest.update(id.to_le_bytes());
                }
            }
            let expected = u64::from_str_radix(expected, 16).unwrap();
            let found = u64::from_be_bytes(digest.finalize()[..8].try_into().unwrap());
            assert_eq!(expected, found, "ids of strings {} to {}", block * 100, block * 100 + 99);
        }
    }
}

#[test]
fn ids_of_ten_thousand_strings_are_those_of_transformers() {
    let generated: Generated = recording("generated.json");
    assert_eq!(generated.sd1.len() as u64 * generated.block, 10_000);
    generated.check(&SD1, &generated.sd1);
    generated.check(&SD2, &generated.sd2);
}

#[test]
fn a_model_may_bring_a_vocabulary_of_its_own() {
    let generated: Generated = recording("generated.json");
    for folder in ["small-json", "small-pair"] {
        let tokenizer = Tokenizer::open(&path(folder)).unwrap();
        assert_eq!((tokenizer.len(), tokenizer.start(), tokenizer.end()), (1083, 1081, 1082));
        generated.check(&tokenizer, &generated.small);
    }
}

#[derive(Deserialize)]
struct Chunked {
    cases: Vec<ChunkedCase>,
}

#[derive(Deserialize)]
struct ChunkedCase {
    text: String,
    /// By model and rule.
    #[serde(flatten)]
    rules: BTreeMap<String, Vec<RecordedChunk>>,
}

/// Ids, without the repetition of the last at the end, and weights, as value and count in turn.
type RecordedChunk = (Vec<u32>, Vec<f64>);

fn check_chunks(case: &ChunkedCase, tokenizer: &Tokenizer, rule: &str, expected: &str) {
    let Some(expected) = case.rules.get(expected) else { return };
    let (emphasis, comma_backtrack) = match rule {
        "comfy" => (Emphasis::ComfyUi, 0),
        backtrack => (Emphasis::Original, backtrack.parse().unwrap()),
    };
    // The negative prompt's rules, because the recording is of emphasis alone.
    let resolved = parse(&case.text, emphasis, Role::Negative).resolve(Timeline::new(1));
    let items = &resolved.conditionings[0].runs[0].items;
    let found = chunks(tokenizer, items, Rules { emphasis, comma_backtrack }).unwrap();
    assert_eq!(expected.len(), found.len(), "{rule}: {:?}", case.text);
    for ((ids, weights), Chunk { ids: found_ids, weights: found_weights, .. }) in expected.iter().zip(&found)
    {
        let mut all = ids.clone();
        all.resize(CHUNK_LENGTH, *ids.last().unwrap());
        assert_eq!(all, found_ids, "{rule}: {:?}", case.text);
        let all: Vec<f32> = weights
            .chunks(2)
            .flat_map(|pair| std::iter::repeat_n(pair[0] as f32, pair[1] as usize))
            .collect();
        assert_eq!(all, found_weights, "{rule}: {:?}", case.text);
    }
}

#[test]
fn chunks_are_cut_as_a1111_and_comfyui_cut_them() {
    let cases = recording::<Chunked>("chunks.json").cases;
    assert!(cases.len() > 50);
    for case in &cases {
        for rule in ["20", "0", "74", "comfy"] {
            let own = format!("sd1 {rule}");
            let expected = if case.rules.contains_key(&own) { &own } else { "sd1 20" };
            check_chunks(case, &SD1, rule, expected);
            check_chunks(case, &SD2, rule, &format!("sd2 {rule}"));
        }
    }
}
