//! The marks of the language, which may be changed, and what is read leniently.

use serde::{Deserialize, Serialize};

/// The marks of the language. The defaults are those of dynamic prompts; another set helps where a prompt needs
/// braces or double underscores of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Opens variants.
    pub variant_start: String,
    /// Closes variants.
    pub variant_end: String,
    /// Stands on both sides of a wildcard's name.
    pub wildcard_wrap: String,
    /// Opens the assignment or use of a variable.
    pub variable_start: String,
    /// Closes it.
    pub variable_end: String,
    /// Opens a wrap.
    pub wrap_start: String,
    /// Closes it.
    pub wrap_end: String,
    /// Turns every run of white space of a finished prompt into one space.
    pub squash_whitespace: bool,
    /// Orders the values of a wildcard by their text, as dynamic prompts does, instead of by their place in the file.
    pub sort_wildcards: bool,
    /// Leaves a wildcard that does not exist in the prompt as it is written, instead of refusing the template.
    pub keep_missing_wildcards: bool,
    /// What a variable without value and without default stands for; `None` refuses the template.
    pub unknown_variable: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            variant_start: "{".into(),
            variant_end: "}".into(),
            wildcard_wrap: "__".into(),
            variable_start: "${".into(),
            variable_end: "}".into(),
            wrap_start: "%{".into(),
            wrap_end: "}".into(),
            squash_whitespace: false,
            sort_wildcards: true,
            keep_missing_wildcards: false,
            unknown_variable: None,
        }
    }
}

impl Config {
    /// Why these marks cannot work, in a sentence, if they cannot.
    pub fn problem(&self) -> Option<&'static str> {
        let marks = [
            &self.variant_start,
            &self.variant_end,
            &self.wildcard_wrap,
            &self.variable_start,
            &self.variable_end,
            &self.wrap_start,
            &self.wrap_end,
        ];
        if marks.iter().any(|mark| mark.is_empty()) {
            return Some("a mark of the template language is empty; give each at least one character");
        }
        if marks.iter().any(|mark| mark.chars().any(|c| c.is_whitespace() || c == '|' || c == '#')) {
            return Some("a mark of the template language may not contain white space, | or #");
        }
        let opening = [&self.variant_start, &self.variable_start, &self.wrap_start, &self.wildcard_wrap];
        let distinct =
            opening.iter().enumerate().all(|(i, mark)| !opening.iter().take(i).any(|it| it == mark));
        (!distinct).then_some("two opening marks of the template language are the same")
    }
}
