//! How a prompt is read: tokens of each chunk, and remarks by place, counted as editors count.

use tarim_recipe::prompt::{Role, Severity, Timeline};
use tarim_recipe::{Emphasis, MAX_PROMPT_BYTES, MAX_STEPS};
use tarim_tokenizer::{CHUNK_TOKENS, DescribedRun, Rules, Tokenizer};

use crate::error::{ErrorKind, Result, StudioError};

/// How a prompt is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Tokens used in each chunk, of the longest text over the steps.
    pub chunks: Vec<u32>,
    /// Tokens that a chunk holds.
    pub chunk_size: u32,
    /// Whether the text changes from step to step.
    pub scheduled: bool,
    /// Parts between `AND`s.
    pub conditionings: u32,
    /// Remarks by place.
    pub remarks: Vec<Remark>,
}

/// A remark about a place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Where it begins, in UTF-16 units.
    pub from: u32,
    /// Where it ends.
    pub to: u32,
    /// The kind: the key of a translated message.
    pub code: String,
    /// How bad.
    pub severity: Severity,
    /// In English.
    pub message: String,
}

/// Describes a prompt as it will be rendered.
pub fn describe(
    tokenizer: &Tokenizer,
    text: &str,
    role: Role,
    steps: u32,
    emphasis: Emphasis,
) -> Result<Described> {
    if text.len() > MAX_PROMPT_BYTES {
        let message = format!("the prompt has {} bytes; {MAX_PROMPT_BYTES} are allowed", text.len());
        return Err(StudioError::new(ErrorKind::BadInput, message).hint("shorten it"));
    }
    let timeline = Timeline::new(steps.clamp(1, MAX_STEPS));
    let rules = Rules { emphasis, ..Rules::default() };
    let described = tarim_tokenizer::describe(tokenizer, text, role, timeline, rules)
        .map_err(|error| StudioError::caused(ErrorKind::Model, &error))?;
    let size = |run: &&DescribedRun| (run.chunks.len(), run.used);
    let longest = described.parts.iter().flat_map(|part| &part.runs).max_by_key(size);
    let used = |run: &DescribedRun| run.chunks.iter().map(|chunk| chunk.len() as u32).collect();
    let mut places = Utf16Places::new(text);
    let remarks = described.remarks.iter().map(|remark| Remark {
        from: places.of(remark.span.start),
        to: places.of(remark.span.end),
        code: code_name(remark.code),
        severity: remark.severity,
        message: remark.message.to_owned(),
    });
    let remarks = remarks.collect();
    Ok(Described {
        chunks: longest.map(used).unwrap_or_default(),
        chunk_size: CHUNK_TOKENS as u32,
        scheduled: described.parts.iter().any(|part| part.runs.len() > 1),
        conditionings: described.parts.len() as u32,
        remarks,
    })
}

/// The serialised name.
fn code_name(code: tarim_recipe::prompt::Code) -> String {
    match serde_json::to_value(code) {
        Ok(serde_json::Value::String(name)) => name,
        _ => "remark".to_owned(),
    }
}

/// Turns places in bytes into places in UTF-16 units, as JavaScript counts. Cheap when the places rise.
pub struct Utf16Places<'a> {
    text: &'a str,
    bytes: usize,
    units: u32,
}

impl<'a> Utf16Places<'a> {
    /// Places in a text.
    pub fn new(text: &'a str) -> Self {
        Self { text, bytes: 0, units: 0 }
    }

    /// The place of the character at, or around, this byte; the text's end for bytes after it.
    pub fn of(&mut self, byte: usize) -> u32 {
        if byte < self.bytes {
            (self.bytes, self.units) = (0, 0);
        }
        for letter in self.text.get(self.bytes..).unwrap_or_default().chars() {
            if self.bytes + letter.len_utf8() > byte {
                break;
            }
            self.bytes += letter.len_utf8();
            self.units += letter.len_utf16() as u32;
        }
        self.units
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(text: &str, role: Role) -> Described {
        let tokenizer = crate::models::tokenizer(None).unwrap();
        describe(&tokenizer, text, role, 20, Emphasis::Original).unwrap()
    }

    /// What a remark of JavaScript's offsets points at.
    fn pointed_at(text: &str, remark: &Remark) -> String {
        let units: Vec<u16> = text.encode_utf16().collect();
        String::from_utf16(&units[remark.from as usize..remark.to as usize]).unwrap()
    }

    #[test]
    fn tokens_of_chunks() {
        let check = |text: &str, chunks: &[u32], scheduled, conditionings| {
            let found = described(text, Role::Positive);
            assert_eq!(
                (&found.chunks[..], found.scheduled, found.conditionings),
                (chunks, scheduled, conditionings),
                "{text}"
            );
        };
        check("", &[0], false, 1);
        check("a fox", &[2], false, 1);
        check("a fox BREAK a dog", &[2, 2], false, 1);
        check("[a fox:a fox in the dunes:0.5]", &[5], true, 1);
        check("a fox AND a very big dog", &[4], false, 2);
        check(&"fox ".repeat(80), &[75, 5], false, 1);
    }

    #[test]
    fn places_are_utf16() {
        for text in ["(fox", "狐狸 (fox", "🦊🦊 (fox", "𠀀é (fox 🦊"] {
            let found = described(text, Role::Positive);
            assert_eq!(found.remarks.len(), 1, "{text}: {found:?}");
            let remark = &found.remarks[0];
            assert_eq!((remark.code.as_str(), remark.severity), ("unclosed_bracket", Severity::Warning));
            assert!(pointed_at(text, remark).starts_with('('), "{text}: {remark:?}");
        }
        let text = "🦊（狐狸）, <lora:x:1>";
        let negative = described(text, Role::Negative);
        let of = |code: &str| negative.remarks.iter().find(|remark| remark.code == code).unwrap();
        assert_eq!(pointed_at(text, of("network_in_negative")), "<lora:x:1>");
        assert!(pointed_at(text, of("full_width_punctuation")).starts_with('（'));
    }

    #[test]
    fn any_byte_has_a_place() {
        let text = "a🦊狐";
        let mut places = Utf16Places::new(text);
        let found: Vec<u32> = (0..12).chain([0, 5]).map(|byte| places.of(byte)).collect();
        assert_eq!(found, [0, 1, 1, 1, 1, 3, 3, 3, 4, 4, 4, 4, 0, 3]);
    }

    #[test]
    fn too_long() {
        let tokenizer = crate::models::tokenizer(None).unwrap();
        let text = "a".repeat(MAX_PROMPT_BYTES + 1);
        let error = describe(&tokenizer, &text, Role::Positive, 20, Emphasis::Original).unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadInput);
    }
}
