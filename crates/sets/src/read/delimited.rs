//! Values apart by commas, semicolons or tabs. The records are taken apart here and not by a library, because a file that a
//! person wrote is told where it is wrong (an open quotation mark) and rows are numbered as its spreadsheet does.

use super::{Format, MAX_CELLS, ReadError, ReadOptions, ReadSet, grid};
use crate::{
    field::Field,
    problem::{Code, Problem},
    write::unescape_formula,
};

/// How often an open quotation mark is looked for to the end of the text, so that the time stays linear.
const MOST_RECOVERIES: u32 = 8;

/// The records of a text. Between values is `delimiter`; quotation marks are doubled inside of themselves.
pub(crate) struct Records<'a> {
    text: &'a str,
    at: usize,
    delimiter: Option<u8>,
    /// Whether to read as Python does for A1111: no spaces before values, and an open quotation mark goes on to the end.
    like_python: bool,
    row: u32,
    recoveries: u32,
}

/// One record.
pub(crate) struct Record {
    /// Its number, counted from 1; blank lines count, lines inside of a cell do not.
    pub(crate) row: u32,
    pub(crate) cells: Vec<String>,
    /// Whether a quotation mark is never closed, and was taken for a character.
    pub(crate) open_quote: bool,
}

impl<'a> Records<'a> {
    /// `delimiter` is an ASCII character, or there is one value a line.
    pub(crate) fn new(text: &'a str, delimiter: Option<char>) -> Self {
        let delimiter = delimiter.and_then(|c| u8::try_from(c).ok()).filter(u8::is_ascii);
        Self { text, at: 0, delimiter, like_python: false, row: 0, recoveries: 0 }
    }

    pub(crate) fn like_python(mut self) -> Self {
        self.like_python = true;
        self
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Up to the end of a value, which is left standing.
    fn unquoted(&mut self) -> &'a str {
        let bytes = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let ends = |byte: &u8| Some(*byte) == self.delimiter || matches!(byte, b'\n' | b'\r');
        let length = bytes.iter().position(ends).unwrap_or(bytes.len());
        let value = self.text.get(self.at..self.at + length).unwrap_or_default();
        self.at += length;
        value
    }

    /// A value in quotation marks, if they are closed.
    fn quoted(&mut self) -> Option<String> {
        let mut value = String::new();
        let mut rest = self.text.get(self.at + 1..)?;
        loop {
            let (before, after) = rest.split_once('"')?;
            value.push_str(before);
            let Some(tail) = after.strip_prefix('"') else {
                self.at = self.text.len() - after.len();
                break;
            };
            value.push('"');
            rest = tail;
        }
        if value.contains('\r') {
            value = value.replace("\r\n", "\n").replace('\r', "\n");
        }
        Some(value)
    }

    fn value(&mut self, open_quote: &mut bool) -> String {
        if self.like_python {
            while self.byte() == Some(b' ') {
                self.at += 1;
            }
        }
        if self.byte() == Some(b'"') && self.recoveries < MOST_RECOVERIES {
            if let Some(mut value) = self.quoted() {
                value.push_str(self.unquoted());
                return value;
            }
            self.recoveries += 1;
            *open_quote = true;
            if self.like_python {
                let rest = self.text.get(self.at + 1..).unwrap_or_default().replace("\"\"", "\"");
                self.at = self.text.len();
                return rest;
            }
        }
        self.unquoted().to_owned()
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        self.byte()?;
        self.row = self.row.saturating_add(1);
        let mut record = Record { row: self.row, cells: Vec::new(), open_quote: false };
        loop {
            let value = self.value(&mut record.open_quote);
            record.cells.push(value);
            match self.byte() {
                Some(byte) if Some(byte) == self.delimiter => self.at += 1,
                Some(b'\r') => {
                    self.at += 1;
                    if self.byte() == Some(b'\n') {
                        self.at += 1;
                    }
                    return Some(record);
                }
                Some(_) => {
                    self.at += 1;
                    return Some(record);
                }
                None => return Some(record),
            }
        }
    }
}

/// The values of a list with commas, each without space at its ends: how A1111 reads the values of an axis.
pub(crate) fn value_list(text: &str) -> Vec<String> {
    // Python's reader gives no value at all for a blank line.
    let records = Records::new(text, Some(',')).like_python();
    let filled = records.filter(|record| !matches!(record.cells.as_slice(), [only] if only.is_empty()));
    filled.flat_map(|record| record.cells).map(|value| value.trim().to_owned()).collect()
}

pub(super) fn read(text: &str, format: Format, options: &ReadOptions) -> Result<ReadSet, ReadError> {
    let mut set = ReadSet::new(format);
    let (told, text) = separator_line(text);
    let delimiter = options.delimiter.or(told).or_else(|| match format {
        Format::Tsv if text.contains('\t') => Some('\t'),
        _ => sniff(text),
    });
    set.delimiter = delimiter;
    let mut cells = 0;
    let mut problems = Vec::new();
    let records = Records::new(text, delimiter).map_while(|record| {
        cells += record.cells.len();
        if cells > MAX_CELLS {
            problems.push(
                Problem::warning(
                    Code::TooLarge,
                    format!("there are more than {MAX_CELLS} cells; the rest was not read"),
                )
                .at_row(record.row),
            );
            return None;
        }
        if record.open_quote {
            problems.push(
                Problem::warning(
                    Code::Quote,
                    "a quotation mark is opened and never closed; it was taken for a character",
                )
                .at_row(record.row)
                .hint("close it, or write it twice inside of quotation marks"),
            );
        }
        let cells = record.cells.into_iter().map(unescape_formula).collect();
        Some((record.row, cells))
    });
    set.table = grid::table(records, options.header, &mut set.problems)?;
    set.problems.append(&mut problems);
    Ok(set)
}

/// Excel's first line `sep=;`, which it does not show, and the rest of the text.
fn separator_line(text: &str) -> (Option<char>, &str) {
    let Some((first, rest)) = text.split_once('\n') else { return (None, text) };
    let line = first.trim_end_matches('\r');
    match line.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")) {
        Some(_) => (line.chars().nth(4), rest),
        None => (None, text),
    }
}

/// How many columns of a header are known.
pub(super) fn known_headers(line: &str, delimiter: char) -> usize {
    let header = Records::new(line, Some(delimiter)).next();
    header.map_or(0, |record| record.cells.iter().filter(|cell| Field::find(cell).is_some()).count())
}

/// The delimiter that makes most sense of the beginning of a text; `None` where each line is one value.
fn sniff(text: &str) -> Option<char> {
    let mut end = text.len().min(1 << 16);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let sample = text.get(..end).unwrap_or_default();
    let score = |delimiter: char| {
        let records: Vec<Record> = Records::new(sample, Some(delimiter)).take(40).collect();
        let mut filled =
            records.iter().filter(|r| r.cells.iter().any(|cell| !cell.trim().is_empty())).peekable();
        let columns = filled.peek().map_or(0, |record| record.cells.len());
        let known = filled
            .peek()
            .map_or(0, |record| record.cells.iter().filter(|cell| Field::find(cell).is_some()).count());
        let (mut all, mut same) = (0, 0);
        for record in filled {
            all += 1;
            same += usize::from(record.cells.len() == columns);
        }
        if columns < 2 { 0 } else { known * 10_000 + same * 100 / all.max(1) * 10 + columns.min(9) }
    };
    let scored = [',', ';', '\t', '|'].into_iter().map(|delimiter| (score(delimiter), delimiter));
    // Of equals, the first.
    let best = scored.fold((0, ','), |best, next| if next.0 > best.0 { next } else { best });
    let first = sample.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let header_of_one = Field::find(first.trim().trim_matches('"')).is_some();
    // A single column named `prompt` over prompts with commas.
    (best.0 > 0 && !(header_of_one && best.0 < 10_000)).then_some(best.1)
}

/// The cells of pasted text.
pub(super) fn cells(text: &str) -> Vec<Vec<String>> {
    let delimiter = if text.contains('\t') { Some('\t') } else { None };
    let records = Records::new(text, delimiter);
    let mut cells = 0;
    records
        .map(|record| record.cells)
        .take_while(|record| {
            cells += record.len();
            cells <= MAX_CELLS
        })
        .collect()
}
