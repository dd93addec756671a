//! A prompt laid open: what is encoded at which step, token by token.

use serde::Serialize;
use tarim_recipe::prompt::{Code, Diagnostic, Network, Role, Run, Severity, Span, Timeline, parse};

use crate::chunk::{Chunk, Rules, chunks, count};
use crate::{Tokenizer, TokenizerError};

/// What a renderer makes of a prompt.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// The parts between `AND`s.
    pub parts: Vec<DescribedPart>,
    /// LoRAs and their like.
    pub networks: Vec<Network>,
    /// Remarks, by place.
    pub remarks: Vec<DescribedRemark>,
}

/// A part between `AND`s.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DescribedPart {
    /// Its weight against the others.
    pub weight: f64,
    /// Its texts by step.
    pub runs: Vec<DescribedRun>,
}

/// A text and the steps that use it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DescribedRun {
    /// First step, from 1.
    pub from_step: u32,
    /// Last step.
    pub until_step: u32,
    /// The text, schedules resolved, emphasis in it.
    pub text: String,
    /// Tokens in use, see [`crate::Count`].
    pub used: usize,
    /// Tokens that fit.
    pub capacity: usize,
    /// The tokens of each chunk.
    pub chunks: Vec<Vec<DescribedToken>>,
}

/// A token of text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DescribedToken {
    /// Its id.
    pub id: u32,
    /// As the vocabulary writes it: bytes as characters, `</w>` at a word's end.
    pub token: String,
    /// What the user wrote there; several tokens may share a character.
    pub text: String,
    /// Its weight.
    pub weight: f64,
    /// Its place in the prompt, in bytes.
    pub span: Span,
}

/// A remark with its words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DescribedRemark {
    /// Where, in bytes.
    pub span: Span,
    /// What.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// What, in English.
    pub message: &'static str,
}

/// Describes a prompt as it will be rendered.
pub fn describe(
    tokenizer: &Tokenizer,
    prompt: &str,
    role: Role,
    timeline: Timeline,
    rules: Rules,
) -> Result<Description, TokenizerError> {
    let parsed = parse(prompt, rules.emphasis, role);
    let resolved = parsed.resolve(timeline);
    let mut parts = Vec::new();
    for part in resolved.conditionings {
        let mut runs = Vec::new();
        let mut from_step = 1;
        for run in part.runs {
            let chunks = chunks(tokenizer, &run.items, rules)?;
            let until_step = run.until_step;
            runs.push(described_run(tokenizer, prompt, from_step, &run, &chunks));
            from_step = until_step + 1;
        }
        parts.push(DescribedPart { weight: part.weight, runs });
    }
    let remark = |Diagnostic { span, code, severity }| DescribedRemark {
        span,
        code,
        severity,
        message: code.message(),
    };
    let remarks = resolved.diagnostics.into_iter().map(remark).collect();
    Ok(Description { parts, networks: parsed.networks, remarks })
}

fn described_run(
    tokenizer: &Tokenizer,
    prompt: &str,
    from_step: u32,
    run: &Run,
    chunks: &[Chunk],
) -> DescribedRun {
    let count = count(chunks);
    let tokens = |chunk: &Chunk| {
        let token = |token: &crate::PlacedToken| DescribedToken {
            id: token.id,
            token: tokenizer.text(token.id).unwrap_or_default(),
            text: token.span.of(prompt).to_owned(),
            weight: token.weight,
            span: token.span,
        };
        chunk.tokens.iter().map(token).collect()
    };
    DescribedRun {
        from_step,
        until_step: run.until_step,
        text: run.text.as_str().to_owned(),
        used: count.used,
        capacity: count.capacity,
        chunks: chunks.iter().map(tokens).collect(),
    }
}
