//! Plain text: a prompt a line, or A1111's prompts-from-file flags (`--prompt "a fox" --steps 30`).

use std::collections::HashMap;

use super::{Format, MAX_COLUMNS, MAX_ROWS, ReadError, ReadSet};
use crate::{
    field::Field,
    problem::{Code, Problem, shown},
    table::Column,
};

/// Flags that A1111 knows and nothing here reads: where files go, and parts that Tarim does not have.
const IGNORED: [&str; 9] = [
    "outpath_samples",
    "outpath_grids",
    "prompt_for_display",
    "seed_resize_from_h",
    "seed_resize_from_w",
    "restore_faces",
    "do_not_save_samples",
    "do_not_save_grid",
    "sampler_index",
];

pub(super) fn read(text: &str) -> Result<ReadSet, ReadError> {
    let mut set = ReadSet::new(Format::Text);
    set.table.columns.push(Field::Prompt.into());
    let mut columns: HashMap<String, usize> = HashMap::from([(Field::Prompt.name().to_owned(), 0)]);
    for (index, line) in text.lines().enumerate() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if set.table.rows.len() >= MAX_ROWS {
            let message = format!("there are more than {MAX_ROWS} lines; the rest was not read");
            set.problems.push(Problem::warning(Code::TooLarge, message).at_row(number));
            break;
        }
        let flags = if line.contains("--") { flags(line) } else { Err(None) };
        let cells = match flags {
            Ok(flags) => {
                let mut cells = Vec::new();
                for (flag, value) in flags {
                    if IGNORED.contains(&flag.as_str()) {
                        let message = format!("--{flag} has no effect here");
                        set.problems
                            .push(Problem::note(Code::NoEffect, message).at_row(number).in_column(&flag));
                    }
                    let next = set.table.columns.len();
                    let column = *columns.entry(flag.clone()).or_insert(next);
                    if column >= MAX_COLUMNS {
                        continue;
                    }
                    if column == next {
                        set.table.columns.push(Column::named(flag));
                    }
                    if cells.len() <= column {
                        cells.resize(column + 1, String::new());
                    }
                    if let Some(cell) = cells.get_mut(column) {
                        *cell = value;
                    }
                }
                cells
            }
            // As A1111 does: what cannot be taken apart is a prompt.
            Err(reason) => {
                if let Some(reason) = reason {
                    set.problems.push(
                        Problem::warning(Code::Flags, format!("the line was read as a prompt: {reason}"))
                            .at_row(number)
                            .hint("a line of flags begins with one, as in --prompt \"a fox\" --steps 30"),
                    );
                }
                vec![line.to_owned()]
            }
        };
        set.table.push_numbered(number, cells);
    }
    if set.table.rows.is_empty() {
        return Err(ReadError::Empty { what: "the file".to_owned() });
    }
    Ok(set)
}

/// The flags of a line, or why it has none; no reason for a prompt that happens to hold two hyphens.
fn flags(line: &str) -> Result<Vec<(String, String)>, Option<String>> {
    let meant = line.starts_with("--") && line.chars().nth(2).is_some_and(char::is_alphabetic);
    let words = match words(line) {
        Some(words) => words,
        None if meant => return Err(Some("a quotation mark is not closed".to_owned())),
        None => return Err(None),
    };
    let mut flags = Vec::new();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let Some(flag) = word.strip_prefix("--") else {
            let hidden =
                words.any(|word| word.strip_prefix("--").is_some_and(|flag| Field::find(flag).is_some()));
            return Err((meant || hidden).then(|| format!("{} is no flag", shown(&word))));
        };
        if flag.is_empty() || flag.len() > 100 || flag.starts_with('-') {
            return Err(None);
        }
        let Some(mut value) = words.next() else { return Err(Some(format!("--{flag} has no value"))) };
        // Prompts may do without quotation marks, up to the next flag.
        if flag == "prompt" || flag == "negative_prompt" {
            while let Some(more) = words.next_if(|word| !word.starts_with("--")) {
                value.push(' ');
                value.push_str(&more);
            }
        }
        flags.push((flag.to_owned(), value));
    }
    Ok(flags)
}

/// The words of a line as Python's `shlex.split` takes them apart; `None` for one that is not closed.
///
/// The crate `shlex` does what shells do, which differs: it knows comments, and drops backslashes before line ends.
pub(crate) fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(chars.next()?),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => match chars.next()? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &[(&str, &str)]) {
        let found = flags(line).expect(line);
        let found: Vec<(&str, &str)> =
            found.iter().map(|(flag, value)| (flag.as_str(), value.as_str())).collect();
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn flags_as_a1111_reads_them() {
        check("--prompt a fox in snow --steps 30", &[("prompt", "a fox in snow"), ("steps", "30")]);
        check("--prompt \"a fox, (neon:1.2)\" --seed -1", &[("prompt", "a fox, (neon:1.2)"), ("seed", "-1")]);
        check(
            "--negative_prompt 'low quality' --prompt x",
            &[("negative_prompt", "low quality"), ("prompt", "x")],
        );
        check(r#"--prompt "a \"b\" \( c" --width 512"#, &[("prompt", r#"a "b" \( c"#), ("width", "512")]);
        check(r"--prompt it\'s --tiling true", &[("prompt", "it's"), ("tiling", "true")]);
        check("--prompt --steps --steps 3", &[("prompt", "--steps"), ("steps", "3")]);
    }

    #[test]
    fn lines_that_are_prompts() {
        let prompt = |line: &str| flags(line).unwrap_err().is_some();
        assert!(!prompt("a fox -- an old one"));
        assert!(!prompt("it's a fox -- sitting"));
        assert!(!prompt("---"));
        assert!(prompt("a fox --steps 30"));
        assert!(prompt("--prompt it's"));
        assert!(prompt("--prompt a --steps"));
        assert!(prompt("--steps 30 fox"));
    }
}
