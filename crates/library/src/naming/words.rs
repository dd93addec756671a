//! Values that need some work before they can stand in a name.

use jiff::fmt::strtime::BrokenDownTime;

use crate::moment::Moment;

/// The longest time that a format may make.
const MAX_TIME: usize = 100;

/// The first words of a prompt, without its weights and networks. Chinese has no spaces between words; what stands between
/// two punctuation marks is one there.
pub(super) fn of(prompt: &str, most: usize) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut rest = prompt.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '<' => {
                // `<lora:name:1>`
                let network: String = rest.clone().take_while(|c| *c != '>').collect();
                if network.contains(':') && rest.clone().any(|c| c == '>') {
                    rest.nth(network.chars().count());
                }
                words.push(String::new());
            }
            ':' => {
                // A weight.
                while rest.next_if(|c| c.is_ascii_digit() || *c == '.' || *c == ' ').is_some() {}
                words.push(String::new());
            }
            '\'' | '’' => {}
            c if c.is_alphanumeric() || is_mark(c) => {
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
            _ => words.push(String::new()),
        }
    }
    words.into_iter().filter(|word| !word.is_empty()).take(most).collect()
}

/// Marks that belong to the letter before them.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// A time in a format of C's `strftime`, if it is one.
pub(super) fn formatted(moment: Moment, format: &str) -> Option<String> {
    let time = BrokenDownTime::from(moment.local());
    let mut text = String::new();
    time.format(format, &mut text).ok()?;
    (text.len() <= MAX_TIME).then_some(text)
}
