//! Wildcards: lists of values by name, wherever they are kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::{self, FileError};

/// A value of a wildcard: a template of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Its text.
    pub text: String,
    /// How often it is drawn, against the other values.
    pub weight: f64,
}

impl Value {
    /// A value of weight 1.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), weight: 1.0 }
    }
}

/// Where wildcards come from. Names have their folders before them, with `/` between, and no ending.
pub trait Wildcards {
    /// All names, in any order. Asked for when a name is a pattern or does not exist as it is.
    fn names(&self) -> Vec<String>;

    /// The values of a name, in the order of the file and with its duplicates (which count as weight).
    fn values(&self, name: &str) -> Option<Arc<[Value]>>;
}

impl<W: Wildcards + ?Sized> Wildcards for &W {
    fn names(&self) -> Vec<String> {
        (**self).names()
    }

    fn values(&self, name: &str) -> Option<Arc<[Value]>> {
        (**self).values(name)
    }
}

/// No wildcards at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWildcards;

impl Wildcards for NoWildcards {
    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn values(&self, _: &str) -> Option<Arc<[Value]>> {
        None
    }
}

/// Wildcards in memory.
#[derive(Clone, Debug, Default)]
pub struct WildcardSet {
    lists: BTreeMap<String, Arc<[Value]>>,
}

impl WildcardSet {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a wildcard, or replaces it.
    pub fn insert(&mut self, name: impl Into<String>, values: impl IntoIterator<Item = Value>) {
        self.lists.insert(name.into(), values.into_iter().collect());
    }

    /// Adds the wildcards of a file: `path` is relative to the folder of wildcards and ends in `.txt`, `.yaml`, `.yml`
    /// or `.json`. Returns how many there were.
    pub fn insert_file(&mut self, path: &str, text: &str) -> Result<usize, FileError> {
        let lists = files::read(path, text)?;
        let count = lists.len();
        self.lists.extend(lists.into_iter().map(|(name, values)| (name, values.into())));
        Ok(count)
    }

    /// Number of wildcards.
    pub fn len(&self) -> usize {
        self.lists.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }
}

impl Wildcards for WildcardSet {
    fn names(&self) -> Vec<String> {
        self.lists.keys().cloned().collect()
    }

    fn values(&self, name: &str) -> Option<Arc<[Value]>> {
        self.lists.get(name).cloned()
    }
}

/// A name as it is looked up: slashes forward, none at the ends. `None` for what cannot be one.
pub(super) fn clean(name: &str) -> Option<String> {
    let parts = name.split(['/', '\\']).map(str::trim).filter(|it| !it.is_empty());
    let parts: Vec<&str> = parts.collect();
    let valid = !parts.is_empty() && parts.iter().all(|it| *it != "..");
    valid.then(|| parts.join("/"))
}

pub(super) fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// The names that a pattern means, sorted. What matches nothing is looked for in every folder (`**/name`), so that
/// files can name their neighbours.
pub(super) fn matching(pattern: &str, names: &[String]) -> Vec<String> {
    let of = |pattern: &str| {
        let pattern: Vec<char> = pattern.chars().collect();
        let mut found: Vec<String> = names.iter().filter(|name| matches(&pattern, name)).cloned().collect();
        found.sort_unstable();
        found.dedup();
        found
    };
    let found = of(pattern);
    if found.is_empty() && !pattern.starts_with("**") { of(&format!("**/{pattern}")) } else { found }
}

/// Python's `fnmatch`: `*` is any run of characters, `/` included, `?` any character, `[a-z]` and `[!a-z]` a class.
fn matches(pattern: &[char], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on when a star has to take one character more.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let one = match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
                continue;
            }
            Some('?') => Some(p + 1),
            Some('[') => class(pattern, p, name.get(n).copied().unwrap_or_default()),
            Some(c) => (name.get(n) == Some(c)).then_some(p + 1),
            None => None,
        };
        match (one, star) {
            (Some(next), _) => (p, n) = (next, n + 1),
            (None, Some((at, taken))) => {
                star = Some((at, taken + 1));
                (p, n) = (at + 1, taken + 1);
            }
            (None, None) => return false,
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

/// Where the pattern goes on after the class at `p`, if the class holds `c`. A `[` without `]` is itself.
fn class(pattern: &[char], p: usize, c: char) -> Option<usize> {
    let negated = pattern.get(p + 1) == Some(&'!');
    let first = p + 1 + usize::from(negated);
    // A `]` at the beginning belongs to the class.
    let Some(end) = pattern.iter().skip(first + 1).position(|it| *it == ']').map(|it| it + first + 1) else {
        return (c == '[').then_some(p + 1);
    };
    let members = pattern.get(first..end).unwrap_or_default();
    let mut at = 0;
    let mut found = false;
    while let Some(low) = members.get(at) {
        if let (Some('-'), Some(high)) = (members.get(at + 1), members.get(at + 2)) {
            found |= (*low..=*high).contains(&c);
            at += 3;
        } else {
            found |= *low == c;
            at += 1;
        }
    }
    (found != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, name: &str, expected: bool) {
        let pattern_chars: Vec<char> = pattern.chars().collect();
        assert_eq!(matches(&pattern_chars, name), expected, "{pattern} {name}");
    }

    #[test]
    fn patterns() {
        check("colors*", "colors-cold", true);
        check("colors*", "my-colors", false);
        check("a/*", "a/b", true);
        check("a/*", "a/b/c", true);
        check("a/**", "a/b/c", true);
        check("a/*/c", "a/b/c", true);
        check("a/*/c", "a/c", false);
        check("**/c", "c", false);
        check("**/c", "a/b/c", true);
        check("?at", "cat", true);
        check("[bc]at", "cat", true);
        check("[!bc]at", "cat", false);
        check("[a-c]at", "bat", true);
        check("[", "[", true);
        check("猫*", "猫咪", true);
        check("*a*a*a*b", &"a".repeat(200), false);
    }

    #[test]
    fn neighbours_are_found() {
        let names = vec!["animals/mammals/canine".to_owned(), "colors".to_owned()];
        assert_eq!(matching("mammals/canine", &names), ["animals/mammals/canine"]);
        assert_eq!(matching("colors", &names), ["colors"]);
        assert!(matching("nothing", &names).is_empty());
    }

    #[test]
    fn names_are_cleaned() {
        assert_eq!(clean(" \\a\\\\b/ ").as_deref(), Some("a/b"));
        assert_eq!(clean("../a"), None);
        assert_eq!(clean(" / "), None);
    }
}
