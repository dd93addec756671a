//! The tolerant reader.

use super::{
    EXACT_NEGATIVE_PROMPT, EXACT_PROMPT, Infotext, InfotextWarning, json_object,
    pairs::{Brackets, is_space, pairs},
    write::shown,
};

const NEGATIVE: &str = "Negative prompt:";

impl Infotext {
    /// Reads an infotext. Any text can be read; what cannot be told apart is prompt.
    pub fn read(text: &str) -> Self {
        let text = text.trim_matches(is_space);
        if let Some(infotext) = json_object::read(text) {
            return infotext;
        }
        let lines: Vec<&str> = text.split('\n').collect();
        let mut warnings = Vec::new();
        let last = lines.len() - 1;
        let first_parameter_line = if has_parameters(lines[last]) {
            last
        } else if let Some(infotext) = line_per_value(&lines) {
            return infotext;
        } else if let Some(broken) = broken_parameter_line(&lines) {
            warnings.push(InfotextWarning::TextAfterParameters);
            broken
        } else {
            warnings.push(InfotextWarning::NoParameters);
            lines.len()
        };
        let (prompts, parameters) = lines.split_at(first_parameter_line);
        let (prompt, negative_prompt) = split_prompts(prompts);
        let parameters = pairs(parameters.join("\n").trim_matches(is_space), Brackets::Whole);
        Self { prompt, negative_prompt, parameters, warnings }.with_exact_prompts()
    }

    /// Puts the exact prompts in their places, if they belong to the prompt lines.
    fn with_exact_prompts(mut self) -> Self {
        let mut take = |key, prompt: &mut String| {
            let Some(index) = self.parameters.iter().rposition(|(name, _)| name == key) else { return };
            let (_, exact) = self.parameters.remove(index);
            if shown_and_read(&exact) == *prompt {
                *prompt = exact;
            } else {
                self.warnings.push(InfotextWarning::StaleExactPrompt { key });
            }
        };
        take(EXACT_PROMPT, &mut self.prompt);
        take(EXACT_NEGATIVE_PROMPT, &mut self.negative_prompt);
        self
    }
}

/// What a reader of the safe form of a prompt gets.
pub(super) fn shown_and_read(prompt: &str) -> String {
    join_lines(&shown(prompt).split('\n').collect::<Vec<_>>())
}

/// Lines as A1111 puts them together: each stripped, and no line feed before the first text.
fn join_lines(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line.trim_matches(is_space));
    }
    text
}

/// Prompt and negative prompt. A line that begins with `Negative prompt:` switches for good, and loses those words
/// wherever it stands.
fn split_prompts(lines: &[&str]) -> (String, String) {
    let stripped: Vec<&str> = lines.iter().map(|line| line.trim_matches(is_space)).collect();
    let switch = stripped.iter().position(|line| line.starts_with(NEGATIVE)).unwrap_or(stripped.len());
    let (prompt, negative) = stripped.split_at(switch);
    let negative: Vec<&str> =
        negative.iter().map(|line| line.strip_prefix(NEGATIVE).unwrap_or(line)).collect();
    (join_lines(prompt), join_lines(&negative))
}

/// Whether a line holds parameters: A1111 takes the last line for that if it has at least three.
fn has_parameters(line: &str) -> bool {
    pairs(line, Brackets::Split).len() >= 3
}

/// The line where parameters begin that go on in the next lines, because some program did not quote a line feed.
fn broken_parameter_line(lines: &[&str]) -> Option<usize> {
    lines.iter().rposition(|line| {
        let digits = line.trim_start_matches(is_space).strip_prefix("Steps: ");
        digits.is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit())) && has_parameters(line)
    })
}

/// Easy Diffusion's text files and what people copy from web pages: every value on a line of its own, the prompts too.
fn line_per_value(lines: &[&str]) -> Option<Infotext> {
    const KNOWN: [&str; 12] = [
        "prompt",
        "negative prompt",
        "seed",
        "steps",
        "num inference steps",
        "width",
        "height",
        "size",
        "sampler",
        "guidance scale",
        "cfg scale",
        "stable diffusion model",
    ];
    let mut infotext = Infotext::default();
    let mut known = 0;
    for line in lines {
        let line = line.trim_matches(is_space);
        if line.is_empty() {
            continue;
        }
        let (key, value) = line.split_once(':')?;
        let (key, value) = (key.trim_matches(is_space), value.trim_matches(is_space));
        let plain_key = key.to_lowercase().replace('_', " ");
        if KNOWN.contains(&plain_key.as_str()) {
            known += 1;
        } else if key.len() > 40 {
            // Anything may stand among known lines, but a key is short.
            return None;
        }
        match plain_key.as_str() {
            "prompt" => value.clone_into(&mut infotext.prompt),
            "negative prompt" => value.clone_into(&mut infotext.negative_prompt),
            _ => infotext.parameters.push((key.to_owned(), value.to_owned())),
        }
    }
    (known >= 4 && lines.len() > 3).then_some(infotext)
}
