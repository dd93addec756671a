//! Names of picture files, made from a template with the tokens that A1111 users know.

mod safe;
mod words;

use tarim_recipe::Recipe;

use crate::{
    diagnostic::{Diagnostic, nearest},
    id::Id,
    moment::Moment,
};

/// The template of a library that names none: a folder a day, and in it `00001-red-fox-in-the-snow.png`.
pub const DEFAULT_NAME_TEMPLATE: &str = "[date]/[counter]-[prompt_words]";

/// Tokens, as they are written in brackets.
const TOKENS: [&str; 27] = [
    "batch_number",
    "batch_size",
    "cfg",
    "clip_skip",
    "counter",
    "date",
    "datetime",
    "denoising",
    "generation_number",
    "height",
    "job_timestamp",
    "model_hash",
    "model_name",
    "negative_prompt",
    "none",
    "project",
    "prompt",
    "prompt_hash",
    "prompt_no_styles",
    "prompt_spaces",
    "prompt_words",
    "sampler",
    "schedule",
    "seed",
    "steps",
    "uuid",
    "width",
];
/// A1111's other names for the same.
const ALIASES: [(&str, &str); 4] =
    [("scheduler", "schedule"), ("guidance", "cfg"), ("model", "model_name"), ("id", "uuid")];

/// How many digits a counter has at least; `[counter<3>]` asks for others.
const COUNTER_DIGITS: usize = 5;
/// How many words of the prompt a name takes, A1111's default.
const PROMPT_WORDS: usize = 8;

/// A template, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameTemplate {
    /// Folders, and the file's name without its ending, each a row of pieces.
    parts: Vec<Vec<Piece>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Token { name: &'static str, argument: Option<String> },
}

/// What a name is made of.
#[derive(Clone, Copy, Debug)]
pub struct NameParts<'a> {
    /// The picture's id.
    pub id: Id,
    /// When it was made.
    pub created: Moment,
    /// What it was made from.
    pub recipe: &'a Recipe,
    /// Its place among its request's pictures, from 0.
    pub number: u32,
    /// How many pictures the request asked for.
    pub count: u32,
    /// The project's name.
    pub project: Option<&'a str>,
}

/// A name in which only the counter is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenName {
    /// With `/` between its parts; empty for the library's own folder.
    pub(crate) folder: String,
    /// What stands before and after the counter, and how many digits it has; without a counter, all of it and nothing.
    before: String,
    after: String,
    digits: Option<usize>,
}

impl Default for NameTemplate {
    fn default() -> Self {
        Self::parse(DEFAULT_NAME_TEMPLATE).0
    }
}

impl NameTemplate {
    /// Reads a template. Whatever is unknown in it stays as text, with a remark; one that is empty is the default.
    pub fn parse(text: &str) -> (Self, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let mut parts: Vec<Vec<Piece>> = vec![Vec::new()];
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let at = text.len() - rest.len();
            if c == '/' || c == '\\' {
                parts.push(Vec::new());
                rest = &rest[1..];
                continue;
            }
            if c == '['
                && let Some((token, length)) = bracket(rest)
            {
                let piece = read_token(token, at..at + length, &mut diagnostics);
                let text = Piece::Text(rest[..length].to_owned());
                add(&mut parts, piece.unwrap_or(text));
                rest = &rest[length..];
                continue;
            }
            // One character at least, so that a bracket without an end is text.
            let end =
                rest[c.len_utf8()..].find(['[', '/', '\\']).map_or(rest.len(), |end| end + c.len_utf8());
            add(&mut parts, Piece::Text(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        parts.retain(|pieces| !pieces.is_empty());
        if parts.is_empty() {
            return Self::parse(DEFAULT_NAME_TEMPLATE);
        }
        (Self { parts }, diagnostics)
    }

    /// What a name looks like, for people who write a template.
    pub fn example(&self, parts: &NameParts<'_>) -> String {
        let open = self.open(parts);
        let name = open.name(1);
        if open.folder.is_empty() { name } else { format!("{}/{name}", open.folder) }
    }

    pub(crate) fn open(&self, parts: &NameParts<'_>) -> OpenName {
        let Some((file, folders)) = self.parts.split_last() else {
            return Self::default().open(parts);
        };
        let folders = folders.iter().map(|pieces| safe::folder(&expand(pieces, parts, None)));
        let folder = folders.filter(|folder| !folder.is_empty()).collect::<Vec<_>>().join("/");
        let digits = file.iter().find_map(|piece| match piece {
            Piece::Token { name: "counter", argument } => {
                let wanted = argument.as_deref().and_then(|digits| digits.parse().ok());
                Some(wanted.map_or(COUNTER_DIGITS, |digits: usize| digits.clamp(1, 12)))
            }
            _ => None,
        });
        let stem = safe::stem(&expand(file, parts, digits.map(|_| safe::OPEN)));
        let (before, after) = match stem.split_once(safe::OPEN) {
            Some((before, after)) => (before.to_owned(), after.replace(safe::OPEN, "")),
            None => (stem, String::new()),
        };
        OpenName { folder, before, after, digits }
    }
}

impl OpenName {
    /// The file's name with the `n`th counter, from 1. Names without a counter get one from the second on.
    pub(crate) fn name(&self, n: u64) -> String {
        let Self { before, after, .. } = self;
        match self.digits {
            Some(digits) => format!("{before}{n:0digits$}{after}.png"),
            None if n <= 1 => format!("{before}.png"),
            None => format!("{before}-{n}.png"),
        }
    }

    /// The first counter after those of the names in a folder.
    pub(crate) fn first_free<'a>(&self, names: impl Iterator<Item = &'a str>) -> u64 {
        let mut last = 0;
        for name in names {
            let Some(rest) = name.strip_prefix(self.before.as_str()) else { continue };
            let number = if self.digits.is_some() {
                let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                rest[..end].parse().ok().filter(|_| (1..=12).contains(&end))
            } else if rest.eq_ignore_ascii_case(".png") {
                Some(1)
            } else {
                let number = rest.strip_prefix('-').and_then(|rest| rest.split('.').next());
                number.filter(|digits| digits.len() <= 12).and_then(|digits| digits.parse().ok())
            };
            last = last.max(number.unwrap_or(0));
        }
        last + 1
    }
}

fn add(parts: &mut [Vec<Piece>], piece: Piece) {
    if let Some(pieces) = parts.last_mut() {
        pieces.push(piece);
    }
}

/// A bracket's content, and the length of it all.
fn bracket(text: &str) -> Option<(&str, usize)> {
    // In `[datetime<%Y]%m>]` the first bracket belongs to the format.
    let mut inside = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            ']' if !inside => return Some((&text[1..at], at + 1)),
            '[' | '/' | '\\' if !inside => return None,
            _ => {}
        }
    }
    None
}

fn read_token(token: &str, span: std::ops::Range<usize>, diagnostics: &mut Vec<Diagnostic>) -> Option<Piece> {
    let (name, argument) = match token.split_once('<') {
        Some((name, rest)) => (name, Some(rest.split('>').next().unwrap_or(rest).to_owned())),
        None => (token, None),
    };
    let folded = name.trim().to_ascii_lowercase();
    let folded = ALIASES.iter().find(|(alias, _)| *alias == folded).map_or(folded.as_str(), |(_, name)| name);
    let Some(name) = TOKENS.into_iter().find(|known| *known == folded) else {
        let suggestion = nearest(folded, TOKENS).map(|name| format!("[{name}]"));
        diagnostics.push(Diagnostic { span, message: format!("unknown token `[{token}]`"), suggestion });
        return None;
    };
    if name == "datetime"
        && let Some(format) = &argument
        && words::formatted(Moment::new(0, 0), format).is_none()
    {
        let message = format!("`{format}` is no time format; `%Y-%m-%d %H-%M-%S` is one");
        diagnostics.push(Diagnostic {
            span,
            message,
            suggestion: Some("[datetime<%Y%m%d%H%M%S>]".to_owned()),
        });
        return None;
    }
    Some(Piece::Token { name, argument })
}

fn expand(pieces: &[Piece], parts: &NameParts<'_>, counter: Option<char>) -> String {
    let mut text = String::new();
    let mut counter = counter;
    for piece in pieces {
        match piece {
            Piece::Text(part) => text.push_str(&part.replace(safe::OPEN, "")),
            Piece::Token { name: "counter", .. } => text.extend(counter.take()),
            // A value makes no folders.
            Piece::Token { name, argument } => {
                let value = value(name, argument.as_deref(), parts);
                text.push_str(&value.replace(['/', '\\', safe::OPEN], "_"));
            }
        }
    }
    text
}

fn value(token: &str, argument: Option<&str>, parts: &NameParts<'_>) -> String {
    let NameParts { recipe, created, number, .. } = *parts;
    let prompt = recipe.prompt.text.as_str();
    match token {
        "batch_number" | "generation_number" => (number + 1).to_string(),
        "batch_size" => parts.count.to_string(),
        "cfg" => recipe.guidance_scale.to_string(),
        "clip_skip" => recipe.clip_skip.to_string(),
        "date" => created.local().strftime("%Y-%m-%d").to_string(),
        "datetime" => {
            let usual = "%Y%m%d%H%M%S";
            words::formatted(created, argument.unwrap_or(usual)).unwrap_or_default()
        }
        "job_timestamp" => created.local().strftime("%Y%m%d%H%M%S").to_string(),
        "denoising" => recipe.init.as_ref().map(|init| init.strength.to_string()).unwrap_or_default(),
        "width" => recipe.size.width().to_string(),
        "height" => recipe.size.height().to_string(),
        "model_hash" => {
            recipe.model.hash.as_deref().map(|hash| hash.chars().take(10).collect()).unwrap_or_default()
        }
        "model_name" => recipe.model.name.clone(),
        "negative_prompt" => recipe.negative_prompt.text.clone(),
        "project" => parts.project.unwrap_or_default().to_owned(),
        "prompt" | "prompt_no_styles" => prompt.replace(char::is_whitespace, "_"),
        "prompt_hash" => tarim_recipe::sha256(prompt.as_bytes()).chars().take(8).collect(),
        "prompt_spaces" => prompt.split_whitespace().collect::<Vec<_>>().join(" "),
        "prompt_words" => {
            let wanted = argument.and_then(|words| words.parse().ok()).unwrap_or(PROMPT_WORDS);
            words::of(prompt, wanted).join("-")
        }
        "sampler" => recipe.sampler.name().to_owned(),
        "schedule" => recipe.schedule.name().to_owned(),
        "seed" => recipe.seed.0.to_string(),
        "steps" => recipe.steps.to_string(),
        "uuid" => parts.id.to_string(),
        // `none`, which A1111 writes where it wants nothing.
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
