//! Content hashes, as recipes name models and pictures.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// SHA-256 of some bytes, 64 lower-case hex digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
