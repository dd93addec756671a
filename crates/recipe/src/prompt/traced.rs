//! Text that remembers where it came from.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A range of bytes in the text that the user wrote, on character boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// Number of bytes.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether the span marks a place between two characters.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The part of `text` that the span covers; empty when it does not fit.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// Text made from pieces of the user's text, in their order, with each piece's place in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traced {
    text: String,
    pieces: Vec<Piece>,
}

/// Either a copy (`source` is as long as the piece) or a replacement (the piece as a whole stands for `source`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    start: usize,
    end: usize,
    source: Span,
}

impl Piece {
    fn is_copy(self) -> bool {
        self.end - self.start == self.source.len()
    }

    /// The source of a part of the piece; `range` lies inside `start..end`.
    fn source_of(self, range: Range<usize>) -> Span {
        if self.is_copy() {
            let shift = self.source.start;
            Span { start: range.start - self.start + shift, end: range.end - self.start + shift }
        } else {
            self.source
        }
    }
}

impl Traced {
    /// The user's text itself.
    pub fn source(text: &str) -> Self {
        let mut traced = Self::default();
        traced.push(text, Span::from(0..text.len()));
        traced
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the bytes `range` of this text came from: from the first piece's start to the last piece's end.
    /// Whatever was left out between the pieces is covered too. `range` is clipped to the text.
    pub fn span(&self, range: Range<usize>) -> Span {
        let end = range.end.min(self.text.len());
        let start = range.start.min(end);
        if start == end {
            return Span::from(self.place(start)..self.place(start));
        }
        let mut pieces = self.pieces_in(start..end);
        let Some((first, range)) = pieces.next() else { return Span::default() };
        let first = first.source_of(range);
        let last = pieces.last().map_or(first, |(piece, range)| piece.source_of(range));
        Span { start: first.start, end: last.end }
    }

    /// Where all of it came from.
    pub fn whole(&self) -> Span {
        self.span(0..self.text.len())
    }

    /// The source position of the character that starts at byte `at`, or where the text before it ended.
    fn place(&self, at: usize) -> usize {
        let next = self.pieces.partition_point(|piece| piece.end <= at);
        match (self.pieces.get(next), self.pieces.last()) {
            (Some(piece), _) => piece.source_of(at.max(piece.start)..piece.end).start,
            (None, Some(last)) => last.source.end,
            (None, None) => 0,
        }
    }

    fn pieces_in(&self, range: Range<usize>) -> impl Iterator<Item = (Piece, Range<usize>)> + '_ {
        let first = self.pieces.partition_point(|piece| piece.end <= range.start);
        let pieces = self.pieces.get(first..).unwrap_or_default();
        pieces
            .iter()
            .take_while({
                let end = range.end;
                move |piece| piece.start < end
            })
            .map(move |&piece| (piece, range.start.max(piece.start)..range.end.min(piece.end)))
    }

    /// Appends text that stands for `source`.
    pub(super) fn push(&mut self, text: &str, source: Span) {
        if text.is_empty() {
            return;
        }
        let start = self.text.len();
        self.text.push_str(text);
        let piece = Piece { start, end: self.text.len(), source };
        match self.pieces.last_mut() {
            // Copies of neighbours in the source are one copy.
            Some(last) if last.is_copy() && piece.is_copy() && last.source.end == source.start => {
                last.end = piece.end;
                last.source.end = source.end;
            }
            _ => self.pieces.push(piece),
        }
    }

    /// Appends a part of another text; a range that is not on character boundaries appends nothing.
    pub(super) fn push_part(&mut self, of: &Self, range: Range<usize>) {
        for (piece, part) in of.pieces_in(range) {
            let source = piece.source_of(part.clone());
            self.push(of.text.get(part).unwrap_or_default(), source);
        }
    }

    /// A part of this text.
    pub(super) fn part(&self, range: Range<usize>) -> Self {
        let mut part = Self::default();
        part.push_part(self, range);
        part
    }

    /// Appends all of another text.
    pub(super) fn append(&mut self, other: &Self) {
        self.push_part(other, 0..other.text.len());
    }
}
