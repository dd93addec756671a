//! What is taken out of a prompt before anything else: comments and extra networks.

use serde::Serialize;

use super::chars::{is_word, number, rest};
use super::{Code, Diagnostic, Role, Span, Traced};

/// `<name:argument:argument>`, A1111's way to call LoRAs and their like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Network {
    /// `lora`, `lyco`, `hypernet`, ...
    pub name: String,
    /// What stood between the colons, as written.
    pub arguments: Vec<String>,
    /// From `<` to `>`.
    pub span: Span,
}

impl Network {
    /// Arguments without a key, in order: for `<lora:name:0.8>` the file's name and the multiplier.
    pub fn positional(&self) -> impl Iterator<Item = &str> {
        self.arguments.iter().map(String::as_str).filter(|it| it.matches('=').count() != 1)
    }

    /// The value of `key=value`; the last one counts.
    pub fn named(&self, key: &str) -> Option<&str> {
        let pairs = self.arguments.iter().filter(|it| it.matches('=').count() == 1);
        pairs.filter_map(|it| it.split_once('=')).rfind(|(k, _)| *k == key).map(|(_, value)| value)
    }
}

/// Replaces each comment by a line break: first those that fill a line, together with the break before it
/// (`(^|\n)#[^\n]*(\n|$)`), then the others (`#[^\n]*(\n|$)`).
pub(super) fn comments(text: &Traced, found: &mut Vec<Span>) -> Traced {
    let text = replace_comments(text, true, found);
    let text = replace_comments(&text, false, found);
    found.sort_by_key(|span| span.start);
    text
}

fn replace_comments(text: &Traced, whole_lines: bool, found: &mut Vec<Span>) -> Traced {
    let source = text.as_str();
    let mut out = Traced::default();
    let (mut kept, mut at) = (0, 0);
    while let Some(hash) = rest(source, at).find('#').map(|it| it + at) {
        at = hash + 1;
        let break_before = hash > kept && source.as_bytes().get(hash - 1) == Some(&b'\n');
        let start = match whole_lines {
            true if break_before => hash - 1,
            true if hash > 0 => continue,
            _ => hash,
        };
        let end = rest(source, hash).find('\n').map_or(source.len(), |it| it + hash);
        let after = (end + 1).min(source.len());
        out.push_part(text, kept..start);
        found.push(text.span(hash..end));
        out.push("\n", text.span(start..after));
        (kept, at) = (after, after);
    }
    out.push_part(text, kept..source.len());
    out
}

/// Takes `<name:arguments>` out of a positive prompt.
pub(super) fn networks(
    text: &Traced,
    role: Role,
    found: &mut Vec<Network>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Traced {
    let source = text.as_str();
    let mut out = Traced::default();
    let (mut kept, mut at) = (0, 0);
    while let Some(start) = rest(source, at).find('<').map(|it| it + at) {
        at = start + 1;
        let after = rest(source, at);
        let name = after.split(|c| !is_word(c)).next().unwrap_or_default();
        let Some(body) = rest(after, name.len()).strip_prefix(':').filter(|_| !name.is_empty()) else {
            continue;
        };
        let Some(length) = body.find('>') else {
            diagnostics.push(Code::UnclosedNetwork.at(text.span(start..at + name.len() + 1)));
            // No later `<` can be closed either.
            break;
        };
        if length == 0 {
            continue;
        }
        let end = at + name.len() + 1 + length + 1;
        let span = text.span(start..end);
        if role == Role::Negative {
            diagnostics.push(Code::NetworkInNegative.at(span));
        } else {
            let arguments: Vec<String> =
                body.get(..length).unwrap_or_default().split(':').map(str::to_owned).collect();
            let network = Network { name: name.to_owned(), arguments, span };
            if network.positional().skip(1).any(|it| number(it).is_none()) {
                diagnostics.push(Code::NetworkMultiplierNotANumber.at(span));
            }
            found.push(network);
            out.push_part(text, kept..start);
            kept = end;
        }
        at = end;
    }
    out.push_part(text, kept..source.len());
    out
}
