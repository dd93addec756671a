//! The text chunks of a PNG (<https://www.w3.org/TR/png-3/#11textinfo>), read without its pixels.
//!
//! A decoder gives the chunks behind the pixels only after it has decoded them all, and other programs put theirs
//! there. So this walks from chunk to chunk instead, with a limit on everything that a hostile file could name.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek},
    path::Path,
};

use crate::pixels::{LoadError, PNG_SIGNATURE};

/// The longest text that is read, in bytes, before and after decompression.
const MAX_TEXT: u64 = 8 << 20;
/// The most bytes of all texts together.
const MAX_ALL_TEXTS: u64 = 32 << 20;
/// The most chunks of any kind. A large PNG of 8 KiB pieces has some 10,000.
const MAX_CHUNKS: u32 = 200_000;
/// The most problems that are listed.
const MAX_PROBLEMS: usize = 20;

/// A keyword and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextChunk {
    /// What the text is, by convention, such as `parameters` or `Comment`.
    pub keyword: String,
    /// The text.
    pub text: String,
}

/// What a file says of itself.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Whether it is shown lying on its side.
    pub(crate) turned: bool,
    pub(crate) texts: Vec<TextChunk>,
    pub(crate) problems: Vec<String>,
}

impl Found {
    fn problem(&mut self, what: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(what);
        }
    }
}

/// Whether a text can stand in a tEXt chunk and be read back by everyone. Latin-1 bytes that happen to be UTF-8 are not:
/// some programs write UTF-8 into tEXt, so readers guess, ours included.
pub(crate) fn is_plain_latin1(text: &str) -> bool {
    if text.is_ascii() {
        return true;
    }
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
    bytes.is_some_and(|bytes| str::from_utf8(&bytes).is_err())
}

/// Walks through a PNG's chunks.
pub(crate) fn read(path: &Path) -> Result<Found, LoadError> {
    let io = |source| LoadError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let mut found = Found::default();
    match walk(&mut BufReader::new(file), length, &mut found) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            found.problem("the file ends in the middle; the picture is not whole".to_owned());
        }
        Err(error) => return Err(io(error)),
    }
    if found.width == 0 || found.height == 0 {
        return Err(LoadError::Broken {
            path: path.to_owned(),
            reason: "the PNG does not begin with its size".to_owned(),
        });
    }
    Ok(found)
}

fn walk(file: &mut (impl Read + Seek), length: u64, found: &mut Found) -> io::Result<()> {
    let mut position = PNG_SIGNATURE.len() as u64;
    let mut all_texts = 0;
    file.seek(io::SeekFrom::Start(position))?;
    for _ in 0..MAX_CHUNKS {
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let [a, b, c, d, kind @ ..] = head;
        let size = u64::from(u32::from_be_bytes([a, b, c, d]));
        position += 8;
        if position + size + 4 > length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        position += size + 4;
        let name = String::from_utf8_lossy(&kind).into_owned();
        let is_text = matches!(&kind, b"tEXt" | b"zTXt" | b"iTXt");
        if &kind == b"IEND" {
            return Ok(());
        } else if &kind == b"IHDR" && size == 13 && found.width == 0 {
            let data = checked_data(file, kind, size)?.unwrap_or_default();
            if let [a, b, c, d, e, f, g, h, ..] = data[..] {
                found.width = u32::from_be_bytes([a, b, c, d]);
                found.height = u32::from_be_bytes([e, f, g, h]);
            }
        } else if is_text && (size > MAX_TEXT || all_texts + size > MAX_ALL_TEXTS) {
            found.problem(format!("a {name} chunk of {size} bytes is too large and was skipped"));
            file.seek(io::SeekFrom::Start(position))?;
        } else if is_text {
            all_texts += size;
            let chunk = checked_data(file, kind, size)?
                .ok_or("does not have the checksum that it names")
                .and_then(|data| text_chunk(kind, &data, MAX_TEXT.min(MAX_ALL_TEXTS - all_texts)));
            match chunk {
                Ok(chunk) => {
                    all_texts += chunk.text.len() as u64;
                    found.texts.push(chunk);
                }
                Err(reason) => {
                    found.problem(format!("a {name} chunk of {size} bytes {reason} and was skipped"));
                }
            }
        } else {
            file.seek(io::SeekFrom::Start(position))?;
        }
    }
    found.problem(format!("the file has more than {MAX_CHUNKS} chunks; the rest was not read"));
    Ok(())
}

/// A chunk's data, if they have the checksum that stands behind them.
fn checked_data(file: &mut impl Read, kind: [u8; 4], size: u64) -> io::Result<Option<Vec<u8>>> {
    let mut data = Vec::new();
    file.take(size).read_to_end(&mut data)?;
    let mut checksum = [0; 4];
    file.read_exact(&mut checksum)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&kind);
    hasher.update(&data);
    Ok((hasher.finalize() == u32::from_be_bytes(checksum)).then_some(data))
}

fn text_chunk(kind: [u8; 4], data: &[u8], limit: u64) -> Result<TextChunk, &'static str> {
    const SHORT: &str = "is cut short";
    let (keyword, rest) = split_at_zero(data).ok_or(SHORT)?;
    let text = match &kind {
        b"tEXt" => text_of_unknown_encoding(rest),
        b"zTXt" => match rest {
            [0, compressed @ ..] => text_of_unknown_encoding(&inflate(compressed, limit)?),
            _ => return Err("is compressed in an unknown way"),
        },
        _ => {
            let [compressed, method, rest @ ..] = rest else { return Err(SHORT) };
            let (_language, rest) = split_at_zero(rest).ok_or(SHORT)?;
            let (_translated_keyword, text) = split_at_zero(rest).ok_or(SHORT)?;
            let text = match (compressed, method) {
                (0, _) => text.to_vec(),
                (1, 0) => inflate(text, limit)?,
                _ => return Err("is compressed in an unknown way"),
            };
            String::from_utf8(text).map_err(|_| "is not UTF-8")?
        }
    };
    Ok(TextChunk { keyword: latin1(keyword), text })
}

fn split_at_zero(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let zero = data.iter().position(|byte| *byte == 0)?;
    Some((&data[..zero], &data[zero + 1..]))
}

fn inflate(data: &[u8], limit: u64) -> Result<Vec<u8>, &'static str> {
    let mut text = Vec::new();
    let read = flate2::read::ZlibDecoder::new(data).take(limit + 1).read_to_end(&mut text);
    match read {
        Ok(_) if text.len() as u64 > limit => Err("unpacks to more than any text needs"),
        Ok(_) => Ok(text),
        Err(_) => Err("cannot be unpacked"),
    }
}

/// Latin-1 by the standard, UTF-8 in the files of stable-diffusion.cpp and others.
fn text_of_unknown_encoding(bytes: &[u8]) -> String {
    str::from_utf8(bytes).map_or_else(|_| latin1(bytes), str::to_owned)
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
