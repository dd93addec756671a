//! The template language: one text that stands for many prompts. It is that of dynamic prompts, whole.
//!
//! ```text
//! {a|b|c}                    one of them            {0.5::a|0.1::b|c}   by weight, 1 where none is given
//! {2$$a|b|c}                 two, none twice        {2$$ and $$a|b|c}   with a separator; else a comma
//! {1-2$$..} {-2$$..} {1-$$..}                       from one number to another; 1 and all where one is missing
//! __name__ __dir/*__ __dir/**__                     a value of a wildcard, or of all that match
//! {2$$__name__}              two values of a wildcard
//! __name(season=winter)__    a wildcard's values with variables set
//! ${x=value} ${x=!value}     a variable, read anew at each use, or chosen once (!)
//! ${x?=value}                ... unless it has a value already
//! ${x} ${x:default}          its value
//! {~..} {@..} {!..} __~n__ __@n__ __!n__            drawn, in turn, every combination
//! %{painting of ..., oil$$a cat}                    text wrapped in other text; ... or … is its place
//! # to the end of the line                          a comment
//! ```
//!
//! [`parse`] reads a text and never fails; its [`Diagnostic`]s are for an editor. [`Template::expand`] looks the
//! wildcards up and gives an [`Expansion`], which counts, finds and draws prompts without going through them.
//! The values of wildcards are templates of their own. What belongs to the prompt language (`(a:1.2)`, `[a:b:0.5]`,
//! `BREAK`, `<lora:a:0.8>`) passes through untouched.
//!
//! # Order and numbers
//!
//! Combinations come in the order of the package `dynamicprompts` (0.31): what stands first changes slowest. Variants
//! never give the same text twice; they are compared as texts up to 4096 values, beyond that options that are the
//! same text. Values of a wildcard are in the order of their texts, and equal ones are one value whose weight is the
//! sum. What is drawn inside a run over combinations counts as one; what is taken in turn (`@`) moves on with each
//! combination of the sequence that it stands in. Lots follow a fixed law, see the module `rng`.
//!
//! # Departures from the package
//!
//! Where the package stops with an error, this goes on: `$`, `%` and `__` that mean nothing are plain text; variables
//! may be assigned inside variants and may use those assigned before them; a template may be nothing but an
//! assignment; separators may hold any character but `$`, `{`, `}` and line breaks; names of variables may be in any
//! script; wraps can be taken in turn.
//!
//! Where it gives what nobody wants:
//! - `|` inside square brackets belongs to the prompt language also within variants: `{[a|b]|c}` has two options.
//! - Combinatorial runs give `${x=!{a|b}}` every value, and `__{a|b}__` every name, where the package takes the first;
//!   random runs choose `${x=!..}` anew for each prompt, where it keeps the first choice for all.
//! - Weights of a wildcard never repeat or lose values of a combinatorial or cyclic run (the package truncates them
//!   to whole numbers and repeats values, so that those below 1 vanish). A weight of 0 takes an option out of any run.
//! - Duplicates in a wildcard file are weight, where the package drops them; `2::red` in a text file is weighted too.
//! - `{2$$__w(x=1)__}` keeps its parameters; parameters mean what they say where they are written, so `(x=${x})` works.
//! - `{2$$__w__|__w__}` never gives one value twice, also when drawn.
//! - `{3$$a|a|b}` gives both texts, where the package gives nothing; `{0$$a}` is empty also when drawn.
//! - `!` inside a random or cyclic run goes through its combinations while the rest is drawn; inside something drawn
//!   it is drawn. `@` inside something drawn moves on with each prompt.
//! - An assignment sees those before it in the same text, `${x?=..}` too; tabs stay tabs.
//! - `//` and `/* */` are plain text (the package drops them in some places and keeps them in others); `#` is a
//!   comment. A comment's marks in a text that has no other template syntax are also those of the prompt language.
//! - A wildcard's name cannot hold `|`, `)` or a line break, so that stray `__` do not swallow text.
//! - Missing wildcards, circles and broken syntax are errors with a place, where the package logs and goes on, or runs
//!   for ever. Braces nest up to 100 deep, and all with wildcards and variables up to 200.
//! - `*` matches folders too, as in the package, although its guide reserves that for `**`.

mod arrange;
mod ast;
mod compile;
mod config;
mod count;
mod diagnostic;
mod draw;
mod error;
mod expansion;
pub mod files;
mod head;
mod lists;
mod node;
mod read;
mod rng;
mod scan;
mod scope;
mod tokens;
mod wildcards;
mod wrap;

pub use ast::Method;
pub use config::Config;
pub use count::{Count, Refusal};
pub use diagnostic::{Code, Diagnostic, Severity};
pub use error::{ExpandError, Problem};
pub use expansion::{Distinct, Expansion};
pub use num_bigint::BigUint;
pub use tokens::{Token, TokenKind};
pub use wildcards::{NoWildcards, Value, WildcardSet, Wildcards};

use ast::Piece;

/// Braces inside each other.
const MAX_NESTING: usize = 100;
/// Braces, wildcards and variables inside each other.
const MAX_DEPTH: usize = 200;
/// Remarks about one template.
const MAX_DIAGNOSTICS: usize = 1000;
/// Forms of a wildcard's name with variables in it.
const MAX_NAMES: u64 = 1000;
/// Parts of a template with everything filled in.
const MAX_NODES: usize = 3_000_000;
/// Bytes of a prompt.
const MAX_TEXT: u64 = 4 << 20;
/// Bits of a number of combinations.
const MAX_COUNT_BITS: u64 = 65_536;

/// A template, read but without its wildcards.
#[derive(Debug)]
pub struct Template {
    source: String,
    config: Config,
    root: ast::Sequence,
    diagnostics: Vec<Diagnostic>,
    tokens: Vec<Token>,
}

/// Reads a template. Any text is one.
pub fn parse(text: &str, config: &Config) -> Template {
    let (root, mut diagnostics, mut tokens) = if config.problem().is_some() {
        let plain: ast::Sequence = vec![Piece::Text(text.to_owned())].into();
        (plain, vec![Code::InvalidMarks.at(0..text.len())], Vec::new())
    } else {
        let read = read::read(text, 0, config);
        (read.root, read.diagnostics, read.tokens)
    };
    diagnostics.sort_by_key(|it| (it.span.start, it.span.end));
    tokens.sort_by_key(|it| (it.span.start, std::cmp::Reverse(it.span.end)));
    Template { source: text.to_owned(), config: config.clone(), root, diagnostics, tokens }
}

impl Template {
    /// The text that was read.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Remarks, sorted by place; [`Template::expand`] refuses a template with one of [`Severity::Error`].
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// What an editor colours, in order.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Whether the text is an ordinary prompt: no syntax of templates but comments, which prompts have too.
    pub fn is_plain(&self) -> bool {
        ast::literal(&self.root).is_some()
    }

    /// The wildcards that the text itself names (not those that their values name), as written, without repetitions.
    pub fn wildcard_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        collect_names(&self.root, &mut names);
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn collect_names(pieces: &[Piece], names: &mut Vec<String>) {
    for piece in pieces {
        match piece {
            Piece::Text(_) => {}
            Piece::Variants(variants) => {
                variants.options.iter().for_each(|option| collect_names(&option.value, names));
            }
            Piece::Wildcard(wildcard) => {
                names.extend(ast::literal(&wildcard.name).map(|it| it.trim().to_owned()));
                collect_names(&wildcard.name, names);
                wildcard.variables.iter().for_each(|(_, value)| collect_names(value, names));
            }
            Piece::Assign(assign) => collect_names(&assign.value, names),
            Piece::Use(used) => used.default.iter().for_each(|value| collect_names(value, names)),
            Piece::Wrap(wrap) => {
                collect_names(&wrap.wrapper, names);
                collect_names(&wrap.inner, names);
            }
        }
    }
}
