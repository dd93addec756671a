//! `[a:b:when]` and `[a|b]`: text that changes from step to step.
//!
//! The grammar (A1111's, in Lark's notation; an Earley parser there):
//! ```text
//! start:      (prompt | /[][():]/+)*
//! prompt:     (emphasized | scheduled | alternate | plain | WHITESPACE)*
//! emphasized: "(" prompt ")" | "(" prompt ":" prompt ")" | "[" prompt "]"
//! scheduled:  "[" [prompt ":"] prompt ":" [WHITESPACE] NUMBER [WHITESPACE] "]"
//! alternate:  "[" prompt ("|" [prompt])+ "]"
//! plain:      /([^\\\[\]():|]|\\.)+/
//! ```
//! Brackets and colons that build nothing are text at the top level only. So when one bracket fails, all brackets
//! around it fail too, and one pass with a stack of open brackets is enough. `|` is never text: outside an
//! alternation the whole text is outside the grammar.

use super::chars::{is_space, rest};
use super::{Code, Diagnostic, Timeline, Traced};

/// A text with schedules: a tree in one vector, so that no depth of nesting costs stack.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Program {
    nodes: Vec<Node>,
    top: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// Bytes of the text.
    Text { start: usize, end: usize },
    /// `before` up to the step that `when` means, then `after`. `at` is the bytes of the whole.
    Scheduled { before: Vec<usize>, after: Vec<usize>, when: When, at: (usize, usize) },
    /// Each step takes the next one.
    Alternate { options: Vec<Vec<usize>> },
}

/// The number of a schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
struct When {
    value: f64,
    has_dot: bool,
}

impl When {
    /// The last step of the text before, negative or 0 when it is never used; not limited to the steps.
    fn step(self, timeline: Timeline) -> f64 {
        let steps = f64::from(timeline.steps);
        let step = match timeline.first_pass_steps {
            _ if timeline.old_rule && self.value < 1.0 => self.value * steps,
            _ if timeline.old_rule => self.value,
            None if self.has_dot => self.value * steps,
            None => self.value,
            Some(_) if self.has_dot => (self.value - 1.0) * steps,
            Some(first) => self.value - f64::from(first),
        };
        step.trunc()
    }
}

/// An open bracket.
struct Frame {
    round: bool,
    open: usize,
    /// Byte places of the `:` or `|` at this level.
    marks: Vec<usize>,
    is_alternate: bool,
    /// What stands between the marks so far; one longer than `marks`.
    fields: Vec<Vec<usize>>,
}

struct Reader<'a> {
    text: &'a Traced,
    nodes: Vec<Node>,
    top: Vec<usize>,
    stack: Vec<Frame>,
    diagnostics: Vec<Diagnostic>,
}

/// Reads the schedules of a text; `None` when there are none or the text is outside the grammar.
pub(super) fn read(text: &Traced, diagnostics: &mut Vec<Diagnostic>) -> Option<Program> {
    let mut reader =
        Reader { text, nodes: Vec::new(), top: Vec::new(), stack: Vec::new(), diagnostics: Vec::new() };
    match reader.read() {
        Ok(()) => diagnostics.append(&mut reader.diagnostics),
        // Worth a remark only where something looks like a schedule.
        Err(at) if text.as_str().contains('[') => {
            let width = rest(text.as_str(), at).chars().next().map_or(0, char::len_utf8);
            diagnostics.push(Code::SchedulesNotRead.at(text.span(at..at + width)));
            return None;
        }
        Err(_) => return None,
    }
    let scheduled = reader.nodes.iter().any(|node| !matches!(node, Node::Text { .. }));
    scheduled.then_some(Program { nodes: reader.nodes, top: reader.top })
}

impl Reader<'_> {
    /// `Err` is the byte where the text leaves the grammar.
    fn read(&mut self) -> Result<(), usize> {
        let source = self.text.as_str();
        let mut chars = source.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((escaped, c)) if c != '\n' => self.text(at..escaped + c.len_utf8()),
                    _ => return Err(at),
                },
                '(' | '[' => self.stack.push(Frame {
                    round: c == '(',
                    open: at,
                    marks: Vec::new(),
                    is_alternate: false,
                    fields: vec![Vec::new()],
                }),
                ')' | ']' => self.close(at, c == ')')?,
                '|' => match self.stack.last_mut() {
                    Some(frame) if !frame.round && (frame.is_alternate || frame.marks.is_empty()) => {
                        frame.is_alternate = true;
                        frame.marks.push(at);
                        frame.fields.push(Vec::new());
                    }
                    _ => return Err(at),
                },
                ':' => match self.stack.last_mut() {
                    Some(frame) if frame.takes_colon() => {
                        frame.marks.push(at);
                        frame.fields.push(Vec::new());
                    }
                    _ => {
                        self.give_up()?;
                        self.text(at..at + 1);
                    }
                },
                _ => self.text(at..at + c.len_utf8()),
            }
        }
        self.give_up()
    }

    /// Where nodes go now.
    fn field(&mut self) -> &mut Vec<usize> {
        match self.stack.last_mut().and_then(|frame| frame.fields.last_mut()) {
            Some(field) => field,
            None => &mut self.top,
        }
    }

    fn node(&mut self, node: Node) {
        self.nodes.push(node);
        let index = self.nodes.len() - 1;
        self.field().push(index);
    }

    fn text(&mut self, range: std::ops::Range<usize>) {
        // Nodes are made in the order of the text, so text that continues the newest node may join it, if that
        // is also the last of this field.
        let newest = self.nodes.len().wrapping_sub(1);
        let joins = self.field().last() == Some(&newest);
        match self.nodes.last_mut() {
            Some(Node::Text { end, .. }) if joins && *end == range.start => *end = range.end,
            _ => self.node(Node::Text { start: range.start, end: range.end }),
        }
    }

    /// Puts already made nodes into the current field.
    fn adopt(&mut self, nodes: Vec<usize>) {
        for index in nodes {
            match self.nodes.get(index) {
                Some(&Node::Text { start, end }) => {
                    let last = self.field().last().copied();
                    match last.and_then(|last| self.nodes.get_mut(last)) {
                        Some(Node::Text { end: last_end, .. }) if *last_end == start => *last_end = end,
                        _ => self.field().push(index),
                    }
                }
                _ => self.field().push(index),
            }
        }
    }

    /// Puts a bracket's contents back into what surrounds it, as text with nodes in it.
    fn dissolve(&mut self, frame: Frame) {
        let mut marks = frame.marks.into_iter();
        self.raw(frame.open);
        for field in frame.fields {
            self.adopt(field);
            if let Some(mark) = marks.next() {
                self.raw(mark);
            }
        }
    }

    /// One byte of punctuation as text, joined to the text before it.
    fn raw(&mut self, at: usize) {
        self.nodes.push(Node::Text { start: at, end: at + 1 });
        let index = self.nodes.len() - 1;
        self.adopt(vec![index]);
    }

    /// Some bracket failed: all open ones become text.
    fn give_up(&mut self) -> Result<(), usize> {
        let stack = std::mem::take(&mut self.stack);
        for frame in stack {
            if frame.is_alternate {
                return Err(frame.marks.first().copied().unwrap_or(frame.open));
            }
            self.dissolve(frame);
        }
        Ok(())
    }

    fn close(&mut self, at: usize, round: bool) -> Result<(), usize> {
        let closes = self.stack.last().is_some_and(|frame| frame.round == round);
        if !closes {
            self.give_up()?;
            self.raw(at);
            return Ok(());
        }
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let whole = (frame.open, at + 1);
        if frame.is_alternate {
            if frame.fields.iter().all(Vec::is_empty) {
                self.diagnostics.push(Code::EmptySchedule.at(self.text.span(whole.0..whole.1)));
            }
            self.node(Node::Alternate { options: frame.fields });
            return Ok(());
        }
        let last_mark = frame.marks.last().copied();
        if let (false, Some(mark)) = (round, last_mark) {
            let number = self.text.as_str().get(mark + 1..at).unwrap_or_default();
            let Some(when) = when(number) else {
                self.diagnostics.push(Code::IncompleteSchedule.at(self.text.span(whole.0..whole.1)));
                self.stack.push(frame);
                self.give_up()?;
                self.raw(at);
                return Ok(());
            };
            let mut fields = frame.fields;
            fields.truncate(frame.marks.len());
            let after = fields.pop().unwrap_or_default();
            let before = fields.pop().unwrap_or_default();
            if before.is_empty() && after.is_empty() {
                self.diagnostics.push(Code::EmptySchedule.at(self.text.span(whole.0..whole.1)));
            }
            self.node(Node::Scheduled { before, after, when, at: whole });
            return Ok(());
        }
        self.dissolve(frame);
        self.raw(at);
        Ok(())
    }
}

impl Frame {
    fn takes_colon(&self) -> bool {
        !self.is_alternate && self.marks.len() < if self.round { 1 } else { 2 }
    }
}

/// Lark's `SIGNED_NUMBER` in optional white space: `[+-]? (digits [. digits*] | . digits) ([eE] [+-]? digits)?`
fn when(text: &str) -> Option<When> {
    let text = text.trim_matches(is_space);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|it| digits(it.strip_prefix(['+', '-']).unwrap_or(it)));
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    let value = text.parse().ok().filter(|_| exponent_fits && mantissa_fits)?;
    Some(When { value, has_dot: text.contains('.') })
}

impl Program {
    /// The text for each run of steps, as `(last step, text)`.
    pub(super) fn unroll(
        &self,
        text: &Traced,
        timeline: Timeline,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<(u32, Traced)> {
        let steps = timeline.steps;
        let mut ends = vec![steps];
        for node in &self.nodes {
            match node {
                Node::Text { .. } => {}
                Node::Scheduled { when, at, .. } => {
                    let step = when.step(timeline);
                    if step >= 1.0 {
                        ends.push((step as u32).min(steps));
                    }
                    if step < 1.0 || step >= f64::from(steps) {
                        diagnostics.push(Code::WhenOutsideSteps.at(text.span(at.0..at.1)));
                    }
                }
                Node::Alternate { .. } => ends.extend(1..=steps),
            }
        }
        ends.sort_unstable();
        ends.dedup();
        ends.into_iter().map(|end| (end, self.at(end, text, timeline))).collect()
    }

    /// The text at a step, counted from 1.
    fn at(&self, step: u32, text: &Traced, timeline: Timeline) -> Traced {
        let mut out = Traced::default();
        let mut open = vec![self.top.iter()];
        while let Some(list) = open.last_mut() {
            let Some(&index) = list.next() else {
                open.pop();
                continue;
            };
            match self.nodes.get(index) {
                Some(&Node::Text { start, end }) => out.push_part(text, start..end),
                Some(Node::Scheduled { before, after, when, .. }) => {
                    let holds = f64::from(step) <= when.step(timeline).min(f64::from(timeline.steps));
                    open.push(if holds { before } else { after }.iter());
                }
                Some(Node::Alternate { options }) => {
                    let turn = (step as usize).saturating_sub(1) % options.len().max(1);
                    open.extend(options.get(turn).map(|option| option.iter()));
                }
                None => {}
            }
        }
        out
    }
}
