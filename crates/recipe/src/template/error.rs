//! Why a template cannot be expanded.

use serde::Serialize;

use super::diagnostic;
use crate::prompt::Span;

/// A template that cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{problem}{}", via(.wildcards))]
pub struct ExpandError {
    /// Where in the template; for what is wrong inside a wildcard, the place that asks for the wildcard.
    pub span: Span,
    /// What.
    #[source]
    pub problem: Problem,
    /// The wildcards that lead to the place, outermost first.
    pub wildcards: Vec<String>,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Problem {
    /// The text itself is broken.
    #[error("{}", .code.message())]
    Syntax {
        /// What is broken.
        #[serde(rename = "syntax")]
        code: diagnostic::Code,
    },
    /// A value of a wildcard is broken.
    #[error("the value {value:?} of the wildcard {wildcard:?} is broken: {}", .code.message())]
    BrokenValue {
        /// The wildcard's name.
        wildcard: String,
        /// The beginning of the value.
        value: String,
        /// What is broken.
        #[serde(rename = "syntax")]
        code: diagnostic::Code,
    },
    /// A wildcard that does not exist.
    #[error("there is no wildcard {name:?}{}; add a file of that name or correct the name", suggested(.similar.as_deref()))]
    MissingWildcard {
        /// The name asked for.
        name: String,
        /// A name that exists and looks like it.
        similar: Option<String>,
    },
    /// A wildcard without values.
    #[error("the wildcard {name:?} has no values; write one in each line of its file")]
    EmptyWildcard {
        /// Its name.
        name: String,
    },
    /// Wildcards that lead back to themselves.
    #[error("these wildcards lead back to themselves: {}; take one of them out of the circle", .path.join(" → "))]
    WildcardCycle {
        /// The names, from the first to its repetition.
        path: Vec<String>,
    },
    /// A variable that is used in its own value.
    #[error("the variable {name:?} is used in its own value; give one of the two another name")]
    VariableCycle {
        /// Its name.
        name: String,
    },
    /// A variable without a value.
    #[error(
        "the variable {name:?} has no value here; assign one (${{{name}=...}}) or give a default (${{{name}:...}})"
    )]
    UnknownVariable {
        /// Its name.
        name: String,
    },
    /// Wildcards, variables and braces inside each other beyond any use.
    #[error("wildcards and variables are nested more than {most} deep here")]
    TooDeep {
        /// The most.
        most: usize,
    },
    /// A wildcard's name with more forms than can be looked up.
    #[error(
        "the name of this wildcard can take more than {most} forms; narrow down the variables and variants in it"
    )]
    TooManyNames {
        /// The most.
        most: u64,
    },
    /// The template refers to more than fits into memory.
    #[error(
        "with its wildcards and variables filled in, this template is too large ({most} parts are the most); use smaller wildcards or fewer of them"
    )]
    TooLarge {
        /// The most.
        most: usize,
    },
    /// Prompts would be too long.
    #[error(
        "a prompt of this template could be longer than {most} bytes; shorten its wildcards or variables"
    )]
    TooLong {
        /// The most.
        most: u64,
    },
    /// Too many combinations to number.
    #[error(
        "this template has too many combinations to go through one after the other; draw from it at random instead, or put ~ before the parts that should be drawn"
    )]
    TooManyCombinations,
}

fn via(wildcards: &[String]) -> String {
    match wildcards {
        [] => String::new(),
        path => format!(" (in the wildcard {})", path.join(" → ")),
    }
}

fn suggested(similar: Option<&str>) -> String {
    similar.map(|name| format!(", but {name:?}")).unwrap_or_default()
}
