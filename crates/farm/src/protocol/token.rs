//! Names that can be parts of subjects.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Text that cannot be part of a subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be a name on the farm: use 1 to 64 letters, digits, `-` and `_`")]
pub struct NameError(pub String);

/// Text that can be part of a subject and of a consumer's name: a submitter's id, a job's id, a namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(String);

impl Token {
    /// Checks a name.
    pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
        let text = text.into();
        let fine = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(fine) {
            return Ok(Self(text));
        }
        Err(NameError(text))
    }

    /// A new one that nobody else has.
    pub fn random() -> Self {
        let mut bytes = [0; 12];
        // Without randomness there is still the clock; ids only have to differ.
        if getrandom::fill(&mut bytes).is_err() {
            let now = jiff::Timestamp::now().as_nanosecond().to_le_bytes();
            bytes.copy_from_slice(&now[..12]);
        }
        Self(hex(&bytes))
    }

    /// Hexadecimal digits of up to 32 bytes.
    pub(crate) fn hex(bytes: &[u8]) -> Self {
        Self(hex(bytes))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

impl TryFrom<String> for Token {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_change_a_subject_are_refused() {
        for bad in ["", "a.b", "*", ">", "a b", "楼兰", &"x".repeat(65)] {
            assert!(Token::new(bad).is_err(), "{bad}");
        }
        assert_ne!(Token::random(), Token::random());
    }
}
