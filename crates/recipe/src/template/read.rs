//! The second pass: from marks to meaning. It descends only into what the first pass found to be closed, so it never
//! goes back, and no deeper than the first pass allows.

use std::ops::Range;

use super::ast::{Assign, Bounds, Piece, Sequence, Use, Variants, Weighted, Wildcard, Wrap, literal};
use super::diagnostic::{Code, Diagnostic};
use super::head::{self, VariableKind};
use super::scan::{Event, Kind, Scan};
use super::tokens::{Token, TokenKind};
use super::wrap;
use super::{Config, MAX_DIAGNOSTICS};

pub(super) struct Read {
    pub(super) root: Sequence,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) tokens: Vec<Token>,
}

/// Reads a text whose first byte is at `origin` of the whole template.
pub(super) fn read(text: &str, origin: usize, config: &Config) -> Read {
    let (events, diagnostics) = Scan::run(text, config);
    let mut reader = Reader { text, config, events, next: 0, diagnostics, tokens: Vec::new() };
    let root = reader.sequence(0, text.len(), false);
    let (mut diagnostics, mut tokens) = (reader.diagnostics, reader.tokens);
    if origin > 0 {
        for span in
            diagnostics.iter_mut().map(|it| &mut it.span).chain(tokens.iter_mut().map(|it| &mut it.span))
        {
            (span.start, span.end) = (span.start + origin, span.end + origin);
        }
    }
    Read { root, diagnostics, tokens }
}

struct Reader<'a> {
    text: &'a str,
    config: &'a Config,
    events: Vec<Event>,
    next: usize,
    diagnostics: Vec<Diagnostic>,
    tokens: Vec<Token>,
}

/// Pieces as they come, with the rule for comments: a comment goes, and with it the white space before it if nothing
/// but white space stands between it and the piece or comment before; text before and after it is joined by a space.
#[derive(Default)]
struct Pieces {
    done: Vec<Piece>,
    text: String,
    /// A comment has been read since the last text.
    comment: bool,
    /// White space at the beginning does not count.
    trim: bool,
}

impl Pieces {
    fn text(&mut self, text: &str, before_comment: bool) {
        let mut text = text;
        if self.trim && self.done.is_empty() && self.text.is_empty() {
            text = text.trim_start();
        }
        let at_start = self.text.is_empty() || self.comment;
        if text.is_empty() || before_comment && at_start && text.trim().is_empty() {
            return;
        }
        if self.comment && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.comment = false;
        self.text.push_str(text);
    }

    fn piece(&mut self, piece: Piece) {
        self.flush();
        self.done.push(piece);
    }

    fn flush(&mut self) {
        self.comment = false;
        if !self.text.is_empty() {
            self.done.push(Piece::Text(std::mem::take(&mut self.text)));
        }
    }

    fn finish(mut self) -> Sequence {
        self.flush();
        self.done.into()
    }
}

impl<'a> Reader<'a> {
    fn slice(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    fn say(&mut self, code: Code, span: Range<usize>) {
        if self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(code.at(span));
        }
    }

    fn token(&mut self, kind: TokenKind, span: Range<usize>) {
        if !span.is_empty() {
            self.tokens.push(Token { kind, span: span.into() });
        }
    }

    /// The place of the next mark before `end`.
    fn peek(&self, end: usize) -> Option<usize> {
        self.events.get(self.next).map(|it| it.at).filter(|at| *at < end)
    }

    /// Skips marks before `at`.
    fn skip_to(&mut self, at: usize) {
        while self.peek(at).is_some() {
            self.next += 1;
        }
    }

    /// `start..end`, in which `|` is text.
    fn sequence(&mut self, start: usize, end: usize, trim: bool) -> Sequence {
        let mut pieces = Pieces { trim, ..Pieces::default() };
        let mut at = start;
        self.skip_to(start);
        while let Some(mark) = self.peek(end) {
            if matches!(self.events.get(self.next).map(|it| &it.kind), Some(Kind::Pipe)) {
                if trim {
                    self.say(Code::PipeOutsideVariants, mark..mark + 1);
                }
                pieces.text(self.slice(at..mark + 1), false);
                self.next += 1;
                at = mark + 1;
            } else {
                at = self.mark(at, mark, &mut pieces);
            }
        }
        pieces.text(self.slice(at..end), false);
        pieces.finish()
    }

    /// The text from `at` to the mark, and the mark (which is no `|`); returns where it ends.
    fn mark(&mut self, at: usize, mark: usize, pieces: &mut Pieces) -> usize {
        let Some(event) = self.events.get_mut(self.next) else { return mark };
        // A mark is used once.
        let kind = std::mem::replace(&mut event.kind, Kind::Pipe);
        self.next += 1;
        let before = self.slice(at..mark);
        pieces.text(before, matches!(kind, Kind::Comment { .. }));
        match kind {
            Kind::Pipe => mark,
            Kind::Comment { end } => {
                pieces.comment = true;
                self.token(TokenKind::Comment, mark..end);
                end
            }
            Kind::Variants { head, close } => {
                let start = mark + self.config.variant_start.len();
                let end = close + self.config.variant_end.len();
                self.token(TokenKind::Brace, mark..start);
                if let Some(sign) = head.sign {
                    self.token(TokenKind::Method, sign..sign + 1);
                }
                self.token(TokenKind::Range, head.range);
                let options = self.options(head.after, close);
                self.token(TokenKind::Brace, close..end);
                let bounds = head.bounds.unwrap_or_default();
                let variants = Variants { span: (mark..end).into(), method: head.method, bounds, options };
                self.check(&variants, mark..end);
                pieces.piece(Piece::Variants(variants));
                end
            }
            Kind::Variable { head, close } => {
                let end = close + self.config.variable_end.len();
                self.token(TokenKind::Variable, mark..head.after);
                let name = self.slice(head.name).to_owned();
                let span = (mark..end).into();
                let piece = match head.kind {
                    VariableKind::Use => {
                        if !self.slice(head.after..close).trim().is_empty() {
                            self.say(Code::InvalidVariable, head.after..close);
                        }
                        self.skip_to(close);
                        Piece::Use(Use { span, name, default: None })
                    }
                    VariableKind::UseOrDefault => {
                        let default = Some(self.sequence(head.after, close, true));
                        Piece::Use(Use { span, name, default })
                    }
                    VariableKind::Assign { immediate, overwrite } => {
                        let value = self.sequence(head.after, close, true);
                        Piece::Assign(Assign { name, immediate, overwrite, value })
                    }
                };
                self.token(TokenKind::Variable, close..end);
                pieces.piece(piece);
                end
            }
            Kind::Wrap { divider, close } => {
                let end = close + self.config.wrap_end.len();
                let start = mark + self.config.wrap_start.len();
                self.token(TokenKind::Wrap, mark..start);
                let wrapper = self.sequence(start, divider, true);
                self.token(TokenKind::Wrap, divider..divider + 2);
                if literal(&wrapper).is_some_and(|it| wrap::marker(it).is_none()) {
                    self.say(Code::NoWrapMarker, start..divider);
                }
                let inner = self.sequence(divider + 2, close, true);
                self.token(TokenKind::Wrap, close..end);
                pieces.piece(Piece::Wrap(Wrap { wrapper, inner }));
                end
            }
            Kind::Wildcard { name, parameters, method, end } => {
                self.token(TokenKind::Wildcard, mark..end);
                let range = name.clone();
                let name = self.sequence(name.start, name.end, false);
                let variables = parameters.map(|it| self.parameters(it)).unwrap_or_default();
                self.skip_to(end);
                debug_assert!(range.end <= end, "the name lies inside the wildcard");
                pieces.piece(Piece::Wildcard(Wildcard { span: (mark..end).into(), method, name, variables }));
                end
            }
        }
    }

    /// The options between `start` and `end`.
    fn options(&mut self, start: usize, end: usize) -> Vec<Weighted> {
        let mut options = Vec::new();
        let mut from = start;
        self.skip_to(start);
        loop {
            let space = self.slice(from..end);
            let first = from + (space.len() - space.trim_start().len());
            let mut weight = 1.0;
            let mut at = from;
            if let Some((number, after)) = head::weight(self.text, first).filter(|(_, after)| *after <= end) {
                if number < 0.0 {
                    self.say(Code::NegativeWeight, first..after);
                }
                self.token(TokenKind::Weight, first..after);
                (weight, at) = (number.max(0.0), after);
            }
            // After a weight, white space belongs to the option.
            let mut pieces = Pieces { trim: at == from, ..Pieces::default() };
            let mut next = None;
            while let Some(mark) = self.peek(end) {
                if matches!(self.events.get(self.next).map(|it| &it.kind), Some(Kind::Pipe)) {
                    self.next += 1;
                    next = Some(mark);
                    break;
                }
                at = self.mark(at, mark, &mut pieces);
            }
            pieces.text(self.slice(at..next.unwrap_or(end)), false);
            options.push(Weighted { weight, value: pieces.finish() });
            match next {
                Some(pipe) => {
                    self.token(TokenKind::Brace, pipe..pipe + 1);
                    from = pipe + 1;
                }
                None => return options,
            }
        }
    }

    /// `x=1, y={a|b}` of a wildcard.
    fn parameters(&mut self, range: Range<usize>) -> Vec<(String, Sequence)> {
        let mut variables = Vec::new();
        let (mut start, mut depth) = (range.start, 0_usize);
        let text = self.slice(range.clone());
        let ends = text.char_indices().chain([(text.len(), ',')]);
        for (at, c) in ends {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                ',' if depth == 0 || at == text.len() => {
                    let part = start..range.start + at;
                    start = part.end + 1;
                    self.parameter(part, &mut variables);
                }
                _ => {}
            }
        }
        variables
    }

    fn parameter(&mut self, part: Range<usize>, variables: &mut Vec<(String, Sequence)>) {
        let text = self.slice(part.clone());
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.trim().is_empty()) else {
            self.say(Code::InvalidParameter, part);
            return;
        };
        let origin = part.start + name.len() + 1 + (value.len() - value.trim_start().len());
        let read = read(value.trim(), origin, self.config);
        let room = MAX_DIAGNOSTICS.saturating_sub(self.diagnostics.len());
        self.diagnostics.extend(read.diagnostics.into_iter().take(room));
        self.tokens.extend(read.tokens);
        variables.push((name.trim().to_owned(), read.root));
    }

    /// Remarks about finished variants.
    fn check(&mut self, variants: &Variants, span: Range<usize>) {
        let Variants { bounds, options, .. } = variants;
        if options.iter().all(|it| it.weight <= 0.0) {
            self.say(Code::NoWeight, span.clone());
        }
        if bounds.most.is_some_and(|most| most < bounds.least) {
            self.say(Code::RangeReversed, span.clone());
        }
        // One option that is a wildcard stands for all of the wildcard's values.
        let single =
            matches!(options.as_slice(), [it] if !matches!(&*it.value, [Piece::Wildcard(_) | Piece::Use(_)]));
        let taken = bounds.least.max(bounds.most.unwrap_or(0));
        if taken > options.len() && (options.len() > 1 || single) {
            self.say(Code::MoreThanThereAre, span);
        } else if single && *bounds == Bounds::default() {
            self.say(Code::OneOption, span);
        } else if let Some(first) = options.first()
            && let [Piece::Text(text), ..] = &*first.value
            && text.contains("$$")
            && options.len() > 1
        {
            self.say(Code::NotARange, span);
        }
    }
}
