//! Frames on a pipe: a JSON header and raw bytes beside it, so that pictures are never spelled in text.
//!
//! ```text
//! "TRM1"  header length  payload length  header (JSON)  payload
//!  4 B     u32 LE         u32 LE
//! ```
//! This layout and the header fields `kind` and `protocol` of the first message never change, so that two programs
//! of different versions can always tell each other so.

use std::io::{self, Read, Write};

use serde::Serialize;

/// What every frame begins with.
pub const MAGIC: [u8; 4] = *b"TRM1";
/// The longest header, in bytes. A recipe with the longest sensible prompts takes a few hundred thousand.
pub const MAX_HEADER: u32 = 16 << 20;
/// The longest payload, in bytes: an RGBA picture and a mask of the largest size (64 megapixels) fit.
pub const MAX_PAYLOAD: u32 = 512 << 20;

/// A frame that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The bytes are no frame.
    #[error("expected a message and found other bytes: {0:?}")]
    NotAFrame(String),
    /// A length beyond the limits.
    #[error("a message claims {found} bytes of {what}; the limit is {limit}")]
    TooLong {
        /// Header or payload.
        what: &'static str,
        /// The length claimed.
        found: u64,
        /// The limit.
        limit: u32,
    },
    /// The pipe ended inside a frame.
    #[error("a message ends in its middle")]
    Truncated,
    /// The header is not what the protocol says.
    #[error("a message's header cannot be read")]
    Header(#[from] serde_json::Error),
    /// The pipe broke.
    #[error("the pipe cannot be used")]
    Io(#[from] io::Error),
}

/// Header and payload of one frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// JSON.
    pub header: Vec<u8>,
    /// Whatever the header says about it.
    pub payload: Vec<u8>,
}

/// Spells a frame; the payload is the parts one after another.
pub fn encode(header: &impl Serialize, payload: &[&[u8]]) -> Result<Vec<u8>, FrameError> {
    let header = serde_json::to_vec(header)?;
    let payload_length: usize = payload.iter().map(|part| part.len()).sum();
    let lengths = [
        checked("header", header.len() as u64, MAX_HEADER)?,
        checked("payload", payload_length as u64, MAX_PAYLOAD)?,
    ];
    let mut bytes = Vec::with_capacity(12 + header.len() + payload_length);
    bytes.extend(MAGIC);
    bytes.extend(lengths[0].to_le_bytes());
    bytes.extend(lengths[1].to_le_bytes());
    bytes.extend(header);
    for part in payload {
        bytes.extend_from_slice(part);
    }
    Ok(bytes)
}

/// Writes a frame and flushes it.
pub fn write(to: &mut impl Write, header: &impl Serialize, payload: &[&[u8]]) -> Result<(), FrameError> {
    to.write_all(&encode(header, payload)?)?;
    Ok(to.flush()?)
}

/// Reads a frame; `None` when the pipe ended before it began.
pub fn read(from: &mut impl Read) -> Result<Option<Frame>, FrameError> {
    let mut prelude = Vec::with_capacity(12);
    from.by_ref().take(12).read_to_end(&mut prelude)?;
    if prelude.is_empty() {
        return Ok(None);
    }
    let start = prelude.len().min(MAGIC.len());
    if prelude[..start] != MAGIC[..start] {
        // What follows often says what went wrong, but waiting for it could take forever.
        return Err(FrameError::NotAFrame(String::from_utf8_lossy(&prelude).into_owned()));
    }
    let Ok([_, header, payload]) = <[[u8; 4]; 3]>::try_from(prelude.as_chunks().0) else {
        return Err(FrameError::Truncated);
    };
    let header = checked("header", u32::from_le_bytes(header).into(), MAX_HEADER)?;
    let payload = checked("payload", u32::from_le_bytes(payload).into(), MAX_PAYLOAD)?;
    Ok(Some(Frame { header: exactly(from, header)?, payload: exactly(from, payload)? }))
}

fn checked(what: &'static str, found: u64, limit: u32) -> Result<u32, FrameError> {
    match u32::try_from(found) {
        Ok(length) if length <= limit => Ok(length),
        _ => Err(FrameError::TooLong { what, found, limit }),
    }
}

/// Grows with what arrives, so that a length that lies costs nothing.
fn exactly(from: &mut impl Read, length: u32) -> Result<Vec<u8>, FrameError> {
    let mut bytes = Vec::new();
    from.take(length.into()).read_to_end(&mut bytes)?;
    if bytes.len() == length as usize { Ok(bytes) } else { Err(FrameError::Truncated) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_read_back_equal_and_in_order() {
        let mut pipe = Vec::new();
        write(&mut pipe, &"楼兰", &[b"ab", b"", b"c"]).unwrap();
        write(&mut pipe, &1, &[]).unwrap();
        let mut reader = pipe.as_slice();
        let first = read(&mut reader).unwrap().unwrap();
        assert_eq!(first, Frame { header: "\"楼兰\"".into(), payload: b"abc".to_vec() });
        assert_eq!(read(&mut reader).unwrap().unwrap().header, b"1");
        assert_eq!(read(&mut reader).unwrap(), None);
    }

    #[test]
    fn bytes_that_are_no_frame_are_refused_with_the_reason() {
        let check = |bytes: &[u8], expected: &str| {
            let error = read(&mut &*bytes).unwrap_err().to_string();
            assert_eq!(error, expected);
        };
        check(b"Warning: no CUDA\n", "expected a message and found other bytes: \"Warning: no \"");
        check(b"TRM1\x01", "a message ends in its middle");
        check(b"TRM1\x05\0\0\0\0\0\0\0{}", "a message ends in its middle");
        check(
            b"TRM1\xff\xff\xff\xff\0\0\0\0",
            "a message claims 4294967295 bytes of header; the limit is 16777216",
        );
        check(
            b"TRM1\x02\0\0\0\xff\xff\xff\xff",
            "a message claims 4294967295 bytes of payload; the limit is 536870912",
        );
    }
}
