//! What an editor should say about a prompt.

use serde::Serialize;

use super::Span;

/// A remark about a place in a prompt. Remarks never stop a prompt from being rendered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Where.
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
    /// Broken or without effect; rendered as A1111 would.
    Warning,
}

/// The kinds of remarks; the serialised name is the key of a translated message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Code {
    /// `(` or `[` without its partner: weighs everything to the end.
    UnclosedBracket,
    /// `)` or `]` without its partner: plain text.
    UnopenedBracket,
    /// `(x:one)`: the weight is read as text and the default of 1.1 applies.
    WeightNotANumber,
    /// A weight below 0 or above 2 seldom gives a picture.
    WeightOutOfRange,
    /// `\` before a character that needs no escape: dropped.
    StrayBackslash,
    /// `[a:b:x]`: colons in square brackets without a number at the end; only less emphasis.
    IncompleteSchedule,
    /// `[:3]`, `[|]`: a schedule of nothing.
    EmptySchedule,
    /// The step of `[a:b:when]` lies outside the steps, so one side never shows.
    WhenOutsideSteps,
    /// `|` outside `[a|b]`, or a `\` at the end of a line: A1111 then reads no schedules in this part.
    SchedulesNotRead,
    /// `BREAK` inside emphasis is the word "BREAK", not a break.
    BreakInsideEmphasis,
    /// `AND` or `BREAK` glued to a letter or a Chinese character is a word; put spaces around it.
    KeywordNotSeparate,
    /// Nothing between two `AND`s.
    EmptyConditioning,
    /// A number after a last colon weighs the whole part.
    ConditioningWeight,
    /// `<lora:name` without `>`: plain text.
    UnclosedNetwork,
    /// Networks are read in the positive prompt only; here the text is encoded as written.
    NetworkInNegative,
    /// `AND` divides the positive prompt only; here it is a word.
    AndInNegative,
    /// The multiplier of `<lora:name:multiplier>` is not a number.
    NetworkMultiplierNotANumber,
    /// `（`, `：`, `｜` and their like are plain text; the language uses `(`, `:`, `|`.
    FullWidthPunctuation,
}

impl Code {
    /// The severity that goes with the code.
    pub fn severity(self) -> Severity {
        match self {
            Self::UnclosedBracket
            | Self::UnopenedBracket
            | Self::WeightOutOfRange
            | Self::IncompleteSchedule
            | Self::EmptySchedule
            | Self::WhenOutsideSteps
            | Self::SchedulesNotRead
            | Self::BreakInsideEmphasis
            | Self::UnclosedNetwork
            | Self::NetworkInNegative
            | Self::NetworkMultiplierNotANumber => Severity::Warning,
            Self::WeightNotANumber
            | Self::StrayBackslash
            | Self::KeywordNotSeparate
            | Self::EmptyConditioning
            | Self::ConditioningWeight
            | Self::AndInNegative
            | Self::FullWidthPunctuation => Severity::Hint,
        }
    }

    /// One line in English.
    pub fn message(self) -> &'static str {
        match self {
            Self::UnclosedBracket => {
                "this bracket is not closed, so it weighs everything after it; close it, or write \\( for the character"
            }
            Self::UnopenedBracket => {
                "this bracket was not opened, so it is plain text; write \\) for the character"
            }
            Self::WeightNotANumber => {
                "what stands after the colon is not a number, so it is text and the weight is 1.1"
            }
            Self::WeightOutOfRange => "weights below 0 or above 2 seldom give a picture",
            Self::StrayBackslash => {
                "this backslash escapes nothing and is dropped; write \\\\ for the character"
            }
            Self::IncompleteSchedule => {
                "a schedule ends in a number, as in [a:b:0.5]; without it these brackets only weaken the text"
            }
            Self::EmptySchedule => "this schedule holds no text",
            Self::WhenOutsideSteps => {
                "this moment lies outside the steps, so one side of the schedule is never used"
            }
            Self::SchedulesNotRead => {
                "because of this character no schedule of this part is read; | belongs inside [a|b], and a backslash must escape a character"
            }
            Self::BreakInsideEmphasis => "inside emphasis BREAK is a word; put it outside the brackets",
            Self::KeywordNotSeparate => "this is part of a word; put spaces around the keyword",
            Self::EmptyConditioning => "there is no text on this side of AND",
            Self::ConditioningWeight => {
                "this number weighs the whole part against the others; write (text:1.2) for emphasis"
            }
            Self::UnclosedNetwork => "this is not closed with >, so it is plain text",
            Self::NetworkInNegative => {
                "networks are only read in the positive prompt; here this is plain text"
            }
            Self::AndInNegative => "AND divides only the positive prompt; here it is a word",
            Self::NetworkMultiplierNotANumber => "this multiplier is not a number",
            Self::FullWidthPunctuation => {
                "full-width punctuation is plain text; the prompt language uses ( ) [ ] : | < >"
            }
        }
    }

    pub(super) fn at(self, span: impl Into<Span>) -> Diagnostic {
        Diagnostic { span: span.into(), code: self, severity: self.severity() }
    }
}
