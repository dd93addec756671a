//! `tarim template`: what prompts a template makes, and how many.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::json;
use tarim_recipe::prompt::Span;
use tarim_recipe::template::{
    self, BigUint, Config, Expansion, NoWildcards, Severity, Template, WildcardSet, Wildcards,
};
use tarim_studio::sets::read_wildcards;
use tarim_studio::{Origin, Role};
use unicode_width::UnicodeWidthChar;

use crate::args::template::{Mode, TemplateCommand, TemplateOptions};
use crate::environment::Environment;
use crate::failure::{Exit, Failure, Result};
use crate::output;

/// The largest template.
const MAX_BYTES: u64 = 4 << 20;
/// Columns that are shown of a long line on either side of a place in it.
const AROUND: usize = 36;

pub(crate) fn run(options: &TemplateOptions, environment: &Environment) -> Result<()> {
    match &options.command {
        TemplateCommand::Preview { template, mode, seed, limit, repeat } => {
            let expansion = expand(template, *mode, options, environment)?;
            let drawn = seed.is_none() && matches!(mode, Mode::Random);
            let seed = seed.unwrap_or_else(|| if drawn { tarim_machine::fresh_seed().0 } else { 0 });
            preview(&expansion, *mode, seed, *limit as usize, *repeat, options.json);
            if drawn && !options.json && !expansion.is_constant() {
                output::note(&format!("seed {seed}; `--seed {seed}` prints the same again"));
            }
            Ok(())
        }
        TemplateCommand::Count { template, mode } => {
            let expansion = expand(template, *mode, options, environment)?;
            count(&expansion, *mode, options.json);
            Ok(())
        }
    }
}

fn preview(expansion: &Expansion, mode: Mode, seed: u64, limit: usize, repeat: bool, json: bool) {
    let combinations = expansion.combinations();
    if json {
        let combinations = combinations.exact().map(BigUint::to_string);
        output::json_line(
            &json!({ "event": "template", "mode": mode.name(), "seed": seed.to_string(), "combinations": combinations }),
        );
    }
    let prompts: Box<dyn Iterator<Item = String>> = match mode {
        Mode::Random if !repeat => Box::new(expansion.distinct(seed)),
        _ => Box::new(pass(expansion, seed)),
    };
    let mut printed = 0_usize;
    for prompt in prompts.take(limit) {
        if json {
            output::json_line(&json!({ "event": "prompt", "index": printed, "prompt": prompt }));
        } else {
            output::line(&output::printable(&prompt));
        }
        printed += 1;
    }
    if !json && !combinations.is_at_most(printed as u64) {
        output::note(&format!("{printed} of {combinations} combinations"));
    }
}

/// The prompts until they begin again.
fn pass(expansion: &Expansion, seed: u64) -> impl Iterator<Item = String> + '_ {
    let end = expansion.count().and_then(|count| u64::try_from(count).ok());
    (0..end.unwrap_or(u64::MAX)).map(move |index| expansion.prompt(seed, index))
}

fn count(expansion: &Expansion, mode: Mode, json: bool) {
    let combinations = expansion.combinations();
    // What is drawn by lot has no end; then all that can come of it are counted.
    let pass = expansion.count();
    let number = match (pass, combinations.exact()) {
        (Some(count), _) | (None, Some(count)) => count.to_string(),
        (None, None) => combinations.digits(),
    };
    if json {
        output::json_line(&json!({
            "mode": mode.name(),
            "count": pass.map(BigUint::to_string),
            "combinations": combinations.exact().map(BigUint::to_string),
            "text": combinations.to_string(),
        }));
        return;
    }
    output::line(&number);
    if number.len() > 9 {
        output::note(&combinations.short());
    }
}

fn expand(
    given: &str,
    mode: Mode,
    options: &TemplateOptions,
    environment: &Environment,
) -> Result<Expansion> {
    let (name, text) = read(given)?;
    let template = template::parse(&text, &Config::default());
    let place = |span: Span| Place::of(&text, span);
    let mut errors = Vec::new();
    for found in template.diagnostics() {
        let place = place(found.span);
        if options.json {
            output::json_line(&json!({
                "event": "remark", "severity": found.severity, "code": found.code,
                "message": found.code.message(), "line": place.line, "column": place.column,
            }));
        }
        if found.severity == Severity::Error {
            errors.push(place.told(found.code.message(), name.as_deref()));
        } else if !options.json {
            output::warning(&place.told(found.code.message(), name.as_deref()).replace('\n', "\n    "));
        }
    }
    if !errors.is_empty() {
        return Err(Failure::bad_input(errors.join("\n")));
    }
    let wildcards = wildcards(&template, options, environment)?;
    let resolver: &dyn Wildcards = match &wildcards {
        Some(wildcards) => wildcards,
        None => &NoWildcards,
    };
    template.expand(resolver, mode.into()).map_err(|error| {
        let place = place(error.span);
        if options.json {
            output::json_line(&json!({
                "event": "problem", "problem": error.problem, "message": error.to_string(),
                "line": place.line, "column": place.column, "wildcards": error.wildcards,
            }));
        }
        Failure::bad_input(place.told(&error.to_string(), name.as_deref()))
    })
}

/// The text, and the file that it is from.
fn read(given: &str) -> Result<(Option<PathBuf>, String)> {
    let path = Path::new(given);
    let is_file = given != "-" && path.is_file();
    if !is_file && given != "-" {
        return Ok((None, given.to_owned()));
    }
    let name = if is_file { format!("`{given}`") } else { "the standard input".to_owned() };
    let unreadable = |error: std::io::Error| {
        Failure::from_error(Exit::BadInput, &error).context(format!("the template in {name} cannot be read"))
    };
    let mut bytes = Vec::new();
    let limit = MAX_BYTES + 1;
    let read = if is_file {
        fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    } else {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    };
    if read.map_err(unreadable)? as u64 > MAX_BYTES {
        return Err(Failure::bad_input(format!("{name} is too large for a template")));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::bad_input(format!("{name} is no UTF-8 text"))
            .hint("save it as UTF-8, without a program's markup")
    })?;
    let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']).to_owned();
    Ok((is_file.then(|| path.to_owned()), text))
}

/// The wildcards, if the template asks for any.
fn wildcards(
    template: &Template,
    options: &TemplateOptions,
    environment: &Environment,
) -> Result<Option<WildcardSet>> {
    let folder = match &options.wildcards {
        Some(folder) if !folder.is_dir() => {
            return Err(Failure::bad_input(format!("there is no folder `{}`", folder.display()))
                .hint("`--wildcards` takes a folder of .txt, .yaml or .json files"));
        }
        Some(folder) => folder.clone(),
        None if template.wildcard_names().is_empty() => return Ok(None),
        None => environment.surroundings(Origin::Cli, Role::Guest).config_folder.join("wildcards"),
    };
    let (found, problems) = read_wildcards(&folder);
    for problem in problems {
        output::warning(&output::printable(&problem));
    }
    Ok(Some(found))
}

/// A place in a text, as people count: from 1.
struct Place {
    line: usize,
    column: usize,
    /// The line around the place, and how far below it the mark stands and how long it is.
    excerpt: String,
    indent: usize,
    width: usize,
}

impl Place {
    fn of(text: &str, span: Span) -> Self {
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let end = text.floor_char_boundary(span.end.clamp(start, text.len()));
        let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let close = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let before: Vec<char> = text[begin..start].chars().collect();
        let marked: Vec<char> = text[start..end.min(close)].chars().take(AROUND).collect();
        let behind: Vec<char> = text[start..close].chars().skip(marked.len()).take(AROUND + 1).collect();
        let cut = before.len().saturating_sub(AROUND);
        let show = |chars: &[char]| output::printable(&chars.iter().collect::<String>());
        let wide = |text: &str| text.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>();
        let lead = if cut > 0 { format!("…{}", show(&before[cut..])) } else { show(&before) };
        let middle = show(&marked);
        let tail =
            if behind.len() > AROUND { format!("{}…", show(&behind[..AROUND])) } else { show(&behind) };
        Self {
            line: text[..start].matches('\n').count() + 1,
            column: before.len() + 1,
            indent: wide(&lead),
            width: wide(&middle).max(1),
            excerpt: lead + &middle + &tail,
        }
    }

    /// A message with the place under it.
    fn told(&self, message: &str, file: Option<&Path>) -> String {
        let file = file.map(|path| format!("{}, ", path.display())).unwrap_or_default();
        format!(
            "{file}line {}, column {}: {message}\n{}\n{}{}",
            self.line,
            self.column,
            self.excerpt,
            " ".repeat(self.indent),
            "^".repeat(self.width)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(text: &str, start: usize, end: usize) -> String {
        Place::of(text, Span { start, end }).told("odd", None)
    }

    #[test]
    fn marks_stand_under_their_places() {
        assert_eq!(mark("a {b|c", 2, 6), "line 1, column 3: odd\na {b|c\n  ^^^^");
        assert_eq!(mark("a\n狐狸 {b\nc", 9, 10), "line 2, column 4: odd\n狐狸 {b\n     ^");
        assert_eq!(mark("a", 1, 1), "line 1, column 2: odd\na\n ^");
        assert_eq!(mark("a\u{1b}[1m {", 6, 7), "line 1, column 7: odd\na\\u{1b}[1m {\n           ^");
    }

    #[test]
    fn long_lines_are_cut() {
        let text = format!("{}{{{}", "x".repeat(100), "y".repeat(100));
        let told = mark(&text, 100, 201);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[0], "line 1, column 101: odd");
        assert_eq!(lines[1], format!("…{}{{{}…", "x".repeat(36), "y".repeat(71)));
        assert_eq!(lines[2].find('^'), Some(37));
    }
}
