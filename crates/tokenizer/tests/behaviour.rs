//! Bad files, places of tokens, and what an editor shows.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::LazyLock;

use tarim_recipe::Emphasis;
use tarim_recipe::prompt::{Code, Role, Timeline, parse};
use tarim_tokenizer::{
    Chunk, Count, Rules, SpecialTokens, Tokenizer, TokenizerError, chunks, count, describe, pad_to,
};

fn clip() -> &'static Tokenizer {
    static CLIP: LazyLock<Tokenizer> = LazyLock::new(|| Tokenizer::clip(&SpecialTokens::default()).unwrap());
    &CLIP
}

fn cut(tokenizer: &Tokenizer, prompt: &str) -> Vec<Chunk> {
    let resolved = parse(prompt, Emphasis::Original, Role::Positive).resolve(Timeline::new(1));
    chunks(tokenizer, &resolved.conditionings[0].runs[0].items, Rules::default()).unwrap()
}

fn check_error(vocab: &str, merges: &str, special: &SpecialTokens, expected: &str) {
    let error = Tokenizer::from_bytes(vocab.as_bytes(), merges.as_bytes(), special).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn bad_files_are_told_apart() {
    let clip = SpecialTokens::default();
    let vocab = r#"{"a":0,"b":1,"ab":2,"<|startoftext|>":3,"<|endoftext|>":4}"#;
    assert!(Tokenizer::from_bytes(vocab.as_bytes(), b"#version: 0.2\na b\r\n\n", &clip).is_ok());
    check_error("", "", &clip, "vocab.json cannot be understood");
    check_error(r#"["a"]"#, "", &clip, "vocab.json cannot be understood");
    check_error(r#"{"a":-1}"#, "", &clip, "vocab.json cannot be understood");
    check_error(vocab, "a b\nb a", &clip, "merge 2 (b a) does not fit");
    check_error(vocab, "a  b", &clip, "merge 1");
    check_error(vocab, "a b\nab", &clip, "merge 2 (ab ) does not fit");
    check_error(r#"{"a":0}"#, "", &clip, r#"no start token "<|startoftext|>""#);
    check_error(vocab, "", &SpecialTokens::padded_with_zero(), r#"no padding token "!""#);

    let json = |json: &str| Tokenizer::from_json(json.as_bytes(), &clip).unwrap_err().to_string();
    assert!(json("{").contains("tokenizer.json cannot be understood"));
    assert!(json(r#"{"model":{"type":"Unigram","vocab":[["a",0]]}}"#).contains("kind Unigram"));
    assert!(json(r#"{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}"#).contains("merge 1 (a b)"));
    let missing = Tokenizer::open("no such folder".as_ref()).unwrap_err();
    assert!(matches!(missing, TokenizerError::NoFiles { .. }));
}

#[test]
fn special_tokens_come_from_the_model() {
    let read = |json: &str| SpecialTokens::from_json(json.as_bytes());
    assert_eq!(read("{}").unwrap(), SpecialTokens::default());
    assert_eq!(read(r#"{"pad_token":"!"}"#).unwrap(), SpecialTokens::padded_with_zero());
    let long = r#"{"pad_token":{"content":"!","lstrip":false},"model_max_length":77}"#;
    assert_eq!(read(long).unwrap(), SpecialTokens::padded_with_zero());
    assert!(read(r#"{"pad_token":7}"#).is_err());
}

#[test]
fn the_empty_prompt_is_one_chunk() {
    let check = |special: SpecialTokens, pad: u32| {
        let tokenizer = Tokenizer::clip(&special).unwrap();
        let mut ids = [pad; 77];
        (ids[0], ids[1]) = (49406, 49407);
        let found = cut(&tokenizer, "");
        assert_eq!(found, [Chunk { ids, weights: [1.0; 77], tokens: Vec::new() }]);
        let comfy = Rules { emphasis: Emphasis::ComfyUi, ..Rules::default() };
        assert_eq!(chunks(&tokenizer, &[], comfy).unwrap(), found);
        let mut padded = found;
        pad_to(&mut padded, 3, &tokenizer);
        assert_eq!(padded.len(), 3);
        assert_eq!(padded[0], padded[2]);
    };
    check(SpecialTokens::default(), 49407);
    check(SpecialTokens::padded_with_zero(), 0);
}

#[test]
fn tokens_know_their_place_in_the_prompt() {
    let prompt = "A <lora:x:1>((Desert:1.2)), 楼兰\\(old\\) # not\nend";
    let [chunk] = &cut(clip(), prompt)[..] else { panic!("one chunk") };
    let words: Vec<_> = chunk.tokens.iter().map(|it| (it.span.of(prompt), it.weight)).collect();
    let weight = 1.2 * 1.1;
    // A character of several tokens is the place of each of them.
    let expected = [
        ("A", 1.0),
        ("Desert", weight),
        (",", 1.0),
        ("楼", 1.0),
        ("楼", 1.0),
        ("楼", 1.0),
        ("兰", 1.0),
        ("兰", 1.0),
        ("(", 1.0),
        ("old", 1.0),
        (")", 1.0),
        ("end", 1.0),
    ];
    assert_eq!(words, expected);
    assert_eq!(chunk.weights[2], weight as f32);
}

#[test]
fn tokens_are_counted_as_a1111_counts_them() {
    let check = |prompt: &str, used: usize, capacity: usize| {
        assert_eq!(count(&cut(clip(), prompt)), Count { used, capacity }, "{prompt:?}");
    };
    check("", 0, 75);
    check("a cat, a dog", 5, 75);
    check("a BREAK b", 76, 150);
    check(&"dune ".repeat(75), 75, 75);
    check(&"dune ".repeat(76), 76, 150);
}

#[test]
fn a_description_lays_the_prompt_open() {
    let prompt = "[dune:(sand:1.1):0.5] AND <lora:y:0.5>sky (";
    let description = describe(clip(), prompt, Role::Positive, Timeline::new(10), Rules::default()).unwrap();
    let [first, second] = &description.parts[..] else { panic!("two parts") };
    let runs: Vec<_> = first
        .runs
        .iter()
        .map(|run| {
            let tokens: Vec<_> =
                run.chunks[0].iter().map(|it| (it.token.as_str(), it.text.as_str(), it.weight)).collect();
            (run.from_step, run.until_step, run.text.as_str(), tokens)
        })
        .collect();
    assert_eq!(
        runs,
        [
            (1, 5, "dune", vec![("dune</w>", "dune", 1.0)]),
            (6, 10, "(sand:1.1)", vec![("sand</w>", "sand", 1.1)]),
        ]
    );
    assert_eq!((second.runs.len(), second.runs[0].used, second.runs[0].capacity), (1, 1, 75));
    assert_eq!(description.networks[0].arguments, ["y", "0.5"]);
    assert_eq!(description.remarks.iter().map(|it| it.code).collect::<Vec<_>>(), [Code::UnclosedBracket]);
    let json = serde_json::to_value(&description).unwrap();
    assert_eq!(json["remarks"][0]["code"], "unclosed_bracket");
    assert_eq!(json["remarks"][0]["severity"], "warning");
}
