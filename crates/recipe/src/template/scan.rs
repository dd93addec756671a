//! The first pass: which marks belong together. One walk over the text with a stack, so that the second pass never has
//! to try and go back, whatever the text.

use std::ops::Range;

use super::ast::Method;
use super::diagnostic::{Code, Diagnostic};
use super::head::{self, VariableHead, VariantsHead};
use super::{Config, MAX_DIAGNOSTICS, MAX_NESTING};

/// A mark that means something, in the order of the text.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// The content begins at `head.after`; the closing mark is at `close`.
    Variants {
        head: VariantsHead,
        close: usize,
    },
    Variable {
        head: VariableHead,
        close: usize,
    },
    /// `divider` is the place of `$$`.
    Wrap {
        divider: usize,
        close: usize,
    },
    Wildcard {
        name: Range<usize>,
        parameters: Option<Range<usize>>,
        method: Option<Method>,
        end: usize,
    },
    /// Between options; in the value of a variable it is text.
    Pipe,
    /// Up to the end of the line.
    Comment {
        end: usize,
    },
}

/// What is open.
enum Open {
    Brace {
        event: usize,
    },
    Wildcard {
        event: usize,
        parameters: Option<Range<usize>>,
    },
    /// `[` of the prompt language, whose `|` is not ours once it is closed.
    Square {
        pipes: Vec<usize>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Brace {
    Variants,
    Variable,
    Wrap,
}

pub(super) struct Scan<'a> {
    text: &'a str,
    config: &'a Config,
    events: Vec<Option<Event>>,
    open: Vec<Open>,
    /// The open braces, and of a wrap the place of its `$$`.
    braces: Vec<(Brace, Option<usize>)>,
    /// Places in `open` of what is not a square bracket.
    levels: Vec<usize>,
    /// The next `)` that was looked for; everything before it has none.
    parenthesis: Option<usize>,
    squares: bool,
    too_deep: bool,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'a> Scan<'a> {
    /// All marks of a text that mean something.
    pub(super) fn run(text: &'a str, config: &'a Config) -> (Vec<Event>, Vec<Diagnostic>) {
        let marks = [&config.variant_start, &config.variant_end, &config.wildcard_wrap];
        let squares = !marks.iter().any(|mark| mark.contains(['[', ']']));
        let mut scan = Self {
            text,
            config,
            events: Vec::new(),
            open: Vec::new(),
            braces: Vec::new(),
            levels: Vec::new(),
            parenthesis: Some(0),
            squares,
            too_deep: false,
            diagnostics: Vec::new(),
        };
        let mut at = 0;
        while at < text.len() {
            at = scan.step(at);
        }
        scan.finish();
        (scan.events.into_iter().flatten().collect(), scan.diagnostics)
    }

    fn rest(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or_default()
    }

    /// Reads what is at `at`; returns where to go on.
    fn step(&mut self, at: usize) -> usize {
        let rest = self.rest(at);
        let Some(c) = rest.chars().next() else { return self.text.len() };
        let wildcard = rest.starts_with(&self.config.wildcard_wrap);
        if let Some(end) = self.closing().filter(|end| rest.starts_with(*end))
            && !(wildcard && self.config.wildcard_wrap.len() > end.len())
        {
            let length = end.len();
            self.close(at);
            return at + length;
        }
        if let Some((brace, length)) = self.opening(rest)
            && !(wildcard && self.config.wildcard_wrap.len() > length)
        {
            return self.open_brace(at, brace, length);
        }
        if wildcard {
            return self.wildcard(at);
        }
        match c {
            '#' => {
                self.abort_wildcard();
                let end = rest.find('\n').map_or(self.text.len(), |it| at + it);
                self.push(at, Kind::Comment { end });
                return end;
            }
            '|' => {
                self.abort_wildcard();
                let event = self.push(at, Kind::Pipe);
                if let Some(Open::Square { pipes }) = self.open.last_mut() {
                    pipes.push(event);
                }
            }
            '\n' | ')' => self.abort_wildcard(),
            '(' => return self.parameters(at),
            '[' if self.squares && !self.braces.is_empty() => {
                self.open.push(Open::Square { pipes: Vec::new() });
            }
            ']' if self.squares => {
                if let Some(Open::Square { .. }) = self.open.last()
                    && let Some(Open::Square { pipes }) = self.open.pop()
                {
                    for event in pipes {
                        self.drop_event(event);
                    }
                }
            }
            '$' if rest.starts_with("$$") => {
                if let Some((Brace::Wrap, divider @ None)) = self.braces.last_mut() {
                    *divider = Some(at);
                    self.abort_wildcard();
                    while matches!(self.open.last(), Some(Open::Square { .. })) {
                        self.open.pop();
                    }
                }
                return at + 2;
            }
            _ => {
                if rest.starts_with(&self.config.variant_end) {
                    self.say(Code::UnopenedBrace, at..at + self.config.variant_end.len());
                }
            }
        }
        at + c.len_utf8()
    }

    fn say(&mut self, code: Code, span: Range<usize>) {
        if self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(code.at(span));
        }
    }

    fn push(&mut self, at: usize, kind: Kind) -> usize {
        self.events.push(Some(Event { at, kind }));
        self.events.len() - 1
    }

    fn drop_event(&mut self, event: usize) {
        if let Some(slot) = self.events.get_mut(event) {
            *slot = None;
        }
    }

    /// The mark that would close the innermost brace.
    fn closing(&self) -> Option<&'a str> {
        Some(match self.braces.last()?.0 {
            Brace::Variants => &self.config.variant_end,
            Brace::Variable => &self.config.variable_end,
            Brace::Wrap => &self.config.wrap_end,
        })
    }

    /// The longest opening mark here.
    fn opening(&self, rest: &str) -> Option<(Brace, usize)> {
        [
            (Brace::Variable, &self.config.variable_start),
            (Brace::Wrap, &self.config.wrap_start),
            (Brace::Variants, &self.config.variant_start),
        ]
        .into_iter()
        .filter(|(_, mark)| rest.starts_with(mark.as_str()))
        .map(|(brace, mark)| (brace, mark.len()))
        .max_by_key(|(_, length)| *length)
    }

    fn open_brace(&mut self, at: usize, brace: Brace, length: usize) -> usize {
        let inside = at + length;
        let (brace, at, kind, next) = match brace {
            Brace::Variable => match head::variable(self.text, inside) {
                Some(head) => {
                    let after = head.after;
                    (Brace::Variable, at, Kind::Variable { head, close: 0 }, after)
                }
                None if self.config.variable_start.ends_with(&self.config.variant_start) => {
                    self.say(Code::NotAVariable, at..inside);
                    let head = head::variants(self.text, inside);
                    let after = head.after;
                    let at = inside - self.config.variant_start.len();
                    (Brace::Variants, at, Kind::Variants { head, close: 0 }, after)
                }
                None => {
                    self.say(Code::NotAVariable, at..inside);
                    return inside;
                }
            },
            Brace::Wrap => (Brace::Wrap, at, Kind::Wrap { divider: inside, close: 0 }, inside),
            Brace::Variants => {
                let head = head::variants(self.text, inside);
                let after = head.after;
                (Brace::Variants, at, Kind::Variants { head, close: 0 }, after)
            }
        };
        let event = self.push(at, kind);
        self.levels.push(self.open.len());
        self.open.push(Open::Brace { event });
        self.braces.push((brace, None));
        next
    }

    /// Closes the innermost brace, and with it what is open inside it.
    fn close(&mut self, at: usize) {
        while let Some(open) = self.open.pop() {
            match open {
                Open::Wildcard { event, .. } => {
                    self.levels.pop();
                    self.plain_wildcard(event);
                }
                Open::Square { .. } => {}
                Open::Brace { event } => {
                    self.levels.pop();
                    let divider = self.braces.pop().and_then(|(_, divider)| divider);
                    if self.braces.len() < MAX_NESTING {
                        self.complete(event, divider, at);
                    } else {
                        if !self.too_deep {
                            self.too_deep = true;
                            let start =
                                self.events.get(event).and_then(Option::as_ref).map_or(at, |it| it.at);
                            self.say(Code::NestedTooDeep, start..at);
                        }
                        self.drop_event(event);
                    }
                    return;
                }
            }
        }
    }

    fn complete(&mut self, event: usize, found: Option<usize>, at: usize) {
        let variants_start = self.config.variant_start.len();
        let plain_mark = self.config.wrap_start.ends_with(&self.config.variant_start)
            && self.config.wrap_end == self.config.variant_end;
        let Some(slot @ Some(_)) = self.events.get_mut(event) else { return };
        let Some(it) = slot else { return };
        match &mut it.kind {
            Kind::Variants { close, .. } | Kind::Variable { close, .. } => *close = at,
            Kind::Wrap { divider, close } => {
                if let Some(place) = found {
                    (*divider, *close) = (place, at);
                } else {
                    let inside = it.at + self.config.wrap_start.len();
                    let span = it.at..inside;
                    if plain_mark {
                        it.at = inside - variants_start;
                        let head = VariantsHead::empty(inside);
                        it.kind = Kind::Variants { head, close: at };
                    } else {
                        *slot = None;
                    }
                    self.say(Code::NotAWrap, span);
                }
            }
            Kind::Wildcard { .. } | Kind::Pipe | Kind::Comment { .. } => {}
        }
    }

    /// `__`: closes the wildcard that is open on this level, or opens one.
    fn wildcard(&mut self, at: usize) -> usize {
        let length = self.config.wildcard_wrap.len();
        let inside = at + length;
        if let Some(place) = self.levels.last().copied()
            && let Some(Open::Wildcard { event, parameters }) = self.open.get(place)
        {
            let (event, parameters) = (*event, parameters.clone());
            self.open.truncate(place);
            self.levels.pop();
            let (text, kind) = (self.text, self.events.get_mut(event).and_then(Option::as_mut));
            let Some(Event { kind: Kind::Wildcard { name, parameters: found, end, .. }, .. }) = kind else {
                return inside;
            };
            // The opening bracket of the parameters is not part of the name.
            name.end = parameters.as_ref().map_or(at, |it| it.start - 1);
            if text.get(name.clone()).unwrap_or_default().trim().is_empty() {
                // `____`: the second pair may open a name.
                let opened = name.start - length;
                self.drop_event(event);
                self.say(Code::UnclosedWildcard, opened..opened + length);
            } else {
                (*found, *end) = (parameters, inside);
                return inside;
            }
        }
        let (method, start) = head::method(self.text, inside);
        let kind = Kind::Wildcard { name: start..start, parameters: None, method, end: inside };
        let event = self.push(at, kind);
        self.levels.push(self.open.len());
        self.open.push(Open::Wildcard { event, parameters: None });
        start
    }

    /// `(` in a wildcard's name begins its parameters, which end in `)__`.
    fn parameters(&mut self, at: usize) -> usize {
        let place = self.levels.last().copied();
        let Some(place) = place.filter(|it| matches!(self.open.get(*it), Some(Open::Wildcard { .. }))) else {
            return at + 1;
        };
        if self.parenthesis.is_some_and(|it| it <= at) {
            self.parenthesis = self.rest(at).find(')').map(|it| at + it);
        }
        let wrap = self.config.wildcard_wrap.as_str();
        if let Some(close) = self.parenthesis.filter(|it| self.rest(it + 1).starts_with(wrap) && *it > at + 1)
        {
            if let Some(Open::Wildcard { parameters, .. }) = self.open.get_mut(place) {
                *parameters = Some(at + 1..close);
            }
            close + 1
        } else {
            self.abort_wildcard();
            at + 1
        }
    }

    /// What cannot be part of a name makes the open `__` plain text.
    fn abort_wildcard(&mut self) {
        if let Some(place) = self.levels.last().copied()
            && let Some(Open::Wildcard { event, .. }) = self.open.get(place)
        {
            let event = *event;
            self.open.remove(place);
            self.levels.pop();
            self.plain_wildcard(event);
        }
    }

    fn plain_wildcard(&mut self, event: usize) {
        if let Some(Some(it)) = self.events.get(event) {
            let span = it.at..it.at + self.config.wildcard_wrap.len();
            self.say(Code::UnclosedWildcard, span);
        }
        self.drop_event(event);
    }

    fn finish(&mut self) {
        while let Some(open) = self.open.pop() {
            match open {
                Open::Square { .. } => {}
                Open::Wildcard { event, .. } => self.plain_wildcard(event),
                Open::Brace { event } => {
                    let Some((brace, _)) = self.braces.pop() else { continue };
                    let (code, length) = match brace {
                        Brace::Variants => (Code::UnclosedVariants, self.config.variant_start.len()),
                        Brace::Variable => (Code::UnclosedVariable, self.config.variable_start.len()),
                        Brace::Wrap => (Code::UnclosedWrap, self.config.wrap_start.len()),
                    };
                    if let Some(Some(it)) = self.events.get(event) {
                        let span = it.at..it.at + length;
                        self.say(code, span);
                    }
                    self.drop_event(event);
                }
            }
        }
    }
}
