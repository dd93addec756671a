//! The prompt language: A1111's, whole, with ComfyUI's as the alternative.
//!
//! [`parse`] reads a text once and never fails: what A1111 would make of broken syntax is what comes out, with
//! [`Diagnostic`]s for an editor. [`Parsed::resolve`] then unrolls it over the steps of a render: for each part
//! between `AND`s the texts that are encoded, and until which step each of them holds. Every piece of the result
//! knows where in the user's text it came from.
//!
//! The stages, in A1111's order (`modules/processing_scripts/comments.py`, `extra_networks.py`,
//! `prompt_parser.py`, read at version 1.10.1):
//! 1. Comments: from `#` to the end of the line, wherever it stands; there is no escape.
//! 2. Networks: `<name:arguments>` is taken out of the text. Positive prompt only.
//! 3. `AND`: a word that divides the text into conditionings, each with an optional weight: `cat :1.2 AND dog`.
//!    Positive prompt only. The space at the end of each part is dropped.
//! 4. Schedules: `[a:b:when]` and `[a|b]`, see [`Timeline`] for `when`. A part with `|` elsewhere, or with a `\`
//!    before nothing or a line's end, does not fit the grammar and is used as written.
//! 5. Emphasis: `(x)`, `[x]`, `(x:1.3)`, nested by multiplication, `\(` for the character; and `BREAK`.
//!
//! Departures from A1111. Three where it stops with an error: `(x:1.2.3)` weighs 1.1 and keeps its text, a `when`
//! too large for an integer is after the last step, and brackets may nest to any depth. One where it draws lots: its
//! grammar is ambiguous, and beside stray punctuation, as in `[a:3]):`, its parser finds the schedule in one run of
//! the program and not in the next; here what can be a schedule is one. Digits are ASCII's.

mod chars;
mod comfy;
mod conditioning;
mod diagnostic;
mod emphasis;
mod hints;
mod schedule;
mod strip;
mod traced;

pub use diagnostic::{Code, Diagnostic, Severity};
pub use strip::Network;
pub use traced::{Span, Traced};

use crate::Emphasis;
use schedule::Program;

/// Which of a recipe's two prompts a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// What the picture should show.
    #[default]
    Positive,
    /// What it should not show: `AND` and networks are plain text here, as in A1111.
    Negative,
}

/// A prompt, read but not yet laid out over the steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    emphasis: Emphasis,
    /// The parts between `AND`s, at least one.
    pub conditionings: Vec<Conditioning>,
    /// `<lora:name:0.8>` and its like, in order.
    pub networks: Vec<Network>,
    /// Comments, from `#` to the end of the line (without the line break).
    pub comments: Vec<Span>,
    /// Remarks, sorted by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// One part between `AND`s.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditioning {
    /// Its weight against the other parts; 1 unless the part ends in `: number`.
    pub weight: f64,
    /// Its text, with schedules and emphasis still in it.
    pub text: Traced,
    /// `None` when the text has no schedules or does not fit their grammar.
    program: Option<Program>,
}

/// The steps that schedules refer to.
///
/// `when` with a dot is a fraction of the steps (`0.5` is half-way, rounded down), without one a step. In a second
/// pass ("hires fix"), fractions count on from 1.0 and steps from the last step of the first pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timeline {
    /// Steps of this pass.
    pub steps: u32,
    /// Steps of the pass before this one, when this is the second.
    pub first_pass_steps: Option<u32>,
    /// A1111 before 1.6.0 ("Old prompt editing timelines"): a fraction is a number below 1, and both passes use
    /// the same numbers.
    pub old_rule: bool,
}

impl Timeline {
    /// A single pass by today's rule.
    pub fn new(steps: u32) -> Self {
        Self { steps, first_pass_steps: None, old_rule: false }
    }
}

/// A prompt over the steps of one pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// Whose rule the weights follow.
    pub emphasis: Emphasis,
    /// One for each of [`Parsed::conditionings`].
    pub conditionings: Vec<Scheduled>,
    /// Remarks of the parse and those that depend on the steps, sorted by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// A conditioning over the steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheduled {
    /// Weight against the other conditionings.
    pub weight: f64,
    /// Texts by step, at least one, `until_step` rising, the last one's at least the number of steps. Neighbours
    /// and others may have equal text: encode each text once.
    pub runs: Vec<Run>,
}

impl Scheduled {
    /// The run that holds at `step`, counted from 1.
    pub fn at(&self, step: u32) -> Option<&Run> {
        self.runs.iter().find(|run| step <= run.until_step).or(self.runs.last())
    }
}

/// What is encoded up to a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The last step, counted from 1, that uses this text.
    pub until_step: u32,
    /// The text with its schedules resolved and its emphasis still in it.
    pub text: Traced,
    /// The text's pieces; encode each [`Item::Text`] by itself.
    pub items: Vec<Item>,
}

/// A piece of a prompt.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Text of one weight.
    Text(Segment),
    /// `BREAK`: what follows begins a new chunk.
    Break(Span),
}

/// Text of one weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// The text, without markup.
    pub text: Traced,
    /// Its weight; 1 is none.
    pub weight: f64,
}

impl Segment {
    /// Where it came from; covers the markup inside it.
    pub fn span(&self) -> Span {
        self.text.whole()
    }
}

/// Reads a prompt. Any text is a prompt.
///
/// With [`Emphasis::ComfyUi`] the text means what ComfyUI's CLIPTextEncode makes of it: `(x)`, `(x:1.3)` and `\(`,
/// and nothing else. With [`Emphasis::None`] stages 1 to 4 apply and brackets are text.
pub fn parse(text: &str, emphasis: Emphasis, role: Role) -> Parsed {
    let source = Traced::source(text);
    let mut parsed = Parsed {
        emphasis,
        conditionings: Vec::new(),
        networks: Vec::new(),
        comments: Vec::new(),
        diagnostics: Vec::new(),
    };
    if emphasis == Emphasis::ComfyUi {
        comfy::remarks(&source, &mut parsed.diagnostics);
        parsed.conditionings.push(Conditioning { weight: 1.0, text: source, program: None });
    } else {
        let text = strip::comments(&source, &mut parsed.comments);
        let text = strip::networks(&text, role, &mut parsed.networks, &mut parsed.diagnostics);
        for part in conditioning::split(&text, role, &mut parsed.diagnostics) {
            let program = schedule::read(&part.text, &mut parsed.diagnostics);
            hints::remarks(&part.text, emphasis, &mut parsed.diagnostics);
            parsed.conditionings.push(Conditioning { weight: part.weight, text: part.text, program });
        }
    }
    sort(&mut parsed.diagnostics);
    parsed
}

impl Parsed {
    /// Lays the prompt out over the steps of a pass.
    pub fn resolve(&self, timeline: Timeline) -> Resolved {
        let mut diagnostics = self.diagnostics.clone();
        let conditionings = self
            .conditionings
            .iter()
            .map(|part| {
                let texts = match &part.program {
                    Some(program) => program.unroll(&part.text, timeline, &mut diagnostics),
                    None => vec![(timeline.steps, part.text.clone())],
                };
                let run = |(until_step, text): (u32, Traced)| {
                    let items = items(&text, self.emphasis);
                    Run { until_step, text, items }
                };
                Scheduled { weight: part.weight, runs: texts.into_iter().map(run).collect() }
            })
            .collect();
        sort(&mut diagnostics);
        Resolved { emphasis: self.emphasis, conditionings, diagnostics }
    }

    /// Whether any part changes from step to step.
    pub fn is_scheduled(&self) -> bool {
        self.conditionings.iter().any(|part| part.program.is_some())
    }
}

fn items(text: &Traced, emphasis: Emphasis) -> Vec<Item> {
    match emphasis {
        Emphasis::Original | Emphasis::NoNorm | Emphasis::Ignore => emphasis::items(text),
        Emphasis::None => vec![Item::Text(Segment { text: text.clone(), weight: 1.0 })],
        Emphasis::ComfyUi => comfy::items(text),
    }
}

fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by_key(|it| (it.span.start, it.span.end, it.code as u8));
    diagnostics.dedup();
}
