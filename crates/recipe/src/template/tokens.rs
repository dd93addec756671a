//! What an editor colours.

use serde::Serialize;

use crate::prompt::Span;

/// A part of a template that is not plain text. Tokens are in the order of their beginnings; those of a wildcard may
/// hold others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Where.
    pub span: Span,
    /// What.
    pub kind: TokenKind,
}

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// `{`, `|` and `}` of variants.
    Brace,
    /// `~`, `@` or `!`.
    Method,
    /// `2$$`, with its separator.
    Range,
    /// `0.5::`
    Weight,
    /// `__name__`, whole.
    Wildcard,
    /// `${name=` and its closing brace.
    Variable,
    /// `%{`, `$$` and `}` of a wrap.
    Wrap,
    /// From `#` to the end of the line.
    Comment,
}
