//! Pixels as the farm keeps them: PNG, and known by the digest of what they show.

use sha2::{Digest, Sha256};
use tarim_render::{Channels, PixelShape, Pixels};

use crate::error::FarmError;
use crate::protocol::Token;

/// The most bytes that a picture from the farm may decode to: RGBA of 64 megapixels.
const MOST_BYTES: usize = 256 << 20;

/// SHA-256 of a picture: width, height and channels as `512x512x3`, a line feed, and the pixels' bytes.
///
/// It does not depend on how the picture was compressed, so the same pixels always have the same digest.
pub fn digest(pixels: &Pixels) -> Token {
    let mut sha = Sha256::new();
    sha.update(format!("{}x{}x{}\n", pixels.width(), pixels.height(), pixels.shape().channels.count()));
    sha.update(pixels.bytes());
    Token::hex(&sha.finalize())
}

/// SHA-256 of bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Token {
    Token::hex(&Sha256::digest(bytes))
}

/// Spells pixels losslessly.
pub(crate) fn encode(pixels: &Pixels) -> Result<Vec<u8>, FarmError> {
    let wrong = |error: png::EncodingError| FarmError::Damaged {
        what: "a picture".to_owned(),
        reason: error.to_string(),
    };
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixels.width(), pixels.height());
    encoder.set_color(match pixels.shape().channels {
        Channels::Grey => png::ColorType::Grayscale,
        Channels::Rgb => png::ColorType::Rgb,
        Channels::Rgba => png::ColorType::Rgba,
    });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(wrong)?;
    writer.write_image_data(pixels.bytes()).map_err(wrong)?;
    writer.finish().map_err(wrong)?;
    Ok(bytes)
}

/// Reads pixels back and checks that they are the ones that were sent.
pub(crate) fn decode(bytes: &[u8], expected: &Token) -> Result<Pixels, FarmError> {
    let damaged = |reason: String| FarmError::Damaged { what: "a picture".to_owned(), reason };
    let limits = png::Limits { bytes: MOST_BYTES };
    let decoder = png::Decoder::new_with_limits(std::io::Cursor::new(bytes), limits);
    let mut reader = decoder.read_info().map_err(|error| damaged(error.to_string()))?;
    let size = reader.output_buffer_size().filter(|size| *size <= MOST_BYTES);
    let mut pixels = vec![0; size.ok_or_else(|| damaged("it is larger than any picture".to_owned()))?];
    let frame = reader.next_frame(&mut pixels).map_err(|error| damaged(error.to_string()))?;
    pixels.truncate(frame.buffer_size());
    let channels = match (frame.color_type, frame.bit_depth) {
        (png::ColorType::Grayscale, png::BitDepth::Eight) => Channels::Grey,
        (png::ColorType::Rgb, png::BitDepth::Eight) => Channels::Rgb,
        (png::ColorType::Rgba, png::BitDepth::Eight) => Channels::Rgba,
        other => return Err(damaged(format!("its pixels are of another kind: {other:?}"))),
    };
    let shape = PixelShape { width: frame.width, height: frame.height, channels };
    let pixels = Pixels::new(shape, pixels).map_err(|error| damaged(error.to_string()))?;
    let found = digest(&pixels);
    if found == *expected {
        return Ok(pixels);
    }
    Err(damaged(format!("its digest is {found} and should be {expected}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_come_back_as_they_were_and_others_are_noticed() {
        for channels in [Channels::Grey, Channels::Rgb, Channels::Rgba] {
            let shape = PixelShape { width: 9, height: 5, channels };
            let bytes: Vec<u8> = (0..shape.bytes().unwrap()).map(|n| (n * 7) as u8).collect();
            let pixels = Pixels::new(shape, bytes).unwrap();
            let spelled = encode(&pixels).unwrap();
            assert_eq!(decode(&spelled, &digest(&pixels)).unwrap(), pixels);
            assert!(decode(&spelled, &sha256(b"others")).is_err());
            assert!(decode(&spelled[..spelled.len() / 2], &digest(&pixels)).is_err());
        }
        assert!(decode(b"no picture", &sha256(b"")).is_err());
    }
}
