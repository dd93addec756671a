//! The encoding of a text: what Excel writes in China and Taiwan, and what everybody else does.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use super::ReadError;
use crate::problem::{Code, Problem};

/// The text, the name of its encoding, and a problem if some of it cannot be read.
pub(super) fn decode(
    bytes: &[u8],
    told: Option<&str>,
) -> Result<(String, &'static str, Option<Problem>), ReadError> {
    let encoding = match told {
        Some(name) => Encoding::for_label(name.trim().as_bytes())
            // GBK is a part of GB18030, and files that say the one hold the other.
            .map(|encoding| if encoding == encoding_rs::GBK { GB18030 } else { encoding })
            .ok_or_else(|| ReadError::UnknownEncoding { name: name.to_owned() })?,
        None => detect(bytes),
    };
    // A byte order mark is believed above all.
    let (text, used, broken) = encoding.decode(bytes);
    let problem = broken.then(|| {
        let before = text.split('\u{fffd}').next().unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        Problem::warning(
            Code::Encoding,
            format!("some characters cannot be read as {}, the first in line {line}", used.name()),
        )
        .at_row(u32::try_from(line).unwrap_or(u32::MAX))
        .hint("save the file as UTF-8, or say which encoding it has")
    });
    Ok((text.into_owned(), used.name(), problem))
}

fn detect(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    if let Some(encoding) = without_mark(bytes) {
        return encoding;
    }
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    let gb = score(GB18030, bytes, is_common_gb);
    let big5 = score(BIG5, bytes, is_common_big5);
    match (gb, big5) {
        // Text in the one is mostly rubbish in the other. Where it is not, common characters decide, and between
        // equals the more usual of the two.
        (Some(gb), Some(big5)) => {
            if big5 > gb + 0.1 {
                BIG5
            } else {
                GB18030
            }
        }
        (Some(_), None) => prefer(bytes, GB18030),
        (None, Some(_)) => prefer(bytes, BIG5),
        (None, None) => {
            let broken = UTF_8.decode_without_bom_handling(bytes).0.matches('\u{fffd}').count();
            let wide = bytes.iter().filter(|byte| !byte.is_ascii()).count();
            // A few broken characters in a text of UTF-8, or another encoding altogether.
            if broken * 10 < wide { UTF_8 } else { guess(bytes) }
        }
    }
}

/// UTF-16 without a mark: every other byte of Latin letters, digits and commas is zero.
fn without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = bytes.get(..bytes.len().min(4096) & !1)?;
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, enough) = (zeros(0), zeros(1), sample.len() / 10);
    if odd > enough && even <= odd / 4 {
        Some(UTF_16LE)
    } else if even > enough && odd <= even / 4 {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// The share of common characters among the pairs of bytes, if all of it can be decoded.
fn score(encoding: &'static Encoding, bytes: &[u8], common: fn(u8, u8) -> bool) -> Option<f64> {
    encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    let (mut pairs, mut found) = (0_u32, 0_u32);
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if let (true, [second, tail @ ..]) = (*first >= 0x81, tail) {
            rest = tail;
            pairs += 1;
            found += u32::from(common(*first, *second));
        }
    }
    Some(f64::from(found) / f64::from(pairs.max(1)))
}

/// GB 2312's first level (3755 characters by sound) and its punctuation.
fn is_common_gb(first: u8, second: u8) -> bool {
    second >= 0xa1 && (matches!(first, 0xb0..=0xd7) || matches!(first, 0xa1 | 0xa3))
}

/// Big5's first level (5401 characters) and its punctuation.
fn is_common_big5(first: u8, second: u8) -> bool {
    matches!(second, 0x40..=0x7e | 0xa1..=0xfe) && (matches!(first, 0xa4..=0xc6) || first == 0xa1)
}

/// Decodable as Chinese is not yet Chinese: a French text in Windows-1252 may be, too.
fn prefer(bytes: &[u8], encoding: &'static Encoding) -> &'static Encoding {
    let wide = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    let lone = bytes
        .windows(3)
        .filter(|w| matches!(w, [a, b, c] if a.is_ascii() && !b.is_ascii() && c.is_ascii()))
        .count();
    if lone * 2 > wide { guess(bytes) } else { encoding }
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let encoding = detector.guess(Some(b"cn"), Utf8Detection::Allow);
    if encoding == encoding_rs::GBK { GB18030 } else { encoding }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, encoding: &'static Encoding, mark: &[u8]) {
        let mut bytes = mark.to_vec();
        if encoding == UTF_16LE {
            bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        } else if encoding == UTF_16BE {
            bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        } else {
            bytes.extend_from_slice(&encoding.encode(text).0);
        }
        let (decoded, name, problem) = decode(&bytes, None).unwrap();
        assert_eq!((decoded.as_str(), name, problem), (text, encoding.name(), None));
    }

    #[test]
    fn what_is_written_in_china() {
        let simplified = "提示词,步数\n一只狐狸在雪地里，水墨画,20\n";
        let traditional = "提示詞,步數\n一隻狐狸在雪地裡，水墨畫,20\n";
        for (encoding, mark) in [
            (UTF_8, &b""[..]),
            (UTF_8, b"\xef\xbb\xbf"),
            (UTF_16LE, b"\xff\xfe"),
            (UTF_16BE, b"\xfe\xff"),
            (UTF_16LE, b""),
            (UTF_16BE, b""),
            (GB18030, b""),
        ] {
            check(simplified, encoding, mark);
            check(traditional, encoding, mark);
        }
        check(traditional, BIG5, b"");
        check("prompt,steps\n龍,20\n", BIG5, b"");
        check("prompt,steps\n龙,20\n", GB18030, b"");
        // The word that Notepad was famous for taking for UTF-8.
        check("联通", GB18030, b"");
        check("prompt\ncafé crème brûlée at a déjà vu soirée\n", encoding_rs::WINDOWS_1252, b"");
    }

    #[test]
    fn broken_text_is_read_and_reported() {
        let mut bytes = "提示词\n狐狸在雪地里跑，水墨画，高清\n".as_bytes().to_vec();
        bytes.extend_from_slice(b"\xff\xfeab\n");
        let (text, name, problem) = decode(&bytes, None).unwrap();
        assert!(text.starts_with("提示词"), "{text}");
        assert_eq!((name, problem.and_then(|problem| problem.row)), ("UTF-8", Some(3)));
        assert!(decode(b"", Some("klingon")).is_err());
    }
}
