//! What an editor should say about a template.

use serde::Serialize;

use crate::prompt::Span;

/// A remark about a place in a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Where, in bytes of the template.
    pub span: Span,
    /// What.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
}

/// How bad a remark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Legal, and perhaps not what was meant.
    Hint,
    /// Without effect as it stands; kept as plain text.
    Warning,
    /// Broken: the template is not rendered.
    Error,
}

/// The kinds of remarks; the serialised name is the key of a translated message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Code {
    /// `{` without `}`.
    UnclosedVariants,
    /// `${` without `}`.
    UnclosedVariable,
    /// `%{` without `}`.
    UnclosedWrap,
    /// Braces inside braces beyond any use.
    NestedTooDeep,
    /// A weight below zero.
    NegativeWeight,
    /// All weights of a choice are zero.
    NoWeight,
    /// `${x y}`: after a variable's name comes `}`, `=` or `:`.
    InvalidVariable,
    /// `__name(x)__`: a parameter without `=`.
    InvalidParameter,
    /// The marks of the configuration contradict each other.
    InvalidMarks,
    /// `}` that closes nothing: plain text.
    UnopenedBrace,
    /// `__` that opens no name: plain text.
    UnclosedWildcard,
    /// `${` that is not followed by a name: `$` is plain text, the braces are variants.
    NotAVariable,
    /// `%{` without `$$`: `%` is plain text, the braces are variants.
    NotAWrap,
    /// `|` in the value of a variable or in a wrap: plain text there.
    PipeOutsideVariants,
    /// A wrap whose wrapper has no `...`: it goes before the text.
    NoWrapMarker,
    /// More are asked for than there are: all are taken.
    MoreThanThereAre,
    /// `{3-1$$...}`: read as `1-3`.
    RangeReversed,
    /// `$$` after something that is not a number: plain text.
    NotARange,
    /// `{a}`: a choice of one.
    OneOption,
}

impl Code {
    /// The severity that goes with the code.
    pub fn severity(self) -> Severity {
        match self {
            Self::UnclosedVariants
            | Self::UnclosedVariable
            | Self::UnclosedWrap
            | Self::NestedTooDeep
            | Self::NegativeWeight
            | Self::NoWeight
            | Self::InvalidVariable
            | Self::InvalidParameter
            | Self::InvalidMarks => Severity::Error,
            Self::UnopenedBrace
            | Self::NotAVariable
            | Self::NotAWrap
            | Self::NoWrapMarker
            | Self::NotARange
            | Self::PipeOutsideVariants => Severity::Warning,
            Self::UnclosedWildcard | Self::MoreThanThereAre | Self::RangeReversed | Self::OneOption => {
                Severity::Hint
            }
        }
    }

    /// One line in English.
    pub fn message(self) -> &'static str {
        match self {
            Self::UnclosedVariants => "these variants are not closed; add the closing brace",
            Self::UnclosedVariable => "this variable is not closed; add the closing brace",
            Self::UnclosedWrap => "this wrap is not closed; add the closing brace",
            Self::NestedTooDeep => "braces are nested too deep here; move the inner part into a wildcard",
            Self::NegativeWeight => "a weight cannot be below zero",
            Self::NoWeight => {
                "all weights of this choice are zero, so nothing can be chosen; give one a weight"
            }
            Self::InvalidVariable => {
                "after a variable's name comes a closing brace, = and a value, or : and a default"
            }
            Self::InvalidParameter => "a parameter is written as name=value",
            Self::InvalidMarks => {
                "the marks of the template language are empty, the same, or hold white space, | or #"
            }
            Self::UnopenedBrace => "this brace was not opened, so it is plain text",
            Self::UnclosedWildcard => {
                "this does not enclose a wildcard's name, so it is plain text; a wildcard is written __name__"
            }
            Self::NotAVariable => {
                "a variable's name must follow; as it stands, the dollar sign is plain text and the braces are variants"
            }
            Self::NotAWrap => {
                "a wrap needs $$ between wrapper and text; as it stands, the percent sign is plain text and the braces are variants"
            }
            Self::PipeOutsideVariants => {
                "here this is plain text; put braces around the options to choose from them"
            }
            Self::NoWrapMarker => "this wrapper has no ..., so it goes before the text",
            Self::MoreThanThereAre => "there are fewer options than asked for, so all of them are taken",
            Self::RangeReversed => "the range is read with its smaller number first",
            Self::NotARange => "what stands before $$ is not a number or a range, so it is plain text",
            Self::OneOption => "there is only one option here",
        }
    }

    pub(super) fn at(self, span: impl Into<Span>) -> Diagnostic {
        Diagnostic { span: span.into(), code: self, severity: self.severity() }
    }
}
