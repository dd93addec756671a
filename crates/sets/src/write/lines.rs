//! A prompt a line, with A1111's prompts-from-file flags where there is more than a prompt.

use crate::{
    field::Field,
    problem::{Code, Problem},
    table::{Column, Table},
};

/// The flag that A1111 has for a field.
fn a1111_flag(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::Prompt => "prompt",
        Field::NegativePrompt => "negative_prompt",
        Field::Styles => "styles",
        Field::Seed => "seed",
        Field::VariationSeed => "subseed",
        Field::VariationStrength => "subseed_strength",
        Field::Sampler => "sampler_name",
        Field::BatchSize => "batch_size",
        Field::Count => "n_iter",
        Field::Steps => "steps",
        Field::GuidanceScale => "cfg_scale",
        Field::Width => "width",
        Field::Height => "height",
        Field::Model => "sd_model",
        _ => return None,
    })
}

pub(super) fn write(table: &Table, problems: &mut Vec<Problem>) -> Vec<u8> {
    let mut text = String::new();
    let mut foreign = Vec::new();
    for (index, row) in table.rows.iter().enumerate() {
        let mut flags = Vec::new();
        for (place, column) in table.columns.iter().enumerate() {
            let cell = row.cell(place);
            if !cell.trim().is_empty() {
                flags.push((column, cell));
            }
        }
        let line = match flags.as_slice() {
            [] => continue,
            [(column, prompt)] if column.field == Some(Field::Prompt) && is_bare(prompt, text.is_empty()) => {
                (*prompt).to_owned()
            }
            flags => {
                let words = flags.iter().map(|(column, cell)| flag(column, cell, &mut foreign));
                words.collect::<Vec<_>>().join(" ")
            }
        };
        let flat = line.replace("\r\n", "\n").replace(['\n', '\r'], " ");
        if flat != line {
            problems.push(
                Problem::warning(Code::Lossy, "a line cannot hold line ends; they were written as spaces")
                    .at_row(table.number(index)),
            );
        }
        text.push_str(&flat);
        text.push('\n');
    }
    if !foreign.is_empty() {
        let message =
            format!("A1111 has no flags for {}, and takes lines with them for prompts", foreign.join(", "));
        problems.push(Problem::note(Code::Lossy, message));
    }
    text.into_bytes()
}

/// Whether a prompt may stand alone: what reads it must not take it for flags or a header.
fn is_bare(prompt: &str, first: bool) -> bool {
    let header = first && (prompt.contains(['\t', ',', ';', '{', '[']) || Field::find(prompt).is_some());
    !prompt.contains("--") && prompt.trim() == prompt && !header
}

fn flag(column: &Column, cell: &str, foreign: &mut Vec<String>) -> String {
    let name = column.field.and_then(a1111_flag).unwrap_or(&column.name);
    if column.field.and_then(a1111_flag).is_none() && !foreign.contains(&column.name) {
        foreign.push(column.name.clone());
    }
    format!("{} {}", word(&format!("--{name}")), word(cell))
}

/// A word as shells and Python's `shlex` read it back.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | ':' | '/');
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
