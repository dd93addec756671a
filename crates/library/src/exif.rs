//! What JPEG and WebP files say of themselves: the Exif user comment, where A1111 puts its infotext, and XMP.

use std::{fs::File, io::BufReader, path::Path};

use exif::{In, Tag, Value};
use image::ImageDecoder;

use crate::{
    picture::{INFOTEXT_KEYWORD, XMP_KEYWORD},
    pixels::{self, LoadError},
    png_chunks::{Found, TextChunk},
};

/// The largest metadata block that is looked at, in bytes.
const MAX_BLOCK: usize = 8 << 20;

/// Reads the metadata under the names that PNG chunks have.
pub(crate) fn read(path: &Path) -> Result<Found, LoadError> {
    let file = File::open(path).map_err(|source| LoadError::Io { path: path.to_owned(), source })?;
    let mut decoder = pixels::decoder(BufReader::new(file), path)?;
    let (width, height) = decoder.dimensions();
    let turned = decoder.orientation().is_ok_and(pixels::is_turned);
    let mut found = Found { width, height, turned, ..Found::default() };
    // Metadata that cannot be read are not a reason to refuse the picture.
    match decoder.exif_metadata() {
        Ok(Some(block)) if block.len() <= MAX_BLOCK => match user_comment(block) {
            Ok(Some(text)) => found.texts.push(TextChunk { keyword: INFOTEXT_KEYWORD.to_owned(), text }),
            Ok(None) => {}
            Err(error) => found.problems.push(format!("the Exif data cannot be read: {error}")),
        },
        Ok(None) => {}
        Ok(Some(_)) => found.problems.push("the Exif data are too large and were skipped".to_owned()),
        Err(error) => found.problems.push(format!("the Exif data cannot be read: {error}")),
    }
    match decoder.xmp_metadata() {
        Ok(Some(block)) if block.len() <= MAX_BLOCK => match String::from_utf8(block) {
            Ok(text) => found.texts.push(TextChunk { keyword: XMP_KEYWORD.to_owned(), text }),
            Err(_) => found.problems.push("the XMP packet is not UTF-8 and was skipped".to_owned()),
        },
        Ok(_) => {}
        Err(error) => found.problems.push(format!("the XMP packet cannot be read: {error}")),
    }
    Ok(found)
}

fn user_comment(block: Vec<u8>) -> Result<Option<String>, exif::Error> {
    let exif = exif::Reader::new().read_raw(block)?;
    let field = exif.get_field(Tag::UserComment, In::PRIMARY);
    Ok(field.and_then(|field| match &field.value {
        // `Undefined` by the standard; Pillow writes `Byte`.
        Value::Undefined(bytes, _) | Value::Byte(bytes) => comment_text(bytes),
        _ => None,
    }))
}

/// The text of a user comment: 8 bytes name its encoding (Exif 2.32, 4.6.5, `UserComment`).
fn comment_text(bytes: &[u8]) -> Option<String> {
    let (encoding, text) = bytes.split_at_checked(8)?;
    let text = match encoding {
        b"UNICODE\0" => utf16(text),
        b"ASCII\0\0\0" | b"\0\0\0\0\0\0\0\0" => String::from_utf8_lossy(text).into_owned(),
        _ => return None,
    };
    let text = text.trim_end_matches('\0');
    (!text.is_empty()).then(|| text.to_owned())
}

/// UTF-16 in whichever byte order: the standard says the file's own, piexif (and so A1111) writes big-endian. An infotext
/// has many ASCII characters, so the order with more zero high bytes is the right one.
fn utf16(bytes: &[u8]) -> String {
    let pairs = bytes.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
    let high_zeros = pairs.clone().filter(|[first, _]| *first == 0).count();
    let low_zeros = pairs.clone().filter(|[_, second]| *second == 0).count();
    let little = low_zeros > high_zeros || bytes.starts_with(&[0xff, 0xfe]);
    let units: Vec<u16> = pairs.map(if little { u16::from_le_bytes } else { u16::from_be_bytes }).collect();
    String::from_utf16_lossy(&units).trim_start_matches('\u{feff}').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments() {
        let check = |encoding: &[u8; 8], text: &[u8], expected: Option<&str>| {
            assert_eq!(comment_text(&[encoding, text].concat()).as_deref(), expected);
        };
        let text = "一只狐狸 🦊\nSteps: 20, Seed: 1, Size: 64x64";
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        check(b"UNICODE\0", &big, Some(text));
        check(b"UNICODE\0", &little, Some(text));
        check(b"UNICODE\0", &[&[0xff, 0xfe], &little[..]].concat(), Some(text));
        check(b"ASCII\0\0\0", b"Steps: 20\0\0", Some("Steps: 20"));
        check(b"\0\0\0\0\0\0\0\0", text.as_bytes(), Some(text));
        check(b"JIS\0\0\0\0\0", b"x", None);
        check(b"UNICODE\0", b"", None);
        assert_eq!(comment_text(b"short"), None);
    }
}
