//! The secret that lets other machines in.

use std::fmt::Write;

use subtle::ConstantTimeEq;

/// A secret of 256 bits, as 64 hex digits.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A token of random bytes that the caller drew.
    pub fn new(random: [u8; 32]) -> Self {
        let mut text = String::with_capacity(64);
        for byte in random {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// The token as it is written in addresses and headers.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text is this token; takes the same time however much of it is right.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_it() {
        let token = Token::new([0xab; 32]);
        assert!(token.is(&"ab".repeat(32)));
        assert!(!token.is(&"ab".repeat(31)));
        assert!(!token.is(""));
        assert!(!token.is(&"AB".repeat(32)));
    }
}
