//! Seeds of random generators.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A 64-bit seed; a decimal string on the wire, because JSON readers lose integers above 2^53.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct Seed(pub u64);

impl Seed {
    /// The seed of picture `index` of a run that starts from this one: `seed + index`, wrapping.
    #[must_use]
    pub fn nth(self, index: u64) -> Self {
        Self(self.0.wrapping_add(index))
    }

    /// Another seed that follows from this one and has nothing visible in common with it (one step of
    /// SplitMix64, <https://prng.di.unimi.it/splitmix64.c>).
    #[must_use]
    pub(crate) fn scrambled(self) -> Self {
        let mut z = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(z ^ (z >> 31))
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text is not a seed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("seed is {text:?}; allowed are whole numbers from 0 to 18446744073709551615")]
pub struct SeedError {
    text: String,
}

impl FromStr for Seed {
    type Err = SeedError;

    /// Reads decimal digits.
    fn from_str(text: &str) -> Result<Self, SeedError> {
        // `u64::from_str` would allow a leading plus sign.
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = if digits { text.parse().ok() } else { None };
        parsed.map(Self).ok_or_else(|| SeedError { text: text.chars().take(80).collect() })
    }
}

impl Serialize for Seed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Seed {
    /// Reads a decimal string, or an integer as other tools write.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Seed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a seed: a whole number from 0 to 18446744073709551615, best as a string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Seed, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Seed, E> {
                Ok(Seed(value))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: Option<u64>) {
        assert_eq!(serde_json::from_str::<Seed>(json).ok(), expected.map(Seed), "{json}");
    }

    #[test]
    fn wire() {
        check(r#""18446744073709551615""#, Some(u64::MAX));
        check("18446744073709551615", Some(u64::MAX));
        check(r#""0""#, Some(0));
        check(r#""007""#, Some(7));
        check(r#""18446744073709551616""#, None);
        check(r#""+1""#, None);
        check(r#""-1""#, None);
        check("-1", None);
        check("1.5", None);
        check(r#""""#, None);
        assert_eq!(serde_json::to_string(&Seed(u64::MAX)).unwrap(), r#""18446744073709551615""#);
        assert_eq!(Seed(u64::MAX).nth(2), Seed(1));
    }
}
