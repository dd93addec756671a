//! Numbers of combinations, as people read them.

use std::fmt;

use num_bigint::BigUint;

/// How many combinations a template has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exact(BigUint),
    /// More than can be numbered, 2^65536.
    Beyond,
}

impl Count {
    /// The number, unless it is beyond.
    pub fn exact(&self) -> Option<&BigUint> {
        match self {
            Self::Exact(count) => Some(count),
            Self::Beyond => None,
        }
    }

    /// The number, if it is not too large for one.
    pub fn to_u64(&self) -> Option<u64> {
        self.exact().and_then(|it| u64::try_from(it).ok())
    }

    /// Whether it is at most `most`.
    pub fn is_at_most(&self, most: u64) -> bool {
        self.to_u64().is_some_and(|it| it <= most)
    }

    /// All digits, in groups of three: `1,000,000`.
    pub fn digits(&self) -> String {
        match self {
            Self::Exact(count) => grouped(&count.to_string()),
            Self::Beyond => "more than 10^19728".to_owned(),
        }
    }

    /// Three digits and a power of ten for large numbers: `1.05 × 10^12`.
    pub fn short(&self) -> String {
        let Self::Exact(count) = self else { return self.digits() };
        let digits = count.to_string();
        if digits.len() <= 9 {
            return grouped(&digits);
        }
        let mut power = digits.len() - 1;
        // Rounded to three digits.
        let head: u32 = digits.get(..4).and_then(|it| it.parse().ok()).unwrap_or(0);
        let mut rounded = (head + 5) / 10;
        if rounded == 1000 {
            (rounded, power) = (100, power + 1);
        }
        let (whole, part) = (rounded / 100, rounded % 100);
        let exact = digits.trim_end_matches('0').len() <= 3;
        let about = if exact { "" } else { "about " };
        match part {
            0 if exact && whole == 1 => format!("10^{power}"),
            0 => format!("{about}{whole} × 10^{power}"),
            _ => format!("{about}{whole}.{part:02} × 10^{power}"),
        }
    }

    /// Why a run over all combinations is refused, and what to do instead; `None` if it has at most `most`.
    pub fn refusal(&self, most: u64) -> Option<Refusal> {
        (!self.is_at_most(most)).then(|| Refusal { count: self.clone(), most })
    }
}

impl fmt::Display for Count {
    /// All digits up to 10^15, the short form beyond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let small = self.exact().is_some_and(|it| it.bits() <= 50);
        f.write_str(&if small { self.digits() } else { self.short() })
    }
}

/// A run over more combinations than are allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the template has {} combinations{}, and a run may have at most {}; draw some at random without repetition instead (for example 500), or put ~ before the parts that should be drawn rather than multiplied", .count.short(), all_digits(.count), grouped(&.most.to_string()))]
pub struct Refusal {
    /// How many there are.
    pub count: Count,
    /// How many are allowed.
    pub most: u64,
}

/// The digits behind a short form, unless they would fill lines.
fn all_digits(count: &Count) -> String {
    match count.exact() {
        Some(number) if number.bits() > 30 && number.bits() <= 200 => format!(" ({})", count.digits()),
        _ => String::new(),
    }
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: &str, digits: &str, short: &str) {
        let count = Count::Exact(number.parse().unwrap());
        assert_eq!((count.digits().as_str(), count.short().as_str()), (digits, short));
    }

    #[test]
    fn forms() {
        check("0", "0", "0");
        check("999", "999", "999");
        check("1000000", "1,000,000", "1,000,000");
        check("1000000000000", "1,000,000,000,000", "10^12");
        check("1048576000000", "1,048,576,000,000", "about 1.05 × 10^12");
        check("9999999999", "9,999,999,999", "about 1 × 10^10");
        check("2000000000000", "2,000,000,000,000", "2 × 10^12");
    }

    #[test]
    fn refusals_say_what_to_do() {
        assert_eq!(Count::Exact(BigUint::from(10_u8)).refusal(10), None);
        let refusal = Count::Exact(BigUint::from(10_u8).pow(30)).refusal(100_000).unwrap().to_string();
        assert_eq!(
            refusal,
            "the template has 10^30 combinations (1,000,000,000,000,000,000,000,000,000,000), and a run may have at \
             most 100,000; draw some at random without repetition instead (for example 500), or put ~ before the \
             parts that should be drawn rather than multiplied"
        );
        assert!(Count::Beyond.refusal(u64::MAX).is_some());
    }
}
